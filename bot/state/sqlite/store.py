"""The embedded state store: a SQLite file in the state folder, synced to disk at every change."""

import logging
import threading
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bot.errors import StateUnavailable, TooMany
from bot.state.protocol import KNOWN_FOR, Claim, Event
from feedback.errors import FeedbackUnavailable
from feedback.stores.sqlite.database import text_of
from feedback.stores.sqlite.file import Upgrades, column, map_errors, open_file, transaction

logger = logging.getLogger(__name__)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# How many expired events, and how many expired values, one claim deletes.
PURGE_LIMIT = 50
# How long after somebody was forgotten the log is emptied whenever an event is finished.
SCRUB_SECONDS = 600.0

# `first` is 1 for the event of a turn that was accepted first of those not finished: only that one may be claimed.
# `finished` is NULL until it is.
UPGRADES: Upgrades = (
    (
        """
        CREATE TABLE events (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            platform TEXT NOT NULL,
            id TEXT NOT NULL,
            at INTEGER NOT NULL,
            payload TEXT NOT NULL,
            turn TEXT NOT NULL,
            first INTEGER NOT NULL,
            worker TEXT NOT NULL DEFAULT '',
            until INTEGER NOT NULL DEFAULT 0,
            attempt INTEGER NOT NULL DEFAULT 0,
            notes TEXT NOT NULL DEFAULT '',
            finished INTEGER,
            UNIQUE (platform, id)
        )
        """,
        "CREATE INDEX events_waiting ON events (number) WHERE finished IS NULL",
        "CREATE INDEX events_first ON events (number) WHERE finished IS NULL AND first = 1",
        "CREATE INDEX events_in_turn ON events (turn, number) WHERE finished IS NULL AND turn != ''",
        "CREATE INDEX events_finished ON events (finished) WHERE finished IS NOT NULL",
        'CREATE TABLE "values" (key TEXT PRIMARY KEY, value TEXT NOT NULL, expires INTEGER) WITHOUT ROWID',
        'CREATE INDEX values_expiring ON "values" (expires) WHERE expires IS NOT NULL',
    ),
)

KNOWN = "SELECT 1 FROM events WHERE platform = :platform AND id = :id"
WAITING = "SELECT count(*) FROM (SELECT 1 FROM events WHERE finished IS NULL LIMIT ?)"
ACCEPT = """
    INSERT INTO events (platform, id, at, payload, turn, first)
    VALUES (:platform, :id, :at, :payload, :turn, :turn = '' OR NOT EXISTS (
        SELECT 1 FROM events WHERE turn = :turn AND turn != '' AND finished IS NULL
    ))
    ON CONFLICT (platform, id) DO NOTHING
"""
CLAIM = """
    UPDATE events SET worker = :worker, until = :until, attempt = attempt + 1
    WHERE number = (
        SELECT number FROM events WHERE finished IS NULL AND first = 1 AND until <= :now ORDER BY number LIMIT 1
    )
    RETURNING number, platform, id, at, payload, turn, attempt, notes
"""
PUT_ASIDE = "DELETE FROM events WHERE number = ?"
OURS = "platform = :platform AND id = :id AND worker = :worker AND attempt = :attempt"
RENEW = f"""
    UPDATE events SET until = :until, notes = ifnull(:notes, notes) WHERE {OURS} AND finished IS NULL
"""  # noqa: S608 - made of constants
FINISH = f"""
    UPDATE events SET finished = :now, first = 0, payload = '', notes = '', turn = '' WHERE {OURS} AND finished IS NULL
"""  # noqa: S608
# Where the end of its lease would be stands that it was discarded.
DISCARDED = -1
DISCARD = f"""
    UPDATE events SET finished = :now, first = 0, payload = '', notes = '', turn = '', until = {DISCARDED}
    WHERE platform = :platform AND id = :id AND finished IS NULL
"""  # noqa: S608
WAS_DISCARDED = f"SELECT 1 FROM events WHERE platform = :platform AND id = :id AND until = {DISCARDED}"  # noqa: S608
UNFINISHED = "SELECT platform, id, at, payload, turn FROM events WHERE finished IS NULL ORDER BY number"
FINISHED = f"SELECT 1 FROM events WHERE {OURS}"  # noqa: S608
NEXT = """
    UPDATE events SET first = 1 WHERE number = (
        SELECT number FROM events WHERE turn = :turn AND turn != '' AND finished IS NULL ORDER BY number LIMIT 1
    )
"""
PURGE_EVENTS = """
    DELETE FROM events WHERE number IN (
        SELECT number FROM events WHERE finished IS NOT NULL AND finished <= :gone ORDER BY finished LIMIT :limit
    )
"""
PURGE_VALUES = """
    DELETE FROM "values" WHERE key IN (
        SELECT key FROM "values" WHERE expires IS NOT NULL AND expires <= :now ORDER BY expires LIMIT :limit
    )
"""
PUT = """
    INSERT INTO "values" (key, value, expires) VALUES (:key, :value, :expires)
    ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires = excluded.expires
"""
# An expired value counts as absent.
ADD = PUT + """ WHERE "values".expires <= :now """
GET = 'SELECT value FROM "values" WHERE key = ? AND (expires IS NULL OR expires > ?)'
# The bound by the greatest characters lets the index be used; the comparison by `substr` decides.
KEYS = """
    SELECT key, value FROM "values" WHERE key >= :prefix AND substr(key, 1, length(:prefix)) = :prefix
    AND key < :prefix || char(1114111, 1114111, 1114111) AND (expires IS NULL OR expires > :now) ORDER BY key
"""


