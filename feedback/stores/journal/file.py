"""The file of a journal: records that wait for the store, in the order in which they came, and those it refused."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from feedback.codec import check_key, from_bytes, from_json, record_line
from feedback.errors import FeedbackUnavailable
from feedback.records import RECORD_TYPES, AnswerFeedback, Exchange, kind_of, person_of
from feedback.stores.sqlite.database import Database, Values
from feedback.stores.sqlite.file import Upgrades, column

JournaledRecord = Exchange | AnswerFeedback
W = TypeVar("W", bound=JournaledRecord)

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
# Bytes, whatever a damaged column holds.
ENTRIES = "SELECT number, kind, CAST(record AS BLOB) FROM "
ADD = f"""
    INSERT INTO waiting ({_COLUMNS}) SELECT :kind, :key, :answer, :person, :conversation, :since, :record
    WHERE (SELECT count(*) FROM waiting) + (SELECT count(*) FROM refused) < :limit
    ON CONFLICT (kind, key) DO NOTHING
"""  # noqa: S608 - of our own words
REFUSE = f"INSERT INTO refused ({_COLUMNS}, why) SELECT {_COLUMNS}, ? FROM waiting WHERE number = ?"  # noqa: S608


@dataclass(frozen=True, slots=True)
class JournalCounts:
    """How many records wait in a journal, and how many the store has refused."""

    waiting: int
    refused: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A record that waits or was refused, under its number; None, with the error, where the row cannot be read."""

    number: int
    record: JournaledRecord | None
    error: str = ""


class JournalFile:
    """Stores at most `limit` records in a SQLite file, which processes may share.

    The file is made when the first record is added. All methods raise `FeedbackUnavailable`.
    """

    def __init__(self, path: Path, *, limit: int) -> None:
        self.path = path
        self._limit = limit
        self._lock = threading.Lock()
        self._opened: Database | None = None

    def add(self, record: JournaledRecord, *, since: float) -> bool:
        """Add a record behind the others; False, and nothing changes, when it waits already.

        Raises `FeedbackUnavailable`, also when there is no room. `since` is its time in seconds since 1970.
        """
        row = {**_row(record), "since": since, "limit": self._limit}
        with self._open().transaction() as connection:
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
        """Return so many of those that wait longest, in order."""
        return self._entries(ENTRIES + "waiting ORDER BY number LIMIT ?", (number,))

    def refused(self, *, behind: int, since: float, limit: int) -> list[Entry]:
        """Return some of the refused that came after a time, in order, behind a number."""
        page = ENTRIES + "refused WHERE number > ? AND since > ? ORDER BY number LIMIT ?"
        return self._entries(page, (behind, since, limit))

    def settle(self, sent: Sequence[int], refused: Mapping[int, str]) -> None:
        """Remove what was sent, and put aside what was refused, with the reasons."""
        with self._open().transaction() as connection:
            connection.executemany(REFUSE, [(reason, number) for number, reason in refused.items()])
            gone = [(number,) for number in (*sent, *refused)]
            connection.executemany("DELETE FROM waiting WHERE number = ?", gone)

    def discard_refused(self, numbers: Sequence[int]) -> None:
        """Remove refused records that the store has taken in the end."""
        with self._open().transaction() as connection:
            connection.executemany("DELETE FROM refused WHERE number = ?", [(number,) for number in numbers])

    def about(self, record_type: type[W], answer: str) -> list[W]:
        """Return the records of this type about an answer that wait, in the order in which they came."""
        query = ENTRIES + "waiting WHERE answer = ? AND kind = ? ORDER BY number"
        found = self._entries(query, (column(answer), kind_of(record_type)))
        return [entry.record for entry in found if isinstance(entry.record, record_type)]

    def holds(self, answer: str) -> bool:
        """Tell whether anything about this answer waits."""
        return bool(self._rows("SELECT 1 FROM waiting WHERE answer = ? LIMIT 1", (column(answer),)))

    def conversation(self, name: str) -> list[Exchange]:
        """Return the exchanges of a conversation that wait."""
        found = self._entries(ENTRIES + "waiting WHERE conversation = ?", (column(name),))
        return [entry.record for entry in found if isinstance(entry.record, Exchange)]

    def of_person(self, person: str) -> list[JournaledRecord]:
        """Return what is here of a person and can be read, in the order in which it came."""
        query = " UNION ALL ".join(f"{ENTRIES}{table} WHERE person = :person" for table in ("waiting", "refused"))
        found = self._entries(query, {"person": column(person)})
        return [entry.record for entry in found if entry.record is not None]

    def forget(self, person: str) -> dict[str, int]:
        """Erase what is here of a person, with the feedback about their exchanges; returns how many by kind."""
        erased: dict[str, int] = {}
        database = self._open_existing()
        if database is None:
            return erased
        values = {"person": column(person)}
        with database.transaction() as connection:
            for table in ("waiting", "refused"):
                theirs = f"""
                    FROM {table} WHERE person = :person
                    OR answer IN (SELECT answer FROM {table} WHERE kind = 'exchange' AND person = :person)
                """  # noqa: S608 - of our own words
                for kind, number in connection.execute(f"SELECT kind, count(*) {theirs} GROUP BY kind", values):
                    erased[kind] = erased.get(kind, 0) + number
                connection.execute(f"DELETE {theirs}", values)
        database.checkpoint()
        return erased

    def counts(self) -> JournalCounts:
        """Count the records that wait and those that were refused."""
        rows = self._rows("SELECT (SELECT count(*) FROM waiting), (SELECT count(*) FROM refused)")
        return JournalCounts(*rows[0]) if rows else JournalCounts(0, 0)

    def close(self) -> None:
        """Close the file; a second time changes nothing."""
        with self._lock:
            if self._opened is not None:
                self._opened.close()

    def _open(self) -> Database:
        with self._lock:
            if self._opened is None:
                self._opened = Database(self.path, UPGRADES)
            return self._opened

    def _open_existing(self) -> Database | None:
        """Return the file if this process or another has made it."""
        return self._open() if self._opened is not None or self.path.exists() else None

    def _rows(self, statement: str, values: Values = ()) -> list[Any]:
        database = self._open_existing()
        return database.run(statement, values) if database is not None else []

    def _entries(self, statement: str, values: Values) -> list[Entry]:
        return [_entry(*row) for row in self._rows(statement, values)]


def _row(record: JournaledRecord) -> dict[str, Any]:
    if isinstance(record, Exchange):
        names = {"key": record.id, "answer": record.id, "person": record.asker, "conversation": record.conversation}
    else:
        names = {"key": record.key, "answer": record.answer, "person": person_of(record), "conversation": ""}
    columns = {name: column(text) for name, text in names.items()}
    return {"kind": kind_of(type(record)), "record": record_line(record), **columns}


def _entry(number: int, kind: str, record: bytes) -> Entry:
    try:
        parsed = from_json(RECORD_TYPES[kind], from_bytes(record))
        check_key(parsed)
        return Entry(number, parsed)
    except (ValueError, KeyError) as error:
        return Entry(number, None, f"it cannot be read: {error}")
