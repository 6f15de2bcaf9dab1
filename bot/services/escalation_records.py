"""Remembers in the state store what became of questions that were passed on: replies, signs, what was withdrawn.

Nothing here holds what anybody wrote. Every value names the answer that it is about, so that it is erased with it, and
a reply also its author. Everything expires.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Literal

from bot.services.escalation import ESCALATIONS, REPLY_WITHIN, answer_key, read_row, reply_key
from bot.state.protocol import Event, StateStore
from bot.state.schedule import schedule

# Of a question that is edited again and again.
MOST_ANSWERS = 50

Progress = Literal["asked", "answered", "accepted", "withdrawn"]


@dataclass(frozen=True, slots=True)
class ExpertReply:
    """What an expert wrote in the `thread` of a question, by names of the platform.

    `version` names the words that whoever asked has, in `messages` in order; both are empty where it was not sent.
    `note` is the bot's message below it; `accepted` is the version that was accepted as the right answer;
    `is_withdrawn` says that it was sent once and taken back.
    """

    answer: str
    thread: str
    author: str
    version: str = ""
    messages: tuple[str, ...] = ()
    note: str = ""
    accepted: str = ""
    is_withdrawn: bool = False

    @property
    def is_sent(self) -> bool:
        """Whether whoever asked has it."""
        return bool(self.messages)


def version_of(text: str, files: tuple[str, ...] = ()) -> str:
    """Return the name of these words, and of no others."""
    return hashlib.sha256(json.dumps([text, *files]).encode()).hexdigest()[:16]


class EscalationRecords:
    """What became of questions that were passed on; every method raises `StateUnavailable`.

    `thread` and `message` are threads and messages by their name on the platform (`Place.thread_name`).
    """

    def __init__(self, state: StateStore, *, now: Callable[[], datetime]) -> None:
        self._state = state
        self._now = now

    def follow(self, answer: str, *, earlier: str) -> None:
        """Remember that an answer has taken the place of an earlier one, so that both are withdrawn together."""
        if earlier and earlier != answer:
            self._put(f"{ESCALATIONS}earlier:{answer}", earlier)

    def threads_of(self, answer: str) -> list[str]:
        """Return the threads in which owners were asked about an answer, or about those whose place it has taken."""
        threads, names = [], [answer]
        while names[-1] and len(names) <= MOST_ANSWERS:
            threads.append(self._thread_of(names[-1]))
            names.append(self._get(f"{ESCALATIONS}earlier:{names[-1]}") or "")
        return [thread for thread in threads if thread]

    def reply(self, message: str) -> ExpertReply | None:
        """Return what is known of a reply; None for any other message."""
        found = self._get(reply_key(message))
        if found is None:
            return None
        row = json.loads(found)
        return ExpertReply(**row | {"messages": tuple(row["messages"])})

    def save_reply(self, message: str, reply: ExpertReply) -> None:
        """Remember what became of a reply."""
        self._put(reply_key(message), json.dumps(asdict(reply)))
        sent = _sent_key(reply.thread, message)
        if reply.is_sent:
            self._put(sent, reply.answer)
        else:
            self._state.remove(sent)

    def sent(self, thread: str) -> list[ExpertReply]:
        """Return the replies of a thread that whoever asked has."""
        prefix = _sent_key(thread, "")
        names = (key.removeprefix(prefix) for key in self._state.keys(prefix, now=self._now()))
        return [reply for name in names if (reply := self.reply(name))]

    def mark_deleted(self, message: str, *, answer: str) -> None:
        """Remember that a message was deleted, whatever is told of it later."""
        self._put(f"{ESCALATIONS}deleted:{message}", answer)

    def was_deleted(self, message: str) -> bool:
        """Whether a message was deleted."""
        return self._get(f"{ESCALATIONS}deleted:{message}") is not None

    def save_sign(self, thread: str, sign: str, *, answer: str) -> None:
        """Remember the message in the question's place that tells what became of it."""
        self._put(f"{ESCALATIONS}sign:{thread}", json.dumps({"answer": answer, "sign": sign}))

    def sign(self, thread: str) -> str:
        """Return the message that tells what became of a question; empty for none."""
        return str(read_row(self._get(f"{ESCALATIONS}sign:{thread}")).get("sign") or "")

    def withdraw(self, thread: str, *, answer: str) -> None:
        """Remember that a question was deleted by whoever asked it."""
        self._put(f"{ESCALATIONS}withdrawn:{thread}", answer)

    def progress(self, thread: str) -> Progress:
        """Return how far the question of a thread has come."""
        if self._get(f"{ESCALATIONS}withdrawn:{thread}") is not None:
            return "withdrawn"
        sent = self.sent(thread)
        if any(each.accepted == each.version for each in sent):
            return "accepted"
        return "answered" if sent else "asked"

    def remind(self, event: Event, at: datetime) -> None:
        """Keep the event that reminds owners until it is time."""
        schedule(self._state, event, at)

    def _thread_of(self, answer: str) -> str:
        return str(read_row(self._get(answer_key(answer))).get("thread") or "")

    def _put(self, name: str, value: str) -> None:
        self._state.put(name, value, expires=self._now() + REPLY_WITHIN)

    def _get(self, name: str) -> str | None:
        return self._state.get(name, now=self._now())


def _sent_key(thread: str, message: str) -> str:
    return f"{ESCALATIONS}sent:{thread}/{message}"
