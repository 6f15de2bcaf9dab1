"""The generations of a state folder: the current file, what a rebuild leaves, errors of a broken folder."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from retrieval.errors import IndexNotReady, SearchUnavailable
from retrieval.index.generations import IndexFingerprint, refusal
from retrieval.index.local.database import Database
from retrieval.index.local.generations import GenerationFiles
from retrieval.index.local.index import LocalIndex, open_index
from retrieval.index.local.open_generations import OpenGenerations
from retrieval.index.local.schema import SCHEMA_VERSION
from retrieval.index.protocols import SearchIndex
from retrieval.ranking.analysis import Analyzer
from tests.fakes import FakeEmbedder
from tests.retrieval.samples import LEAVE, TRAVEL, cut, document, indexables, lookup, put, version


def wanted(embedding: str = "fake/64", schema: int = SCHEMA_VERSION) -> IndexFingerprint:
    return IndexFingerprint(schema, embedding, Analyzer().name)


def opened(home: Path, embedding: str = "fake/64", schema: int = SCHEMA_VERSION):
    """An index that closes itself at the end of a `with`."""
    return closing(LocalIndex(GenerationFiles(home, wanted(embedding, schema)), Analyzer()))


def files(home: Path) -> list[str]:
    return sorted(path.name for path in home.glob("index-*.db"))


def pointer(home: Path) -> list[str]:
    return (home / "index").read_text().split()


def renew(index: SearchIndex, embedding: str = "other/64", *, stop_after: int | None = None) -> list[str]:
    """Renew an index; `stop_after` so many documents the process gives up. What was made anew."""
    made: list[str] = []
    embedder = FakeEmbedder(embedding)

    def reindex(documents):
        for each in documents:
            if stop_after is not None and len(made) == stop_after:
                raise KeyboardInterrupt
            made.append(each.id)
            yield each, indexables(cut(each, embedder), index, embedder)

    with index.writer.lock():
        index.admin.renew(reindex)
    return made


def filled(home: Path) -> None:
    with opened(home) as index:
        put(index, document("docs/leave", LEAVE), document("docs/travel", TRAVEL))


def test_the_first_index_is_made_where_none_is(tmp_path):
    home = tmp_path / "not" / "there" / "yet"
    with opened(home):
        assert files(home) == ["index-1.db"]
        assert pointer(home) == ["1"]


def test_opening_again_makes_nothing_new(tmp_path):
    filled(tmp_path)
    with opened(tmp_path) as index:
        assert index.reader.counts()[0] == 2
        assert files(tmp_path) == ["index-1.db"]


def test_opening_loads_no_model(tmp_path):
    embedder = FakeEmbedder()
    with closing(open_index(tmp_path, embedder, Analyzer())) as index:
        put(index, document("docs/leave", LEAVE))
        assert (embedder.passage_texts, embedder.query_texts) == ([], [])


def test_a_rebuild_takes_the_place_of_the_current_file_and_keeps_one_before_it(tmp_path):
    filled(tmp_path)
    for number, embedding in enumerate(["second/64", "third/64", "fourth/64"], start=2):
        with opened(tmp_path, embedding) as index:
            renew(index, embedding)
            assert pointer(tmp_path) == [str(number), str(number - 1)]
            assert files(tmp_path) == [f"index-{number - 1}.db", f"index-{number}.db"]
            assert index.reader.counts()[0] == 2


def test_an_interrupted_rebuild_is_never_current_and_goes_on_where_it_stopped(tmp_path):
    filled(tmp_path)
    with opened(tmp_path, "other/64") as index:
        with pytest.raises(KeyboardInterrupt):
            renew(index, stop_after=1)
        assert pointer(tmp_path) == ["1"]
        with pytest.raises(IndexNotReady):
            index.reader.lookup(lookup("leave"))
    with opened(tmp_path) as index:
        assert index.reader.lookup(lookup("leave")).found
    with opened(tmp_path, "other/64") as index:
        assert renew(index) == ["docs/travel"]
        assert files(tmp_path) == ["index-1.db", "index-2.db"]
        assert {each.document for each in index.reader.lookup(lookup("leave train")).found} == {
            "docs/leave",
            "docs/travel",
        }


def test_an_interrupted_rebuild_follows_what_changed_meanwhile(tmp_path):
    leave = document("docs/leave", LEAVE)
    filled(tmp_path)
    with opened(tmp_path) as index:
        put(index, document("docs/gone", TRAVEL))
    with opened(tmp_path, "other/64") as index, pytest.raises(KeyboardInterrupt):
        renew(index, stop_after=2)
    with opened(tmp_path) as index:
        index.writer.delete(["docs/gone"])
        put(index, version(leave, LEAVE.replace("Five", "Six")), document("docs/new", TRAVEL))
    with opened(tmp_path, "other/64") as index:
        assert set(renew(index)) == {"docs/leave", "docs/new", "docs/travel"}
        assert set(index.reader.stored("docs")) == {"docs/leave", "docs/new", "docs/travel"}
        assert "Six days" in (index.reader.document("docs/leave") or leave).text


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"not a database" * 400, id="garbage"),
        pytest.param(None, id="absent"),
    ],
)
def test_half_made_files_are_passed_over_and_swept_away(tmp_path, content):
    filled(tmp_path)
    left = tmp_path / "index-7.db"
    if content is None:
        (tmp_path / "index-7.db-wal").write_bytes(b"left over")
    else:
        left.write_bytes(content)
    with opened(tmp_path, "other/64") as index:
        renew(index)
        assert pointer(tmp_path) == ["8", "1"]
        assert {path.name for path in tmp_path.glob("index-7*")} == set()


def test_a_rebuild_that_is_no_longer_wanted_is_swept_away(tmp_path):
    filled(tmp_path)
    with opened(tmp_path, "other/64") as index, pytest.raises(KeyboardInterrupt):
        renew(index, stop_after=1)
    with opened(tmp_path) as index:
        assert renew(index, "fake/64") == []
    assert files(tmp_path) == ["index-1.db"]


def test_a_rebuild_for_another_model_does_not_take_up_the_interrupted_one(tmp_path):
    filled(tmp_path)
    with opened(tmp_path, "other/64") as index, pytest.raises(KeyboardInterrupt):
        renew(index, stop_after=1)
    with opened(tmp_path, "third/64") as index:
        assert len(renew(index, "third/64")) == 2
        assert files(tmp_path) == ["index-1.db", "index-3.db"]


def test_an_index_of_an_earlier_version_asks_for_a_sync_and_one_of_a_newer_for_an_upgrade(tmp_path):
    filled(tmp_path)
    for schema, message in (
        (SCHEMA_VERSION + 1, "made by an earlier version of Footnote: `footnote sync` rebuilds it"),
        (SCHEMA_VERSION - 1, "made by a newer version of Footnote: install that version"),
    ):
        with opened(tmp_path, schema=schema) as index, pytest.raises(IndexNotReady, match=message):
            index.reader.lookup(lookup("leave"))


def test_a_newer_index_is_never_rebuilt_by_an_older_version(tmp_path):
    home = tmp_path
    home.joinpath("index").write_text("1\n")
    Database.create(home / "index-1.db", wanted(schema=SCHEMA_VERSION + 1)).close()
    with closing(open_index(home, FakeEmbedder(), Analyzer())) as index, pytest.raises(IndexNotReady, match="newer"):
        renew(index)
    assert files(home) == ["index-1.db"]


def test_everything_that_differs_stands_in_one_line():
    made = IndexFingerprint(SCHEMA_VERSION, "a/64", "german-1")
    line = refusal(made, wanted())
    assert "the embedding model 'a/64' instead of 'fake/64' and with the text analysis 'german-1'" in line
    assert "\n" not in line


def test_an_edge_of_three_generations_keeps_two_files_open(tmp_path):
    filled(tmp_path)
    with closing(OpenGenerations(GenerationFiles(tmp_path, wanted()))) as watching:
        for embedding in ("second/64", "third/64"):
            with opened(tmp_path, embedding) as index:
                renew(index, embedding)
            assert watching.current().reader.counts()[0] == 2
        assert watching.numbers == [2, 3]


def test_a_closed_index_opens_again_when_it_is_used(tmp_path):
    filled(tmp_path)
    with opened(tmp_path) as index:
        index.close()
        assert index.reader.counts()[0] == 2


def test_a_pointer_that_names_no_number_says_what_should_be_there(tmp_path):
    filled(tmp_path)
    (tmp_path / "index").write_text("index-1.db\n")
    with pytest.raises(SearchUnavailable, match=r"should hold the number of the current `index-N\.db`"):
        open_index(tmp_path, FakeEmbedder(), Analyzer())


def test_a_current_file_that_is_gone_is_an_error_and_not_an_empty_index(tmp_path):
    filled(tmp_path)
    (tmp_path / "index-1.db").unlink()
    with pytest.raises(SearchUnavailable, match="cannot be used just now"):
        open_index(tmp_path, FakeEmbedder(), Analyzer())


def test_a_damaged_file_says_what_to_do(tmp_path):
    filled(tmp_path)
    (tmp_path / "index-1.db").write_bytes(b"this was a database " * 500)
    with pytest.raises(SearchUnavailable, match=r"is damaged: remove '.+' and run `footnote sync`"):
        open_index(tmp_path, FakeEmbedder(), Analyzer())


def test_a_state_folder_that_is_a_file_says_so(tmp_path):
    (tmp_path / "state").write_text("in the way")
    with pytest.raises(SearchUnavailable, match=r"the state folder '.+' cannot be used: "):
        open_index(tmp_path / "state", FakeEmbedder(), Analyzer())


def test_the_pointer_is_replaced_whole_and_made_to_last(tmp_path, monkeypatch):
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    filled(tmp_path)
    assert len(synced) == 2, "the pointer itself and the folder that names it"
    assert not (tmp_path / "index.new").exists()


def test_a_complete_generation_stands_in_its_file_alone(tmp_path):
    filled(tmp_path)
    with opened(tmp_path, "other/64") as index:
        renew(index)
    with closing(sqlite3.connect(f"file:{tmp_path / 'index-2.db'}?mode=ro&immutable=1", uri=True)) as alone:
        assert alone.execute("SELECT count(*) FROM documents").fetchone() == (2,)
