"""Ranks one snapshot for one lookup (pure): every candidate of either list with all of its scores."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from retrieval.embedding.vectors import Vector
from retrieval.index.local import term_index
from retrieval.index.local.snapshot import Matrix, ReadablePart, Snapshot
from retrieval.ranking.analysis import BIGRAM
from retrieval.ranking.bm25 import Floats, Ints
from retrieval.ranking.candidates import Candidate, Candidates, Lookup

# Two products of the same unit vectors differ by less than this when they are summed in another order.
ROUNDING = np.float32(1e-4)

Rows = NDArray[np.intp]
Cosines = NDArray[np.float32]


def terms_of(lookup: Lookup) -> set[str]:
    """Every term whose id `rank` needs."""
    return set(lookup.terms).union(*(pair.split(BIGRAM) for pair in lookup.bigrams))


def rank(snapshot: Snapshot, lookup: Lookup, ids: Mapping[str, int], *, first_key: int = 0) -> Candidates:
    """The candidates in reading order; `ids` are the terms', and a key is `first_key` plus the passage's id."""
    readable = snapshot.readable(lookup.audiences, lookup.configuration)
    if not readable.mask.any():
        return Candidates((), idf=dict.fromkeys(lookup.terms, 0.0))
    postings = {term: snapshot.terms.owners_of(ids.get(term)) for term in lookup.terms}
    lexical, idf, holders = term_index.scores(postings, lookup.terms, readable.passages)
    phrase, pair_idf = np.zeros_like(lexical), dict[str, float]()
    if lookup.configuration.bigrams:
        phrase, pair_idf = _pairs(snapshot, readable, lookup, ids)
        lexical = lexical + lookup.configuration.bigrams * phrase
    rows, cosine, dense = _rows(snapshot, readable, lookup, term_index.best(lexical, lookup.depth))
    context = np.zeros(len(rows))
    if readable.crowded:
        context = _context(snapshot, readable, lookup, postings, rows)
    nothing: list[float | None] = [None] * len(rows)
    columns = zip(
        snapshot.ids[rows].tolist(),
        snapshot.document[rows].tolist(),
        lexical[rows].tolist(),
        nothing if dense is None else dense.tolist(),
        context.tolist(),
        nothing if cosine is None else cosine.tolist(),
        _matched(holders, rows),
        phrase[rows].tolist(),
        strict=True,
    )
    found = [
        Candidate(first_key + key, snapshot.documents[document], words, near, whole, alone, frozenset(terms), pairs)
        for key, document, words, near, whole, alone, terms, pairs in columns
    ]
    return Candidates(found, idf=idf | pair_idf, crowded=readable.crowded)


def _pairs(
    snapshot: Snapshot, readable: ReadablePart, lookup: Lookup, ids: Mapping[str, int]
) -> tuple[Floats, dict[str, float]]:
    """The score of each passage for pairs of adjacent terms, and each pair's idf."""
    postings = {}
    for pair in lookup.bigrams:
        first, second = pair.split(BIGRAM)
        postings[pair] = snapshot.terms.owners_of_pair(ids.get(first), ids.get(second))
    return term_index.scores(postings, lookup.bigrams, readable.passages)[:2]


def _context(
    snapshot: Snapshot, readable: ReadablePart, lookup: Lookup, postings: Mapping[str, Ints], rows: Rows
) -> Floats:
    """The score of the block of each row."""
    wanted = np.zeros(readable.blocks.size, bool)
    wanted[snapshot.block_of[rows]] = True
    return term_index.scores(postings, lookup.terms, readable.blocks, only=wanted)[0][snapshot.block_of[rows]]


def _rows(
    snapshot: Snapshot, readable: ReadablePart, lookup: Lookup, lexical: Rows
) -> tuple[Rows, Cosines | None, Cosines | None]:
    """The rows of both lists, ascending, each with the cosine of its text, and the sum of that and its heading's."""
    if lookup.vector is None:
        return np.sort(lexical), None, None
    weight = np.float32(lookup.configuration.heading_vector)
    near = _near(snapshot, readable, lookup.vector, weight, lookup.depth)
    rows = np.union1d(lexical, near)
    cosine = products(snapshot.text[rows], lookup.vector)
    dense = cosine
    if weight:
        dense = cosine + weight * products(snapshot.headings[snapshot.heading[rows]], lookup.vector)
    nearest = np.flatnonzero(np.isin(rows, near, assume_unique=True))
    nearest = nearest[np.argsort(-dense[nearest], kind="stable")][: lookup.depth]
    kept = np.isin(rows, lexical, assume_unique=True)
    kept[nearest] = True
    return rows[kept], cosine[kept], dense[kept]


def _near(snapshot: Snapshot, readable: ReadablePart, vector: Vector, weight: np.float32, depth: int) -> Rows:
    """The nearest `depth` rows, and a few more where rounding might decide which they are."""
    dense = snapshot.text @ vector
    if weight:
        dense += weight * (snapshot.headings @ vector)[snapshot.heading]
    dense[~readable.mask] = -np.inf
    rows = np.flatnonzero(readable.mask)
    if len(rows) > depth:
        rows = np.flatnonzero(dense >= np.partition(dense, -depth)[-depth] - ROUNDING)
    return rows


def products(vectors: Matrix, vector: Vector) -> Cosines:
    """Each row's product, which does not depend on its place, as the rounding of a matrix product does."""
    return np.asarray((vectors * vector).sum(axis=1), np.float32)


def _matched(holders: Mapping[str, Ints], rows: Rows) -> list[set[str]]:
    """The terms that each row holds."""
    found: list[set[str]] = [set() for _ in rows]
    for term, units in holders.items():
        for place in np.flatnonzero(term_index.contains(units, rows)).tolist():
            found[place].add(term)
    return found
