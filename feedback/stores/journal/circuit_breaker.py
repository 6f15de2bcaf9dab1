"""Stops calls to a store that is known to be down, so that nobody waits for a timeout."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from feedback.errors import FeedbackUnavailable, UnknownExchange

T = TypeVar("T")


class CircuitBreaker:
    """Opens when a call raises `FeedbackUnavailable`, and lets a call through again after a wait.

    The wait, in seconds, is doubled with each failure in a row up to the longest. Threads may share one.
    """

    def __init__(self, *, first_wait: float, longest_wait: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.first_wait, self.longest_wait = first_wait, longest_wait
        self._clock = clock
        self._lock = threading.Lock()
        self._wait = first_wait
        self._failure: FeedbackUnavailable | None = None
        self._open_until = 0.0

    @property
    def wait(self) -> float:
        """Seconds from the last failure until a call is let through."""
        return self._wait

    def call(self, ask: Callable[[], T]) -> T:
        """Return what the call returns; while the circuit is open raise the last failure at once."""
        failure = self._failure
        if failure is not None and self._clock() < self._open_until:
            raise FeedbackUnavailable(str(failure)) from failure
        try:
            answer = ask()
        except FeedbackUnavailable as error:
            self.open(error)
            raise
        except UnknownExchange:
            self.close()
            raise
        self.close()
        return answer

    def open(self, failure: FeedbackUnavailable) -> None:
        """Let no call through for a while; the store is down."""
        with self._lock:
            if self._failure is not None:
                self._wait = min(2 * self._wait, self.longest_wait)
            self._failure, self._open_until = failure, self._clock() + self._wait

    def close(self) -> None:
        """Let every call through; the store is up."""
        if self._failure is not None:
            with self._lock:
                self._failure, self._wait = None, self.first_wait
