"""Remembers in the state store what became of single messages of a platform; no word and no person is in it.

The id of a message is the identity of a question, whatever events tell of it. Everything expires.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.channels.events import Place
from bot.state.protocol import StateStore

KEPT = timedelta(days=90)
# Longer than a platform delivers the message itself again after its deletion.
GONE_FOR = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class AcceptedMessage:
    """A message that was taken for a question: its thread, and whether it was written to the bot.

    `thread` is empty for one that begins a thread, and of what an earlier version accepted.
    """

    thread: str = ""
    addressed: bool = True


class MessageRecords:
    """The memory of one platform's messages; every method that looks something up raises `StateUnavailable`."""

    def __init__(
        self,
        state: StateStore,
        platform: str,
        *,
        keyed_hash: Callable[[str], str],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._state = state
        self._platform = platform
        self._keyed_hash = keyed_hash
        self._now = now

    def keyed_content(self, content: str) -> str:
        """Return the keyed hash of a message's content, from which nobody can guess its words; empty for none."""
        return self._keyed_hash(f"content:{content}") if content else ""

    def mark_accepted(self, message: Place, *, addressed: bool = True) -> None:
        """Remember that a message was accepted as a question, and whether it was written to the bot."""
        self._put("asked", message, json.dumps({"thread": message.thread, "addressed": addressed}))

    def accepted(self, message: Place) -> AcceptedMessage | None:
        """Return what is known of a message that was accepted as a question; None for any other."""
        found = self._get("asked", message)
        if found is None:
            return None
        row = json.loads(found)
        return AcceptedMessage(row["thread"], row["addressed"]) if isinstance(row, dict) else AcceptedMessage()

    def mark_edited(self, message: Place, version: str) -> None:
        """Remember that a version of a message was accepted; one that is older than another changes nothing."""
        if version > self.newest_version(message):
            self._put("edited", message, version)

    def newest_version(self, message: Place) -> str:
        """Return the newest version of a message that was accepted; empty where it was never edited."""
        return self._get("edited", message) or ""

    def mark_deleted(self, message: Place) -> None:
        """Remember that a message was deleted, whoever wrote it."""
        self._put("gone", message, "1", kept=GONE_FOR)

    def was_deleted(self, message: Place) -> bool:
        """Whether a message was deleted in the last days."""
        return self._get("gone", message) is not None

    def mark_withdrawn(self, answer: str) -> None:
        """Remember that an answer stands nowhere any more: its question was edited or deleted."""
        if answer:
            self._state.put(f"{self._platform}:withdrawn:{answer}", "1", expires=self._now() + KEPT)

    def was_withdrawn(self, answer: str) -> bool:
        """Whether an answer stands nowhere any more."""
        return bool(answer) and self._state.get(f"{self._platform}:withdrawn:{answer}", now=self._now()) is not None

    def _put(self, name: str, message: Place, value: str, *, kept: timedelta = KEPT) -> None:
        self._state.put(self._key(name, message), value, expires=self._now() + kept)

    def _get(self, name: str, message: Place) -> str | None:
        return self._state.get(self._key(name, message), now=self._now())

    def _key(self, name: str, message: Place) -> str:
        return f"{self._platform}:{name}:{message.message_key}"
