"""Workers that claim accepted events from the store, do them one after the other and finish them."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Protocol

from bot.channels.port import Accepted
from bot.errors import BotError, StateUnavailable, TooMany
from bot.server.logs import request
from bot.state.protocol import Claim, Event, StateStore

logger = logging.getLogger(__name__)

WORKERS = 8
QUEUE_LIMIT = 200
LEASE = timedelta(seconds=30)
# How often a store is asked for what others have left, and waited for when it cannot be reached.
POLL_SECONDS = 1.0
# What cannot be done now (`BotError`) is tried again after pauses that grow fourfold, for some ten minutes in all; what
# nobody expected, once more. Then the person is told, and if they cannot be, again every ten minutes for an hour. What
# kills its process each time it is begun comes to the same end.
ATTEMPTS, UNEXPECTED_ATTEMPTS, LAST_ATTEMPT = 6, 2, 12
FIRST_PAUSE, LAST_PAUSE = timedelta(seconds=2), timedelta(minutes=10)


class Handler(Protocol):
    """What is needed of a platform for the work that it has accepted."""

    def handle(self, claim: Claim) -> None: ...

    def give_up(self, claim: Claim) -> None: ...


class Watcher(Protocol):
    """Who is told what becomes of events, to count it."""

    def refused(self, platform: str) -> None: ...

    def failed(self, platform: str, error: BaseException) -> None: ...

    def handled(self, platform: str, seconds: float) -> None: ...


def _now() -> datetime:
    return datetime.now(UTC)


class JobQueue:
    """Accepts events and has each handled once; what it accepted and has not begun when it ends is left to others.

    `queue_limit` is how many may be accepted and not finished, by all replicas together. Replicas serve the same
    platforms under names that differ. An event whose handling raises is handled again after a pause, and in the end
    given up.
    """

    def __init__(
        self,
        store: StateStore,
        handlers: Mapping[str, Handler],
        *,
        name: str,
        watcher: Watcher,
        workers: int = WORKERS,
        queue_limit: int = QUEUE_LIMIT,
        lease: timedelta = LEASE,
        poll: float = POLL_SECONDS,
        first_pause: timedelta = FIRST_PAUSE,
        last_pause: timedelta = LAST_PAUSE,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self._store = store
        self._handlers = handlers
        self._name = name
        self._watcher = watcher
        self._queue_limit = queue_limit
        self._lease, self._poll, self._clock = lease, poll, clock
        self._first_pause, self._last_pause = first_pause, last_pause
        self._looking = threading.Lock()  # held by the one worker that looks for the next event
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._held: dict[tuple[str, str], Claim] = {}
        self._holding = threading.Condition()
        self._telling = threading.Lock()  # held while the store is told of a claim, so that no renewal comes too late
        self._threads = [threading.Thread(target=self._work, name=f"worker-{n}", daemon=True) for n in range(workers)]
        self._threads.append(threading.Thread(target=self._keep, name="renewing", daemon=True))

    def accept(self, event: Event) -> Accepted:
        """Keep an event to be handled, or say that too many wait; raises `StateUnavailable` when it cannot be kept."""
        try:
            is_new = self._store.accept(event, limit=self._queue_limit)
        except TooMany:
            logger.warning("busy: %d events wait", self._queue_limit)
            self._watcher.refused(event.platform)
            return "busy"
        self._wake.set()
        return "new" if is_new else "known"

    def start(self) -> None:
        """Begin to work."""
        for thread in self._threads:
            thread.start()

    def stop(self, timeout: float) -> int:
        """Begin nothing more, wait so many seconds for what has begun, and give the rest back; how many those were."""
        self._stopping.set()
        self._wake.set()
        with self._looking:  # whoever is claiming has claimed
            pass
        with self._holding:
            self._holding.wait_for(lambda: not self._held, timeout)
            left = list(self._held.values())
        for claim in left:
            logger.warning("%s:%s is handed over unfinished", claim.event.platform, claim.event.id)
            self._again(claim, timedelta(0))
        return len(left)

    @property
    def at_work(self) -> int:
        """How many events are being handled here."""
        with self._holding:
            return len(self._held)

    def _work(self) -> None:
        while (claim := self._next()) is not None:
            with request(f"{claim.event.platform}:{claim.event.id}"):
                self._do(claim)

    def _next(self) -> Claim | None:
        """The next event, waited for; None when it is time to end. One worker waits, the others wait for it."""
        with self._looking:
            while not self._stopping.is_set():
                self._wake.clear()  # before looking, so that what is accepted meanwhile is not slept over
                claim = self._claim()
                if claim:
                    return claim
                self._wake.wait(self._poll)
        return None

    def _claim(self) -> Claim | None:
        try:
            claim = self._store.claim(self._name, lease=self._lease, now=self._clock())
        except StateUnavailable as error:
            logger.warning("no event can be claimed: %s", error)
            self._stopping.wait(self._poll)
            return None
        if claim:
            with self._holding:
                self._held[_key(claim)] = claim
        return claim

    def _do(self, claim: Claim) -> None:
        """Handle an event and finish it, whatever becomes of it."""
        started, platform = time.perf_counter(), claim.event.platform
        handler = self._handlers.get(platform)
        if handler is None:
            logger.error("nobody here handles what %s has accepted; it is left to others", platform)
            self._again(claim, self._lease)
            return
        pause = self._tried(handler, claim)
        if pause is not None:
            self._again(claim, pause)
            return
        self._finish(claim)
        self._watcher.handled(platform, time.perf_counter() - started)

    def _tried(self, handler: Handler, claim: Claim) -> timedelta | None:
        """Handle an event, or give it up; after which pause it is to be tried again, None for no more."""
        if claim.attempt <= ATTEMPTS:
            try:
                handler.handle(claim)
            except Exception as error:
                logger.exception("attempt %d failed", claim.attempt)
                self._watcher.failed(claim.event.platform, error)
                if claim.attempt < (ATTEMPTS if isinstance(error, BotError) else UNEXPECTED_ATTEMPTS):
                    return self._first_pause * int(4 ** (claim.attempt - 1))
            else:
                return None
        return self._given_up(handler, claim)

    def _given_up(self, handler: Handler, claim: Claim) -> timedelta | None:
        logger.error("given up at attempt %d", claim.attempt)
        try:
            handler.give_up(claim)
        except Exception as error:
            logger.exception("nobody could be told")
            self._watcher.failed(claim.event.platform, error)
            return self._last_pause if claim.attempt < LAST_ATTEMPT else None
        return None

    def _again(self, claim: Claim, pause: timedelta) -> None:
        """Let anybody have it after a pause; where the store cannot be told, that is when the lease ends."""
        with self._telling:
            self._let_go(claim)
            try:
                self._store.renew(claim, lease=pause, now=self._clock())
            except StateUnavailable as error:
                logger.warning("an event is tried again when its lease ends: %s", error)

    def _finish(self, claim: Claim) -> None:
        """Say that an event is done until the store hears it: otherwise it would be done again."""
        while not self._finished(claim):
            if self._stopping.wait(self._poll):
                self._let_go(claim)
                return
        self._wake.set()  # of the same turn another may be begun now

    def _finished(self, claim: Claim) -> bool:
        with self._telling:
            try:
                ours = self._store.finish(claim, now=self._clock())
            except StateUnavailable as error:
                logger.warning("what is done cannot be finished yet: %s", error)
                return False
            self._let_go(claim)
        if not ours:
            logger.warning("another replica had taken over what is done")
        return True

    def _let_go(self, claim: Claim) -> None:
        with self._holding:
            if self._held.get(_key(claim)) == claim:
                del self._held[_key(claim)]
                self._holding.notify_all()

    def _keep(self) -> None:
        """Renew what is held, three times in each lease."""
        while not self._ended():
            with self._holding:
                held = list(self._held.values())
            for claim in held:
                self._renew(claim)

    def _ended(self) -> bool:
        """Wait for the next round; whether there is none."""
        self._stopping.wait(self._lease.total_seconds() / 3)
        with self._holding:  # while it stops, what has begun is still renewed
            if self._stopping.is_set() and self._held:
                self._holding.wait(min(1.0, self._lease.total_seconds() / 3))
            return self._stopping.is_set() and not self._held

    def _renew(self, claim: Claim) -> None:
        with self._telling:
            with self._holding:
                if self._held.get(_key(claim)) != claim:
                    return
            try:
                ours = self._store.renew(claim, lease=self._lease, now=self._clock())
            except StateUnavailable as error:
                logger.warning("a lease could not be renewed: %s", error)
                return
        if not ours:
            logger.warning("%s:%s was taken over by another replica", claim.event.platform, claim.event.id)


def _key(claim: Claim) -> tuple[str, str]:
    return claim.event.platform, claim.event.id
