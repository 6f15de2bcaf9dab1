"""Prunes feedback that is older than the settings keep it, once a day, when a question or a vote is recorded."""

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from feedback.errors import FeedbackError
from feedback.private_files import make_private, make_private_file, make_private_folder
from feedback.stores.protocol import FeedbackEraser

logger = logging.getLogger(__name__)

DAY_SECONDS = 24 * 3600


class Retention:
    """Removes words and exchanges after so many days; 0 keeps them for ever.

    The modification time of the file `marker` in the state folder is when it last ran, so that short-lived commands
    know it too; several processes may prune at once.
    """

    def __init__(
        self,
        *,
        feedback: FeedbackEraser,
        marker: Path,
        word_days: int,
        exchange_days: int,
        clock: Callable[[], datetime],
    ) -> None:
        self._feedback = feedback
        self._marker = marker
        self._word_days, self._exchange_days = word_days, exchange_days
        self._clock = clock
        self._next_look = 0.0

    def prune(self) -> tuple[int, int]:
        """Prune now; returns how many exchanges lost their words, and how many were removed."""
        now = self._clock()
        words, exchanges = (
            now - timedelta(days=days) if days else None for days in (self._word_days, self._exchange_days)
        )
        return self._feedback.prune(words_before=words, exchanges_before=exchanges)

    def prune_if_due(self) -> None:
        """Prune in a thread if the last time is a day ago; cheap otherwise, and never raises.

        The process waits for the thread before it ends. The first call in a state folder only creates the marker.
        """
        if time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + DAY_SECONDS / 24
        try:
            make_private(self._marker)
            due = self._marker.exists() and time.time() - self._marker.stat().st_mtime > DAY_SECONDS
            if due or not self._marker.exists():
                make_private_folder(self._marker.parent)
                make_private_file(self._marker)
                self._marker.touch()
        except OSError as error:
            logger.warning("old feedback is not let go of: %s cannot be written (%s)", self._marker, error)
            return
        if due and (self._word_days or self._exchange_days):
            threading.Thread(target=self._prune_logged, name="retention").start()

    def _prune_logged(self) -> None:
        try:
            stripped, removed = self.prune()
        except FeedbackError as error:
            logger.warning("old feedback could not be let go of; it is tried again tomorrow: %s", error)
        else:
            logger.info("old feedback: %d exchanges lost their words, %d are gone", stripped, removed)
