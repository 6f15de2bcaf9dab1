"""Snapshots: BM25F is that of the formula, and a refresh equals reading everything again."""

import math
import sqlite3
from collections import Counter
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retrieval.index.local import term_index
from retrieval.index.local.database import Database, connect
from retrieval.index.local.index import open_index
from retrieval.index.local.open_generations import OpenGeneration
from retrieval.index.local.ranking import products
from retrieval.index.local.snapshot import AUDIENCES_KEPT, SCANNED_FROM, Snapshot, empty, load
from retrieval.index.protocols import SearchIndex
from retrieval.passages import EVERYONE
from retrieval.ranking.bm25 import FIELDS, blocks
from retrieval.ranking.configuration import RankingConfiguration
from tests.retrieval.samples import ANALYZER, EMBEDDER, LEAVE, TRAVEL, cut, document, lookup, put, shown

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


@pytest.fixture
def index(tmp_path):
    with closing(open_index(tmp_path, EMBEDDER, ANALYZER)) as opened:
        yield opened


@pytest.fixture
def file(index, tmp_path):
    """The index's file, opened once more."""
    with closing(Database(tmp_path / "index-1.db")) as opened:
        yield opened


NAMES = st.sampled_from(["docs/a", "docs/b", "docs/c", "docs/d"])
SAID = st.lists(st.sampled_from("leave travel train hotel manager".split()), min_size=1, max_size=4)
CHANGES = st.lists(st.tuples(NAMES, st.none() | st.lists(SAID, min_size=1, max_size=3)), min_size=1, max_size=8)


def everything(snapshot: Snapshot) -> list[Any]:
    """All that a snapshot holds."""
    held = snapshot.terms
    vectors = snapshot.text.tolist(), snapshot.headings[snapshot.heading].tolist()
    rows = snapshot.ids.tolist(), snapshot.document.tolist(), snapshot.block_of.tolist(), held.lengths.tolist()
    terms = held.flat.tolist(), held.positions.tolist(), held.owners.tolist(), held.starts.tolist()
    return [*vectors, *rows, *terms, snapshot.documents, snapshot.audiences, snapshot.edition]


def change(index: SearchIndex, name: str, sections: list[list[str]] | None) -> None:
    if sections is None:
        index.writer.delete([name])
    else:
        text = "\n\n".join(f"## {said[0]}\n\n{' '.join(said)}." for said in sections)
        put(index, document(name, text))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(CHANGES)
def test_a_refreshed_snapshot_equals_one_read_from_scratch(index, file, changes):
    snapshot = empty()
    index.writer.delete(list(index.reader.stored("docs")))
    for name, sections in changes:
        change(index, name, sections)
        snapshot = load(file, snapshot)
        assert everything(snapshot) == everything(load(file, empty()))


def test_what_stayed_is_not_read_again(index, tmp_path):
    put(index, document("docs/leave", LEAVE), document("docs/travel", TRAVEL))
    statements: list[str] = []

    def traced(path: Path, mode: str) -> sqlite3.Connection:
        connection = connect(path, mode)
        connection.set_trace_callback(statements.append)
        return connection

    with closing(Database(tmp_path / "index-1.db", connect=traced)) as file:
        before = load(file, empty())
        put(index, document("docs/new", "# New\n\nSomething new."))
        statements.clear()
        load(file, before)
    assert any("WHERE id > 4" in each for each in statements)
    assert sum("FROM vectors WHERE key IN" in each for each in statements) == 2


def test_a_snapshot_is_kept_until_something_changes(index, file):
    put(index, document("docs/leave", LEAVE))
    generation = OpenGeneration(1, file)
    before = generation.snapshot()
    index.writer.touch("docs/leave", fingerprint="other")
    assert generation.snapshot() is before
    index.writer.delete(["docs/leave"])
    assert generation.snapshot() is not before


@pytest.mark.parametrize("scanned_from", [0, SCANNED_FROM])
def test_every_vector_stands_in_its_row_however_it_was_found(index, file, scanned_from):
    made = document("docs/long", "\n\n".join(f"## Number {number}\n\nWord{number} here." for number in range(50)))
    put(index, document("docs/leave", LEAVE), made)
    snapshot = load(file, empty(), scanned_from=scanned_from)
    for row, each in enumerate([*cut(document("docs/leave", LEAVE)), *cut(made)]):
        text, heading = EMBEDDER.passages([each.embedded_text, each.embedded_heading])
        assert np.array_equal(snapshot.text[row], text.vector)
        assert np.array_equal(snapshot.headings[snapshot.heading[row]], heading.vector)


def test_statistics_are_kept_for_some_audiences_and_shared_by_those_that_read_the_same(index, file):
    put(index, document("docs/leave", LEAVE))
    snapshot, everyone = load(file, empty()), frozenset({EVERYONE})
    first = snapshot.readable(everyone, RankingConfiguration())
    assert snapshot.readable(everyone | {"unheard-of"}, RankingConfiguration()) is first
    configurations = [RankingConfiguration(title=10.0 + number) for number in range(AUDIENCES_KEPT)]
    others = [snapshot.readable(everyone, each) for each in configurations]
    for each, other in zip(configurations, others, strict=True):
        assert snapshot.readable(everyone, each) is other
    assert snapshot.readable(everyone, RankingConfiguration()) is not first


@pytest.mark.parametrize("places", [[0, 1, 2], [7, 3, 900]], ids=["together", "apart"])
def test_a_product_does_not_depend_on_where_its_row_stands(places):
    rng = np.random.default_rng(0)
    vectors, vector = rng.standard_normal((1000, 384), dtype=np.float32), rng.standard_normal(384, dtype=np.float32)
    rows = np.array(places)
    alone = [products(vectors[[row]], vector)[0] for row in rows]
    assert products(vectors, vector)[rows].tolist() == products(vectors[rows], vector).tolist() == alone


def test_the_words_of_a_lookup_are_looked_up_once_each(index):
    put(index, document("docs/leave", LEAVE))
    counted = Counter(each.document for each in index.reader.lookup(lookup("leave leave carry over")).found)
    assert counted == {"docs/leave": 2}
    assert len(shown(index, index.reader.lookup(lookup("leave")))) == 2
