"""The queue of accepted events: kept in the state store, claimed under a lease, finished or released."""

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from bot.channels.port import Accepted
from bot.errors import StateUnavailable, TooMany
from bot.server.logs import request_name
from bot.server.metrics import Metrics
from bot.state.protocol import Claim, Event, StateStore

logger = logging.getLogger(__name__)

QUEUE_LIMIT = 200
LEASE = timedelta(seconds=30)


def _now() -> datetime:
    return datetime.now(UTC)


class JobQueue:
    """One replica's side of the queue that all replicas share through the state store.

    `name` differs in each replica. `limit` is how many events may be accepted and not finished, by all replicas
    together. An event whose lease is not renewed may be claimed by another replica. Threads may share a queue.
    """

    def __init__(
        self,
        store: StateStore,
        *,
        name: str,
        metrics: Metrics,
        limit: int = QUEUE_LIMIT,
        lease: timedelta = LEASE,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self.lease = lease
        self._store = store
        self._name = name
        self._metrics = metrics
        self._limit = limit
        self._clock = clock
        self._available = threading.Event()
        self._held: dict[tuple[str, str], Claim] = {}
        self._held_changed = threading.Condition()
        # Held while the store updates a claim, so that no renewal undoes a release or follows a finish.
        self._updating = threading.Lock()

    def accept(self, event: Event) -> Accepted:
        """Keep an event to be handled; `busy` when too many wait, `known` when it was accepted before.

        Raises `StateUnavailable` when it cannot be kept.
        """
        try:
            is_new = self._store.accept(event, limit=self._limit)
        except TooMany:
            logger.warning("busy: %d events wait", self._limit)
            self._metrics.event_refused(event.platform)
            return "busy"
        self._available.set()
        return "new" if is_new else "known"

    def claim(self) -> Claim | None:
        """Take the next event that may be handled, None for none; called by one thread at a time.

        Raises `StateUnavailable`.
        """
        self._available.clear()  # before looking, so that `wait` returns for an event that is accepted meanwhile
        claim = self._store.claim(self._name, lease=self.lease, now=self._clock())
        if claim:
            with self._held_changed:
                self._held[_key(claim)] = claim
        return claim

    def wait(self, seconds: float) -> None:
        """Return once there may be something to claim: after `accept`, `finish` or `wake`, or so many seconds."""
        self._available.wait(seconds)

    def wake(self) -> None:
        """End `wait` now."""
        self._available.set()

    def finish(self, claim: Claim) -> bool:
        """Mark an event as handled; False, and the claim is still held, when the store cannot be reached."""
        with self._updating:
            try:
                is_ours = self._store.finish(claim, now=self._clock())
            except StateUnavailable as error:
                logger.warning("what is done cannot be finished yet: %s", error)
                return False
            self.drop(claim)
        if not is_ours:
            logger.warning("another replica had taken over what is done")
        self._available.set()  # the next event of the same turn may be claimed now
        return True

    def release(self, claim: Claim, *, pause: timedelta) -> None:
        """Let any replica claim an event after a pause, or when its lease ends if the store cannot be reached."""
        with self._updating:
            self.drop(claim)
            try:
                self._store.renew(claim, lease=pause, now=self._clock())
            except StateUnavailable as error:
                logger.warning("an event is tried again when its lease ends: %s", error)

    def drop(self, claim: Claim) -> None:
        """Hold a claim no longer, without telling the store: it may be claimed again when its lease ends."""
        with self._held_changed:
            if self._held.get(_key(claim)) == claim:
                del self._held[_key(claim)]
                self._held_changed.notify_all()

    def renew_leases(self) -> None:
        """Renew the lease of every claim that is held; one that cannot be renewed is logged."""
        for claim in self.held():
            self._renew(claim)

    def held(self) -> tuple[Claim, ...]:
        """The claims that are held here: the events that are being handled."""
        with self._held_changed:
            return tuple(self._held.values())

    def wait_until_idle(self, seconds: float) -> bool:
        """Wait so many seconds at most until no claim is held; whether none is."""
        with self._held_changed:
            return self._held_changed.wait_for(lambda: not self._held, seconds)

    def _renew(self, claim: Claim) -> None:
        with self._updating:
            if claim not in self.held():
                return
            try:
                is_ours = self._store.renew(claim, lease=self.lease, now=self._clock())
            except StateUnavailable as error:
                logger.warning("a lease could not be renewed: %s", error)
                return
        if not is_ours:
            logger.warning("%s was taken over by another replica", request_name(claim.event.platform, claim.event.id))


def _key(claim: Claim) -> tuple[str, str]:
    return claim.event.platform, claim.event.id
