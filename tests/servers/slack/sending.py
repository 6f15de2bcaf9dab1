"""What Slack sends to the app, over HTTP or Socket Mode: signed, again if nobody acknowledged, at times twice."""

import contextlib
import hashlib
import hmac
import http.client
import json
import queue
import random
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import Server as SocketServer
from websockets.sync.server import ServerConnection, serve

from tests.servers.slack.seen import Json

if TYPE_CHECKING:
    from tests.servers.slack.workspace import Acked, Person

FORM = "application/x-www-form-urlencoded"
MOST_SOCKETS = 10


@dataclass(frozen=True)
class Delivery:
    """One attempt to tell the app something; `status` is 0 where no answer came in time, `seconds` what it took."""

    event: str
    kind: str
    attempt: int
    status: int
    seconds: float
    to: str = ""


@dataclass
class Sending:
    """Sends to one of `app_urls`, drawn by chance like behind a balancer, or to one of the open sockets.

    `retries` are the seconds before each further attempt. Of the events that were acknowledged `redelivered` (a share)
    are sent once more, as when the acknowledgement got lost.
    """

    signing_secret: str
    url: str = ""
    app_urls: list[str] = field(default_factory=list)
    ack_within: float = 3.0
    retries: tuple[float, ...] = (0.1, 0.5, 1.0)
    redelivered: float = 0.0
    chance: random.Random = field(default_factory=lambda: random.Random(7))
    deliveries: list[Delivery] = field(default_factory=list)
    sent: list[Json] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    pressed: list[tuple["Person", Json]] = field(default_factory=list)
    sockets: "Sockets" = field(default_factory=lambda: Sockets())  # noqa: PLW0108 - it stands below
    closing: threading.Event = field(default_factory=threading.Event)
    _under_way: int = 0
    _counting: threading.Lock = field(default_factory=threading.Lock)
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(64, "slack-sends"))

    def event(self, envelope: Json) -> None:
        """Deliver an event, by and by."""
        with self._counting:
            self.sent.append(envelope)
            self._under_way += 1
        with contextlib.suppress(RuntimeError):  # after the end nothing is sent
            self._pool.submit(self._through, envelope)

    @property
    def is_idle(self) -> bool:
        """Whether everything was delivered, or given up."""
        return self._under_way == 0

    def _through(self, envelope: Json) -> None:
        try:
            self._deliver(envelope)
        finally:
            with self._counting:
                self._under_way -= 1

    def _deliver(self, envelope: Json) -> None:
        reason = ""
        for attempt, wait in enumerate((0.0, *self.retries)):
            if self.closing.wait(wait):
                return
            status, no_retry = self._attempt(envelope, attempt, reason)
            if 200 <= status < 300 or no_retry:
                break
            reason = "http_timeout" if status == 0 else "http_error"
        else:
            return
        if self.chance.random() < self.redelivered and not self.closing.wait(self.chance.random() * 0.2):
            self._attempt(envelope, 1, "http_timeout")

    def _attempt(self, envelope: Json, attempt: int, reason: str) -> tuple[int, bool]:
        started, event = time.perf_counter(), str(envelope["event_id"])
        if self.sockets.is_open:
            acked = self.sockets.send("events_api", envelope, attempt=attempt, reason=reason, within=self.ack_within)
            self._note(event, "event", attempt, 200 if acked is not None else 0, started=started, to="socket")
            return (200 if acked is not None else 0), False
        if not self.app_urls:
            return 0, False
        headers = {"X-Slack-Retry-Num": str(attempt), "X-Slack-Retry-Reason": reason} if attempt else {}
        to = self.chance.choice(self.app_urls)
        status, _, told = self.post(to, json.dumps(envelope).encode(), "application/json", headers)
        self._note(event, "event", attempt, status, started=started, to=to)
        return status, told.get("x-slack-no-retry") == "1"

    def interaction(self, person: "Person", payload: Json) -> "Acked":
        """Something was pressed or sent; it is told once."""
        self.pressed.append((person, payload))
        kind = str(payload["type"])
        return self._once(person, "interactive", kind, payload, urlencode({"payload": json.dumps(payload)}))

    def command(self, person: "Person", payload: Mapping[str, str]) -> "Acked":
        return self._once(person, "slash_commands", "command", dict(payload), urlencode(payload))

    def _once(self, person: "Person", envelope: str, kind: str, payload: Json, form: str) -> "Acked":
        from tests.servers.slack.workspace import Acked

        started, name = time.perf_counter(), str(payload["trigger_id"])
        if self.sockets.is_open:
            acked = self.sockets.send(envelope, payload, within=self.ack_within)
            made = Acked(200 if acked is not None else 0, (acked or {}).get("payload"))
        else:
            status, body, _ = self.post(self.chance.choice(self.app_urls), form.encode(), FORM, {})
            made = Acked(status, _json(body))
        self._note(name, kind, 0, made.status, started=started, to="")
        if made.status != 200:
            person.errors.append("operation_timeout" if made.status == 0 else f"http_error {made.status}")
        return made

    def post(self, url: str, body: bytes, kind: str, headers: Mapping[str, str]) -> tuple[int, bytes, dict[str, str]]:
        """Status, body and headers of the app's answer to a signed request; status 0 where none came in time."""
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=self.ack_within)
        signed = {"Content-Type": kind, **self.signature(body), **headers}
        try:
            connection.request("POST", parts.path, body, signed)
            answer = connection.getresponse()
            return answer.status, answer.read(), {name.lower(): value for name, value in answer.getheaders()}
        except (OSError, http.client.HTTPException):
            return 0, b"", {}
        finally:
            connection.close()

    def verify(self, url: str) -> bool:
        """Whether an address takes part when an administrator enters it: it returns what it is sent, signed.

        https://docs.slack.dev/reference/events/url_verification
        """
        body = json.dumps({"token": "verification", "challenge": "3eZbrw1a", "type": "url_verification"}).encode()
        status, told, _ = self.post(url, body, "application/json", {})
        return status == 200 and b"3eZbrw1a" in told

    def signature(self, body: bytes, *, at: float | None = None, secret: str = "") -> dict[str, str]:
        """The headers that prove who sent it."""
        stamp = str(int(time.time() if at is None else at))
        key = (secret or self.signing_secret).encode()
        digest = hmac.new(key, b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
        return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest}"}

    def _note(self, event: str, kind: str, attempt: int, status: int, *, started: float, to: str) -> None:
        self.deliveries.append(Delivery(event, kind, attempt, status, time.perf_counter() - started, to))

    def close(self) -> None:
        self.closing.set()
        self.sockets.close()
        self._pool.shutdown(wait=True, cancel_futures=True)


