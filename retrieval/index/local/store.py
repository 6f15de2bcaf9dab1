"""The store of record: documents, passages and vectors in one SQLite file (WAL), one transaction a document.

A file belongs to one `Made`; changing anything of it fills a new file beside the old one, see
`retrieval.index.local.generations`.
"""

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import cast

import numpy as np

from retrieval.embedding.sentence_transformers import text_key
from retrieval.index.generations import IndexFingerprint
from retrieval.index.local.connection import connected, mapped, select
from retrieval.index.local.records import audience_record, document_from, document_record, passage_from, passage_record
from retrieval.index.local.schema import CARRIED_OVER, SCHEMA
from retrieval.index.protocols import Encoded, Indexable, PassageTokens, Skip, Stored, TokenVectors
from retrieval.parsing.protocol import Reason, Skipped
from retrieval.passages import Document, Passage

VERSIONS_KEPT = 10

PASSAGE = (
    "p.record, p.ordinal, d.document, d.version, d.title, d.url, d.audience"
    " FROM passages p JOIN documents d ON d.id = p.document"
)


class Store:
    """One generation's file, which must exist; every method raises `SearchUnavailable` when it cannot be used."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        with mapped(path):
            self._connection = connected(path, "rw")
            try:
                self.made = self._made()
            except BaseException:
                self._connection.close()
                raise

    @classmethod
    def create(cls, path: Path, made: IndexFingerprint) -> "Store":
        """A new file without documents; it is complete or it cannot be opened."""
        with mapped(path):
            connection = connected(path, "rwc")
            try:
                connection.execute("BEGIN IMMEDIATE")
                for statement in SCHEMA.split(";"):
                    connection.execute(statement)
                said = {"schema": str(made.schema), "embedding": made.embedding, "analyzer": made.analyzer}
                connection.executemany("INSERT INTO meta VALUES (?, ?)", said.items())
                connection.execute("COMMIT")
            finally:
                connection.close()
        return cls(path)

    def _made(self) -> IndexFingerprint:
        said = dict(self._connection.execute("SELECT key, value FROM meta"))
        return IndexFingerprint(int(said["schema"]), said["embedding"], said["analyzer"])

    def close(self) -> None:
        """Let go of the file."""
        with self._lock, mapped(self.path):
            self._connection.close()

    def settle(self) -> None:
        """Write everything into the one file, safe from a power cut."""
        with self._lock, mapped(self.path):
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    @contextmanager
    def transaction(self, kind: str = "IMMEDIATE") -> Iterator[sqlite3.Connection]:
        """All or nothing; nested use joins the outer transaction."""
        with self._lock, mapped(self.path):
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

    def reading(self) -> AbstractContextManager[sqlite3.Connection]:
        """One consistent state of everything that is read inside."""
        return self.transaction("DEFERRED")

    @contextmanager
    def changing(self) -> Iterator[sqlite3.Connection]:
        """A transaction after which lookups see a new edition."""
        with self.transaction() as connection:
            yield connection
            connection.execute("UPDATE edition SET number = number + 1")

    def edition(self) -> int:
        """A number that grows with every change of documents, whichever process makes it."""
        with self._lock, mapped(self.path):
            return int(self._connection.execute("SELECT number FROM edition").fetchone()[0])

    def sources(self) -> dict[str, str]:
        """The folder of each known source."""
        with self.reading() as connection:
            return dict(connection.execute("SELECT name, root FROM sources ORDER BY name"))

    def register(self, source: str, root: str) -> None:
        """Remember a source's folder."""
        with self.transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO sources VALUES (?, ?)", (source, root))

    def forget(self, source: str) -> None:
        """Forget a source with its documents, their past versions and its skipped files."""
        with self.changing() as connection:
            connection.execute("DELETE FROM documents WHERE source = ?", (source,))
            connection.execute("DELETE FROM versions WHERE source = ?", (source,))
            connection.execute("DELETE FROM skips WHERE source = ?", (source,))
            connection.execute("DELETE FROM sources WHERE name = ?", (source,))

    def stored(self, source: str | None = None) -> dict[str, Stored]:
        """The documents of one source, or of all."""
        with self.reading() as connection:
            rows = connection.execute(
                "SELECT document, version, fingerprint FROM documents"
                " WHERE ?1 IS NULL OR source = ?1 ORDER BY document",
                (source,),
            )
            return {row[0]: Stored(*row) for row in rows}

    def skips(self, source: str) -> dict[str, Skip]:
        """The skipped files of one source."""
        with self.reading() as connection:
            rows = connection.execute("SELECT * FROM skips WHERE source = ? ORDER BY document", (source,))
            return {row[0]: Skip(row[0], row[1], row[2], Skipped(cast(Reason, row[3]), row[4])) for row in rows}

    def skip(self, skip: Skip) -> None:
        """Remember a skipped file in place of its document."""
        with self.changing() as connection:
            self._drop(connection, skip.document)
            connection.execute(
                "INSERT INTO skips VALUES (?, ?, ?, ?, ?)",
                (skip.document, skip.source, skip.fingerprint, skip.skipped.reason, skip.skipped.detail),
            )

    def set_fingerprint(self, document: str, fingerprint: str) -> None:
        """Remember that the same content now lies in a file with this fingerprint."""
        with self.transaction() as connection:
            connection.execute("UPDATE documents SET fingerprint = ? WHERE document = ?", (fingerprint, document))

    def replace(
        self,
        document: Document,
        passages: Sequence[Indexable],
        terms: Sequence[Sequence[Sequence[str]]],
        fingerprint: str,
    ) -> None:
        """Put a document in place of its old self; `terms` holds each passage's terms by field."""
        with self.changing() as connection:
            self._drop(connection, document.id, unless=document.version)
            row = _insert_document(connection, document, fingerprint)
            ids = _term_ids(connection, {term for fields in terms for field in fields for term in field})
            for indexable, fields in zip(passages, terms, strict=True):
                _insert_vectors(connection, indexable)
                _insert_passage(connection, row, indexable.passage, [[ids[term] for term in field] for field in fields])

    def delete(self, documents: Iterable[str]) -> None:
        """Forget these documents, each kept as a past version, and skipped files."""
        with self.changing() as connection:
            for document in documents:
                self._drop(connection, document)

    @staticmethod
    def _drop(connection: sqlite3.Connection, document: str, *, unless: str = "") -> None:
        """Take a document away; a version that a citation may have quoted is kept, `unless` it is about to return."""
        connection.execute(
            "INSERT OR REPLACE INTO versions (document, source, version, record)"
            " SELECT document, source, version, record FROM documents WHERE document = ? AND version <> ?",
            (document, unless),
        )
        connection.execute(
            "DELETE FROM versions WHERE document = ?1 AND id NOT IN"
            " (SELECT id FROM versions WHERE document = ?1 ORDER BY id DESC LIMIT ?2)",
            (document, VERSIONS_KEPT),
        )
        connection.execute("DELETE FROM documents WHERE document = ?", (document,))
        connection.execute("DELETE FROM skips WHERE document = ?", (document,))

    def carry_over(self, older: "Store") -> None:
        """Take sources, past versions and skipped files from another generation's file."""
        with older.reading() as there, self.changing() as here:
            for delete, read, write in CARRIED_OVER:
                here.execute(delete)
                here.executemany(write, there.execute(read))

    def prune(self) -> None:
        """Drop vectors that no passage uses."""
        with self.transaction() as connection:
            connection.execute(
                "DELETE FROM vectors WHERE key NOT IN"
                " (SELECT text_key FROM passages UNION ALL SELECT heading_key FROM passages)"
            )
            connection.execute("DELETE FROM tokens WHERE key NOT IN (SELECT key FROM vectors)")

    def known_ids(self, terms: Iterable[str]) -> dict[str, int]:
        """Ids of those terms that any passage ever held."""
        with self.reading() as connection:
            return _known_ids(connection, sorted(terms))

    def vectors(self, keys: Sequence[bytes]) -> dict[bytes, Encoded]:
        """Vectors of those texts that are known."""
        query = "SELECT key, vector, width, tokens FROM vectors JOIN tokens USING (key) WHERE key IN (*)"
        with self.reading() as connection:
            rows = select(connection, query, keys)
            return {row[0]: Encoded(np.frombuffer(row[1], np.float32), _tokens(*row[2:])) for row in rows}

    def tokens(self, passages: Sequence[int]) -> dict[int, PassageTokens]:
        """Token vectors by passage id, of those passages that still stand."""
        query = (
            "SELECT p.id, h.width, h.tokens, t.width, t.tokens FROM passages p"
            " JOIN tokens h ON h.key = p.heading_key JOIN tokens t ON t.key = p.text_key WHERE p.id IN (*)"
        )
        with self.reading() as connection:
            return {
                row[0]: PassageTokens(_tokens(*row[1:3]), _tokens(*row[3:]))
                for row in select(connection, query, passages)
            }

    def passages(self, keys: Sequence[int]) -> dict[int, Passage]:
        """Passages by id, those that still stand."""
        with self.reading() as connection:
            rows = select(connection, f"SELECT p.id, {PASSAGE} WHERE p.id IN (*)", keys)
            return {row[0]: passage_from(*row[1:]) for row in rows}

    def sections(self, document: str) -> list[Passage]:
        """The current passages of one document in reading order."""
        with self.reading() as connection:
            rows = connection.execute(f"SELECT {PASSAGE} WHERE d.document = ? ORDER BY p.ordinal", (document,))
            return [passage_from(*row) for row in rows]

    def document(self, document: str, version: str | None = None) -> Document | None:
        """One document, the current version or a kept one."""
        with self.reading() as connection:
            row = connection.execute(
                "SELECT record, document, source, version, audience FROM documents"
                " WHERE document = ?1 AND (?2 IS NULL OR version = ?2)",
                (document, version),
            ).fetchone()
            if row is None and version is not None:
                row = connection.execute(
                    "SELECT record, document, '', version, '[]' FROM versions WHERE document = ? AND version = ?",
                    (document, version),
                ).fetchone()
        return document_from(*row) if row else None

    def counts(self) -> tuple[int, int]:
        """How many documents and passages there are."""
        with self.reading() as connection:
            query = "SELECT (SELECT count(*) FROM documents), (SELECT count(*) FROM passages)"
            documents, passages = connection.execute(query).fetchone()
            return int(documents), int(passages)


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


def _tokens(width: int, blob: bytes) -> TokenVectors:
    return np.frombuffer(blob, np.int8).reshape(-1, width)


def _term_ids(connection: sqlite3.Connection, terms: Iterable[str]) -> dict[str, int]:
    wanted = sorted(terms)
    connection.executemany("INSERT OR IGNORE INTO vocabulary (term) VALUES (?)", [(term,) for term in wanted])
    return _known_ids(connection, wanted)


def _known_ids(connection: sqlite3.Connection, terms: Sequence[str]) -> dict[str, int]:
    return dict(select(connection, "SELECT term, id FROM vocabulary WHERE term IN (*)", terms))
