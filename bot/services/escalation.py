"""Passes a question on to the owners of the documents, and makes their accepted reply the correction of the answer.

The state store keeps where a question went. Question, answer and reply are kept nowhere but in the feedback store,
from which `forget` erases them.
"""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.access.disclosure import DisclosureGate
from bot.config.settings import Source
from bot.errors import BotError, StateUnavailable, UsageProblem
from bot.services.audit import no_audit
from bot.services.votes import MAX_CHARACTERS
from bot.state.protocol import StateStore
from feedback.errors import UnknownExchange
from feedback.records import Correction, Decision, Exchange
from feedback.stores.protocol import FeedbackStore

NO_OWNER = "Nobody is named for these documents, so I cannot pass your question on."
NO_LONGER_KEPT = "This question is no longer kept, so I cannot pass it on."
ALREADY_PASSED_ON = "Your question has been passed on already. The reply will appear in its conversation."
# How many of the nearest sections are named of an abstention.
MAX_NEAREST = 3
REPLY_WITHIN = timedelta(days=30)
# What the keys of the state store begin with.
ESCALATIONS = "escalation:"


class EscalationRefused(BotError):
    """Raised when a question cannot be passed on; the text tells the asker why."""


@dataclass(frozen=True, slots=True)
class CitedSection:
    """A section that the answer cites or, of an abstention, one of the nearest; `url` may be empty."""

    document: str
    title: str
    section: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Escalation:
    """A question with the parts of its answer that the owners in `channel` are shown; replies go to `place`.

    `sentences` and `sections` come only from documents that these people own, and may read: the asker may read more
    than they. `withheld` are documents whose part they may not see; `abstained` is true where nothing was answered.
    `channel` and `place` are in the platform's own names.
    """

    answer: str
    question: str
    channel: str
    place: str
    sentences: tuple[str, ...] = ()
    sections: tuple[CitedSection, ...] = ()
    withheld: frozenset[str] = frozenset()
    abstained: bool = False


@dataclass(frozen=True, slots=True)
class OpenEscalation:
    """A question that was passed on to the owners in `channel`; replies go to `place`, the asker's conversation."""

    answer: str
    channel: str
    place: str


class EscalationService:
    """Passes questions on to owners, each once whatever the number of replicas, and accepts their replies.

    Methods raise `StateUnavailable` when the state store cannot be reached, and may then be called again.
    """

    def __init__(
        self,
        *,
        feedback: FeedbackStore,
        state: StateStore,
        gate: DisclosureGate,
        sources: Sequence[Source],
        pseudonym: Callable[[str], str],
        clock: Callable[[], datetime],
        audit: Callable[..., None] = no_audit,
    ) -> None:
        self._audit = audit
        self._feedback = feedback
        self._state = state
        self._gate = gate
        self._sources = sources
        self._pseudonym = pseudonym
        self._clock = clock

    def compose(
        self, answer: str, *, platform: str, place: str, readers: Callable[[str], frozenset[str]]
    ) -> Escalation:
        """Return what is passed on of an answer, and to whom; `readers` gives the groups of an owners' channel now.

        Raises `EscalationRefused`, `FeedbackError`, and `RetrievalError` while it cannot be told who may read what.
        """
        try:
            exchange = self._feedback.exchange(answer)
        except UnknownExchange as error:
            raise EscalationRefused(NO_LONGER_KEPT) from error
        if exchange.pruned:
            raise EscalationRefused(NO_LONGER_KEPT)
        escalation = compose_escalation(
            exchange,
            self._sources,
            platform=platform,
            place=place,
            readable=lambda channel, documents: self._gate.readable(documents, readers(channel)),
        )
        if escalation is None:
            raise EscalationRefused(NO_OWNER)
        return escalation

    def is_partial(self, escalation: Escalation, asker: Callable[[], frozenset[str]]) -> bool:
        """Tell whether the asker, whose groups now `asker` gives, is to learn that a part was not passed on.

        Nothing is hinted at that they may not read themselves.
        """
        return bool(escalation.withheld and self._gate.readable(escalation.withheld, asker()))

    def may_reply(self, escalation: OpenEscalation, groups: frozenset[str]) -> bool:
        """Tell whether a reply may be shown to these groups: they need those that the question was asked in."""
        try:
            return self._gate.may_hear(self._feedback.exchange(escalation.answer), groups)
        except UnknownExchange:
            return False

    def claim(self, escalation: Escalation) -> bool:
        """Claim the right to pass a question on; False when it was claimed already, so that owners see it once."""
        now = self._clock()
        return self._state.add(_answer_key(escalation.answer), "", expires=now + REPLY_WITHIN, now=now)

    def release(self, escalation: Escalation) -> None:
        """Give the claim back when the question could not be passed on, so that it may be tried again."""
        self._state.remove(_answer_key(escalation.answer))

    def record_thread(self, escalation: Escalation, thread: str) -> None:
        """Record the thread in which the owners were asked; its name is the platform's own."""
        row = {"answer": escalation.answer, "channel": escalation.channel, "place": escalation.place}
        self._state.put(_thread_key(thread), json.dumps(row), expires=self._clock() + REPLY_WITHIN)

    def find_by_thread(self, thread: str) -> OpenEscalation | None:
        """Return the question whose owners were asked in this thread; None for another thread or after a month."""
        row = self._state.get(_thread_key(thread), now=self._clock())
        if row is None:
            return None
        try:
            return OpenEscalation(**json.loads(row))
        except (ValueError, TypeError) as error:
            raise StateUnavailable("a question that was passed on cannot be read") from error

    def accept(self, escalation: OpenEscalation, reply: str, *, author: str, user: str, key: str) -> None:
        """Make a reply the correction of the answer: `author` wrote it, `user` accepts it.

        `key` names the reply, so that to accept it again changes nothing. Raises `UsageProblem` for a reply that
        cannot be a correction, and `FeedbackError`.
        """
        text = reply.strip()
        if not text:
            raise UsageProblem("there is no text in this reply")
        if len(text) > MAX_CHARACTERS:
            raise UsageProblem(f"the reply has {len(text)} characters; at most {MAX_CHARACTERS} are kept")
        now, answer, correction = self._clock(), escalation.answer, f"reply:{key}"
        self._feedback.correct(Correction(correction, answer, self._pseudonym(author), now, text))
        reviewer = self._pseudonym(user)
        if self._feedback.decide(Decision(f"accepted:{key}", answer, reviewer, now, "accept", correction, "")):
            self._audit("reviewed: accept", by=user, about=answer)


