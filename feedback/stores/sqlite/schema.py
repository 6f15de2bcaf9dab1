"""The tables of the embedded store and the SQL that reads, writes and erases their rows."""

from feedback.records import Correction, Decision, Exchange, Vote
from feedback.stores.sqlite.file import Upgrades

UPGRADES: Upgrades = (
    (
        """
        CREATE TABLE exchanges (
            id TEXT PRIMARY KEY,
            at INTEGER NOT NULL,
            conversation TEXT NOT NULL,
            record TEXT NOT NULL
        )
        """,
        "CREATE INDEX exchanges_by_time ON exchanges (at, id)",
        "CREATE INDEX exchanges_by_conversation ON exchanges (conversation, at, id)",
    ),
    (
        """
        CREATE TABLE votes (
            key TEXT PRIMARY KEY,
            answer TEXT NOT NULL,
            voter TEXT NOT NULL,
            at INTEGER NOT NULL,
            vote TEXT NOT NULL,
            record TEXT NOT NULL
        )
        """,
        "CREATE INDEX votes_by_answer ON votes (answer, voter, at, key)",
        """
        CREATE TABLE corrections (
            key TEXT PRIMARY KEY,
            answer TEXT NOT NULL,
            at INTEGER NOT NULL,
            record TEXT NOT NULL
        )
        """,
        "CREATE INDEX corrections_by_answer ON corrections (answer, at, key)",
    ),
    (
        "ALTER TABLE exchanges ADD COLUMN asker TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE exchanges ADD COLUMN pruned INTEGER NOT NULL DEFAULT 0",
        "UPDATE exchanges SET asker = ifnull(json_extract(record, '$.asker'), '') WHERE json_valid(record)",
        "CREATE INDEX exchanges_by_asker ON exchanges (asker) WHERE asker != ''",
        "CREATE INDEX exchanges_with_words ON exchanges (at, id) WHERE pruned = 0",
        "CREATE INDEX votes_by_voter ON votes (voter)",
        "ALTER TABLE corrections ADD COLUMN author TEXT NOT NULL DEFAULT ''",
        "UPDATE corrections SET author = ifnull(json_extract(record, '$.author'), '') WHERE json_valid(record)",
        "CREATE INDEX corrections_by_author ON corrections (author)",
        """
        CREATE TABLE decisions (
            key TEXT PRIMARY KEY,
            answer TEXT NOT NULL,
            reviewer TEXT NOT NULL,
            at INTEGER NOT NULL,
            correction TEXT NOT NULL,
            record TEXT NOT NULL
        )
        """,
        "CREATE INDEX decisions_by_answer ON decisions (answer, at, key)",
        "CREATE TABLE exports (id TEXT PRIMARY KEY, at INTEGER NOT NULL, record TEXT NOT NULL)",
        """
        CREATE TABLE registered (
            export TEXT NOT NULL,
            person TEXT NOT NULL,
            rows TEXT NOT NULL,
            PRIMARY KEY (export, person)
        ) WITHOUT ROWID
        """,
        "CREATE INDEX registered_by_person ON registered (person, export)",
    ),
)

RECORD_EXCHANGE = """
    INSERT INTO exchanges (id, at, conversation, asker, pruned, record)
    VALUES (:id, :at, :conversation, :asker, :pruned, :record)
    ON CONFLICT (id) DO NOTHING
"""
# Feedback about a pruned exchange is stored without its text.
RECORD_VOTE = """
    INSERT INTO votes (key, answer, voter, at, vote, record)
    SELECT :key, :answer, :voter, :at, :vote, CASE pruned WHEN 0 THEN :record ELSE :bare END
    FROM exchanges WHERE id = :answer
    ON CONFLICT (key) DO NOTHING
"""
RECORD_CORRECTION = """
    INSERT INTO corrections (key, answer, author, at, record)
    SELECT :key, :answer, :author, :at, CASE pruned WHEN 0 THEN :record ELSE :bare END
    FROM exchanges WHERE id = :answer
    ON CONFLICT (key) DO NOTHING
"""
RECORD_DECISION = """
    INSERT INTO decisions (key, answer, reviewer, at, correction, record)
    SELECT :key, :answer, :reviewer, :at, :correction, CASE pruned WHEN 0 THEN :record ELSE :bare END
    FROM exchanges WHERE id = :answer
    ON CONFLICT (key) DO NOTHING
"""
RECORD_EXPORT = "INSERT INTO exports (id, at, record) VALUES (?, ?, ?) ON CONFLICT (id) DO NOTHING"
RECORD_ROWS = """
    INSERT INTO registered (export, person, rows) VALUES (?, ?, ?)
    ON CONFLICT (export, person) DO UPDATE SET rows = excluded.rows
"""

