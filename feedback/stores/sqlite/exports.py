"""Which exports were made and whose rows are in them, in the embedded store."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping

from feedback.codec import record_line
from feedback.records import Export, ExportedRows, ExportRegistration, SkippedRecord
from feedback.stores.skipped import OnSkipped, log_skipped, parse_or_skip, parse_rows
from feedback.stores.sqlite import schema
from feedback.stores.sqlite.database import Database
from feedback.stores.sqlite.file import column
from feedback.stores.sqlite.rows import microseconds


class SqliteExportRegistry:
    """An `ExportRegistry` on a file."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def register_export(self, export: Export, rows: Mapping[str, Iterable[str]]) -> None:
        """Add an export, and by person the sha256 of the rows that hold something of theirs."""
        with self._database.transaction() as connection:
            insert_export(connection, export, rows)


def insert_export(connection: sqlite3.Connection, export: Export, rows: Mapping[str, Iterable[str]]) -> None:
    """Add an export unless it is known, and replace the rows of these persons; within a transaction."""
    name = column(export.id)
    connection.execute(schema.RECORD_EXPORT, (name, microseconds(export.at), record_line(export)))
    by_person = ((name, column(person), json.dumps(sorted(set(hashes)))) for person, hashes in rows.items())
    connection.executemany(schema.RECORD_ROWS, by_person)


def registrations(database: Database, skipped: OnSkipped) -> Iterator[ExportRegistration]:
    """Yield the registrations of all exports, oldest first, ties by id, each by person.

    An export that holds nobody's rows has one without a person.
    """
    for export in database.records(Export, schema.EXPORTS, skipped=skipped):
        found = database.run(schema.REGISTERED_ROWS, (column(export.id),)) or [("", b"[]")]
        for person, rows in found:
            hashes = parse_rows(rows)
            if hashes is None:
                skipped(SkippedRecord("registered", export.id, "its list of rows is damaged"))
            else:
                yield ExportRegistration(export, str(person), hashes)


def exported_rows(database: Database, person: str) -> tuple[ExportedRows, ...]:
    """Return the exports that hold rows of this person, oldest first."""
    found = []
    for name, record, rows in database.run(schema.EXPORTED_ROWS, (column(person),)):
        export = parse_or_skip(Export, str(name), record, log_skipped)
        if export:
            found.append(ExportedRows(export, parse_rows(rows) or ()))
    return tuple(found)
