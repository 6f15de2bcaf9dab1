from typing import BinaryIO

import click

from bot.channels.json_format import results_json
from bot.cli.invocation import Invocation
from bot.cli.options import from_option, group_option, question_text, text_argument
from bot.cli.output import print_json, print_json_line, print_note
from bot.cli.question_lines import UnreadableLine, read_questions
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
    text = question_text(words, source)
    readable = frozenset(groups)
    if source is None:
        results = invocation.app.search(Query(text, groups=readable), top=top)
        print_json({"query": text, **results_json(results)})
    else:
        _search_many(invocation, source, top=top, groups=readable)


def _search_many(invocation: Invocation, lines: BinaryIO, *, top: int, groups: frozenset[str]) -> None:
    unreadable = 0
    for line in read_questions(lines, groups=groups):
        if isinstance(line, UnreadableLine):
            unreadable += 1
            print_json_line({"id": line.id, "error": line.error})
        else:
            print_json_line({"id": line.id, **results_json(invocation.app.search(line.query, top=top))})
    if unreadable:
        print_note(f"lines that could not be read: {unreadable}")
