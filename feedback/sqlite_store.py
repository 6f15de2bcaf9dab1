"""The embedded store: one SQLite file, which only its owner may read, synced to disk at every record."""

import json
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from feedback.errors import FeedbackUnavailable, UnknownExchange
from feedback.records import Correction, Exchange, R, Record, Vote, from_json, to_json

# Each entry takes a file one version further; `user_version` counts those that it has. None changes once released.
UPGRADES: tuple[tuple[str, ...], ...] = (
    (
        """
        CREATE TABLE exchanges (
            id TEXT PRIMARY KEY,
            at INTEGER NOT NULL,
            conversation TEXT NOT NULL,
            record TEXT NOT NULL
        )
        """,
        "CREATE INDEX exchanges_by_time ON exchanges (at, id)",
        "CREATE INDEX exchanges_by_conversation ON exchanges (conversation, at, id)",
    ),
    (
        """
        CREATE TABLE votes (
            key TEXT PRIMARY KEY,
            answer TEXT NOT NULL,
            voter TEXT NOT NULL,
            at INTEGER NOT NULL,
            vote TEXT NOT NULL,
            record TEXT NOT NULL
        )
        """,
        "CREATE INDEX votes_by_answer ON votes (answer, voter, at, key)",
        """
        CREATE TABLE corrections (
            key TEXT PRIMARY KEY,
            answer TEXT NOT NULL,
            at INTEGER NOT NULL,
            record TEXT NOT NULL
        )
        """,
        "CREATE INDEX corrections_by_answer ON corrections (answer, at, key)",
    ),
)
RECORD_VOTE = """
    INSERT INTO votes (key, answer, voter, at, vote, record) SELECT :key, :answer, :voter, :at, :vote, :record
    WHERE EXISTS (SELECT 1 FROM exchanges WHERE id = :answer)
    ON CONFLICT (key) DO NOTHING
"""
COUNTING_VOTES = """
    SELECT record FROM votes WHERE answer = ? AND vote != 'none' AND NOT EXISTS (
        SELECT 1 FROM votes AS later
        WHERE later.answer = votes.answer AND later.voter = votes.voter
        AND (later.at, later.key) > (votes.at, votes.key)
    )
    ORDER BY at, key
"""
RECORD_CORRECTION = """
    INSERT INTO corrections (key, answer, at, record) SELECT :key, :answer, :at, :record
    WHERE EXISTS (SELECT 1 FROM exchanges WHERE id = :answer)
    ON CONFLICT (key) DO NOTHING
"""
BUSY_SECONDS = 30.0
PAGE = 500
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST = (-(2**63), "")


