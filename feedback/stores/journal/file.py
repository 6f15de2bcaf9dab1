"""The file of a journal: records that wait, in the order in which they came, and those that were refused in the end."""

import json
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from feedback.errors import FeedbackUnavailable
from feedback.records import Correction, Decision, Exchange, Vote, from_json, to_json, to_text
from feedback.stores.sqlite.file import Upgrades, column, mapped, open_file, transaction

Waiting = Exchange | Vote | Correction | Decision
W = TypeVar("W", bound=Waiting)
KINDS: Mapping[str, type[Any]] = {kind.__name__.lower(): kind for kind in (Exchange, Vote, Correction, Decision)}

_COLUMNS = "kind, key, answer, person, conversation, since, record"
UPGRADES: Upgrades = (
    (
        """
        CREATE TABLE waiting (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            kind TEXT NOT NULL,
            key TEXT NOT NULL,
            answer TEXT NOT NULL,
            person TEXT NOT NULL,
            conversation TEXT NOT NULL,
            since REAL NOT NULL,
            record TEXT NOT NULL,
            UNIQUE (kind, key)
        )
        """,
        "CREATE INDEX waiting_by_answer ON waiting (answer, kind)",
        """
        CREATE TABLE refused (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            kind TEXT NOT NULL,
            key TEXT NOT NULL,
            answer TEXT NOT NULL,
            person TEXT NOT NULL,
            conversation TEXT NOT NULL,
            since REAL NOT NULL,
            record TEXT NOT NULL,
            why TEXT NOT NULL
        )
        """,
    ),
)
ADD = f"""
    INSERT INTO waiting ({_COLUMNS}) SELECT :kind, :key, :answer, :person, :conversation, :since, :record
    WHERE (SELECT count(*) FROM waiting) + (SELECT count(*) FROM refused) < :limit
    ON CONFLICT (kind, key) DO NOTHING
"""  # noqa: S608 - of our own words
REFUSE = f"INSERT INTO refused ({_COLUMNS}, why) SELECT {_COLUMNS}, ? FROM waiting WHERE number = ?"  # noqa: S608


