"""A listener serves its own routes and nothing more, within limits of size and time."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from bot.errors import BotError
from bot.server.http import Limits, Listener, public_app
from tests.bot.server.http_calls import call, exchange_bytes
from tests.servers.redis_servers import eventually


async def echo(request: Request) -> Response:
    return JSONResponse({"bytes": len(await request.body())})


def fails(_: Request) -> Response:
    raise RuntimeError("hunter2")


BODY_BYTES = Limits().body_bytes
ROUTES = [Route("/slack/events", echo, methods=["POST"]), Route("/fails", fails)]


def listener(*more: Route, port: int = 0, host: str = "127.0.0.1", limits: Limits | None = None) -> Listener:
    return Listener(public_app([*ROUTES, *more]), host=host, port=port, setting="public_port", limits=limits)


@contextmanager
def listening(limits: Limits) -> Iterator[str]:
    started = listener(limits=limits)
    started.start()
    try:
        yield started.address
    finally:
        started.stop()


@pytest.fixture
def address() -> Iterator[str]:
    with listening(Limits()) as opened:
        yield opened


def test_a_platform_s_route_gets_the_whole_body(address):
    response = call(address, "/slack/events", method="POST", body=b"x" * 300_000)
    assert (response.status, response.json) == (200, {"bytes": 300_000})
    pieces = (b"x" * 1000 for _ in range(50))
    assert call(address, "/slack/events", method="POST", body=pieces).json == {"bytes": 50_000}


def test_no_header_names_the_server(address):
    assert "server" not in call(address, "/slack/events", method="POST").headers


@pytest.mark.parametrize(
    "path", ["/", "/healthz", "/metrics", "/readyz", "/slack/events/", "/slack", "/docs", "//slack/events", "/%2e%2e/x"]
)
def test_everything_else_is_not_there(address, path):
    assert call(address, path).status == 404


def test_another_method_is_refused(address):
    assert call(address, "/slack/events").status == 405


def test_a_body_that_is_too_long_is_refused_before_it_is_read(address):
    head = f"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Length: {BODY_BYTES + 1}\r\n\r\n"
    assert exchange_bytes(address, head.encode()).startswith(b"HTTP/1.1 413 ")


def test_a_body_that_does_not_say_how_long_it_is_is_refused_when_it_is_too_long(address):
    head = b"POST /slack/events HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    body = b"%x\r\n%s\r\n1\r\nx" % (BODY_BYTES, b"x" * BODY_BYTES)  # its end never comes
    assert exchange_bytes(address, head + body).startswith(b"HTTP/1.1 413 ")


def test_a_body_of_the_greatest_length_is_taken(address):
    assert call(address, "/slack/events", method="POST", body=b"x" * BODY_BYTES).json == {"bytes": BODY_BYTES}


def test_a_body_that_does_not_come_is_not_waited_for():
    head = b"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabc"
    with listening(Limits(body_seconds=0.2)) as address:
        assert exchange_bytes(address, head).startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHost: x\r\n", b"GET /none HTTP/1.1\r\nHost: x\r\n\r\nGET"])
def test_a_head_that_does_not_come_is_not_waited_for(sent):
    with listening(Limits(head_seconds=0.2)) as address:
        received = exchange_bytes(address, sent)
    assert received == b"" or (received.startswith(b"HTTP/1.1 404 ") and received.count(b"HTTP/1.1") == 1)


def test_a_head_that_trickles_in_is_not_waited_for_longer():
    with listening(Limits(head_seconds=0.5)) as address:
        host, port = address.rsplit(":", 1)
        with socket.create_connection((host, int(port)), timeout=20) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nX: ")
            eventually(lambda: not _takes(connection, b"x"), "the connection is closed")


def _takes(connection: socket.socket, sent: bytes) -> bool:
    try:
        connection.sendall(sent)
    except (BrokenPipeError, ConnectionResetError):
        return False
    return True


def test_a_request_that_takes_longer_than_a_head_may_is_answered():
    go = threading.Event()
    slow = listener(Route("/slow", lambda _: PlainTextResponse(str(go.wait(20)))), limits=Limits(head_seconds=0.1))
    slow.start()
    threading.Timer(2.5, go.set).start()
    assert call(slow.address, "/slow").body == b"True"
    slow.stop()


@pytest.mark.parametrize("sent", [b"\x16\x03\x01\x02\x00\x01\n\n", b"GET / HTTP/9\r\n\r\n"])
def test_what_is_no_request_is_refused(address, sent):
    assert exchange_bytes(address, sent).startswith(b"HTTP/1.1 400 ")
    assert call(address, "/slack/events", method="POST").status == 200


def test_a_head_without_end_is_not_kept(address):
    assert exchange_bytes(address, b"G" * 500_000)[:13] in {b"", b"HTTP/1.1 400 "}
    assert call(address, "/slack/events", method="POST").status == 200


def test_an_answer_that_fails_does_not_say_why(address):
    response = call(address, "/fails")
    assert response.status == 500
    assert b"hunter2" not in response.body


def test_a_request_that_has_come_is_answered_before_it_ends():
    came, go, responses = threading.Event(), threading.Event(), []

    def slow(_: Request) -> Response:
        came.set()
        go.wait(20)
        return PlainTextResponse("done")

    started = listener(Route("/slow", slow))
    started.start()
    caller = threading.Thread(target=lambda: responses.append(call(started.address, "/slow")))
    caller.start()
    assert came.wait(20)
    threading.Timer(0.2, go.set).start()
    started.stop()
    caller.join()
    assert [each.body for each in responses] == [b"done"]
    with pytest.raises(OSError, match="refused"):
        call(started.address, "/slow")
    started.stop()


def test_a_port_in_use_is_one_line_by_the_setting(address):
    port = int(address.rsplit(":", 1)[1])
    with pytest.raises(BotError, match=rf"^127\.0\.0\.1:{port} cannot be listened on \(.*\): .* `public_port`$"):
        listener(port=port).start()


def test_an_address_that_is_none_is_one_line():
    with pytest.raises(BotError, match=r"^no-such-host\.invalid is no address .* `public_host`$"):
        listener(host="no-such-host.invalid").start()
