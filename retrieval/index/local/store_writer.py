"""Changes one generation's file: one transaction for each document."""

import sqlite3
from collections.abc import Iterable, Sequence

import numpy as np

from retrieval.embedding.vectors import text_key
from retrieval.index.local.database import Database, select
from retrieval.index.local.records import audience_record, document_record, passage_record
from retrieval.index.local.schema import BLOCKS, CARRIED_OVER
from retrieval.index.protocols import Indexable, SkippedFile
from retrieval.passages import Document, Passage

VERSIONS_KEPT = 10


class StoreWriter:
    """Stores values as rows of one file."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def register(self, source: str, root: str) -> None:
        """Store a source's folder."""
        with self._database.transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO sources VALUES (?, ?)", (source, root))

    def forget(self, source: str) -> None:
        """Delete a source with its documents, their past versions and its skipped files."""
        with self._database.change() as connection:
            connection.execute("DELETE FROM documents WHERE source = ?", (source,))
            connection.execute("DELETE FROM versions WHERE source = ?", (source,))
            connection.execute("DELETE FROM skips WHERE source = ?", (source,))
            connection.execute("DELETE FROM sources WHERE name = ?", (source,))

    def skip(self, skipped: SkippedFile) -> None:
        """Store a skipped file in place of its document."""
        with self._database.change() as connection:
            _remove(connection, skipped.document)
            connection.execute(
                "INSERT INTO skips VALUES (?, ?, ?, ?, ?)",
                (
                    skipped.document,
                    skipped.source,
                    skipped.fingerprint,
                    skipped.skipped.reason,
                    skipped.skipped.detail,
                ),
            )

    def touch(self, document: str, fingerprint: str) -> None:
        """Store a new fingerprint of unchanged content; an unknown document is passed over."""
        with self._database.transaction() as connection:
            connection.execute("UPDATE documents SET fingerprint = ? WHERE document = ?", (fingerprint, document))

    def replace(
        self,
        document: Document,
        passages: Sequence[Indexable],
        *,
        terms: Sequence[Sequence[Sequence[str]]],
        fingerprint: str,
    ) -> None:
        """Store a document in place of its old version; `terms` holds each passage's terms by field."""
        with self._database.change() as connection:
            _remove(connection, document.id, returning=document.version)
            row = _insert_document(connection, document, fingerprint)
            ids = _term_ids(connection, {term for fields in terms for field in fields for term in field})
            for indexable, fields in zip(passages, terms, strict=True):
                _insert_vectors(connection, indexable)
                _insert_passage(connection, row, indexable.passage, [[ids[term] for term in field] for field in fields])

    def delete(self, documents: Iterable[str]) -> None:
        """Delete these documents, each kept as a past version, and skipped files."""
        with self._database.change() as connection:
            for document in documents:
                _remove(connection, document)

    def carry_over(self, older: Database) -> None:
        """Copy sources, past versions and skipped files from another generation's file."""
        with older.read() as there, self._database.change() as here:
            for delete, read, write in CARRIED_OVER:
                here.execute(delete)
                here.executemany(write, there.execute(read))

    def prune(self) -> None:
        """Delete vectors that no passage uses."""
        with self._database.transaction() as connection:
            connection.execute(
                "DELETE FROM vectors WHERE key NOT IN"
                " (SELECT text_key FROM passages UNION ALL SELECT heading_key FROM passages)"
            )
            connection.execute(
                "DELETE FROM tokens WHERE key NOT IN"
                " (SELECT key FROM vectors UNION ALL SELECT CAST(text_key || ? AS BLOB) FROM passages)",
                (BLOCKS,),
            )


def _remove(connection: sqlite3.Connection, document: str, *, returning: str = "") -> None:
    """Delete a document or skipped file; a version that citations may quote is kept, unless it is `returning`."""
    connection.execute(
        "INSERT OR REPLACE INTO versions (document, source, version, record)"
        " SELECT document, source, version, record FROM documents WHERE document = ? AND version <> ?",
        (document, returning),
    )
    connection.execute(
        "DELETE FROM versions WHERE document = ?1 AND id NOT IN"
        " (SELECT id FROM versions WHERE document = ?1 ORDER BY id DESC LIMIT ?2)",
        (document, VERSIONS_KEPT),
    )
    connection.execute("DELETE FROM documents WHERE document = ?", (document,))
    connection.execute("DELETE FROM skips WHERE document = ?", (document,))


def _insert_document(connection: sqlite3.Connection, document: Document, fingerprint: str) -> int:
    cursor = connection.execute(
        "INSERT INTO documents (document, source, fingerprint, version, audience, title, url, record)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            document.id,
            document.source,
            fingerprint,
            document.version,
            audience_record(document.audience),
            document.title,
            document.url,
            document_record(document),
        ),
    )
    return int(cursor.lastrowid or 0)


def _insert_passage(connection: sqlite3.Connection, document: int, passage: Passage, terms: list[list[int]]) -> None:
    connection.execute(
        "INSERT INTO passages (document, ordinal, record, text_key, heading_key, lengths, terms)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            document,
            passage.ordinal,
            passage_record(passage),
            text_key(passage.embedded_text),
            text_key(passage.embedded_heading),
            np.array([len(field) for field in terms], np.int32).tobytes(),
            np.array([term for field in terms for term in field], np.int32).tobytes(),
        ),
    )


def _insert_vectors(connection: sqlite3.Connection, indexable: Indexable) -> None:
    passage = indexable.passage
    for text, encoded in ((passage.embedded_text, indexable.text), (passage.embedded_heading, indexable.heading)):
        key, vector, tokens = text_key(text), encoded.vector.astype(np.float32), encoded.tokens.astype(np.int8)
        connection.execute("INSERT OR IGNORE INTO vectors VALUES (?, ?)", (key, vector.tobytes()))
        connection.execute("INSERT OR IGNORE INTO tokens VALUES (?, ?, ?)", (key, tokens.shape[1], tokens.tobytes()))
    blocks = indexable.text.blocks.astype(np.int8)
    if len(blocks):  # in place of those of a time when the text had other blocks
        row = text_key(passage.embedded_text) + BLOCKS, blocks.shape[1], blocks.tobytes()
        connection.execute("INSERT OR REPLACE INTO tokens VALUES (?, ?, ?)", row)


def _term_ids(connection: sqlite3.Connection, terms: Iterable[str]) -> dict[str, int]:
    wanted = sorted(terms)
    connection.executemany("INSERT OR IGNORE INTO vocabulary (term) VALUES (?)", [(term,) for term in wanted])
    return dict(select(connection, "SELECT term, id FROM vocabulary WHERE term IN (*)", wanted))
