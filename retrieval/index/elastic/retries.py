"""What fails in passing is tried again: a read for as long as somebody waits for it, a write for longer."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from elasticsearch import ApiError

from retrieval.index.elastic.client import PartialAnswer

# A search that broke off because a node died is asked again for so long; other copies answer at once.
PATIENCE = 3.0
PASSING = frozenset({429, 500, 502, 503, 504})

TRIES = 8
LONGEST_PAUSE = 15.0
BUSY = frozenset({429, 502, 503, 504})

Answer = TypeVar("Answer")


def retry_read(
    ask: Callable[[], Answer],
    *,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
    jitter: Callable[[], float] = random.random,
) -> Answer:
    """What `ask` gives; what hinders it only in passing, as a node that has just died, is waited out.

    Elasticsearch itself turns to another copy only within one phase of a search.
    """
    until = clock() + PATIENCE
    while True:
        try:
            return ask()
        except (PartialAnswer, ApiError) as error:
            if error.status_code not in PASSING or clock() > until:
                raise
        pause(0.05 + 0.25 * jitter())


def retry_write(
    write: Callable[[], Answer],
    *,
    fence: Callable[[], None] = lambda: None,
    pause: Callable[[float], None] = time.sleep,
    jitter: Callable[[], float] = random.random,
) -> Answer:
    """What `write` gives, tried again while the server is too busy for it; `fence` may refuse before each try."""
    for attempt in range(TRIES - 1):
        fence()
        try:
            return write()
        except ApiError as error:
            if error.status_code not in BUSY:
                raise
        pause(pause_after(attempt, jitter()))
    fence()
    return write()


def pause_after(attempt: int, jitter: float) -> float:
    """Seconds to wait after this try, the first being 0; `jitter` from 0 to 1 keeps clients from coming together."""
    return float(min(LONGEST_PAUSE, 0.2 * 2**attempt) * (0.5 + jitter))
