"""A person is asked: the owners of the documents see the question, and what they reply comes back (knows no platform).

What is passed on is chosen purely from the recorded exchange; where it went is kept in the state store. Question,
answer and reply are kept nowhere but in the feedback store, from which `forget` erases them.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, Protocol

from bot.config.settings import Source
from bot.errors import StateUnavailable, UsageProblem
from bot.services.votes import MOST_CHARACTERS
from bot.state.protocol import StateStore
from feedback.records import Exchange

NOBODY = "Nobody is named for these documents, so I cannot pass your question on."
FORGOTTEN = "This question is no longer kept, so I cannot pass it on."
ALREADY = "Your question has been passed on already. The reply will appear in its conversation."
# Of an abstention the sections that were nearest.
NEAREST = 3
# How long a reply is waited for.
WAITED_FOR = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class CitedSection:
    """A section that the answer cites or, for an abstention, that came near; `url` may be empty."""

    document: str
    title: str
    section: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Escalation:
    """What is passed on of an answer to the people behind `channel`, and the asker's conversation, where replies go.

    `said` and `sections` hold only what comes from documents that these people own: the asker may read more than they.
    `channel` and `place` are in the platform's own names.
    """

    answer: str
    question: str
    channel: str
    place: str
    said: tuple[str, ...] = ()
    sections: tuple[CitedSection, ...] = ()


@dataclass(frozen=True, slots=True)
class OpenEscalation:
    """A question that was passed on: to which channel, and where its replies go."""

    answer: str
    channel: str
    place: str


def escalation(exchange: Exchange, sources: Sequence[Source], *, platform: str, place: str) -> Escalation | None:
    """What is passed on of an exchange, and to whom; None where nobody on this platform owns its documents.

    The owners are those of the section that is cited first, of an abstention the nearest; of documents without an
    owner's channel, the next.
    """
    if exchange.pruned:
        return None
    owners = _owners(sources, platform)
    found = _sections(exchange)
    channel = next((owners[name] for each in found if (name := _source(each.document)) in owners), "")
    if not channel:
        return None
    own = {name for name, owner in owners.items() if owner == channel}
    theirs = tuple(dict.fromkeys(each for each in found if _source(each.document) in own))
    return Escalation(exchange.id, exchange.question, channel, place, _said(exchange, own), theirs)


class Escalations:
    """Questions that were passed on, as replicas know of them; raises `StateUnavailable`."""

    def __init__(self, store: StateStore, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._store = store
        self._clock = clock

    def begin(self, escalation: Escalation) -> bool:
        """Say that a question is about to be passed on; False when it has been, so that owners see it once."""
        now = self._clock()
        return self._store.add(_asked(escalation.answer), "", expires=now + WAITED_FOR, now=now)

    def undo(self, escalation: Escalation) -> None:
        """Say that it could not be passed on after all; it may be tried again."""
        self._store.remove(_asked(escalation.answer))

    def posted(self, escalation: Escalation, thread: str) -> None:
        """Remember where the owners were asked: `thread` is in the platform's own names."""
        row = {"answer": escalation.answer, "channel": escalation.channel, "place": escalation.place}
        self._store.put(_thread(thread), json.dumps(row), expires=self._clock() + WAITED_FOR)

    def of_thread(self, thread: str) -> OpenEscalation | None:
        """The question whose owners were asked in this thread; None for any other thread."""
        found = self._store.get(_thread(thread), now=self._clock())
        if found is None:
            return None
        try:
            return OpenEscalation(**json.loads(found))
        except (ValueError, TypeError) as error:
            raise StateUnavailable("a question that was passed on cannot be read") from error


class Corrected(Protocol):
    """Where corrections and decisions are remembered."""

    def correct(self, answer: str, text: str, *, user: str, key: str) -> bool: ...

    def decide(
        self, answer: str, verdict: Literal["accept"], *, user: str, correction: str, key: str | None
    ) -> bool: ...


def accept(house: Corrected, passed: OpenEscalation, reply: str, *, author: str, user: str, key: str) -> None:
    """Make a reply the correction of the answer: `author` wrote it, `user` says so.

    `key` names the reply, so that to accept it again changes nothing. Raises `UsageProblem` for a reply that cannot be
    a correction, and `FeedbackError`.
    """
    text = reply.strip()
    if not text:
        raise UsageProblem("there is no text in this reply")
    if len(text) > MOST_CHARACTERS:
        raise UsageProblem(f"the reply has {len(text)} characters; at most {MOST_CHARACTERS} are kept")
    house.correct(passed.answer, text, user=author, key=f"reply:{key}")
    house.decide(passed.answer, "accept", user=user, correction=f"reply:{key}", key=f"accepted:{key}")


def _owners(sources: Sequence[Source], platform: str) -> Mapping[str, str]:
    """By source the channel of this platform where its owners are asked."""
    return {each.name: each.owner_channel for each in sources if each.owner_channel.startswith(f"{platform}:")}


def _sections(exchange: Exchange) -> list[CitedSection]:
    """The cited sections in their order, else the nearest ones."""
    if exchange.citations:
        return [CitedSection(each.document, each.title, each.section, each.url) for each in exchange.citations]
    return [CitedSection(each.document, each.title, each.section) for each in exchange.shown[:NEAREST]]


def _said(exchange: Exchange, own: set[str]) -> tuple[str, ...]:
    """The sentences of the answer that rest on documents of these sources alone."""
    sources = {each.number: _source(each.document) for each in exchange.citations}
    return tuple(
        sentence.text
        for sentence in exchange.sentences
        if sentence.citations and {sources.get(number) for number in sentence.citations} <= own
    )


def _source(document: str) -> str:
    return document.partition("/")[0]


def _asked(answer: str) -> str:
    return f"escalation:answer:{answer}"


def _thread(thread: str) -> str:
    return f"escalation:thread:{thread}"
