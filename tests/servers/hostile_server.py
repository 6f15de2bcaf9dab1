"""A chat model's server that means harm: it sends what no library would, until its client closes the connection."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Play = Callable[[socket.socket], None]

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
SECONDS_TO_CLOSE = 20.0


class HostileServer:
    """Answers every request with `play`; `sent` counts its bytes, `paths` are what was asked for."""

    def __init__(self) -> None:
        self.play: Play = lambda connection: None
        self.paths: list[str] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads: list[threading.Thread] = []
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}/v1"

    def wait_until_closed(self) -> bool:
        """Whether the client closes every connection soon."""
        deadline = time.monotonic() + SECONDS_TO_CLOSE
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._accepting.join(5)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.settimeout(SECONDS_TO_CLOSE)
            request = b""
            while b"\r\n\r\n" not in request:
                request += connection.recv(65_536)
            self.paths.append(request.split(b" ", 2)[1].decode())
            self.play(connection)
            while connection.recv(65_536):
                pass


@contextmanager
def serving_hostile() -> Iterator[HostileServer]:
    """A server that runs while the block does."""
    server = HostileServer()
    try:
        yield server
    finally:
        server.close()


def for_ever(piece: bytes, *, head: bytes = HEAD, pause: float = 0.0) -> Play:
    """Send the head, then this piece again and again."""

    def play(connection: socket.socket) -> None:
        connection.sendall(head)
        while True:
            connection.sendall(piece)
            if pause:
                time.sleep(pause)

    return play
