import click

from bot.channels.json_format import generation_json
from bot.cli.invocation import Invocation
from bot.cli.options import json_option
from bot.cli.output import print_json, print_note, print_text
from bot.cli.progress import progress_line


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
        print_json([generation_json(each) for each in generations])
        return
    for each in generations:
        sign = "*" if each.current else " "
        print_text(f"{sign} {each.name}  {each.documents} documents, {each.passages} passages, {each.embedding}")


@command.command("rebuild")
@json_option
@click.pass_obj
def rebuild(invocation: Invocation, /, *, as_json: bool) -> None:
    """Make the index anew beside the current one, then put it in its place.

    Searches go on meanwhile; a sync waits until it is done.
    """
    with progress_line() as advance:
        rebuilt = invocation.app.ingestion.rebuild(progress=advance)
    if as_json:
        print_json(generation_json(rebuilt))
    else:
        print_note(f"{rebuilt.documents} documents, {rebuilt.passages} passages; `footnote index rollback` goes back")


@command.command("rollback")
@json_option
@click.pass_obj
def rollback(invocation: Invocation, /, *, as_json: bool) -> None:
    """Go back to the generation that is kept.

    What was synced since it was made comes back with the next `footnote sync`.
    """
    now = invocation.app.ingestion.rollback()
    if as_json:
        print_json(generation_json(now))
    else:
        print_note(
            f"generation {now.name} is current again; run `footnote sync` for what has changed since it was made"
        )
