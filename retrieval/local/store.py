"""The store of record: documents, passages and vectors in one SQLite file (WAL), one transaction a document.

A file belongs to one generation: one embedding model and one analyzer. Changing either fills a new file beside
the old one, see `retrieval.local.generations`.
"""

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path

import numpy as np

from retrieval.embedding import text_key
from retrieval.errors import SearchUnavailable
from retrieval.index import Encoded, Indexable, Stored
from retrieval.passages import Block, Document, Passage

SCHEMA_VERSION = 1
VERSIONS_KEPT = 10

SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS documents (
    id INTEGER PRIMARY KEY,
    document TEXT NOT NULL UNIQUE,
    source TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    version TEXT NOT NULL,
    audience TEXT NOT NULL,
    title TEXT NOT NULL,
    url TEXT NOT NULL,
    record TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS documents_by_source ON documents (source);
CREATE TABLE IF NOT EXISTS versions (
    document TEXT NOT NULL, version TEXT NOT NULL, record TEXT NOT NULL, replaced TEXT NOT NULL,
    PRIMARY KEY (document, version)
);
CREATE TABLE IF NOT EXISTS passages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    document INTEGER NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
    ordinal INTEGER NOT NULL,
    record TEXT NOT NULL,
    text_key BLOB NOT NULL,
    heading_key BLOB NOT NULL,
    lengths BLOB NOT NULL,
    terms BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS passages_by_document ON passages (document);
CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB NOT NULL, tokens BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS vocabulary (id INTEGER PRIMARY KEY, term TEXT NOT NULL UNIQUE);
"""


PASSAGE = (
    "p.record, p.ordinal, d.document, d.version, d.title, d.url, d.audience"
    " FROM passages p JOIN documents d ON d.id = p.document"
)


class Store:
    """One generation's file. Every method raises `SearchUnavailable` when the file cannot be read or written."""

    def __init__(self, path: Path, *, token_dimensions: int) -> None:
        self.path = path
        self._token_dimensions = token_dimensions
        self._lock = threading.RLock()
        path.parent.mkdir(parents=True, exist_ok=True)
        with mapped(path):
            self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=NORMAL")
            self._connection.execute("PRAGMA foreign_keys=ON")
            self._connection.executescript(SCHEMA)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._connection.close()

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
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def data_version(self) -> int:
        """A number that changes when another connection has committed."""
        with self._lock, mapped(self.path):
            return int(self._connection.execute("PRAGMA data_version").fetchone()[0])

    def meta(self) -> dict[str, str]:
        """What this generation was made with, and the known sources (`source:NAME`)."""
        with self.transaction("DEFERRED") as connection:
            return dict(connection.execute("SELECT key, value FROM meta"))

    def set_meta(self, **values: str) -> None:
        """Remember these values."""
        with self.transaction() as connection:
            connection.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", values.items())

    def forget_meta(self, key: str) -> None:
        """Forget one value."""
        with self.transaction() as connection:
            connection.execute("DELETE FROM meta WHERE key = ?", (key,))

    def stored(self, source: str | None = None) -> dict[str, Stored]:
        """The documents of one source, or of all."""
        with self.transaction("DEFERRED") as connection:
            rows = connection.execute(
                "SELECT document, version, fingerprint FROM documents WHERE ?1 IS NULL OR source = ?1 ORDER BY document",
                (source,),
            )
            return {row[0]: Stored(*row) for row in rows}

    def set_fingerprint(self, document: str, fingerprint: str) -> None:
        """Remember that the same content now lies in a file with this fingerprint."""
        with self.transaction() as connection:
            connection.execute("UPDATE documents SET fingerprint = ? WHERE document = ?", (fingerprint, document))

    def replace(
        self, document: Document, passages: Sequence[Indexable], terms: Sequence[Sequence[Sequence[str]]], fingerprint: str
    ) -> None:
        """Put a document in place of its old self; `terms` holds each passage's terms by field."""
        with self.transaction() as connection:
            self._archive(connection, document.id)
            connection.execute("DELETE FROM documents WHERE document = ?", (document.id,))
            cursor = connection.execute(
                "INSERT INTO documents (document, source, fingerprint, version, audience, title, url, record)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    document.id,
                    document.source,
                    fingerprint,
                    document.version,
                    json.dumps(sorted(document.audience)),
                    document.title,
                    document.url,
                    document_record(document),
                ),
            )
            ids = self._term_ids(connection, {term for fields in terms for field in fields for term in field})
            for indexable, fields in zip(passages, terms, strict=True):
                self._insert(connection, cursor.lastrowid, indexable, [[ids[term] for term in field] for field in fields])

    def _insert(
        self, connection: sqlite3.Connection, document: int | None, indexable: Indexable, terms: list[list[int]]
    ) -> None:
        passage = indexable.passage
        keys = text_key(passage.embedded_text), text_key(passage.embedded_heading)
        vectors = (indexable.text, indexable.tokens), (indexable.heading, np.zeros((0, self._token_dimensions), np.int8))
        connection.executemany(
            "INSERT OR IGNORE INTO vectors VALUES (?, ?, ?)",
            [(key, vector.astype(np.float32).tobytes(), tokens.tobytes()) for key, (vector, tokens) in zip(keys, vectors, strict=True)],
        )
        connection.execute(
            "INSERT INTO passages (document, ordinal, record, text_key, heading_key, lengths, terms)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                document,
                passage.ordinal,
                passage_record(passage),
                *keys,
                np.array([len(field) for field in terms], np.int32).tobytes(),
                np.array([term for field in terms for term in field], np.int32).tobytes(),
            ),
        )

    def _archive(self, connection: sqlite3.Connection, document: str) -> None:
        """Keep what a citation may have quoted, so that `show --version` can still print it."""
        connection.execute(
            "INSERT OR REPLACE INTO versions SELECT document, version, record, strftime('%Y-%m-%dT%H:%M:%fZ')"
            " FROM documents WHERE document = ?",
            (document,),
        )
        connection.execute(
            "DELETE FROM versions WHERE document = ?1 AND version NOT IN"
            " (SELECT version FROM versions WHERE document = ?1 ORDER BY replaced DESC LIMIT ?2)",
            (document, VERSIONS_KEPT),
        )

    def _term_ids(self, connection: sqlite3.Connection, terms: Iterable[str]) -> dict[str, int]:
        wanted = sorted(terms)
        connection.executemany("INSERT OR IGNORE INTO vocabulary (term) VALUES (?)", [(term,) for term in wanted])
        return self._known_ids(connection, wanted)

    @staticmethod
    def _known_ids(connection: sqlite3.Connection, terms: Sequence[str]) -> dict[str, int]:
        found: dict[str, int] = {}
        for start in range(0, len(terms), 500):
            chunk = terms[start : start + 500]
            marks = ",".join("?" * len(chunk))
            found.update(connection.execute(f"SELECT term, id FROM vocabulary WHERE term IN ({marks})", chunk))
        return found

    def known_ids(self, terms: Iterable[str]) -> dict[str, int]:
        """Ids of those terms that any passage ever held."""
        with self.transaction("DEFERRED") as connection:
            return self._known_ids(connection, sorted(terms))

    def delete(self, documents: Iterable[str]) -> None:
        """Forget these documents, each kept as a past version."""
        with self.transaction() as connection:
            for document in documents:
                self._archive(connection, document)
                connection.execute("DELETE FROM documents WHERE document = ?", (document,))

    def prune(self) -> None:
        """Drop vectors that no passage uses."""
        with self.transaction() as connection:
            connection.execute(
                "DELETE FROM vectors WHERE key NOT IN"
                " (SELECT text_key FROM passages UNION ALL SELECT heading_key FROM passages)"
            )

    def vectors(self, keys: Sequence[bytes]) -> dict[bytes, Encoded]:
        """Vectors of those texts that are known."""
        found = {}
        with self.transaction("DEFERRED") as connection:
            for start in range(0, len(keys), 500):
                chunk = keys[start : start + 500]
                marks = ",".join("?" * len(chunk))
                for key, vector, tokens in connection.execute(f"SELECT * FROM vectors WHERE key IN ({marks})", chunk):
                    found[key] = Encoded(np.frombuffer(vector, np.float32), self._token_rows(tokens))
        return found

    def _token_rows(self, blob: bytes) -> np.ndarray[tuple[int, int], np.dtype[np.int8]]:
        return np.frombuffer(blob, np.int8).reshape(-1, self._token_dimensions)

    def tokens(self, passages: Sequence[int]) -> dict[int | str, np.ndarray[tuple[int, int], np.dtype[np.int8]]]:
        """Token vectors by passage id."""
        with self.transaction("DEFERRED") as connection:
            marks = ",".join("?" * len(passages))
            rows = connection.execute(
                f"SELECT p.id, v.tokens FROM passages p JOIN vectors v ON v.key = p.text_key WHERE p.id IN ({marks})",
                list(passages),
            )
            return {key: self._token_rows(blob) for key, blob in rows if blob}

    def passages(self, keys: Sequence[int]) -> dict[int, Passage]:
        """Passages by id, those that still stand."""
        with self.transaction("DEFERRED") as connection:
            marks = ",".join("?" * len(keys))
            rows = connection.execute(f"SELECT p.id, {PASSAGE} WHERE p.id IN ({marks})", list(keys))
            return {row[0]: passage_from(*row[1:]) for row in rows}

    def sections(self, document: str) -> list[Passage]:
        """The current passages of one document in reading order."""
        with self.transaction("DEFERRED") as connection:
            rows = connection.execute(f"SELECT {PASSAGE} WHERE d.document = ? ORDER BY p.ordinal", (document,))
            return [passage_from(*row) for row in rows]

    def document(self, document: str, version: str | None) -> Document | None:
        """One document, the current version or a kept one."""
        with self.transaction("DEFERRED") as connection:
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
        with self.transaction("DEFERRED") as connection:
            query = "SELECT (SELECT count(*) FROM documents), (SELECT count(*) FROM passages)"
            documents, passages = connection.execute(query).fetchone()
            return int(documents), int(passages)


