"""Whoever calls a listener over a real socket."""

import http.client
import json
import socket
from contextlib import suppress
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Said:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def call(address: str, path: str, *, method: str = "GET", body: Any = None, headers: Any = None) -> Said:
    connection = http.client.HTTPConnection(address, timeout=20)
    try:
        connection.request(method, path, body, headers or {})
        reply = connection.getresponse()
        return Said(reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read())
    finally:
        connection.close()


def raw(address: str, sent: bytes) -> bytes:
    """All that comes back for these bytes until the other side ends the connection."""
    host, port = address.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(sent)
        got = b""
        with suppress(ConnectionResetError):  # of a request that the other side has not read to its end
            while piece := connection.recv(65536):
                got += piece
        return got
