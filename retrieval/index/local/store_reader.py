"""Reads documents, passages and vectors from one generation's file."""

from collections.abc import Collection, Iterable, Sequence
from typing import cast

import numpy as np

from retrieval.embedding.vectors import Encoded, TokenVectors, no_vectors
from retrieval.index.local.database import Database, select
from retrieval.index.local.records import audience_from, document_from, passage_from, texts
from retrieval.index.local.schema import BLOCKS
from retrieval.index.protocols import SkippedFile, StoredDocument
from retrieval.parsing.protocol import Reason, Skipped
from retrieval.passages import Document, Passage
from retrieval.ranking.candidates import PassageTokens

PASSAGE = (
    "p.record, p.ordinal, d.document, d.version, d.title, d.url, d.audience"
    " FROM passages p JOIN documents d ON d.id = p.document"
)
TEXT_VECTORS = (
    "t.width, t.tokens, b.width, b.tokens FROM {table} JOIN tokens t ON t.key = {key}"
    f" LEFT JOIN tokens b ON b.key = CAST({{key}} || x'{BLOCKS.hex()}' AS BLOB)"
)


class StoreReader:
    """Rows of one file as values; each call is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def sources(self) -> dict[str, str]:
        """The folder of each known source."""
        with self._database.read() as connection:
            rows = connection.execute("SELECT name, root FROM sources ORDER BY name")
            return {row[0]: row[1] for row in (texts(*each) for each in rows)}

    def stored(self, source: str | None = None) -> dict[str, StoredDocument]:
        """The documents of one source, or of all, by id."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT document, version, fingerprint FROM documents"
                " WHERE ?1 IS NULL OR source = ?1 ORDER BY document",
                (source,),
            )
            return {row[0]: StoredDocument(*texts(*row)) for row in rows}

    def skips(self, source: str) -> dict[str, SkippedFile]:
        """The skipped files of one source by id."""
        with self._database.read() as connection:
            rows = connection.execute("SELECT * FROM skips WHERE source = ? ORDER BY document", (source,))
            return {row[0]: SkippedFile(row[0], row[1], row[2], Skipped(cast(Reason, row[3]), row[4])) for row in rows}

    def term_ids(self, terms: Iterable[str]) -> dict[str, int]:
        """Ids of those terms that any passage ever had."""
        with self._database.read() as connection:
            return dict(select(connection, "SELECT term, id FROM vocabulary WHERE term IN (*)", sorted(terms)))

    def vectors(self, keys: Sequence[bytes]) -> dict[bytes, Encoded]:
        """Vectors of those texts that are known, by `text_key`."""
        query = f"SELECT v.key, v.vector, {TEXT_VECTORS.format(table='vectors v', key='v.key')} WHERE v.key IN (*)"
        with self._database.read() as connection:
            return {
                row[0]: Encoded(np.frombuffer(row[1], np.float32), _rows(*row[2:4]), _rows(*row[4:]))
                for row in select(connection, query, keys)
            }

    def tokens(self, passages: Sequence[int]) -> dict[int, PassageTokens]:
        """Token vectors and those of blocks by passage id; a deleted passage is absent."""
        text = TEXT_VECTORS.format(table="passages p", key="p.text_key")
        query = f"SELECT p.id, h.width, h.tokens, {text} JOIN tokens h ON h.key = p.heading_key WHERE p.id IN (*)"
        with self._database.read() as connection:
            return {
                row[0]: PassageTokens(_rows(*row[1:3]), _rows(*row[3:5]), _rows(*row[5:]))
                for row in select(connection, query, passages)
            }

    def passages(self, keys: Sequence[int]) -> dict[int, Passage]:
        """Passages by id; a deleted one is absent."""
        with self._database.read() as connection:
            rows = select(connection, f"SELECT p.id, {PASSAGE} WHERE p.id IN (*)", keys)
            return {row[0]: passage_from(*row[1:]) for row in rows}

    def sections(self, document: str) -> list[Passage]:
        """The current passages of one document in reading order; empty when unknown."""
        with self._database.read() as connection:
            rows = connection.execute(f"SELECT {PASSAGE} WHERE d.document = ? ORDER BY p.ordinal", (document,))
            return [passage_from(*row) for row in rows]

    def document(self, document: str, version: str | None = None) -> Document | None:
        """One document, the current version or a kept one; None when unknown."""
        with self._database.read() as connection:
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

    def audiences(self, documents: Collection[str]) -> dict[str, frozenset[str]]:
        """The audience of each of these documents by id; an unknown one is absent."""
        with self._database.read() as connection:
            query = "SELECT document, audience FROM documents WHERE document IN (*)"
            return {row[0]: audience_from(row[1]) for row in select(connection, query, list(documents))}

    def counts(self) -> tuple[int, int]:
        """How many documents and passages there are."""
        with self._database.read() as connection:
            query = "SELECT (SELECT count(*) FROM documents), (SELECT count(*) FROM passages)"
            documents, passages = connection.execute(query).fetchone()
            return int(documents), int(passages)


def _rows(width: int | None, blob: bytes) -> TokenVectors:
    return np.frombuffer(blob, np.int8).reshape(-1, width) if width else no_vectors()