def compose_escalation(
    exchange: Exchange,
    sources: Sequence[Source],
    *,
    platform: str,
    place: str,
    readable: Callable[[str, Collection[str]], frozenset[str]],
) -> Escalation | None:
    """Return what is passed on of an exchange, and to whom; None where its documents have no owner there.

    The owners are those of the section that is cited first, of an abstention the nearest; of documents without an
    owner's channel, the next. `readable` gives those of some documents that the people of a channel may read.
    """
    if exchange.pruned:
        return None
    owners = _owners(sources, platform)
    sections = _sections(exchange)
    channel = next((owners[name] for section in sections if (name := _source(section.document)) in owners), "")
    if not channel:
        return None
    sources_owned = {name for name, owner in owners.items() if owner == channel}
    owned = {section.document for section in sections if _source(section.document) in sources_owned}
    passed_on = readable(channel, owned) & owned
    return Escalation(
        exchange.id,
        exchange.question,
        channel,
        place,
        _sentences(exchange, passed_on),
        tuple(dict.fromkeys(section for section in sections if section.document in passed_on)),
        withheld=frozenset(owned - passed_on),
        abstained=exchange.abstained,
    )


def _owners(sources: Sequence[Source], platform: str) -> Mapping[str, str]:
    """Return the channel of this platform where the owners are asked, by source."""
    return {each.name: each.owner_channel for each in sources if each.owner_channel.startswith(f"{platform}:")}


def _sections(exchange: Exchange) -> list[CitedSection]:
    """Return the cited sections in their order, else the nearest ones."""
    if exchange.citations:
        return [CitedSection(each.document, each.title, each.section, each.url) for each in exchange.citations]
    return [CitedSection(each.document, each.title, each.section) for each in exchange.shown[:MAX_NEAREST]]


def _sentences(exchange: Exchange, documents: Collection[str]) -> tuple[str, ...]:
    """Return the sentences of the answer that rest on these documents alone."""
    cited = {each.number: each.document for each in exchange.citations}
    return tuple(
        sentence.text
        for sentence in exchange.sentences
        if sentence.citations and all(cited.get(number) in documents for number in sentence.citations)
    )


def _source(document: str) -> str:
    return document.partition("/")[0]


def _answer_key(answer: str) -> str:
    return f"{ESCALATIONS}answer:{answer}"


def _thread_key(thread: str) -> str:
    return f"{ESCALATIONS}thread:{thread}"
