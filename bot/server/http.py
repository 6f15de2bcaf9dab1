"""The two listeners and their apps: health and metrics inside, the channels' own addresses in public."""

import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from bot.errors import BotError
from bot.server.body_limit import BodyLimit
from bot.server.connections import ConnectionLimit, available_connections, limited_protocol
from bot.server.health import Health

PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"
START_SECONDS = 30.0
STOP_SECONDS = 10


def inside_app(readiness: Callable[[], Mapping[str, Health]], metrics_page: Callable[[], bytes]) -> Starlette:
    """Serve `/healthz` while the process lives, `/readyz` with the outcome of every check, and `/metrics`."""

    def healthz(_: Request) -> Response:
        return JSONResponse({"ok": True})

    def readyz(_: Request) -> Response:
        found = readiness()
        ok = all(health.ok for health in found.values() if health.required)
        rows = {
            name: {"ok": health.ok, "needed": health.required, "detail": health.detail}
            for name, health in found.items()
        }
        return JSONResponse({"ok": ok, "checks": rows}, status_code=200 if ok else 503)

    def metrics(_: Request) -> Response:
        return Response(metrics_page(), media_type=PROMETHEUS)

    return _app([Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics)])


def public_app(routes: Sequence[BaseRoute]) -> Starlette:
    """Serve these routes; every other path is 404."""
    return _app(routes)


def _app(routes: Sequence[BaseRoute]) -> Starlette:
    app = Starlette(routes=routes)
    app.router.redirect_slashes = False  # /x/ is not /x: a redirect would show what exists
    return app


@dataclass(frozen=True, slots=True)
class Limits:
    """How much and how long a caller may send, in bytes and seconds, and how many connections are open at once.

    `all_body_bytes` are those of all bodies that have not come whole yet. `idle_seconds` is how long a connection
    without a new request is kept after a response. `connections` are those of all callers together,
    `connections_per_address` those from one address.
    """

    head_bytes: int = 16_384
    head_seconds: float = 10.0
    body_bytes: int = 1_000_000
    all_body_bytes: int = 32_000_000
    body_seconds: float = 10.0
    idle_seconds: int = 5
    connections: int = 500
    connections_per_address: int = 250


class Listener:
    """Serves an app at an address, in a thread of its own, from `start` to `stop`."""

    def __init__(self, app: ASGIApp, *, host: str, port: int, setting: str, limits: Limits | None = None) -> None:
        """`setting` is the name of the port's setting, for error messages; port 0 takes any free one."""
        self._host, self._port, self._setting = host, port, setting
        limits = limits or Limits()
        self._socket: socket.socket | None = None
        self._head_timeout = HeadTimeout(limits.head_seconds)
        connections = ConnectionLimit(
            available_connections(limits.connections), per_address=limits.connections_per_address
        )
        self._server = uvicorn.Server(
            uvicorn.Config(
                BodyLimit(
                    app,
                    max_bytes=limits.body_bytes,
                    max_total_bytes=limits.all_body_bytes,
                    seconds=limits.body_seconds,
                ),
                http=limited_protocol(connections),
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                h11_max_incomplete_event_size=limits.head_bytes,
                timeout_keep_alive=limits.idle_seconds,
                timeout_graceful_shutdown=STOP_SECONDS,
                callback_notify=self._close_late_heads,
                timeout_notify=0,  # as often as uvicorn can: about once a second
            )
        )
        self._thread = threading.Thread(target=self._run, name=f"listening-{setting}", daemon=True)

    @property
    def address(self) -> str:
        """`HOST:PORT`; once started, with the port that was taken in place of 0."""
        return f"{self._host}:{self._port}"

    @property
    def url(self) -> str:
        """The root URL."""
        return f"http://{self.address}"

    def start(self) -> None:
        """Return once requests are taken; raises `BotError` with one line when the address cannot be listened on."""
        self._socket = self._bind()
        self._port = self._socket.getsockname()[1]
        self._thread.start()
        end = time.monotonic() + START_SECONDS
        while not self._server.started and self._thread.is_alive() and time.monotonic() < end:
            time.sleep(0.01)
        if not self._server.started:
            raise BotError(f"nothing listens at {self.address}: the server did not start")

    def stop(self) -> None:
        """Take no more requests and return once those that came are answered; idempotent."""
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(STOP_SECONDS + 5)
        if self._socket:
            self._socket.close()

    def _bind(self) -> socket.socket:
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(
                self._host, self._port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )[0]
            bound = socket.socket(family, kind, protocol)
        except OSError as error:
            host = self._setting.replace("port", "host")
            raise BotError(f"{self._host} is no address of this machine: correct `{host}`") from error
        try:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind(address)
            bound.listen(2048)
        except OSError as error:
            bound.close()
            raise BotError(
                f"{self._host}:{self._port} cannot be listened on ({error.strerror}): end what listens there, or give "
                f"another one with `{self._setting}`"
            ) from error
        return bound

    def _run(self) -> None:
        assert self._socket is not None
        self._server.run(sockets=[self._socket])

    async def _close_late_heads(self) -> None:
        connections = self._server.server_state.connections
        self._head_timeout.sweep([each for each in connections if isinstance(each, H11Protocol)])


class HeadTimeout:
    """Closes connections that wait too long for the next request's head.

    uvicorn limits a head's size and the silence between two requests, but not how long a head may trickle in.
    """

    def __init__(self, seconds: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        # Of each connection that handles no request: its last request, if any, and since when it was seen so.
        self._waiting: dict[H11Protocol, tuple[RequestResponseCycle | None, float]] = {}

    def sweep(self, connections: Sequence[H11Protocol]) -> None:
        """Close each of the open connections that has handled no request since a sweep `seconds` or more ago."""
        now = self._clock()
        waiting = {each: each.cycle for each in connections if _handles_nothing(each)}
        self._waiting = {
            each: before if (before := self._waiting.get(each)) and before[0] is last else (last, now)
            for each, last in waiting.items()
        }
        for connection, (_, since) in self._waiting.items():
            if now - since >= self._seconds and not connection.transport.is_closing():
                connection.transport.close()


def _handles_nothing(connection: H11Protocol) -> bool:
    cycle: RequestResponseCycle | None = connection.cycle  # None before the first request, whatever its type says
    return cycle is None or cycle.response_complete
