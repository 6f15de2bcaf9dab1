from typing import BinaryIO

import click

from bot.channels import json_format
from bot.cli import question_lines
from bot.cli.options import from_option, group_option, one_text, text_argument
from bot.cli.output import Invocation, emit, emit_line, note
from retrieval.passages import Query


@click.command("search")
@text_argument
@from_option
@click.option(
    "--top", type=click.IntRange(1, 1000), default=10, show_default=True, help="How many sections, best first."
)
@group_option
@click.option("--json", is_flag=True, expose_value=False, help="The result is always JSON.")
@click.pass_obj
def command(
    invocation: Invocation, /, words: tuple[str, ...], *, source: BinaryIO | None, top: int, groups: tuple[str, ...]
) -> None:
    """Find the sections that a question is about.

    Prints hits as JSON, best first; with --from one line for each question, in order.
    """
    text = one_text(words, source)
    readers = frozenset(groups)
    if source is None:
        emit({"query": text, **json_format.results(invocation.app.search(Query(text, groups=readers), top=top))})
    else:
        _many(invocation, source, top=top, groups=readers)


def _many(invocation: Invocation, lines: BinaryIO, *, top: int, groups: frozenset[str]) -> None:
    unread = 0
    for line in question_lines.read(lines, groups=groups):
        if isinstance(line, question_lines.Unreadable):
            unread += 1
            emit_line({"id": line.id, "error": line.error})
        else:
            emit_line({"id": line.id, **json_format.results(invocation.app.search(line.query, top=top))})
    if unread:
        note(f"lines that could not be read: {unread}")
