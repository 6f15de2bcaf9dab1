"""Question in, answer out: retrieve, write, check, cite it, or say that it is not there. Knows no platform."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime

from bot.answering.annotation.annotator import AnswerAnnotator
from bot.answering.annotation.document_metadata import DocumentMetadataCache
from bot.answering.answers import Answer, AnswerWarning, Done, Event, Question, SentenceReady, Status
from bot.answering.understanding.condensing import QuestionCondenser
from bot.answering.understanding.small_talk import REPLIES, small_talk
from bot.answering.verification.answer_builder import AnswerBuilder, with_marks
from bot.answering.writing.extractive import EXTRACTIVE, ExtractiveGenerator
from bot.answering.writing.generator import Generator, NotThere
from bot.errors import FailureKind, GenerationFailed
from retrieval.passages import Document, Query
from retrieval.search import Results, Search

logger = logging.getLogger(__name__)

CONVERSATION = "conversation"
NOT_FOUND = "I could not find this in the documents."

# Sections kept with the exchange, and those named when nothing answers.
SHOWN = 10
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
QUOTED = "the sections are quoted instead"
QUOTED_TOO = "the sections are quoted as well"
KEPT = "what stands here was checked before"


class AnsweringPipeline:
    """The one answering service behind every platform; `generator` writes, and where it fails, sections are quoted."""

    def __init__(
        self,
        search: Search,
        *,
        threshold: float,
        new_id: Callable[[], str],
        generator: Generator | None = None,
        rewriter: QuestionCondenser | None = None,
        language: str = "english",
        document: Callable[[str], Document | None] = lambda _: None,
        clock: Callable[[], float] = time.perf_counter,
        today: Callable[[], date] = lambda: datetime.now(UTC).date(),
    ) -> None:
        self._search = search
        self._threshold = threshold
        self._new_id = new_id
        self._quoting = ExtractiveGenerator(search)
        self._generator = generator or self._quoting
        self._rewriter = rewriter
        self._language = language
        self._said = DocumentMetadataCache(document)
        self._clock = clock
        self._today = today

    def __call__(self, question: Question) -> Answer:
        """An answer whose every sentence is cited, or an abstention; raises `RetrievalError` when search fails."""
        *_, done = self.stream(question)
        assert isinstance(done, Done)
        return done.answer

    def stream(self, question: Question) -> Iterator[Event]:
        """The same while it comes about."""
        said = small_talk(question.text)
        if said:
            yield Done(Answer(self._new_id(), REPLIES[said], generator=CONVERSATION))
            return
        started = self._clock()
        yield Status("searching")
        query, rewriting = self._asked(question)
        asked = self._clock()
        results = self._search(query, top=SHOWN)
        colleague = self._colleague(question, results)
        results = replace(results, hits=colleague.hits)
        retrieved = self._clock()
        page = AnswerBuilder([hit.passage for hit in results.hits], language=self._language)
        first = None
        if results.hits and results.confidence >= self._threshold:
            yield Status("writing")
            for ready in self._written(query, results, page):
                first = self._clock() if first is None else first
                yield ready
        warnings: tuple[AnswerWarning, ...] = ()
        if page.sentences:
            yield from page.take(colleague.beside(page.sentences, page.citations), self._quoting)
            warnings = colleague.cautions(page.citations)
        ended = self._clock()
        timings = {"retrieve": retrieved - asked, "generate": ended - retrieved, "total": ended - started} | rewriting
        if first is not None:
            timings["first"] = first - started
        yield Done(replace(self._answer(page, query, results, timings), warnings=warnings))

    def _colleague(self, question: Question, results: Results) -> AnswerAnnotator:
        return AnswerAnnotator(
            question,
            results.hits,
            lookup=self._said,
            today=self._today(),
            language=self._language,
        )

    def _asked(self, question: Question) -> tuple[Query, dict[str, float]]:
        """The query for a question; with a model a follow-up stands alone in it, and the seconds for that are told."""
        query = Query(question.text, question.history, question.groups)
        if not self._rewriter or not query.history:
            return query, {}
        started = self._clock()
        query = replace(query, standalone=self._rewriter(query.text, query.history))
        return query, {"rewrite": self._clock() - started}

    def _written(self, query: Query, results: Results, page: AnswerBuilder) -> Iterator[SentenceReady]:
        """The generator's sentences as far as they hold, and quoted ones where they are too few."""
        failure: FailureKind | None = None
        if self._generator is not self._quoting:
            page.guard.read()
        try:
            yield from page.take(self._generator.drafts(query, results), self._generator)
        except NotThere:
            if not page.sentences and not self._is_sure(results):
                page.generator = self._generator
                return
            failure = None if page.sentences else "refused"
        except GenerationFailed as error:
            failure = error.kind
        if self._generator is self._quoting:
            return
        logger.info("%s: %d proposed, %d dropped", self._generator.name, page.proposed, page.dropped)
        if page.is_thin(broken_off=failure is not None):
            failure = failure or ("ungrounded" if page.proposed else "empty")
            page.fallback = told(failure, QUOTED_TOO if page.sentences else QUOTED)
            yield from page.take(self._quoting.drafts(query, results), self._quoting)
        elif failure:
            page.fallback = told(failure, KEPT)

    def _is_sure(self, results: Results) -> bool:
        """Whether the sections look so right that a model which finds nothing in them is not believed."""
        return results.confidence >= (1 + self._threshold) / 2

    def _answer(self, page: AnswerBuilder, query: Query, results: Results, timings: Mapping[str, float]) -> Answer:
        abstained = not page.sentences
        written = page.generator.prompt_version if page.generator else ""
        rewritten = self._rewriter.version if self._rewriter and query.standalone else ""
        return Answer(
            self._new_id(),
            NOT_FOUND if abstained else with_marks(page.sentences),
            tuple(page.sentences),
            tuple(page.citations),
            abstained=abstained,
            confidence=results.confidence,
            nearest=results.hits[:NEAREST] if abstained else (),
            shown=results.hits,
            generator=page.generator.name if page.generator else EXTRACTIVE,
            prompt_version="+".join(filter(None, (written, rewritten))),
            fallback=page.fallback,
            timings=timings,
        )


def told(kind: FailureKind, instead: str) -> str:
    """Why it is not the model's answer, or not all of it, for whoever reads the answer."""
    return f"{FAILURES[kind]}; {instead} ({kind})."
