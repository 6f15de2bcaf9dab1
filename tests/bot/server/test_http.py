"""What a listener owes to whoever calls: its own routes and nothing more, and limits for all."""

import threading
from collections.abc import Iterator

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from bot.errors import BotError
from bot.server import http, listener
from bot.server.listener import BODY_BYTES, Listener
from tests.bot.server.http_calls import call, raw
from tests.servers.redis_servers import eventually


async def echo(request: Request) -> Response:
    return JSONResponse({"bytes": len(await request.body())})


def fails(_: Request) -> Response:
    raise RuntimeError("hunter2")


GO = threading.Event()


def slow(_: Request) -> Response:
    GO.wait(20)
    return PlainTextResponse("done")


ROUTES = [
    Route("/slack/events", echo, methods=["POST"]),
    Route("/fails", fails),
    Route("/slow", slow),
]


def opened(port: int = 0, host: str = "127.0.0.1") -> Listener:
    return Listener(http.public(ROUTES), host=host, port=port, setting="public_port")


@pytest.fixture
def address() -> Iterator[str]:
    GO.clear()
    made = opened()
    made.start()
    yield made.address
    GO.set()
    made.stop()


def test_a_platform_s_route_gets_the_whole_body(address):
    said = call(address, "/slack/events", method="POST", body=b"x" * 300_000)
    assert (said.status, said.json) == (200, {"bytes": 300_000})
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
    assert raw(address, head.encode()).startswith(b"HTTP/1.1 413 ")


def test_a_body_that_does_not_say_how_long_it_is_is_refused_when_it_is_too_long(address):
    head = b"POST /slack/events HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    body = b"%x\r\n%s\r\n1\r\nx" % (BODY_BYTES, b"x" * BODY_BYTES)  # its end never comes
    assert raw(address, head + body).startswith(b"HTTP/1.1 413 ")


def test_a_body_of_the_greatest_length_is_taken(address):
    assert call(address, "/slack/events", method="POST", body=b"x" * BODY_BYTES).json == {"bytes": BODY_BYTES}


def test_a_body_that_does_not_come_is_not_waited_for(address, monkeypatch):
    monkeypatch.setattr(listener, "BODY_SECONDS", 0.2)
    head = b"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabc"
    assert raw(address, head).startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHost: x\r\n", b"GET /none HTTP/1.1\r\nHost: x\r\n\r\nGET"])
def test_a_head_that_does_not_come_is_not_waited_for(address, monkeypatch, sent):
    monkeypatch.setattr(listener, "HEAD_SECONDS", 0.2)
    said = raw(address, sent)
    assert said == b"" or (said.startswith(b"HTTP/1.1 404 ") and said.count(b"HTTP/1.1") == 1)


@pytest.mark.parametrize("sent", [b"\x16\x03\x01\x02\x00\x01\n\n", b"GET / HTTP/9\r\n\r\n"])
def test_what_is_no_request_is_refused(address, sent):
    assert raw(address, sent).startswith(b"HTTP/1.1 400 ")
    assert call(address, "/slack/events", method="POST").status == 200


def test_a_head_without_end_is_not_kept(address):
    assert raw(address, b"G" * 500_000)[:13] in {b"", b"HTTP/1.1 400 "}
    assert call(address, "/slack/events", method="POST").status == 200


def test_an_answer_that_fails_does_not_say_why(address):
    said = call(address, "/fails")
    assert said.status == 500
    assert b"hunter2" not in said.body


def test_a_request_that_has_come_is_answered_before_it_ends():
    GO.clear()
    made = opened()
    made.start()
    said = []
    caller = threading.Thread(target=lambda: said.append(call(made.address, "/slow")))
    caller.start()
    eventually(lambda: len(made._server.server_state.tasks) == 1, "the request is there")
    threading.Timer(0.2, GO.set).start()
    made.stop()
    caller.join()
    assert [each.body for each in said] == [b"done"]
    with pytest.raises(OSError, match="refused"):
        call(made.address, "/slow")
    made.stop()


def test_a_port_in_use_is_told_in_one_line_by_the_setting(address):
    port = int(address.rsplit(":", 1)[1])
    with pytest.raises(BotError, match=rf"^127\.0\.0\.1:{port} cannot be listened on \(.*\): .* `public_port`$"):
        opened(port).start()


def test_an_address_that_is_none_is_told_in_one_line():
    with pytest.raises(BotError, match=r"^no-such-host\.invalid is no address .* `public_host`$"):
        opened(host="no-such-host.invalid").start()
