"""Tells people what they may read and owners how their documents do, and builds the report."""

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from cachetools import TTLCache, cachedmethod

from bot.config.settings import Source
from bot.errors import BotError
from bot.services.reviews import ReviewService
from feedback.errors import FeedbackError
from feedback.ports import KnowledgePort
from feedback.records import SkippedRecord
from feedback.report.report import build_report
from feedback.stores.protocol import FeedbackReader
from retrieval.errors import RetrievalError
from retrieval.index.protocols import IndexReader
from retrieval.passages import Document, readable_audiences
from retrieval.progress import Progress, ignore_progress

logger = logging.getLogger(__name__)

CACHE_SECONDS = 600
CACHE_ENTRIES = 10_000
FAILING_SHOWN = 10
SAMPLED_DOCUMENTS = 200  # of each source, read for their titles and dates
PROMPTS = 4
MIN_AGREEMENT = 0.5
REPORT_PERIOD = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Prompt:
    """A suggested question, with the title of the button that asks it."""

    title: str
    message: str


@dataclass(frozen=True, slots=True)
class FailingSection:
    """A section whose answers people voted down."""

    title: str
    section: str
    down: int


@dataclass(frozen=True, slots=True)
class OwnedDocuments:
    """The state of an owner's documents; `reviews` counts the answers that wait for a decision, None while unknown."""

    failing: Sequence[FailingSection] = ()
    reviews: int | None = None


class OverviewService:
    """Summarizes documents and feedback for one person; may be used from any thread.

    All but the report is cached for ten minutes; what cannot be read just now is left out.
    """

    def __init__(
        self,
        *,
        index: IndexReader,
        feedback: FeedbackReader,
        reviews: ReviewService,
        knowledge: KnowledgePort,
        sources: Sequence[Source],
        threshold: float,
        terms: Callable[[str], Sequence[str]],
        clock: Callable[[], datetime],
    ) -> None:
        self._index = index
        self._feedback = feedback
        self._review_service = reviews
        self._knowledge = knowledge
        self._configured = sources
        self._threshold = threshold
        self._terms = terms
        self._clock = clock
        self._cache: TTLCache[Any, Any] = TTLCache(CACHE_ENTRIES, CACHE_SECONDS)
        self._lock = threading.Lock()

    def report(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        min_askers: int = 2,
        progress: Progress = ignore_progress,
    ) -> Mapping[str, Any]:
        """Return the report on the answers from `since` until before `until`: votes, what fails, what mends it."""
        skipped: list[SkippedRecord] = []
        return build_report(
            self._feedback.reviewed_exchanges(since=since, until=until, skipped=skipped.append),
            self._knowledge if self._index.sources() else None,
            threshold=self._threshold,
            min_askers=min_askers,
            terms=self._terms,
            progress=progress,
            skipped=skipped,
        )

    @cachedmethod(lambda self: self._cache, key=lambda _, groups: ("sources", groups), lock=lambda self: self._lock)
    def sources(self, groups: frozenset[str]) -> Sequence[tuple[str, str]]:
        """Return the sources that hold something for these groups, each with the day of its newest such document."""
        sources = []
        try:
            for name, documents in self._documents(readable_audiences(groups)):
                days = [document.modified for document in documents if document.modified]
                if documents:
                    sources.append((name, f"{max(days):%d.%m.%Y}" if days else ""))
        except RetrievalError as error:
            logger.info("the sources cannot be read just now: %s", error)
        return sources

    @cachedmethod(lambda self: self._cache, key=lambda _, groups: ("prompts", groups), lock=lambda self: self._lock)
    def prompts(self, groups: frozenset[str]) -> Sequence[Prompt]:
        """Return a few questions that the documents of these groups answer; none where there are no documents."""
        try:
            return list(self._prompts(readable_audiences(groups)))
        except RetrievalError as error:
            logger.info("no prompts are suggested: %s", error)
            return []

    def owned(self, names: Iterable[str]) -> OwnedDocuments | None:
        """Return the state of the documents of the person with these names; None for somebody who owns none."""
        known = {name.casefold() for name in names if name}
        owned = [source for source in self._configured if source.owner.strip().casefold() in known]
        if not owned:
            return None
        prefixes = tuple(f"{source.name}/" for source in owned)
        return OwnedDocuments(self._failing(prefixes), self._waiting(prefixes))

    def _prompts(self, readable: frozenset[str]) -> Iterator[Prompt]:
        documents = [document for _, of_source in self._documents(readable) for document in of_source]
        for document in _spread(documents, PROMPTS):
            sections = [each for each in self._index.sections(document.id) if each.audience & readable]
            headings = [each.section.rpartition(" > ")[2] for each in sections if " > " in each.section]
            subject = headings[0] if headings else document.title
            yield Prompt(_shorten(document.title, 60), f"What do our documents say about {_shorten(subject, 120)}?")

    def _documents(self, readable: frozenset[str]) -> Iterator[tuple[str, list[Document]]]:
        """Yield each source with those of its sampled documents that may be read."""
        for name in sorted(self._index.sources()):
            sampled = (self._index.document(key) for key in islice(sorted(self._index.stored(name)), SAMPLED_DOCUMENTS))
            yield name, [each for each in sampled if each and each.audience & readable]

    def _failing(self, prefixes: tuple[str, ...]) -> list[FailingSection]:
        """Return the failing sections of these sources, the worst first."""
        try:
            rows = self._failing_rows()
        except (FeedbackError, RetrievalError, BotError) as error:
            logger.info("no report can be made just now: %s", error)
            return []
        theirs = [row for row in rows if str(row.get("document", "")).startswith(prefixes)]
        return [
            FailingSection(str(row.get("title", "")), str(row.get("section", "")), round(float(row.get("down", 0))))
            for row in theirs[:FAILING_SHOWN]
        ]

    @cachedmethod(lambda self: self._cache, key=lambda _: "failing", lock=lambda self: self._lock)
    def _failing_rows(self) -> list[dict[str, Any]]:
        return list(self.report(since=self._clock() - REPORT_PERIOD, min_askers=3)["failing"])

    def _waiting(self, prefixes: tuple[str, ...]) -> int | None:
        """Return how many answers from these sources wait for a decision."""
        try:
            waiting = self._waiting_documents()
        except (FeedbackError, BotError) as error:
            logger.info("open reviews cannot be counted just now: %s", error)
            return None
        return sum(any(document.startswith(prefixes) for document in documents) for documents in waiting)

    @cachedmethod(lambda self: self._cache, key=lambda _: "waiting", lock=lambda self: self._lock)
    def _waiting_documents(self) -> list[tuple[str, ...]]:
        waiting = self._review_service.waiting(min_agreement=MIN_AGREEMENT)
        return [tuple(each.document for each in reviewed.exchange.citations) for reviewed in waiting]


def _spread(documents: Sequence[Document], count: int) -> Sequence[Document]:
    """Return at most so many of the documents, spread from the first to the last."""
    step = max(1, len(documents) // count)
    return documents[::step][:count]


def _shorten(text: str, max_characters: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= max_characters else line[: max_characters - 1].rstrip() + "…"
