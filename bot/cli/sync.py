from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.channels.json_format import sync_json
from bot.cli.errors import CommandFailed
from bot.cli.invocation import Invocation
from bot.cli.options import json_option, reserved_option
from bot.cli.output import print_json, print_note
from bot.cli.progress import progress_line

if TYPE_CHECKING:
    from retrieval.sync import SyncReport


@click.command("sync")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[PATH]...")
@click.option("--source", metavar="NAME", help="Sync this configured source; with a PATH, call it so.")
@click.option("--remove", metavar="SOURCE", help="Forget one source with all its documents.")
@click.option("--allow-empty", is_flag=True, help="Accept a source without documents: forget those it had.")
@json_option
@reserved_option("--watch", "sync")
@click.pass_obj
def command(
    invocation: Invocation,
    /,
    paths: tuple[Path, ...],
    *,
    source: str | None,
    remove: str | None,
    allow_empty: bool,
    as_json: bool,
) -> None:
    """Bring the index up to date with folders of documents.

    Without PATH: with all sources of footnote.toml. Only what changed is read again, and what vanished is
    forgotten; a source that is missing, unreadable or suddenly empty deletes nothing.
    """
    if remove is not None and (paths or source or allow_empty):
        raise click.UsageError("--remove goes alone.")
    if remove is not None:
        report = invocation.app.ingestion.remove(remove)
    else:
        with progress_line() as advance:
            report = invocation.app.ingestion.sync(paths, name=source, allow_empty=allow_empty, progress=advance)
    _print_report(report, as_json=as_json)


def _print_report(report: "SyncReport", *, as_json: bool) -> None:
    """Print the summary and the JSON, then one line for each problem; ends with status 1 if there is any."""
    for document, skipped in report.skipped:
        print_note(f"skipped {document}: {skipped.reason}" + (f" ({skipped.detail})" if skipped.detail else ""))
    for document, note in report.notes:
        print_note(f"note on {document}: {note.detail}")
    print_note(
        f"{len(report.added)} added, {len(report.changed)} changed, {len(report.deleted)} deleted, "
        f"{report.unchanged} unchanged, {len(report.skipped)} skipped; "
        f"{report.passages} passages in {report.seconds:.1f} s"
    )
    if as_json:
        print_json(sync_json(report))
    if report.problems:
        for problem in report.problems[:-1]:
            print_note(f"footnote: {problem}")
        raise CommandFailed(report.problems[-1])
