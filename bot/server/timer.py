"""Puts events whose time has come into the queue, once a minute."""

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime

from bot.errors import StateUnavailable
from bot.server.job_queue import JobQueue
from bot.state.protocol import StateStore
from bot.state.schedule import accept_due

logger = logging.getLogger(__name__)

INTERVAL_SECONDS = 60.0


def _now() -> datetime:
    return datetime.now(UTC)


class Timer:
    """One replica's look at what was scheduled, from `start` to `stop`; all replicas may look."""

    def __init__(
        self,
        store: StateStore,
        queue: JobQueue,
        *,
        interval: float = INTERVAL_SECONDS,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self._store = store
        self._queue = queue
        self._interval = interval
        self._clock = clock
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="timer", daemon=True)

    def start(self) -> None:
        """Look now, and again after each interval."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more; before `start`, and a second time, nothing changes."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(self._interval)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                accept_due(self._store, lambda event: self._queue.accept(event) != "busy", now=self._clock())
            except Exception as error:
                # What nobody thought of costs one look: the next may succeed.
                unexpected = None if isinstance(error, StateUnavailable) else error
                logger.warning("what is due cannot be looked for: %s", error, exc_info=unexpected)
            self._stopping.wait(self._interval)
