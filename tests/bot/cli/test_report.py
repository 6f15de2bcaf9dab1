"""`footnote report`: on a terminal, as JSON and as a page, over a real index and store."""

import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from click.testing import Result

from bot.app import bootstrap
from bot.reports.feedback_page import feedback_page
from tests import ROOT
from tests.bot.cli.command_line import error_line, footnote, printed_json
from tests.fakes import FakeEmbedder

LEAVE = "# Leave\n\n## Carry-over\n\nFive days of leave may be carried over into the next year.\n"
QUESTION = "How many days of leave may be carried over?"
UNKNOWN = "Where is the bicycle shed?"


def run(*arguments: str) -> Result:
    return footnote("--debug", *arguments, bootstrap=partial(bootstrap, embedder=FakeEmbedder()))


def read(*arguments: str) -> Any:
    return printed_json(run(*arguments, "--json"))


def ask(text: str, user: str) -> str:
    return str(read("ask", text, "--user", user)["id"])


def vote(answer: str, user: str, *arguments: str) -> None:
    assert run("vote", answer, *arguments, "--user", user).exit_code == 0


@pytest.fixture
def handbook(folder):
    (folder / "handbook").mkdir()
    (folder / "handbook" / "leave.md").write_text(LEAVE, encoding="utf-8")
    (folder / "footnote.toml").write_text(
        'confidence_threshold = 0.0\n[[sources]]\nname = "handbook"\npath = "handbook"\n'
        'owner = "The <b>People</b> team"\n',
        encoding="utf-8",
    )
    assert read("sync")["added"] == ["handbook/leave.md"]
    return folder


@pytest.fixture
def voted(handbook):
    """Three people against an answer, one for it."""
    for user, reason in (("ada@example.com", "wrong"), ("bob@example.com", "wrong"), ("cy@example.com", "tone")):
        answer = ask(QUESTION, user)
        vote(answer, user, "down", "--reason", reason, "--comment", "Ask Zoe.")
    vote(answer, "dee@example.com", "up")
    return handbook


def test_an_empty_store_is_a_friendly_line(folder):
    result = run("report")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == (
        "Nothing was asked yet. `footnote ask TEXT` and `footnote chat` remember what they answer.\n"
    )
    assert run("report", "--since", "2026-01-01").stdout.startswith("Nothing was asked in this time yet.")
    assert read("report")["answers"] == 0


def test_votes_become_satisfaction_failing_sections_and_a_diagnosis(voted):
    figures = read("report")
    assert (figures["answers"], figures["up"], figures["down"], figures["askers"]) == (3, 1, 3, 3)
    (failing,) = figures["failing"]
    assert (failing["document"], failing["anchor"], failing["owner"], failing["since"]) == (
        "handbook/leave.md",
        "carry-over",
        "The <b>People</b> team",
        "same",
    )
    assert {each["class"]: each["down"] for each in figures["diagnosis"]["classes"] if each["down"]} == {
        "wrong-answer": 2,
        "tone-or-format": 1,
    }


def test_a_section_that_was_changed_since_makes_the_complaint_one_about_knowledge(voted):
    (voted / "handbook" / "leave.md").write_text(LEAVE.replace("Five", "Six"), encoding="utf-8")
    assert read("sync")["changed"] == ["handbook/leave.md"]
    figures = read("report")
    assert (figures["diagnosis"]["knowledge"], figures["diagnosis"]["behaviour"]) == (2, 1)
    assert figures["failing"][0]["since"] == "changed"


def test_a_terminal_gets_tables(voted):
    result = run("report")
    assert (result.exit_code, result.stderr) == (0, "")
    for part in ("Satisfaction 25% (5% to 70%)", "Failing sections", "Leave > Carry-over", "Is tuning worth it?"):
        assert part in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 110
    assert not re.search("[\x00-\x09\x0b-\x1f]", result.stdout)


def test_gaps_are_quoted_from_two_people_on_or_as_asked(handbook):
    (handbook / "footnote.toml").write_text("confidence_threshold = 1.0", encoding="utf-8")
    ask(UNKNOWN, "ada@example.com")
    assert UNKNOWN not in run("report").stdout
    assert UNKNOWN in run("report", "--min-askers", "1").stdout
    ask(UNKNOWN, "bob@example.com")
    assert UNKNOWN in run("report").stdout


def test_only_answers_of_the_time_that_was_named_are_counted(voted):
    today = datetime.now(UTC).date()
    tomorrow = str(today + timedelta(days=1))
    assert read("report", "--since", str(today - timedelta(days=1)), "--until", tomorrow)["answers"] == 3
    assert read("report", "--since", tomorrow)["answers"] == 0
    assert read("report", "--until", f"{today - timedelta(days=1)}T00:00:00+02:00")["answers"] == 0


def test_the_page_is_whole_safe_and_names_nobody(voted):
    result = run("report", "--html", "r.html")
    assert "written: r.html" in result.stderr
    html = (voted / "r.html").read_text(encoding="utf-8")
    assert html == feedback_page(read("report"))
    assert "The &lt;b&gt;People&lt;/b&gt; team" in html
    ET.fromstring(html[html.index("<main>") : html.index("</body>")])
    assert re.search(r"(?:\bsrc|href|url|\bon\w+|\sstyle)\s*[=(]|<script|@import", html) is None
    for secret in ("example.com", "Zoe", *re.findall(r"[0-9a-f]{64}", html)):
        assert secret not in html


def test_without_an_index_satisfaction_is_shown_and_nothing_diagnosed(voted):
    assert read("sync", "--remove", "handbook")["deleted"]
    figures = read("report")
    assert (figures["answers"], figures["failing"], figures["closed"]["failing"]) == (3, [], 1)
    assert (figures["diagnosis"]["diagnosed"], figures["diagnosis"]["left_out"]) == (0, 3)
    shown = run("report", "--html", "r.html").stdout
    assert "Nothing is indexed" in shown
    assert "What the thumbs-down are about" not in shown + (voted / "r.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        pytest.param(["--since", "yesterday"], "2026-03-01", id="no-day"),
        pytest.param(["--since", "2026-03-02", "--until", "2026-03-01"], "before --until", id="backwards"),
        pytest.param(["--min-askers", "0"], "--min-askers", id="nobody"),
        pytest.param(["--html", "nowhere/r.html"], "does not exist", id="no-folder"),
    ],
)
def test_wrong_options_end_with_status_2(folder, arguments, line):
    result = run("report", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert line in result.stderr


def test_a_store_that_cannot_be_read_ends_in_one_line(folder):
    (folder / ".footnote").mkdir()
    (folder / ".footnote" / "feedback.db").write_text("no database " * 100, encoding="utf-8")
    assert "feedback.db" in error_line(run("report"), 1)


def test_the_templates_wait_for_a_page_to_be_made():
    code = "import sys, bot.cli.report, bot.cli.evaluate, bot.reports.feedback_text; print('jinja2' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
