"""Question in, answer out: retrieve, write, check, cite it, or say that it is not there. Knows no platform."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from bot.conversation import REPLIES, small_talk
from bot.errors import FailureKind, GenerationFailed
from bot.generation.extractive import ITEM, Quote
from bot.generation.generator import Draft, Generator, NotThere
from bot.generation.quoting import EXTRACTIVE, Quoting
from bot.guard import Guard, leans
from retrieval.passages import Hit, Passage, Query, Turn
from retrieval.search import Results, Search
from retrieval.sentences import CELL

logger = logging.getLogger(__name__)

CONVERSATION = "conversation"
NOT_FOUND = "I could not find this in the documents."

# Sections kept with the exchange, and those named when nothing answers.
SHOWN = 10
NEAREST = 3
# A model that goes on after this many sentences is not answering any more.
MOST_SENTENCES = 12
# Less of what was written is too little: then the sections are quoted as well.
LEAST_SHARE = 0.4

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


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody asks, the conversation before it and the groups of whoever asks; none means everyone."""

    text: str
    history: tuple[Turn, ...] = ()
    groups: frozenset[str] = frozenset()
    user: str = ""
    conversation: str = ""


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of an answer with the numbers of its citations; never without any."""

    text: str
    citations: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Citation:
    """The section behind a number; `quote` is a slice of that version of the document's text."""

    number: int
    document: str
    title: str
    section: str
    anchor: str
    url: str
    quote: str
    version: str


