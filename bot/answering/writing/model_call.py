"""Bounds one call to a model's server by bytes, and ends it at once from another thread.

Clients limit the time between two pieces, not a whole reply, and neither its size nor that of a line.
"""

import socket
import struct
from collections.abc import Iterator, Mapping
from contextlib import suppress
from contextvars import ContextVar
from importlib import import_module
from typing import Any

# Bytes of one reply with all that is around its text: about 350 for a piece of one letter, for 6,000 letters at most.
LARGEST_REPLY = 4 * 1024 * 1024

# Not compressed, so that what arrives is what it takes; and no connection is kept, since no stream is read to its end.
HEADERS = {"Accept-Encoding": "identity", "Connection": "close"}
# Bytes that wait to be read; after the end of a call they are still read, and should take no time then.
RECEIVE_BUFFER = 128 * 1024
DROP_WHAT_WAITS = struct.pack("ii", 1, 0)
CONNECTED = (".connect_tcp.complete", ".start_tls.complete")


class ReplyTooLarge(Exception):
    """A model's server sent more than a reply may have, or compressed it."""


class ModelCall:
    """One call: counts what it receives, and knows its connections, so that they can be closed while it waits for them.

    It counts from when it is entered, in the thread that calls; `close` may be called from any thread, more than once.
    """

    def __init__(self, *, largest: int = LARGEST_REPLY) -> None:
        self.is_closed = False
        self._left = largest
        self._sockets: list[socket.socket] = []

    def enter(self) -> None:
        """Be the call of everything that this thread sends from now on."""
        _CURRENT.set(self)

    def receive(self, size: int) -> None:
        """Count bytes; raises `ReplyTooLarge` when they are too many."""
        self._left -= size
        if self._left < 0:
            raise ReplyTooLarge

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Note each connection that the client opens, as its library tells."""
        if event.endswith(CONNECTED):
            connection = info["return_value"].get_extra_info("socket")
            if connection is not None:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
                self._sockets.append(connection)
            if self.is_closed:
                self.close()

    def close(self) -> None:
        """End the call: whoever waits for its server gets the end of the stream, and closes the connection."""
        self.is_closed = True
        for each in self._sockets:
            with suppress(OSError):
                each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, DROP_WHAT_WAITS)
                # Not the method of an encrypted socket, which would take its state from whoever reads it just now.
                socket.socket.shutdown(each, socket.SHUT_RDWR)


_CURRENT: ContextVar[ModelCall] = ContextVar("model_call")


def limited_client() -> Any:
    """Make the HTTP client for OpenAI's: it counts for the call that it is used in, and follows no redirect.

    Proxies and certificates are taken from the environment, as without it.
    """
    import openai

    client_class = openai.DefaultHttpxClient
    library = import_module(next(each.__module__ for each in client_class.__mro__[1:]).partition(".")[0])

    class CountedStream(library.SyncByteStream):  # type: ignore[misc, name-defined]  # of the library that openai uses
        """The bytes of a response, counted."""

        def __init__(self, stream: Any, call: ModelCall) -> None:
            self._stream = stream
            self._call = call

        def __iter__(self) -> Iterator[bytes]:
            for piece in self._stream:
                self._call.receive(len(piece))
                yield piece

        def close(self) -> None:
            self._stream.close()

    def start(request: Any) -> None:
        request.extensions = {**request.extensions, "trace": _CURRENT.get().trace}

    def bound(response: Any) -> None:
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            raise ReplyTooLarge
        response.stream = CountedStream(response.stream, _CURRENT.get())

    return client_class(headers=HEADERS, follow_redirects=False, event_hooks={"request": [start], "response": [bound]})
