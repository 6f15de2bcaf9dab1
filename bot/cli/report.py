import shutil
import sys
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from bot.cli.invocation import Invocation
from bot.cli.options import check_period, json_option, page_option, parse_moment
from bot.cli.output import can_print, print_json, print_text, write_page
from bot.cli.progress import progress_line

NARROWEST, WIDEST = 60, 110
NOTHING = "Nothing was asked {when}yet. `footnote ask TEXT` and `footnote chat` remember what they answer."


@click.command("report")
@click.option("--since", metavar="D", callback=parse_moment, help="Only answers from this day on, such as 2026-03-01.")
@click.option("--until", metavar="D", callback=parse_moment, help="Only answers before this day.")
@click.option(
    "--min-askers",
    type=click.IntRange(1),
    default=2,
    show_default=True,
    metavar="N",
    help="Quote a question only if so many different people asked it, and of it only words that so many used.",
)
@click.option(
    "--group",
    "groups",
    multiple=True,
    metavar="GROUP",
    help="A group that may read the report, beside everyone; what others alone may see is counted. May be repeated.",
)
@click.option(
    "--audit",
    is_flag=True,
    help="Only list who did what, and when: reviews, exports, erasures, dumps, changes of the index.",
)
@page_option("Also write the report, with plots, as one page.")
@json_option
@click.pass_obj
def command(
    invocation: Invocation,
    /,
    *,
    since: datetime | None,
    until: datetime | None,
    min_askers: int,
    groups: tuple[str, ...],
    audit: bool,
    html: Path | None,
    as_json: bool,
) -> None:
    """Tell how satisfied people are, what fails and why, and what would repair it.

    Every thumbs-down is sorted: what is missing in the documents or not found in them, and what is the bot's own
    behaviour. Names nobody, and no question or section that the readers of the report may not see.
    """
    check_period(since, until)
    if audit:
        _list_audit(invocation, since, until, as_json=as_json)
        return
    with progress_line() as advance:
        figures = invocation.app.overview.report(
            since=since, until=until, min_askers=min_askers, groups=frozenset(groups), progress=advance
        )
    if html:
        from bot.reports.feedback_page import feedback_page

        write_page(html, feedback_page(figures))
    if as_json:
        print_json(dict(figures))
    elif figures["answers"]:
        click.echo(_text(figures))  # it holds colours, and no other control characters
    else:
        print_text(NOTHING.format(when="in this time " if since or until else ""))


def _list_audit(invocation: Invocation, since: datetime | None, until: datetime | None, *, as_json: bool) -> None:
    from bot.channels.terminal.rendering import audit_text

    entries = [
        each
        for each in invocation.app.audit.entries()
        if (since is None or each.at >= since.isoformat()) and (until is None or each.at < until.isoformat())
    ]
    if as_json:
        print_json([asdict(each) for each in entries])
    else:
        print_text(audit_text(entries))


def _text(figures: Mapping[str, Any]) -> str:
    from bot.reports.feedback_text import feedback_text

    watched = sys.stdout.isatty()
    columns = shutil.get_terminal_size().columns if watched else WIDEST
    width = max(NARROWEST, min(WIDEST, columns))
    return feedback_text(figures, width=width, plain=not can_print("█"), coloured=watched)
