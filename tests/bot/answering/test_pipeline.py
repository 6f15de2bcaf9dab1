"""The steps of answering a question, in their order, over a search that always finds the same."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from bot.answering.answers import (
    Answer,
    AnswerWarning,
    Citation,
    Done,
    Event,
    Question,
    Sentence,
    SentenceReady,
    Status,
)
from bot.answering.pipeline import NOT_FOUND, AnsweringPipeline
from bot.answering.readership import WITHHELD, Readership
from bot.answering.writing.generator import Draft
from retrieval.errors import SearchUnavailable
from retrieval.passages import Document, Hit, Passage, Query, Turn
from retrieval.ranking.excerpts import Excerpt
from retrieval.search import Results
from retrieval.sectioning.blocks import TextBlock

TEXT = "Five days of leave may be carried over. They must be used by 31 March."
FIVE = TEXT.partition(" They")[0]
LEAVE = Passage(
    "hr/leave.md", 0, ("Leave",), "leave", "", TEXT, 0, len(TEXT), "v1", "Leave", "", frozenset({"everyone"})
)
HISTORY = (Turn("user", "How many days?"),)


class FixedSearch:
    """A search that finds one passage for every query, and keeps the queries."""

    def __init__(self, *, confidence: float = 0.9, failure: Exception | None = None) -> None:
        self.confidence = confidence
        self.failure = failure
        self.queries: list[Query] = []

    def __call__(self, query: Query, *, top: int) -> Results:
        self.queries.append(query)
        if self.failure:
            raise self.failure
        excerpt = Excerpt(TextBlock("paragraph", ((0, len(FIVE)),)), 0, 0, 5.0)
        return Results((Hit(LEAVE, 1.0),), self.confidence, excerpts=((excerpt,),))


class Writer:
    """A generator that writes these sentences."""

    name = "writer"
    prompt_version = "writer-1"

    def __init__(self, *sentences: str) -> None:
        self.sentences = sentences

    def write(self, query: Query, results: Results, **_: object) -> Iterator[Draft]:
        yield from (Draft(sentence, (0,)) for sentence in self.sentences)


class Condenser:
    """A condenser that always writes the same."""

    prompt_version = "condenser-1"

    def condense(self, question: str, history: tuple[Turn, ...]) -> str:
        return "How many days of leave may be carried over?"


def pipeline(search: Any, **more: Any) -> AnsweringPipeline:
    ids = count(1)
    return AnsweringPipeline(search, threshold=0.5, new_id=lambda: str(next(ids)), clock=lambda: 0.0, **more)


def kinds(events: list[Event]) -> list[str]:
    return [event.step if isinstance(event, Status) else type(event).__name__ for event in events]


def test_a_question_is_searched_written_and_answered():
    search = FixedSearch()
    events = list(pipeline(search).stream(Question("How many days?")))
    assert kinds(events) == ["searching", "writing", "SentenceReady", "Done"]
    done = events[-1]
    assert isinstance(done, Done)
    assert (done.answer.text, done.answer.generator) == (f"Leave\n{FIVE} [1]", "extractive")
    assert set(done.answer.timings) == {"retrieve", "generate", "first", "total"}


def test_small_talk_is_answered_at_once_and_nothing_is_prepared_or_searched():
    def prepare(_: Question) -> Question:
        raise AssertionError

    search = FixedSearch()
    (done,) = pipeline(search).stream(Question("Thanks!"), prepare=prepare)
    assert isinstance(done, Done)
    assert done.answer.is_small_talk
    assert (done.answer.id, done.answer.sentences, search.queries) == ("1", (), [])


def test_what_takes_a_while_to_look_up_is_prepared_after_the_first_status():
    prepared: list[Question] = []

    def prepare(question: Question) -> Question:
        prepared.append(question)
        return replace(question, history=HISTORY, groups=frozenset({"hr"}))

    search = FixedSearch()
    events = pipeline(search).stream(Question("And for part-time staff?"), prepare=prepare)
    assert next(events) == Status("searching")
    assert prepared == []
    assert kinds(list(events)) == ["writing", "SentenceReady", "Done"]
    assert len(prepared) == 1
    assert search.queries == [Query("And for part-time staff?", HISTORY, frozenset({"hr"}))]


def test_a_follow_up_is_condensed_and_a_first_question_is_not():
    search = FixedSearch()
    asked = pipeline(search, condenser=Condenser())
    assert asked.answer(Question("How many days?")).prompt_version == ""
    followed = asked.answer(Question("How many?", HISTORY))
    assert [query.standalone for query in search.queries] == ["", "How many days of leave may be carried over?"]
    assert (followed.prompt_version, "rewrite" in followed.timings) == ("condenser-1", True)


def test_too_little_confidence_is_an_abstention_with_the_nearest_sections():
    events = list(pipeline(FixedSearch(confidence=0.4)).stream(Question("How many days?")))
    assert kinds(events) == ["searching", "Done"]
    done = events[-1]
    assert isinstance(done, Done)
    assert (done.answer.text, done.answer.abstained) == (NOT_FOUND, True)
    assert [hit.passage for hit in done.answer.nearest] == [LEAVE]


def test_an_answer_that_is_hardly_sure_says_that_it_may_not_be_it():
    warned = [pipeline(FixedSearch(confidence=sure)).answer(Question("How many?")).warnings for sure in (0.6, 0.7)]
    assert [[each.kind for each in warnings] for warnings in warned] == [["uncertain"], []]


def test_what_is_not_supported_is_dropped_and_the_rest_is_quoted():
    events = list(pipeline(FixedSearch(), generator=Writer("Dogs are welcome.")).stream(Question("How many days?")))
    assert [event.sentence.text for event in events if isinstance(event, SentenceReady)] == [FIVE]
    done = events[-1]
    assert isinstance(done, Done)
    assert str(done.answer.fallback).endswith("(ungrounded).")


def test_a_search_that_fails_raises():
    with pytest.raises(SearchUnavailable):
        pipeline(FixedSearch(failure=SearchUnavailable("gone"))).answer(Question("How many days?"))


class Readers:
    """Who may read the documents, which changes; `asked` counts how often that was looked up."""

    def __init__(self) -> None:
        self.closed: set[str] = set()
        self.asked = 0
        self.now = 0.0

    def __call__(self, documents: Collection[str], groups: frozenset[str]) -> frozenset[str]:
        self.asked += 1
        return frozenset(documents) - self.closed

    def readership(self) -> Readership:
        return Readership(self, frozenset(), clock=lambda: self.now)


def cited(number: int, document: str) -> Citation:
    return Citation(number, document, "Title", "Section", "a", "", "Quote.", "v")


def ready(text: str, *citations: Citation, numbers: tuple[int, ...] = ()) -> SentenceReady:
    return SentenceReady(Sentence(text, numbers or tuple(each.number for each in citations)), citations)


def test_while_sentences_come_a_document_is_asked_about_once_a_second():
    readers = Readers()
    readership = readers.readership()
    assert readership.may_see(ready("One.", cited(1, "docs/a.md")))
    assert readership.may_see(ready("Two.", numbers=(1,)))
    assert readers.asked == 1
    readers.now = 0.9
    assert readership.may_see(ready("Three.", cited(2, "docs/b.md")))
    assert readers.asked == 2, "another document"
    readers.now = 1.0
    assert readership.may_see(ready("Four.", numbers=(1,)))
    assert readers.asked == 3


def test_after_a_sentence_that_was_withheld_none_is_shown_and_the_answer_is_neither():
    readers = Readers()
    readership = readers.readership()
    readers.closed = {"docs/a.md"}
    assert not readership.may_see(ready("One.", cited(1, "docs/a.md")))
    readers.closed = set()
    assert not readership.may_see(ready("Two.", cited(2, "docs/b.md")))
    answer = Answer("a", "One. Two.", citations=(cited(1, "docs/a.md"), cited(2, "docs/b.md")))
    assert readership.visible(answer).text == WITHHELD


def test_a_warning_that_names_a_closed_document_and_a_closed_nearest_section_are_left_out():
    readers = Readers()
    readers.closed = {"docs/new.md"}
    old = AnswerWarning("superseded", "«Old» has been superseded by «New».", (1,), "docs/new.md")
    kept = AnswerWarning("uncertain", "This may not be it.")
    answer = Answer("a", "One.", (Sentence("One.", (1,)),), (cited(1, "docs/old.md"),), warnings=(old, kept))
    assert readers.readership().visible(answer) == replace(answer, warnings=(kept,))
    readers.closed = set()
    assert readers.readership().visible(answer) == answer


SICK_TEXT = "Call your manager before ten. A note is needed from the fourth day of illness."
SICK = replace(LEAVE, document="hr/sick.md", headings=("Illness",), anchor="illness", text=SICK_TEXT, title="Illness")


def block(text: str) -> tuple[Excerpt, ...]:
    """A passage of one block, which is its first sentence."""
    return (Excerpt(TextBlock("paragraph", ((0, text.index(".") + 1),)), 0, 0, 5.0),)


def test_a_document_that_was_replaced_is_quoted_last_and_with_its_own_words():
    def find(query: Query, *, top: int) -> Results:
        return Results((Hit(LEAVE, 1.0), Hit(SICK, 0.99)), 0.9, excerpts=(block(TEXT), block(SICK_TEXT)))

    def look_up(document: str) -> Document:
        successor = "sick.md" if document == LEAVE.document else ""
        return Document(document, "hr", "", "", "v1", "", (), superseded_by=successor)

    answer = pipeline(find, document=look_up).answer(Question("How many days?"))
    shown = {FIVE, "Call your manager before ten."}
    assert {sentence.text for sentence in answer.sentences} <= shown
    assert [hit.passage.document for hit in answer.shown] == [SICK.document, LEAVE.document]
