"""Orders rows of two labels for a trainer that compares each with its neighbours (pure).

TRL's KTO trainer reads its file from top to bottom and takes for each prompt the answer of the row before it as one
that does not belong. So labels must be mixed all along, and rows of one question must lie far apart.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

# Rows around one among which its question should not come again: more than a batch holds.
APART = 16
# How many rows that wait are looked at for one that fits.
LOOK_AHEAD = 200


@dataclass(frozen=True, slots=True)
class OrderKey:
    """What a row is ordered by: its label, and numbers of 64 bits drawn from its question, its prompt and itself."""

    label: bool
    cluster: int
    prompt: int
    draw: int


def interleave_rows(keys: Sequence[OrderKey]) -> tuple[list[int], list[int]]:
    """Return the rows, by number, in the order in which to write them, and those for which there is no place.

    Never do two rows of one prompt follow each other; near-equal questions only where it cannot be helped. Of both
    labels there is everywhere about the share that there is in all.
    """
    ranks = _spread_ranks(keys)
    ordered = sorted(range(len(keys)), key=lambda row: (ranks[row], keys[row].draw, row), reverse=True)
    waiting = {label: [row for row in ordered if keys[row].label is label] for label in (True, False)}
    order, stuck = _merge_labels(keys, waiting)
    while stuck and (inserted := _insert_between(order, stuck, keys)):
        order, stuck = inserted
    return order, sorted(stuck)


def _spread_ranks(keys: Sequence[OrderKey]) -> dict[int, float]:
    """Return a rank from 0 to 1 for each row; the rows of a question lie as far from each other as they can."""
    clusters: dict[int, list[int]] = defaultdict(list)
    for row, key in enumerate(keys):
        clusters[key.cluster].append(row)
    ranks: dict[int, float] = {}
    for rows in clusters.values():
        rows.sort(key=lambda row: (keys[row].draw, row))
        start = keys[rows[0]].draw / 2**64
        ranks |= {row: (start + number / len(rows)) % 1 for number, row in enumerate(rows)}
    return ranks


def _merge_labels(keys: Sequence[OrderKey], waiting: dict[bool, list[int]]) -> tuple[list[int], list[int]]:
    """Return rows of both labels by their shares, and those that found no place; of `waiting` the last comes first."""
    total = {label: len(rows) for label, rows in waiting.items()}
    order: list[int] = []
    stuck: list[int] = []
    recent: deque[int] = deque(maxlen=APART)
    while waiting[True] or waiting[False]:
        label = len(waiting[True]) * total[False] >= len(waiting[False]) * total[True]
        label = label if waiting[label] else not label
        last = keys[order[-1]] if order else None
        row = _take_next(waiting[label], waiting[not label], keys, last, recent)
        if row is None:
            stuck.append(waiting[label].pop())
        else:
            order.append(row)
            recent.append(keys[row].cluster)
    return order, stuck


def _take_next(
    first: list[int], second: list[int], keys: Sequence[OrderKey], last: OrderKey | None, recent: Iterable[int]
) -> int | None:
    """Take the first row that fits out of its list: by preference of the first list and far from its question."""

    def is_far(key: OrderKey) -> bool:
        return key.cluster not in recent and is_allowed(key)

    def is_other(key: OrderKey) -> bool:
        return last is None or (key.cluster != last.cluster and key.prompt != last.prompt)

    def is_allowed(key: OrderKey) -> bool:
        return last is None or key.prompt != last.prompt

    for rows, fits in (
        (first, is_far),
        (first, is_other),
        (second, is_other),
        (first, is_allowed),
        (second, is_allowed),
    ):
        if (row := _take_fitting(rows, keys, fits)) is not None:
            return row
    return None


def _take_fitting(rows: list[int], keys: Sequence[OrderKey], fits: Callable[[OrderKey], bool]) -> int | None:
    for place in range(len(rows) - 1, max(len(rows) - 1 - LOOK_AHEAD, -1), -1):
        if fits(keys[rows[place]]):
            return rows.pop(place)
    return None


def _insert_between(order: list[int], stuck: list[int], keys: Sequence[OrderKey]) -> tuple[list[int], list[int]] | None:
    """Insert rows where they have no neighbour of their prompt, in one pass; None when none fits any more."""
    waiting, result = list(stuck), order[:1]
    for before, after in pairwise(order):
        around = {keys[before].prompt, keys[after].prompt}
        if waiting and keys[waiting[-1]].prompt not in around:
            result.append(waiting.pop())
        result.append(after)
    return (result, waiting) if len(waiting) < len(stuck) else None