class SqliteFeedback:
    """A `FeedbackStore` in one file; processes may share it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        with mapped(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            _create(path)
            self._connection = sqlite3.connect(
                path, isolation_level=None, check_same_thread=False, timeout=BUSY_SECONDS
            )
        try:
            with mapped(path):
                _use_wal(self._connection)
                self._connection.execute("PRAGMA synchronous=FULL")
                _upgrade(self._connection, path)
        except FeedbackUnavailable:
            self._connection.close()
            raise

    def record(self, exchange: Exchange) -> None:
        """Remember an exchange; under an id that is known already nothing changes."""
        insert = "INSERT INTO exchanges (id, at, conversation, record) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO NOTHING"
        row = (
            _column(exchange.id),
            _microseconds(exchange.at),
            _column(exchange.conversation),
            _json(exchange),
        )
        self._run(insert, row)

    def exchange(self, answer: str) -> Exchange:
        """The exchange of the answer with this id; raises `UnknownExchange`."""
        rows = self._run("SELECT record FROM exchanges WHERE id = ?", (_column(answer),))
        if not rows:
            raise UnknownExchange(answer)
        return self._parsed(Exchange, rows[0][0])

    def conversation(self, name: str, *, limit: int) -> list[Exchange]:
        """The newest `limit` exchanges of a conversation, oldest first, ties by id."""
        if not name or limit < 1:
            return []
        newest = "SELECT record FROM exchanges WHERE conversation = ? ORDER BY at DESC, id DESC LIMIT ?"
        return [self._parsed(Exchange, record) for (record,) in reversed(self._run(newest, (_column(name), limit)))]

    def exchanges(self) -> Iterator[Exchange]:
        """All exchanges, oldest first, ties by id, few in memory at a time."""
        page = "SELECT at, id, record FROM exchanges WHERE (at, id) > (?, ?) ORDER BY at, id LIMIT ?"
        last: tuple[int, str] = FIRST
        while rows := self._run(page, (*last, PAGE)):
            for _, _, record in rows:
                yield self._parsed(Exchange, record)
            last = rows[-1][:2]

    def vote(self, vote: Vote) -> bool:
        """Remember a vote; False, and nothing changes, when its key is known already; raises `UnknownExchange`."""
        return self._opinion(RECORD_VOTE, vote, voter=_column(vote.voter), vote=vote.vote)

    def votes(self, answer: str) -> list[Vote]:
        """The votes that count now, oldest first, ties by key: of each voter the latest, unless it withdraws."""
        return [self._parsed(Vote, record) for (record,) in self._run(COUNTING_VOTES, (_column(answer),))]

    def correct(self, correction: Correction) -> bool:
        """Remember a correction; False, and nothing changes, when its key is known; raises `UnknownExchange`."""
        return self._opinion(RECORD_CORRECTION, correction)

    def corrections(self, answer: str) -> list[Correction]:
        """All corrections of an answer, oldest first, ties by key."""
        found = self._run("SELECT record FROM corrections WHERE answer = ? ORDER BY at, key", (_column(answer),))
        return [self._parsed(Correction, record) for (record,) in found]

    def close(self) -> None:
        """Let go of the file; a second time changes nothing."""
        with self._lock, mapped(self.path):
            self._connection.close()

    def _run(self, statement: str, values: tuple[Any, ...]) -> list[Any]:
        """One statement, which is a transaction of its own."""
        with self._lock, mapped(self.path):
            return self._connection.execute(statement, values).fetchall()

    def _opinion(self, statement: str, given: Vote | Correction, **columns: str) -> bool:
        """Whether this statement, a transaction of its own, has added it; raises `UnknownExchange`."""
        columns |= {"key": _column(given.key), "answer": _column(given.answer), "record": _json(given)}
        with self._lock, mapped(self.path):
            added = self._connection.execute(statement, {**columns, "at": _microseconds(given.at)}).rowcount > 0
        if not added and not self._run("SELECT 1 FROM exchanges WHERE id = ?", (columns["answer"],)):
            raise UnknownExchange(given.answer)
        return added

    def _parsed(self, kind: type[R], record: str) -> R:
        try:
            return from_json(kind, json.loads(record))
        except ValueError as error:
            message = f"a record in the feedback file {str(self.path)!r} cannot be read: {error}"
            raise FeedbackUnavailable(message) from error


@contextmanager
def mapped(path: Path) -> Iterator[None]:
    """Everything that SQLite and the file system raise becomes `FeedbackUnavailable`."""
    try:
        yield
    except (sqlite3.Error, sqlite3.Warning, OSError) as error:
        raise FeedbackUnavailable(
            f"the feedback file {str(path)!r} cannot be used ({error}); see that this user may write it, that the disk "
            "has room, and that it is a file of Footnote's"
        ) from error


def _create(path: Path) -> None:
    """Make the file readable by its owner alone; SQLite gives the files beside it the same mode."""
    # Only a file that was not there: closing a second descriptor of an open database would drop its locks.
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switch to the write-ahead log; SQLite does not wait by itself for others that do so at the same time."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def _upgrade(connection: sqlite3.Connection, path: Path) -> None:
    """Bring the file to the newest version, each step whole or not at all, also when two processes open it at once."""
    while _version(connection, path) < len(UPGRADES):
        connection.execute("BEGIN IMMEDIATE")
        try:
            version = _version(connection, path)
            for statement in UPGRADES[version] if version < len(UPGRADES) else ():
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version={min(version + 1, len(UPGRADES))}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:  # a full disk has rolled it back already
                connection.execute("ROLLBACK")
            raise


def _version(connection: sqlite3.Connection, path: Path) -> int:
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > len(UPGRADES):
        raise FeedbackUnavailable(f"the feedback file {str(path)!r} was written by a newer Footnote; upgrade this one")
    return version


def _microseconds(at: datetime) -> int:
    return (at - EPOCH) // timedelta(microseconds=1)


def _json(record: Record) -> str:
    return json.dumps(to_json(record), allow_nan=False)


def _column(text: str) -> str:
    """The text as SQLite can keep it: a file name's undecodable byte, half a character, is written out."""
    return text.encode("utf-8", "backslashreplace").decode()
