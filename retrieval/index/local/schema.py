"""The tables of an index file."""

# Raised with every change of the tables. A rebuild reads `documents`, `versions`, `skips` and `sources` of an older
# file, so those stay readable.
SCHEMA_VERSION = 1

# The vectors of a text's blocks lie in `tokens`, under the text's key with this behind it: so an older file, which has
# none, is read and gone on with as it is.
BLOCKS = b"blocks"

SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE edition (number INTEGER NOT NULL);
INSERT INTO edition VALUES (0);
CREATE TABLE sources (name TEXT PRIMARY KEY, root TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE documents (
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
CREATE INDEX documents_by_source ON documents (source);
CREATE TABLE versions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    document TEXT NOT NULL,
    source TEXT NOT NULL,
    version TEXT NOT NULL,
    record TEXT NOT NULL,
    UNIQUE (document, version)
);
CREATE TABLE skips (
    document TEXT PRIMARY KEY,
    source TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    reason TEXT NOT NULL,
    detail TEXT NOT NULL
);
CREATE TABLE passages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    document INTEGER NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
    ordinal INTEGER NOT NULL,
    record TEXT NOT NULL,
    text_key BLOB NOT NULL,
    heading_key BLOB NOT NULL,
    lengths BLOB NOT NULL,
    terms BLOB NOT NULL
);
CREATE INDEX passages_by_document ON passages (document, ordinal);
CREATE TABLE vectors (key BLOB PRIMARY KEY, vector BLOB NOT NULL);
CREATE TABLE tokens (key BLOB PRIMARY KEY, width INTEGER NOT NULL, tokens BLOB NOT NULL);
CREATE TABLE vocabulary (id INTEGER PRIMARY KEY, term TEXT NOT NULL UNIQUE)
"""

CARRIED_OVER = (
    ("DELETE FROM sources", "SELECT name, root FROM sources", "INSERT INTO sources VALUES (?, ?)"),
    (
        "DELETE FROM versions",
        "SELECT id, document, source, version, record FROM versions",
        "INSERT INTO versions VALUES (?, ?, ?, ?, ?)",
    ),
    (
        "DELETE FROM skips",
        "SELECT document, source, fingerprint, reason, detail FROM skips",
        "INSERT INTO skips VALUES (?, ?, ?, ?, ?)",
    ),
)
