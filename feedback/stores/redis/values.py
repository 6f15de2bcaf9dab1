"""Records and times as values of the Redis store (pure)."""

from datetime import UTC, datetime, timedelta

from feedback.codec import to_json, to_line
from feedback.records import Exchange, Record

BEGINNING = datetime(1, 1, 1, tzinfo=UTC)
DIGITS = 18  # microseconds up to the year 9999


def moment(at: datetime, name: bytes) -> bytes:
    """Return a time and an id or key as bytes that sort by both."""
    return b"%0*d" % (DIGITS, (at - BEGINNING) // timedelta(microseconds=1)) + name


def name_of(moment: bytes) -> bytes:
    """Return the id or key in a moment."""
    return moment[DIGITS:]


def record_text(record: Record) -> str:
    """Return the record's JSON; that of a pruned exchange begins with saying so, by which the scripts know it."""
    row = to_json(record)
    if isinstance(record, Exchange) and record.pruned:
        row = {"pruned": True, **row}
    return to_line(row)
