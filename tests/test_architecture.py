"""The rules of the structure: who imports whom, what stays in which folder, how big a class is, how quick a start."""

import ast
import importlib
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from bot.cli import COMMANDS, RESERVED, main
from tests import ROOT

PACKAGES = ("bot", "retrieval", "feedback")
HEAVY = (
    "torch transformers sentence_transformers pydantic slack_bolt elasticsearch redis langchain_core lxml docx numpy "
    "starlette uvicorn prometheus_client jinja2 msgspec"
)
MOST_METHODS = 20
CHANNELS = ("slack", "teams")
# Words of Slack that name no other channel: a setting, a method of its Web API, a field of its people.
TEAMS_OF_SLACK = re.compile(r"slack_allowed_teams|auth\.teams\.list")
FIELDS_OF_SLACK = frozenset({"teams"})
# Where a channel may be named besides its own folder: settings, the composition root and the command line.
NAMES_CHANNELS = ("bot/config/", "bot/app.py", "bot/cli/")


def run(*command: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=100, check=False)


def python(code: str, cwd: Path = ROOT) -> str:
    done = run(sys.executable, "-c", code, cwd=cwd)
    assert done.returncode == 0, done.stderr
    return done.stdout


def invoke(*arguments: str):
    return CliRunner().invoke(main, arguments, prog_name="footnote")


def sources(*packages: str) -> Iterator[tuple[str, ast.Module]]:
    """Every file of these packages, by its path, as a syntax tree."""
    for package in packages or PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield str(path.relative_to(ROOT)), ast.parse(path.read_text(encoding="utf-8"))


def words_of(tree: ast.Module) -> Iterator[str]:
    """Every name and text of a file, its docstrings aside, which explain."""
    explained = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in explained:
            yield node.value


def is_field(path: str, word: str) -> bool:
    """Whether a word is a field of Slack's payloads, where those are read."""
    return path.startswith("bot/channels/slack/") and word in FIELDS_OF_SLACK


def test_no_class_has_more_methods_than_a_reader_can_hold():
    sizes = {
        f"{path}: {node.name}": sum(isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef) for each in node.body)
        for path, tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    assert {name: size for name, size in sizes.items() if size > MOST_METHODS} == {}


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_channel_is_named_in_its_own_folder_alone(channel):
    elsewhere = {
        path
        for path, tree in sources("bot")
        if not path.startswith((f"bot/channels/{channel}/", *NAMES_CHANNELS))
        and any(
            channel in TEAMS_OF_SLACK.sub("", word.casefold()) for word in words_of(tree) if not is_field(path, word)
        )
    }
    assert elsewhere == set()


def test_the_composition_root_alone_makes_services_stores_and_channels():
    # `Channel` and `ThreadState` are values: settings of a channel, and what a channel remembers.
    made = re.compile(r"^(?!Channel$|ThreadState$)[A-Z]\w*(?:Service|Feedback|State|Index|Channel|Pipeline)$")
    elsewhere = {
        (path, node.func.id)
        for path, tree in sources("bot")
        if path != "bot/app.py"
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and made.match(node.func.id)
    }
    assert elsewhere == set()


def test_only_the_settings_read_the_environment():
    readers = {
        path
        for path, tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"}
    }
    assert readers == {"bot/config/settings.py"}


def test_every_folder_of_tests_mirrors_a_package_or_serves_all():
    shared = {"contracts", "conversations", "servers", "benchmarks", "trainers", "cases", "handbook_source", "security"}
    folders = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders - shared == set(PACKAGES)


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


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_a_reserved_command_is_refused_in_one_line(name):
    result = invoke(name, "anything", "--at-all")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"footnote: `footnote {name}` is reserved for a later version\n"


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
