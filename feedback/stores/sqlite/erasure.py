"""Erases people and old records from the embedded store."""

import sqlite3
from collections.abc import Callable
from datetime import datetime
from typing import Any

from feedback.records import Correction, Decision, ErasureResult, Exchange, Vote, without_words
from feedback.stores.sqlite import schema
from feedback.stores.sqlite.database import Database
from feedback.stores.sqlite.exports import exported_rows
from feedback.stores.sqlite.file import column
from feedback.stores.sqlite.rows import microseconds, record_text

PAGE = 500
FEEDBACK: tuple[type[Any], ...] = (Vote, Correction, Decision)

ChangeExchange = Callable[[sqlite3.Connection, str, str], None]


class SqliteEraser:
    """A `FeedbackEraser` on a file: overwrites what it erases there, and in the log as soon as nobody reads that."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def forget(self, person: str) -> ErasureResult:
        """Erase everything of a person in one transaction, and list the exports that hold rows of theirs."""
        if not person:
            return ErasureResult()
        values = {"person": column(person)}
        with self._database.transaction() as connection:
            erased = {kind: connection.execute(delete, values).rowcount for kind, delete in schema.FORGET.items()}
        self._database.checkpoint()
        return ErasureResult(
            exchanges=erased[Exchange],
            votes=erased[Vote],
            corrections=erased[Correction],
            decisions=erased[Decision],
            exports=exported_rows(self._database, person),
        )

    def prune(
        self, *, words_before: datetime | None = None, exchanges_before: datetime | None = None
    ) -> tuple[int, int]:
        """Erase what is older than these moments, few exchanges in a transaction, so that nobody waits long."""
        erased = self._in_pages(schema.OLD_EXCHANGES, exchanges_before, _erase)
        stripped = self._in_pages(schema.OLD_EXCHANGES_WITH_WORDS, words_before, self._strip)
        if erased or stripped:
            self._database.checkpoint()
        return stripped, erased

    def _in_pages(self, page: str, before: datetime | None, change: ChangeExchange) -> int:
        """Change each exchange of a query, one page in a transaction; returns how many. None: there are none."""
        done, found = 0, PAGE
        while before is not None and found == PAGE:
            with self._database.transaction() as connection:
                rows = connection.execute(page, (microseconds(before), PAGE)).fetchall()
                for answer, record in rows:
                    change(connection, answer, record)
            found = len(rows)
            done += found
        return done

    def _strip(self, connection: sqlite3.Connection, answer: str, record: str) -> None:
        """Take the text from an exchange and from the feedback about it."""
        bare = record_text(without_words(self._database.parse(Exchange, record)))
        connection.execute("UPDATE exchanges SET pruned = 1, record = ? WHERE id = ?", (bare, answer))
        for kind in FEEDBACK:
            table = schema.TABLES[kind]
            rows = connection.execute(f"SELECT key, record FROM {table} WHERE answer = ?", (answer,))  # noqa: S608
            stripped = [
                (record_text(without_words(self._database.parse(kind, text))), key) for key, text in rows.fetchall()
            ]
            connection.executemany(f"UPDATE {table} SET record = ? WHERE key = ?", stripped)  # noqa: S608


def _erase(connection: sqlite3.Connection, answer: str, _: str) -> None:
    for kind in FEEDBACK:
        connection.execute(f"DELETE FROM {schema.TABLES[kind]} WHERE answer = ?", (answer,))  # noqa: S608
    connection.execute("DELETE FROM exchanges WHERE id = ?", (answer,))
