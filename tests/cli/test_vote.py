"""`footnote vote`: one opinion of one answer, what is refused, and what is told of it."""

import getpass
import json

import pytest

from bot.answers import Answer, Question
from bot.voting import Opinion
from feedback.errors import FeedbackUnavailable
from tests.cli.conftest import told


@pytest.fixture(autouse=True)
def answered(house, monkeypatch) -> None:
    """An answer is recorded, and the operating system knows who is at the keyboard."""
    house.recorded = [(Question("How many?"), Answer("a1", "Five."))]
    monkeypatch.setattr(getpass, "getuser", lambda: "ada")


@pytest.mark.parametrize(
    ("choice", "line"),
    [
        ("up", "Recorded: up."),
        ("down", "Recorded: down."),
        ("none", "Withdrawn: no vote of yours on this answer counts."),
    ],
)
def test_a_thumb_is_taken_from_whoever_is_at_the_keyboard(run, house, choice, line):
    result = run("vote", "a1", choice)
    assert (result.exit_code, result.stdout, result.stderr) == (0, f"{line}\n", "")
    assert house.votes == [Opinion("a1", choice, "ada")]


def test_all_that_can_be_said_of_a_bad_answer(run, house):
    said = ["--reason", "wrong-source", "--comment", "That is the old one.", "--correction", "Six.", "--user", "b@c.d"]
    result = run("vote", "a1", "down", *said)
    assert (result.exit_code, result.stdout) == (0, "Recorded: down (wrong-source).\n")
    assert house.votes == [Opinion("a1", "down", "b@c.d", "wrong-source", "That is the old one.", "Six.")]


def test_the_json_is_what_counts_now(run):
    result = run("vote", "a1", "down", "--reason", "tone", "--correction", "Six.", "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    assert json.loads(result.stdout) == {
        "answer": "a1",
        "vote": "down",
        "reason": "tone",
        "comment": "",
        "correction": "Six.",
        "at": "2026-03-02T12:00:00+00:00",
    }


def test_an_unknown_answer_is_told_with_where_ids_are_found(run):
    assert told(run("vote", "a9", "up"), 1) == (
        "no answer is recorded under 'a9'; `footnote ask TEXT --json` prints the id of its answer"
    )


def test_a_store_that_is_down_is_told(run, house):
    house.feedback_failure = FeedbackUnavailable("the disk is full")
    assert told(run("vote", "a1", "up", "--json"), 1) == "the disk is full"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        pytest.param(["up", "--reason", "wrong"], "a reason goes with `down`, not with `up`", id="reason"),
        pytest.param(["none", "--correction", "b"], "a correction goes with `down`, not with `none`", id="correction"),
        pytest.param(["up", "--user", " "], "a vote needs a person: name one with --user", id="nobody"),
        pytest.param(["--from", "votes.jsonl"], "`footnote vote --from` is reserved for a later version", id="from"),
    ],
)
def test_what_makes_no_sense_ends_with_2_in_one_line(run, house, arguments, line):
    assert told(run("vote", "a1", *arguments), 2) == line
    assert house.votes == []


@pytest.mark.parametrize("error", [OSError, KeyError])
def test_a_computer_that_knows_nobody_asks_for_a_name(run, monkeypatch, error):
    def getuser() -> str:
        raise error

    monkeypatch.setattr(getpass, "getuser", getuser)
    assert told(run("vote", "a1", "up"), 2) == "a vote needs a person: name one with --user"
    assert run("vote", "a1", "up", "--user", "ada").exit_code == 0


@pytest.mark.parametrize(
    "arguments", [[], ["a1"], ["a1", "sideways"], ["a1", "UP"], ["a1", "down", "--reason", "bad"], ["a1", "up", "more"]]
)
def test_bad_usage_ends_with_2(run, house, arguments):
    result = run("vote", *arguments)
    assert (result.exit_code, result.stdout, house.votes) == (2, "", [])
