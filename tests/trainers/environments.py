"""Virtual environments for trainers, made once and kept below the folder in which servers for tests are kept."""

import hashlib
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest
from filelock import FileLock

from tests.servers.elastic.installation import folder
from tests.servers.elastic.processes import variable

READY = "ready"


@cache
def python(name: str, *steps: tuple[str, ...], beside: bool = False) -> Path:
    """The interpreter of an environment in which pip was given each of these steps; skips where pip reaches nothing.

    One that stands `beside` sees what this interpreter has, so that torch is not fetched again.
    """
    digest = hashlib.sha256(repr((steps, beside, sys.version, sys.prefix)).encode()).hexdigest()[:10]
    home = folder() / f"trainer-{name}-{digest}"
    interpreter = home / "bin" / "python"
    try:
        home.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(home.with_name(f"{home.name}.lock")):
            if not (home / READY).exists():
                _make(home, interpreter, steps, beside=beside)
    except (OSError, subprocess.SubprocessError) as error:
        problem = (getattr(error, "stderr", "") or str(error)).strip()[-200:]
        pytest.skip(
            f"{name} cannot be installed here ({problem}): run these tests where pip reaches its packages, "
            "with FOOTNOTE_TEST_CACHE set to a folder that may be written to"
        )
    return interpreter


def _make(home: Path, interpreter: Path, steps: Sequence[tuple[str, ...]], *, beside: bool) -> None:
    _run(sys.executable, "-m", "venv", "--clear", str(home))
    if beside:
        here = sysconfig.get_paths()["purelib"]
        place = subprocess.check_output(
            [interpreter, "-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])"], text=True
        )
        Path(place.strip(), "beside.pth").write_text(here + "\n", encoding="utf-8")
    for step in steps:
        _run(str(interpreter), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *step)
    (home / READY).touch()


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=1500)


def run(interpreter: Path, *command: str, cwd: Path) -> str:
    """What a program says on both channels; it reaches no network, and a failure is the test's."""
    offline = {
        "PATH": variable("PATH"),
        "HOME": str(cwd),
        "HF_HOME": str(cwd / "hub"),
        "HF_HUB_OFFLINE": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "CUDA_VISIBLE_DEVICES": "",
    }
    done = subprocess.run(
        [str(interpreter), *command], cwd=cwd, env=offline, capture_output=True, text=True, timeout=500, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout + done.stderr
