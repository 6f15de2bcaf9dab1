"""The SQLite file of the embedded store: a connection behind a lock, and the records in its rows."""

import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from feedback.codec import from_bytes, from_json
from feedback.errors import FeedbackUnavailable
from feedback.records import R
from feedback.stores.sqlite.file import Upgrades, map_errors, open_file, transaction

OpenFile = Callable[[Path, Upgrades], sqlite3.Connection]
Values = Sequence[Any] | Mapping[str, Any]


class Database:
    """Runs statements in one file; threads may share it. Raises `FeedbackUnavailable`, also when it is closed."""

    def __init__(self, path: Path, upgrades: Upgrades, *, open_file: OpenFile = open_file) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._connection = open_file(path, upgrades)

    def run(self, statement: str, values: Values = ()) -> list[Any]:
        """Run one statement, a transaction of its own, and return its rows."""
        with self._lock, map_errors(self.path):
            return self._connection.execute(statement, values).fetchall()

    def change(self, statement: str, values: Values) -> bool:
        """Run one statement, a transaction of its own, and tell whether it changed a row."""
        with self._lock, map_errors(self.path):
            return self._connection.execute(statement, values).rowcount > 0

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Commit everything that is done inside with the connection, or nothing of it."""
        with self._lock, map_errors(self.path), transaction(self._connection):
            yield self._connection

    def checkpoint(self) -> None:
        """Move the write-ahead log into the file, so that erased text is in neither; a reader may delay it."""
        self.run("PRAGMA wal_checkpoint(TRUNCATE)")

    def records(self, record_type: type[R], statement: str, values: Values = ()) -> list[R]:
        """Return the records of this type that a query selects."""
        return [self.parse(record_type, record) for (record,) in self.run(statement, values)]

    def parse(self, record_type: type[R], record: str) -> R:
        """Return the record that a column holds; raises `FeedbackUnavailable`, which names the file."""
        try:
            return from_json(record_type, from_bytes(record))
        except ValueError as error:
            message = f"a record in the feedback file {str(self.path)!r} cannot be read: {error}"
            raise FeedbackUnavailable(message) from error

    def close(self) -> None:
        """Close the file; a second time changes nothing."""
        with self._lock, map_errors(self.path):
            self._connection.close()
