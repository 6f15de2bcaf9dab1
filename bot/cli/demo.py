import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from bot.channels.json_format import answer_json
from bot.channels.terminal.rendering import answer_text
from bot.cli.invocation import Invocation
from bot.cli.options import json_option
from bot.cli.output import print_json_line, print_note, print_text
from bot.cli.progress import progress_line
from retrieval.passages import Turn

if TYPE_CHECKING:
    from bot.services.questions import QuestionService

# A question, one that means something only after it, one about a table, and one that the handbook does not answer.
CONVERSATION = (
    "How many days of holiday can I carry over into next year in Leeds?",
    "And in Utrecht?",
    "Who approves an expense claim of £900?",
    "Does the company pay for a gym membership?",
)


@click.command("demo")
@click.argument("words", nargs=-1, metavar="[QUESTION]")
@json_option
@click.pass_obj
def command(invocation: Invocation, /, words: tuple[str, ...], *, as_json: bool) -> None:
    """Index the handbook that comes with Footnote and answer questions about it.

    Needs no key, no server and no network, and leaves your own index alone. Without QUESTION it asks a few of its
    own and then, in a terminal, takes yours.
    """
    from bot.cli.demo_app import open_demo

    with progress_line() as advance:
        app = open_demo(invocation.settings, bootstrap=invocation.bootstrap, progress=advance)
    interactive = not (words or as_json) and sys.stdin.isatty() and sys.stdout.isatty()
    questions = [" ".join(words)] if words else CONVERSATION
    _converse(app.questions, _texts(questions, interactive=interactive), as_json=as_json)
    if not as_json:
        print_note('\nYour own documents: `footnote sync FOLDER`, then `footnote ask "QUESTION"`.')


def _texts(questions: Sequence[str], *, interactive: bool) -> Iterator[str]:
    """Yield these questions, then those that a person types until an empty line."""
    yield from questions
    if interactive:
        print_note("\nNow you; an empty line ends it.")
        with suppress(click.Abort):  # the end of the input ends it too
            while text := click.prompt("\n>", prompt_suffix=" ", default="", show_default=False, err=True).strip():
                yield text


def _converse(questions: "QuestionService", texts: Iterator[str], *, as_json: bool) -> None:
    """Print the answers of one conversation: every question knows those before it."""
    from bot.answering.answers import Question

    history: tuple[Turn, ...] = ()
    for text in texts:
        answer = questions.answer(Question(text, history=history))
        if as_json:
            print_json_line({"query": text, **answer_json(answer)})
        else:
            print_text(f"\n> {text}\n\n{answer_text(answer)}")
        history = (*history, Turn("user", text), Turn("bot", answer.text))
