"""Threat: whoever opens many connections and says nothing keeps everybody else out."""

import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.server.connections import FEWEST_CONNECTIONS, ConnectionLimit, affordable_connections
from bot.server.http import Limits, Listener, public_app
from tests.bot.channels.slack.test_conversations import staged
from tests.bot.server.http_calls import call
from tests.conversations.conversations import LEAVE_SAID, only
from tests.scripted_app import QUESTION
from tests.servers.redis_servers import eventually

IDLE = 2_000
# The beginnings of requests that never go on.
BEGINNINGS = (
    b"",
    b"POST /slack/events HTTP/1.1\r\nX: ",
    b"POST /slack/events HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc",
)


@contextmanager
def connected(address: str, number: int, *, sent: bytes = b"") -> Iterator[list[socket.socket]]:
    """So many connections of this process that begin a request, or not even that."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * number + 1_000
    if hard != resource.RLIM_INFINITY and hard < wanted:
        pytest.skip(f"this test opens {wanted} files")
    host, port = address.rsplit(":", 1)
    with ExitStack() as stack:
        if soft != resource.RLIM_INFINITY and soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        opened = []
        for _ in range(number):
            opened.append(stack.enter_context(socket.create_connection((host, int(port)), timeout=20)))
            if sent:
                opened[-1].sendall(sent)
        yield opened


def is_closed(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return connection.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


@pytest.mark.parametrize("sent", BEGINNINGS, ids=["nothing", "head", "body"])
def test_a_signed_event_is_answered_while_thousands_of_connections_are_idle(tmp_path, sent):
    with staged(tmp_path) as stage:
        address = stage.slack.sending.app_urls[0].removeprefix("http://").partition("/")[0]
        with connected(address, IDLE, sent=sent):
            assert LEAVE_SAID in only(stage.asks(QUESTION).seen()).text
            assert 200 in {each.status for each in stage.slack.sending.deliveries}, "in the time that Slack waits"


async def echo(request: Request) -> Response:
    return JSONResponse({"bytes": len(await request.body())})


@contextmanager
def listening(**limits: Any) -> Iterator[str]:
    started = Listener(
        public_app([Route("/slack/events", echo, methods=["POST"])]),
        host="127.0.0.1",
        port=0,
        setting="public_port",
        limits=Limits(**limits),
    )
    started.start()
    try:
        yield started.address
    finally:
        started.stop()


def test_the_connection_that_has_waited_longest_is_closed_for_a_new_one():
    with listening(connections=20, connections_per_address=5) as address, connected(address, 5) as first:
        with connected(address, 2) as second:
            eventually(lambda: [is_closed(each) for each in first] == [True, True, False, False, False], "two gave way")
            assert not any(map(is_closed, second))
        assert call(address, "/slack/events", method="POST", body=b"abc").json == {"bytes": 3}


def test_bodies_that_do_not_end_take_no_more_memory_than_is_allowed():
    head = b"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Length: 90000\r\n\r\n"
    with listening(all_body_bytes=100_000) as address, ExitStack() as stack:
        opened = [
            stack.enter_context(connected(address, 1, sent=head + b"x" * length))[0]
            for length in (10_000, 70_000, 1_000, 30_000)
        ]
        eventually(lambda: is_refused(opened[1]), "the longest is refused")
        assert call(address, "/slack/events", method="POST", body=b"x" * 20_000).json == {"bytes": 20_000}
        assert not any(is_refused(each) for each in (opened[0], opened[2], opened[3]))


def is_refused(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return connection.recv(100).startswith(b"HTTP/1.1 408 ")
    except BlockingIOError:
        return False


@dataclass(eq=False)
class Transport:
    aborted: bool = False

    def abort(self) -> None:
        self.aborted = True


@dataclass(eq=False)
class Cycle:
    more_body: bool = False
    response_complete: bool = False


@dataclass(eq=False)
class Connection:
    host: str
    cycle: Cycle | None = None
    transport: Transport = field(default_factory=Transport)

    @property
    def client(self) -> tuple[str, int]:
        return self.host, 1


def admitted(limit: Any, *hosts: str, cycle: Cycle | None = None) -> list[Connection]:
    made = [Connection(host, cycle) for host in hosts]
    assert [limit.admit(each) for each in made] == [True] * len(made)
    return made


def closed(connections: list[Connection]) -> list[bool]:
    return [each.transport.aborted for each in connections]


def test_when_all_places_are_taken_whoever_has_most_gives_one_up():
    limit = ConnectionLimit(5, per_address=4)
    few, many = admitted(limit, "10.0.0.1", "10.0.0.2"), admitted(limit, *["10.0.0.9"] * 3)
    admitted(limit, "10.0.0.3", "10.0.0.4")
    assert (closed(few), closed(many)) == ([False, False], [True, True, False])


def test_addresses_of_one_network_count_as_one_in_ipv6():
    limit = ConnectionLimit(9, per_address=2)
    own = admitted(limit, "2001:db8::1", "2001:db8::2:0:0:1", "2001:db8::3")
    other = admitted(limit, "2001:db8:0:1::1", "::ffff:10.0.0.1", "fe80::1%eth0", "")
    assert (closed(own), closed(other)) == ([True, False, False], [False] * 4)


def test_what_is_being_answered_is_not_closed_and_what_waits_for_its_body_is():
    limit = ConnectionLimit(9, per_address=3)
    busy = admitted(limit, "10.0.0.1", cycle=Cycle())
    waiting = admitted(limit, "10.0.0.1", cycle=Cycle(more_body=True))
    answered = admitted(limit, "10.0.0.1", cycle=Cycle(response_complete=True))
    admitted(limit, "10.0.0.1", "10.0.0.1", cycle=Cycle())
    assert closed(busy + waiting + answered) == [False, True, True]
    refused: Any = Connection("10.0.0.1")
    assert not limit.admit(refused), "all others are being answered"


def test_the_one_that_was_answered_last_stays_longest():
    limit: Any = ConnectionLimit(9, per_address=2)
    first, second = admitted(limit, "10.0.0.1", "10.0.0.1")
    limit.answered(first)
    admitted(limit, "10.0.0.1")
    assert closed([first, second]) == [False, True]


def test_what_has_ended_takes_no_place():
    limit: Any = ConnectionLimit(2, per_address=2)
    ended = admitted(limit, "10.0.0.1", "10.0.0.1")
    for each in [*ended, *ended]:
        limit.release(each)
    limit.answered(ended[0])
    left = admitted(limit, "10.0.0.1", "10.0.0.2")
    assert closed(left) == [False, False]


@pytest.mark.parametrize(("files", "connections"), [(20_000, 500), (1_024, 384), (100, FEWEST_CONNECTIONS)])
def test_no_more_connections_are_taken_than_files_may_be_opened(files, connections):
    assert affordable_connections(500, files=files) == connections
