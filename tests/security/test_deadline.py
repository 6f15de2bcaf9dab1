"""Threat: a question, a document or a model that takes so long that whoever asked is never answered."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import bot.app
from bot.answering.answers import Question
from bot.answering.deadline import Deadline
from bot.answering.pipeline import OUT_OF_TIME, AnsweringPipeline
from bot.answering.writing.generator import Draft
from bot.channels import presentation
from bot.errors import TookTooLong
from retrieval.passages import Query
from retrieval.search import Results
from tests.bot.answering.test_pipeline import FixedSearch, pipeline
from tests.bot.cli.command_line import error_line, footnote, json_lines
from tests.conversations.test_memory import MemoryStage, opened

QUESTION = "How many days of leave may be carried over?"


class Clock:
    """A clock that is moved by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class SlowSearch(FixedSearch):
    """A search that takes some seconds of a clock."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        super().__init__()
        self._clock, self._seconds = clock, seconds

    def __call__(self, query: Query, *, top: int) -> Results:
        self._clock.now += self._seconds
        return super().__call__(query, top=top)


class SlowWriter:
    """A generator that takes some seconds of a clock for each sentence, and never ends."""

    name, prompt_version = "slow", ""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock, self._seconds = clock, seconds

    def write(self, query: Query, results: Results, **_: object) -> Iterator[Draft]:
        for sentence in ("Five days of leave may be carried over.", *["They must be used by 31 March."] * 1000):
            yield Draft(sentence, (0,))
            self._clock.now += self._seconds


def timed_pipeline(search: Any, clock: Clock, **more: Any) -> AnsweringPipeline:
    return AnsweringPipeline(search, threshold=0.5, new_id=lambda: "1", clock=clock, seconds=10.0, **more)


def test_time_is_over_once_it_is():
    clock = Clock()
    deadline = Deadline(10.0, clock)
    deadline.check()
    clock.now = 10.0
    with pytest.raises(TookTooLong):
        deadline.check()


def test_a_search_that_takes_too_long_is_no_answer():
    clock = Clock()
    with pytest.raises(TookTooLong):
        timed_pipeline(SlowSearch(clock, 11.0), clock).answer(Question(QUESTION))
    assert timed_pipeline(SlowSearch(clock, 9.0), clock).answer(Question(QUESTION)).sentences


def test_what_is_checked_when_the_time_is_over_is_the_answer_and_says_so():
    clock = Clock()
    answer = timed_pipeline(FixedSearch(), clock, generator=SlowWriter(clock, 6.0)).answer(Question(QUESTION))
    assert [each.text for each in answer.sentences] == [
        "Five days of leave may be carried over.",
        "They must be used by 31 March.",
    ]
    assert answer.fallback == OUT_OF_TIME


def test_time_is_looked_at_within_the_check_of_one_sentence():
    clock = Clock()

    class Texts(FixedSearch):
        """Ten passages, so that a sentence which none supports is compared with each."""

        def __call__(self, query: Query, *, top: int) -> Results:
            found = super().__call__(query, top=top)
            return Results(found.hits * 10, found.confidence, excerpts=found.excerpts)

    asked = []

    def counting() -> float:
        asked.append(clock.now)
        return clock.now

    invented = "Nobody may carry over anything at all in a leap year."

    class Writer:
        name, prompt_version = "writer", ""

        def write(self, query: Query, results: Results, **_: object) -> Iterator[Draft]:
            yield Draft(invented, (0,))

    search: Any = Texts()
    pipe = AnsweringPipeline(
        search, threshold=0.5, new_id=lambda: "1", clock=counting, seconds=10.0, generator=Writer()
    )
    pipe.answer(Question(QUESTION))
    assert len(asked) > 20


def test_a_fast_answer_says_nothing_of_time():
    assert pipeline(FixedSearch()).answer(Question(QUESTION)).fallback is None


def slow_down(stage: MemoryStage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every search take longer than a question has."""
    pipe: Any = stage.app.questions._pipeline
    search = pipe._search

    def slowly(query: Query, *, top: int) -> Results:
        time.sleep(0.1)
        found: Results = search(query, top=top)
        return found

    monkeypatch.setattr(pipe, "_search", slowly)


def test_whoever_asks_in_a_chat_is_told_once_and_the_next_question_is_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(bot.app, "QUESTION_SECONDS", 0.05)
    with opened(tmp_path, with_model=False) as stage:
        with monkeypatch.context() as slow:
            slow_down(stage, slow)
            thread = stage.asks(QUESTION)
            assert [each.text for each in thread.seen()] == [presentation.TOOK_TOO_LONG]
            alone = stage.asks(QUESTION, way="command")
            assert [each.text for each in alone.seen()] == [presentation.TOOK_TOO_LONG]
        assert stage.exchanges() == []
        pipe: Any = stage.app.questions._pipeline
        monkeypatch.setattr(pipe, "_seconds", 60.0)
        (said,) = stage.asks(QUESTION).seen()
        assert presentation.TOOK_TOO_LONG not in said.text


def test_in_a_terminal_one_line_says_so_and_of_many_questions_each_has_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(bot.app, "QUESTION_SECONDS", 0.0)
    monkeypatch.chdir(tmp_path)
    rows = "".join(json.dumps({"id": each, "text": QUESTION}) + "\n" for each in "ab")
    with opened(tmp_path, with_model=False) as stage:
        many = footnote("ask", "--from", "-", stdin=rows, bootstrap=lambda *_: stage.app)
        assert [(line["query_id"], line["error"]) for line in json_lines(many.stdout)] == [
            ("a", str(TookTooLong())),
            ("b", str(TookTooLong())),
        ]
        assert error_line(footnote("ask", QUESTION, bootstrap=lambda *_: stage.app), 1) == str(TookTooLong())
