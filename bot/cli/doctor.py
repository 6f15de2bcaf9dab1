import click

from bot.cli.options import json_option
from bot.cli.output import Invocation, emit, say


@click.command("doctor")
@json_option
@click.pass_context
def command(ctx: click.Context, /, *, as_json: bool) -> None:
    """Check the configuration and everything that Footnote needs.

    One line each, with what mends it; ends with status 1 if anything is wrong.
    """
    from bot.services.diagnostics.service import examine

    invocation = ctx.ensure_object(Invocation)
    checks = list(examine(invocation.home, bootstrap=invocation.bootstrap))
    if as_json:
        emit([{"check": f.check, "ok": f.ok, "detail": f.detail, "mend": f.mend} for f in checks])
    else:
        for check in checks:
            sign = "ok  " if check.ok and not check.mend else "note" if check.ok else "FAIL"
            say(f"{sign}  {check.check}: {check.detail}" + (f"\n      {check.mend}" if check.mend else ""))
    ctx.exit(0 if all(check.ok for check in checks) else 1)
