"""Stores that an earlier version wrote are opened, read whole and written on, and what is written looks the same."""

import gzip
import json
import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from redis import Redis

from feedback.backup import LoadCounts, dump_lines, load_lines
from feedback.codec import SCHEMA_TEXT, to_line
from feedback.records import Correction, Decision, Vote
from feedback.stores.journal.file import JournalCounts
from feedback.stores.journal.store import JournaledFeedback
from feedback.stores.protocol import FeedbackStore
from feedback.stores.redis.store import RedisFeedback
from feedback.stores.sqlite.store import SqliteFeedback
from tests.feedback.conftest import SERVERS
from tests.feedback.samples import NOON, correction, decision, exchange, export, vote
from tests.servers.redis_servers import remove

FIXTURES = Path(__file__).parent / "fixtures"
DUMP = (FIXTURES / "dump.jsonl").read_text(encoding="utf-8").splitlines()
ADA, BOB = "ad" * 32, "b0" * 32


def unpacked(name: str, folder: Path) -> Path:
    path = folder / name
    path.write_bytes(gzip.decompress((FIXTURES / f"{name}.gz").read_bytes()))
    return path


def load(store: FeedbackStore) -> LoadCounts:
    refused: list[str] = []
    *_, counts = load_lines(
        store, [line.encode() for line in DUMP], refuse=lambda number, reason: refused.append(f"{number}: {reason}")
    )
    assert refused == []
    return counts


@pytest.fixture
def sqlite(tmp_path) -> Iterator[SqliteFeedback]:
    with closing(SqliteFeedback(unpacked("feedback.db", tmp_path))) as store:
        yield store


@pytest.fixture(params=SERVERS)
def server(request, redis_url) -> Iterator[Any]:
    """A client of a server, and a workspace of a test's own there."""
    url, workspace = redis_url(request.param), uuid4().hex
    with Redis.from_url(url, decode_responses=True) as client:
        yield url, workspace, client
    remove(url, workspace)


@pytest.fixture
def redis(server) -> Iterator[RedisFeedback]:
    """The store on a server that holds what the earlier version wrote."""
    url, workspace, client = server
    for line in (FIXTURES / "redis.jsonl").read_text(encoding="utf-8").splitlines():
        name, kind, value = json.loads(line)
        restore(client, f"footnote:{{{workspace}}}:{name}", kind, value)
    with closing(RedisFeedback(url, workspace=workspace)) as store:
        yield store


def restore(client: Any, key: str, kind: str, value: Any) -> None:
    if kind == "string":
        client.set(key, value)
    elif kind == "hash":
        client.hset(key, mapping=value)
    elif kind == "set":
        client.sadd(key, *value)
    elif kind == "zset":
        client.zadd(key, dict.fromkeys(value, 0))
    else:
        for entry, fields in value:
            client.xadd(key, fields, id=entry)


def upgraded(value: Any) -> Any:
    """Return what the earlier version wrote as today's writes it: every record in it with the keys added since."""
    if isinstance(value, list | tuple | set):
        return type(value)(upgraded(each) for each in value)
    if not isinstance(value, str) or '"schema": ' not in value:
        return value
    row = json.loads(value) | {"schema": SCHEMA_TEXT}
    return to_line(row | {"history_exchanges": []} if row["kind"] == "exchange" else row)


def assert_can_be_read_and_written(store: FeedbackStore) -> None:
    """Reads all that the earlier version wrote, writes on, and erases a person of then."""
    assert list(dump_lines(store)) == upgraded(DUMP)
    first, second, pruned, odd = store.reviewed_exchanges()
    assert (pruned.exchange.pruned, pruned.exchange.question, odd.exchange.question) == (True, "", "half \ud800, Grüße")
    assert [(each.key, each.vote) for each in first.votes] == [("click-00001", "down"), ("bobs", "up")]
    assert [each.accepted for each in first.corrections] == [True, False]
    assert [each.verdict for each in second.decisions] == ["approve"]
    assert store.conversation("c", limit=9) == [first.exchange, second.exchange]
    assert not store.vote(vote(1, voter=ADA))
    assert store.vote(vote(20, "up", key="new", voter=BOB))
    assert [(each.key, each.vote) for each in store.votes("answer-00000")] == [("click-00001", "down"), ("new", "up")]
    assert store.correct(correction(20, key="new", answer="answer-00002", author=BOB))
    assert store.corrections("answer-00002")[-1].text == ""  # its exchange has lost its words
    assert store.decide(decision(20, "reject", key="new", correction="click-00000", reviewer=BOB))
    assert [each.accepted for each in store.corrections("answer-00000")] == [False, False]
    store.record(exchange(20, asker=BOB, conversation="c"))
    store.register_export(export(2), {ADA: ["r9"]})
    assert store.prune(words_before=NOON + timedelta(seconds=1)) == (1, 0)
    erased = store.forget(ADA)
    assert (erased.exchanges, erased.votes, erased.corrections, erased.decisions) == (2, 7, 3, 5)
    assert [(each.export.id, each.rows) for each in erased.exports] == [
        ("export-1", ("r1", "r2")),
        ("export-2", ("r9",)),
    ]
    assert [each.id for each in store.exchanges()] == ["answer-00001", "odd '\x00 \udcff\n \U0001f600", "answer-00020"]


