"""Runs the readiness checks in parallel, keeps their outcomes for a few seconds, and waits for none that hangs."""

import logging
import threading
import time
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future, wait
from dataclasses import dataclass

from bot.errors import BotError

logger = logging.getLogger(__name__)

FRESH_SECONDS = 5.0
TIMEOUT_SECONDS = 2.0
SLOW = "does not answer in time"

# Returns a few words on the state of something, or raises; the text of a `BotError` is shown, of nothing else.
HealthCheck = Callable[[], str]


@dataclass(frozen=True, slots=True)
class Health:
    """The outcome of one check; without what is `required` no question can be answered."""

    ok: bool
    detail: str
    required: bool


class Readiness:
    """Runs all checks at once, at most once in `fresh` seconds, and waits `timeout` seconds for them together."""

    def __init__(
        self,
        checks: Mapping[str, HealthCheck],
        *,
        optional: Collection[str] = (),
        fresh: float = FRESH_SECONDS,
        timeout: float = TIMEOUT_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`optional` are the names of checks that may fail while questions are still answered."""
        self._checks = checks
        self._optional = frozenset(optional)
        self._fresh, self._timeout, self._clock = fresh, timeout, clock
        self._lock = threading.Lock()
        self._checked_at = float("-inf")
        self._outcomes: dict[str, Health] = {}
        self._running: dict[str, Future[Health]] = {}

    def __call__(self) -> Mapping[str, Health]:
        """The outcome of each check, `fresh` seconds old at most; one that hangs has failed until it returns."""
        with self._lock:
            if self._clock() - self._checked_at >= self._fresh:
                self._outcomes = self._check_all()
                self._checked_at = self._clock()
            return dict(self._outcomes)

    def wait_for_checks(self, seconds: float) -> None:
        """Return once no check runs, or after so many seconds; called when the process is about to end.

        A thread that Python ends in the midst of a library's own code, such as a model being loaded, aborts it all.
        """
        wait(list(self._running.values()), timeout=seconds)

    def _check_all(self) -> dict[str, Health]:
        for name in self._checks:
            if name not in self._running:  # one that hangs is not started a second time
                self._running[name] = self._start(name)
        end = time.monotonic() + self._timeout
        return {name: self._outcome(name, max(0.0, end - time.monotonic())) for name in self._checks}

    def _start(self, name: str) -> "Future[Health]":
        future: Future[Health] = Future()
        threading.Thread(target=lambda: future.set_result(self._run(name)), name=f"check-{name}", daemon=True).start()
        return future

    def _run(self, name: str) -> Health:
        required = name not in self._optional
        try:
            return Health(ok=True, detail=self._checks[name](), required=required)
        except BotError as error:
            return Health(ok=False, detail=" ".join(str(error).split()), required=required)
        except Exception:
            logger.exception("the check of %s failed", name)
            return Health(ok=False, detail="something unexpected went wrong", required=required)

    def _outcome(self, name: str, seconds: float) -> Health:
        try:
            outcome = self._running[name].result(seconds)
        except TimeoutError:
            return Health(ok=False, detail=SLOW, required=name not in self._optional)
        del self._running[name]
        return outcome
