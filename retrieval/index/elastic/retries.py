"""Tries requests again that fail in passing: a read for as long as somebody waits for it, a write for longer."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from elasticsearch import ApiError
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt

from retrieval.index.elastic.client import PartialResponse

# Statuses after which a read, and a write, is tried again.
TRANSIENT = frozenset({429, 500, 502, 503, 504})
BUSY = frozenset({429, 502, 503, 504})

Response = TypeVar("Response")


class Busy(Exception):
    """A part of a write that was turned away for now."""


@dataclass(frozen=True, slots=True)
class Retries:
    """How often, and for how many seconds, failed requests are tried again.

    A read is tried until `patience` is over, a write `tries` times with pauses that grow up to `longest_pause`.
    `clock`, `sleep` and `jitter` (a number from 0 to 1 that keeps clients from coming together) are for tests.
    """

    patience: float = 3.0
    tries: int = 8
    longest_pause: float = 15.0
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = random.random

    def read(self, request: Callable[[], Response]) -> Response:
        """Make a request until it succeeds; raises its last error.

        A node that has just died is waited out: Elasticsearch itself turns to another copy only within one phase of a
        search.
        """
        deadline = self.clock() + self.patience
        retrying = Retrying(
            retry=retry_if_exception(_is_transient),
            stop=lambda state: self.clock() > deadline,
            wait=lambda state: 0.05 + 0.25 * self.jitter(),
            sleep=self.sleep,
            reraise=True,
        )
        return retrying(request)

    def write(self, request: Callable[[], Response], *, fence: Callable[[], None] = lambda: None) -> Response:
        """Make a request until the server is no longer too busy for it; raises its last error.

        `fence` runs before each try, and raises when another process may be writing by now.
        """

        def fenced() -> Response:
            fence()
            return request()

        retrying = Retrying(
            retry=retry_if_exception(_is_busy),
            stop=stop_after_attempt(self.tries),
            wait=self._pause,
            sleep=self.sleep,
            reraise=True,
        )
        return retrying(fenced)

    def _pause(self, state: RetryCallState) -> float:
        pause = min(self.longest_pause, 0.2 * 2 ** (state.attempt_number - 1))
        return float(pause * (0.5 + self.jitter()))


def _is_transient(error: BaseException) -> bool:
    return isinstance(error, PartialResponse | ApiError) and error.status_code in TRANSIENT


def _is_busy(error: BaseException) -> bool:
    return isinstance(error, Busy) or (isinstance(error, ApiError) and error.status_code in BUSY)


RETRIES = Retries()
