"""Looks things up in threads of its own, so that whoever waits for them waits no longer than they want to."""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from bot.errors import BotError

logger = logging.getLogger(__name__)

T = TypeVar("T")

THREADS = 16
# For what takes minutes: it must not delay what takes a moment.
SLOW_THREADS = 2
# Look-ups that an answer waits for come first: the platform limits how many are made in a minute.
DELAY_SECONDS = 3.0


class Lookups:
    """Runs look-ups in the background; one that is under way is not begun again. May be used from any thread.

    Those that are slow begin after `delay` seconds. Without `threads`, and once it is closed, each is done at once by
    whoever asks.
    """

    def __init__(self, threads: int = THREADS, *, delay: float = DELAY_SECONDS) -> None:
        self._delay = delay
        self._quick = ThreadPoolExecutor(threads, "lookup") if threads else None
        self._slow = ThreadPoolExecutor(SLOW_THREADS, "learning") if threads else None
        self._running: dict[str, Future[Any]] = {}
        self._lock = threading.RLock()
        self._closing = threading.Event()

    def start(self, name: str, do: Callable[[], T], *, slow: bool = False) -> "Future[T]":
        """Call a function in the background, a `slow` one in threads of its own; its result is in the future.

        While a call of this name waits or runs no other is begun, and its future is returned.
        """
        pool = self._slow if slow else self._quick
        with self._lock:
            future = self._running.get(name)
            if future is None and pool and not self._closing.is_set():
                future = self._running[name] = pool.submit(self._run, do, self._delay if slow else 0.0)
                future.add_done_callback(lambda _: self._ended(name))
        return future or _at_once(do)

    def pause(self, seconds: float) -> bool:
        """Wait so long in a slow look-up; False, at once, when the process ends, and the look-up is to be given up."""
        return not self._closing.wait(seconds if self._slow else 0.0)

    def close(self) -> None:
        """Give up what is slow, and let what takes a moment come to its end; a second time changes nothing."""
        with self._lock:
            self._closing.set()
        for pool in (self._slow, self._quick):
            if pool:
                pool.shutdown(wait=True, cancel_futures=True)

    def _run(self, do: Callable[[], T], delay: float) -> T:
        self._closing.wait(delay)
        return _logging(do)

    def _ended(self, name: str) -> None:
        with self._lock:
            self._running.pop(name, None)


def _logging(do: Callable[[], T]) -> T:
    """Call a function and log what it raises, as nobody may wait for its future."""
    try:
        return do()
    except BotError as error:
        logger.info("nothing was learned: %s", error)
        raise
    except Exception:
        logger.exception("nothing was learned")
        raise


def _at_once(do: Callable[[], T]) -> "Future[T]":
    future: Future[T] = Future()
    try:
        future.set_result(_logging(do))
    except Exception as error:  # noqa: BLE001 - whoever waits for it gets it
        future.set_exception(error)
    return future
