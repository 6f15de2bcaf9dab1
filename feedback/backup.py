"""Backup: everything that a store holds as JSON lines, and such lines into a store, also one of another kind.

The first line names the version; the last says how many records came between, so that half a file is noticed.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from feedback.codec import SCHEMA_TEXT, NewerSchema, check_schema, from_json, to_json, to_line
from feedback.errors import FeedbackError
from feedback.records import RECORD_TYPES, Record
from feedback.stores.protocol import FeedbackReader, FeedbackWriter

BEGIN, END = "dump", "end"
BATCH = 500
BOM = b"\xef\xbb\xbf"

OnRefused = Callable[[int, str], None]
"""Called with the number of a line that was refused, from 1, and the reason."""


@dataclass(slots=True)
class LoadCounts:
    """What became of the lines of a dump; `refused` counts by reason, `whole` says whether its last line was there."""

    added: int = 0
    known: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    whole: bool = False


def dump_lines(store: FeedbackReader) -> Iterator[str]:
    """Yield the lines of a dump, without their ends; few records are in memory at a time."""
    yield to_line({"kind": BEGIN, "schema": SCHEMA_TEXT})
    number = 0
    for record in store.records():
        yield to_line(to_json(record))
        number += 1
    yield to_line({"kind": END, "schema": SCHEMA_TEXT, "records": number})


def load_lines(store: FeedbackWriter, lines: Iterable[bytes], *, refuse: OnRefused) -> Iterator[LoadCounts]:
    """Write the records of a dump into the store; yields the counts after each batch, the last time when all is done.

    What the store has already stays as it is, so that the same file may be loaded again. Raises `FeedbackError` for
    lines of a newer Footnote.
    """
    counts = LoadCounts()
    batch: list[tuple[int, Record]] = []
    for number, line in enumerate(lines, 1):
        try:
            record = _parse(line.removeprefix(BOM) if number == 1 else line, counts)
        except NewerSchema as error:
            raise FeedbackError(f"line {number}: {error}") from error
        except (ValueError, RecursionError) as error:
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
    yield counts


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


def _parse(line: bytes, counts: LoadCounts) -> Record | None:
    """Return the record of a line; None for a blank one and for the first and last of a dump."""
    if not line.strip():
        return None
    row = json.loads(line)
    kind = row.get("kind") if isinstance(row, dict) else None
    if kind in {BEGIN, END}:
        check_schema(row.get("schema"))
        counts.whole = counts.whole or kind == END
        return None
    if not isinstance(kind, str) or kind not in RECORD_TYPES:
        raise ValueError(f"`kind` must be one of {', '.join(RECORD_TYPES)}")
    record: Record = from_json(RECORD_TYPES[kind], row)
    return record
