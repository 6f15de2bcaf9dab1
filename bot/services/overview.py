"""Tells people what they may read and owners how their documents do, and builds the report."""

import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from cachetools import TTLCache, cachedmethod

from bot.access.disclosure import DisclosureGate
from bot.config.settings import Source
from bot.errors import BotError
from bot.services.reviews import ReviewService
from feedback.errors import FeedbackError
from feedback.ports import KnowledgePort
from feedback.records import Exchange, SkippedRecord, without_words
from feedback.report.report import build_report
from feedback.report.section_votes import SectionVotes, count_section_votes
from feedback.stores.protocol import FeedbackReader
from retrieval.errors import RetrievalError
from retrieval.index.protocols import IndexReader
from retrieval.passages import readable_audiences
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


@dataclass(frozen=True, slots=True)
class _Sampled:
    """What is remembered of a document; its words are not, since it may have been opened with other ones meanwhile."""

    id: str
    source: str
    modified: datetime | None


class OverviewService:
    """Summarizes documents and feedback for one person; may be used from any thread.

    What is read for it is cached for ten minutes, all but the report; who may see what of it is asked each time. What
    cannot be read just now is left out.
    """

    def __init__(
        self,
        *,
        index: IndexReader,
        feedback: FeedbackReader,
        reviews: ReviewService,
        gate: DisclosureGate,
        knowledge: KnowledgePort,
        sources: Sequence[Source],
        threshold: float,
        terms: Callable[[str], Sequence[str]],
        clock: Callable[[], datetime],
    ) -> None:
        self._index = index
        self._feedback = feedback
        self._review_service = reviews
        self._gate = gate
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
        groups: frozenset[str] = frozenset(),
        progress: Progress = ignore_progress,
    ) -> Mapping[str, Any]:
        """Return the report on the answers from `since` until before `until`: votes, what fails, what mends it.

        Questions and sections that its readers, who have `groups`, may not see are counted and not named.
        """
        skipped: list[SkippedRecord] = []
        return build_report(
            self._feedback.reviewed_exchanges(since=since, until=until, skipped=skipped.append),
            self._knowledge if self._index.sources() else None,
            self._gate,
            groups=groups,
            threshold=self._threshold,
            min_askers=min_askers,
            terms=self._terms,
            progress=progress,
            skipped=skipped,
        )

    def sources(self, groups: frozenset[str]) -> Sequence[tuple[str, str]]:
        """Return the sources that hold something for these groups, each with the day of its newest such document."""
        days: dict[str, list[datetime]] = {}
        for document in self._readable(groups):
            days.setdefault(document.source, []).extend([document.modified] if document.modified else [])
        return [(name, f"{max(found):%d.%m.%Y}" if found else "") for name, found in days.items()]

    def prompts(self, groups: frozenset[str]) -> Sequence[Prompt]:
        """Return a few questions that the documents of these groups answer; none where there are no documents."""
        try:
            prompts = (self._prompt(each, groups) for each in _spread(self._readable(groups), PROMPTS))
            return [each for each in prompts if each]
        except RetrievalError as error:
            logger.info("no prompts are suggested: %s", error)
            return []

    def owned(self, names: Iterable[str], groups: frozenset[str]) -> OwnedDocuments | None:
        """Return the state of the documents of the person with these names, as far as their groups may read them.

        None for somebody who owns none.
        """
        known = {name.casefold() for name in names if name}
        owned = [source for source in self._configured if source.owner.strip().casefold() in known]
        if not owned:
            return None
        prefixes = tuple(f"{source.name}/" for source in owned)
        return OwnedDocuments(self._failing(prefixes, groups), self._waiting(prefixes, groups))

    def _prompt(self, document: _Sampled, groups: frozenset[str]) -> Prompt | None:
        sections = [each for each in self._index.sections(document.id) if each.audience & readable_audiences(groups)]
        if not sections:
            return None
        title = sections[0].title
        headings = [each.section.rpartition(" > ")[2] for each in sections if " > " in each.section]
        subject = headings[0] if headings else title
        return Prompt(_shorten(title, 60), f"What do our documents say about {_shorten(subject, 120)}?")

    def _readable(self, groups: frozenset[str]) -> list[_Sampled]:
        """Return those of the sampled documents that these groups may read now."""
        try:
            sampled = self._sampled()
            readable = self._gate.readable([each.id for each in sampled], groups)
        except RetrievalError as error:
            logger.info("the documents cannot be read just now: %s", error)
            return []
        return [each for each in sampled if each.id in readable]

    @cachedmethod(lambda self: self._cache, key=lambda _: "sampled", lock=lambda self: self._lock)
    def _sampled(self) -> Sequence[_Sampled]:
        return [
            _Sampled(document.id, name, document.modified)
            for name in sorted(self._index.sources())
            for key in islice(sorted(self._index.stored(name)), SAMPLED_DOCUMENTS)
            if (document := self._index.document(key))
        ]

    def _failing(self, prefixes: tuple[str, ...], groups: frozenset[str]) -> list[FailingSection]:
        """Return the failing sections of these sources that these groups may read, the worst first."""
        try:
            votes = self._section_votes()
            may_name = self._gate.naming([each for each in votes.documents if each.startswith(prefixes)], groups)
            rows = votes.list_failing(None, may_name, most=FAILING_SHOWN)
        except (FeedbackError, RetrievalError, BotError) as error:
            logger.info("failing sections cannot be listed just now: %s", error)
            return []
        return [FailingSection(row["title"], row["section"], round(row["down"])) for row in rows]

    @cachedmethod(lambda self: self._cache, key=lambda _: "failing", lock=lambda self: self._lock)
    def _section_votes(self) -> SectionVotes:
        """Return the votes on the sections of all documents, whoever may read them."""
        return count_section_votes(self._feedback.reviewed_exchanges(since=self._clock() - REPORT_PERIOD))

    def _waiting(self, prefixes: tuple[str, ...], groups: frozenset[str]) -> int | None:
        """Return how many answers from these sources, which these groups may see, wait for a decision."""
        try:
            waiting = [each for each in self._waiting_exchanges() if _cites(each, prefixes)]
            return sum(self._gate.may_show(each, groups) for each in waiting)
        except (FeedbackError, RetrievalError, BotError) as error:
            logger.info("open reviews cannot be counted just now: %s", error)
            return None

    @cachedmethod(lambda self: self._cache, key=lambda _: "waiting", lock=lambda self: self._lock)
    def _waiting_exchanges(self) -> Sequence[Exchange]:
        """Return the exchanges that wait for a decision without their words, whoever may see them."""
        return [without_words(each) for each in self._review_service.exchanges_waiting(min_agreement=MIN_AGREEMENT)]


def _cites(exchange: Exchange, prefixes: tuple[str, ...]) -> bool:
    return any(each.document.startswith(prefixes) for each in exchange.citations)


def _spread(documents: Sequence[_Sampled], count: int) -> Sequence[_Sampled]:
    """Return at most so many of the documents, spread from the first to the last."""
    step = max(1, len(documents) // count)
    return documents[::step][:count]


def _shorten(text: str, max_characters: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= max_characters else line[: max_characters - 1].rstrip() + "…"
