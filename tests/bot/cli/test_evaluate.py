"""`footnote evaluate`: figures as a table or as JSON, with parts of retrieval switched off."""

import json
import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from bot.app import bootstrap
from bot.reports.evaluation_page import evaluation_page
from retrieval.ranking.configuration import SWITCHES
from tests.bot.cli.command_line import error_line, footnote
from tests.bot.reports.samples import FIGURES, WHOLE
from tests.fakes import FakeEmbedder


@pytest.fixture
def questions(folder) -> Path:
    path: Path = folder / "questions.jsonl"
    path.write_text('{"id": 1, "text": "Why?"}', encoding="utf-8")
    return path


class ScriptedEvaluation:
    """An `EvaluationService` that gives these figures; `calls` are the options that it was called with."""

    def __init__(self) -> None:
        self.figures: Mapping[str, Any] = FIGURES
        self.calls: list[dict[str, Any]] = []

    def evaluate(self, questions: Path, *, progress: Any, **options: Any) -> Mapping[str, Any]:
        self.calls.append({"questions": questions, **options})
        progress("asking", 1, 1)
        return self.figures


@pytest.fixture
def evaluation() -> ScriptedEvaluation:
    return ScriptedEvaluation()


@pytest.fixture
def app(evaluation) -> SimpleNamespace:
    return SimpleNamespace(evaluation=evaluation)


def test_the_json_is_the_figures(run, evaluation, questions):
    result = run("evaluate", "--questions", str(questions), "--qrels", str(questions), "--without", "dense", "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    assert json.loads(result.stdout) == FIGURES
    assert evaluation.calls == [
        {"questions": questions, "qrels": questions, "corpus": None, "without": {"dense"}, "models": (), "out": None}
    ]


def test_people_see_a_table_in_which_a_dash_is_what_was_not_measured(run, questions):
    result = run("evaluate", "--questions", str(questions))
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines()[:8] == [
        "questions  2",
        "nDCG@10    0.5123",
        "auroc      -",
        "p50_ms     21.3",
        "",
        "threshold  answered  wrongly answered",
        "     0.05    100.0%             25.0%",
        "     0.10     50.0%              0.0%",
    ]


def test_the_page_is_whole_and_quotes_what_it_shows(run, evaluation, questions, folder):
    evaluation.figures = WHOLE
    result = run("evaluate", "--questions", str(questions), "--html", "e.html")
    assert result.exit_code == 0
    assert "written: e.html" in result.stderr
    assert "openai:c failed too often in a row" in result.stderr
    html = (folder / "e.html").read_text(encoding="utf-8")
    assert html == evaluation_page(WHOLE)
    assert "openai:&lt;b&gt;" in html
    assert "<b>" not in html
    assert "set: 0.40" in html
    assert "calibration error is 0.125" in html
    ET.fromstring(html[html.index("<main>") : html.index("</body>")])
    assert re.search(r"(?:src|href|url)\b\s*[=(]|<script|@import", html) is None


def test_a_page_that_cannot_be_written_ends_the_command_in_one_line(run, evaluation, questions, folder):
    (folder / "e.html").mkdir()
    assert run("evaluate", "--questions", str(questions), "--html", "e.html").exit_code == 2
    assert evaluation.calls == []


def test_no_answers_asks_for_none_and_models_are_passed_on(run, evaluation, questions):
    run("evaluate", "--questions", str(questions), "--no-answers")
    run("evaluate", "--questions", str(questions), "--model", "openai:a", "--model", "extractive")
    assert [call["models"] for call in evaluation.calls] == [None, ("openai:a", "extractive")]


@pytest.mark.parametrize("ingredient", SWITCHES)
def test_every_ingredient_can_be_switched_off(run, evaluation, questions, ingredient):
    result = run("evaluate", "--questions", str(questions), "--without", ingredient)
    assert (result.exit_code, evaluation.calls[0]["without"]) == (0, {ingredient})


def test_several_ingredients_can_be_switched_off(run, evaluation, questions):
    run("evaluate", "--questions", str(questions), "--without", "dense", "--without", "history")
    assert evaluation.calls[0]["without"] == {"dense", "history"}


def test_an_unknown_ingredient_is_bad_usage_and_the_known_ones_are_named(run, questions):
    result = run("evaluate", "--questions", str(questions), "--without", "luck")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "late-interaction" in result.stderr


@pytest.mark.parametrize("option", ["--questions", "--qrels", "--corpus"])
def test_a_missing_file_is_bad_usage(run, questions, option):
    result = run("evaluate", "--questions", str(questions), option, "gone")
    assert (result.exit_code, result.stdout) == (2, "")


def test_a_bad_line_ends_the_command_in_one_line(questions):
    questions.write_text("nope", encoding="utf-8")
    real = partial(bootstrap, embedder=FakeEmbedder())
    line = error_line(footnote("evaluate", "--questions", str(questions), "--json", bootstrap=real), 1)
    assert line == f"'{questions}', line 1: expected a JSON object"
