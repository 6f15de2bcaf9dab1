"""The store for production: a Redis or Valkey server, or a cluster of them, of version 6.2 or later."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from feedback.errors import UnknownExchange
from feedback.records import (
    Correction,
    Decision,
    Exchange,
    Export,
    Forgotten,
    R,
    Record,
    Registered,
    ReviewedExchange,
    Vote,
    WriteResult,
    decided,
    has_words,
    without_words,
)
from feedback.stores.redis.erasure import forget, held, prune
from feedback.stores.redis.scripts import KNOWN, NEW, NO_EXCHANGE, RECORD_EXCHANGE, RECORD_OPINION, RECORD_VOTE
from feedback.stores.redis.server import PAGE, Call, Server, as_bytes, encoded, moment, name_in

TIMEOUT_SECONDS = 5.0
OUTCOMES: Mapping[int, WriteResult] = {NEW: "added", KNOWN: "known", NO_EXCHANGE: "unknown-answer"}


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

    What is erased is no longer told by the server at once; its append-only file and its replicas' hold what was written
    until they are written anew, which `BGREWRITEAOF` does at once and `auto-aof-rewrite-percentage` in time. Snapshots
    and backups are the owner's to erase.
    """

    def __init__(self, url: str, *, workspace: str, timeout: float = TIMEOUT_SECONDS) -> None:
        """Raise `FeedbackUnavailable` for a url that is none, or where the client is not installed."""
        self._server = Server(url, workspace=workspace, timeout=timeout)

    def record(self, exchange: Exchange) -> None:
        """Remember an exchange; under an id that is known already nothing changes."""
        self._server.run(self._recording(exchange))

    def exchange(self, answer: str) -> Exchange:
        """The exchange of the answer with this id; raises `UnknownExchange`."""
        found = self._records(Exchange, [as_bytes(answer)])
        if not found:
            raise UnknownExchange(answer)
        return found[0]

    def conversation(self, name: str, *, limit: int) -> list[Exchange]:
        """The newest `limit` exchanges of a conversation, oldest first, ties by id."""
        if not name or limit < 1:
            return []
        with self._server.client() as client:
            newest = client.zrange(self._key("conversation", as_bytes(name)), -limit, -1)
        return self._records(Exchange, map(name_in, newest))

    def exchanges(self) -> Iterator[Exchange]:
        """All exchanges, oldest first, ties by id, few in memory at a time."""
        for page in self._pages():
            yield from self._records(Exchange, page)

    def vote(self, vote: Vote) -> bool:
        """Remember a vote; False, and nothing changes, when its key is known already; raises `UnknownExchange`."""
        return self._opinion(vote)

    def votes(self, answer: str) -> list[Vote]:
        """The votes that count now, oldest first, ties by key: of each voter the latest, unless it withdraws."""
        with self._server.client() as client:
            standing = client.hvals(self._key("standing", as_bytes(answer)))
        return self._records(Vote, _counting(standing))

    def correct(self, correction: Correction) -> bool:
        """Remember a correction; False, and nothing changes, when its key is known; raises `UnknownExchange`."""
        return self._opinion(correction)

    def corrections(self, answer: str) -> list[Correction]:
        """All corrections of an answer, oldest first, ties by key, `accepted` as the latest decision says."""
        return list(decided(self._about(Correction, answer), self.decisions(answer)))

    def decide(self, decision: Decision) -> bool:
        """Remember a decision; False, and nothing changes, when its key is known; raises `UnknownExchange`."""
        return self._opinion(decision)

    def decisions(self, answer: str) -> list[Decision]:
        """All decisions about an answer, oldest first, ties by key."""
        return self._about(Decision, answer)

    def take(self, records: Sequence[Record]) -> list[WriteResult]:
        """Remember several records in few journeys, and tell of each what became of it."""
        told: list[WriteResult] = []
        for registers, several in groupby(records, lambda each: isinstance(each, Export | Registered)):
            for each in _chunks(list(several)):
                told += [self._registered(one) for one in each] if registers else self._taken(each)
        return told

    def judged(self, *, since: datetime | None = None, until: datetime | None = None) -> Iterator[ReviewedExchange]:
        """The exchanges of this time (`until` is not in it), each with what counts of it now."""
        for page in self._pages(since, until):
            standing = self._server.all([("HVALS", self._key("standing", name)) for name in page])
            votes = self._records_of(Vote, [_counting(each) for each in standing])
            corrections, decisions = self._said(Correction, page), self._said(Decision, page)
            exchanges = self._records_of(Exchange, [[name] for name in page])
            for found, cast, written, about in zip(exchanges, votes, corrections, decisions, strict=True):
                for each in found:
                    yield ReviewedExchange(each, tuple(cast), decided(written, about), tuple(about))

    def records(self) -> Iterator[Record]:
        """All that is kept: exchanges, what was said of them in the same order, registered exports."""
        yield from self.exchanges()
        for page in self._pages():
            of_kind: list[list[list[Any]]] = [self._said(kind, page) for kind in (Vote, Correction, Decision)]
            for of_answer in zip(*of_kind, strict=True):
                for said in of_answer:
                    yield from said
        for export in self.exports():
            yield from self._rows(export)

    def register(self, export: Export, rows: Mapping[str, Iterable[str]]) -> None:
        """Remember an export, and by each person the sha256 of the rows that hold something of theirs."""
        name = as_bytes(export.id)
        for people in _chunks(sorted(rows)):
            held_rows = [(as_bytes(person), json.dumps(sorted(set(rows[person])))) for person in people]
            self._server.all([("ZADD", self._key("people", name), 0, person) for person, _ in held_rows])
            self._server.all([("HSET", self._key("held", person), name, of) for person, of in held_rows])
        self._server.all(
            [
                ("ZADD", self._key("exports"), 0, moment(export.at, name)),
                ("SET", self._key("export", name), encoded(export)),
            ]
        )

    def exports(self) -> list[Export]:
        """All exports, oldest first, ties by id."""
        with self._server.client() as client:
            moments = client.zrange(self._key("exports"), 0, -1)
        return self._records(Export, map(name_in, moments))

    def forget(self, person: str) -> Forgotten:
        """Erase all of a person, little by little, and tell which exports hold rows of theirs."""
        if not person:
            return Forgotten(0, 0, 0, 0)
        gone = forget(self._server, as_bytes(person))
        return Forgotten(
            gone[Exchange], gone[Vote], gone[Correction], gone[Decision], held(self._server, as_bytes(person))
        )

    def prune(self, *, words: datetime | None = None, all_of_it: datetime | None = None) -> tuple[int, int]:
        """Let go of what is older than a moment, little by little."""
        return prune(self._server, words=words, all_of_it=all_of_it)

    def keeping(self) -> list[Keeping]:
        """How the server, or each of a cluster that takes writes, keeps what it is given."""
        with self._server.client() as client:
            if not self._server.address.cluster:
                return [_keeping(client, {})]
            return [_keeping(client, {"target_nodes": node}) for node in client.get_primaries()]

    def close(self) -> None:
        """Let go of the server; a second time changes nothing."""
        self._server.close()

    def _key(self, kind: str, name: bytes | None = None) -> bytes:
        return self._server.key(kind, name)

    def _pages(self, since: datetime | None = None, until: datetime | None = None) -> Iterator[list[bytes]]:
        """The ids of the exchanges of this time, some at once."""
        after = b"[" + moment(since, b"") if since else b"-"
        end = b"(" + moment(until, b"") if until else b"+"
        while page := self._page("exchanges", after, end):
            yield list(map(name_in, page))
            after = b"(" + page[-1]

    def _page(self, kind: str, after: bytes, end: bytes = b"+", name: bytes | None = None) -> list[bytes]:
        with self._server.client() as client:
            key = self._key(kind, name)
            page: list[bytes] = client.zrange(key, after, end, bylex=True, offset=0, num=PAGE)
        return page

    def _recording(self, record: Exchange | Vote | Correction | Decision) -> Call:
        if isinstance(record, Exchange):
            return self._recording_exchange(record)
        answer, key = as_bytes(record.answer), as_bytes(record.key)
        kind, person = _kind(type(record)), as_bytes(_person(record))
        bare = encoded(without_words(record)) if has_words(record) else ""
        at = (bare, moment(record.at, key), key, answer, person, record.at.isoformat())
        exchange, own = self._key("exchange", answer), self._key(kind, key)
        moments, audit, index = self._key(f"{kind}s", answer), self._key("audit"), self._key("person", person)
        if isinstance(record, Vote):
            counted = self._key("standing", answer), self._key("counts", answer)
            return Call(
                RECORD_VOTE, (exchange, own, moments, *counted, audit, index), (encoded(record), *at, record.vote)
            )
        return Call(RECORD_OPINION, (exchange, own, moments, audit, index), (encoded(record), *at, kind))

    def _recording_exchange(self, exchange: Exchange) -> Call:
        name = as_bytes(exchange.id)
        keys = (
            self._key("exchange", name),
            self._key("exchanges"),
            self._key("conversation", as_bytes(exchange.conversation)),
            self._key("person", as_bytes(exchange.asker)),
        )
        flags = (int(bool(exchange.conversation)), int(bool(exchange.asker)))
        return Call(RECORD_EXCHANGE, keys, (encoded(exchange), moment(exchange.at, name), name, *flags))

    def _opinion(self, given: Vote | Correction | Decision) -> bool:
        said = self._server.run(self._recording(given))
        if said == NO_EXCHANGE:
            raise UnknownExchange(given.answer)
        return said == NEW

    def _taken(self, records: Sequence[Any]) -> list[WriteResult]:
        return [OUTCOMES[said] for said in self._server.run_all([self._recording(each) for each in records])]

    def _registered(self, record: Any) -> WriteResult:
        if isinstance(record, Export):
            self.register(record, {})
        else:
            self.register(record.export, {record.person: record.rows} if record.person else {})
        return "added"

    def _rows(self, export: Export) -> Iterator[Registered]:
        name, after, any_of_them = as_bytes(export.id), b"-", False
        while people := self._page("people", after, name=name):
            found = self._server.all([("HGET", self._key("held", person), name) for person in people])
            for person, rows in zip(people, found, strict=True):
                yield Registered(export, person.decode(), tuple(json.loads(rows or "[]")))
            after, any_of_them = b"(" + people[-1], True
        if not any_of_them:
            yield Registered(export)

    def _about(self, kind: type[R], answer: str) -> list[R]:
        (found,) = self._said(kind, [as_bytes(answer)])
        return found

    def _said(self, kind: type[R], answers: Sequence[bytes]) -> list[list[R]]:
        """All records of this kind about each of these answers, oldest first."""
        moments = self._server.all([("ZRANGE", self._key(f"{_kind(kind)}s", each), 0, -1) for each in answers])
        return self._records_of(kind, [list(map(name_in, each)) for each in moments])

    def _records(self, kind: type[R], names: Iterable[bytes]) -> list[R]:
        """The records of these names, in their order; one that is no longer there is left out."""
        (found,) = self._records_of(kind, [list(names)])
        return found

    def _records_of(self, kind: type[R], names: Sequence[Sequence[bytes]]) -> list[list[R]]:
        """The same for several lists of names at once."""
        keys = [self._key(_kind(kind), name) for each in names for name in each]
        found = iter(self._server.get(keys) if keys else [])
        return [
            [self._server.parsed(kind, record) for _ in each if (record := next(found)) is not None] for each in names
        ]


def _kind(kind: type) -> str:
    return kind.__name__.lower()


def _person(record: Vote | Correction | Decision) -> str:
    if isinstance(record, Vote):
        return record.voter
    return record.author if isinstance(record, Correction) else record.reviewer


def _counting(standing: Iterable[bytes]) -> list[bytes]:
    """The keys of the votes that count, oldest first, from what stands of each voter."""
    each_stands = [each.partition(b" ") for each in standing]
    return [name_in(of) for of in sorted(of for choice, _, of in each_stands if choice != b"none")]


def _chunks(several: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for begin in range(0, len(several), PAGE):
        yield several[begin : begin + PAGE]


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
