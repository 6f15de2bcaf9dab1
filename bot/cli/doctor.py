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
    from bot.services.diagnostics.checks import examine

    invocation = ctx.ensure_object(Invocation)
    findings = list(examine(invocation.home, build=invocation.builder))
    if as_json:
        emit([{"check": f.check, "ok": f.ok, "detail": f.detail, "mend": f.mend} for f in findings])
    else:
        for finding in findings:
            sign = "ok  " if finding.ok and not finding.mend else "note" if finding.ok else "FAIL"
            say(f"{sign}  {finding.check}: {finding.detail}" + (f"\n      {finding.mend}" if finding.mend else ""))
    ctx.exit(0 if all(finding.ok for finding in findings) else 1)
