"""A chat model's server on loopback: the streaming part of OpenAI's API over a real socket, as bad as it is told."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from bot.answering.writing.prompts import CONDENSING_RULES

Body = dict[str, Any]


@dataclass(frozen=True)
class Reply:
    """What one request gets.

    `text` may be made from the request. It goes out in deltas of `size` characters, `before` seconds after the
    request and `pause` seconds apart; after `drop` deltas the line is cut. `silent` accepts and never answers. `usage`,
    tokens read and written, is told to whoever asks for it. What stands after the words `held_after` is not sent before
    it is `released`.
    """

    text: str | Callable[[Body], str] = ""
    size: int = 4
    before: float = 0.0
    pause: float = 0.0
    finish: str | None = "stop"
    drop: int | None = None
    silent: bool = False
    status: int = 200
    error: str = "scripted"
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    byte_by_byte: bool = False
    refusal: str = ""
    usage: tuple[int, int] | None = None
    held_after: str = ""
    released: threading.Event = field(default_factory=threading.Event)


class Server(ThreadingHTTPServer):
    """Serves `replies` one after the other, the last one for ever; `requests` are the bodies that came.

    Where there are `rewrites`, they are what requests to rewrite a question get, in the same way. A model that is
    named in `models` always gets the reply there.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.replies: list[Reply] = [Reply()]
        self.rewrites: list[Reply] = []
        self.models: dict[str, Reply] = {}
        self.requests: list[Body] = []
        self.keys: list[str] = []
        self.sent_at: list[float] = []
        self.closing = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def next_reply(self, body: Body) -> Reply:
        if body["model"] in self.models:
            return self.models[body["model"]]
        replies = self.rewrites if self.rewrites and is_rewriting(body) else self.replies
        return replies.pop(0) if len(replies) > 1 else replies[0]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that has gone away is part of the play."""


class Handler(BaseHTTPRequestHandler):
    server: Server
    disable_nagle_algorithm = True  # otherwise a small piece waits 40 ms for the one before it to be acknowledged

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append(body)
        self.server.keys.append(self.headers.get("Authorization", ""))
        reply = self.server.next_reply(body)
        if reply.silent:
            self.server.closing.wait(30)
        elif reply.status != 200:
            self._fail(reply)
        else:
            self._stream(reply, body)

    def _fail(self, reply: Reply) -> None:
        content = json.dumps({"error": {"message": reply.error, "type": "scripted", "code": None}}).encode()
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _stream(self, reply: Reply, body: Body) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()  # HTTP/1.0: the end of the connection is the end of the body
        if self.server.closing.wait(reply.before):
            return
        if reply.raw is not None:
            self.wfile.write(reply.raw)
            return
        text = reply.text(body) if callable(reply.text) else reply.text
        held = (text.index(reply.held_after) + len(reply.held_after)) // reply.size + 1 if reply.held_after else None
        for number, event in enumerate(_events(reply, text, counted=_is_counted(body))):
            if number == held:
                reply.released.wait(30)
            if number == reply.drop:
                self.connection.close()
                return
            if reply.byte_by_byte:
                for byte in event:
                    self.wfile.write(bytes([byte]))
            else:
                self.wfile.write(event)
            self.server.sent_at.append(time.perf_counter())
            if self.server.closing.wait(reply.pause):
                return

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - the library's name
        """Nothing on stderr."""


def is_rewriting(body: Body) -> bool:
    """Whether this request is for a question that stands alone, and not for an answer."""
    return str(body["messages"][0]["content"]).startswith(CONDENSING_RULES.splitlines()[0])


def _is_counted(body: Body) -> bool:
    return bool((body.get("stream_options") or {}).get("include_usage"))


def _events(reply: Reply, text: str, *, counted: bool = False) -> Iterator[bytes]:
    yield _event({"role": "assistant", "content": ""})
    for start in range(0, len(text), reply.size):
        yield _event({"content": text[start : start + reply.size]})
    if reply.refusal:
        yield _event({"refusal": reply.refusal})
    if reply.finish:
        yield _event({}, finish=reply.finish)
        if reply.usage and counted:
            yield _usage(*reply.usage)
        yield b"data: [DONE]\n\n"


def _usage(read: int, written: int) -> bytes:
    """The last event of a stream whose tokens are counted, which has no choices."""
    counts = {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}
    chunk = {"id": "c", "object": "chat.completion.chunk", "created": 0, "model": "scripted", "choices": []}
    return f"data: {json.dumps(chunk | {'usage': counts})}\n\n".encode()


def _event(delta: Body, *, finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    chunk = {"id": "c", "object": "chat.completion.chunk", "created": 0, "model": "scripted", "choices": [choice]}
    return f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n".encode("utf-8", "surrogatepass")


@contextmanager
def serving() -> Iterator[Server]:
    """A server that runs while the block does."""
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.closing.set()
        server.shutdown()
        server.server_close()
        thread.join(5)
