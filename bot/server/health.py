"""Whether the process can answer questions: what each thing that it needs said a moment ago."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass

logger = logging.getLogger(__name__)

FRESH_SECONDS = 5.0
PATIENCE_SECONDS = 2.0
SLOW = "does not answer in time"


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """Something to look at: `look` says in a few words how it is, or raises; `told` are the errors whose text is shown.

    Without what is `needed` no question is answered; the rest is only told.
    """

    look: Callable[[], str]
    told: tuple[type[Exception], ...] = ()
    needed: bool = True


@dataclass(frozen=True, slots=True)
class Health:
    """How one thing is."""

    ok: bool
    detail: str
    needed: bool


class Readiness:
    """Looks at everything at once, not more often than every few seconds, and waits for nothing that hangs."""

    def __init__(
        self,
        checks: Mapping[str, HealthCheck],
        *,
        fresh: float = FRESH_SECONDS,
        patience: float = PATIENCE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._checks = checks
        self._fresh, self._patience, self._clock = fresh, patience, clock
        self._lock = threading.Lock()
        self._looked = float("-inf")
        self._found: dict[str, Health] = {}
        self._running: dict[str, Future[Health]] = {}

    def __call__(self) -> Mapping[str, Health]:
        """How each thing is, a few seconds old at most."""
        with self._lock:
            if self._clock() - self._looked >= self._fresh:
                self._found = self._look()
                self._looked = self._clock()
            return dict(self._found)

    def _look(self) -> dict[str, Health]:
        for name, check in self._checks.items():
            if name not in self._running:  # one that hangs is not begun a second time
                self._running[name] = _begun(name, check)
        end = time.monotonic() + self._patience
        return {name: self._outcome(name, max(0.0, end - time.monotonic())) for name in self._checks}

    def _outcome(self, name: str, seconds: float) -> Health:
        try:
            found = self._running[name].result(seconds)
        except TimeoutError:
            return Health(ok=False, detail=SLOW, needed=self._checks[name].needed)
        del self._running[name]
        return found


def _begun(name: str, check: HealthCheck) -> "Future[Health]":
    future: Future[Health] = Future()
    threading.Thread(target=lambda: future.set_result(_looked(name, check)), name=f"check-{name}", daemon=True).start()
    return future


def _looked(name: str, check: HealthCheck) -> Health:
    try:
        return Health(ok=True, detail=check.look(), needed=check.needed)
    except check.told as error:
        return Health(ok=False, detail=" ".join(str(error).split()), needed=check.needed)
    except Exception:
        logger.exception("the check of %s failed", name)
        return Health(ok=False, detail="something unexpected went wrong", needed=check.needed)
