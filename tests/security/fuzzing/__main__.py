"""Fuzzes one target with coverage as its guide: `python -m tests.security.fuzzing TARGET --seconds N` (Linux).

What it finds interesting goes to a work folder, what fails into the kept corpus of the target, where the quick tests
try it for ever after. Exit status 0 where nothing was found.
"""

import argparse
import sys
from pathlib import Path

import atheris

CORPUS = Path(__file__).parent / "corpus"
LONGEST_INPUT = 16 * 1024
# One input may take so many seconds, and the process so many MiB.
SECONDS, MEBIBYTES = 10, 4096


def main() -> None:
    """Read the command line and fuzz; does not return, as the fuzzer ends the process."""
    parser = argparse.ArgumentParser(prog="python -m tests.security.fuzzing", description=__doc__)
    parser.add_argument("target")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--work", type=Path, required=True, help="folder for inputs that reach new code")
    given = parser.parse_args()
    with atheris.instrument_imports(include=["bot", "retrieval", "feedback"]):
        from tests.security.fuzzing.targets import TARGETS
    kept = CORPUS / given.target
    kept.mkdir(parents=True, exist_ok=True)
    given.work.mkdir(parents=True, exist_ok=True)
    atheris.Setup(
        [
            sys.argv[0],
            f"-max_total_time={given.seconds}",
            f"-max_len={LONGEST_INPUT}",
            f"-timeout={SECONDS}",
            f"-rss_limit_mb={MEBIBYTES}",
            f"-artifact_prefix={kept}/",
            "-print_final_stats=1",
            str(given.work),
            str(kept),
        ],
        TARGETS[given.target],
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main()
