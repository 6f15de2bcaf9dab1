"""The time that an answer has: asked between steps and inside loops, so that whoever waits is told in time."""

import time
from collections.abc import Callable

from bot.errors import TookTooLong

CheckTime = Callable[[], None]
"""Raises `TookTooLong` once the time is over."""

CheckWanted = Callable[[], None]
"""Raises once nobody wants the answer any more; whoever waits for long calls it every second."""

# Seconds for a question, beside those that a model is given to write.
QUESTION_SECONDS = 60.0


def no_deadline() -> None:
    """Never raise: for work that nobody waits for."""


def always_wanted() -> None:
    """Never raise: for an answer that nobody can stop."""


class Deadline:
    """So many seconds from when it is made."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._end = clock() + seconds

    def check(self) -> None:
        """Raise `TookTooLong` once the time is over."""
        if self._clock() >= self._end:
            raise TookTooLong
