"""Records and times as values of the Redis store (pure)."""

from datetime import UTC, datetime, timedelta

from feedback.codec import record_line, to_json, to_line
from feedback.records import Exchange, Record

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
BEGINNING = datetime(1, 1, 1, tzinfo=UTC)
DIGITS = 18  # microseconds up to the year 9999


def moment(at: datetime, name: bytes) -> bytes:
    """Return a time and an id or key as bytes that sort by both."""
    return b"%0*d" % (DIGITS, (at - BEGINNING) // timedelta(microseconds=1)) + name


def name_of(moment: bytes) -> bytes:
    """Return the id or key in a moment."""
    return moment[DIGITS:]


def arrival(stored: bytes) -> tuple[int, int]:
    """Return when a record came, from its entry in the audit behind it: milliseconds and a number; zeros without."""
    milliseconds, _, number = stored.partition(b"\n")[2].partition(b"-")
    return (int(milliseconds), int(number)) if milliseconds.isdigit() and number.isdigit() else (0, 0)


def effective(at: datetime, came: tuple[int, int]) -> tuple[int, tuple[int, int]]:
    """Return what orders feedback: its time in microseconds since 1970, but not later than it came, then when it came.

    A time that had not come then was a wrong clock's.
    """
    given = (at - EPOCH) // timedelta(microseconds=1)
    return (min(given, (came[0] + 1) * 1000) if came[0] else given), came


def record_text(record: Record) -> str:
    """Return the record's JSON; that of a pruned exchange begins with saying so, by which the scripts know it.

    Raises `RecordRefused`.
    """
    line = record_line(record)
    is_pruned = isinstance(record, Exchange) and record.pruned
    return to_line({"pruned": True, **to_json(record)}) if is_pruned else line
