"""What is installed with Footnote, and what its own distribution holds."""

import re
import subprocess
import sys
import tomllib
import zipfile
from collections import deque
from importlib.metadata import Distribution, PackageNotFoundError, distribution, version

import pytest
from click.testing import CliRunner
from packaging.requirements import Requirement

from bot.cli import main
from tests import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

# Copyleft that reaches whoever links to it; the lesser kind is listed too, so that each is looked at.
COPYLEFT = re.compile(r"\b[AL]?GPL|Affero|(?:Lesser )?General Public", re.IGNORECASE)
# Distributions whose metadata names a copyleft licence although we may use them as we do, and why.
LOOKED_AT: dict[str, str] = {
    # A choice of licences, of which one is copyleft and one is not, would stand here with the one we take.
}
# torch's builds for Linux bring NVIDIA's CUDA libraries, which are proprietary and free to use: they are no copyleft,
# we never redistribute them, and PyTorch's build for processors goes without (README, "Try it").
PROPRIETARY = re.compile(r"nvidia-|cuda-")


def installed() -> Distribution:
    try:
        return distribution("footnote-bot")
    except PackageNotFoundError:
        pytest.fail("footnote-bot is not installed here: sh deploy/setup --dev")


def test_the_version_stands_in_one_place():
    assert version("footnote-bot") == PROJECT["project"]["version"]
    assert (
        CliRunner().invoke(main, ["--version"], prog_name="footnote").output
        == f"footnote {PROJECT['project']['version']}\n"
    )
    places = [path for path in ROOT.glob("[bfr]*/**/*.py") if PROJECT["project"]["version"] in path.read_text("utf-8")]
    assert places == []


def test_the_wheel_holds_the_three_packages_and_nothing_else(tmp_path):
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("footnote_bot-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    top = {name.split("/")[0] for name in names}
    assert {name for name in top if not name.endswith(".dist-info")} == {"bot", "retrieval", "feedback"}
    data = {"bot/handbook/leave.md", "retrieval/ranking/everyday/english.txt"}
    assert {"bot/py.typed", "retrieval/py.typed", "feedback/py.typed", *data} <= set(names)
    assert not [name for name in names if "__pycache__" in name or name.endswith(".pyc")]
    assert [name for name in names if name.endswith("/licenses/LICENSE")]


def closure(root: str) -> dict[str, Distribution]:
    """What is installed here of what our distribution asks for, extras included, and what that asks for."""
    found: dict[str, Distribution] = {}
    waiting = deque([(root, frozenset(PROJECT["project"]["optional-dependencies"]))])
    seen = set()
    while waiting:
        name, extras = waiting.popleft()
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        try:
            found[name] = distribution(name)
        except PackageNotFoundError:
            continue  # an extra that is not installed here, or a requirement of another platform
        for line in found[name].requires or ():
            wanted = Requirement(line)
            if not wanted.marker or any(wanted.marker.evaluate({"extra": extra}) for extra in ("", *extras)):
                waiting.append((re.sub(r"[-_.]+", "-", wanted.name).lower(), frozenset(wanted.extras)))
    return found


def licence(package: Distribution) -> str:
    """What the metadata says: the SPDX expression, else the short form, else the classifiers; empty for nothing."""
    said = package.metadata.json
    short = next(iter(str(said.get("license", "")).strip().splitlines()), "")
    classified = [line.rsplit(" :: ", 1)[-1] for line in said.get("classifier", ()) if line.startswith("License")]
    return "; ".join(filter(None, [str(said.get("license_expression", "")), short[:80], *classified]))


def test_what_is_installed_with_us_is_permissively_licensed():
    installed()
    packages = closure("footnote-bot")
    assert len(packages) > 20
    said = {name: licence(package) for name, package in packages.items() if not PROPRIETARY.match(name)}
    copyleft = {name: text for name, text in said.items() if COPYLEFT.search(text) and name not in LOOKED_AT}
    assert copyleft == {}, "a copyleft licence: take another package, or say in LOOKED_AT why it may be used"
    silent = [name for name, text in said.items() if not text and not licence_file(packages[name])]
    assert silent == [], "packages that do not say how they are licensed"


def licence_file(package: Distribution) -> bool:
    return any(re.match(r"(licen[cs]e|copying)", file.name, re.IGNORECASE) for file in package.files or ())