class Sockets:
    """Socket Mode: tickets, open connections, envelopes and their acknowledgements."""

    def __init__(self) -> None:
        self._server: SocketServer | None = None
        self._thread: threading.Thread | None = None
        self._open: dict[ServerConnection, threading.Lock] = {}
        self._tickets: set[str] = set()
        self._waiting: dict[str, queue.SimpleQueue[Json]] = {}
        self._lock = threading.Lock()
        self._count = 0
        self._chance = random.Random(7)
        self._is_off = False

    @property
    def is_open(self) -> bool:
        return bool(self._open)

    @property
    def connections(self) -> int:
        return len(self._open)

    def ticket(self) -> str | None:
        """An address that works once; None where too many are open."""
        with self._lock:
            if len(self._open) >= MOST_SOCKETS:
                return None
            if self._server is None:
                self._server = serve(self._serve, "127.0.0.1", 0, process_request=self._checked)
                self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
                self._thread.start()
            self._count += 1
            ticket = f"ticket-{self._count}"
            self._tickets.add(ticket)
            port = self._server.socket.getsockname()[1]
        return f"ws://127.0.0.1:{port}/link/?ticket={ticket}&app_id=A0APP"

    def _checked(self, connection: ServerConnection, request: Any) -> Any:
        ticket = request.path.partition("ticket=")[2].partition("&")[0]
        with self._lock:
            known = ticket in self._tickets
            self._tickets.discard(ticket)
        return None if known else connection.respond(http.HTTPStatus.NOT_FOUND, "this ticket is not valid\n")

    def _serve(self, connection: ServerConnection) -> None:
        if self._is_off:
            self._end(connection, "link_disabled")
            return
        with self._lock:
            self._open[connection] = threading.Lock()
        hello = {"type": "hello", "num_connections": len(self._open), "connection_info": {"app_id": "A0APP"}}
        try:
            connection.send(
                json.dumps(hello | {"debug_info": {"host": "stand-in", "approximate_connection_time": 18060}})
            )
            for text in connection:
                told = json.loads(text)
                if waiting := self._waiting.get(told.get("envelope_id", "")):
                    waiting.put(told)
        except ConnectionClosed:
            pass
        finally:
            with self._lock:
                self._open.pop(connection, None)

    def send(self, kind: str, payload: Json, *, within: float, attempt: int = 0, reason: str = "") -> Json | None:
        """What the app acknowledged the envelope with; None where it did not in time."""
        with self._lock:
            if not self._open:
                return None
            connection = self._chance.choice(list(self._open))
            self._count += 1
            name = f"envelope-{self._count}"
            turn = self._open[connection]
        envelope: Json = {"envelope_id": name, "type": kind, "payload": payload}
        envelope |= {"accepts_response_payload": kind != "events_api"}
        if kind == "events_api":
            envelope |= {"retry_attempt": attempt, "retry_reason": reason}
        self._waiting[name] = queue.SimpleQueue()
        try:
            with turn:
                connection.send(json.dumps(envelope))
            return self._waiting[name].get(timeout=within)
        except (ConnectionClosed, queue.Empty):
            return None
        finally:
            del self._waiting[name]

    def disconnect(self, reason: str = "refresh_requested") -> None:
        """Ask every connection to go and come back, as Slack does every few hours, and close it."""
        for connection in list(self._open):
            self._end(connection, reason)

    def switch_off(self, *, off: bool = True) -> None:
        """Turn Socket Mode off at the app's page: connections end with `link_disabled`, new ones too.

        https://docs.slack.dev/apis/events-api/using-socket-mode names the reasons of a disconnect.
        """
        self._is_off = off
        if off:
            self.disconnect("link_disabled")

    def _end(self, connection: ServerConnection, reason: str) -> None:
        with contextlib.suppress(ConnectionClosed):
            connection.send(json.dumps({"type": "disconnect", "reason": reason, "debug_info": {"host": "stand-in"}}))
            connection.close()

    def close(self) -> None:
        if self._server:
            self._server.shutdown()
        for connection in list(self._open):
            connection.close()
        if self._thread:
            self._thread.join(5)


def _json(body: bytes) -> Json | None:
    try:
        made = json.loads(body)
    except ValueError:
        return None
    return made if isinstance(made, dict) else None
