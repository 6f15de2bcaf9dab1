import click

from bot.channels.json_format import check_json
from bot.channels.terminal.rendering import check_text
from bot.cli.invocation import Invocation
from bot.cli.options import json_option
from bot.cli.output import print_json, print_text


@click.command("doctor")
@json_option
@click.pass_context
def command(ctx: click.Context, /, *, as_json: bool) -> None:
    """Check the configuration and everything that Footnote needs.

    One line each, with what mends it; ends with status 1 if anything is wrong.
    """
    from bot.services.diagnostics.service import examine

    invocation = ctx.ensure_object(Invocation)
    checks = list(examine(invocation.home, service=lambda settings: invocation.bootstrap(settings).diagnostics))
    if as_json:
        print_json([check_json(each) for each in checks])
    else:
        for check in checks:
            print_text(check_text(check))
    ctx.exit(0 if all(check.ok for check in checks) else 1)