class SqliteValues:
    """Values in one file that only its owner may read; processes of one machine may share it."""

    def __init__(self, path: Path) -> None:
        """Open or create the file; raises `StateUnavailable`."""
        self.path = path
        self._lock = threading.Lock()
        with self._mapped():
            self._connection = open_file(path, UPGRADES)
        # Bytes that are no UTF-8, as of a damaged disk, must not end a query.
        self._connection.text_factory = text_of

    def put(self, key: str, value: str, *, expires: datetime | None = None) -> None:
        """Set a value, in place of any other under its key."""
        with self._writing():
            self._connection.execute(PUT, _value_columns(key, value, expires))

    def put_many(self, values: Mapping[str, str], *, expires: datetime) -> None:
        """Set all of these values at once."""
        with self._writing():
            self._connection.executemany(PUT, [_value_columns(key, value, expires) for key, value in values.items()])

    def get_many(self, keys: Collection[str], *, now: datetime) -> dict[str, str]:
        """The values under these keys, by key; what is unknown or has expired is left out."""
        at = _microseconds(now)
        with self._reading():
            found = [(key, self._connection.execute(GET, (column(key), at)).fetchone()) for key in keys]
        return {key: str(row[0]) for key, row in found if row is not None}

    def get(self, key: str, *, now: datetime) -> str | None:
        """The value under a key; None for an unknown key or an expired value."""
        with self._reading():
            found = self._connection.execute(GET, (column(key), _microseconds(now))).fetchone()
        return None if found is None else str(found[0])

    def add(self, key: str, value: str, *, expires: datetime, now: datetime) -> bool:
        """Set a value unless there is one that has not expired."""
        row = {**_value_columns(key, value, expires), "now": _microseconds(now)}
        with self._writing():
            return self._connection.execute(ADD, row).rowcount > 0

    def remove(self, key: str) -> None:
        """Delete a value; an unknown key is passed over."""
        with self._writing():
            self._connection.execute('DELETE FROM "values" WHERE key = ?', (column(key),))

    def keys(self, prefix: str, *, now: datetime) -> list[str]:
        """The keys with this prefix whose values have not expired, in order."""
        return [key for key, _ in self.values(prefix, now=now)]

    def values(self, prefix: str, *, now: datetime) -> Iterator[tuple[str, str]]:
        """Yield the keys with this prefix whose values have not expired, each with its value, in order."""
        with self._reading():
            rows = self._connection.execute(KEYS, {"prefix": column(prefix), "now": _microseconds(now)}).fetchall()
        yield from ((str(key), str(value)) for key, value in rows)

    def close(self) -> None:
        """Close the connection; idempotent."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def _reading(self) -> Iterator[None]:
        with self._lock, self._mapped(), map_errors(self.path):
            yield

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with self._reading(), transaction(self._connection):
            yield

    @contextmanager
    def _mapped(self) -> Iterator[None]:
        """Raise every error of the file as `StateUnavailable`."""
        try:
            yield
        except FeedbackUnavailable as error:
            raise StateUnavailable(
                f"the state file {str(self.path)!r} cannot be used ({error.__cause__ or error}); see that this user "
                "may write it, that the disk has room, and that it is a file of Footnote's"
            ) from error


class SqliteState(SqliteValues):
    """A `StateStore` in one file that only its owner may read; processes of one machine may share it."""

    def __init__(self, path: Path) -> None:
        """Open or create the file; raises `StateUnavailable`."""
        super().__init__(path)
        self._scrubbed = -SCRUB_SECONDS

    def accept(self, event: Event, *, limit: int | None = None) -> bool:
        """Keep an event; False when it is known; raises `TooMany` when `limit` events are not finished."""
        row = {
            **_key_columns(event),
            "at": _microseconds(event.at),
            "payload": column(event.payload),
            "turn": column(event.turn),
        }
        with self._writing():
            known = self._connection.execute(KNOWN, row).fetchone()
            if not known and limit is not None and self._count(limit) >= limit:
                raise TooMany(f"{limit} questions wait already")
            return not known and self._connection.execute(ACCEPT, row).rowcount > 0

    def claim(self, worker: str, *, lease: timedelta, now: datetime) -> Claim | None:
        """Claim the event accepted first of those that are unclaimed or whose lease has ended; None for none.

        A row that is damaged is deleted: nobody could handle it, and the turns behind it would wait for ever.
        """
        until = now + lease
        row = {"worker": column(worker), "until": _microseconds(until), "now": _microseconds(now)}
        with self._writing():
            self._purge(now)
            while rows := self._connection.execute(CLAIM, row).fetchall():
                number, platform, name, at, payload, turn, attempt, notes = rows[0]
                event = _event(platform, name, at, payload, turn)
                if event and isinstance(attempt, int) and isinstance(notes, str):
                    return Claim(event, worker, until, attempt, notes)
                logger.error("event %d in the state file is damaged, and deleted", number)
                self._connection.execute(PUT_ASIDE, (number,))
                self._connection.execute(NEXT, {"turn": column(turn) if isinstance(turn, str) else turn})
        return None

    def renew(self, claim: Claim, *, lease: timedelta, now: datetime, notes: str | None = None) -> bool:
        """Extend a claim until `now + lease`; False when somebody has claimed since or the event is finished."""
        kept = None if notes is None else column(notes)
        with self._writing():
            row = {**_claim_columns(claim), "until": _microseconds(now + lease), "notes": kept}
            return self._connection.execute(RENEW, row).rowcount > 0

    def finish(self, claim: Claim, *, now: datetime) -> bool:
        """Mark the event as handled; False when somebody has claimed it since."""
        row = {**_claim_columns(claim), "now": _microseconds(now)}
        with self._writing():
            is_ours = self._connection.execute(FINISH, row).rowcount > 0
            if is_ours:
                self._connection.execute(NEXT, {"turn": column(claim.event.turn)})
            else:
                is_ours = self._connection.execute(FINISHED, row).fetchone() is not None
        if time.monotonic() < self._scrubbed + SCRUB_SECONDS:
            self._empty_log()
        return is_ours

    def waiting(self) -> int:
        """Count the events that are accepted and not finished."""
        with self._reading():
            return self._count()

    def unfinished(self) -> list[Event]:
        """The events that are accepted and not finished, in the order in which they were accepted."""
        with self._reading():
            rows = self._connection.execute(UNFINISHED).fetchall()
        return [event for row in rows if (event := _event(*row))]  # one that is damaged is nobody's

    def discard(self, event: Event, *, now: datetime) -> bool:
        """Mark an event as handled whoever has claimed it; False when it is unknown or finished."""
        with self._writing():
            row = {**_key_columns(event), "now": _microseconds(now)}
            if not self._connection.execute(DISCARD, row).rowcount:
                return False
            self._connection.execute(NEXT, {"turn": column(event.turn)})
            return True

    def was_discarded(self, event: Event) -> bool:
        """Whether an event was discarded; False for one that is not known any more."""
        with self._reading():
            return self._connection.execute(WAS_DISCARDED, _key_columns(event)).fetchone() is not None

    def scrub(self, *, now: datetime) -> None:
        """Delete everything that has expired; then the write-ahead log holds nothing any more.

        For a while it is emptied at each `finish` too: the wish to be forgotten is itself an event.
        """
        with self._writing():
            self._purge(now, limit=-1)
        self._scrubbed = time.monotonic()
        self._empty_log()

    def _count(self, limit: int = -1) -> int:
        """Count the events that are not finished, up to `limit`; a negative one counts all."""
        return int(self._connection.execute(WAITING, (limit,)).fetchone()[0])

    def _empty_log(self) -> None:
        """Move the write-ahead log into the file, where what was deleted is overwritten; a reader may delay it."""
        with self._reading():
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def _purge(self, now: datetime, *, limit: int = PURGE_LIMIT) -> None:
        row = {"now": _microseconds(now), "gone": _microseconds(now - KNOWN_FOR), "limit": limit}
        self._connection.execute(PURGE_EVENTS, row)
        self._connection.execute(PURGE_VALUES, row)


def _event(platform: Any, name: Any, at: Any, payload: Any, turn: Any) -> Event | None:
    """The event of a row; None where one of its columns is damaged."""
    texts = (platform, name, payload, turn)
    if not all(isinstance(each, str) and column(each) == each for each in texts):
        return None
    try:
        return Event(platform, name, EPOCH + timedelta(microseconds=at), payload, turn)
    except (TypeError, OverflowError):
        return None


def _key_columns(event: Event) -> dict[str, Any]:
    return {"platform": column(event.platform), "id": column(event.id)}


def _claim_columns(claim: Claim) -> dict[str, Any]:
    return {**_key_columns(claim.event), "worker": column(claim.worker), "attempt": claim.attempt}


def _value_columns(key: str, value: str, expires: datetime | None) -> dict[str, Any]:
    until = None if expires is None else _microseconds(expires)
    return {"key": column(key), "value": column(value), "expires": until}


def _microseconds(at: datetime) -> int:
    return (at - EPOCH) // timedelta(microseconds=1)
