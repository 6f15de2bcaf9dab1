"""The SQLite file of the embedded store: a connection behind a lock, and the records in its rows."""

import logging
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from feedback.records import R
from feedback.stores.skipped import OnSkipped, log_skipped, parse_or_skip
from feedback.stores.sqlite.file import Upgrades, map_errors, open_file, transaction

logger = logging.getLogger(__name__)

OpenFile = Callable[[Path, Upgrades], sqlite3.Connection]
Values = Sequence[Any] | Mapping[str, Any]


class Database:
    """Runs statements in one file; threads may share it. Raises `FeedbackUnavailable`, also when it is closed."""

    def __init__(self, path: Path, upgrades: Upgrades, *, open_file: OpenFile = open_file) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._connection = open_file(path, upgrades)
        # Bytes that are no UTF-8, as of a damaged disk, must not end a query.
        self._connection.text_factory = text_of

    def run(self, statement: str, values: Values = ()) -> list[Any]:
        """Run one statement, a transaction of its own, and return its rows."""
        with self._lock, map_errors(self.path):
            return self._connection.execute(statement, values).fetchall()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Commit everything that is done inside with the connection, or nothing of it."""
        with self._lock, map_errors(self.path), transaction(self._connection):
            yield self._connection

    def checkpoint(self) -> None:
        """Move the write-ahead log into the file, so that erased text is in neither; a reader may delay it."""
        if any(busy for busy, *_ in self.run("PRAGMA wal_checkpoint(TRUNCATE)")):
            logger.warning("what was erased from %s stands in its log until others have read it", self.path)

    def records(
        self, record_type: type[R], statement: str, values: Values = (), *, skipped: OnSkipped = log_skipped
    ) -> list[R]:
        """Return the records of this type whose names and bytes a query selects; what cannot be read is named."""
        rows = self.run(statement, values)
        found = (parse_or_skip(record_type, str(name), record, skipped) for name, record in rows)
        return [record for record in found if record is not None]

    def close(self) -> None:
        """Close the file; a second time changes nothing."""
        with self._lock, map_errors(self.path):
            self._connection.close()


def text_of(stored: bytes) -> str:
    """Return a text of a file; what is no UTF-8 in it becomes half characters."""
    return stored.decode("utf-8", "surrogateescape")


def bytes_of(text: str) -> bytes:
    """Return the bytes that `text_of` has read."""
    return text.encode("utf-8", "surrogateescape")
