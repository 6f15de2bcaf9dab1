import shutil
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from bot.cli.options import json_option, moment
from bot.cli.output import Invocation, emit, say, shows
from bot.cli.progress import progress
from bot.reports.page import html_option, write

NARROWEST, WIDEST = 60, 110
NOTHING = "Nothing was asked {when}yet. `footnote ask TEXT` and `footnote chat` remember what they answer."


@click.command("report")
@click.option("--since", metavar="D", callback=moment, help="Only answers from this day on, such as 2026-03-01.")
@click.option("--until", metavar="D", callback=moment, help="Only answers before this day.")
@click.option(
    "--min-askers",
    type=click.IntRange(1),
    default=2,
    show_default=True,
    metavar="N",
    help="Quote a question only if so many different people asked it, and of it only words that so many used.",
)
@html_option("Also write the report, with plots, as one page.")
@json_option
@click.pass_obj
def command(
    invocation: Invocation,
    /,
    *,
    since: datetime | None,
    until: datetime | None,
    min_askers: int,
    html: Path | None,
    as_json: bool,
) -> None:
    """Tell how satisfied people are, what fails and why, and what would repair it.

    Every thumbs-down is sorted: what is missing in the documents or not found in them, and what is the bot's own
    behaviour. Names nobody.
    """
    if since and until and since >= until:
        raise click.UsageError("--since must lie before --until.")
    with progress() as advance:
        figures = invocation.app.overview.report(since=since, until=until, min_askers=min_askers, progress=advance)
    if html:
        from bot.reports.feedback_page import page

        write(html, page(figures))
    if as_json:
        emit(dict(figures))
    elif figures["answers"]:
        click.echo(_read(figures))  # it holds colours, and no other control characters
    else:
        say(NOTHING.format(when="in this time " if since or until else ""))


def _read(figures: Any) -> str:
    from bot.reports.feedback_text import report

    watched = sys.stdout.isatty()
    columns = shutil.get_terminal_size().columns if watched else WIDEST
    return report(figures, width=max(NARROWEST, min(WIDEST, columns)), plain=not shows("█"), coloured=watched)
