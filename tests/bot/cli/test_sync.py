"""`footnote sync`: what it is about, its report, and when it ends with 1."""

import json
from pathlib import Path

import pytest

from retrieval.errors import SourceUnusable
from retrieval.parsing.protocol import Skipped
from retrieval.sources.files import Source
from retrieval.sync import SyncReport
from tests.bot.cli.conftest import told

SUMMARY = "1 added, 1 changed, 1 deleted, 4 unchanged, 1 skipped; 12 passages in 1.5 s"


@pytest.fixture
def report(house) -> SyncReport:
    made = SyncReport(
        added=["d/a.md"],
        changed=["d/b.md"],
        deleted=["d/c.md"],
        unchanged=4,
        skipped=[("d/e.pdf", Skipped("encrypted", "it asks for a password"))],
        passages=12,
        seconds=1.5,
    )
    house.report = made
    return made


@pytest.fixture
def docs(folder: Path) -> Path:
    (folder / "docs").mkdir()
    return folder / "docs"


def test_the_json_is_the_report_and_notes_go_to_stderr(run, report, docs):
    result = run("sync", str(docs), "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {
        "added": ["d/a.md"],
        "changed": ["d/b.md"],
        "deleted": ["d/c.md"],
        "unchanged": 4,
        "skipped": [{"document": "d/e.pdf", "reason": "encrypted", "detail": "it asks for a password"}],
        "passages": 12,
        "seconds": 1.5,
    }
    assert result.stderr.splitlines() == ["skipped d/e.pdf: encrypted (it asks for a password)", SUMMARY]


def test_without_json_stdout_stays_empty(run, report, docs):
    result = run("sync", str(docs))
    assert (result.exit_code, result.stdout) == (0, "")
    assert SUMMARY in result.stderr


def test_problems_end_with_1_after_the_report(run, report, docs):
    report.problems = ["the source 'a' is missing", "the source 'b' is suddenly empty"]
    result = run("sync", str(docs), "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["passages"] == 12
    assert result.stderr.splitlines()[-2:] == [f"footnote: {problem}" for problem in report.problems]


def test_paths_become_sources(run, house, docs):
    run("sync", "docs", "--source", "wiki", "--allow-empty")
    assert house.asked == [{"sources": [Source("wiki", docs)], "allow_empty": True}]


def test_without_paths_the_configured_sources_are_meant(run, house, docs, folder):
    (folder / "footnote.toml").write_text('[[sources]]\nname = "hr"\npath = "docs"', encoding="utf-8")
    run("sync")
    assert house.asked == [{"sources": [Source("hr", docs)], "allow_empty": False}]


def test_a_source_can_be_forgotten(run, house, report):
    result = run("sync", "--remove", "hr", "--json")
    assert (result.exit_code, json.loads(result.stdout)["deleted"]) == (0, ["d/c.md"])
    assert house.asked == [{"remove": "hr"}]


def test_an_unknown_source_cannot_be_forgotten(run, house):
    house.failure = SourceUnusable("no source is called 'hr'; known: none")
    assert told(run("sync", "--remove", "hr"), 1) == "no source is called 'hr'; known: none"


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["--remove", "hr", "docs"], id="remove-with-path"),
        pytest.param(["--remove", "hr", "--source", "it"], id="remove-with-source"),
        pytest.param(["--remove", "hr", "--allow-empty"], id="remove-with-allow-empty"),
        pytest.param(["--source"], id="source-without-name"),
    ],
)
def test_options_that_do_not_go_together_are_bad_usage(run, house, docs, arguments):
    result = run("sync", *arguments)
    assert (result.exit_code, result.stdout, house.asked) == (2, "", [])


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        pytest.param([], "nothing to sync", id="nothing"),
        pytest.param(["--source", "hr"], "no source is called 'hr'", id="unknown-source"),
        pytest.param(["docs", "more", "--source", "hr"], "--source names one path", id="one-name-for-two"),
        pytest.param(["docs", "other/docs"], "the source name 'docs' already stands for", id="two-of-one-name"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_line_with_2(run, house, docs, arguments, why):
    assert why in told(run("sync", *arguments), 2)
    assert house.asked == []
