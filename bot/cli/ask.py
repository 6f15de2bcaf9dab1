from typing import TYPE_CHECKING, BinaryIO

import click

from bot.channels.json_format import answer_json
from bot.channels.terminal.rendering import UNRECORDED, answer_text
from bot.cli.invocation import Invocation
from bot.cli.options import from_option, group_option, json_option, person_option, question_text, text_argument
from bot.cli.output import print_json, print_json_line, print_note, print_text
from bot.cli.question_lines import UnreadableLine, read_questions

if TYPE_CHECKING:
    from bot.answering.answers import Answer, Question


@click.command("ask")
@text_argument
@from_option
@click.option("--record", is_flag=True, help="Remember the questions of --from too; a single one always is.")
@click.option("--conversation", metavar="ID", default="", help="Go on with this conversation, or begin it.")
@group_option
@person_option("Who asks: an e-mail address, slack:ID or teams:ID.", default="")
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
    text = question_text(words, source)
    readable = frozenset(groups)
    if source is not None:
        if conversation or user:
            raise click.UsageError("--conversation and --user go with TEXT; lines of --from bring their own history.")
        _ask_many(invocation, source, groups=readable, record=record)
    else:
        _ask_one(invocation, text, groups=readable, conversation=conversation, user=user, as_json=as_json)


def _ask_one(
    invocation: Invocation, text: str, *, groups: frozenset[str], conversation: str, user: str, as_json: bool
) -> None:
    from bot.answering.answers import Question

    questions = invocation.app.questions
    history = questions.history(conversation, user=user, groups=groups) if conversation else ()
    question = Question(text, history=history, groups=groups, user=user, conversation=conversation)
    answer = questions.answer(question)
    _record(invocation, question, answer)
    if as_json:
        print_json(answer_json(answer))
    else:
        print_text(answer_text(answer))


def _ask_many(invocation: Invocation, lines: BinaryIO, *, groups: frozenset[str], record: bool) -> None:
    from bot.answering.answers import Question
    from bot.errors import TookTooLong

    unreadable = 0
    for line in read_questions(lines, groups=groups):
        if isinstance(line, UnreadableLine):
            unreadable += 1
            print_json_line({"query_id": line.id, "error": line.error})
            continue
        question = Question(line.query.text, history=line.query.history, groups=line.query.groups)
        try:
            answer = invocation.app.questions.answer(question)
        except TookTooLong as error:
            print_json_line({"query_id": line.id, "error": str(error)})
            continue
        if record:
            _record(invocation, question, answer)
        fields = answer_json(answer)
        print_json_line({"id": fields.pop("id"), "query_id": line.id, **fields})
    if unreadable:
        print_note(f"lines that could not be read: {unreadable}")


def _record(invocation: Invocation, question: "Question", answer: "Answer") -> None:
    """Record the exchange; the answer goes out even when that fails."""
    from feedback.errors import FeedbackError

    try:
        invocation.app.questions.record(question, answer)
    except FeedbackError as error:
        print_note(UNRECORDED.format(error=error))
