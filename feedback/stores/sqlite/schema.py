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
    (  # feedback of the same moment counts in the order in which it came, which is that of its rows
        "DROP INDEX votes_by_answer",
        "CREATE INDEX votes_by_answer ON votes (answer, voter, at)",
        "DROP INDEX corrections_by_answer",
        "CREATE INDEX corrections_by_answer ON corrections (answer, at)",
        "DROP INDEX decisions_by_answer",
        "CREATE INDEX decisions_by_answer ON decisions (answer, at)",
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

# A vote whose time has not come when the person votes again gives way to the new one: a clock was wrong.
PUT_BACK_VOTES = "UPDATE votes SET at = :at WHERE answer = :answer AND voter = :voter AND at > :now AND key != :key"

COUNTS = """
    vote != 'none' AND NOT EXISTS (
        SELECT 1 FROM votes AS later
        WHERE later.answer = votes.answer AND later.voter = votes.voter
        AND (later.at, later.rowid) > (votes.at, votes.rowid)
    )
"""
# Bytes, whatever a damaged column holds; a text that is no UTF-8 would end the query.
RECORD = "CAST(record AS BLOB)"
COUNTING_VOTES = f"SELECT key, {RECORD} FROM votes WHERE answer = ? AND {COUNTS} ORDER BY at, rowid"  # noqa: S608

HAS_EXCHANGE = "SELECT 1 FROM exchanges WHERE id = ?"
EXCHANGE = f"SELECT id, {RECORD} FROM exchanges WHERE id = ?"  # noqa: S608
CONVERSATION = f"""
    SELECT id, {RECORD} FROM exchanges WHERE conversation = ? ORDER BY at DESC, id DESC LIMIT ?
"""  # noqa: S608
CORRECTIONS = f"SELECT key, {RECORD} FROM corrections WHERE answer = ? ORDER BY at, rowid"  # noqa: S608
DECISIONS = f"SELECT key, {RECORD} FROM decisions WHERE answer = ? ORDER BY at, rowid"  # noqa: S608
EXPORTS = f"SELECT id, {RECORD} FROM exports ORDER BY at, id"  # noqa: S608
REGISTERED_ROWS = "SELECT person, CAST(rows AS BLOB) FROM registered WHERE export = ? ORDER BY person"
EXPORTED_ROWS = f"""
    SELECT exports.id, {RECORD}, CAST(registered.rows AS BLOB)
    FROM registered JOIN exports ON exports.id = registered.export
    WHERE registered.person = ? ORDER BY exports.at, exports.id
"""  # noqa: S608
TABLES = {Exchange: "exchanges", Vote: "votes", Correction: "corrections", Decision: "decisions"}

# A position is a time and the bytes of an id.
_SOUND = "typeof(exchanges.at) = 'integer' AND typeof(exchanges.id) = 'text'"
_BEHIND = f"(exchanges.at, exchanges.id) > (?, CAST(? AS TEXT)) AND {_SOUND}"
EXCHANGES = f"SELECT at, id, {RECORD} FROM exchanges WHERE {_BEHIND} AND at < ? ORDER BY at, id LIMIT ?"  # noqa: S608
# Rows that no other query finds, because what they are found by is damaged.
_LOST = "NOT EXISTS (SELECT 1 FROM exchanges WHERE exchanges.id = answer)"
UNSOUND = f"""
    SELECT 'exchange', id, rowid FROM exchanges WHERE typeof(at) != 'integer' OR typeof(id) != 'text'
    UNION ALL SELECT 'vote', key, rowid FROM votes WHERE typeof(at) != 'integer' OR {_LOST}
    UNION ALL SELECT 'correction', key, rowid FROM corrections WHERE typeof(at) != 'integer' OR {_LOST}
    UNION ALL SELECT 'decision', key, rowid FROM decisions WHERE typeof(at) != 'integer' OR {_LOST}
"""  # noqa: S608


def feedback_between(table: str, *, only: str = "TRUE") -> str:
    """The query for the feedback about the exchanges behind one and up to another position, in their order."""
    return f"""
        SELECT exchanges.id, {table}.key, CAST({table}.record AS BLOB)
        FROM exchanges CROSS JOIN {table} ON {table}.answer = exchanges.id
        WHERE {_BEHIND} AND (exchanges.at, exchanges.id) <= (?, CAST(? AS TEXT)) AND {only}
        ORDER BY exchanges.at, exchanges.id, {table}.at, {table}.rowid
    """  # noqa: S608 - of our own words


def feedback_of(table: str) -> str:
    """The query for the feedback about the exchange in a row."""
    of_it = "answer = (SELECT id FROM exchanges WHERE rowid = ?)"
    return f"SELECT rowid, key, {RECORD} FROM {table} WHERE {of_it}"  # noqa: S608 - of our own words


OF_PERSON = {
    Exchange: f"SELECT id, {RECORD} FROM exchanges WHERE asker = :person AND asker != '' ORDER BY at, id",  # noqa: S608
    Vote: f"SELECT key, {RECORD} FROM votes WHERE voter = :person ORDER BY at, rowid",  # noqa: S608
    Correction: f"SELECT key, {RECORD} FROM corrections WHERE author = :person ORDER BY at, rowid",  # noqa: S608
    Decision: f"SELECT key, {RECORD} FROM decisions WHERE reviewer = :person ORDER BY at, rowid",  # noqa: S608
}
CONVERSATIONS_OF_PERSON = f"""
    SELECT id, CAST(conversation AS BLOB), {RECORD} FROM exchanges
    WHERE asker = :person AND asker != '' AND conversation != ''
"""  # noqa: S608
OTHERS_IN_CONVERSATION = f"""
    SELECT rowid, id, {RECORD} FROM exchanges
    WHERE conversation = CAST(:conversation AS TEXT) AND asker != :person AND record != '{{}}'
"""  # noqa: S608
REPLACE_EXCHANGE = "UPDATE exchanges SET record = ? WHERE rowid = ?"
STRIP_EXCHANGE = "UPDATE exchanges SET pruned = 1, record = ? WHERE rowid = ?"
STRIP_UNSOUND = "UPDATE exchanges SET pruned = 1, record = ? WHERE pruned = 0 AND typeof(at) != 'integer'"

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
OLD_EXCHANGES = f"SELECT rowid, id, {RECORD} FROM exchanges WHERE at < ? ORDER BY at, id LIMIT ?"  # noqa: S608
OLD_EXCHANGES_WITH_WORDS = f"""
    SELECT rowid, id, {RECORD} FROM exchanges WHERE pruned = 0 AND at < ? ORDER BY at, id LIMIT ?
"""  # noqa: S608
