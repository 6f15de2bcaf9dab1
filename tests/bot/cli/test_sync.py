"""`footnote sync`: what it is about, its report, and when it ends with 1."""

import json
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bot.app import bootstrap
from retrieval.parsing.protocol import Skipped
from retrieval.sync import SyncReport
from tests.bot.cli.command_line import error_line, footnote, printed_json
from tests.bot.cli.conftest import Run
from tests.fakes import FakeEmbedder

SUMMARY = "1 added, 1 changed, 1 deleted, 4 unchanged, 1 skipped; 12 passages in 1.5 s"


class ScriptedIngestion:
    """An `IngestionService` whose changes end with this report."""

    def __init__(self, report: SyncReport) -> None:
        self.report = report

    def sync(self, paths: Any, *, name: str | None, allow_empty: bool, progress: Any) -> SyncReport:
        progress("reading", 1, 1)
        return self.report


@pytest.fixture
def report() -> SyncReport:
    return SyncReport(
        added=["d/a.md"],
        changed=["d/b.md"],
        deleted=["d/c.md"],
        unchanged=4,
        skipped=[("d/e.pdf", Skipped("encrypted", "it asks for a password"))],
        notes=[("d/inner", Skipped("outside-source", "it belongs to the source 'inner'"))],
        passages=12,
        seconds=1.5,
    )


@pytest.fixture
def scripted(report) -> Run:
    """Runs `footnote` over a service that gives this report."""
    return partial(footnote, bootstrap=lambda _: SimpleNamespace(ingestion=ScriptedIngestion(report)))


@pytest.fixture
def run() -> Run:
    """Runs `footnote` over a real index; only the embedding is a stand-in."""
    return partial(footnote, bootstrap=partial(bootstrap, embedder=FakeEmbedder()))


@pytest.fixture
def docs(folder: Path) -> Path:
    (folder / "docs").mkdir()
    (folder / "docs" / "leave.md").write_text("# Leave\n\nFive days.\n", encoding="utf-8")
    return folder / "docs"


def test_the_json_is_the_report_and_notes_go_to_stderr(scripted, docs):
    result = scripted("sync", str(docs), "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {
        "added": ["d/a.md"],
        "changed": ["d/b.md"],
        "deleted": ["d/c.md"],
        "unchanged": 4,
        "skipped": [{"document": "d/e.pdf", "reason": "encrypted", "detail": "it asks for a password"}],
        "notes": [
            {"document": "d/inner", "reason": "outside-source", "detail": "it belongs to the source 'inner'"},
        ],
        "passages": 12,
        "seconds": 1.5,
    }
    assert result.stderr.splitlines() == [
        "skipped d/e.pdf: encrypted (it asks for a password)",
        "note on d/inner: it belongs to the source 'inner'",
        SUMMARY,
    ]


def test_without_json_stdout_stays_empty(scripted, docs):
    result = scripted("sync", str(docs))
    assert (result.exit_code, result.stdout) == (0, "")
    assert SUMMARY in result.stderr


def test_problems_end_with_1_after_the_report(scripted, report, docs):
    report.problems = ["the source 'a' is missing", "the source 'b' is suddenly empty"]
    result = scripted("sync", str(docs), "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["passages"] == 12
    assert result.stderr.splitlines()[-2:] == [f"footnote: {problem}" for problem in report.problems]


def test_paths_become_sources_and_may_be_accepted_empty(run, docs):
    assert printed_json(run("sync", "docs", "--source", "wiki", "--json"))["added"] == ["wiki/leave.md"]
    (docs / "leave.md").unlink()
    assert "wiki" in run("sync", "docs", "--source", "wiki").stderr
    emptied = run("sync", "docs", "--source", "wiki", "--allow-empty", "--json")
    assert printed_json(emptied)["deleted"] == ["wiki/leave.md"]


def test_without_paths_the_configured_sources_are_meant(run, docs, folder):
    (folder / "footnote.toml").write_text('[[sources]]\nname = "hr"\npath = "docs"', encoding="utf-8")
    assert printed_json(run("sync", "--json"))["added"] == ["hr/leave.md"]


def test_a_source_can_be_forgotten(run, docs):
    run("sync", "docs", "--source", "hr")
    assert printed_json(run("sync", "--remove", "hr", "--json"))["deleted"] == ["hr/leave.md"]


def test_an_unknown_source_cannot_be_forgotten(run):
    assert error_line(run("sync", "--remove", "hr"), 1) == "no source is called 'hr'; known: none"


def indexed(folder: Path) -> list[str]:
    return [path.name for path in (folder / ".footnote").iterdir()] if (folder / ".footnote").exists() else []


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["--remove", "hr", "docs"], id="remove-with-path"),
        pytest.param(["--remove", "hr", "--source", "it"], id="remove-with-source"),
        pytest.param(["--remove", "hr", "--allow-empty"], id="remove-with-allow-empty"),
        pytest.param(["--source"], id="source-without-name"),
    ],
)
def test_options_that_do_not_go_together_are_bad_usage(run, folder, docs, arguments):
    result = run("sync", *arguments)
    assert (result.exit_code, result.stdout, indexed(folder)) == (2, "", [])


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        pytest.param([], "nothing to sync", id="nothing"),
        pytest.param(["--source", "hr"], "no source is called 'hr'", id="unknown-source"),
        pytest.param(["docs", "more", "--source", "hr"], "--source names one path", id="one-name-for-two"),
        pytest.param(["docs", "other/docs"], "the source name 'docs' already stands for", id="two-of-one-name"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_line_with_2(run, docs, arguments, why):
    assert why in error_line(run("sync", *arguments), 2)
    assert [each["documents"] for each in printed_json(run("index", "list", "--json"))] == [0]
