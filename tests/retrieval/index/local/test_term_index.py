"""The term index: BM25F as the formula says, pairs where they stand, ties in order."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.index.local import term_index
from retrieval.ranking.bm25 import FIELDS, blocks

TERMS = st.lists(st.integers(1, 5), max_size=6)
PASSAGES = st.lists(st.tuples(TERMS, TERMS, TERMS), max_size=5)
WEIGHTS = (1.0, 2.0, 0.5)


def made(passages: list[tuple[list[int], ...]]) -> term_index.TermIndex:
    lengths = np.array([[len(field) for field in each] for each in passages], np.int64).reshape(-1, FIELDS)
    flat = np.array([term for each in passages for field in each for term in field], np.int32)
    return term_index.term_index(term_index.with_gaps(flat, lengths), lengths)


def bm25f(passages: list[tuple[list[int], ...]], readable: list[bool], terms: dict[int, float]) -> list[float]:
    """The formula, word for word."""
    open_to = [each for each, may in zip(passages, readable, strict=True) if may]
    mean = [sum(len(each[field]) for each in open_to) / max(1, len(open_to)) for field in range(3)]
    result = []
    for each, may in zip(passages, readable, strict=True):
        score = 0.0
        for term, weight in terms.items():
            frequency = sum(
                WEIGHTS[field] * each[field].count(term) / (1 - norm + norm * len(each[field]) / max(mean[field], 1e-9))
                for field, norm in enumerate((0.6, 0.3, 0.3))
            )
            holding = sum(any(term in field for field in other) for other in open_to)
            idf = math.log1p((len(open_to) - holding + 0.5) / (holding + 0.5))
            score += weight * idf * frequency / (1.2 + frequency) if may else 0.0
        result.append(score)
    return result


@given(PASSAGES, st.lists(st.booleans(), min_size=5, max_size=5), st.dictionaries(st.integers(1, 6), st.just(0.7)))
def test_scores_are_those_of_the_formula(passages, may, terms):
    held, readable = made(passages), np.array(may[: len(passages)], bool)
    rows = np.arange(len(passages), dtype=np.int32)
    within = term_index.scope(rows, held.lengths, WEIGHTS, readable=readable)
    postings = {str(term): held.owners_of(term) for term in terms}
    found, _, holders = term_index.scores(postings, {str(term): weight for term, weight in terms.items()}, within)
    assert found.tolist() == pytest.approx(bm25f(passages, readable.tolist(), terms))
    for term in terms:
        holding = [row for row in rows if readable[row] and any(term in field for field in passages[row])]
        assert holders[str(term)].tolist() == holding


@given(PASSAGES, st.integers(1, 6), st.integers(1, 6))
def test_pairs_are_found_where_they_stand_and_nowhere_else(passages, first, second):
    expected = [
        row << term_index.FIELD_BITS | field
        for row, each in enumerate(passages)
        for field, terms in enumerate(each)
        for pair in pairwise(terms)
        if pair == (first, second)
    ]
    assert made(passages).owners_of_pair(first, second).tolist() == expected


def test_unknown_terms_stand_nowhere():
    held = made([([1, 2], [1], [])])
    for term in (None, 99):
        assert held.owners_of(term).tolist() == []
        assert held.owners_of_pair(term, 1).tolist() == []
        assert held.owners_of_pair(1, term).tolist() == []


@given(PASSAGES, st.lists(st.integers(0, 2), min_size=5, max_size=5), st.lists(st.booleans(), min_size=5, max_size=5))
def test_units_outside_only_count_for_the_idf_alone(passages, units, wanted):
    held, unit = made(passages), np.array(sorted(units[: len(passages)]), np.int32)
    lengths = np.ones((3, FIELDS), np.int64)
    within = term_index.scope(unit, lengths, WEIGHTS, readable=np.ones(len(unit), bool))
    postings = {str(term): held.owners_of(term) for term in range(1, 6)}
    weights = dict.fromkeys(postings, 1.0)
    only = np.array(wanted[:3], bool)
    everything, some = (
        term_index.scores(postings, weights, within),
        term_index.scores(postings, weights, within, only=only),
    )
    assert some[1] == everything[1]
    assert some[0].tolist() == (everything[0] * only).tolist()


@given(st.lists(st.sampled_from([0.0, 0.5, 1.0, 2.0])), st.integers(1, 4))
def test_the_best_come_first_and_ties_in_order(scores, count):
    expected = sorted((row for row, score in enumerate(scores) if score > 0), key=lambda row: (-scores[row], row))
    assert term_index.best(np.array(scores, np.float64), count).tolist() == expected[:count]


def test_blocks_hold_consecutive_passages_of_one_document():
    assert blocks([0, 0, 0, 1, 1], [900, 500, 200, 10, 2000]).tolist() == [0, 0, 1, 2, 3]
    assert blocks([], []).tolist() == []
