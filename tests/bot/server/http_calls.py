"""HTTP requests to a listener over a real socket."""

import http.client
import json
import socket
from contextlib import suppress
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Received:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def call(address: str, path: str, *, method: str = "GET", body: Any = None, headers: Any = None) -> Received:
    connection = http.client.HTTPConnection(address, timeout=20)
    try:
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        names = {name.lower(): value for name, value in response.getheaders()}
        return Received(response.status, names, response.read())
    finally:
        connection.close()


def exchange_bytes(address: str, sent: bytes) -> bytes:
    """Send these bytes and return all that comes back until the other side ends the connection."""
    host, port = address.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(sent)
        received = b""
        with suppress(ConnectionResetError):  # of a request that the other side has not read to its end
            while piece := connection.recv(65536):
                received += piece
        return received
