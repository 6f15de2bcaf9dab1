"""What stands on the command line and is none of what it should be, and disks that are full, end in one line."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.bot.cli.command_line import footnote
from tests.processes import start_python

HALF = "caf\udce9"
# The command over an app whose embedding is a stand-in.
CODE = """
from bot.cli import main
from bot.cli.invocation import Invocation
from tests.bot.local_app import local_app

main(obj=Invocation(bootstrap=local_app), prog_name="footnote")
"""


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["ask", f"How many {HALF}?"], id="question"),
        pytest.param(["search", HALF], id="search"),
        pytest.param(["ask", "How many?", "--user", f"{HALF}@example.com"], id="user"),
        pytest.param(["ask", "How many?", "--conversation", HALF], id="conversation"),
        pytest.param(["vote", "a", "down", f"--comment={HALF}"], id="comment"),
        pytest.param(["forget", HALF], id="forget"),
        pytest.param(["show", HALF], id="document"),
    ],
)
def test_half_a_character_is_named_in_one_line(run, arguments):
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "half a character" in result.stderr.splitlines()[-1]


def test_a_file_may_be_named_in_any_way(folder):
    (folder / HALF).mkdir()
    (folder / HALF / "leave.md").write_text("# Leave\n", encoding="utf-8")
    result = footnote("sync", HALF, "--help")
    assert result.exit_code == 0


@pytest.mark.parametrize("user", ["not a user", "ada lovelace@example.com", "slack:", "a\tb", "a\x1b[31m"])
@pytest.mark.parametrize(
    "command", [["ask", "How many?"], ["vote", "a", "up"], ["review", "--json"], ["chat"]], ids=str
)
def test_who_is_nobody_is_not_taken(run, command, user):
    result = run(*command, "--user", user)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "give an e-mail address, slack:ID, teams:ID or one name" in result.stderr


@pytest.mark.parametrize("group", ["", " ", "a\nb"])
@pytest.mark.parametrize("command", [["ask", "How many?"], ["search", "How many?"], ["chat"]], ids=str)
def test_a_group_that_is_none_is_not_taken(run, command, group):
    result = run(*command, "--group", group)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "give the name of a group" in result.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("command", [["feedback", "dump"], ["report"], ["ask", "leave", "--json"], ["doctor"]], ids=str)
def test_an_output_that_is_full_is_told_in_one_line(folder, command):
    (folder / "docs").mkdir()
    (folder / "docs" / "leave.md").write_text("# Leave\n\nYou get 26 days of leave a year.\n", encoding="utf-8")
    with start_python(CODE, "sync", "docs", cwd=folder, stderr=subprocess.DEVNULL) as process:
        assert process.wait(60) == 0
    with Path("/dev/full").open("w") as full:
        process = start_python(CODE, *command, cwd=folder, stdout=full, stderr=subprocess.PIPE)
        _, told = process.communicate(timeout=60)
    assert process.returncode == 1
    (line,) = told.splitlines()
    assert line.startswith("footnote: ")
    assert "No space left on device" in line


FULL_DISK = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits the size of files as POSIX does")
def test_an_export_that_does_not_fit_is_told_in_one_line(folder):
    with start_python(CODE, "report", cwd=folder, stderr=subprocess.DEVNULL) as process:
        assert process.wait(60) == 0
    arguments = ("export", "--format", "trl-sft", "--out", "out")
    process = start_python(FULL_DISK + CODE, *arguments, cwd=folder, stderr=subprocess.PIPE)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 1
    (line,) = told.splitlines()
    assert "unexpected" not in line
    assert not (folder / "out").exists()
