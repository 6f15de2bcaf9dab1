"""One generation's SQLite file (WAL): connection, transactions, and SQLite's errors as `SearchUnavailable`."""

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from retrieval.errors import SearchUnavailable
from retrieval.index.generations import IndexFingerprint
from retrieval.index.local.schema import SCHEMA
from retrieval.private_files import make_private_file

# SQLite takes at least so many values in one statement, whatever it was compiled with.
VALUES_AT_ONCE = 500
# The file of the state folder that holds the number of the current generation.
POINTER = "index"
DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


def connect(path: Path, mode: str) -> sqlite3.Connection:
    """Open a file with the pragmas of every index file; `mode` is `rw` for one that must exist, `rwc` for any."""
    connection = sqlite3.connect(
        f"{path.resolve().as_uri()}?mode={mode}", uri=True, isolation_level=None, check_same_thread=False, timeout=30
    )
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA foreign_keys=ON")
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def map_errors(path: Path) -> Iterator[None]:
    """Turn every error of SQLite into `SearchUnavailable`, with the remedy for a damaged file."""
    try:
        yield
    except (sqlite3.Error, sqlite3.Warning, OSError) as error:
        if _is_damage(error):
            raise _damaged(path) from error
        raise SearchUnavailable(f"the index {str(path)!r} cannot be used just now: {error}") from error


@contextmanager
def map_damage(path: Path) -> Iterator[None]:
    """Turn what reading a damaged row raises into `SearchUnavailable`: all rows were written by Footnote itself."""
    try:
        yield
    except UnicodeEncodeError:  # of what is asked for, not of a row
        raise
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError) as error:
        raise _damaged(path) from error


def _is_damage(error: Exception) -> bool:
    """Whether it says that the file is broken; Python's module itself finds what is no UTF-8, and gives no code."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in DAMAGE or str(error).startswith("Could not decode to UTF-8")


def _damaged(path: Path) -> SearchUnavailable:
    return SearchUnavailable(
        f"the index {str(path)!r} is damaged: remove {str(path.parent / POINTER)!r} and run `footnote sync`"
    )


def select(connection: sqlite3.Connection, query: str, values: Sequence[Any]) -> Iterator[Any]:
    """Rows of a query in which `(*)` stands for these values, in statements of `VALUES_AT_ONCE`; none for no values."""
    for start in range(0, len(values), VALUES_AT_ONCE):
        some = values[start : start + VALUES_AT_ONCE]
        # Not `yield from`: whoever stops in between would close the cursor, which fails once the index is closed.
        rows = connection.execute(query.replace("(*)", f"({','.join('?' * len(some))})"), list(some))
        for row in rows:  # noqa: UP028
            yield row


class Database:
    """One generation's file, which must exist; every method raises `SearchUnavailable` when it cannot be used.

    A file belongs to one `IndexFingerprint`, `built`; another one fills a new file, see
    `retrieval.index.local.generations`. Threads take turns at its one connection.
    """

    def __init__(self, path: Path, *, connect: Callable[[Path, str], sqlite3.Connection] = connect) -> None:
        self.path = path
        self._lock = threading.RLock()
        with map_errors(path), map_damage(path):
            self._connection = connect(path, "rw")
            try:
                meta = dict(self._connection.execute("SELECT key, value FROM meta"))
                self.built = IndexFingerprint(int(meta["schema"]), meta["embedding"], meta["analyzer"])
            except BaseException:
                self._connection.close()
                raise

    @classmethod
    def create(cls, path: Path, built: IndexFingerprint) -> "Database":
        """Make and open a file without documents; one whose making is interrupted cannot be opened."""
        with map_errors(path):
            make_private_file(path)  # SQLite gives the files beside it the same mode
            connection = connect(path, "rwc")
            try:
                connection.execute("BEGIN IMMEDIATE")
                for statement in SCHEMA.split(";"):
                    connection.execute(statement)
                meta = {"schema": str(built.schema), "embedding": built.embedding, "analyzer": built.analyzer}
                connection.executemany("INSERT INTO meta VALUES (?, ?)", meta.items())
                connection.execute("COMMIT")
            finally:
                connection.close()
        return cls(path)

    def close(self) -> None:
        """Close the file."""
        with self._lock, map_errors(self.path):
            self._connection.close()

    def checkpoint(self) -> None:
        """Write everything into the one file, safe from a power cut."""
        with self._lock, map_errors(self.path):
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    @contextmanager
    def transaction(self, kind: str = "IMMEDIATE") -> Iterator[sqlite3.Connection]:
        """Commit everything inside, or nothing when it raises; nested use joins the outer transaction."""
        with self._lock, map_errors(self.path):
            if self._connection.in_transaction:
                yield self._connection
                return
            self._connection.execute(f"BEGIN {kind}")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):  # a full disk has rolled back by itself
                    self._connection.execute("ROLLBACK")
                raise

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """A transaction in which every query reads the same state, and rows are made values of."""
        with map_damage(self.path), self.transaction("DEFERRED") as connection:
            yield connection

    @contextmanager
    def change(self) -> Iterator[sqlite3.Connection]:
        """A transaction after which the file has the next edition, so that every process loads it anew."""
        with self.transaction() as connection:
            yield connection
            connection.execute("UPDATE edition SET number = number + 1")

    def edition(self) -> int:
        """A number that grows with every change of documents, whichever process makes it."""
        with self._lock, map_damage(self.path), map_errors(self.path):
            return int(self._connection.execute("SELECT number FROM edition").fetchone()[0])
