"""Remembers in the state store in which threads somebody has stopped the work, for all who are at work there."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from bot.channels.events import Place
from bot.errors import StateUnavailable
from bot.state.protocol import StateStore

logger = logging.getLogger(__name__)

# Longer than an event is tried again.
KEPT = timedelta(hours=2)


class StopMarks:
    """The stopped threads of one platform. They expire, and name no person."""

    def __init__(
        self, state: StateStore, platform: str, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._state = state
        self._platform = platform
        self._now = now

    def add(self, thread: Place, at: datetime) -> None:
        """Remember that what had been accepted in a thread by then was stopped; raises `StateUnavailable`."""
        if not self.covers(thread, at):
            self._state.put(self._key(thread), at.isoformat(), expires=self._now() + KEPT)

    def covers(self, thread: Place, accepted: datetime) -> bool:
        """Whether what was accepted in a thread at this time has been stopped since; no while that cannot be told."""
        try:
            known = self._state.get(self._key(thread), now=self._now())
        except StateUnavailable as error:
            logger.warning("whether an answer was stopped cannot be told: %s", error)
            return False
        return known is not None and accepted <= datetime.fromisoformat(known)

    def _key(self, thread: Place) -> str:
        return f"{self._platform}:stop:{thread.thread_key}"
