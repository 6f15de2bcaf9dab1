"""What the app's own page and the suggested prompts say to one person: nothing of what they may not read."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from bot.channels.slack.directory import Cached, Person
from bot.channels.slack.ports import AppPort
from bot.channels.slack.thread_state import ThreadState
from bot.channels.slack.views import Known, OwnVote, Section
from bot.config.settings import Source
from bot.errors import BotError
from feedback.errors import FeedbackError
from retrieval.errors import RetrievalError
from retrieval.passages import Document, readable_audiences

logger = logging.getLogger(__name__)

VOTES_SHOWN = 8
FAILING_SHOWN = 10
LOOKED_AT = 200  # documents of a source that are looked at for titles and dates
PROMPTS = 4
MIN_AGREEMENT = 0.5
LOOK_BACK = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Prompt:
    """A question that somebody may press instead of typing it."""

    title: str
    message: str


class Overview:
    """Gathers what is shown to one person; what cannot be read just now is left out."""

    def __init__(self, house: AppPort, memory: ThreadState, *, cached: Cached | None = None) -> None:
        self._house = house
        self._memory = memory
        self._cached = cached or Cached()

    def known(self, person: Person, groups: frozenset[str]) -> Known:
        """The page for this person, whose own groups these are."""
        settings = self._house.settings
        owned = [source for source in settings.sources if _is_owner(source, person)]
        return Known(
            sources=self._cached.get("sources", _key(groups), lambda: list(self._sources(groups))),
            votes=list(self._votes(person)),
            owns=bool(owned),
            failing=self._failing(owned) if owned else (),
            reviews=self._reviews(owned) if owned else None,
            keep_words=settings.keep_words,
            keep_exchanges=settings.keep_exchanges,
        )

    def prompts(self, groups: frozenset[str]) -> list[Prompt]:
        """A few questions that the documents of these groups answer; none where there are none."""
        return self._cached.get("prompts", _key(groups), lambda: list(self._prompts(groups)))

    def _prompts(self, groups: frozenset[str]) -> Iterator[Prompt]:
        readable = readable_audiences(groups)
        try:
            documents = [document for _, found in self._documents(readable) for document in found]
            for document in _spread(documents, PROMPTS):
                sections = [each for each in self._house.index.sections(document.id) if each.audience & readable]
                headings = [each.section.rpartition(" > ")[2] for each in sections if " > " in each.section]
                subject = headings[0] if headings else document.title
                yield Prompt(_short(document.title, 60), f"What do our documents say about {_short(subject, 120)}?")
        except RetrievalError as error:
            logger.info("no prompts are suggested: %s", error)

    def _sources(self, groups: frozenset[str]) -> Iterator[tuple[str, str]]:
        """The sources that hold something for these groups, each with the day of its newest document of theirs."""
        try:
            for name, documents in self._documents(readable_audiences(groups)):
                days = [document.modified for document in documents if document.modified]
                if documents:
                    yield name, f"{max(days):%d.%m.%Y}" if days else ""
        except RetrievalError as error:
            logger.info("the sources cannot be read just now: %s", error)

    def _documents(self, readable: frozenset[str]) -> Iterator[tuple[str, list[Document]]]:
        """By source, of some of its documents those that may be read."""
        index = self._house.index
        for name in sorted(index.sources()):
            found = (index.document(key) for key in islice(sorted(index.stored(name)), LOOKED_AT))
            yield name, [each for each in found if each and each.audience & readable]

    def _votes(self, person: Person) -> Iterator[OwnVote]:
        user = f"slack:{person.id}"
        try:
            name = self._house.named(user)
            for answer in self._memory.votes(name, most=VOTES_SHOWN):
                counts = self._house.standing(answer, user=user).vote
                if counts.vote != "none":
                    exchange = self._house.feedback.exchange(answer)
                    # What somebody else asked stays between them and us.
                    question = exchange.question if exchange.asker == name else ""
                    yield OwnVote(answer, question, counts.vote, counts.at)
        except (FeedbackError, BotError) as error:
            logger.info("own votes cannot be listed just now: %s", error)

    def _failing(self, owned: Sequence[Source]) -> list[Section]:
        """Of the sections that fail people those of these sources, the worst first."""
        try:
            rows = self._cached.get("report", "", self._report)
        except (FeedbackError, RetrievalError, BotError) as error:
            logger.info("no report can be made just now: %s", error)
            return []
        of_theirs = tuple(f"{source.name}/" for source in owned)
        mine = [row for row in rows if str(row.get("document", "")).startswith(of_theirs)]
        return [
            Section(str(row.get("title", "")), str(row.get("section", "")), round(float(row.get("down", 0))))
            for row in mine[:FAILING_SHOWN]
        ]

    def _report(self) -> list[dict[str, Any]]:
        made = self._house.report(
            since=datetime.now(UTC) - LOOK_BACK, until=None, min_askers=3, progress=lambda *_: None
        )
        return list(made["failing"])

    def _reviews(self, owned: Sequence[Source]) -> int | None:
        """How many answers from these sources wait for somebody's decision."""
        of_theirs = tuple(f"{source.name}/" for source in owned)

        def count() -> list[tuple[str, ...]]:
            waiting = self._house.waiting(min_agreement=MIN_AGREEMENT)
            return [tuple(each.document for each in judged.exchange.citations) for judged in waiting]

        try:
            waiting = self._cached.get("reviews", "", count)
        except (FeedbackError, BotError) as error:
            logger.info("open reviews cannot be counted just now: %s", error)
            return None
        return sum(any(document.startswith(of_theirs) for document in documents) for documents in waiting)


def _is_owner(source: Source, person: Person) -> bool:
    """Whether the settings name this person as the owner, by e-mail address or by id."""
    owner = source.owner.strip()
    return bool(owner) and owner.casefold() in {person.email.casefold() or None, f"slack:{person.id}".casefold()}


def _spread(documents: Sequence[Document], most: int) -> Iterable[Document]:
    """So many of them, from beginning to end."""
    step = max(1, len(documents) // most)
    return documents[::step][:most]


def _key(groups: frozenset[str]) -> str:
    return "\n".join(sorted(groups))


def _short(text: str, most: int) -> str:
    said = " ".join(text.split())
    return said if len(said) <= most else said[: most - 1].rstrip() + "…"
