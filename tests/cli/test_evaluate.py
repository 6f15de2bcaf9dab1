"""`footnote evaluate`: figures as a table or as JSON, with parts of retrieval switched off."""

import json
from pathlib import Path

import pytest

from bot.cli.evaluate import table
from retrieval.judgements import read_questions
from retrieval.recipe import SWITCHES
from tests.cli.conftest import told

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


@pytest.fixture(autouse=True)
def figures(house) -> None:
    house.figures = FIGURES


def test_the_json_is_the_figures(run, house, questions):
    result = run("evaluate", "--questions", str(questions), "--qrels", str(questions), "--without", "dense", "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    assert json.loads(result.stdout) == FIGURES
    assert house.asked == [{"questions": questions, "qrels": questions, "corpus": None, "without": {"dense"}}]


def test_people_see_a_table_in_which_a_dash_is_what_could_not_be_told(run, questions):
    result = run("evaluate", "--questions", str(questions))
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [
        "questions  2",
        "nDCG@10    0.5123",
        "auroc      -",
        "p50_ms     21.3",
        "",
        "threshold  answered  wrongly answered",
        "     0.05    100.0%             25.0%",
        "     0.10     50.0%              0.0%",
    ]


def test_without_thresholds_there_is_no_second_table():
    assert table({"questions": 1, "thresholds": None}) == "questions  1"


@pytest.mark.parametrize("ingredient", SWITCHES)
def test_every_ingredient_can_be_switched_off(run, house, questions, ingredient):
    result = run("evaluate", "--questions", str(questions), "--without", ingredient)
    assert (result.exit_code, house.asked[0]["without"]) == (0, {ingredient})


def test_several_ingredients_can_be_switched_off(run, house, questions):
    run("evaluate", "--questions", str(questions), "--without", "dense", "--without", "history")
    assert house.asked[0]["without"] == {"dense", "history"}


def test_an_unknown_ingredient_is_bad_usage_and_the_known_ones_are_named(run, questions):
    result = run("evaluate", "--questions", str(questions), "--without", "luck")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "late-interaction" in result.stderr


@pytest.mark.parametrize("option", ["--questions", "--qrels", "--corpus"])
def test_a_missing_file_is_bad_usage(run, questions, option):
    result = run("evaluate", "--questions", str(questions), option, "gone")
    assert (result.exit_code, result.stdout) == (2, "")


def test_a_bad_line_ends_the_command_in_one_line(run, house, questions):
    questions.write_text("nope", encoding="utf-8")
    house.evaluate = lambda questions, **_: read_questions(questions)
    line = told(run("evaluate", "--questions", str(questions), "--json"), 1)
    assert line == f"'{questions}', line 1: expected a JSON object"
