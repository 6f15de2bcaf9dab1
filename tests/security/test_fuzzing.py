"""Threat: an input that nobody thought of. What fuzzing found stays mended, and the full tier goes on looking."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.security.fuzzing import targets

CORPUS = Path(targets.__file__).parent / "corpus"
SECONDS = int(os.environ.get("FOOTNOTE_TEST_FUZZ_SECONDS") or 1200)  # noqa: TID251 - FOOTNOTE_TEST_* belongs to the tests
# Starting, and the last input.
GRACE = 120


@pytest.fixture(scope="module", autouse=True)
def _closed():
    yield
    targets.OPEN.close()


@pytest.mark.parametrize("target", targets.TARGETS)
def test_what_fuzzing_found_stays_mended(target):
    kept = sorted((CORPUS / target).iterdir())
    assert kept, "each target begins from some kept input"
    for path in kept:
        targets.TARGETS[target](path.read_bytes())


@pytest.mark.full
@pytest.mark.timeout(SECONDS + 2 * GRACE)
@pytest.mark.skipif(sys.platform != "linux", reason="the fuzzer runs on Linux; run it there: tests/run --full")
@pytest.mark.parametrize("target", targets.TARGETS)
def test_fuzzing_finds_no_crash_no_growth_and_no_leak(target, tmp_path):
    found = subprocess.run(
        [sys.executable, "-m", "tests.security.fuzzing", target, "--seconds", str(SECONDS), "--work", tmp_path / "w"],
        capture_output=True,
        timeout=SECONDS + GRACE,
        check=False,
    )
    assert found.returncode == 0, found.stderr.decode(errors="replace")[-4000:]
