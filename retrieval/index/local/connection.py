"""SQLite as the store uses it: opened alike everywhere, its errors as ours."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from retrieval.errors import SearchUnavailable

# SQLite takes at least so many values in one statement, whatever it was compiled with.
VALUES_AT_ONCE = 500
DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


def select(connection: sqlite3.Connection, query: str, values: Sequence[Any]) -> Iterator[Any]:
    """Rows of a query in which `(*)` stands for these values, few enough at a time for one statement."""
    for start in range(0, len(values), VALUES_AT_ONCE):
        some = values[start : start + VALUES_AT_ONCE]
        yield from connection.execute(query.replace("(*)", f"({','.join('?' * len(some))})"), list(some))


def connected(path: Path, mode: str) -> sqlite3.Connection:
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
def mapped(path: Path) -> Iterator[None]:
    """SQLite's errors as ours."""
    try:
        yield
    except (sqlite3.Error, sqlite3.Warning) as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in DAMAGE:
            raise SearchUnavailable(
                f"the index {str(path)!r} is damaged: move {str(path.parent)!r} away and run `footnote sync`"
            ) from error
        raise SearchUnavailable(f"the index {str(path)!r} cannot be used just now: {error}") from error