@contextmanager
def mapped(path: Path) -> Iterator[None]:
    """SQLite's errors as ours."""
    try:
        yield
    except sqlite3.Error as error:
        raise SearchUnavailable(f"the index {str(path)!r} cannot be used just now: {error}") from error


def document_record(document: Document) -> str:
    """A document's own fields as JSON, those aside that have a column."""
    return json.dumps(
        {
            "title": document.title,
            "url": document.url,
            "owner": document.owner,
            "review": document.review.isoformat() if document.review else None,
            "modified": document.modified.isoformat() if document.modified else None,
            "text": document.text,
            "blocks": [[b.kind, b.start, b.end, b.level, b.anchor, b.page] for b in document.blocks],
        }
    )


def document_from(record: str, document: str, source: str, version: str, audience: str) -> Document:
    """The document back from its record and columns."""
    data = json.loads(record)
    return Document(
        id=document,
        source=source,
        title=data["title"],
        url=data["url"],
        version=version,
        text=data["text"],
        blocks=tuple(Block(*block) for block in data["blocks"]),
        audience=frozenset(json.loads(audience)),
        owner=data["owner"],
        review=date.fromisoformat(data["review"]) if data["review"] else None,
        modified=datetime.fromisoformat(data["modified"]) if data["modified"] else None,
    )


def passage_record(passage: Passage) -> str:
    """A passage's own fields as JSON; those of its document are joined when it is read."""
    return json.dumps(
        [passage.headings, passage.anchor, passage.fragment, passage.text, passage.start, passage.end, passage.lead]
    )


def passage_from(record: str, ordinal: int, document: str, version: str, title: str, url: str, audience: str) -> Passage:
    """The passage back from its record and its document's columns (`PASSAGE`)."""
    headings, anchor, fragment, text, start, end, lead = json.loads(record)
    return Passage(
        document=document,
        ordinal=ordinal,
        headings=tuple(headings),
        anchor=anchor,
        fragment=fragment,
        text=text,
        start=start,
        end=end,
        version=version,
        title=title,
        url=url,
        audience=frozenset(json.loads(audience)),
        lead=lead,
    )
