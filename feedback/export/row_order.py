"""In which order a trainer should read rows of two labels that it compares with their neighbours (pure).

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
LOOK = 200


@dataclass(frozen=True, slots=True)
class Place:
    """What matters of a row: its label, its question, its prompt, and a number drawn for it, all from its content."""

    label: bool
    cluster: int
    prompt: int
    draw: int


def interleaved(places: Sequence[Place]) -> tuple[list[int], list[int]]:
    """The rows in the order in which to write them, and those for which there is no place.

    Never do two rows of one prompt follow each other; near-equal questions only where it cannot be helped. Of both
    labels there is everywhere about the share that there is in all.
    """
    keys = _keys(places)
    ordered = sorted(range(len(places)), key=lambda row: (keys[row], places[row].draw, row), reverse=True)
    waiting = {label: [row for row in ordered if places[row].label is label] for label in (True, False)}
    return _placed(*_merged(places, waiting), places)


def _keys(places: Sequence[Place]) -> dict[int, float]:
    """From 0 to 1 for each row; the rows of a question lie as far from each other as they can."""
    clusters: dict[int, list[int]] = defaultdict(list)
    for row, place in enumerate(places):
        clusters[place.cluster].append(row)
    keys: dict[int, float] = {}
    for rows in clusters.values():
        rows.sort(key=lambda row: (places[row].draw, row))
        start = places[rows[0]].draw / 2**64
        keys |= {row: (start + number / len(rows)) % 1 for number, row in enumerate(rows)}
    return keys


def _merged(places: Sequence[Place], waiting: dict[bool, list[int]]) -> tuple[list[int], list[int]]:
    """Rows of both labels by their shares, and those that found no place; of `waiting` the last comes first."""
    total = {label: len(rows) for label, rows in waiting.items()}
    result: list[int] = []
    stuck: list[int] = []
    recent: deque[int] = deque(maxlen=APART)
    while waiting[True] or waiting[False]:
        wanted = len(waiting[True]) * total[False] >= len(waiting[False]) * total[True]
        wanted = wanted if waiting[wanted] else not wanted
        last = places[result[-1]] if result else None
        found = _picked(waiting[wanted], waiting[not wanted], places, last, recent)
        if found is None:
            stuck.append(waiting[wanted].pop())
        else:
            result.append(found)
            recent.append(places[found].cluster)
    return result, stuck


def _picked(
    first: list[int], second: list[int], places: Sequence[Place], last: Place | None, recent: Iterable[int]
) -> int | None:
    """The first row that fits, taken out of its list: by preference of the first list and far from its question."""

    def is_far(place: Place) -> bool:
        return place.cluster not in recent and is_allowed(place)

    def is_other(place: Place) -> bool:
        return last is None or (place.cluster != last.cluster and place.prompt != last.prompt)

    def is_allowed(place: Place) -> bool:
        return last is None or place.prompt != last.prompt

    for rows, fits in (
        (first, is_far),
        (first, is_other),
        (second, is_other),
        (first, is_allowed),
        (second, is_allowed),
    ):
        if (found := _taken(rows, places, fits)) is not None:
            return found
    return None


def _taken(rows: list[int], places: Sequence[Place], fits: Callable[[Place], bool]) -> int | None:
    for at in range(len(rows) - 1, max(len(rows) - 1 - LOOK, -1), -1):
        if fits(places[rows[at]]):
            return rows.pop(at)
    return None


def _placed(rows: list[int], stuck: list[int], places: Sequence[Place]) -> tuple[list[int], list[int]]:
    """Put what was left over where it has no neighbour of its prompt."""
    left = stuck
    while left and (gaps := _filled(rows, left, places)):
        rows, left = gaps
    return rows, sorted(left)


def _filled(rows: list[int], left: list[int], places: Sequence[Place]) -> tuple[list[int], list[int]] | None:
    """One pass over all gaps; None when nothing fits any more."""
    waiting, result = list(left), rows[:1]
    for before, after in pairwise(rows):
        around = {places[before].prompt, places[after].prompt}
        if waiting and places[waiting[-1]].prompt not in around:
            result.append(waiting.pop())
        result.append(after)
    return (result, waiting) if len(waiting) < len(left) else None