def test_a_sqlite_file_is_read_and_written_on(sqlite):
    assert_can_be_read_and_written(sqlite)


def test_a_sqlite_file_takes_the_dump_as_known(sqlite):
    counts = load(sqlite)
    assert (counts.added, counts.known, counts.whole) == (3, len(DUMP) - 5, True)


def tables(path: Path) -> dict[str, list[Any]]:
    """All rows of a file, and its version."""
    with closing(sqlite3.connect(path)) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        found = {name: connection.execute(f"SELECT * FROM {name}").fetchall() for name in names}
        return {**found, "version": connection.execute("PRAGMA user_version").fetchall()}


def test_the_rows_that_are_written_now_are_those_that_were_written_then(tmp_path):
    before = unpacked("feedback.db", tmp_path)
    now = tmp_path / "now.db"
    with closing(SqliteFeedback(now)) as store:
        load(store)
    assert {name: set(rows) for name, rows in tables(now).items()} == {
        name: upgraded(set(rows)) for name, rows in tables(before).items()
    }


@pytest.mark.server
def test_a_redis_workspace_is_read_and_written_on(redis):
    assert_can_be_read_and_written(redis)


@pytest.mark.server
def test_the_keys_that_are_written_now_are_those_that_were_written_then(server):
    url, workspace, client = server
    with closing(RedisFeedback(url, workspace=workspace)) as store:
        load(store)
    readers: dict[str, Any] = {
        "string": lambda key: client.get(key).partition("\n")[0],  # behind it stands a time of the server
        "hash": client.hgetall,
        "set": lambda key: sorted(client.smembers(key)),
        "zset": lambda key: client.zrange(key, 0, -1),
        "stream": lambda key: [fields for _, fields in client.xrange(key)],
    }
    found = {}
    for key in client.scan_iter(f"footnote:{{{workspace}}}:*"):
        kind = client.type(key)
        found[key.partition("}:")[2]] = [kind, readers[kind](key)]
    wanted = {}
    for line in (FIXTURES / "redis.jsonl").read_text(encoding="utf-8").splitlines():
        name, kind, value = json.loads(line)
        wanted[name] = [kind, upgraded(value.partition("\n")[0] if kind == "string" else value)]
    entries = sorted(wanted.pop("audit")[1], key=str)
    assert sorted(found.pop("audit")[1], key=str) == sorted((fields for _, fields in entries), key=str)
    assert found == wanted


def test_what_waits_in_a_journal_is_sent(tmp_path, caplog):
    with (
        caplog.at_level(logging.WARNING),
        closing(
            JournaledFeedback(
                SqliteFeedback(tmp_path / "store.db"), unpacked("journal.db", tmp_path), limit=100, first_wait=60
            )
        ) as store,
    ):
        assert store.counts() == JournalCounts(4, 1)
        (reviewed,) = store.reviewed_exchanges()
        assert reviewed.exchange == exchange(9, asker=ADA, conversation="c")
        assert [type(each) for each in store.records()][1:] == [Vote, Correction, Decision]
        assert [each.accepted for each in reviewed.corrections] == [True]
        assert store.counts() == JournalCounts(0, 1)
    assert caplog.text == ""


def test_a_dump_makes_a_store_that_dumps_the_same(tmp_path):
    with closing(SqliteFeedback(tmp_path / "feedback.db")) as store:
        counts = load(store)
        assert (counts.added, counts.known, counts.whole) == (len(DUMP) - 2, 0, True)
        assert list(dump_lines(store)) == upgraded(DUMP)
