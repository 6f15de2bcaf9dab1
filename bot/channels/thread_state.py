"""Remembers in the state store where a platform's answers are, who takes part in threads, and who voted.

Apart from private answers that may still be shared, nothing here holds what anybody wrote. Everything expires.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from bot.channels.events import Place
from bot.channels.message_records import KEPT, MessageRecords
from bot.state.protocol import StateStore, person_prefix, unkeyed_name

SHAREABLE = timedelta(hours=2)

# Nobody has asked in a thread; somebody has; and people have spoken to each other since.
ThreadStatus = Literal["", "asked", "interrupted"]
INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class AnswerLocation:
    """Where the answer to a message is: its thread, the ids of its messages in order, and the answer's id.

    `answer` is empty where nothing was recorded. `version` and `content` are those of the message as it was answered
    (see `IncomingEvent`), `content` under a keyed hash; empty where that is not known.
    """

    thread: str
    messages: tuple[str, ...]
    answer: str
    version: str = ""
    content: str = ""


class ThreadState:
    """The memory of one platform's threads; every method raises `StateUnavailable`.

    `pseudonym` gives a person (`PLATFORM:ID`) the keyed hash under which they are remembered, so that they can be
    forgotten.
    """

    def __init__(
        self,
        state: StateStore,
        platform: str,
        *,
        pseudonym: Callable[[str], str],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._state = state
        self._platform = platform
        self._pseudonym = pseudonym
        self._now = now
        self.messages = MessageRecords(state, platform, keyed_hash=pseudonym, now=now)

    def save_answer(self, question: Place, location: AnswerLocation) -> None:
        """Remember where the answer to a message is; a later one replaces it."""
        row: dict[str, Any] = {"thread": location.thread, "ts": location.messages, "answer": location.answer}
        row |= {"version": location.version} if location.version else {}
        # Beside an answer's id alone, by which whoever is forgotten is found.
        row |= {"content": location.content} if location.content and location.answer else {}
        self._put(f"answer:{question.message_key}", json.dumps(row))
        for message in location.messages if location.answer else ():
            self._put(f"message:{question.workspace}:{question.channel}:{message}", location.answer)
            if location.thread != message:
                self._put(f"within:{question.workspace}:{question.channel}:{message}", location.thread)

    def answer_location(self, question: Place) -> AnswerLocation | None:
        """Return where the answer to a message is, None for no answer."""
        found = self._get(f"answer:{question.message_key}")
        if found is None:
            return None
        row = json.loads(found)
        version, content = row.get("version", ""), row.get("content", "")
        return AnswerLocation(row["thread"], tuple(row["ts"]), row["answer"], version, content)

    def answer_shown_by(self, message: Place) -> str | None:
        """Return the id of the recorded answer that a message of the bot shows; None for any other message."""
        return self._get(f"message:{message.message_key}")

    def thread_of(self, message: Place) -> Place:
        """Return the thread that a message of the bot which shows a recorded answer is in, else its channel."""
        return message.in_thread(self._get(f"within:{message.message_key}") or "")

    def add_asker(self, thread: Place, user: str) -> None:
        """Remember that somebody has asked in a thread."""
        self._put(f"thread:{thread.thread_key}", "1")
        self._state.put(self._asker(thread, user), "1", expires=self._now() + KEPT)

    def remove_asker(self, thread: Place, user: str) -> None:
        """Remember no more that somebody has asked in a thread, and that anybody has."""
        self._state.remove(f"{self._platform}:thread:{thread.thread_key}")
        self._state.remove(self._asker(thread, user))

    def mark_interrupted(self, thread: Place) -> None:
        """Remember that people have spoken to each other in a thread since somebody asked there."""
        self._put(f"thread:{thread.thread_key}", INTERRUPTED)

    def status(self, thread: Place) -> ThreadStatus:
        """Return what is known of a thread."""
        known = self._get(f"thread:{thread.thread_key}")
        return "" if known is None else "interrupted" if known == INTERRUPTED else "asked"

    def has_asked(self, thread: Place, user: str) -> bool:
        """Whether this person has asked in this thread."""
        known = self._state.get(self._asker(thread, user), now=self._now())
        return known is not None or self._get(f"asker:{thread.thread_key}:{unkeyed_name(user)}") is not None

    def take_turn(self, channel: Place, *, per_hour: int) -> bool:
        """Take one of the channel's answers of this hour; False when all are taken."""
        now = self._now()
        prefix = f"{self._platform}:turn:{channel.workspace}:{channel.channel}:{now:%Y%m%d%H}:"
        taken = len(self._state.keys(prefix, now=now))
        ends = now + timedelta(hours=1)
        return any(self._state.add(f"{prefix}{n}", "1", expires=ends, now=now) for n in range(taken, per_hour))

    def is_first(self, name: str, *, within: timedelta) -> bool:
        """Whether this is asked of a name for the first time within so long."""
        now = self._now()
        return self._state.add(f"{self._platform}:once:{name}", "1", expires=now + within, now=now)

    def save_shareable(self, channel: Place, answer: str, value: str) -> None:
        """Keep a private answer (JSON) for as long as it may be shared in its channel."""
        self._put(f"share:{channel.workspace}:{channel.channel}:{answer}", value, kept=SHAREABLE)

    def shareable(self, channel: Place, answer: str) -> str | None:
        """Return what was kept of a private answer; None when that is too long ago."""
        return self._get(f"share:{channel.workspace}:{channel.channel}:{answer}")

    def add_vote(self, person: str, answer: str) -> None:
        """Remember that a person (keyed hash) has voted on an answer."""
        at = self._now()
        self._state.put(f"{self._voted(person)}{answer}", f"{at:%Y-%m-%dT%H:%M:%S}", expires=at + KEPT)

    def voted_answers(self, person: str, *, limit: int) -> list[str]:
        """Return the answers that a person (keyed hash) voted on last, newest first."""
        prefix = self._voted(person)
        found = dict(self._state.values(prefix, now=self._now()))
        return [key.removeprefix(prefix) for key in sorted(found, key=lambda key: found[key], reverse=True)[:limit]]

    def _voted(self, person: str) -> str:
        return f"{person_prefix(person)}{self._platform}:voted:"

    def _asker(self, thread: Place, user: str) -> str:
        person = self._pseudonym(f"{self._platform}:{user}")
        return f"{person_prefix(person)}{self._platform}:asker:{thread.thread_key}"

    def _put(self, name: str, value: str, *, kept: timedelta = KEPT) -> None:
        self._state.put(f"{self._platform}:{name}", value, expires=self._now() + kept)

    def _get(self, name: str) -> str | None:
        return self._state.get(f"{self._platform}:{name}", now=self._now())
