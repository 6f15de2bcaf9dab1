"""The answering pipeline: a question becomes a cited answer, or an abstention. Knows no channel, store or setting.

`AnsweringPipeline.stream` is the way of a question, readable from top to bottom: small talk, condense, retrieve, order
by supersession, gate by confidence, write and verify, add conflicting sentences, annotate, answer.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime

from bot.answering.annotation.annotator import AnswerAnnotator
from bot.answering.annotation.document_metadata import DocumentMetadataCache
from bot.answering.annotation.supersession import SupersessionResolver
from bot.answering.answers import (
    EXTRACTIVE,
    SMALL_TALK,
    Answer,
    AnswerWarning,
    Done,
    EventStream,
    Question,
    SentenceReady,
    Status,
)
from bot.answering.deadline import QUESTION_SECONDS, CheckWanted, Deadline, always_wanted
from bot.answering.readership import Readable, Readership, everything
from bot.answering.understanding.condensing import QuestionCondenser
from bot.answering.understanding.small_talk import REPLIES, small_talk
from bot.answering.verification.answer_builder import AnswerBuilder, text_with_citations
from bot.answering.writing.extractive import ExtractiveGenerator
from bot.answering.writing.generator import AnswerNotFound, Generator
from bot.errors import FailureKind, GenerationFailed, TookTooLong
from retrieval.passages import Document, Query
from retrieval.search import Results, Search

logger = logging.getLogger(__name__)

NOT_FOUND = "I could not find this in the documents."

# An answer so little above the threshold is given with this; among such ones fewer than half were right.
UNCERTAIN_MARGIN = 0.25
UNCERTAIN = AnswerWarning("uncertain", "This may not be it: I am not sure that these sections answer the question.")

# Sections that answers are made from, and those named when nothing answers.
RETRIEVED = 10
NEAREST = 3

FAILURES: Mapping[FailureKind, str] = {
    "timeout": "The model took too long",
    "unavailable": "The model is not available at present",
    "rate-limited": "The model takes no more requests at present",
    "ungrounded": "The sections do not support what the model wrote",
    "refused": "The model gave no answer, though the sections seem to hold it",
    "truncated": "The model's answer broke off",
    "empty": "The model wrote nothing",
}
QUOTED_INSTEAD = "the sections are quoted instead"
QUOTED_AS_WELL = "the sections are quoted as well"
KEPT = "what stands here was checked before"
OUT_OF_TIME = f"This took too long; {KEPT}."

# The order in which records keep the seconds of an answer.
TIMINGS = ("retrieve", "generate", "total", "rewrite", "first")


class AnsweringPipeline:
    """Answers questions from the documents of one search.

    `generator` writes, and where it fails, or where none is given, sections are quoted; `condenser` makes follow-ups
    stand alone. Below `threshold` (0 to 1) of the search's confidence the pipeline abstains. `document` gives a
    document by its id, `readable` those of some documents that may be shown to these groups at this moment. After
    `seconds`, what is checked by then is the answer.
    """

    def __init__(
        self,
        search: Search,
        *,
        threshold: float,
        new_id: Callable[[], str],
        generator: Generator | None = None,
        condenser: QuestionCondenser | None = None,
        language: str = "english",
        document: Callable[[str], Document | None] = lambda _: None,
        seconds: float = QUESTION_SECONDS,
        readable: Readable = everything,
        clock: Callable[[], float] = time.perf_counter,
        today: Callable[[], date] = lambda: datetime.now(UTC).date(),
    ) -> None:
        self._search = search
        self._threshold = threshold
        self._new_id = new_id
        self._extractive = ExtractiveGenerator()
        self._generator = generator or self._extractive
        self._condenser = condenser
        self._language = language
        self._documents = DocumentMetadataCache(document)
        self._seconds = seconds
        self._readable = readable
        self._clock = clock
        self._today = today

    def answer(self, question: Question) -> Answer:
        """Return an answer whose every sentence is cited, or an abstention; raises what `stream` raises."""
        *_, done = self.stream(question)
        assert isinstance(done, Done)
        return done.answer

    def stream(
        self,
        question: Question,
        *,
        prepare: Callable[[Question], Question] | None = None,
        check: CheckWanted = always_wanted,
    ) -> EventStream:
        """Answer a question, yielding each sentence as soon as it is verified, and the whole answer last.

        `prepare` completes the question with what takes a while to look up, such as its history and groups. It is
        called after `Status("searching")`, so that people see at once that they were heard, and never for small talk.
        `check` is called while something is written. Raises what these two raise, `RetrievalError` when the search
        fails, and `TookTooLong` where the time is over before a sentence is ready.
        """
        talk = small_talk(question.text)
        if talk:
            yield Done(Answer(self._new_id(), REPLIES[talk], generator=SMALL_TALK))
            return
        timer, deadline = _Timer(self._clock), Deadline(self._seconds, self._clock)
        yield Status("searching")
        query = self._condense(prepare(question) if prepare else question, timer)
        deadline.check()
        readership = Readership(self._readable, query.groups)
        today = self._today()
        with timer.step("retrieve"):
            results = self._search(query, top=RETRIEVED)
            deadline.check()
            supersession = SupersessionResolver(query, results.hits, documents=self._documents, today=today)
            results = results.with_hits(supersession.ordered_hits)
        with timer.step("generate"):
            passages = [hit.passage for hit in results.hits]
            builder = AnswerBuilder(passages, language=self._language, check_time=deadline.check)
            if results.hits and results.confidence >= self._threshold:
                yield Status("writing", is_sure=results.on_topic and not self._is_uncertain(results))
                written = _until_time_is_over(self._write(query, results, builder, check), builder)
                for ready in filter(readership.may_see, written):
                    timer.record_first()
                    yield ready
            warnings: tuple[AnswerWarning, ...] = ()
            if builder.sentences:
                annotator = AnswerAnnotator(query, results.hits, supersession=supersession, language=self._language)
                if builder.fallback != OUT_OF_TIME:
                    conflicting = annotator.conflicting_sentences(builder.sentences, builder.citations)
                    added = _until_time_is_over(builder.add(conflicting, self._extractive), builder)
                    yield from filter(readership.may_see, added)
                warnings = annotator.warnings(builder.citations, today=today)
                if self._is_uncertain(results):
                    warnings = (UNCERTAIN, *warnings)
        yield Done(readership.visible(self._answer(builder, query, results, warnings, timer.total())))

    def _condense(self, question: Question, timer: "_Timer") -> Query:
        """Return the query for a question; with a condenser a follow-up stands alone in it."""
        query = Query(question.text, question.history, question.groups)
        if self._condenser and query.history:
            with timer.step("rewrite"):
                query = replace(query, standalone=self._condenser.condense(query.text, query.history))
        return query

    def _write(
        self, query: Query, results: Results, builder: AnswerBuilder, check: CheckWanted
    ) -> Iterator[SentenceReady]:
        """Yield the generator's sentences as far as they are verified, and quoted ones where these are too few."""
        if self._generator is self._extractive:
            yield from builder.add(self._extractive.write(query, results), self._extractive)
            return
        failure: FailureKind | None = None
        builder.verifier.preload()
        try:
            yield from builder.add(self._generator.write(query, results, check=check), self._generator)
        except AnswerNotFound:
            if not builder.sentences and not self._is_sure(results):
                builder.generator = self._generator
                return
            failure = None if builder.sentences else "refused"
        except GenerationFailed as error:
            failure = error.kind
        logger.info("%s: %d proposed, %d dropped", self._generator.name, builder.proposed, builder.dropped)
        if builder.is_thin(broken_off=failure is not None):
            failure = failure or ("ungrounded" if builder.proposed else "empty")
            builder.fallback = _fallback(failure, QUOTED_AS_WELL if builder.sentences else QUOTED_INSTEAD)
            yield from builder.add(self._extractive.write(query, results), self._extractive)
        elif failure:
            builder.fallback = _fallback(failure, KEPT)

    def _is_uncertain(self, results: Results) -> bool:
        return results.confidence < self._threshold + UNCERTAIN_MARGIN * (1 - self._threshold)

    def _is_sure(self, results: Results) -> bool:
        """Whether the sections look so right that a model which finds nothing in them is not believed."""
        return results.confidence >= (1 + self._threshold) / 2

    def _answer(
        self,
        builder: AnswerBuilder,
        query: Query,
        results: Results,
        warnings: tuple[AnswerWarning, ...],
        timings: Mapping[str, float],
    ) -> Answer:
        abstained = not builder.sentences
        written_by = builder.generator.prompt_version if builder.generator else ""
        condensed_by = self._condenser.prompt_version if self._condenser and query.standalone else ""
        return Answer(
            self._new_id(),
            NOT_FOUND if abstained else text_with_citations(builder.sentences),
            tuple(builder.sentences),
            tuple(builder.citations),
            abstained=abstained,
            confidence=results.confidence,
            warnings=warnings,
            nearest=results.hits[:NEAREST] if abstained else (),
            shown=results.hits,
            generator=builder.generator.name if builder.generator else EXTRACTIVE,
            prompt_version="+".join(filter(None, (written_by, condensed_by))),
            fallback=builder.fallback,
            timings=timings,
        )


def _until_time_is_over(ready: Iterator[SentenceReady], builder: AnswerBuilder) -> Iterator[SentenceReady]:
    """Yield sentences until the time is over, and note it then; raises `TookTooLong` where the answer has none yet."""
    try:
        yield from ready
    except TookTooLong:
        if not builder.sentences:
            raise
        builder.fallback = OUT_OF_TIME


def _fallback(kind: FailureKind, instead: str) -> str:
    """Say why it is not the model's answer, or not all of it, to whoever reads the answer."""
    return f"{FAILURES[kind]}; {instead} ({kind})."


class _Timer:
    """Measures the steps of one answer, in seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._started = clock()
        self._seconds: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Measure what is done within this context."""
        started = self._clock()
        yield
        self._seconds[name] = self._clock() - started

    def record_first(self) -> None:
        """Note that a sentence is ready; only the first counts."""
        self._seconds.setdefault("first", self._clock() - self._started)

    def total(self) -> dict[str, float]:
        """Return the seconds of each step, in `total`, and to the `first` sentence if there is one, in this order."""
        seconds = self._seconds | {"total": self._clock() - self._started}
        return {name: seconds[name] for name in TIMINGS if name in seconds}
