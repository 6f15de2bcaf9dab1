"""Changed in, vanished out, nothing else touched."""

import errno
import os
import re
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from retrieval.errors import SourceUnusable
from retrieval.index.protocols import SearchIndex
from retrieval.parsing.protocol import Parsed, Skipped
from retrieval.parsing.registry import parse
from retrieval.sources.files import File, Source, read_file
from retrieval.sync import TRANSIENT, SyncReport, remove, sync
from tests.fakes import FakeEmbedder
from tests.retrieval.conftest import Opener
from tests.retrieval.samples import LEAVE, TRAVEL, found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two documents, one of them in a folder of its own."""
    docs = tmp_path / "docs"
    (docs / "trips").mkdir(parents=True)
    (docs / "leave.md").write_text(LEAVE)
    (docs / "trips" / "travel.md").write_text(TRAVEL)
    return docs


class Parser:
    """Parses as always, and keeps the names of the files that it was given."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def __call__(self, name: str, data: bytes) -> Parsed | Skipped:
        self.names.append(name)
        return parse(name, data)


def run(index: SearchIndex, *sources: Source, embedder: FakeEmbedder | None = None, **options: Any) -> SyncReport:
    options.setdefault("parse", parse)  # quicker than a worker process; those have tests of their own
    return sync(sources, index, embedder or FakeEmbedder(), **options)


def counts(report: SyncReport) -> tuple[list[str], list[str], list[str], int, list[str]]:
    skipped = [f"{document} {why.reason}" for document, why in report.skipped]
    return report.added, report.changed, report.deleted, report.unchanged, skipped


def test_new_files_are_added(index, folder):
    report = run(index, Source("docs", folder))
    assert counts(report) == (["docs/leave.md", "docs/trips/travel.md"], [], [], 0, [])
    assert report.passages == 4
    assert report.seconds > 0
    assert report.problems == []
    assert index.reader.sources() == {"docs": str(folder)}
    assert found(index, "hotel") == {"docs/leave.md", "docs/trips/travel.md"}


def editions(folder: Path) -> list[tuple[int]]:
    """How often the documents of each embedded index of a test were changed; none with another index."""
    found = []
    for file in sorted((folder / "state").glob("index-*.db")):
        with closing(sqlite3.connect(file)) as connection:
            found += connection.execute("SELECT number FROM edition").fetchall()
    return found


def test_a_second_sync_touches_nothing(index, folder, tmp_path):
    run(index, Source("docs", folder))
    parser, before = Parser(), editions(tmp_path)
    report = run(index, Source("docs", folder), parse=parser)
    assert counts(report) == ([], [], [], 2, [])
    assert parser.names == []
    assert editions(tmp_path) == before


def test_a_changed_file_is_replaced_and_only_its_new_texts_are_embedded(index, folder):
    run(index, Source("docs", folder))
    (folder / "leave.md").write_text(LEAVE.replace("Five days", "Six days"))
    embedder = FakeEmbedder()
    assert counts(run(index, Source("docs", folder), embedder=embedder)) == ([], ["docs/leave.md"], [], 1, [])
    assert embedder.passage_texts == [
        "Six days of leave may be carried over into the next year. Your manager agrees in writing."
    ]


def test_a_vanished_file_is_forgotten(index, folder):
    run(index, Source("docs", folder))
    (folder / "leave.md").unlink()
    assert counts(run(index, Source("docs", folder))) == ([], [], ["docs/leave.md"], 1, [])
    assert "docs/leave.md" not in found(index, "days of leave")


def test_a_renamed_file_is_another_document_and_is_not_embedded_again(index, folder):
    run(index, Source("docs", folder))
    (folder / "leave.md").rename(folder / "time-off.md")
    embedder = FakeEmbedder()
    report = run(index, Source("docs", folder), embedder=embedder)
    assert counts(report) == (["docs/time-off.md"], [], ["docs/leave.md"], 1, [])
    assert embedder.passage_texts == []


def test_a_touched_file_is_read_and_not_parsed(index, folder):
    run(index, Source("docs", folder))
    parser = Parser()
    os.utime(folder / "leave.md", (1, 1))
    for _ in range(2):
        assert counts(run(index, Source("docs", folder), parse=parser)) == ([], [], [], 2, [])
    assert parser.names == []


