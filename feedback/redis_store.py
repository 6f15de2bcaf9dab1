"""The store for production: a Redis or Valkey server, or a cluster of them, of version 6.2 or later."""

import hashlib
import json
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from feedback.errors import FeedbackUnavailable, UnknownExchange
from feedback.records import Correction, Exchange, R, Record, Vote, from_json, to_json
from feedback.redis_connection import Address, address, connect, failures, installed
from feedback.redis_scripts import NEW, NO_EXCHANGE, RECORD_CORRECTION, RECORD_EXCHANGE, RECORD_VOTE

TIMEOUT_SECONDS = 5.0
PAGE = 100
BEGINNING = datetime(1, 1, 1, tzinfo=UTC)
DIGITS = 18  # microseconds up to the year 9999


@dataclass(frozen=True, slots=True)
class Keeping:
    """How a server keeps what it is given; None where this user may not ask.

    `eviction` is what it does when its memory is full, `fsync` when the append-only file reaches the disk.
    """

    server: str
    eviction: str | None = None
    append_only: bool | None = None
    fsync: str | None = None


class RedisFeedback:
    """A `FeedbackStore` on a server; processes may share it. It connects when it is first used.

    What is acknowledged is on disk as soon as the server's `appendfsync` has it so. After a lost reply the call is
    made again, so that False may be told of a vote or a correction that the first try has recorded.
    """

    def __init__(self, url: str, *, workspace: str, timeout: float = TIMEOUT_SECONDS) -> None:
        """Raise `FeedbackUnavailable` for a url that is none, or where the client is not installed."""
        try:
            self._address: Address = address(url)
        except ValueError as error:
            raise FeedbackUnavailable(f"`redis_url` must be {error}") from None
        if not installed():
            raise FeedbackUnavailable(
                "`redis_url` needs a package that is not installed: pip install 'footnote-bot[redis]'"
            )
        self._prefix = f"footnote:{{{workspace}}}:".encode()
        self._timeout = timeout
        self._lock = threading.Lock()
        self._connected: Any = None
        self._closed = False

    def record(self, exchange: Exchange) -> None:
        """Remember an exchange; under an id that is known already nothing changes."""
        name = _bytes(exchange.id)
        keys = (
            self._key("exchange", name),
            self._key("exchanges"),
            self._key("conversation", _bytes(exchange.conversation)),
            self._key("person", _bytes(exchange.asker)),
        )
        flags = (int(bool(exchange.conversation)), int(bool(exchange.asker)))
        self._run(RECORD_EXCHANGE, keys, (_json(exchange), _moment(exchange.at, name), name, *flags))

    def exchange(self, answer: str) -> Exchange:
        """The exchange of the answer with this id; raises `UnknownExchange`."""
        found = self._records(Exchange, [_bytes(answer)])
        if not found:
            raise UnknownExchange(answer)
        return found[0]

    def conversation(self, name: str, *, limit: int) -> list[Exchange]:
        """The newest `limit` exchanges of a conversation, oldest first, ties by id."""
        if not name or limit < 1:
            return []
        with self._client() as client:
            newest = client.zrange(self._key("conversation", _bytes(name)), -limit, -1)
        return self._records(Exchange, map(_name, newest))

    def exchanges(self) -> Iterator[Exchange]:
        """All exchanges, oldest first, ties by id, few in memory at a time."""
        after = b"-"
        while page := self._page(after):
            yield from self._records(Exchange, map(_name, page))
            after = b"(" + page[-1]

    def vote(self, vote: Vote) -> bool:
        """Remember a vote; False, and nothing changes, when its key is known already; raises `UnknownExchange`."""
        answer, key, voter = _bytes(vote.answer), _bytes(vote.key), _bytes(vote.voter)
        keys = (
            self._key("exchange", answer),
            self._key("vote", key),
            self._key("votes", answer),
            self._key("standing", answer),
            self._key("counts", answer),
            self._key("audit"),
            self._key("person", voter),
        )
        values = (_json(vote), _moment(vote.at, key), key, answer, voter, vote.at.isoformat(), vote.vote)
        return self._opinion(RECORD_VOTE, keys, values, vote.answer)

    def votes(self, answer: str) -> list[Vote]:
        """The votes that count now, oldest first, ties by key: of each voter the latest, unless it withdraws."""
        with self._client() as client:
            standing = [each.partition(b" ") for each in client.hvals(self._key("standing", _bytes(answer)))]
        counting = sorted(moment for choice, _, moment in standing if choice != b"none")
        return self._records(Vote, map(_name, counting))

    def correct(self, correction: Correction) -> bool:
        """Remember a correction; False, and nothing changes, when its key is known; raises `UnknownExchange`."""
        answer, key, author = _bytes(correction.answer), _bytes(correction.key), _bytes(correction.author)
        keys = (
            self._key("exchange", answer),
            self._key("correction", key),
            self._key("corrections", answer),
            self._key("audit"),
            self._key("person", author),
        )
        values = (_json(correction), _moment(correction.at, key), key, answer, author, correction.at.isoformat())
        return self._opinion(RECORD_CORRECTION, keys, values, correction.answer)

    def corrections(self, answer: str) -> list[Correction]:
        """All corrections of an answer, oldest first, ties by key."""
        with self._client() as client:
            moments = client.zrange(self._key("corrections", _bytes(answer)), 0, -1)
        return self._records(Correction, map(_name, moments))

    def keeping(self) -> list[Keeping]:
        """How the server, or each of a cluster that takes writes, keeps what it is given."""
        with self._client() as client:
            if not self._address.cluster:
                return [_keeping(client, {})]
            return [_keeping(client, {"target_nodes": node}) for node in client.get_primaries()]

    def close(self) -> None:
        """Let go of the server; a second time changes nothing."""
        with self._lock:
            self._closed, connected, self._connected = True, self._connected, None
        if connected is not None:
            with self._mapped():
                connected.close()

    @contextmanager
    def _client(self) -> Iterator[Any]:
        """The client; everything that it raises becomes `FeedbackUnavailable`."""
        if self._closed:
            raise FeedbackUnavailable(f"the feedback store at {self._address.place} has been closed")
        with self._mapped():
            yield self._connect() if self._connected is None else self._connected

    def _connect(self) -> Any:
        made = connect(self._address, timeout=self._timeout)
        with self._lock:  # not while connecting: nobody waits for another's timeout
            if self._connected is None:
                self._connected = made
            return self._connected

    @contextmanager
    def _mapped(self) -> Iterator[None]:
        try:
            yield
        except failures() as error:
            said = " ".join(str(error).split()) or type(error).__name__
            raise FeedbackUnavailable(
                f"the feedback store at {self._address.place} cannot be used ({said}); see that it runs and has room, "
                "and that `redis_url` names it and a user who may write"
            ) from error

    def _key(self, kind: str, name: bytes | None = None) -> bytes:
        return self._prefix + kind.encode() + (b"" if name is None else b":" + name)

    def _page(self, after: bytes) -> list[bytes]:
        with self._client() as client:
            page: list[bytes] = client.zrange(self._key("exchanges"), after, b"+", bylex=True, offset=0, num=PAGE)
        return page

    def _run(self, script: str, keys: tuple[bytes, ...], values: tuple[Any, ...]) -> int:
        """What the script says; the server is sent its text only where it does not know it."""
        from redis.exceptions import NoScriptError

        with self._client() as client:
            try:
                return int(client.evalsha(_digest(script), len(keys), *keys, *values))
            except NoScriptError:
                return int(client.eval(script, len(keys), *keys, *values))

    def _opinion(self, script: str, keys: tuple[bytes, ...], values: tuple[Any, ...], answer: str) -> bool:
        said = self._run(script, keys, values)
        if said == NO_EXCHANGE:
            raise UnknownExchange(answer)
        return said == NEW

    def _records(self, kind: type[R], names: Iterable[bytes]) -> list[R]:
        """The records of these names, in their order; one that is no longer there is left out."""
        keys = [self._key(kind.__name__.lower(), name) for name in names]
        if not keys:
            return []
        with self._client() as client:
            found = client.mget(keys)
        return [self._parsed(kind, record) for record in found if record is not None]

    def _parsed(self, kind: type[R], record: bytes) -> R:
        try:
            return from_json(kind, json.loads(record))
        except ValueError as error:
            message = f"a record in the feedback store at {self._address.place} cannot be read: {error}"
            raise FeedbackUnavailable(message) from error


