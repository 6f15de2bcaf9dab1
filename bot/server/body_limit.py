"""ASGI middleware that reads a request's body, within limits of size and time, before the app sees the request."""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class BodyLimit:
    """Answers 413 for a body that is too long and 408 for one that takes too long; passes every other request on.

    Where the beginnings of all bodies that are being read together are longer than `max_total_bytes`, the longest of
    them gets 408 as well, so that no number of callers fills the memory.
    """

    def __init__(self, app: ASGIApp, *, max_bytes: int, max_total_bytes: int, seconds: float) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._max_total_bytes = max_total_bytes
        self._seconds = seconds
        # Of each body that is being read: its deadline, and how much of it has come.
        self._reading: dict[asyncio.Timeout, int] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one HTTP request; what is no HTTP request is dropped, and so is one whose caller has gone."""
        if scope["type"] != "http":
            return
        try:
            async with asyncio.timeout(self._seconds) as deadline:
                try:
                    body = await self._read(scope, receive, deadline)
                finally:
                    self._reading.pop(deadline, None)
        except TimeoutError:
            await _refuse(send, 408)
        except _TooLong:
            await _refuse(send, 413)
        except _Disconnected:
            return
        else:
            await self._app(scope, _replay(body, receive), send)

    async def _read(self, scope: Scope, receive: Receive, deadline: asyncio.Timeout) -> bytes:
        """The body; raises `_TooLong` as early as that is known, `_Disconnected` when the rest will never come."""
        length = dict(scope["headers"]).get(b"content-length", b"0")
        if not length.isdigit() or int(length) > self._max_bytes:
            raise _TooLong
        body, more = bytearray(), True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise _Disconnected
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > self._max_bytes:
                raise _TooLong
            self._reading[deadline] = len(body)
            self._end_longest()
        return bytes(body)

    def _end_longest(self) -> None:
        """Let the time of the longest body be over where all together are too long."""
        if sum(self._reading.values()) > self._max_total_bytes:
            longest = max(self._reading, key=self._reading.__getitem__)
            del self._reading[longest]
            longest.reschedule(asyncio.get_running_loop().time())


class _TooLong(Exception):
    pass


class _Disconnected(Exception):
    pass


def _replay(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives the body in one message, then whatever comes after it."""
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


async def _refuse(send: Send, status: int) -> None:
    """Answer without a body and end the connection, so that the rest of the request is not read."""
    headers = [(b"content-length", b"0"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
