"""Everything that a store keeps as JSON lines, and such lines into a store: backup, and from one store to another.

The first line names the version; the last says how many records came between, so that half a file is noticed.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from feedback.errors import FeedbackError
from feedback.records import (
    SCHEMA,
    Correction,
    Decision,
    Exchange,
    Export,
    NewerSchema,
    Record,
    Registered,
    Vote,
    check_schema,
    from_json,
    to_json,
    to_text,
)
from feedback.stores.protocol import FeedbackStore

KINDS: dict[str, type[Any]] = {
    kind.__name__.lower(): kind for kind in (Exchange, Vote, Correction, Decision, Export, Registered)
}
BEGIN, END = "dump", "end"
BATCH = 500
BOM = b"\xef\xbb\xbf"

Refusal = Callable[[int, str], None]
"""Called with the number of a line that was refused, from 1, and why."""


@dataclass(slots=True)
class Loaded:
    """What became of the lines of a dump; `refused` counts by reason. `whole` is whether its end was there."""

    added: int = 0
    known: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    whole: bool = False


def dumped(store: FeedbackStore) -> Iterator[str]:
    """The lines, without their ends; few in memory at a time."""
    yield _marked(BEGIN)
    number = 0
    for record in store.records():
        yield to_text(to_json(record))
        number += 1
    yield _marked(END, records=number)


def load(store: FeedbackStore, lines: Iterable[bytes], *, refuse: Refusal) -> Iterator[Loaded]:
    """Take what the lines hold; gives the counts so far, again and again, the last time when all is done.

    What the store has already stays as it is, so that the same file may be loaded again. Raises `FeedbackError` for
    lines of a newer Footnote.
    """
    counts = Loaded()
    batch: list[tuple[int, Record]] = []
    for number, line in enumerate(lines, 1):
        try:
            record = _read(line.removeprefix(BOM) if number == 1 else line, counts)
        except NewerSchema as error:
            raise FeedbackError(f"line {number}: {error}") from error
        except (ValueError, RecursionError) as error:
            counts.refused["unreadable"] += 1
            refuse(number, str(error) or "it cannot be read")
            continue
        if record is not None:
            batch.append((number, record))
        if len(batch) == BATCH:
            _take(store, batch, counts, refuse)
            batch.clear()
            yield counts
    _take(store, batch, counts, refuse)
    yield counts


def _take(store: FeedbackStore, batch: list[tuple[int, Record]], counts: Loaded, refuse: Refusal) -> None:
    for (number, record), took in zip(batch, store.take([record for _, record in batch]), strict=True):
        if took == "added":
            counts.added += 1
        elif took == "known":
            counts.known += 1
        else:
            counts.refused[took] += 1
            refuse(number, f"no answer is recorded under {getattr(record, 'answer', '')!r}")


def _read(line: bytes, counts: Loaded) -> Record | None:
    """The record of a line; None for a blank one and for the first and last of a dump."""
    if not line.strip():
        return None
    row = json.loads(line)
    kind = row.get("kind") if isinstance(row, dict) else None
    if kind in {BEGIN, END}:
        check_schema(row.get("schema"))
        counts.whole = counts.whole or kind == END
        return None
    if not isinstance(kind, str) or kind not in KINDS:
        raise ValueError(f"`kind` must be one of {', '.join(KINDS)}")
    record: Record = from_json(KINDS[kind], row)
    return record


def _marked(kind: str, **more: int) -> str:
    return json.dumps({"kind": kind, "schema": ".".join(map(str, SCHEMA)), **more})
