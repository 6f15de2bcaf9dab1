"""An answer that somebody stops is written no further, and nothing is kept of it."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

import pytest

from bot.access.audience import Audience
from bot.answering.answers import Answer, Citation, Done, Event, Question, Sentence, SentenceReady, Status
from bot.channels.delivery import Outcome, answer_question
from bot.channels.events import Place, message_event
from bot.services.questions import QuestionService

EVENT = message_event("question", Place("memory", "chat", "general", message="1"), "ada", "How many days of leave?")
STEPS = ["searching", "writing", "First.", "Second.", "done"]


class Questions:
    """Answers in steps; `read` are those that were asked for, `recorded` what is kept."""

    def __init__(self) -> None:
        self.read: list[str] = []
        self.recorded: list[Answer] = []
        self.is_closed = False

    def stream(self, question: Question, *, prepare: Callable[[Question], Question], check: object) -> Iterator[Event]:
        try:
            for step in STEPS:
                self.read.append(step)
                if step == "writing":
                    prepare(question)
                yield _event(step)
        finally:
            self.is_closed = True

    def history(self, *_: Any, **__: Any) -> tuple[()]:
        return ()

    def record(self, question: Question, answer: Answer, *, platform: str) -> None:
        self.recorded.append(answer)


def _event(step: str) -> Event:
    if step == "searching":
        return Status("searching")
    if step == "writing":
        return Status("writing")
    sentence = Sentence(step, (1,))
    return Done(Answer("a", "First. Second.", (sentence,))) if step == "done" else SentenceReady(sentence, ())


class Reply:
    """Notes what is shown."""

    def __init__(self) -> None:
        self.shown: list[str] = []

    def begun(self, status: str) -> None:
        self.shown.append("begun")

    def sentence(self, sentence: Sentence, citations: Sequence[Citation]) -> None:
        self.shown.append(sentence.text)

    def done(self, answer: Answer) -> None:
        self.shown.append("done")

    def failed(self, text: str) -> None:
        self.shown.append(text)

    def stopped(self, *, keep: Callable[[], bool]) -> None:
        self.shown.append("stopped")


def answered(questions: Questions, reply: Reply, *, after: int) -> Outcome:
    """Answer, and stop once so many steps were asked for."""
    return answer_question(
        cast("QuestionService", questions),
        EVENT,
        reply,
        audience=lambda: Audience(frozenset({"everyone"})),
        is_stopped=lambda: len(questions.read) >= after,
    )


@pytest.mark.parametrize(
    ("after", "shown"),
    [
        pytest.param(1, [], id="before-anything-is-shown"),
        pytest.param(2, ["begun"], id="between-retrieval-and-writing"),
        pytest.param(4, ["begun", "First."], id="between-sentences"),
        pytest.param(5, ["begun", "First.", "Second."], id="before-the-whole"),
    ],
)
def test_a_stopped_answer_is_written_no_further_and_not_kept(after, shown):
    questions, reply = Questions(), Reply()
    assert answered(questions, reply, after=after) == Outcome("stopped")
    assert reply.shown == [*shown, "stopped"]
    assert questions.read == STEPS[:after]
    assert questions.is_closed
    assert questions.recorded == []


def test_nothing_is_stopped_where_nobody_wants_it():
    questions, reply = Questions(), Reply()
    assert answered(questions, reply, after=99).kind == "answered"
    assert reply.shown[-1] == "done"
    assert len(questions.recorded) == 1
