import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from bot.channels import json_format
from bot.channels.terminal import rendering
from bot.cli.options import json_option
from bot.cli.output import Invocation, emit_line, note, say
from bot.cli.progress import progress
from retrieval.passages import Turn

if TYPE_CHECKING:
    from bot.answering.answers import Answer, Question

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

    with progress() as advance:
        app = open_demo(invocation.settings, bootstrap=invocation.bootstrap, progress=advance)
    interactive = not (words or as_json) and sys.stdin.isatty() and sys.stdout.isatty()
    asked = [" ".join(words)] if words else CONVERSATION
    _talk(app.questions.answer, _questions(asked, interactive=interactive), as_json=as_json)
    if not as_json:
        note('\nYour own documents: `footnote sync FOLDER`, then `footnote ask "QUESTION"`.')


def _questions(asked: Sequence[str], *, interactive: bool) -> Iterator[str]:
    """Those of the demo, then a person's until an empty line."""
    yield from asked
    if interactive:
        note("\nNow you; an empty line ends it.")
        with suppress(click.Abort):  # the end of the input ends it too
            while text := click.prompt("\n>", prompt_suffix=" ", default="", show_default=False, err=True).strip():
                yield text


def _talk(ask: "Callable[[Question], Answer]", texts: Iterator[str], *, as_json: bool) -> None:
    """One conversation: every question knows those before it."""
    from bot.answering.answers import Question

    history: tuple[Turn, ...] = ()
    for text in texts:
        given = ask(Question(text, history=history))
        if as_json:
            emit_line({"query": text, **json_format.answer(given)})
        else:
            say(f"\n> {text}\n\n{rendering.answer(given)}")
        history = (*history, Turn("user", text), Turn("bot", given.text))
