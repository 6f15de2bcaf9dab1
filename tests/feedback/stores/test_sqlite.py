"""What the SQLite store promises of its file: privacy, durability, upgrades, several processes, errors of our own."""

import inspect
import json
import os
import sqlite3
import stat
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from feedback.codec import to_json
from feedback.errors import FeedbackUnavailable, UnreadableRecord
from feedback.records import ErasureResult
from feedback.stores.sqlite.database import Database
from feedback.stores.sqlite.file import Upgrades, open_file
from feedback.stores.sqlite.schema import UPGRADES
from feedback.stores.sqlite.store import SqliteFeedback
from tests.feedback.samples import NOON, correction, decision, exchange, vote
from tests.feedback.stores.uses import STORE_USES
from tests.processes import start_python

WRITER = """
import sys
from pathlib import Path
from feedback.stores.sqlite.store import SqliteFeedback
from tests.feedback.samples import exchange
store = SqliteFeedback(Path(sys.argv[1]))
for number in range(int(sys.argv[2]), int(sys.argv[3])):
    store.record(exchange(number, conversation="c"))
    print(f"answer-{number:05}", flush=True)
"""
VOTER = """
import sys
from pathlib import Path
from feedback.stores.sqlite.store import SqliteFeedback
from tests.feedback.samples import vote
store = SqliteFeedback(Path(sys.argv[1]))
for number in range(int(sys.argv[2]), int(sys.argv[3])):
    print(f"click-{number:05}" if store.vote(vote(number, voter=f"voter-{number}")) else "known", flush=True)
"""
# A file as the first version made it.
FIRST_VERSION = """
CREATE TABLE exchanges (id TEXT PRIMARY KEY, at INTEGER NOT NULL, conversation TEXT NOT NULL, record TEXT NOT NULL);
CREATE INDEX exchanges_by_time ON exchanges (at, id);
CREATE INDEX exchanges_by_conversation ON exchanges (conversation, at, id);
PRAGMA user_version=1;
"""
# What the second added to it.
SECOND_VERSION = """
CREATE TABLE votes (
    key TEXT PRIMARY KEY, answer TEXT NOT NULL, voter TEXT NOT NULL, at INTEGER NOT NULL, vote TEXT NOT NULL,
    record TEXT NOT NULL
);
CREATE INDEX votes_by_answer ON votes (answer, voter, at, key);
CREATE TABLE corrections (key TEXT PRIMARY KEY, answer TEXT NOT NULL, at INTEGER NOT NULL, record TEXT NOT NULL);
CREATE INDEX corrections_by_answer ON corrections (answer, at, key);
PRAGMA user_version=2;
"""
SQLITE_ERRORS = [error for _, error in inspect.getmembers(sqlite3, inspect.isclass) if issubclass(error, Exception)] + [
    OSError,
    PermissionError,
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "feedback.sqlite"


def rows(path: Path, statement: str, *values: Any) -> list[Any]:
    """What another connection to the file finds, or changes."""
    with closing(sqlite3.connect(path)) as connection, connection:
        return connection.execute(statement, values).fetchall()


def test_every_kill_leaves_what_was_acknowledged_in_a_sound_file(path):
    acknowledged: list[str] = []
    for turn, until in enumerate((1, 20, 60)):
        writer = start_python(WRITER, str(path), str(1000 * turn), "100000")
        assert writer.stdout is not None
        acknowledged += [writer.stdout.readline().strip() for _ in range(until)]
        writer.kill()
        acknowledged += writer.stdout.read().split("\n")[:-1]
        writer.stdout.close()
        assert writer.wait() != 0
    with closing(SqliteFeedback(path)) as store:
        recorded = [each.id for each in store.exchanges()]
        assert set(acknowledged) <= set(recorded)
        assert len(recorded) <= len(acknowledged) + 3  # at most one a kill was written and not yet read
        assert rows(path, "PRAGMA integrity_check") == [("ok",)]
        store.record(exchange(99_999))


def test_processes_may_make_the_file_and_write_it_at_once(path):
    writers = [start_python(WRITER, str(path), str(begin), str(begin + 60)) for begin in (0, 30, 60)]
    for writer in writers:
        writer.communicate(timeout=60)
    assert [writer.returncode for writer in writers] == [0, 0, 0]
    with closing(SqliteFeedback(path)) as store:
        assert list(store.exchanges()) == [exchange(number, conversation="c") for number in range(120)]


def test_every_kill_leaves_the_votes_that_were_acknowledged_each_once(path):
    with closing(SqliteFeedback(path)) as store:
        store.record(exchange())
    acknowledged: list[str] = []
    for until in (1, 20, 60):
        voter = start_python(VOTER, str(path), "0", "100000")  # each begins with the clicks of those before it
        assert voter.stdout is not None
        added = (line.strip() for line in voter.stdout if line != "known\n")
        acknowledged += islice(added, until)
        voter.kill()
        acknowledged += added
        voter.stdout.close()
        assert voter.wait() != 0
    with closing(SqliteFeedback(path)) as store:
        recorded = [each.key for each in store.votes("answer-00000")]
        assert set(acknowledged) <= set(recorded)
        # At most one a kill was written and not yet read.
        assert len(recorded) == len(set(recorded)) <= len(acknowledged) + 3
        assert rows(path, "PRAGMA integrity_check") == [("ok",)]


def test_processes_that_bring_the_same_votes_at_once_have_each_recorded_once(path):
    with closing(SqliteFeedback(path)) as store:
        store.record(exchange())
        voters = [start_python(VOTER, str(path), str(begin), str(begin + 60)) for begin in (0, 0, 30)]
        added = [line for voter in voters for line in voter.communicate(timeout=60)[0].split() if line != "known"]
        assert [voter.returncode for voter in voters] == [0, 0, 0]
        assert sorted(added) == [f"click-{number:05}" for number in range(90)]
        assert [each.key for each in store.votes("answer-00000")] == sorted(added)


@pytest.fixture
def claimed(path) -> Iterator[sqlite3.Connection]:
    """Another process is writing the file and has not switched it to the write-ahead log yet."""
    path.parent.mkdir()
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("CREATE TABLE other (a)")
        yield connection


def test_opening_waits_for_whoever_else_is_making_the_file(path, claimed):
    release = threading.Timer(0.1, claimed.execute, ["COMMIT"])
    release.start()
    with closing(SqliteFeedback(path)) as store:
        store.record(exchange())
    release.join()


def test_opening_does_not_wait_for_ever(path, claimed):
    with pytest.raises(FeedbackUnavailable, match="locked"):
        SqliteFeedback(path, open_file=partial(open_file, busy_seconds=0.05))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_only_its_owner_may_read_the_file_and_those_beside_it(path):
    old = os.umask(0)
    try:
        with closing(SqliteFeedback(path)) as store:
            store.record(exchange())
            modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()}
    finally:
        os.umask(old)
    assert modes == {path.name: 0o600, f"{path.name}-shm": 0o600, f"{path.name}-wal": 0o600}


