"""Starts and stops everything that `footnote serve` runs: listeners, channels and workers, in order."""

import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from bot.channels.port import Channel
from bot.errors import BotError
from bot.server.health import Health, Readiness
from bot.server.http import Listener, inside_app, public_app
from bot.server.job_queue import QUEUE_LIMIT, JobQueue
from bot.server.metrics import Metrics
from bot.server.timer import Timer
from bot.server.workers import WORKERS, WorkerPool
from bot.state.protocol import StateStore

logger = logging.getLogger(__name__)

STOP_SECONDS = 20.0
STOPPING = {"process": Health(ok=False, detail="is being stopped", required=True)}


@dataclass(frozen=True, slots=True)
class Addresses:
    """Hosts and ports of the two listeners; port 0 takes any free one."""

    host: str
    port: int
    public_host: str
    public_port: int


class Server:
    """Serves channels, and health and metrics beside them, from `start` to `stop`.

    `public` is None where no channel has an address of its own.
    """

    def __init__(
        self,
        store: StateStore,
        channels: Sequence[Channel],
        *,
        addresses: Addresses,
        readiness: Readiness,
        metrics: Metrics,
        workers: int = WORKERS,
        queue_limit: int = QUEUE_LIMIT,
        stop_timeout: float = STOP_SECONDS,
    ) -> None:
        """`stop_timeout` is how many seconds events that are being handled may take once the server stops."""
        self.channels = channels
        metrics.watch(channels)
        self._readiness = readiness
        self._stop_timeout = stop_timeout
        self._stopping = threading.Event()
        self.queue = JobQueue(store, name=replica_name(), metrics=metrics, limit=queue_limit)
        self._workers = WorkerPool(
            self.queue, {channel.name: channel for channel in channels}, metrics=metrics, workers=workers
        )
        self._timer = Timer(store, self.queue)
        self.inside = Listener(
            inside_app(self._health, metrics.page), host=addresses.host, port=addresses.port, setting="port"
        )
        routes = list(chain.from_iterable(channel.routes() for channel in channels))
        self.public = (
            Listener(public_app(routes), host=addresses.public_host, port=addresses.public_port, setting="public_port")
            if routes
            else None
        )

    def start(self) -> None:
        """Start everything; raises `BotError` with one line, and nothing is left running, when a part cannot start."""
        try:
            self.inside.start()
            logger.info("health and metrics at %s", self.inside.url)
            threading.Thread(target=self._readiness, name="warming up", daemon=True).start()
            for channel in self.channels:
                channel.start(self.queue.accept)
                logger.info("%s is served", channel.name)
            self._workers.start()
            self._timer.start()
            if self.public:
                self.public.start()
                logger.info("the platforms' addresses at %s", self.public.url)
        except BotError:
            self.stop()
            raise

    def stop(self) -> int:
        """Accept no more, wait for what is being handled, and release the rest to other replicas.

        Returns how many events were released unfinished.
        """
        self._stopping.set()
        end = time.monotonic() + self._stop_timeout
        listening = [self.public.stop] if self.public else []
        for stop in (self._timer.stop, *listening, *(channel.stop for channel in self.channels)):
            _log_failure(stop)
        unfinished = self._workers.stop(self._stop_timeout)
        _log_failure(self.inside.stop)
        self._readiness.wait_for_checks(max(0.0, end - time.monotonic()))
        return unfinished

    def _health(self) -> Mapping[str, Health]:
        if self._stopping.is_set():
            return STOPPING
        return {**self._readiness(), **channel_checks(self.channels)}


def channel_checks(channels: Sequence[Channel]) -> Mapping[str, Health]:
    """Return the outcome of a check for each part of each channel, by their names."""
    return {
        " ".join(filter(None, (channel.name, each.part, each.workspace))): Health(each.ok, each.detail, each.required)
        for channel in channels
        for each in channel.health().parts
    }


def replica_name() -> str:
    """A name that no other replica has."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"


def _log_failure(stop: Callable[[], None]) -> None:
    """Stop a part; an error is logged, so that the other parts are stopped too."""
    try:
        stop()
    except Exception:
        logger.exception("something could not be ended")
