"""An index of the version before is opened, searched and gone on with, and its Elasticsearch records stay as they are.

`tests/retrieval/index/fixtures/make.py` says what the files hold and how they were made.
"""

import gzip
import json
import tarfile
from contextlib import closing
from pathlib import Path

import pytest

from retrieval.index.elastic.client import to_json
from retrieval.index.local.index import open_index
from retrieval.passages import EVERYONE
from retrieval.ranking.analysis import Analyzer
from retrieval.sources.files import Source
from retrieval.sync import sync
from tests.fakes import FakeEmbedder
from tests.retrieval.index.fixtures.make import LEAVE, elastic, hits
from tests.retrieval.samples import found, lookup, reindexer

FIXTURES = Path(__file__).parent / "fixtures"
STORED = ["docs/leave.md", "docs/pay.md", "docs/trips/travel.md"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The working folder with the documents and the state folder of the version before."""
    with tarfile.open(FIXTURES / "state.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    monkeypatch.chdir(tmp_path)  # the source is known by its relative folder
    return tmp_path


@pytest.fixture
def index(folder):
    with closing(open_index(folder / "state", FakeEmbedder(), Analyzer())) as opened:
        yield opened


def test_every_question_finds_what_an_index_of_today_finds_with_the_same_scores(index, folder):
    embedder = FakeEmbedder()
    with closing(open_index(folder / "new", embedder, Analyzer())) as new:
        sync([Source("docs", Path("docs"))], new, embedder)
        for before, now in zip(hits(index), hits(new), strict=True):
            assert [(id_, parts) for id_, _, parts in before["hits"]] == [
                (id_, pytest.approx(parts)) for id_, _, parts in now["hits"]
            ]
            assert 0 <= before["confidence"] <= now["confidence"], "blocks had no vectors then"
    expected = json.loads((folder / "hits.json").read_text(encoding="utf-8"))
    assert [{id_ for id_, _, _ in each["hits"]} for each in hits(index)] == [
        {id_ for id_, _, _ in each["hits"]} for each in expected
    ]


def test_documents_past_versions_skipped_files_and_audiences_are_there(index):
    assert list(index.reader.stored("docs")) == STORED
    assert index.reader.sources() == {"docs": "docs"}
    assert [each.skipped.reason for each in index.writer.skips("docs").values()] == ["unsupported"]
    leave, pay = index.reader.document("docs/leave.md"), index.reader.document("docs/pay.md")
    assert (leave.audience, pay.audience) == ({EVERYONE}, {"hr"})
    assert "Six days" in leave.text
    assert "docs/pay.md" not in found(index, "director earns")
    assert "docs/pay.md" in found(index, "director earns", "hr")


def test_a_sync_reads_every_file_once_more_and_embeds_nothing_again(index):
    embedder = FakeEmbedder()
    before = [(each.text, each.blocks, each.links) for each in map(index.reader.document, STORED)]
    report = sync([Source("docs", Path("docs"))], index, embedder)
    assert (report.unchanged, report.added, report.changed, report.deleted) == (0, [], STORED, [])
    assert embedder.passage_texts == []
    keys = [each.key for each in index.reader.lookup(lookup("leave director hotel", "hr")).found]
    assert [len(each.blocks) for each in index.reader.tokens(keys).values()] == [1, 1, 1, 1]
    assert [(each.text, each.blocks, each.links) for each in map(index.reader.document, STORED)] == before
    report = sync([Source("docs", Path("docs"))], index, embedder)
    assert (report.unchanged, report.added, report.changed, report.deleted) == (3, [], [], [])


def test_a_sync_goes_on_with_what_has_changed(index):
    embedder = FakeEmbedder()
    before = index.reader.document("docs/leave.md")
    sync([Source("docs", Path("docs"))], index, embedder)
    Path("docs/leave.md").write_text(LEAVE.replace("Five days", "Eight days"), encoding="utf-8")
    Path("docs/trips/travel.md").unlink()
    report = sync([Source("docs", Path("docs"))], index, embedder)
    assert (report.changed, report.deleted) == (["docs/leave.md"], ["docs/trips/travel.md"])
    assert len(embedder.passage_texts) == 1, "only the new text"
    assert "Eight days" in index.reader.document("docs/leave.md").text
    assert index.reader.document("docs/leave.md", version=before.version).text == before.text


def test_the_generation_that_was_kept_is_gone_back_to(index):
    assert [(each.name, each.current) for each in index.admin.generations()] == [("1", False), ("2", True)]
    with index.writer.lock():
        assert index.admin.rollback(reindexer(FakeEmbedder(), index)) == "1"
    assert found(index, "carried over") >= {"docs/leave.md"}


def test_elasticsearch_is_sent_the_same_settings_mappings_and_records(index):
    with gzip.open(FIXTURES / "elastic.json.gz") as file:
        expected = json.load(file)
    assert json.loads(to_json(elastic(index))) == expected