def test_every_record_is_synced_to_disk(path):
    with closing(Database(path, UPGRADES)) as database:
        assert database.run("PRAGMA journal_mode") == [("wal",)]
        assert database.run("PRAGMA synchronous") == [(2,)]


def test_a_file_of_an_older_version_is_upgraded_and_keeps_what_it_holds(path):
    with closing(SqliteFeedback(path)) as store:
        store.record(exchange())
    newer = (*UPGRADES, ("ALTER TABLE exchanges ADD COLUMN mood TEXT NOT NULL DEFAULT 'fine'",))
    with closing(SqliteFeedback(path, upgrades=newer)) as store:
        assert store.exchange("answer-00000") == exchange()
        assert rows(path, "SELECT mood FROM exchanges") == [("fine",)]
        assert rows(path, "PRAGMA user_version") == [(len(UPGRADES) + 1,)]


def test_a_file_of_the_first_version_takes_votes(path):
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(FIRST_VERSION)
        row = ("answer-00000", 1_772_452_800_000_000, "c", json.dumps(to_json(exchange(conversation="c"))))
        connection.execute("INSERT INTO exchanges VALUES (?, ?, ?, ?)", row)
    with closing(SqliteFeedback(path)) as store:
        assert list(store.exchanges()) == store.conversation("c", limit=9) == [exchange(conversation="c")]
        assert store.vote(vote())
        assert store.correct(correction())
        assert (store.votes("answer-00000"), store.corrections("answer-00000")) == ([vote()], [correction()])


def test_a_file_of_the_second_version_keeps_its_votes_and_takes_more(path):
    path.parent.mkdir()
    at = 1_772_452_800_000_000
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(FIRST_VERSION + SECOND_VERSION)
        row = ("answer-00000", at, "c", json.dumps(to_json(exchange(conversation="c"))))
        connection.execute("INSERT INTO exchanges VALUES (?, ?, ?, ?)", row)
        click = ("click-00000", "answer-00000", "1e" * 32, at, "down", json.dumps(to_json(vote())))
        connection.execute("INSERT INTO votes VALUES (?, ?, ?, ?, ?, ?)", click)
        right = ("click-00000", "answer-00000", at, json.dumps(to_json(correction())))
        connection.execute("INSERT INTO corrections VALUES (?, ?, ?, ?)", right)
    with closing(SqliteFeedback(path)) as store:
        assert not store.vote(vote())
        assert (store.votes("answer-00000"), store.corrections("answer-00000")) == ([vote()], [correction()])
        assert store.vote(vote(1, "up"))
        assert store.votes("answer-00000") == [vote(1, "up")]
        assert store.decide(decision(2, "accept", correction="click-00000"))
        assert store.corrections("answer-00000")[0].accepted


