"""What must hold of the whole: direction of imports, quick start, names, packaging, licences, documents."""

import importlib
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections import deque
from importlib.metadata import Distribution, PackageNotFoundError, distribution, version
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from packaging.requirements import Requirement

from bot.cli import COMMANDS, RESERVED, main
from tests import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
HEAVY = (
    "torch transformers sentence_transformers pydantic slack_bolt elasticsearch redis langchain_core lxml docx numpy "
    "starlette uvicorn prometheus_client"
)

# Copyleft that reaches whoever links to it; the lesser kind is listed too, so that each is looked at.
COPYLEFT = re.compile(r"\b[AL]?GPL|Affero|(?:Lesser )?General Public", re.IGNORECASE)
# Distributions whose metadata names a copyleft licence although we may use them as we do, and why.
LOOKED_AT: dict[str, str] = {
    # A choice of licences, of which one is copyleft and one is not, would stand here with the one we take.
}
# torch's builds for Linux bring NVIDIA's CUDA libraries, which are proprietary and free to use: they are no copyleft,
# we never redistribute them, and PyTorch's build for processors goes without (README, "Try it").
PROPRIETARY = re.compile(r"nvidia-|cuda-")


def run(*command: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=100, check=False)


def python(code: str, cwd: Path = ROOT) -> str:
    done = run(sys.executable, "-c", code, cwd=cwd)
    assert done.returncode == 0, done.stderr
    return done.stdout


def invoke(*arguments: str):
    return CliRunner().invoke(main, arguments, prog_name="footnote")


def installed() -> Distribution:
    try:
        return distribution("footnote-bot")
    except PackageNotFoundError:
        pytest.fail("footnote-bot is not installed here: sh deploy/setup --dev")


def test_imports_point_one_way():
    lint = Path(sys.executable).with_name("lint-imports")
    done = run(str(lint) if lint.exists() else shutil.which("lint-imports") or "lint-imports", "--no-cache")
    assert done.returncode == 0, done.stdout + done.stderr


def test_importing_the_packages_loads_nothing_heavy_and_opens_no_connection():
    code = f"""
import socket, sys
def refuse(*_, **__): raise AssertionError("a socket was opened")
socket.socket.__init__ = refuse
import bot, retrieval, feedback, bot.cli
print(*set(sys.modules) & set({HEAVY.split()!r}))
"""
    assert python(code).split() == []


def test_help_imports_click_and_nothing_else():
    code = """
import sys
before = set(sys.modules)
from bot.cli import main
try: main(["--help"], prog_name="footnote")
except SystemExit: pass
third = {name.split(".")[0] for name in set(sys.modules) - before} - set(sys.stdlib_module_names)
print("LOADED", *sorted(name for name in third if not name.startswith("_")))
"""
    assert python(code).splitlines()[-1] == "LOADED bot click"


def test_help_lists_exactly_the_commands_of_this_version():
    result = invoke("--help")
    listed = re.findall(r"^  ([a-z]+)  ", result.output.split("Commands:")[1], re.MULTILINE)
    assert result.exit_code == 0
    assert listed == list(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_that_begins_like_its_line(name):
    module, line = COMMANDS[name]
    command = importlib.import_module(module).command
    assert isinstance(command, click.Command)
    assert command.name == name
    assert (command.help or "").startswith(line)
    result = invoke(name, "--help")
    assert result.exit_code == 0
    assert all(option.help for option in command.params if isinstance(option, click.Option) and not option.hidden)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_is_in_the_readme(name):
    assert f"`footnote {name} " in README or f"`footnote {name}`" in README
    command = importlib.import_module(COMMANDS[name][0]).command
    options = [option for option in command.params if isinstance(option, click.Option) and not option.hidden]
    assert [option.name for option in options if not any(name in README for name in option.opts)] == []


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_a_reserved_command_is_refused_in_one_line(name):
    result = invoke(name, "anything", "--at-all")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"footnote: `footnote {name}` is reserved for a later version\n"
    assert f"footnote {name}" not in README


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["sync", "--watch"], id="watch"),
        pytest.param(["sync", "docs", "--watch"], id="watch-folder"),
    ],
)
def test_a_reserved_option_is_refused_in_one_line(arguments):
    result = invoke(*arguments)
    option = next(argument for argument in arguments if argument.startswith("--"))
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"footnote: `footnote {arguments[0]} {option}` is reserved for a later version\n"
    assert option not in invoke(arguments[0], "--help").output


def test_an_unknown_command_gets_a_suggestion():
    result = invoke("synk")
    assert result.exit_code == 2
    assert "did you mean 'sync'?" in result.stderr


def test_the_version_stands_in_one_place():
    assert version("footnote-bot") == PROJECT["project"]["version"]
    assert invoke("--version").output == f"footnote {PROJECT['project']['version']}\n"
    places = [path for path in ROOT.glob("[bfr]*/**/*.py") if PROJECT["project"]["version"] in path.read_text("utf-8")]
    assert places == []


def test_the_changelog_has_a_place_for_what_comes_next():
    assert "\n## [Unreleased]\n" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_wheel_holds_the_three_packages_and_nothing_else(tmp_path):
    done = run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path))
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("footnote_bot-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    top = {name.split("/")[0] for name in names}
    assert {name for name in top if not name.endswith(".dist-info")} == {"bot", "retrieval", "feedback"}
    assert {"bot/py.typed", "retrieval/py.typed", "feedback/py.typed", "bot/handbook/leave.md"} <= set(names)
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


def test_no_document_names_a_machine_or_a_registry():
    for path in [*ROOT.glob("*.md"), *ROOT.glob("deploy/*"), ROOT / "tests" / "run", ROOT / ".ci" / "run"]:
        if path.is_file():
            text = path.read_text(encoding="utf-8")
            assert not re.search(r"pypi\.org|pythonhosted|index-url|/work/|/home/|localhost", text), path


def test_the_two_commands_of_the_readme_are_those_that_exist():
    commands = re.findall(r"```sh\n(.*?)\n```", README, re.DOTALL)
    assert commands[0] == "sh deploy/setup && .venv/bin/footnote demo"
    assert commands[1] == "sh tests/run"
    assert "sh tests/run" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    for script in ("deploy/setup", "tests/run"):
        assert run("sh", "-n", script).returncode == 0
