"""BM25F over a positional index held in NumPy arrays (pure).

Statistics (how many passages hold a term, mean lengths) are taken over the passages that the audience may read alone,
so that withheld ones do not even change the weight of a word. Field weights with one saturation, as in
Robertson, Zaragoza and Taylor, "Simple BM25 extension to multiple weighted fields" (2004).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retrieval.ranking.bm25 import FIELDS, K1, LENGTH_NORM, TEXT, Floats, Ints, idf

# An owner is a passage's row in the upper bits and a field in the lowest two: a shift is faster than a division.
FIELD_BITS = 2

NOWHERE: Ints = np.zeros(0, np.int32)
GAP = -1


@dataclass(frozen=True, slots=True)
class TermIndex:
    """The places of every term.

    `flat` holds all term ids, passage by passage and field by field, with a `GAP` after each field. The occurrences
    of term t are `starts[t]:starts[t + 1]`, ascending: `positions` holds where in `flat` each stands, `owners` in
    which passage and field. `lengths` has shape (passages, FIELDS).
    """

    flat: Ints
    positions: Ints
    owners: Ints
    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]

    def owners_of(self, term: int | None) -> Ints:
        """The owners of a term's occurrences, ascending, one for each occurrence."""
        return self.owners[self._occurrences(term)]

    def owners_of_pair(self, first: int | None, second: int | None) -> Ints:
        """The owners of the occurrences of `second` right after `first` in one field of one passage."""
        here, there = self._occurrences(first), self._occurrences(second)
        if here.stop - here.start <= there.stop - there.start:
            return np.compress(self.flat.take(self.positions[here] + 1) == second, self.owners[here])
        return np.compress(self.flat.take(self.positions[there] - 1, mode="wrap") == first, self.owners[there])

    def _occurrences(self, term: int | None) -> slice:
        if term is None or term + 1 >= len(self.starts):
            return slice(0, 0)
        return slice(int(self.starts[term]), int(self.starts[term + 1]))


def term_index(flat: Ints, lengths: NDArray[np.int64]) -> TermIndex:
    """Index all term ids (with their gaps, as `with_gaps` gives them); `lengths` are those of the fields."""
    # One sort of term and place together: ten times as fast as a stable argsort of the terms.
    places = np.flatnonzero(flat != GAP)
    places |= flat[places].astype(np.int64) << 32
    places.sort()
    positions = (places & 0xFFFFFFFF).astype(np.int32)
    del places
    rows = np.arange(len(lengths), dtype=np.int32) << FIELD_BITS
    fields = (rows[:, None] | np.arange(FIELDS, dtype=np.int32)).ravel()
    owners = np.repeat(fields, lengths.ravel() + 1)[positions]
    starts = np.concatenate([[0], np.cumsum(np.bincount(flat[positions], minlength=1))])
    return TermIndex(flat, positions, owners, starts, lengths)


def with_gaps(terms: Ints, lengths: NDArray[np.int64]) -> Ints:
    """All term ids in one run, with a gap after each field, so that no pair of terms spans two fields."""
    flat = np.full(len(terms) + lengths.size, GAP, np.int32)
    flat[np.arange(len(terms)) + np.repeat(np.arange(lengths.size), lengths.ravel())] = terms
    return flat


def contains(values: Ints, wanted: NDArray[np.signedinteger]) -> NDArray[np.bool_]:
    """Whether each of `wanted` is among the ascending `values`, shape (len(wanted),)."""
    if not len(values):
        return np.zeros(len(wanted), bool)
    found = np.searchsorted(values, wanted)
    return np.asarray(values[np.minimum(found, len(values) - 1)] == wanted, bool)


@dataclass(frozen=True, slots=True)
class Scope:
    """The units that are scored (passages, or blocks of a document's passages) and the weight of each occurrence.

    `unit[passage]` is the unit of a passage; `amount[owner]` is what one occurrence there adds to its unit's
    frequency, 0 where it does not count. `size` units exist, `count` of them are readable.
    """

    unit: Ints
    amount: Floats
    size: int
    count: int


def scope(
    unit: Ints,
    lengths: NDArray[np.int64],
    weights: Sequence[float],
    *,
    readable: NDArray[np.bool_],
    once: NDArray[np.bool_] | None = None,
) -> Scope:
    """Build the scope over the units of `readable` passages; `lengths` has shape (units, FIELDS).

    `once[passage]` says whether a passage's title and headings count for its unit.
    """
    units = np.unique(unit[readable])
    mean = lengths[units].mean(axis=0) if len(units) else np.ones(FIELDS)
    norm = 1 - LENGTH_NORM + LENGTH_NORM * lengths / np.maximum(mean, 1e-9)
    amount = np.zeros((len(unit), 1 << FIELD_BITS))
    amount[:, :FIELDS] = (np.asarray(weights, np.float64) / norm)[unit] * readable[:, None]
    if once is not None:
        amount[~once, TEXT + 1 :] = 0
    return Scope(unit, amount.ravel(), len(lengths), len(units))


def scores(
    postings: Mapping[str, Ints],
    weights: Mapping[str, float],
    scope: Scope,
    *,
    only: NDArray[np.bool_] | None = None,
) -> tuple[Floats, dict[str, float], dict[str, Ints]]:
    """BM25F of every unit for weighted terms, each term's idf, and which units hold it, ascending.

    With `only`, units outside it may go without score and are not named, but count for the idf.
    """
    units, amounts = [NOWHERE], [np.zeros(0)]
    idfs: dict[str, float] = {}
    holders: dict[str, Ints] = {}
    for term, owners in postings.items():
        holding, saturated, count = _term_scores(owners, scope, only)
        idfs[term] = idf(scope.count, count)
        holders[term] = holding
        units.append(holding)
        amounts.append(weights[term] * idfs[term] * saturated)
    result = np.bincount(np.concatenate(units), weights=np.concatenate(amounts), minlength=scope.size)
    return np.asarray(result, np.float64), idfs, holders


def _term_scores(owners: Ints, scope: Scope, only: NDArray[np.bool_] | None) -> tuple[Ints, Floats, int]:
    """The units that hold a term, its saturated frequency there, 0 to 1, and how many hold it, `only` or not."""
    amount = scope.amount.take(owners)
    counts = amount > 0
    if not counts.all():
        owners, amount = owners[counts], amount[counts]
    unit = scope.unit.take(owners >> FIELD_BITS)
    opens = np.ones(len(unit), bool)
    np.not_equal(unit[1:], unit[:-1], out=opens[1:])  # units ascend as owners do, so equal ones stand together
    count = int(np.count_nonzero(opens))
    if only is not None:
        wanted = only.take(unit)
        unit, amount, opens = unit[wanted], amount[wanted], opens[wanted]
    frequency = np.bincount(np.cumsum(opens) - 1, weights=amount)
    return unit[opens], frequency / (K1 + frequency), count


def best(scores: NDArray[np.floating], count: int) -> NDArray[np.intp]:
    """Indices of the highest positive scores, best first; equal ones in index order."""
    positive = np.flatnonzero(scores > 0)
    if len(positive) > count:
        threshold = np.partition(scores[positive], -count)[-count]
        positive = positive[scores[positive] >= threshold]
    return positive[np.argsort(-scores[positive], kind="stable")][:count]