def test_content_of_the_same_size_and_time_is_noticed(index, folder):
    run(index, Source("docs", folder))
    file = folder / "leave.md"
    before = file.stat()
    other = folder.parent / "other.md"
    other.write_text(LEAVE.replace("Five", "Nine"))
    other.replace(file)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (file.stat().st_size, file.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    assert run(index, Source("docs", folder)).changed == ["docs/leave.md"]


def test_a_new_audience_or_owner_in_the_settings_relabels_without_embedding(index, folder):
    source = Source("docs", folder)
    run(index, source)
    embedder = FakeEmbedder()
    restricted = replace(source, audience=frozenset({"hr"}), owner="People")
    report = run(index, restricted, embedder=embedder)
    assert report.changed == ["docs/leave.md", "docs/trips/travel.md"]
    assert embedder.passage_texts == []
    assert found(index, "leave") == set()
    assert found(index, "leave", "hr") == {"docs/leave.md", "docs/trips/travel.md"}
    document = index.reader.document("docs/leave.md")
    assert document is not None
    assert (document.owner, document.audience) == ("People", frozenset({"hr"}))


def test_front_matter_narrows_what_the_settings_say(index, folder):
    (folder / "leave.md").write_text(f"---\naudience: [finance]\n---\n{LEAVE}")
    run(index, Source("docs", folder, audience=frozenset({"hr", "finance"})))
    assert found(index, "leave", "finance") == {"docs/leave.md", "docs/trips/travel.md"}
    assert found(index, "leave", "hr") == {"docs/trips/travel.md"}


def test_a_skipped_file_is_reported_every_time_and_parsed_once(index, folder):
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7\nbroken")
    (folder / "song.mp3").write_bytes(b"la la")
    expected = ["docs/broken.pdf malformed", "docs/song.mp3 unsupported"]
    assert counts(run(index, Source("docs", folder)))[4] == expected
    parser = Parser()
    assert counts(run(index, Source("docs", folder), parse=parser)) == ([], [], [], 2, expected)
    assert parser.names == []


def test_a_skipped_file_that_changes_is_tried_again(index, folder):
    broken = folder / "late.md"
    broken.write_bytes(b"")
    assert run(index, Source("docs", folder)).skipped[0][1].reason == "no-text"
    broken.write_text(TRAVEL)
    assert counts(run(index, Source("docs", folder))) == (["docs/late.md"], [], [], 2, [])
    assert index.writer.skips("docs") == {}


def test_a_skipped_file_that_vanishes_is_forgotten_without_a_word(index, folder):
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7\nbroken")
    run(index, Source("docs", folder))
    (folder / "broken.pdf").unlink()
    assert counts(run(index, Source("docs", folder))) == ([], [], [], 2, [])
    assert index.writer.skips("docs") == {}


def test_a_document_whose_file_can_no_longer_be_parsed_goes_and_the_others_stay(index, folder):
    run(index, Source("docs", folder))
    (folder / "leave.md").write_bytes(b"")
    report = run(index, Source("docs", folder))
    assert counts(report) == ([], [], ["docs/leave.md"], 1, ["docs/leave.md no-text"])
    assert found(index, "leave hotel") == {"docs/trips/travel.md"}
    assert counts(run(index, Source("docs", folder))) == ([], [], [], 1, ["docs/leave.md no-text"])


@pytest.mark.parametrize("reason", sorted(TRANSIENT))
def test_a_transient_failure_keeps_the_document_and_is_tried_again(index, folder, reason):
    run(index, Source("docs", folder))
    (folder / "leave.md").write_text(LEAVE + "More.")
    for _ in range(2):
        report = run(index, Source("docs", folder), parse=lambda *_: Skipped(reason, "not now"))
        assert counts(report) == ([], [], [], 1, [f"docs/leave.md {reason}"])
    assert "docs/leave.md" in found(index, "days of leave")
    assert run(index, Source("docs", folder)).changed == ["docs/leave.md"]


def test_a_file_that_vanishes_between_listing_and_reading_keeps_its_document(index, folder):
    run(index, Source("docs", folder))
    (folder / "leave.md").write_text(LEAVE + "More.")

    def read_too_late(file: File) -> bytes | Skipped:
        return read_file(replace(file, path=file.path.with_name("vanished")))

    report = run(index, Source("docs", folder), read=read_too_late)
    assert counts(report) == ([], [], [], 1, ["docs/leave.md unreadable"])
    assert set(index.reader.stored("docs")) == {"docs/leave.md", "docs/trips/travel.md"}


def test_a_file_that_became_a_link_out_of_the_source_is_forgotten(index, folder):
    run(index, Source("docs", folder))
    outside = folder.parent / "outside.md"
    (folder / "leave.md").rename(outside)
    (folder / "leave.md").symlink_to(outside)
    for deleted in (["docs/leave.md"], []):
        report = run(index, Source("docs", folder))
        assert counts(report) == ([], [], deleted, 1, ["docs/leave.md outside-source"])


def test_only_a_part_of_a_source_is_compared(index, folder):
    run(index, Source("docs", folder))
    (folder / "leave.md").unlink()
    (folder / "trips" / "new.md").write_text(LEAVE)
    part = Source("docs", folder, only=folder / "trips")
    assert counts(run(index, part)) == (["docs/trips/new.md"], [], [], 1, [])
    single = Source("docs", folder, only=folder / "trips" / "travel.md")
    assert counts(run(index, single)) == ([], [], [], 1, [])
    assert set(index.reader.stored("docs")) == {"docs/leave.md", "docs/trips/new.md", "docs/trips/travel.md"}


def test_a_part_does_not_take_in_what_only_begins_alike(index, folder):
    shutil.copytree(folder / "trips", folder / "trips-old")
    run(index, Source("docs", folder))
    shutil.rmtree(folder / "trips-old")
    run(index, Source("docs", folder, only=folder / "trips"))
    assert "docs/trips-old/travel.md" in index.reader.stored("docs")


def test_a_part_that_is_gone_deletes_nothing_unless_that_is_meant(index, folder):
    run(index, Source("docs", folder))
    (folder / "leave.md").unlink()
    part = Source("docs", folder, only=folder / "leave.md")
    (problem,) = run(index, part).problems
    assert "leave.md' of the source 'docs' is gone; nothing was deleted. Say --allow-empty" in problem
    assert run(index, part, allow_empty=True).deleted == ["docs/leave.md"]


def test_other_sources_stay_untouched(index, folder):
    other = folder.parent / "other"
    shutil.copytree(folder, other)
    run(index, Source("docs", folder), Source("other", other))
    shutil.rmtree(other)
    assert counts(run(index, Source("docs", folder))) == ([], [], [], 2, [])
    assert len(index.reader.stored("other")) == 2


def empty(folder: Path) -> None:
    folder.mkdir()


def loop(folder: Path) -> None:
    folder.symlink_to(folder)


def nothing(folder: Path) -> None:
    """Leave nothing in its place."""


@pytest.mark.parametrize(
    ("instead", "message"),
    [
        pytest.param(nothing, r"the source 'docs' is missing: there is no '.+'; nothing was changed", id="missing"),
        pytest.param(loop, r"the source 'docs' is missing", id="loop"),
        pytest.param(empty, r"is suddenly empty; nothing was deleted\. Say --allow-empty", id="empty"),
    ],
)
def test_an_unusable_source_deletes_nothing_and_the_others_go_on(index, folder, instead, message):
    other = folder.parent / "other"
    shutil.copytree(folder, other)
    run(index, Source("docs", folder))
    shutil.rmtree(folder)
    instead(folder)
    report = run(index, Source("docs", folder), Source("other", other))
    assert report.added == ["other/leave.md", "other/trips/travel.md"]
    assert report.deleted == []
    assert len(index.reader.stored("docs")) == 2
    (problem,) = report.problems
    assert re.search(message, problem)


def test_a_listing_that_does_not_finish_deletes_nothing(index, folder, monkeypatch):
    run(index, Source("docs", folder))
    (folder / "leave.md").unlink()
    open_ = os.open

    def failing(path, flags, *mode, **options):
        if path == "trips":
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return open_(path, flags, *mode, **options)

    monkeypatch.setattr(os, "open", failing)
    report = run(index, Source("docs", folder))
    assert counts(report) == ([], [], [], 0, [])
    assert "cannot list" in report.problems[0]
    assert len(index.reader.stored("docs")) == 2


def test_an_emptied_source_is_forgotten_when_that_is_meant(index, folder):
    run(index, Source("docs", folder))
    for file in (folder / "leave.md", folder / "trips" / "travel.md"):
        file.unlink()
    report = run(index, Source("docs", folder), allow_empty=True)
    assert report.deleted == ["docs/leave.md", "docs/trips/travel.md"]
    assert report.problems == []


def test_a_source_that_was_always_empty_is_no_problem(index, tmp_path):
    (tmp_path / "new").mkdir()
    report = run(index, Source("new", tmp_path / "new"))
    assert (counts(report), report.problems) == (([], [], [], 0, []), [])


def test_a_name_that_stands_for_another_folder_is_refused(index, folder):
    run(index, Source("docs", folder))
    other = folder.parent / "elsewhere" / "docs"
    shutil.copytree(folder, other)
    (problem,) = run(index, Source("docs", other)).problems
    assert problem == (f"the source name 'docs' already stands for {str(folder)!r}; give another with --source NAME")
    assert index.reader.sources() == {"docs": str(folder)}


def test_a_removed_source_is_forgotten_and_its_name_is_free_again(index, folder):
    run(index, Source("docs", folder))
    report = remove("docs", index)
    assert (report.deleted, report.passages) == (["docs/leave.md", "docs/trips/travel.md"], 0)
    assert index.reader.sources() == {}
    other = folder.parent / "elsewhere"
    shutil.copytree(folder, other)
    assert len(run(index, Source("docs", other)).added) == 2


def test_removing_an_unknown_source_names_the_known_ones(index, folder):
    with pytest.raises(SourceUnusable, match="no source is called 'never'; known: none"):
        remove("never", index)
    run(index, Source("docs", folder))
    with pytest.raises(SourceUnusable, match="no source is called 'never'; known: docs"):
        remove("never", index)


def test_an_empty_source_that_was_synced_can_be_removed(index, tmp_path):
    (tmp_path / "new").mkdir()
    run(index, Source("new", tmp_path / "new"))
    assert remove("new", index).deleted == []


def test_a_change_of_model_rebuilds_without_reading_a_file(opener: Opener, folder):
    run(opener(), Source("docs", folder))
    embedder, parser, stages = FakeEmbedder("other/64"), Parser(), set()
    index = opener("other/64")
    report = run(
        index,
        Source("docs", folder),
        embedder=embedder,
        parse=parser,
        progress=lambda stage, *_: stages.add(stage),
    )
    assert counts(report) == ([], [], [], 2, [])
    assert parser.names == []
    assert "rebuilding the index" in stages
    assert len(embedder.passage_texts) == 8
    assert found(index, "hotel") == {"docs/leave.md", "docs/trips/travel.md"}


def test_a_change_of_language_rebuilds_without_embedding(opener: Opener, folder):
    run(opener(), Source("docs", folder))
    embedder = FakeEmbedder()
    index = opener(language="german")
    assert counts(run(index, Source("docs", folder), embedder=embedder)) == ([], [], [], 2, [])
    assert embedder.passage_texts == []
    assert found(index, "hotel") == {"docs/leave.md", "docs/trips/travel.md"}


def test_progress_reports_what_is_read_and_what_is_embedded(index, folder):
    steps: list[tuple[str, int, int]] = []
    run(index, Source("docs", folder), progress=lambda *step: steps.append(step))
    assert steps[:2] == [("reading docs", 1, 2), ("reading docs", 2, 2)]
    assert steps[-1][0] == "embedding"
    assert steps[-1][1] == steps[-1][2]


def test_many_passages_are_embedded_in_several_batches(index, folder):
    stages: list[str] = []
    run(index, Source("docs", folder), batch_size=2, progress=lambda stage, *_: stages.append(stage))
    assert stages.count("embedding") == 2
    assert index.reader.counts() == (2, 4)


def test_what_could_not_be_read_of_a_document_stands_in_the_notes(index, folder):
    (folder / "deep.html").write_text(f"<p>Seen.</p>{'<div>' * 3_000}<p>Unseen.</p>")
    report = run(index, Source("docs", folder))
    assert "docs/deep.html" in report.added
    (note,) = report.notes
    assert (note[0], note[1].reason) == ("docs/deep.html", "too-large")
    assert run(index, Source("docs", folder)).notes == []
