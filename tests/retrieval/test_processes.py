"""Several processes on one index: whole documents, one writer at a time, and nothing lost to `kill -9`."""

import json
import random
import shutil
import signal
import subprocess
from contextlib import closing, suppress
from pathlib import Path

import pytest

from retrieval.index.local.database import Database
from retrieval.index.local.index import LocalIndex, open_index
from retrieval.index.local.snapshot import empty, load
from retrieval.ranking.analysis import Analyzer
from retrieval.sources.files import Source
from retrieval.sync import sync
from tests.fakes import FakeEmbedder
from tests.retrieval.samples import (
    DATA,
    REWRITE_A_DOCUMENT,
    cut,
    document,
    finished,
    line,
    lookup,
    process,
    put,
    words_seen_whole,
)

KILLS = 10
DOCUMENTS = 60

SYNC = """
import json, sys
from pathlib import Path
from retrieval.sync import sync
from retrieval.sources.files import Source
from retrieval.ranking.analysis import Analyzer
from retrieval.index.local.index import open_index
from tests.fakes import FakeEmbedder

home, folder, model = sys.argv[1:]
embedder = FakeEmbedder(model)
index = open_index(Path(home), embedder, Analyzer())

def progress(stage, done, total):
    if not stage.startswith("reading"):
        print(stage, flush=True)

print("ready", flush=True)
# Twelve passages: a write every second document.
report = sync([Source("docs", Path(folder))], index, embedder, progress=progress, batch_size=12)
print(json.dumps([report.added, report.unchanged, report.passages]), flush=True)
"""

WRITE = (
    """
import sys
from pathlib import Path
from retrieval.ranking.analysis import Analyzer
from retrieval.index.local.index import open_index
from tests.fakes import FakeEmbedder
from tests.retrieval.samples import document, put

index = open_index(Path(sys.argv[1]), FakeEmbedder(), Analyzer())
"""
    + REWRITE_A_DOCUMENT
)

NOTHING_TO_DO = """
import json, sys
from pathlib import Path
from retrieval.ranking.analysis import Analyzer
from retrieval.embedding.sentence_transformers import SentenceTransformerEmbedder
from retrieval.index.local.index import open_index
from retrieval.sources.files import Source
from retrieval.sync import sync

home, folder = map(Path, sys.argv[1:])
embedder = SentenceTransformerEmbedder()
report = sync([Source("docs", folder)], open_index(home, embedder, Analyzer()), embedder)
heavy = {"torch", "transformers", "sentence_transformers", "tokenizers", "lxml", "docx", "pypdfium2"}
print(json.dumps([report.unchanged, len(report.skipped), sorted(heavy & set(sys.modules))]))
"""


def folder_of_documents(folder: Path) -> Path:
    folder.mkdir()
    for number in range(DOCUMENTS):
        parts = (f"## Part {part}\n\nPassage {part} of document {number} speaks of leave." for part in range(6))
        (folder / f"{number:03}.md").write_text(f"# Document {number}\n\n" + "\n\n".join(parts))
    return folder


def opened(home: Path, model: str = "fake/64"):
    return closing(open_index(home, FakeEmbedder(model), Analyzer()))