COUNTS = """
    vote != 'none' AND NOT EXISTS (
        SELECT 1 FROM votes AS later
        WHERE later.answer = votes.answer AND later.voter = votes.voter
        AND (later.at, later.key) > (votes.at, votes.key)
    )
"""
COUNTING_VOTES = f"SELECT record FROM votes WHERE answer = ? AND {COUNTS} ORDER BY at, key"  # noqa: S608 - no input

HAS_EXCHANGE = "SELECT 1 FROM exchanges WHERE id = ?"
EXCHANGE = "SELECT record FROM exchanges WHERE id = ?"
CONVERSATION = "SELECT record FROM exchanges WHERE conversation = ? ORDER BY at DESC, id DESC LIMIT ?"
EXCHANGES = "SELECT at, id, record FROM exchanges WHERE (at, id) > (?, ?) AND at < ? ORDER BY at, id LIMIT ?"
CORRECTIONS = "SELECT record FROM corrections WHERE answer = ? ORDER BY at, key"
DECISIONS = "SELECT record FROM decisions WHERE answer = ? ORDER BY at, key"
EXPORTS = "SELECT record FROM exports ORDER BY at, id"
REGISTERED_ROWS = "SELECT person, rows FROM registered WHERE export = ? ORDER BY person"
EXPORTED_ROWS = """
    SELECT exports.record, registered.rows FROM registered JOIN exports ON exports.id = registered.export
    WHERE registered.person = ? ORDER BY exports.at, exports.id
"""
TABLES = {Exchange: "exchanges", Vote: "votes", Correction: "corrections", Decision: "decisions"}


def feedback_between(table: str, *, only: str = "TRUE") -> str:
    """The query for the feedback about the exchanges behind one and up to another (time and id), in their order."""
    return f"""
        SELECT {table}.answer, {table}.record
        FROM exchanges CROSS JOIN {table} ON {table}.answer = exchanges.id
        WHERE (exchanges.at, exchanges.id) > (?, ?) AND (exchanges.at, exchanges.id) <= (?, ?) AND {only}
        ORDER BY exchanges.at, exchanges.id, {table}.at, {table}.key
    """  # noqa: S608 - of our own words


_EXCHANGES_OF_PERSON = "SELECT id FROM exchanges WHERE asker = :person"
# Feedback about exchanges goes before them, and decisions before the corrections that they are about.
FORGET = {
    Decision: f"""
        DELETE FROM decisions WHERE reviewer = :person OR answer IN ({_EXCHANGES_OF_PERSON})
        OR correction IN (SELECT key FROM corrections WHERE author = :person)
    """,  # noqa: S608
    Correction: f"DELETE FROM corrections WHERE author = :person OR answer IN ({_EXCHANGES_OF_PERSON})",  # noqa: S608
    Vote: f"DELETE FROM votes WHERE voter = :person OR answer IN ({_EXCHANGES_OF_PERSON})",  # noqa: S608
    Exchange: "DELETE FROM exchanges WHERE asker = :person",
}
OLD_EXCHANGES = "SELECT id, record FROM exchanges WHERE at < ? ORDER BY at, id LIMIT ?"
OLD_EXCHANGES_WITH_WORDS = "SELECT id, record FROM exchanges WHERE pruned = 0 AND at < ? ORDER BY at, id LIMIT ?"
