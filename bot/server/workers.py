"""Threads that claim events from the queue, have their channel handle them, retry, give up, and renew leases."""

import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from bot.channels.port import Channel
from bot.errors import BotError, StateUnavailable
from bot.server.job_queue import JobQueue
from bot.server.logs import request_context, request_name
from bot.server.metrics import Metrics
from bot.state.protocol import Claim

logger = logging.getLogger(__name__)

WORKERS = 8
# How often the store is asked for what other replicas left, and waited for when it cannot be reached.
POLL_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and after which pauses an event is tried again; attempts count from 1, over all replicas.

    After a `BotError` there are up to `attempts`, after pauses that grow fourfold from `first_pause` (ten minutes in
    all); after any other error up to `unexpected_attempts`. Then the channel gives the event up, and if that raises
    too, again after `give_up_pause` until `last_attempt`. An event whose process is killed each time ends in the same
    way.
    """

    attempts: int = 6
    unexpected_attempts: int = 2
    last_attempt: int = 12
    first_pause: timedelta = timedelta(seconds=2)
    give_up_pause: timedelta = timedelta(minutes=10)

    def pause_after(self, attempt: int, error: Exception) -> timedelta | None:
        """The pause before the next attempt; None when this one was the last."""
        limit = self.attempts if isinstance(error, BotError) else self.unexpected_attempts
        return self.first_pause * int(4 ** (attempt - 1)) if attempt < limit else None


class WorkerPool:
    """Handles each event of the queue by its channel, several at a time, from `start` to `stop`.

    `channels` are found by the platform of an event; an event of any other platform is left to other replicas.
    """

    def __init__(
        self,
        queue: JobQueue,
        channels: Mapping[str, Channel],
        *,
        metrics: Metrics,
        workers: int = WORKERS,
        poll: float = POLL_SECONDS,
        retry: RetryPolicy | None = None,
    ) -> None:
        self._queue = queue
        self._channels = channels
        self._metrics = metrics
        self._poll = poll
        self._retry = retry or RetryPolicy()
        self._claiming = threading.Lock()  # held by the one worker that waits for the next event
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._work, name=f"worker-{n}", daemon=True) for n in range(workers)]
        self._threads.append(threading.Thread(target=self._renew_leases, name="renewing", daemon=True))

    def start(self) -> None:
        """Begin to claim and handle events."""
        for thread in self._threads:
            thread.start()

    def stop(self, timeout: float) -> int:
        """Claim no more, wait so many seconds for the events that are being handled, and release the rest.

        Returns how many events were released unfinished.
        """
        self._stopping.set()
        self._queue.wake()
        with self._claiming:  # a claim that is under way is held now
            pass
        self._queue.wait_until_idle(timeout)
        unfinished = self._queue.held()
        for claim in unfinished:
            logger.warning("%s is handed over unfinished", request_name(claim.event.platform, claim.event.id))
            self._queue.release(claim, pause=timedelta(0))
        return len(unfinished)

    def _work(self) -> None:
        while (claim := self._next_claim()) is not None:
            with request_context(request_name(claim.event.platform, claim.event.id)):
                try:
                    self._process(claim)
                except Exception:  # whatever it is costs this event, until its lease ends, and no worker
                    logger.exception("what is claimed cannot be handled")
                    self._queue.drop(claim)

    def _next_claim(self) -> Claim | None:
        """Wait for an event and claim it; None once the pool stops."""
        with self._claiming:
            while not self._stopping.is_set():
                try:
                    claim = self._queue.claim()
                except Exception as error:
                    # What nobody thought of costs a pause: a thread that ends would not be missed until none is left.
                    unexpected = None if isinstance(error, StateUnavailable) else error
                    logger.warning("no event can be claimed: %s", error, exc_info=unexpected)
                    self._stopping.wait(self._poll)
                    continue
                if claim:
                    return claim
                self._queue.wait(self._poll)
        return None

    def _process(self, claim: Claim) -> None:
        """Handle an event, then finish it, or release it to be tried again."""
        started, platform = time.perf_counter(), claim.event.platform
        channel = self._channels.get(platform)
        if channel is None:
            logger.error("nobody here handles what %s has accepted; it is left to others", platform)
            self._queue.release(claim, pause=self._queue.lease)
            return
        pause = self._attempt(channel, claim)
        if pause is not None:
            self._queue.release(claim, pause=pause)
            return
        while not self._queue.finish(claim):  # until the store is reached: otherwise the event is handled again
            if self._stopping.wait(self._poll):
                self._queue.drop(claim)
                break
        self._metrics.event_handled(platform, time.perf_counter() - started)

    def _attempt(self, channel: Channel, claim: Claim) -> timedelta | None:
        """Have the channel handle an event, or give it up after the last attempt.

        Returns the pause before another attempt, None when nothing more is to be done.
        """
        if claim.attempt <= self._retry.attempts:
            try:
                channel.handle(claim)
            except Exception as error:
                logger.exception("attempt %d failed", claim.attempt)
                self._metrics.attempt_failed(claim.event.platform, error)
                pause = self._retry.pause_after(claim.attempt, error)
                if pause is not None:
                    return pause
            else:
                return None
        logger.error("given up at attempt %d", claim.attempt)
        try:
            channel.give_up(claim)
        except Exception as error:
            logger.exception("nobody could be told")
            self._metrics.attempt_failed(claim.event.platform, error)
            return self._retry.give_up_pause if claim.attempt < self._retry.last_attempt else None
        return None

    def _renew_leases(self) -> None:
        """Renew the leases of what is being handled, three times in each lease, until the pool has stopped."""
        interval = self._queue.lease.total_seconds() / 3
        while True:
            self._stopping.wait(interval)
            # While the pool stops, what was begun is still renewed.
            if self._stopping.is_set() and self._queue.wait_until_idle(min(1.0, interval)):
                return
            try:
                self._queue.renew_leases()
            except Exception:
                logger.exception("leases could not be renewed")
