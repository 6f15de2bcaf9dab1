"""Threat: a small file that takes gigabytes or minutes to read.

Whoever may put a file into a source could end the sync of everybody. Each file is read by a worker with limits, and
costs itself alone.
"""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from retrieval.parsing.registry import parse
from tests.processes import start_python
from tests.security.bombs import BOUNDED, EITHER, MIB, STOPPED, Bombs

MEMORY = 256 * MIB
# Beside the data that is limited: programs and libraries.
BESIDE = 64 * MIB

READ = """
import json, resource, sys
from pathlib import Path
from retrieval.parsing.protocol import Skipped
from retrieval.parsing.worker import ParserWorker, WorkerLimits

def highest():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))

limits = WorkerLimits(memory=int(sys.argv[1]), processor=int(sys.argv[2]))
for line in sys.stdin:
    file = Path(line.strip())
    data = file.read_bytes()
    before = highest()
    with ParserWorker(limits) as worker:
        result = worker.parse(file.name, data)
    outcome = [result.reason, result.detail] if isinstance(result, Skipped) else ["parsed", len(result.text)]
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    print(json.dumps([*outcome, peak, highest() - before]), flush=True)
"""

Read = tuple[str, Any, int, int]
"""What became of a file and its detail or size, the most bytes that a worker held, and what its parent took."""


def read(bombs: dict[str, Bombs], folder: Path, *, processor: int) -> dict[str, Read]:
    """Read each bomb in a small process, whose workers are all that it starts."""
    process = start_python(READ, str(MEMORY), str(processor), stdin=-1)
    assert process.stdin is not None
    assert process.stdout is not None
    found = {}
    with process:
        for suffix, kinds in bombs.items():
            for kind in kinds:
                file = folder / f"{kind.__name__}{suffix}"
                file.write_bytes(kind())
                process.stdin.write(f"{file}\n")
                process.stdin.flush()
                found[file.name] = tuple(json.loads(process.stdout.readline()))
                file.unlink()
        process.stdin.close()
    return found


def names(bombs: dict[str, Bombs]) -> list[str]:
    return [f"{kind.__name__}{suffix}" for suffix, kinds in bombs.items() for kind in kinds]


@pytest.fixture(scope="module")
def bounded(tmp_path_factory) -> dict[str, Read]:
    return read(BOUNDED, tmp_path_factory.mktemp("bounded"), processor=60)


@pytest.fixture(scope="module")
def stopped(tmp_path_factory) -> dict[str, Read]:
    return read(STOPPED, tmp_path_factory.mktemp("stopped"), processor=2)


@pytest.fixture(scope="module")
def either(tmp_path_factory) -> dict[str, Read]:
    return read(EITHER, tmp_path_factory.mktemp("either"), processor=2)


pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="memory is limited and measured as Linux does"),
    pytest.mark.timeout(900),
]


@pytest.mark.parametrize("name", names(BOUNDED))
def test_what_a_parser_bounds_itself_is_read_or_named_without_reaching_a_limit(bounded, name):
    outcome, detail, peak, parent = bounded[name]
    assert outcome in {"parsed", "no-text", "malformed", "too-large"}, detail
    assert peak < MEMORY + BESIDE
    assert parent < BESIDE


@pytest.mark.parametrize("name", names(STOPPED))
def test_what_takes_too_much_is_stopped_and_named(stopped, name):
    outcome, detail, peak, parent = stopped[name]
    assert outcome in {"out-of-memory", "timed-out"}, detail
    assert peak < MEMORY + BESIDE
    assert parent < BESIDE


@pytest.mark.parametrize("name", names(EITHER))
def test_whatever_becomes_of_what_takes_long_it_stays_within_the_limits(either, name):
    _, _, peak, parent = either[name]
    assert peak < MEMORY + BESIDE
    assert parent < BESIDE


@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        ("word_of_much_text.docx", "too-large"),
        ("word_that_lies_about_its_size.docx", "malformed"),
        ("word_packed_in_another_way.docx", "malformed"),
        ("word_of_style_chains.docx", "parsed"),
        ("word_of_deep_lists.docx", "parsed"),
        ("newlines.md", "too-large"),
        ("newlines.txt", "too-large"),
    ],
)
def test_the_reason_is_what_is_wrong(bounded, name, outcome):
    assert bounded[name][0] == outcome


def test_a_text_longer_than_any_document_is_named_before_the_rest_is_read():
    result = parse("long.txt", b"word " * 4 * MIB)
    assert getattr(result, "reason", "") == "too-large"


def test_more_paragraphs_than_any_document_has_are_named_before_the_rest_is_read():
    result = parse("many.txt", b"word\n\n" * 250_000)
    assert getattr(result, "reason", "") == "too-large"
