"""BM25F over a positional index held in NumPy arrays (pure).

Statistics (how many passages hold a term, mean lengths) are taken over the passages that the asker may read:
what is withheld has no influence, not even on the weight of a word. Field weights with one saturation, as in
Robertson, Zaragoza and Taylor, "Simple BM25 extension to multiple weighted fields" (2004).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

TEXT, TITLE, HEADINGS = range(3)
FIELDS = 3
K1 = 1.2
LENGTH_NORM = np.array([0.6, 0.3, 0.3])

Ints = NDArray[np.int32]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Where every term stands.

    Token positions run through all passages, field by field. `owner[p]` is `passage * FIELDS + field` of position
    p; `positions[starts[t]:starts[t + 1]]` are the positions of term t, ascending. `lengths` has shape
    (passages, FIELDS).
    """

    owner: Ints
    positions: Ints
    starts: NDArray[np.int64]
    lengths: Floats

    def positions_of(self, term: int | None) -> Ints:
        """Ascending positions of a term; none for an unknown one."""
        if term is None or term + 1 >= len(self.starts):
            return np.zeros(0, np.int32)
        return self.positions[self.starts[term] : self.starts[term + 1]]

    def owners_of(self, term: int | None) -> Ints:
        """The owners of a term's positions, ascending, one for each time that it stands there."""
        return self.owner[self.positions_of(term)]

    def owners_of_pair(self, first: int | None, second: int | None) -> Ints:
        """The owners of the positions where `second` follows `first` within one field of one passage."""
        left, right = self.positions_of(first), self.positions_of(second)
        if not len(left) or not len(right):
            return np.zeros(0, np.int32)
        found = np.searchsorted(right, left + 1)
        follows = right[np.minimum(found, len(right) - 1)] == left + 1
        left = left[follows]
        return self.owner[left[self.owner[left] == self.owner[left + 1]]]


def build(rows: Sequence[tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]]) -> Lexicon:
    """A lexicon of passages given as term ids by field."""
    lengths = np.array([[len(field) for field in row] for row in rows], np.int64).reshape(-1, FIELDS)
    flat = np.concatenate([field for row in rows for field in row] or [np.zeros(0, np.int32)])
    return from_flat(flat, lengths)


def from_flat(flat: Ints, lengths: NDArray[np.int64]) -> Lexicon:
    """The same from all term ids in one run and the length of each passage's fields."""
    owner = np.repeat(np.arange(lengths.size, dtype=np.int32), lengths.ravel())
    positions = np.argsort(flat, kind="stable").astype(np.int32)
    counts = np.bincount(flat, minlength=1)
    starts = np.concatenate([[0], np.cumsum(counts)])
    return Lexicon(owner, positions, starts, lengths.astype(np.float64))


@dataclass(frozen=True, slots=True)
class Scope:
    """Which units are scored, and their statistics: units are passages, or blocks of a document's passages.

    `unit[passage]` is the unit of a passage or -1 when it may not be read; `lengths` has shape (units, FIELDS).
    """

    unit: Ints
    lengths: Floats
    count: int
    norm: Floats
    weights: Floats
    once: NDArray[np.bool_] | None = None


def scope(unit: Ints, lengths: Floats, weights: Sequence[float], *, once: NDArray[np.bool_] | None = None) -> Scope:
    """A scope over readable units; `once[passage]` says whether a passage's title and headings count for its unit."""
    readable = np.unique(unit[unit >= 0])
    mean = lengths[readable].mean(axis=0) if len(readable) else np.ones(FIELDS)
    norm = 1 - LENGTH_NORM + LENGTH_NORM * lengths / np.maximum(mean, 1e-9)
    return Scope(unit, lengths, len(readable), norm, np.asarray(weights, np.float64), once)


def idf(count: int, holding: int) -> float:
    """Inverse document frequency, never negative (Lucene's form)."""
    return float(np.log1p((count - holding + 0.5) / (holding + 0.5)))


def term_scores(owners: Ints, within: Scope) -> tuple[Ints, Floats]:
    """The units that hold a term and its saturated frequency there, 0 to 1; idf is not in it yet."""
    passage, field = np.divmod(owners, FIELDS)
    unit = within.unit[passage]
    keep = (unit >= 0) & (within.weights[field] > 0)
    if within.once is not None:
        keep &= (field == TEXT) | within.once[passage]
    unit, field = unit[keep], field[keep]
    if not len(unit):
        return unit, np.zeros(0)
    amount = within.weights[field] / within.norm[unit, field]
    holders, where = np.unique(unit, return_inverse=True)
    frequency = np.bincount(where, weights=amount)
    return holders.astype(np.int32), frequency / (K1 + frequency)


def scores(
    postings: Mapping[str, Ints], weights: Mapping[str, float], within: Scope
) -> tuple[Floats, dict[str, float], dict[str, Ints]]:
    """BM25F of every unit for weighted terms, each term's idf, and which units hold it."""
    result = np.zeros(len(within.lengths))
    idfs: dict[str, float] = {}
    holders: dict[str, Ints] = {}
    for term, owners in postings.items():
        units, saturated = term_scores(owners, within)
        idfs[term] = idf(within.count, len(units))
        holders[term] = units
        result[units] += weights[term] * idfs[term] * saturated
    return result, idfs, holders


def best(scores: Floats, count: int) -> NDArray[np.intp]:
    """Indices of the highest positive scores, best first; equal ones in index order."""
    positive = np.flatnonzero(scores > 0)
    if len(positive) > count:
        threshold = np.partition(scores[positive], -count)[-count]
        positive = positive[scores[positive] >= threshold]
    return positive[np.argsort(-scores[positive], kind="stable")][:count]


def blocks(document: Iterable[int], words: Iterable[int], *, limit: int = 1500) -> Ints:
    """Number consecutive passages of one document into blocks of up to `limit` words."""
    result: list[int] = []
    current, block, filled = None, -1, 0
    for doc, length in zip(document, words, strict=True):
        if doc != current or filled + length > limit:
            current, block, filled = doc, block + 1, 0
        filled += length
        result.append(block)
    return np.array(result, np.int32)