@dataclass(frozen=True, slots=True)
class Caution:
    """What a careful colleague would add to an answer."""

    kind: Literal["review-date", "superseded", "conflict"]
    text: str
    citations: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What is shown. An abstention has no sentences and no citations, but the nearest sections; small talk has none.

    `shown` are the sections that the answer was made from; `fallback` says why another generator than the
    configured one answered; `timings` are seconds by step.
    """

    id: str
    text: str
    sentences: tuple[Sentence, ...] = ()
    citations: tuple[Citation, ...] = ()
    abstained: bool = False
    confidence: float = 0.0
    warnings: tuple[Caution, ...] = ()
    nearest: tuple[Hit, ...] = ()
    shown: tuple[Hit, ...] = ()
    generator: str = EXTRACTIVE
    prompt_version: str = ""
    fallback: str | None = None
    timings: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Status:
    """What is being done until the first sentence stands there."""

    step: Literal["searching", "writing"]


@dataclass(frozen=True, slots=True)
class SentenceReady:
    """A sentence that may be shown: it has been checked and is never taken back; `citations` are those new with it."""

    sentence: Sentence
    citations: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class Done:
    """The whole answer; its sentences are those that were ready, in that order. Always the last event."""

    answer: Answer


Event = Status | SentenceReady | Done


class Answering:
    """The one answering service behind every platform; `generator` writes, and where it fails, sections are quoted."""

    def __init__(
        self,
        search: Search,
        *,
        threshold: float,
        new_id: Callable[[], str],
        generator: Generator | None = None,
        language: str = "english",
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._search = search
        self._threshold = threshold
        self._new_id = new_id
        self._quoting = Quoting(search)
        self._generator = generator or self._quoting
        self._language = language
        self._clock = clock

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
        query = Query(question.text, question.history, question.groups)
        results = self._search(query, top=SHOWN)
        retrieved = self._clock()
        page = Page([hit.passage for hit in results.hits], language=self._language)
        first = None
        if results.hits and results.confidence >= self._threshold:
            yield Status("writing")
            for ready in self._written(query, results, page):
                first = self._clock() if first is None else first
                yield ready
        ended = self._clock()
        timings = {"retrieve": retrieved - started, "generate": ended - retrieved, "total": ended - started}
        yield Done(self._answer(page, results, timings if first is None else timings | {"first": first - started}))

    def _written(self, query: Query, results: Results, page: "Page") -> Iterator[SentenceReady]:
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

    def _answer(self, page: "Page", results: Results, timings: Mapping[str, float]) -> Answer:
        abstained = not page.sentences
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
            prompt_version=page.generator.prompt_version if page.generator else "",
            fallback=page.fallback,
            timings=timings,
        )


class Page:
    """An answer as it grows: what was admitted, numbered in the order of first use. Nothing leaves it again."""

    def __init__(self, passages: Sequence[Passage], *, language: str = "english") -> None:
        self._passages = passages
        self.guard = Guard(passages, language=language)
        self._quotes: list[Quote] = []
        self._seen: set[str] = set()
        self._shown = self._shown_before = True  # whether the last sentence was, and the one before it
        self.sentences: list[Sentence] = []
        self.citations: list[Citation] = []
        self.generator: Generator | None = None  # whose the first sentence is
        self.fallback: str | None = None
        self.proposed = 0
        self.dropped = 0

    def take(self, drafts: Iterator[Draft], generator: Generator) -> Iterator[SentenceReady]:
        """What may be shown of these, as they come."""
        quoted = [" ".join(citation.quote.split()) for citation in self.citations]
        self._seen = {sentence.text.casefold() for sentence in self.sentences}
        self._shown = self._shown_before = True
        for draft in drafts:
            if self._is_known(draft) or any(draft.quotes and draft.text in quote for quote in quoted):
                continue
            ready = self._admit(draft)
            if ready:
                self.generator = self.generator or generator
                yield ready
            if len(self.sentences) >= MOST_SENTENCES and not draft.quotes:
                return

    def is_thin(self, *, broken_off: bool) -> bool:
        """Whether so little is left of what was written that it is no answer; a sentence that broke off counts too."""
        return len(self.sentences) < max(1, LEAST_SHARE * (self.proposed + broken_off))

    def _is_known(self, draft: Draft) -> bool:
        """Whether it was judged already: said before, or shown when it had fewer citations."""
        if draft.again:
            return self._shown
        known = draft.text.casefold() in self._seen
        self._seen.add(draft.text.casefold())
        return known

    def _admit(self, draft: Draft) -> SentenceReady | None:
        if not draft.again:
            self.proposed += 1
            self._shown_before = self._shown
        found = None
        if self._shown_before or not leans(draft.text):
            found = self.guard.admitted(draft)
        self._shown = found is not None
        if found is None:
            self.dropped += not draft.again
            return None
        self.dropped -= draft.again
        before = len(self.citations)
        sentence = Sentence(found.text, tuple(dict.fromkeys(self._number(quote) for quote in found.quotes)))
        self.sentences.append(sentence)
        return SentenceReady(sentence, tuple(self.citations[before:]))

    def _number(self, quote: Quote) -> int:
        """The number under which this is quoted, or as a part of more; a new one otherwise."""
        for number, other in enumerate(self._quotes, start=1):
            if other.passage == quote.passage and other.start <= quote.start and quote.end <= other.end:
                return number
        self._quotes.append(quote)
        self.citations.append(_citation(len(self._quotes), self._passages[quote.passage], quote.start, quote.end))
        return len(self._quotes)


def told(kind: FailureKind, instead: str) -> str:
    """Why it is not the model's answer, or not all of it, for whoever reads the answer."""
    return f"{FAILURES[kind]}; {instead} ({kind})."


def with_marks(sentences: Sequence[Sentence]) -> str:
    """The answer as one text, each sentence followed by its marks, items and table rows on lines of their own."""
    text = ""
    for sentence in sentences:
        marks = "".join(f"[{number}]" for number in sentence.citations)
        text += f"{_separator(sentence) if text else ''}{sentence.text} {marks}"
    return text


def _separator(sentence: Sentence) -> str:
    return "\n" if ITEM.match(sentence.text) or CELL in sentence.text else " "


def _citation(number: int, passage: Passage, start: int, end: int) -> Citation:
    return Citation(
        number,
        passage.document,
        passage.title,
        passage.section,
        passage.anchor,
        passage.link,
        passage.text[start:end],
        passage.version,
    )
