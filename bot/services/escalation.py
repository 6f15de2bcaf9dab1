"""Passes a question on to the owners of the documents, and makes their accepted reply the correction of the answer.

The state store keeps where a question went. Question, answer and reply are kept nowhere but in the feedback store,
from which `forget` erases them.
"""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.access.disclosure import DisclosureGate
from bot.config.settings import Source
from bot.errors import BotError, StateUnavailable, UsageProblem
from bot.services.audit import no_audit
from bot.services.reply_support import ReplySupport, SectionText, check_reply
from bot.services.votes import MAX_CHARACTERS
from bot.state.protocol import StateStore
from feedback.errors import UnknownExchange
from feedback.records import Correction, Decision, Exchange, RetrievedPassage, StoredCitation
from feedback.stores.protocol import FeedbackStore

NO_OWNER = "Nobody is named for these documents, so I cannot pass your question on."
NO_LONGER_KEPT = "This question is no longer kept, so I cannot pass it on."
ALREADY_PASSED_ON = "Your question has been passed on already. The reply will appear in its conversation."
# How many of the nearest sections are named of an abstention.
MAX_NEAREST = 3
REPLY_WITHIN = timedelta(days=30)
# What the keys of the state store begin with.
ESCALATIONS = "escalation:"
WORKDAYS = 5  # of a week, which begins with Monday


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

    Of documents without an owner's channel, `default_channel` is asked, where one is named. Methods raise
    `StateUnavailable` when the state store cannot be reached, and may then be called again.
    """

    def __init__(
        self,
        *,
        feedback: FeedbackStore,
        state: StateStore,
        gate: DisclosureGate,
        sources: Sequence[Source],
        default_channel: str = "",
        language: str = "english",
        pseudonym: Callable[[str], str],
        clock: Callable[[], datetime],
        audit: Callable[..., None] = no_audit,
    ) -> None:
        self._audit = audit
        self._default_channel = default_channel
        self._language = language
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
            default_channel=self._default_channel,
            platform=platform,
            place=place,
            readable=lambda channel, documents: self._readable(exchange, documents, readers(channel)),
        )
        if escalation is None:
            raise EscalationRefused(NO_OWNER)
        return escalation

    def _readable(self, exchange: Exchange, documents: Collection[str], groups: frozenset[str]) -> frozenset[str]:
        """Return those of these documents of which readers of these groups may see what the exchange holds."""
        may_name = self._gate.naming(documents, groups)
        held: tuple[StoredCitation | RetrievedPassage, ...] = (*exchange.citations, *exchange.shown)
        closed = {each.document for each in held if not may_name(each, exchange.groups)}
        return frozenset(documents) - closed

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

    def question(self, escalation: OpenEscalation) -> str:
        """Return the question that was passed on, to compare a reply with; empty where it is no longer kept."""
        try:
            return self._feedback.exchange(escalation.answer).question
        except UnknownExchange:
            return ""

    def claim(self, escalation: Escalation, *, by: str) -> bool:
        """Claim the right to pass a question on; False when another did already, so that owners see it once."""
        now, key = self._clock(), answer_key(escalation.answer)
        if self._state.add(key, json.dumps({"by": by}), expires=now + REPLY_WITHIN, now=now):
            return True
        return read_row(self._state.get(key, now=now)).get("by") == by

    def release(self, answer: str, *, by: str) -> None:
        """Give a claim back when the question could not be passed on, so that it may be tried again.

        Nothing changes where the claim is another's, or the question was passed on.
        """
        claimed = read_row(self._state.get(answer_key(answer), now=self._clock()))
        if claimed.get("by") == by and not claimed.get("thread"):
            self._state.remove(answer_key(answer))

    def record_thread(self, escalation: Escalation, thread: str, *, by: str = "") -> None:
        """Record the thread in which the owners were asked, `by` whose claim; its name is the platform's own."""
        row = {"answer": escalation.answer, "channel": escalation.channel, "place": escalation.place}
        expires = self._clock() + REPLY_WITHIN
        self._state.put(_thread_key(thread), json.dumps(row), expires=expires)
        self._state.put(answer_key(escalation.answer), json.dumps({"by": by, "thread": thread}), expires=expires)

    def find_by_thread(self, thread: str) -> OpenEscalation | None:
        """Return the question whose owners were asked in this thread, or in that of this reply of theirs.

        None for another thread or message, and after a month.
        """
        now = self._clock()
        row = self._state.get(_thread_key(thread), now=now)
        if row is None and (reply := self._state.get(reply_key(thread), now=now)):
            row = self._state.get(_thread_key(str(read_row(reply).get("thread"))), now=now)
        if row is None:
            return None
        try:
            return OpenEscalation(**json.loads(row))
        except (ValueError, TypeError) as error:
            raise StateUnavailable("a question that was passed on cannot be read") from error

    def support(
        self, escalation: OpenEscalation, reply: str, readers: Callable[[str], frozenset[str]]
    ) -> ReplySupport | None:
        """Compare a reply with those sections of the escalation that the people of its channel may read now.

        None where there are none any more. Raises what `compose` raises, but for `EscalationRefused`.
        """
        platform = escalation.channel.partition(":")[0]
        try:
            shown = self.compose(escalation.answer, platform=platform, place=escalation.place, readers=readers)
        except EscalationRefused:
            return None
        if shown.channel != escalation.channel:
            return None
        return check_reply(reply, _section_texts(self._feedback.exchange(shown.answer), shown), language=self._language)

    def accept(
        self, escalation: OpenEscalation, reply: str, *, author: str, user: str, key: str, event: str = ""
    ) -> None:
        """Make a reply the correction of the answer: `author` wrote it, `user` accepts it.

        `key` names the reply and `event` what asks for this, so that to do it again changes nothing. Raises
        `UsageProblem` for a reply that cannot be a correction, and `FeedbackError`.
        """
        text = reply.strip()
        if not text:
            raise UsageProblem("there is no text in this reply")
        if len(text) > MAX_CHARACTERS:
            raise UsageProblem(f"the reply has {len(text)} characters; at most {MAX_CHARACTERS} are kept")
        now, answer, correction = self._clock(), escalation.answer, f"reply:{key}"
        self._feedback.correct(Correction(correction, answer, self._pseudonym(author), now, text))
        reviewer = self._pseudonym(user)
        if self._feedback.decide(Decision(f"accepted:{key}:{event}", answer, reviewer, now, "accept", correction, "")):
            self._audit("reviewed: accept", by=user, about=answer)

    def take_back(self, escalation: OpenEscalation, *, author: str, key: str, event: str) -> None:
        """Let a reply that was accepted be the correction no more, as its `author` has changed or deleted it.

        `key` and `event` are as for `accept`. Raises `FeedbackError`.
        """
        now, answer, reviewer = self._clock(), escalation.answer, self._pseudonym(author)
        decision = Decision(f"taken-back:{key}:{event}", answer, reviewer, now, "reject", f"reply:{key}", "")
        with suppress(UnknownExchange):  # nothing is learned from what is not kept
            if self._feedback.decide(decision):
                self._audit("reviewed: reject", by=author, about=answer)


