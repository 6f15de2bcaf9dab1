from typing import TYPE_CHECKING

import click

from bot.cli.options import json_option
from bot.cli.output import Invocation, emit, note, say
from bot.cli.progress import progress

if TYPE_CHECKING:
    from retrieval.index.protocols import Generation


@click.group("index")
def command() -> None:
    """Generations of the index: list them, rebuild, or go back to the one before.

    Searches read the current one; one other is kept.
    """


@command.command("list")
@json_option
@click.pass_obj
def list_(invocation: Invocation, /, *, as_json: bool) -> None:
    """List the generations, oldest first."""
    generations = invocation.app.ingestion.generations()
    if as_json:
        emit([_shape(each) for each in generations])
        return
    for each in generations:
        sign = "*" if each.current else " "
        say(f"{sign} {each.name}  {each.documents} documents, {each.passages} passages, {each.embedding}")


@command.command("rebuild")
@json_option
@click.pass_obj
def rebuild(invocation: Invocation, /, *, as_json: bool) -> None:
    """Make the index anew beside the current one, then put it in its place.

    Searches go on meanwhile; a sync waits until it is done.
    """
    with progress() as advance:
        made = invocation.app.ingestion.rebuild(progress=advance)
    if as_json:
        emit(_shape(made))
    else:
        note(f"{made.documents} documents, {made.passages} passages; `footnote index rollback` goes back")


@command.command("rollback")
@json_option
@click.pass_obj
def rollback(invocation: Invocation, /, *, as_json: bool) -> None:
    """Go back to the generation that is kept.

    What was synced since it was made comes back with the next `footnote sync`.
    """
    now = invocation.app.ingestion.rollback()
    if as_json:
        emit(_shape(now))
    else:
        note(f"generation {now.name} is current again; run `footnote sync` for what has changed since it was made")


def _shape(each: "Generation") -> dict[str, object]:
    return {
        "name": each.name,
        "current": each.current,
        "documents": each.documents,
        "passages": each.passages,
        "embedding_model": each.embedding,
        "analyzer": each.analyzer,
    }