def test_a_person_in_a_file_of_the_second_version_can_be_forgotten(path):
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(FIRST_VERSION + SECOND_VERSION)
        for number, asker in enumerate(("ada", "bob")):
            row = (f"answer-0000{number}", number, "", json.dumps(to_json(exchange(number, asker=asker))))
            connection.execute("INSERT INTO exchanges VALUES (?, ?, ?, ?)", row)
        right = ("k", "answer-00001", 1, json.dumps(to_json(correction(answer="answer-00001", author="ada"))))
        connection.execute("INSERT INTO corrections VALUES (?, ?, ?, ?)", right)
    with closing(SqliteFeedback(path)) as store:
        assert store.forget("ada") == ErasureResult(1, 0, 1, 0)
        assert list(store.records()) == [exchange(1, asker="bob")]


def test_what_is_erased_is_in_no_file_any_more(path):
    with closing(SqliteFeedback(path)) as store:
        store.write_many([exchange(number, asker="ada", question="a peculiar word") for number in range(50)])
        store.record(exchange(99, question="kept"))
        assert b"a peculiar word" in b"".join(each.read_bytes() for each in path.parent.iterdir())
        store.forget("ada")
        assert b"a peculiar word" not in b"".join(each.read_bytes() for each in path.parent.iterdir())
        store.prune(words_before=NOON + timedelta(days=1))
        assert b"kept" not in b"".join(each.read_bytes() for each in path.parent.iterdir())


def test_an_upgrade_that_fails_changes_nothing(path):
    SqliteFeedback(path).close()
    with pytest.raises(FeedbackUnavailable):
        SqliteFeedback(path, upgrades=(*UPGRADES, ("CREATE TABLE half (a)", "nonsense")))
    with closing(SqliteFeedback(path)):
        assert rows(path, "SELECT name FROM sqlite_master WHERE name = 'half'") == []


def test_a_file_of_a_newer_version_is_refused_and_left_alone(path):
    SqliteFeedback(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version={len(UPGRADES) + 1}")
    with pytest.raises(FeedbackUnavailable, match="newer Footnote"):
        SqliteFeedback(path)


class Failing(sqlite3.Connection):
    """A connection on which everything fails in the same way."""

    def __init__(self, error: type[Exception]) -> None:
        super().__init__(":memory:")
        super().close()
        self.error = error

    def execute(self, *_):
        raise self.error("no")

    def close(self):
        raise self.error("no")


@pytest.mark.parametrize("error", SQLITE_ERRORS, ids=lambda error: error.__name__)
@pytest.mark.parametrize(
    "use",
    [
        *STORE_USES,
        pytest.param(lambda store: store.prune(words_before=NOON), id="prune"),
        pytest.param(lambda store: store.close(), id="close"),
    ],
)
def test_no_error_of_sqlite_or_the_disk_escapes(path, error, use):
    store = SqliteFeedback(path, open_file=lambda *_: Failing(error))
    with pytest.raises(FeedbackUnavailable, match=path.name) as caught:
        use(store)
    assert isinstance(caught.value.__cause__, error)


def test_a_file_that_is_no_database_is_refused_by_name_and_left_alone(path):
    path.parent.mkdir()
    path.write_text("my notes, and a good deal of them " * 100, encoding="utf-8")
    with pytest.raises(FeedbackUnavailable, match=path.name):
        SqliteFeedback(path)
    assert path.read_text(encoding="utf-8").startswith("my notes")


@pytest.mark.parametrize("place", [pytest.param("taken", id="folder"), pytest.param("taken.txt/f", id="below-a-file")])
def test_a_place_that_cannot_hold_a_file_is_refused_by_name(tmp_path, place):
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken.txt").touch()
    with pytest.raises(FeedbackUnavailable, match="taken"):
        SqliteFeedback(tmp_path / place)


def open_full(path: Path, upgrades: Upgrades) -> sqlite3.Connection:
    """A connection for which the disk has no more room than the file takes already."""
    connection = open_file(path, upgrades)
    connection.execute("PRAGMA max_page_count=1")
    return connection


def test_a_full_disk_refuses_the_record_and_keeps_the_others(path):
    with closing(SqliteFeedback(path)) as store:
        store.record(exchange(0))
    with closing(SqliteFeedback(path, open_file=open_full)) as store:
        with pytest.raises(FeedbackUnavailable, match="full"):
            store.record(exchange(1, question="long " * 10_000))
        with pytest.raises(FeedbackUnavailable, match="full"):
            store.vote(vote(comment="long " * 10_000))
        assert list(store.exchanges()) == [exchange(0)]
        assert store.votes("answer-00000") == []


@pytest.mark.parametrize("record", ["nope", "{}", json.dumps({"kind": "exchange", "schema": "9.0"})])
def test_a_damaged_record_is_reported_by_name(path, record):
    with closing(SqliteFeedback(path)) as store:
        store.record(exchange())
        rows(path, "UPDATE exchanges SET record = ?", record)
        with pytest.raises(UnreadableRecord, match="the exchange 'answer-00000' cannot be read"):
            store.exchange("answer-00000")