def compose_escalation(
    exchange: Exchange,
    sources: Sequence[Source],
    *,
    default_channel: str = "",
    platform: str,
    place: str,
    readable: Callable[[str, Collection[str]], frozenset[str]],
) -> Escalation | None:
    """Return what is passed on of an exchange, and to whom; None where its documents have no owner there.

    The owners are those of the section that is cited first, of an abstention the nearest; of documents without an
    owner's channel, the next; where none has one, whoever reads `default_channel`. `readable` gives those of some
    documents that the people of a channel may read.
    """
    if exchange.pruned:
        return None
    sections = _sections(exchange)
    channel = owner_channel([section.document for section in sections], sources, default_channel, platform=platform)
    if not channel:
        return None
    owners = _owners(sources, platform)
    documents = {section.document for section in sections}
    owned = {each for each in documents if owners.get(_source(each), default_channel) == channel}
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


def owner_channel(documents: Sequence[str], sources: Sequence[Source], default_channel: str, *, platform: str) -> str:
    """Return where a question is passed on whose answer rests on these documents: to the owners of the first with any.

    Else it is the default channel of this platform; empty where nobody can be asked.
    """
    owners = _owners(sources, platform)
    default = default_channel if default_channel.startswith(f"{platform}:") else ""
    return next((owners[name] for each in documents if (name := _source(each)) in owners), default)


def _owners(sources: Sequence[Source], platform: str) -> Mapping[str, str]:
    """Return the channel of this platform where the owners are asked, by source."""
    return {each.name: each.owner_channel for each in sources if each.owner_channel.startswith(f"{platform}:")}


def _section_texts(exchange: Exchange, escalation: Escalation) -> list[SectionText]:
    """Return what was found of the sections that an escalation shows."""
    shown = {(each.document, each.section) for each in escalation.sections}
    passages = [(each.document, each.section, each.title, each.text) for each in exchange.shown]
    quotes = [(each.document, each.section, each.title, each.quote) for each in exchange.citations]
    return [
        SectionText(title, section, f"{title}\n\n{section}\n\n{text}")
        for document, section, title, text in (passages or quotes)
        if (document, section) in shown
    ]


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


def after_working_day(at: datetime) -> datetime:
    """Return when a working day has passed: Monday to Friday, in UTC; Saturday and Sunday count as Monday's begin."""
    days = 8 - at.isoweekday() if at.isoweekday() > WORKDAYS else 0
    start = (at + timedelta(days=days)).replace(hour=0, minute=0, second=0, microsecond=0) if days else at
    return start + timedelta(days=3 if start.isoweekday() == WORKDAYS else 1)


def answer_key(answer: str) -> str:
    """Return the key under which it is kept that a question was passed on."""
    return f"{ESCALATIONS}answer:{answer}"


def reply_key(message: str) -> str:
    """Return the key under which it is kept what became of a reply, by its name on the platform."""
    return f"{ESCALATIONS}reply:{message}"


def _thread_key(thread: str) -> str:
    return f"{ESCALATIONS}thread:{thread}"


def read_row(value: str | None) -> Mapping[str, str]:
    """Return a row of the state store; empty for none, and for what an earlier version wrote."""
    try:
        row = json.loads(value or "{}")
    except ValueError:
        return {}
    return row if isinstance(row, dict) else {}
