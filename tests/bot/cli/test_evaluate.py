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
from bot.reports.evaluation_page import page
from bot.reports.evaluation_text import drawing, table
from retrieval.ranking.configuration import SWITCHES
from tests.bot.cli.command_line import error_line, footnote
from tests.fakes import FakeEmbedder

FIGURES = {
    "questions": 2,
    "nDCG@10": 0.51234,
    "auroc": None,
    "thresholds": [
        {"threshold": 0.05, "answered": 1.0, "wrongly_answered": 0.25},
        {"threshold": 0.1, "answered": 0.5, "wrongly_answered": 0.0},
    ],
    "p50_ms": 21.26,
}


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
        {"questions": questions, "qrels": questions, "corpus": None, "without": {"dense"}, "models": ()}
    ]


def test_people_see_a_table_in_which_a_dash_is_what_could_not_be_told(run, questions):
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


NOW = {"threshold": 0.4, "answered": 0.8, "wrongly_answered": 0.25}
ROWS = [
    {"threshold": step / 20, "answered": 1 - step / 40, "wrongly_answered": max(0.0, 1 - step / 10)}
    for step in range(1, 20)
]


def test_the_trade_off_is_drawn_within_80_columns_with_the_threshold_that_is_set():
    lines = drawing(ROWS, NOW).splitlines()
    assert lines[0].startswith("100% ┤█")
    assert max(map(len, lines)) <= 80
    # The sixth line stands for 45 %: so many are wrongly answered at 0.275, between columns 16 and 17 of 60.
    assert lines[5][6:30] == "█" * 17 + "░" * 7
    assert {line.index("│", 6) for line in lines[:7]} == {lines[11].index("▲")} == {6 + 24}
    assert lines[-1].strip() == "▲ at your threshold of 0.40: 80.0% answered, 25.0% wrongly"


def test_a_terminal_without_blocks_gets_letters():
    assert drawing(ROWS, NOW, plain=True).isascii()


def test_a_threshold_without_anything_to_compare_is_not_drawn():
    nothing = {"threshold": 0.4, "answered": None, "wrongly_answered": None}
    assert table({"questions": 1, "thresholds": None, "threshold": nothing}) == "questions  1"


ANSWERS = {
    "questions": 2, "asked": 2, "answered": 0.5, "fallbacks": {"timeout": 1}, "tokens_in": None, "f1": 0.25,
    "total_p50_ms": 12.4, "gave_up": None,
}  # fmt: skip
WHOLE = {
    **FIGURES,
    "calibration_error": 0.125,
    "reliability": [{"questions": 2, "confidence": 0.5, "answerable": 1.0}],
    "thresholds": ROWS,
    "threshold": NOW,
    "answers": {"openai:<b>": ANSWERS, "openai:c": ANSWERS | {"answered": 1.0, "gave_up": "timeout"}},
    "differences": [
        {"figure": "answered", "model": "openai:c", "than": "openai:<b>", "questions": 40,
         "difference": 0.5, "low": 0.1, "high": 0.9},
    ],
}  # fmt: skip


def test_models_stand_side_by_side_with_a_dash_where_nothing_is_known():
    lines = [" ".join(line.split()) for line in table(WHOLE).splitlines()]
    assert lines[lines.index("answers A B") :] == [
        "answers A B",
        "questions 2 2",
        "asked 2 2",
        "answered 50.0% 100.0%",
        "tokens_in - -",
        "f1 0.250 0.250",
        "total_p50_ms 12 12",
        "gave_up - timeout",
        "fallback: timeout 1 1",
        "A is openai:<b>",
        "B is openai:c",
        "",
        "B - A difference from to",
        "answered +50.0% +10.0% +90.0% *",
        "95 of 100 draws of the same questions lie between.",
        "* is more than noise; of fewer than 20 questions nothing is said to be.",
    ]


def test_the_page_is_whole_and_quotes_what_it_shows(run, evaluation, questions, folder):
    evaluation.figures = WHOLE
    result = run("evaluate", "--questions", str(questions), "--html", "e.html")
    assert result.exit_code == 0
    assert "written: e.html" in result.stderr
    assert "openai:c failed too often in a row" in result.stderr
    html = (folder / "e.html").read_text(encoding="utf-8")
    assert html == page(WHOLE)
    assert "openai:&lt;b&gt;" in html
    assert "<b>" not in html
    assert "set: 0.40" in html
    assert "calibration error is 0.125" in html
    ET.fromstring(html.partition("<body>")[2].partition("</body>")[0])
    assert re.search(r"(?:src|href|url)\b\s*[=(]|<script|@import", html) is None


def test_a_page_of_what_could_not_be_told_has_no_drawing():
    assert "<svg" not in page({"questions": 1, "auroc": None, "thresholds": None, "answers": {}, "differences": []})


def test_a_page_that_cannot_be_written_ends_the_command_in_one_line(run, evaluation, questions, folder):
    (folder / "e.html").mkdir()
    assert run("evaluate", "--questions", str(questions), "--html", "e.html").exit_code == 2
    assert evaluation.calls == []


def test_no_answers_asks_for_none_and_models_are_passed_on(run, evaluation, questions):
    run("evaluate", "--questions", str(questions), "--no-answers")
    run("evaluate", "--questions", str(questions), "--model", "openai:a", "--model", "extractive")
    assert [call["models"] for call in evaluation.calls] == [None, ("openai:a", "extractive")]


def test_without_thresholds_there_is_no_second_table():
    assert table({"questions": 1, "thresholds": None}) == "questions  1"


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
