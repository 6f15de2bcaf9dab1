import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot.cli.options import json_option
from bot.cli.output import Invocation, emit, say
from bot.errors import UsageProblem

if TYPE_CHECKING:
    from feedback.records import ErasureResult, ExportedRows

LINEAGE = "lineage.jsonl"


@click.command("forget")
@click.argument("user")
@click.option("--yes", is_flag=True, help="Do not ask whether to go on.")
@json_option
@click.pass_obj
def command(invocation: Invocation, /, user: str, *, yes: bool, as_json: bool) -> None:
    """Erase what is recorded of a person, and list the exports that hold rows of theirs.

    USER is an e-mail address, slack:ID, teams:ID or a name on this computer, as they asked and voted; somebody with
    several names is forgotten under each. It cannot be undone.
    """
    person = user.strip()
    if not person:
        raise UsageProblem("name the person to forget: an e-mail address, slack:ID or teams:ID")
    if not yes and _at_a_terminal():
        click.confirm(f"Erase everything that is recorded of {person}?", abort=True, err=True)
    gone = invocation.app.privacy.forget(person)
    if as_json:
        emit(_shape(gone))
    else:
        for line in _lines(gone):
            say(line)


def _shape(gone: "ErasureResult") -> dict[str, Any]:
    return {
        "exchanges": gone.exchanges,
        "votes": gone.votes,
        "corrections": gone.corrections,
        "decisions": gone.decisions,
        "exports": [
            {
                "id": held.export.id,
                "at": held.export.at.isoformat(),
                "place": held.export.place,
                "rows": list(held.rows),
                "files": dict(_files(held)),
            }
            for held in gone.exports
        ],
    }


def _lines(gone: "ErasureResult") -> Iterator[str]:
    yield (
        f"Erased exchanges: {gone.exchanges}, votes: {gone.votes}, corrections: {gone.corrections}, "
        f"decisions: {gone.decisions}."
    )
    for held in gone.exports:
        yield f"The export {held.export.id} in {held.export.place} holds {len(held.rows)} rows of theirs:"
        files = _files(held)
        for name, number in files:
            yield f"  {name}  {number} rows"
        if not files:
            yield "  it is not there any more, or not whole; find the rows in copies by the hashes that --json prints"
    if gone.exports:
        yield "Export these again, and train models anew that were trained on them."


def _files(held: "ExportedRows") -> list[tuple[str, int]]:
    """The files of an export that hold these rows, and how many each, as its lineage says; none where that is gone."""
    wanted, found = set(held.rows), Counter[str]()
    try:
        with (Path(held.export.place) / LINEAGE).open(encoding="utf-8") as lines:
            for row in map(json.loads, lines):
                if row["sha256"] in wanted:
                    found[f"{row['format']}/{row['split']}.jsonl"] += 1
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return sorted(found.items())


def _at_a_terminal() -> bool:
    return sys.stdin.isatty()
