"""Runs what may be lost (notes, forms, pages) in threads of its own, after a platform was acknowledged."""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from itertools import count
from typing import Any

from bot.channels.port import NotDelivered, Refused

logger = logging.getLogger(__name__)


class BackgroundWorkers:
    """Calls functions soon, in so many `threads`, and logs what they raise; may be used from any thread.

    Up to `most_waiting` calls wait; what comes then is dropped. Of several with the same key that wait only the newest
    is made, and no two at a time: what an older one reads never overwrites what a newer one has shown.
    """

    def __init__(self, name: str, *, threads: int, most_waiting: int) -> None:
        self._name = name
        self._most_waiting = most_waiting
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._lock = threading.Lock()
        self._waiting: dict[str, Callable[[], object]] = {}  # in the order in which they came
        self._running: set[str] = set()
        self._numbers = count()

    def __call__(self, do: Callable[..., object], *arguments: Any, key: str = "") -> None:
        """Return at once, and make this call soon; it takes the place of one with the same key that waits."""
        with self._lock:
            name = key or f"#{next(self._numbers)}"
            if name not in self._waiting and len(self._waiting) >= self._most_waiting:
                logger.warning("%s: too much waits, so something that may be lost is dropped", self._name)
                return
            self._waiting[name] = partial(do, *arguments)
        self._wake()

    def stop(self) -> None:
        """Finish what was begun; what waits is dropped, and so are later calls."""
        with self._lock:
            self._waiting.clear()
        self._pool.shutdown(wait=True)

    def _wake(self) -> None:
        with suppress(RuntimeError):  # after the end nothing is begun
            self._pool.submit(self._run_next)

    def _run_next(self) -> None:
        with self._lock:
            name = next((each for each in self._waiting if each not in self._running), None)
            if name is None:
                return
            do = self._waiting.pop(name)
            self._running.add(name)
        suppress_errors(do)
        with self._lock:
            self._running.discard(name)
            comes_again = name in self._waiting
        if comes_again:  # whoever was woken for it has found it running
            self._wake()


class BackgroundPools:
    """The workers of one platform: whoever opens a `form` waits neither for `pages` nor for `notes`."""

    def __init__(self, name: str) -> None:
        self.forms = BackgroundWorkers(f"{name}-forms", threads=8, most_waiting=100)
        self.pages = BackgroundWorkers(f"{name}-pages", threads=4, most_waiting=500)
        self.notes = BackgroundWorkers(f"{name}-notes", threads=8, most_waiting=500)

    def stop(self) -> None:
        """Stop all of them."""
        for workers in (self.forms, self.notes, self.pages):
            workers.stop()


def suppress_errors(do: Callable[[], object]) -> None:
    """Call something that may be lost; an error is logged."""
    try:
        do()
    except (Refused, NotDelivered) as error:
        logger.warning("%s", error)
    except Exception:
        logger.exception("something that may be lost was lost")
