"""A file costs itself alone: what becomes of it when its parser dies, takes too much, or answers nonsense."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from retrieval.errors import ParserUnavailable
from retrieval.parsing import worker as module
from retrieval.parsing.protocol import Parsed, Skipped
from retrieval.parsing.registry import parse
from retrieval.parsing.worker import ParserWorker, WorkerLimits
from tests import ROOT
from tests.processes import start_python
from tests.retrieval.parsing.misbehaving import PROGRAM

MIB = 1024 * 1024
LIMITS = WorkerLimits(memory=200 * MIB, processor=1, seconds=20, answer=1 * MIB)
HANDBOOK = sorted(path for path in (ROOT / "bot" / "handbook").rglob("*") if path.is_file())


@pytest.fixture
def misbehaving(monkeypatch):
    """A worker whose parser of `.txt` does what the file says."""
    monkeypatch.setattr(module, "_PROGRAM", PROGRAM)
    with ParserWorker(LIMITS) as worker:
        yield worker


def run(worker: ParserWorker, command: str) -> str:
    """The text that a file with this command gives, or the reason why there is none."""
    result = worker.parse("a.txt", command.encode())
    return result.text if isinstance(result, Parsed) else result.reason


def is_running(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def wait_until_ended(process: int) -> bool:
    """Whether a process that may not be our own child ends within some seconds."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and is_running(process):
        time.sleep(0.02)
    return not is_running(process)


def test_a_worker_gives_what_the_parser_gives():
    header = "---\ntitle: Leave\nreview: 2027-01-31\naudience: [hr, board]\nowner: People\n---\n"
    text = f"{header}# Leave\n\nSee [travel](travel.md).\n\n- one\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"
    files = {path.name: path.read_bytes() for path in HANDBOOK} | {"all.md": text.encode(), "broken.pdf": b"%PDF-1.7"}
    with ParserWorker() as worker:
        for name, data in files.items():
            assert worker.parse(name, data) == parse(name, data)


def test_what_no_parser_would_be_given_starts_no_worker():
    with ParserWorker() as worker:
        assert worker.parse("song.mp3", b"la") == parse("song.mp3", b"la")
        assert worker.parse("empty.md", b"") == parse("empty.md", b"")
        assert worker._process is None


def test_one_worker_parses_one_file_after_the_other(misbehaving):
    assert run(misbehaving, "pid") == run(misbehaving, "pid") != str(os.getpid())


def test_a_worker_loads_no_model_and_no_parser_before_it_needs_one(misbehaving):
    loaded = set(run(misbehaving, "modules").split())
    assert not loaded & {"torch", "numpy", "sentence_transformers", "lxml", "docx", "pypdfium2", "markdown_it", "bot"}


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("die SIGSEGV", "malformed"),
        ("die SIGABRT", "out-of-memory"),
        ("die SIGKILL", "out-of-memory"),
        ("exit 0", "malformed"),
        ("exit 3", "malformed"),
        ("spin", "timed-out"),
        ("fill", "out-of-memory"),
        ("write 2000000", "too-large"),
        ("half", "malformed"),
        ("send-garbage", "malformed"),
        ("send-another-type", "malformed"),
        ("announce 1000000000000", "too-large"),
        ("announce 18446744073709551615", "too-large"),
    ],
)
def test_each_way_to_fail_costs_that_file_alone(misbehaving, command, reason):
    assert run(misbehaving, "say before") == "before"
    assert run(misbehaving, command) == reason
    assert run(misbehaving, "say after") == "after"


@pytest.mark.parametrize("command", ["wait", "announce 1000"])
def test_a_worker_that_does_nothing_is_not_waited_for_longer_than_the_limit(monkeypatch, command):
    monkeypatch.setattr(module, "_PROGRAM", PROGRAM)
    with ParserWorker(WorkerLimits(seconds=1)) as worker:
        assert run(worker, command) in {"timed-out", "malformed"}
        assert run(worker, "say after") == "after"


def test_a_file_that_dies_of_one_before_it_is_read_by_a_fresh_worker(misbehaving, tmp_path):
    marker = tmp_path / "marker"
    assert run(misbehaving, "say before") == "before"
    marker.touch()
    assert run(misbehaving, f"die-unless-first {marker}") == "first"


def test_a_worker_that_was_killed_between_two_files_is_replaced(misbehaving):
    os.kill(int(run(misbehaving, "pid")), signal.SIGKILL)
    assert run(misbehaving, "say after") == "after"


def test_a_file_does_not_pay_for_the_memory_of_those_before_it(monkeypatch):
    monkeypatch.setattr(module, "_PROGRAM", PROGRAM)
    with ParserWorker() as worker:
        first = run(worker, "pid")
        assert run(worker, "use 300") == str(300 * MIB)
        assert run(worker, "pid") != first


def test_what_a_parser_prints_is_no_answer(misbehaving, capfd):
    assert run(misbehaving, "print") == "done"
    assert capfd.readouterr() == ("", "")


def test_a_worker_that_does_not_start_is_an_error_and_no_reason_to_skip_a_file(monkeypatch):
    monkeypatch.setattr(module, "_PROGRAM", "raise SystemExit(3)")
    with ParserWorker() as worker, pytest.raises(ParserUnavailable, match="ended at once, with status 3"):
        worker.parse("a.md", b"Text")
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with ParserWorker() as worker, pytest.raises(ParserUnavailable, match="no process starts for it"):
        worker.parse("a.md", b"Text")


def test_a_closed_worker_ends_even_while_it_parses_and_is_not_started_again(misbehaving, tmp_path):
    notes, results = tmp_path / "notes", []

    def parse_for_ever() -> None:
        try:
            results.append(misbehaving.parse("a.txt", f"wait {notes}".encode()))
        except ParserUnavailable as error:
            results.append(error)

    run(misbehaving, "say before")
    thread = threading.Thread(target=parse_for_ever)
    thread.start()
    while not notes.exists() or not notes.read_text().endswith("\n"):
        time.sleep(0.02)
    misbehaving.close()
    thread.join(20)
    assert len(results) == 1
    assert isinstance(results[0], ParserUnavailable | Skipped)
    assert not is_running(int(notes.read_text()))
    with pytest.raises(ParserUnavailable):
        misbehaving.parse("a.md", b"Text")


PARENT = f"""
import sys
from retrieval.parsing import worker as module
module._PROGRAM = {PROGRAM!r}
with module.ParserWorker() as worker:
    print(worker.parse("a.txt", b"pid").text, flush=True)
    if sys.argv[1] == "busy":
        worker.parse("a.txt", b"spin")
    sys.stdin.read()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("state", ["idle", "busy"])
@pytest.mark.parametrize("kill", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_no_worker_outlives_its_parent(state, kill):
    with start_python(PARENT, state, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        time.sleep(0.1)
        parent.send_signal(kill)
        parent.wait(20)
    assert wait_until_ended(worker)
