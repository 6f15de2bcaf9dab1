"""How long feedback is kept: what is too old goes once a day, beside whatever else is done then."""

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from feedback.errors import FeedbackError
from feedback.stores.protocol import FeedbackStore

logger = logging.getLogger(__name__)

DAY_SECONDS = 24 * 3600


class Retention:
    """Lets go of words and of exchanges after so many days; 0 keeps them for ever.

    When it was last done is the time of a file in the state folder, so that commands that live for a second know it
    too; several processes may do it at once.
    """

    def __init__(self, store: Callable[[], FeedbackStore], marker: Path, *, words: int, exchanges: int) -> None:
        self._store = store
        self._marker = marker
        self._words, self._exchanges = words, exchanges
        self._next_look = 0.0

    def prune(self) -> tuple[int, int]:
        """Do it now; tells how many exchanges lost their words, and how many are gone."""
        now = datetime.now(UTC)
        words, all_of_it = (now - timedelta(days=days) if days else None for days in (self._words, self._exchanges))
        return self._store().prune(words=words, all_of_it=all_of_it)

    def look(self) -> None:
        """Do it in a thread if the last time is a day ago; costs nothing otherwise, and never fails.

        The process ends when it is done. Nothing is done on the first day, when nothing can be old.
        """
        if time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + DAY_SECONDS / 24
        try:
            due = self._marker.exists() and time.time() - self._marker.stat().st_mtime > DAY_SECONDS
            if due or not self._marker.exists():
                self._marker.parent.mkdir(parents=True, exist_ok=True)
                self._marker.touch(mode=0o600)
        except OSError as error:
            logger.warning("old feedback is not let go of: %s cannot be written (%s)", self._marker, error)
            return
        if due and (self._words or self._exchanges):
            threading.Thread(target=self._quietly, name="retention").start()

    def _quietly(self) -> None:
        try:
            bare, gone = self.prune()
        except FeedbackError as error:
            logger.warning("old feedback could not be let go of; it is tried again tomorrow: %s", error)
        else:
            logger.info("old feedback: %d exchanges lost their words, %d are gone", bare, gone)