def killed(home: Path, folder: Path, model: str, rng: random.Random) -> None:
    """Start a sync and kill it at some instant, after some of its batches."""
    with process(SYNC, home, folder, model) as started:
        for _ in range(1 + rng.randrange(DOCUMENTS // 2)):
            line(started)
        with suppress(subprocess.TimeoutExpired):
            started.wait(timeout=rng.uniform(0.0, 0.01))
        started.send_signal(signal.SIGKILL)
        started.communicate()


def outcome(started: subprocess.Popen[str]) -> tuple[list[str], int, int]:
    """What the last line of a finished sync says: documents added, documents unchanged, passages."""
    added, unchanged, passages = json.loads(finished(started).splitlines()[-1])
    return added, unchanged, passages


def assert_consistent(index: LocalIndex, home: Path) -> int:
    """Every document that is there is there whole, with its vectors; how many there are."""
    file = Database(home / f"index-{(home / 'index').read_text().split()[0]}.db")
    with closing(file), file.read() as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        snapshot = load(file, empty())
    stored = index.reader.stored("docs")
    for each in stored:
        document = index.reader.document(each)
        assert document is not None
        assert index.reader.sections(each) == cut(document)
    assert snapshot.text.any(axis=1).all()
    assert snapshot.headings.any(axis=1).all()
    assert len(snapshot.ids) == index.reader.counts()[1]
    return len(stored)


def test_a_sync_killed_at_any_instant_leaves_a_consistent_index_that_the_next_one_completes(tmp_path):
    folder, home, rng = folder_of_documents(tmp_path / "docs"), tmp_path / "state", random.Random(7)
    reached = []
    for number in range(KILLS):
        if number == KILLS // 2:  # begin again, so that kills fall on a young index too
            home = tmp_path / "again"
        killed(home, folder, "fake/64", rng)
        with opened(home) as index:
            reached.append(assert_consistent(index, home))
    assert len(set(reached) - {0, DOCUMENTS}) > 2, reached
    added, unchanged, passages = outcome(process(SYNC, home, folder, "fake/64"))
    assert len(added) + unchanged == DOCUMENTS
    with opened(home) as index:
        assert assert_consistent(index, home) == DOCUMENTS
        assert passages == index.reader.counts()[1]


def test_a_rebuild_killed_at_any_instant_leaves_the_old_index_or_the_new_one(tmp_path):
    folder, home, rng = folder_of_documents(tmp_path / "docs"), tmp_path / "state", random.Random(11)
    finished(process(SYNC, home, folder, "fake/64"))
    for _ in range(KILLS // 2):
        killed(home, folder, "other/64", rng)
        with opened(home, "other/64") as index:
            assert assert_consistent(index, home) == DOCUMENTS
    finished(process(SYNC, home, folder, "other/64"))
    with opened(home, "other/64") as index:
        assert assert_consistent(index, home) == DOCUMENTS
        assert index.reader.lookup(lookup("leave")).found
    assert len(list(home.glob("index-*.db"))) == 2


def test_two_syncs_at_once_do_the_work_once(tmp_path):
    folder, home = folder_of_documents(tmp_path / "docs"), tmp_path / "state"
    both = [process(SYNC, home, folder, "fake/64") for _ in range(2)]
    reports = [outcome(each) for each in both]
    assert sorted(len(added) for added, *_ in reports) == [0, DOCUMENTS]
    assert sorted(unchanged for _, unchanged, _ in reports) == [0, DOCUMENTS]
    with opened(home) as index:
        assert assert_consistent(index, home) == DOCUMENTS


def test_a_sync_waits_for_another_and_says_so(tmp_path):
    folder, home = folder_of_documents(tmp_path / "docs"), tmp_path / "state"
    with opened(home) as index, index.writer.lock():
        second = process(SYNC, home, folder, "fake/64")
        assert line(second) == "ready"
        assert line(second) == "waiting for another sync"
        with pytest.raises(subprocess.TimeoutExpired):
            second.wait(timeout=0.2)
        assert index.reader.counts() == (0, 0)
    assert len(outcome(second)[0]) == DOCUMENTS


def test_a_reader_sees_a_document_whole_while_it_is_written_again_and_again(tmp_path):
    with opened(tmp_path) as index:
        put(index, document("docs/still", "# Still\n\nThis one never changes."))
        with process(WRITE, tmp_path) as writer:
            try:
                assert line(writer) == "ready"
                seen = words_seen_whole(index, lookups=150, seconds=20)
            finally:
                writer.kill()
                writer.communicate()
    assert seen == {"alpha", "beta"}


def test_a_running_process_sees_the_result_of_a_sync_in_another(tmp_path):
    folder, home = folder_of_documents(tmp_path / "docs"), tmp_path / "state"
    with opened(home) as index:
        finished(process(SYNC, home, folder, "fake/64"))
        question = lookup("passage of document 7", depth=1000)
        assert len({each.document for each in index.reader.lookup(question).found}) == DOCUMENTS
        (folder / "007.md").unlink()
        finished(process(SYNC, home, folder, "fake/64"))
        assert "docs/007.md" not in {each.document for each in index.reader.lookup(question).found}


def test_a_sync_with_nothing_to_do_loads_no_model_and_no_parser(tmp_path):
    folder, home = folder_of_documents(tmp_path / "docs"), tmp_path / "state"
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7 broken")
    embedder = FakeEmbedder("all-MiniLM-L6-v2/64")
    with closing(open_index(home, embedder, Analyzer())) as index:
        sync([Source("docs", folder)], index, embedder)
    unchanged, skipped, heavy = json.loads(finished(process(NOTHING_TO_DO, home, folder)))
    assert (unchanged, skipped, heavy) == (DOCUMENTS, 1, [])


@pytest.mark.skipif(
    not (DATA and (Path(DATA) / "handbooks" / "jupiterone-policies").is_dir()),
    reason="set FOOTNOTE_TEST_DATA to the folder with handbooks/jupiterone-policies",
)
def test_a_sync_of_895_unchanged_files_loads_no_model_and_no_parser(tmp_path):
    for number in range(5):
        shutil.copytree(Path(DATA) / "handbooks" / "jupiterone-policies", tmp_path / "docs" / str(number))
    embedder = FakeEmbedder("all-MiniLM-L6-v2/64")
    with closing(open_index(tmp_path / "state", embedder, Analyzer())) as index:
        sync([Source("docs", tmp_path / "docs")], index, embedder)
    unchanged, skipped, heavy = json.loads(finished(process(NOTHING_TO_DO, tmp_path / "state", tmp_path / "docs")))
    assert unchanged + skipped > 800
    assert heavy == []
