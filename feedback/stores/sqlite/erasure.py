"""Erases people and old records from the embedded store."""

import sqlite3
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from feedback.codec import to_json, to_line
from feedback.errors import UnreadableRecord
from feedback.records import (
    Correction,
    Decision,
    ErasedTurns,
    ErasureResult,
    Exchange,
    ExportedRows,
    Prunable,
    Record,
    Vote,
    turns_of,
    without_turns,
    without_words,
)
from feedback.stores.skipped import OnSkipped, log_skipped, parse_or_skip, parse_record
from feedback.stores.sqlite import schema
from feedback.stores.sqlite.database import Database
from feedback.stores.sqlite.exports import exported_rows
from feedback.stores.sqlite.file import column
from feedback.stores.sqlite.rows import microseconds

PAGE = 500
FEEDBACK: tuple[type[Any], ...] = (Vote, Correction, Decision)
# What stays of an old record that cannot be read, whose words can be taken away in no other way.
EMPTIED = "{}"
# No person's hash.
NOBODY = "-"

ChangeExchange = Callable[[sqlite3.Connection, int, str, bytes], None]


class SqliteEraser:
    """A `FeedbackEraser` on a file: overwrites what it erases there, and in the log as soon as nobody reads that."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of_person(self, person: str, *, skipped: OnSkipped = log_skipped) -> Iterator[Record]:
        """Yield what is stored of a person: exchanges, votes, corrections, decisions, each oldest first."""
        for kind, query in schema.OF_PERSON.items() if person else ():
            yield from self._database.records(kind, query, {"person": column(person)}, skipped=skipped)

    def exported(self, person: str) -> tuple[ExportedRows, ...]:
        """Return the past exports that hold rows of a person, oldest first."""
        return exported_rows(self._database, person) if person else ()

    def forget(self, person: str) -> ErasureResult:
        """Erase everything of a person in one transaction, and list the exports that hold rows of theirs."""
        if not person:
            return ErasureResult()
        values = {"person": column(person)}
        with self._database.transaction() as connection:
            histories = _erase_turns(connection, values)
            erased = {kind: connection.execute(delete, values).rowcount for kind, delete in schema.FORGET.items()}
        self._database.checkpoint()
        return ErasureResult(
            exchanges=erased[Exchange],
            votes=erased[Vote],
            corrections=erased[Correction],
            decisions=erased[Decision],
            exports=exported_rows(self._database, person),
            histories=histories,
        )

    def prune(
        self, *, words_before: datetime | None = None, exchanges_before: datetime | None = None
    ) -> tuple[int, int]:
        """Erase what is older than these moments, few exchanges in a transaction, so that nobody waits long."""
        erased = self._in_pages(schema.OLD_EXCHANGES, exchanges_before, _erase)
        stripped = self._in_pages(schema.OLD_EXCHANGES_WITH_WORDS, words_before, _strip)
        if words_before:  # of a damaged row it is not known how old it is
            self._database.run(schema.STRIP_UNSOUND, (EMPTIED,))
        if erased or stripped:
            self._database.checkpoint()
        return stripped, erased

    def _in_pages(self, page: str, before: datetime | None, change: ChangeExchange) -> int:
        """Change each exchange of a query, one page in a transaction; returns how many. None: there are none."""
        done, found = 0, PAGE
        while before is not None and found == PAGE:
            with self._database.transaction() as connection:
                rows = connection.execute(page, (microseconds(before), PAGE)).fetchall()
                for row, answer, record in rows:
                    change(connection, row, str(answer), record)
            found = len(rows)
            done += found
        return done


def _erase_turns(connection: sqlite3.Connection, values: dict[str, str]) -> int:
    """Take the turns of a person from the exchanges of others in the same conversations; returns of how many."""
    erased: dict[bytes, ErasedTurns] = {}
    for answer, conversation, record in connection.execute(schema.CONVERSATIONS_OF_PERSON, values):
        exchange = parse_or_skip(Exchange, str(answer), record, log_skipped)
        turns = turns_of(exchange) if exchange else ErasedTurns(frozenset({str(answer)}))
        erased[conversation] = erased.get(conversation, ErasedTurns(frozenset())) | turns
    return sum(_erase_turns_in(connection, name, turns, **values) for name, turns in erased.items())


def _erase_turns_in(connection: sqlite3.Connection, conversation: bytes, turns: ErasedTurns, *, person: str) -> int:
    """Take these turns from the exchanges of a conversation, but not from those of a person; returns of how many."""
    changed = 0
    others = connection.execute(schema.OTHERS_IN_CONVERSATION, {"person": person, "conversation": conversation})
    for row, answer, record in others.fetchall():
        try:
            exchange = parse_record(Exchange, str(answer), record)
        except UnreadableRecord:  # whose words it holds is not known
            left: str | None = EMPTIED
        else:
            rest = without_turns(exchange, turns)
            left = None if rest is exchange else to_line(to_json(rest))
        if left is not None:
            connection.execute(schema.REPLACE_EXCHANGE, (left, row))
            changed += 1
    return changed


def _strip(connection: sqlite3.Connection, row: int, answer: str, record: bytes) -> None:
    """Take the text from an exchange, from the feedback about it, and from the younger histories that repeat it."""
    _erase_its_turns(connection, answer, record)
    connection.execute(schema.STRIP_EXCHANGE, (_bare(Exchange, answer, record), row))
    for kind in FEEDBACK:
        table = schema.TABLES[kind]
        rows = connection.execute(schema.feedback_of(table), (row,)).fetchall()
        stripped = [(_bare(kind, str(key), text), number) for number, key, text in rows]
        connection.executemany(f"UPDATE {table} SET record = ? WHERE rowid = ?", stripped)  # noqa: S608


def _bare(kind: type[Prunable], name: str, text: bytes) -> str:
    """Return what a column holds of a record without its words."""
    try:
        return to_line(to_json(without_words(parse_record(kind, name, text))))  # type: ignore[type-var]
    except UnreadableRecord:
        return EMPTIED


def _erase(connection: sqlite3.Connection, row: int, answer: str, record: bytes) -> None:
    of_it = "answer = (SELECT id FROM exchanges WHERE rowid = ?)"
    for kind in FEEDBACK:
        connection.execute(f"DELETE FROM {schema.TABLES[kind]} WHERE {of_it}", (row,))  # noqa: S608
    connection.execute("DELETE FROM exchanges WHERE rowid = ?", (row,))
    _erase_its_turns(connection, answer, record)


def _erase_its_turns(connection: sqlite3.Connection, answer: str, record: bytes) -> None:
    """Take the turns of an exchange from all others: they are as old, and later nobody knows whose they were."""
    exchange = parse_or_skip(Exchange, answer, record, log_skipped)
    if exchange and exchange.conversation:
        _erase_turns_in(connection, column(exchange.conversation).encode(), turns_of(exchange), person=NOBODY)