@dataclass(frozen=True, slots=True)
class Counts:
    """How many records wait in a journal, and how many were refused in the end."""

    waiting: int
    refused: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A record that waits, or was refused, under its number; None where the row cannot be read."""

    number: int
    record: Waiting | None
    why: str = ""


class JournalFile:
    """Durable and bounded; processes may share it. The file is made when something is first put into it."""

    def __init__(self, path: Path, *, limit: int) -> None:
        self.path = path
        self._limit = limit
        self._lock = threading.Lock()
        self._opened: sqlite3.Connection | None = None

    def add(self, record: Waiting, *, since: float) -> bool:
        """Put it behind the others; False, and nothing changes, when it waits already.

        Raises `FeedbackUnavailable` when there is no room.
        """
        row = {**_row(record), "since": since, "limit": self._limit}
        with self._lock, mapped(self.path):
            connection = self._connection()
            if connection.execute(ADD, row).rowcount > 0:
                return True
            known = connection.execute("SELECT 1 FROM waiting WHERE kind = :kind AND key = :key", row).fetchone()
        if known:
            return False
        raise FeedbackUnavailable(
            f"the feedback store cannot be reached, and {self._limit} records wait for it already in "
            f"{str(self.path)!r}, as many as `journal_limit` allows: this one was not taken; see that the server runs"
        )

    def first(self, number: int) -> list[Entry]:
        """Those that wait longest, in order."""
        rows = self._rows("SELECT number, kind, record FROM waiting ORDER BY number LIMIT ?", (number,))
        return [_entry(*row) for row in rows]

    def refused(self, *, behind: int, after: float, limit: int) -> list[Entry]:
        """Some of the refused that came after a time, in order, behind a number."""
        page = "SELECT number, kind, record FROM refused WHERE number > ? AND since > ? ORDER BY number LIMIT ?"
        return [_entry(*row) for row in self._rows(page, (behind, after, limit))]

    def sent(self, numbers: Sequence[int], refused: Mapping[int, str]) -> None:
        """Take away what was sent, and put aside what was refused, for these reasons."""
        with self._writing() as connection:
            connection.executemany(REFUSE, [(why, number) for number, why in refused.items()])
            gone = [(number,) for number in (*numbers, *refused)]
            connection.executemany("DELETE FROM waiting WHERE number = ?", gone)

    def mended(self, numbers: Sequence[int]) -> None:
        """Take away refused ones that were taken in the end."""
        with self._writing() as connection:
            connection.executemany("DELETE FROM refused WHERE number = ?", [(number,) for number in numbers])

    def about(self, kind: type[W], answer: str) -> list[W]:
        """The records of this kind about an answer that wait, in the order in which they came."""
        rows = self._rows(
            "SELECT number, kind, record FROM waiting WHERE answer = ? AND kind = ? ORDER BY number",
            (column(answer), _kind(kind)),
        )
        return [entry.record for entry in (_entry(*row) for row in rows) if isinstance(entry.record, kind)]

    def holds(self, answer: str) -> bool:
        """Whether anything about this answer waits."""
        return bool(self._rows("SELECT 1 FROM waiting WHERE answer = ? LIMIT 1", (column(answer),)))

    def conversation(self, name: str) -> list[Exchange]:
        """The exchanges of a conversation that wait."""
        rows = self._rows("SELECT number, kind, record FROM waiting WHERE conversation = ?", (column(name),))
        return [entry.record for entry in (_entry(*row) for row in rows) if isinstance(entry.record, Exchange)]

    def forget(self, person: str) -> dict[str, int]:
        """Erase what is here of a person, with what was said of their exchanges; tells how many by kind."""
        gone: dict[str, int] = {}
        values = {"person": column(person)}
        with self._writing() as connection:
            for table in ("waiting", "refused"):
                whose = f"""
                    FROM {table} WHERE person = :person
                    OR answer IN (SELECT answer FROM {table} WHERE kind = 'exchange' AND person = :person)
                """  # noqa: S608 - of our own words
                for kind, number in connection.execute(f"SELECT kind, count(*) {whose} GROUP BY kind", values):
                    gone[kind] = gone.get(kind, 0) + number
                connection.execute(f"DELETE {whose}", values)
        self._rows("PRAGMA wal_checkpoint(TRUNCATE)", ())
        return gone

    def counts(self) -> Counts:
        """How many there are."""
        rows = self._rows("SELECT (SELECT count(*) FROM waiting), (SELECT count(*) FROM refused)", ())
        return Counts(*rows[0]) if rows else Counts(0, 0)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock, mapped(self.path):
            if self._opened is not None:
                self._opened.close()

    def _connection(self) -> sqlite3.Connection:
        if self._opened is None:
            self._opened = open_file(self.path, UPGRADES)
        return self._opened

    def _rows(self, statement: str, values: tuple[Any, ...]) -> list[Any]:
        """What a statement gives; nothing where there is no file yet."""
        with self._lock, mapped(self.path):
            if self._opened is None and self.path.exists():  # another process may have made it
                self._connection()
            return self._opened.execute(statement, values).fetchall() if self._opened else []

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock, mapped(self.path):
            connection = self._connection()
            with transaction(connection):
                yield connection


def _row(record: Waiting) -> dict[str, Any]:
    if isinstance(record, Exchange):
        names = (record.id, record.id, record.asker, record.conversation)
    elif isinstance(record, Vote):
        names = (record.key, record.answer, record.voter, "")
    elif isinstance(record, Correction):
        names = (record.key, record.answer, record.author, "")
    else:
        names = (record.key, record.answer, record.reviewer, "")
    named = dict(zip(("key", "answer", "person", "conversation"), map(column, names), strict=True))
    return {"kind": _kind(type(record)), "record": to_text(to_json(record)), **named}


def _entry(number: int, kind: str, record: str) -> Entry:
    try:
        return Entry(number, from_json(KINDS[kind], json.loads(record)))
    except (ValueError, KeyError) as error:
        return Entry(number, None, f"it cannot be read: {error}")


def _kind(kind: type) -> str:
    return kind.__name__.lower()
