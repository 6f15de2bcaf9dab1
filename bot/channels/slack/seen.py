"""Remembers when Slack last told us something, by kind, for all replicas; of whom or what it told is not remembered."""

import logging
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.channels.slack.install.scopes import EVENTS
from bot.errors import StateUnavailable
from bot.state.protocol import StateStore

logger = logging.getLogger(__name__)

# A signed request of any kind, the check of the address included; and anything that somebody has done.
SIGNED, ANYTHING = "signed", "anything"
COMMAND, PRESSED = "command", "pressed"
KEPT = timedelta(days=90)
# How often the shared state is told of the same kind, by each replica.
WRITTEN_AGAIN = timedelta(minutes=1)
# How an event of a message is subscribed to, by the kind of its channel.
_MESSAGES = {"channel": "message.channels", "group": "message.groups", "im": "message.im", "mpim": "message.mpim"}


class SeenEvents:
    """When each kind was last seen; `background` writes it down. May be used from any thread."""

    def __init__(
        self,
        state: StateStore,
        *,
        background: Callable[..., None] = lambda do, *arguments, key: do(*arguments),
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._state = state
        self._background = background
        self._now = now
        self._lock = threading.Lock()
        self._seen: dict[str, datetime] = {}
        self._written: dict[str, datetime] = {}

    def saw(self, kind: str) -> None:
        """Note that this was seen now; returns at once, and raises nothing."""
        now = self._now()
        with self._lock:
            self._seen[kind] = now
            is_due = now - self._written.get(kind, datetime.min.replace(tzinfo=UTC)) >= WRITTEN_AGAIN
            if is_due:
                self._written[kind] = now
        if is_due:
            self._background(self._write, kind, now, key=f"seen:{kind}")

    def saw_payload(self, body: Mapping[str, Any]) -> None:
        """Note what a payload is."""
        self.saw(ANYTHING)
        if kind := kind_of(body):
            self.saw(kind)

    def last(self, kind: str) -> datetime | None:
        """Return when this was last seen by any replica; None for never, or while what others saw cannot be read."""
        try:
            kept = self._state.get(_key(kind), now=self._now())
            found = datetime.fromisoformat(kept) if kept else None
        except (StateUnavailable, ValueError):
            found = None
        with self._lock:
            own = self._seen.get(kind)
        return max((each for each in (own, found) if each), default=None)

    def last_here(self) -> float:
        """Return when this process was last told anything, in seconds since 1970; 0 for never."""
        with self._lock:
            own = self._seen.get(ANYTHING)
        return own.timestamp() if own else 0.0

    def _write(self, kind: str, at: datetime) -> None:
        try:
            self._state.put(_key(kind), at.isoformat(), expires=at + KEPT)
        except StateUnavailable as error:
            logger.info("what was seen is not written down: %s", error)


def kind_of(body: Mapping[str, Any]) -> str:
    """Return what a payload is, events by the name that they are subscribed by; empty for what is nothing of these."""
    event = body.get("event")
    if isinstance(event, dict):
        kind = str(event.get("type") or "")
        kind = _MESSAGES.get(str(event.get("channel_type")), "") if kind == "message" else kind
        return kind if kind in EVENTS else ""
    return COMMAND if body.get("command") else PRESSED if body.get("actions") or body.get("view") else ""


def _key(kind: str) -> str:
    return f"slack:seen:{kind}"
