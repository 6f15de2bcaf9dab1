"""Question in, answer out: retrieve, pick what answers, cite it, or say that it is not there. Knows no platform."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from bot.generation.extractive import Quote, extract
from retrieval.passages import Hit, Passage, Query, Turn
from retrieval.search import Results, Search

NOT_FOUND = "I could not find this in the documents."
EXTRACTIVE = "extractive"

# Sections whose sentences may be quoted, those kept with the exchange, and those named when nothing answers.
QUOTABLE = 6
SHOWN = 10
NEAREST = 3


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
    """What is shown. An abstention has no sentences and no citations, but the nearest sections.

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


class Answering:
    """The one answering service behind every platform."""

    def __init__(
        self,
        search: Search,
        *,
        threshold: float,
        new_id: Callable[[], str],
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._search = search
        self._threshold = threshold
        self._new_id = new_id
        self._clock = clock

    def __call__(self, question: Question) -> Answer:
        """An answer whose every sentence is cited, or an abstention; raises `RetrievalError` when search fails."""
        started = self._clock()
        query = Query(question.text, question.history, question.groups)
        results = self._search(query, top=SHOWN)
        retrieved = self._clock()
        quotes = self._quotes(query, results)
        answered = self._clock()
        timings = {"retrieve": retrieved - started, "generate": answered - retrieved, "total": answered - started}
        passages = [hit.passage for hit in results.hits]
        if not quotes:
            return Answer(
                self._new_id(),
                NOT_FOUND,
                abstained=True,
                confidence=results.confidence,
                nearest=results.hits[:NEAREST],
                shown=results.hits,
                timings=timings,
            )
        sentences, citations = cited(passages, quotes)
        return Answer(
            self._new_id(),
            with_marks(sentences),
            sentences,
            citations,
            confidence=results.confidence,
            shown=results.hits,
            timings=timings,
        )

    def _quotes(self, query: Query, results: Results) -> list[tuple[Quote, ...]]:
        if not results.hits or results.confidence < self._threshold:
            return []
        found = self._search.highlights(query, results, top=QUOTABLE)
        return extract([(hit.passage, each) for hit, each in zip(results.hits, found, strict=False)])


def cited(
    passages: Sequence[Passage], quotes: Sequence[Sequence[Quote]]
) -> tuple[tuple[Sentence, ...], tuple[Citation, ...]]:
    """Sentences given by where they stand, each with a citation for every place; neighbours there share one."""
    runs: list[Quote] = []
    sentences = []
    for places in quotes:
        numbers = tuple(_numbered(runs, place, passages) for place in places)
        text = passages[places[0].passage].text[places[0].start : places[0].end]
        sentences.append(Sentence(" ".join(text.split()), numbers))
    return tuple(sentences), tuple(
        _citation(number, passages[run.passage], run.start, run.end) for number, run in enumerate(runs, start=1)
    )


def _numbered(runs: list[Quote], place: Quote, passages: Sequence[Passage]) -> int:
    """The number of the run that this place goes on with, or of a new one."""
    for index, run in enumerate(runs):
        if run.passage != place.passage or place.start < run.start:
            continue
        if place.end <= run.end or not passages[run.passage].text[run.end : place.start].strip():
            runs[index] = replace(run, end=max(run.end, place.end))
            return index + 1
    runs.append(place)
    return len(runs)


def with_marks(sentences: Sequence[Sentence]) -> str:
    """The answer as one text, each sentence followed by its marks."""
    return " ".join(
        f"{sentence.text} {''.join(f'[{number}]' for number in sentence.citations)}" for sentence in sentences
    )


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
