"""Threat: the server of a chat model, or whoever has taken its address, answers with what never ends.

Every call is bounded by bytes and by time, and nothing of it is held afterwards: no thread, no connection, no memory.
"""

import gc
import gzip
import json
import socket
import threading
import time
import tracemalloc

import pytest

from bot.answering.writing.chat_model import ChatModel, Deadline, Limits, open_model
from bot.answering.writing.prompts import Prompt
from bot.errors import GenerationFailed
from tests.servers.hostile_server import HEAD, HostileServer, Play, for_ever, serving_hostile

MIB = 1024 * 1024
LIMITS = Limits(seconds=10.0)
SHORT = Limits(seconds=1.0)
# Seconds beside those that a call has: for threads to start and to end on a busy machine.
SLACK = 8.0


def event(text: str, finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": finish}
    chunk = {"id": "c", "object": "chat.completion.chunk", "created": 0, "model": "m", "choices": [choice]}
    return f"data: {json.dumps(chunk)}\n\n".encode()


ANSWER = event("Five ") + event("days.") + event("", "stop")
CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
JSON = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"
BIG = b"a" * 65_536


def answered(after: bytes) -> Play:
    """A whole answer, and then this for ever."""
    return for_ever(after, head=HEAD + ANSWER)


def failing(status: int) -> bytes:
    return f"HTTP/1.1 {status} Failed\r\nContent-Type: application/json\r\n\r\n".encode()


HOSTILE: dict[str, Play] = {
    "line": for_ever(BIG, head=HEAD + b"data: "),
    "comment": for_ever(BIG, head=HEAD + b": "),
    "comments": for_ever(b": still here\n" * 1000),
    "comments-slowly": for_ever(b": still here\n\n", pause=0.05),
    "blank-lines": for_ever(b"\n" * 65_536),
    "blank-lines-slowly": for_ever(b"\n", pause=0.05),
    "carriage-returns": for_ever(b"\r" * 65_536),
    "data-without-an-end": for_ever(b"data: a\n" * 1000),
    "fields-nobody-knows": for_ever(b"x: y\n\n" * 1000),
    "events-without-text": for_ever(event("")),
    "bytes-one-by-one": for_ever(b"a", pause=0.05),
    "text": for_ever(event("a" * 100)),
    "no-json": for_ever(b'data: {"a": "' + BIG, head=HEAD),
    "nested-json": for_ever(b"[" * 65_536, head=HEAD + b"data: "),
    "json-that-is-no-stream": for_ever(BIG, head=JSON + b'{"choices": "'),
    "error-without-an-end": for_ever(BIG, head=failing(500)),
    "refusal-without-an-end": for_ever(BIG, head=failing(400) + b"temperature "),
    "status-line": for_ever(BIG, head=b"HTTP/1.1 200 "),
    "header": for_ever(BIG, head=b"HTTP/1.1 200 OK\r\nX: "),
    "headers": for_ever(b"X: y\r\n" * 1000, head=b"HTTP/1.1 200 OK\r\n"),
    "headers-slowly": for_ever(b"X: y\r\n", head=b"HTTP/1.1 200 OK\r\n", pause=0.05),
    "continue": for_ever(b"HTTP/1.1 100 Continue\r\n\r\n", head=b""),
    "chunk-size": for_ever(b"0" * 65_536, head=CHUNKED),
    "chunk-extension": for_ever(b"a" * 65_536, head=CHUNKED + b"5;"),
    "small-chunks": for_ever(b"1\r\n\n\r\n" * 1000, head=CHUNKED),
    "compressed": for_ever(
        gzip.compress(b"a" * 64 * MIB), head=HEAD.replace(b"\r\n\r\n", b"\r\nContent-Encoding: gzip\r\n\r\n")
    ),
    "silence": lambda connection: connection.sendall(HEAD),
    "no-answer": lambda connection: None,
}

AFTERWARDS: dict[str, Play] = {
    "line": for_ever(BIG, head=HEAD + ANSWER + b"data: "),
    "comments": answered(b": still here\n" * 1000),
    "comments-slowly": for_ever(b": still here\n\n", head=HEAD + ANSWER, pause=0.05),
    "blank-lines": answered(b"\n" * 65_536),
    "events": answered(event("")),
    "silence": lambda connection: connection.sendall(HEAD + ANSWER),
    "done-and-comments": answered(b"data: [DONE]\n\n: still here\n\n"),
}


@pytest.fixture
def server():
    with serving_hostile() as server:
        yield server


@pytest.fixture
def model(server: HostileServer) -> ChatModel:
    return open_model("openai:m", base_url=server.url, limits=LIMITS)


def call(model: ChatModel, limits: Limits = LIMITS) -> str:
    """The reply, or the kind of failure."""
    try:
        return "".join(model.stream(Prompt("rules", "question", "#m"), Deadline(limits)))
    except GenerationFailed as error:
        return error.kind


def readers() -> set[threading.Thread]:
    """The threads that read a model."""
    return {thread for thread in threading.enumerate() if "_read" in thread.name}


def wait_until_ended(before: set[threading.Thread]) -> bool:
    deadline = time.monotonic() + SLACK
    while time.monotonic() < deadline and readers() - before:
        time.sleep(0.02)
    return not readers() - before


def assert_nothing_is_held(server: HostileServer, before: set[threading.Thread], memory: int) -> None:
    assert wait_until_ended(before)
    assert server.wait_until_closed()
    gc.collect()
    held, peak = tracemalloc.get_traced_memory()
    assert held - memory < 4 * MIB
    assert peak - memory < 96 * MIB


@pytest.fixture
def memory(server, model):
    """Bytes that are held before a call, counted from here on; what a first call loads is not the server's doing."""
    server.play = lambda connection: connection.sendall(HEAD + ANSWER + b"data: [DONE]\n\n")
    assert call(model) == "Five days."
    tracemalloc.start()
    try:
        yield tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("play", HOSTILE.values(), ids=HOSTILE)
def test_what_never_ends_is_a_failure_in_time_and_leaves_nothing_behind(server, model, memory, play):
    server.play, before, started = play, readers(), time.monotonic()
    assert call(model, SHORT) in {"timeout", "truncated", "unavailable"}
    assert time.monotonic() - started < SHORT.seconds + SLACK
    assert_nothing_is_held(server, before, memory)


@pytest.mark.parametrize("play", AFTERWARDS.values(), ids=AFTERWARDS)
def test_an_answer_is_given_whatever_follows_it_and_nothing_is_held_afterwards(server, model, memory, play):
    server.play, before, started = play, readers(), time.monotonic()
    assert call(model) == "Five days."
    assert time.monotonic() - started < SLACK
    assert_nothing_is_held(server, before, memory)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(server, model, status):
    with serving_hostile() as elsewhere:
        for target in (f"{server.url}/again", f"{elsewhere.url}/chat/completions"):
            head = f"HTTP/1.1 {status} Moved\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n".encode()
            server.play, server.paths = (lambda connection, head=head: connection.sendall(head)), []
            assert call(model) == "unavailable"
            assert server.paths == ["/v1/chat/completions"]
        assert elsewhere.paths == []


def test_what_a_provider_sends_in_a_long_answer_is_no_attack(server, model):
    pieces = b"".join(event(letter) + b": still here\n\n" for letter in "a" * 5000)
    server.play = lambda connection: connection.sendall(HEAD + pieces + event("", "stop") + b"data: [DONE]\n\n")
    assert call(model) == "a" * 5000


def test_a_server_that_counts_tokens_after_the_ending_is_waited_for(server):
    counted = []
    model = open_model(
        "openai:m", base_url=server.url, limits=LIMITS, listener=lambda text, usage: counted.append(usage)
    )
    usage = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}
    last = {"id": "c", "object": "chat.completion.chunk", "created": 0, "model": "m", "choices": [], "usage": usage}

    def play(connection: socket.socket) -> None:
        connection.sendall(HEAD + ANSWER)
        time.sleep(0.2)
        connection.sendall(f"data: {json.dumps(last)}\n\ndata: [DONE]\n\n".encode())

    server.play = play
    assert call(model) == "Five days."
    assert [each.written for each in counted if each] == [2]
