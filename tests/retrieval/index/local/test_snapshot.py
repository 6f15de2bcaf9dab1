"""Snapshots: a refresh equals reading everything again, and reads only what changed."""

import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retrieval.index.local.database import Database, connect
from retrieval.index.local.index import open_index
from retrieval.index.local.open_generations import OpenGeneration
from retrieval.index.local.ranking import products
from retrieval.index.local.snapshot import AUDIENCES_KEPT, SCANNED_FROM, Snapshot, empty, load
from retrieval.index.protocols import SearchIndex
from retrieval.passages import EVERYONE
from retrieval.ranking.configuration import RankingConfiguration
from tests.retrieval.samples import ANALYZER, EMBEDDER, LEAVE, TRAVEL, cut, document, lookup, put, shown


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
        text, heading = EMBEDDER.encode_passages([each.embedded_text, each.embedded_heading])
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
