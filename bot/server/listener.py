"""An address that is listened on, in a thread of its own, with limits for whoever calls."""

import asyncio
import logging
import socket
import threading
import time
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from bot.errors import BotError

logger = logging.getLogger(__name__)

BODY_BYTES = 1_000_000
# Seconds for a request's head, for its body, and between two requests; the number of connections.
HEAD_SECONDS, BODY_SECONDS, IDLE_SECONDS = 10.0, 10.0, 5
CONNECTIONS = 500
START_SECONDS = 30.0


class Listener:
    """Serves an app at an address; it listens from `start` to `stop`."""

    def __init__(self, app: ASGIApp, *, host: str, port: int, setting: str) -> None:
        """`setting` is what the port is called in the settings, for the line that says that it cannot be had."""
        self._host, self._port, self._setting = host, port, setting
        self._socket: socket.socket | None = None
        self._server = uvicorn.Server(
            uvicorn.Config(
                Limits(app),
                http=Patient,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                limit_concurrency=CONNECTIONS,
                timeout_keep_alive=IDLE_SECONDS,
                timeout_graceful_shutdown=10,
            )
        )
        self._thread = threading.Thread(target=self._run, name=f"listening-{setting}", daemon=True)

    @property
    def address(self) -> str:
        """Where it listens; with port 0, the one that it was given."""
        return f"{self._host}:{self._port}"

    @property
    def url(self) -> str:
        """The same as a url."""
        return f"http://{self.address}"

    def start(self) -> None:
        """Returns when it listens; raises `BotError`, in one line, where it cannot."""
        self._socket = self._bound()
        self._port = self._socket.getsockname()[1]
        self._thread.start()
        end = time.monotonic() + START_SECONDS
        while not self._server.started and self._thread.is_alive() and time.monotonic() < end:
            time.sleep(0.01)
        if not self._server.started:
            raise BotError(f"nothing listens at {self.address}: the server did not start")

    def stop(self) -> None:
        """Take no more requests, and end when those that came are answered; a second time changes nothing."""
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(15)
        if self._socket:
            self._socket.close()

    def _bound(self) -> socket.socket:
        try:
            family, kind, protocol, _, place = socket.getaddrinfo(
                self._host, self._port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )[0]
            bound = socket.socket(family, kind, protocol)
        except OSError as error:
            host = self._setting.replace("port", "host")
            raise BotError(f"{self._host} is no address of this machine: correct `{host}`") from error
        try:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind(place)
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


class Patient(H11Protocol):
    """Waits a while for a request's head, and no longer, however slowly it comes."""

    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        if self._late:
            self._late.cancel()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """Begin to wait for the next."""
        super().on_response_complete()
        self._wait()

    def _wait(self) -> None:
        if self._late:
            self._late.cancel()
        self._late = self.loop.call_later(HEAD_SECONDS, self._end)

    def _end(self) -> None:
        # uvicorn's types do not say that there is no cycle before the first request
        is_idle = self.cycle is None or self.cycle.response_complete  # type: ignore[redundant-expr]
        if is_idle and not self.transport.is_closing():
            self.transport.close()


class Limits:
    """Passes a request on once its body is there, unless that is too long or too slow."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 413 and 408 in place of the app."""
        if scope["type"] != "http":
            return
        try:
            async with asyncio.timeout(BODY_SECONDS):
                body = await _body(scope, receive)
        except TimeoutError:
            await _refuse(send, 408)
        except _TooLong:
            await _refuse(send, 413)
        except _Gone:
            return
        else:
            await self._app(scope, _again(body, receive), send)


class _TooLong(Exception):
    pass


class _Gone(Exception):
    pass


async def _body(scope: Scope, receive: Receive) -> bytes:
    length = dict(scope["headers"]).get(b"content-length", b"0")
    if not length.isdigit() or int(length) > BODY_BYTES:
        raise _TooLong
    body, more = bytearray(), True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Gone
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > BODY_BYTES:
            raise _TooLong
    return bytes(body)


def _again(body: bytes, receive: Receive) -> Receive:
    """Gives the body that was read, then what comes after it."""
    given = False

    async def receive_again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_again


async def _refuse(send: Send, status: int) -> None:
    """An answer without a body, after which the connection ends: what is still to come of the request is not read."""
    headers = [(b"content-length", b"0"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
