"""Threat: one file ends the sync, and with it everything that was read before it.

A file that kills the worker is named, and every other one is indexed. While a file takes long, what was read before it
is written, so that it is kept even when the sync itself is killed.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from retrieval.index.local.index import LocalIndex, open_index
from retrieval.parsing import worker as module
from retrieval.ranking.analysis import Analyzer
from retrieval.sources.files import Source
from retrieval.sync import SyncReport, sync
from tests.fakes import FakeEmbedder
from tests.processes import start_python
from tests.retrieval.parsing.misbehaving import PROGRAM
from tests.retrieval.parsing.test_worker import wait_until_ended
from tests.security.bombs import pdf_packed_twice

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc, and memory is limited as Linux does")

SYNC = f"""
import json, sys
from pathlib import Path
from retrieval.index.local.index import open_index
from retrieval.parsing import worker
from retrieval.ranking.analysis import Analyzer
from retrieval.sources.files import Source
from retrieval.sync import sync
from tests.fakes import FakeEmbedder

worker._PROGRAM = {PROGRAM!r}
embedder = FakeEmbedder()
sync([Source("docs", Path(sys.argv[2]))], open_index(Path(sys.argv[1]), embedder, Analyzer()), embedder)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Documents before and after the place of a bad file."""
    docs = tmp_path / "docs"
    docs.mkdir()
    for name in ("a", "b", "y", "z"):
        (docs / f"{name}.md").write_text(f"# Document {name}\n\nIt speaks of leave.")
    return docs


@pytest.fixture
def index(tmp_path: Path) -> Iterator[LocalIndex]:
    with closing(open_index(tmp_path / "state", FakeEmbedder(), Analyzer())) as opened:
        yield opened


def run(index: LocalIndex, folder: Path) -> SyncReport:
    return sync([Source("docs", folder)], index, FakeEmbedder())


def wait_for_lines(file: Path, count: int) -> list[int]:
    """The numbers in a file, as soon as it has so many lines."""
    deadline = time.monotonic() + 60
    while not file.exists() or file.read_text().count("\n") < count:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return [int(line) for line in file.read_text().split()]


GOOD = [f"docs/{name}.md" for name in ("a", "b", "y", "z")]


def test_a_bomb_costs_itself_alone_and_neither_files_before_nor_after_it(index, folder):
    (folder / "m.pdf").write_bytes(pdf_packed_twice())
    report = run(index, folder)
    assert report.added == GOOD
    assert [(document, why.reason) for document, why in report.skipped] == [("docs/m.pdf", "out-of-memory")]
    assert sorted(index.reader.stored("docs")) == GOOD


def test_a_document_goes_whose_new_content_takes_too_much_and_is_tried_again_by_every_sync(index, folder):
    readable = (Path(__file__).parents[2] / "bot/handbook/health-and-safety.pdf").read_bytes()
    (folder / "m.pdf").write_bytes(readable)
    run(index, folder)
    (folder / "m.pdf").write_bytes(pdf_packed_twice())
    assert run(index, folder).deleted == ["docs/m.pdf"]
    assert "docs/m.pdf" not in index.reader.stored("docs")
    assert [document for document, _ in run(index, folder).skipped] == ["docs/m.pdf"]
    (folder / "m.pdf").write_bytes(readable)
    assert run(index, folder).added == ["docs/m.pdf"]


def test_a_killed_worker_costs_the_file_that_it_parses_alone(index, folder, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_PROGRAM", PROGRAM)
    (folder / "m.txt").write_text(f"wait {tmp_path / 'notes'}")
    reports: list[SyncReport] = []
    thread = threading.Thread(target=lambda: reports.append(run(index, folder)))
    thread.start()
    for attempt in (1, 2):  # the second time in a fresh worker, since the first one had parsed others before
        os.kill(wait_for_lines(tmp_path / "notes", attempt)[-1], signal.SIGKILL)
    thread.join(60)
    (report,) = reports
    assert report.added == GOOD
    assert [(document, why.reason) for document, why in report.skipped] == [("docs/m.txt", "out-of-memory")]


@pytest.mark.parametrize("kill", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_what_was_read_before_a_killed_sync_is_kept_and_the_rest_comes_with_the_next_one(
    index, folder, tmp_path, monkeypatch, kill
):
    (folder / "m.txt").write_text(f"wait {tmp_path / 'notes'}")
    with start_python(SYNC, str(tmp_path / "state"), str(folder), stderr=subprocess.DEVNULL) as started:
        (worker,) = wait_for_lines(tmp_path / "notes", 1)
        deadline = time.monotonic() + 60
        while sorted(index.reader.stored("docs")) != GOOD[:2]:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        started.send_signal(kill)
        started.wait(60)
    assert wait_until_ended(worker)
    assert sorted(index.reader.stored("docs")) == GOOD[:2]
    (folder / "m.txt").write_text("say more")
    monkeypatch.setattr(module, "_PROGRAM", PROGRAM)
    report = run(index, folder)
    assert (report.unchanged, report.added) == (2, ["docs/m.txt", *GOOD[2:]])


def test_a_sync_leaves_no_process_and_no_thread_behind(index, folder):
    threads, processes = set(threading.enumerate()), children()
    run(index, folder)
    assert set(threading.enumerate()) <= threads
    assert children() <= processes


def children() -> set[str]:
    """The ids of the processes that this one has started and that still run."""
    found = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    return {each for file in found for each in file.read_text().split()}
