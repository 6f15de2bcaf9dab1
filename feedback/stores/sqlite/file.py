"""Opens SQLite files: private to their owner, in write-ahead mode, synced to disk at every write, upgraded."""

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from feedback.errors import FeedbackUnavailable
from feedback.private_files import make_private, make_private_file, make_private_folder

BUSY_SECONDS = 30.0

# Each entry takes a file one version further; `user_version` counts those that it has. None changes once released.
Upgrades = Sequence[Sequence[str]]


def open_file(path: Path, upgrades: Upgrades, *, busy_seconds: float = BUSY_SECONDS) -> sqlite3.Connection:
    """Open or make the file, bring it to the newest version and return a connection, to be shared behind a lock.

    Waits `busy_seconds` for other processes that write it; raises `FeedbackUnavailable`.
    """
    with map_errors(path):
        make_private_folder(path.parent)
        make_private_file(path)  # SQLite gives the files beside it the same mode
        for beside in ("-wal", "-shm"):
            make_private(path.with_name(path.name + beside))
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=busy_seconds)
    try:
        with map_errors(path):
            _use_wal(connection, busy_seconds)
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("PRAGMA secure_delete=ON")  # what is erased is overwritten
            _upgrade(connection, path, upgrades)
    except FeedbackUnavailable:
        connection.close()
        raise
    return connection


@contextmanager
def map_errors(path: Path) -> Iterator[None]:
    """Turn everything that SQLite and the file system raise into `FeedbackUnavailable`."""
    try:
        yield
    except (sqlite3.Error, sqlite3.Warning, OSError) as error:
        raise FeedbackUnavailable(
            f"the feedback file {str(path)!r} cannot be used ({error}); see that this user may write it, that the disk "
            "has room, and that it is a file of Footnote's"
        ) from error


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Commit everything that is done inside, or nothing of it."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # a full disk has rolled it back already
            connection.execute("ROLLBACK")
        raise


def column(text: str) -> str:
    """Return the text as SQLite can store it: half a character, as of an undecodable file name, is escaped."""
    return text.encode("utf-8", "backslashreplace").decode()


def _use_wal(connection: sqlite3.Connection, busy_seconds: float) -> None:
    """Switch to the write-ahead log; SQLite does not wait by itself for others that do so at the same time."""
    deadline = time.monotonic() + busy_seconds
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def _upgrade(connection: sqlite3.Connection, path: Path, upgrades: Upgrades) -> None:
    """Bring the file to the newest version, each step whole or not at all, also when two processes open it at once."""
    while _version(connection, path, upgrades) < len(upgrades):
        with transaction(connection):
            version = _version(connection, path, upgrades)
            for statement in upgrades[version] if version < len(upgrades) else ():
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version={min(version + 1, len(upgrades))}")


def _version(connection: sqlite3.Connection, path: Path, upgrades: Upgrades) -> int:
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > len(upgrades):
        raise FeedbackUnavailable(f"the feedback file {str(path)!r} was written by a newer Footnote; upgrade this one")
    return version
