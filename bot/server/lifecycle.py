"""The whole process: listeners, workers and platforms, begun in order and ended in order."""

import logging
import os
import secrets
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from bot.channels.port import Channel
from bot.errors import BotError
from bot.server import http
from bot.server.health import Health, HealthCheck, Readiness
from bot.server.job_queue import QUEUE_LIMIT, WORKERS, JobQueue
from bot.server.listener import Listener
from bot.server.metrics import Metrics
from bot.state.protocol import StateStore

logger = logging.getLogger(__name__)

STOP_SECONDS = 20.0
STOPPING = {"process": Health(ok=False, detail="is being stopped", needed=True)}


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the process listens."""

    host: str
    port: int
    public_host: str
    public_port: int


class Server:
    """Serves these platforms, and health and figures beside them, from `start` to `stop`."""

    def __init__(
        self,
        store: StateStore,
        platforms: Sequence[Channel],
        *,
        places: Addresses,
        checks: Mapping[str, HealthCheck],
        figures: Metrics,
        workers: int = WORKERS,
        queue_limit: int = QUEUE_LIMIT,
        stop_timeout: float = STOP_SECONDS,
    ) -> None:
        self.channels = platforms
        self._stop_timeout = stop_timeout
        self._ready = Readiness(checks)
        self._stopping = threading.Event()
        self.workshop = JobQueue(
            store,
            {platform.name: platform for platform in platforms},
            name=worker_name(),
            watcher=figures,
            workers=workers,
            queue_limit=queue_limit,
        )
        self.inside = Listener(
            http.inside(self._health, figures.page), host=places.host, port=places.port, setting="port"
        )
        routes = list(chain.from_iterable(platform.routes() for platform in platforms))
        self.public = (
            Listener(http.public(routes), host=places.public_host, port=places.public_port, setting="public_port")
            if routes
            else None
        )

    def start(self) -> None:
        """Begin everything; raises `BotError` in one line, with nothing left running, when something cannot begin."""
        try:
            self.inside.start()
            logger.info("health and metrics at %s", self.inside.url)
            threading.Thread(target=self._ready, name="warming up", daemon=True).start()
            for platform in self.channels:
                platform.start(self.workshop.accept)
                logger.info("%s is served", platform.name)
            self.workshop.start()
            if self.public:
                self.public.start()
                logger.info("the platforms' addresses at %s", self.public.url)
        except BotError:
            self.stop()
            raise

    def stop(self) -> int:
        """Take nothing more, finish what has begun, hand the rest over; how many were handed over unfinished."""
        self._stopping.set()
        for step in (*([self.public.stop] if self.public else []), *(platform.stop for platform in self.channels)):
            _quietly(step)
        left = self.workshop.stop(self._stop_timeout)
        _quietly(self.inside.stop)
        return left

    def _health(self) -> Mapping[str, Health]:
        return STOPPING if self._stopping.is_set() else self._ready()


def worker_name() -> str:
    """A name that no other replica has."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"


def _quietly(step: Callable[[], None]) -> None:
    """One thing that cannot be ended keeps nothing else from it."""
    try:
        step()
    except Exception:
        logger.exception("something could not be ended")
