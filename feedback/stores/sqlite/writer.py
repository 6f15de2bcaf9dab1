"""Adds records to the embedded store."""

import sqlite3
from collections.abc import Sequence

from feedback.errors import UnknownExchange
from feedback.records import (
    AnswerFeedback,
    Correction,
    Decision,
    Exchange,
    Export,
    ExportRegistration,
    Record,
    Vote,
    WriteResult,
)
from feedback.stores.sqlite import schema
from feedback.stores.sqlite.database import Database
from feedback.stores.sqlite.exports import insert_export
from feedback.stores.sqlite.rows import exchange_row, feedback_row


class SqliteWriter:
    """A `FeedbackWriter` on a file."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, exchange: Exchange) -> None:
        """Add an exchange; an id that is known changes nothing."""
        self._database.run(schema.RECORD_EXCHANGE, exchange_row(exchange))

    def vote(self, vote: Vote) -> bool:
        """Add a vote; False when its key is known; raises `UnknownExchange`."""
        return self._add(vote)

    def correct(self, correction: Correction) -> bool:
        """Add a correction; False when its key is known; raises `UnknownExchange`."""
        return self._add(correction)

    def decide(self, decision: Decision) -> bool:
        """Add a decision; False when its key is known; raises `UnknownExchange`."""
        return self._add(decision)

    def write_many(self, records: Sequence[Record]) -> list[WriteResult]:
        """Add several records in one transaction and return what became of each."""
        with self._database.transaction() as connection:
            return [_insert(connection, each) for each in records]

    def _add(self, feedback: AnswerFeedback) -> bool:
        with self._database.transaction() as connection:
            result = _insert(connection, feedback)
        if result == "unknown-answer":
            raise UnknownExchange(feedback.answer)
        return result == "added"


def _insert(connection: sqlite3.Connection, record: Record) -> WriteResult:
    if isinstance(record, Export):
        insert_export(connection, record, {})
        return "added"
    if isinstance(record, ExportRegistration):
        insert_export(connection, record.export, record.rows_by_person)
        return "added"
    if isinstance(record, Exchange):
        statement, values = schema.RECORD_EXCHANGE, exchange_row(record)
        answer = values["id"]
    else:
        statement, values = feedback_row(record)
        answer = values["answer"]
    if connection.execute(statement, values).rowcount > 0:
        if isinstance(record, Vote):
            connection.execute(schema.PUT_BACK_VOTES, values)
        return "added"
    return "known" if connection.execute(schema.HAS_EXCHANGE, (answer,)).fetchone() else "unknown-answer"
