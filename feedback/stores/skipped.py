"""Parses stored records one by one, so that a damaged one costs itself alone."""

import logging
from collections.abc import Callable

from feedback.codec import from_bytes, from_json
from feedback.errors import UnreadableRecord
from feedback.records import R, SkippedRecord, kind_of, name_of

logger = logging.getLogger(__name__)

OnSkipped = Callable[[SkippedRecord], None]
"""Called with each stored record that cannot be read and is left out."""


def log_skipped(skipped: SkippedRecord) -> None:
    """Name what is left out in the log."""
    logger.warning("a %s in the feedback store cannot be read and is left out: %s", skipped.kind, skipped.reason)


def parse_record(record_type: type[R], name: str, text: bytes, *, answer: str | None = None) -> R:
    """Return the record that is stored under this id or key (of this answer); raises `UnreadableRecord`."""
    try:
        record = from_json(record_type, from_bytes(text))
        if name != _stored(name_of(record)) or (
            answer is not None and answer != _stored(getattr(record, "answer", ""))
        ):
            raise ValueError("it is stored under the name of another")
    except ValueError as error:
        raise UnreadableRecord(f"the {kind_of(record_type)} {name!r} cannot be read: {error}") from error
    return record


def parse_or_skip(
    record_type: type[R], name: str, text: bytes, skipped: OnSkipped, *, answer: str | None = None
) -> R | None:
    """Return the record that is stored under this id or key; None, and it is named, where it cannot be read."""
    try:
        return parse_record(record_type, name, text, answer=answer)
    except UnreadableRecord as error:
        skipped(SkippedRecord(kind_of(record_type), name, str(error.__cause__)))
        return None


def _stored(name: str) -> str:
    """Return a name as stores keep it: half a character is escaped."""
    return name.encode("utf-8", "backslashreplace").decode()


def parse_rows(text: bytes) -> tuple[str, ...] | None:
    """Return the hashes of rows that a store keeps of a person; None where they cannot be read."""
    try:
        rows = from_bytes(text)
    except ValueError:
        return None
    return tuple(rows) if isinstance(rows, list) and all(isinstance(each, str) for each in rows) else None
