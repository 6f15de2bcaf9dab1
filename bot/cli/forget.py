import json
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.channels.json_format import erasure_json, kept_json
from bot.channels.terminal.rendering import erasure_text, kept_text
from bot.cli.invocation import Invocation
from bot.cli.options import json_option
from bot.cli.output import print_json, print_text
from bot.errors import UsageProblem

if TYPE_CHECKING:
    from feedback.records import ExportedRows

LINEAGE = "lineage.jsonl"


@click.command("forget")
@click.argument("user")
@click.option("--show", is_flag=True, help="Only tell what is kept of them, and erase nothing.")
@click.option("--yes", is_flag=True, help="Do not ask whether to go on.")
@json_option
@click.pass_obj
def command(invocation: Invocation, /, user: str, *, show: bool, yes: bool, as_json: bool) -> None:
    """Erase what is recorded of a person, and list the exports that hold rows of theirs.

    USER is an e-mail address, slack:ID, teams:ID or a name on this computer, as they asked and voted; somebody with
    several names is forgotten under each. It cannot be undone.
    """
    person = user.strip()
    if not person:
        raise UsageProblem("name the person to forget: an e-mail address, slack:ID or teams:ID")
    if show:
        kept = invocation.app.privacy.show(person)
        files = {each.export.id: _rows_by_file(each) for each in kept.exports}
        if as_json:
            print_json(kept_json(kept, files=files))
        else:
            print_text(kept_text(kept, files=files))
        return
    if not yes and sys.stdin.isatty():
        click.confirm(f"Erase everything that is recorded of {person}?", abort=True, err=True)
    erased = invocation.app.privacy.forget(person, by=None)
    files = {each.export.id: _rows_by_file(each) for each in erased.exports}
    if as_json:
        print_json(erasure_json(erased, files=files))
    else:
        print_text(erasure_text(erased, files=files))


def _rows_by_file(exported: "ExportedRows") -> Mapping[str, int]:
    """Return the files of an export that hold these rows, and how many each, as its lineage says.

    Empty where the lineage is gone or cannot be read.
    """
    wanted, found = set(exported.rows), Counter[str]()
    try:
        with (Path(exported.export.place) / LINEAGE).open(encoding="utf-8") as lines:
            for row in map(json.loads, lines):
                if row["sha256"] in wanted:
                    found[f"{row['format']}/{row['split']}.jsonl"] += 1
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return dict(sorted(found.items()))
