from typing import TYPE_CHECKING, BinaryIO

import click

from bot.channels import json_format
from bot.channels.terminal import rendering
from bot.cli import question_lines
from bot.cli.options import from_option, group_option, json_option, one_text, text_argument
from bot.cli.output import Invocation, emit, emit_line, note, say

if TYPE_CHECKING:
    from bot.answering.answers import Answer, Question


@click.command("ask")
@text_argument
@from_option
@click.option("--record", is_flag=True, help="Remember the questions of --from too; a single one always is.")
@click.option("--conversation", metavar="ID", default="", help="Go on with this conversation, or begin it.")
@group_option
@click.option("--user", metavar="U", default="", help="Who asks: an e-mail address, slack:ID or teams:ID.")
@json_option
@click.pass_obj
def command(
    invocation: Invocation,
    /,
    words: tuple[str, ...],
    *,
    source: BinaryIO | None,
    record: bool,
    conversation: str,
    groups: tuple[str, ...],
    user: str,
    as_json: bool,
) -> None:
    """Answer a question, with the section behind every sentence.

    With --from, prints one line of JSON for each question, in order.
    """
    text = one_text(words, source)
    readers = frozenset(groups)
    if source is not None:
        if conversation or user:
            raise click.UsageError("--conversation and --user go with TEXT; lines of --from bring their own history.")
        _many(invocation, source, groups=readers, record=record)
    else:
        _one(invocation, text, groups=readers, conversation=conversation, user=user, as_json=as_json)


def _one(
    invocation: Invocation, text: str, *, groups: frozenset[str], conversation: str, user: str, as_json: bool
) -> None:
    from bot.answering.answers import Question

    questions = invocation.app.questions
    history = questions.history(conversation, user=user, groups=groups) if conversation else ()
    question = Question(text, history=history, groups=groups, user=user, conversation=conversation)
    given = questions.answer(question)
    _remember(invocation, question, given)
    if as_json:
        emit(json_format.answer(given))
    else:
        say(rendering.answer(given))


def _many(invocation: Invocation, lines: BinaryIO, *, groups: frozenset[str], record: bool) -> None:
    from bot.answering.answers import Question

    unread = 0
    for line in question_lines.read(lines, groups=groups):
        if isinstance(line, question_lines.Unreadable):
            unread += 1
            emit_line({"query_id": line.id, "error": line.error})
            continue
        question = Question(line.query.text, history=line.query.history, groups=line.query.groups)
        given = invocation.app.questions.answer(question)
        if record:
            _remember(invocation, question, given)
        shape = json_format.answer(given)
        emit_line({"id": shape.pop("id"), "query_id": line.id, **shape})
    if unread:
        note(f"lines that could not be read: {unread}")


def _remember(invocation: Invocation, question: "Question", given: "Answer") -> None:
    """Record the exchange; the answer goes out even when that fails."""
    from feedback.errors import FeedbackError

    try:
        invocation.app.questions.record(question, given)
    except FeedbackError as error:
        note(f"footnote: the answer could not be recorded, so that nobody can vote on it: {error}")