def _keeping(client: Any, node: dict[str, Any]) -> Keeping:
    from redis.exceptions import ResponseError

    client.ping(**node)
    try:
        info = {**client.info("server", **node), **client.info("memory", **node), **client.info("persistence", **node)}
    except ResponseError:  # by its rights, or by the service that runs it
        return Keeping("a server that does not say what it is")
    try:
        fsync = client.config_get("appendfsync", **node).get("appendfsync")
    except ResponseError:
        fsync = None
    name = f"Valkey {info['valkey_version']}" if "valkey_version" in info else f"Redis {info.get('redis_version', '?')}"
    append_only = info.get("aof_enabled")
    return Keeping(name, info.get("maxmemory_policy"), None if append_only is None else bool(append_only), fsync)


@cache
def _digest(script: str) -> str:
    return hashlib.sha1(script.encode(), usedforsecurity=False).hexdigest()


def _moment(at: datetime, name: bytes) -> bytes:
    return b"%0*d" % (DIGITS, (at - BEGINNING) // timedelta(microseconds=1)) + name


def _name(moment: bytes) -> bytes:
    return moment[DIGITS:]


def _json(record: Record) -> str:
    return json.dumps(to_json(record), allow_nan=False)


def _bytes(text: str) -> bytes:
    """The text in UTF-8; a file name's undecodable byte, half a character, is written out."""
    return text.encode("utf-8", "backslashreplace")
