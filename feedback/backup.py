"""Backup: everything that a store holds as JSON lines, and such lines into a store, also one of another kind.

The first line names the version. The last says how many records came between and the sha256 of all lines before it, so
that a part of a file, or a file that was changed, is noticed.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from feedback.codec import SCHEMA_TEXT, NewerSchema, check_key, check_schema, from_bytes, from_json, to_json, to_line
from feedback.errors import FeedbackError
from feedback.records import RECORD_TYPES, AnswerFeedback, Correction, Decision, Record, Vote
from feedback.stores.protocol import FeedbackReader, FeedbackWriter
from feedback.stores.skipped import OnSkipped, log_skipped

BEGIN, END = "dump", "end"
BATCH = 500
_NO_END = "its end is missing"
BOM = b"\xef\xbb\xbf"
# How far the clock of another machine may be ahead: what was said later than that would count for ever.
AHEAD = timedelta(days=1)

OnRefused = Callable[[int, str], None]
"""Called with the number of a line that was refused, from 1, and the reason."""


@dataclass(slots=True)
class LoadCounts:
    """What became of the lines of a dump; `refused` counts by reason.

    `whole` says whether its last line was there and agrees with the lines before it; `doubt` why not.
    """

    added: int = 0
    known: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    whole: bool = False
    doubt: str = _NO_END


def dump_lines(store: FeedbackReader, *, skipped: OnSkipped = log_skipped) -> Iterator[str]:
    """Yield the lines of a dump, without their ends; few records are in memory at a time.

    `skipped` is called with each record that cannot be read, which is left out and counted in the last line.
    """
    digest, number, left_out = hashlib.sha256(), 0, 0

    def skip(record: Any) -> None:
        nonlocal left_out
        left_out += 1
        skipped(record)

    def hashed(line: str) -> str:
        digest.update(line.encode() + b"\n")
        return line

    yield hashed(to_line({"kind": BEGIN, "schema": SCHEMA_TEXT}))
    for record in store.records(skipped=skip):
        yield hashed(to_line(to_json(record)))
        number += 1
    end = {"kind": END, "schema": SCHEMA_TEXT, "records": number, "sha256": digest.hexdigest()}
    yield to_line({**end, "skipped": left_out} if left_out else end)


def load_lines(
    store: FeedbackWriter, lines: Iterable[bytes], *, refuse: OnRefused, now: datetime | None = None
) -> Iterator[LoadCounts]:
    """Write the records of a dump into the store; yields the counts after each batch, the last time when all is done.

    What the store has already stays as it is, so that the same file may be loaded again. Raises `FeedbackError` for
    lines of a newer Footnote.
    """
    latest = (now or datetime.now(UTC)) + AHEAD
    counts, dump = LoadCounts(), _Dump()
    batch: list[tuple[int, Record]] = []
    for number, line in enumerate(lines, 1):
        try:
            record = dump.parse(line.removeprefix(BOM) if number == 1 else line)
            _check_new(record, latest)
        except NewerSchema as error:
            raise FeedbackError(f"line {number}: {error}") from error
        except ValueError as error:
            counts.refused["unreadable"] += 1
            refuse(number, str(error) or "it cannot be read")
            continue
        if record is not None:
            batch.append((number, record))
        if len(batch) == BATCH:
            _write(store, batch, counts, refuse)
            batch.clear()
            yield counts
    _write(store, batch, counts, refuse)
    counts.doubt = dump.doubt
    counts.whole = not dump.doubt
    yield counts


class _Dump:
    """The lines of a dump as they come, compared with what its last one says of them."""

    def __init__(self) -> None:
        self._doubt_before = ""  # of a dump that stands before this one in the same file
        self._doubt = _NO_END
        self._is_begun = False
        self._digest = hashlib.sha256()
        self._records = 0

    @property
    def doubt(self) -> str:
        """Why what has come so far is not one whole dump after the other; empty where it is."""
        return self._doubt_before or self._doubt

    def parse(self, line: bytes) -> Record | None:
        """Return the record of a line; None for a blank one and for the first and last; raises ValueError."""
        line = line.rstrip(b"\r\n")
        if not line.strip():
            return None
        try:
            row = _parse_row(line)
        except ValueError:
            self._add(line)
            raise
        kind = row.get("kind")
        if kind in (BEGIN, END):  # it may be anything, also what no set takes
            check_schema(row.get("schema"))
            if kind == END:
                self._doubt = self._compare(row)
            else:
                self._begin(line)
            return None
        self._add(line)
        return _parse_record(row)

    def _begin(self, line: bytes) -> None:
        if self._is_begun:
            self._doubt_before = self.doubt
        self._is_begun, self._doubt = True, _NO_END
        self._digest, self._records = hashlib.sha256(line + b"\n"), 0

    def _add(self, line: bytes) -> None:
        self._is_begun, self._doubt = True, _NO_END
        self._digest.update(line + b"\n")
        self._records += 1

    def _compare(self, end: dict[str, Any]) -> str:
        """Return what is wrong with the lines so far; empty where the last line agrees with them."""
        if end.get("records") != self._records:
            return f"of {end.get('records')} records there are {self._records}"
        # Dumps of earlier versions say no more than the number.
        if end.get("sha256", self._digest.hexdigest()) != self._digest.hexdigest():
            return "its lines are not those that were written"
        return ""


def _write(store: FeedbackWriter, batch: list[tuple[int, Record]], counts: LoadCounts, refuse: OnRefused) -> None:
    results = store.write_many([record for _, record in batch])
    for (number, record), result in zip(batch, results, strict=True):
        if result == "added":
            counts.added += 1
        elif result == "known":
            counts.known += 1
        else:
            counts.refused[result] += 1
            refuse(number, f"no answer is recorded under {getattr(record, 'answer', '')!r}")


def _parse_row(line: bytes) -> dict[str, Any]:
    row = from_bytes(line)
    if not isinstance(row, dict):
        raise ValueError(f"`kind` must be one of {', '.join(RECORD_TYPES)}")  # noqa: TRY004 - of a line, not of code
    return row


def _parse_record(row: dict[str, Any]) -> Record:
    kind = row.get("kind")
    if not isinstance(kind, str) or kind not in RECORD_TYPES:
        raise ValueError(f"`kind` must be one of {', '.join(RECORD_TYPES)}")
    record: Record = from_json(RECORD_TYPES[kind], row)
    check_key(record)
    return record


def _check_new(record: Record | None, latest: datetime) -> None:
    """Raise ValueError for feedback of a time that has not come: it would outlast everything said after it."""
    feedback: AnswerFeedback | None = record if isinstance(record, Vote | Correction | Decision) else None
    if feedback is not None and feedback.at > latest:
        raise ValueError(f"its time, {feedback.at.isoformat()}, has not come yet")
