"""`footnote vote`: one vote on one answer, many from a file, what is refused and the line that says why."""

import getpass
import json
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest
from click.testing import Result

from feedback.records import ReviewedExchange, Vote
from feedback.stores.redis.store import RedisFeedback
from feedback.stores.sqlite.store import SqliteFeedback
from tests.bot.cli.command_line import error_line, footnote
from tests.bot.cli.conftest import Run, answering_app, records
from tests.fakes import UnavailableFeedback
from tests.feedback.samples import NOON, exchange
from tests.servers.redis_servers import serving


@pytest.fixture(autouse=True)
def keyboard(monkeypatch) -> None:
    """The operating system knows who is at the keyboard."""
    monkeypatch.setattr(getpass, "getuser", lambda: "ada")


@pytest.fixture
def run(run, feedback) -> Run:
    """Runs `footnote` where one answer is recorded."""
    feedback.record(replace(exchange(), id="a1"))
    answered: Run = run
    return answered


def votes(feedback) -> list[tuple[str, str, str, str, str]]:
    """Return all votes: answer, vote, voter, reason, comment."""
    return [(each.answer, each.vote, each.voter, each.reason, each.comment) for each in records(feedback, Vote)]


@pytest.mark.parametrize(
    ("choice", "line"),
    [
        ("up", "Recorded: up."),
        ("down", "Recorded: down."),
        ("none", "Withdrawn: no vote of yours on this answer counts."),
    ],
)
def test_a_thumb_is_taken_from_whoever_is_at_the_keyboard(run, feedback, choice, line):
    result = run("vote", "a1", choice)
    assert (result.exit_code, result.stdout, result.stderr) == (0, f"{line}\n", "")
    assert votes(feedback) == [("a1", choice, "ada", "", "")]


def test_all_that_can_be_said_of_a_bad_answer(run, feedback):
    given = ["--reason", "wrong-source", "--comment", "That is the old one.", "--correction", "Six.", "--user", "b@c.d"]
    result = run("vote", "a1", "down", *given)
    assert (result.exit_code, result.stdout) == (0, "Recorded: down (wrong-source).\n")
    assert votes(feedback) == [("a1", "down", "b@c.d", "wrong-source", "That is the old one.")]
    assert [each.text for each in feedback.corrections("a1")] == ["Six."]


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


def test_an_unknown_answer_is_refused_with_where_ids_are_found(run):
    assert error_line(run("vote", "a9", "up"), 1) == (
        "no answer is recorded under 'a9'; `footnote ask TEXT --json` prints the id of its answer"
    )


def test_a_store_that_is_down_ends_with_1_and_why(pipeline, folder):
    unavailable = answering_app(pipeline, UnavailableFeedback("the disk is full"), home=folder)
    result = footnote("vote", "a1", "up", "--json", bootstrap=lambda _: unavailable)
    assert error_line(result, 1) == "the disk is full"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        pytest.param(["up", "--reason", "wrong"], "a reason goes with `down`, not with `up`", id="reason"),
        pytest.param(["none", "--correction", "b"], "a correction goes with `down`, not with `none`", id="correction"),
        pytest.param(["up", "--user", " "], "a vote needs a person: name one with --user", id="nobody"),
    ],
)
def test_what_makes_no_sense_ends_with_2_in_one_line(run, feedback, arguments, line):
    assert error_line(run("vote", "a1", *arguments), 2) == line
    assert votes(feedback) == []


@pytest.mark.parametrize("error", [OSError, KeyError])
def test_a_computer_that_knows_nobody_asks_for_a_name(run, monkeypatch, error):
    def getuser() -> str:
        raise error

    monkeypatch.setattr(getpass, "getuser", getuser)
    assert error_line(run("vote", "a1", "up"), 2) == "a vote needs a person: name one with --user"
    assert run("vote", "a1", "up", "--user", "ada").exit_code == 0


@pytest.mark.parametrize(
    "arguments", [[], ["a1"], ["a1", "sideways"], ["a1", "UP"], ["a1", "down", "--reason", "bad"], ["a1", "up", "more"]]
)
def test_bad_usage_ends_with_2(run, feedback, arguments):
    result = run("vote", *arguments)
    assert (result.exit_code, result.stdout, votes(feedback)) == (2, "", [])


LINES = [
    {
        "key": "1",
        "answer": "answer-00000",
        "user": "ada@example.com",
        "vote": "down",
        "reason": "wrong",
        "comment": "No.",
    },
    {"key": "2", "answer": "answer-00001", "user": "slack:U1", "vote": "down", "correction": "Six."},
    {"key": "3", "answer": "answer-00000", "user": "bo", "vote": "up", "at": "2026-03-02T13:00:00+01:00", "more": 1},
    {"key": "4", "answer": "nobody", "user": "bo", "vote": "up"},
    {"key": "5", "answer": "answer-00000", "user": "bo", "vote": "sideways"},
    {"key": "6", "answer": "answer-00000", "user": "", "vote": "up"},
    {"key": "7", "answer": "answer-00000", "user": "bo", "vote": "up", "reason": "tone"},
    {"key": "8", "answer": "answer-00000", "user": "bo", "vote": "up", "at": "yesterday"},
    {"key": "9", "answer": "answer-00000", "user": "bo", "vote": "up", "comment": 5},
    [],
]
WRONG = {
    4: "no answer is recorded under 'nobody'",
    5: "`vote` must be one of up, down, none",
    6: "`user` must be a text that is not empty",
    7: "a reason goes with `down`, not with `up`",
    8: "`at` must be a time in ISO 8601, such as 2026-03-02T12:00:00Z",
    9: "`comment` must be a text",
    10: "a line must be a JSON object",
    12: "it is no JSON in UTF-8",
}


@pytest.fixture
def vote_file(folder) -> str:
    """A file of votes, the eleventh line blank, on two answers that are recorded."""
    with closing(SqliteFeedback(folder / ".footnote" / "feedback.db")) as store:
        store.write_many([exchange(0), exchange(1)])
    lines = [*map(json.dumps, LINES), "", "{"]
    (folder / "votes.jsonl").write_text("\ufeff" + "\n".join(lines), encoding="utf-8")
    return "votes.jsonl"


def reviewed(folder) -> list[ReviewedExchange]:
    with closing(SqliteFeedback(folder / ".footnote" / "feedback.db")) as store:
        return list(store.reviewed_exchanges())


def test_many_votes_are_taken_from_a_file_and_bad_lines_named(folder, vote_file):
    result = footnote("vote", "--from", vote_file)
    assert (result.exit_code, result.stdout) == (1, "3 added, 0 known already, 8 refused\n")
    *errors, last = result.stderr.splitlines()
    assert errors == [f"line {number}: {why}" for number, why in WRONG.items()]
    assert last == "footnote: lines that were refused: 8; all others have been taken"
    first, second = reviewed(folder)
    assert [(each.key, each.vote, each.reason, each.comment) for each in first.votes] == [
        ("3", "up", "", ""),
        ("1", "down", "wrong", "No."),
    ]
    assert first.votes[0].at == NOON
    assert [each.text for each in second.corrections] == ["Six."]


def test_the_same_file_again_changes_nothing(folder, vote_file):
    footnote("vote", "--from", vote_file)
    before = reviewed(folder)
    result = footnote("vote", "--from", vote_file, "--json")
    *errors, counts = map(json.loads, result.stdout.splitlines())
    assert counts == {"added": 0, "known": 3, "refused": 8}
    assert errors == [{"key": str(number) if number < 10 else None, "error": why} for number, why in WRONG.items()]
    assert (result.exit_code, result.stderr.splitlines()) == (
        1,
        ["footnote: lines that were refused: 8; all others have been taken"],
    )
    assert reviewed(folder) == before


def from_lines(folder, *lines: dict[str, Any]) -> Result:
    (folder / "more.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    return footnote("vote", "--from", "more.jsonl")


def line(key: str, vote: str, **more: str) -> dict[str, Any]:
    return {"key": key, "answer": "answer-00001", "user": "dora", "vote": vote, **more}


def test_of_lines_without_a_time_the_last_of_a_person_counts(folder, vote_file):
    assert from_lines(folder, line("z", "down"), line("m", "none"), line("a", "up")).exit_code == 0
    assert [each.key for each in reviewed(folder)[1].votes] == ["a"]
    assert from_lines(folder, line("0", "down")).exit_code == 0
    assert [each.key for each in reviewed(folder)[1].votes] == ["0"]


def test_of_lines_of_the_same_time_the_last_counts(folder, vote_file):
    at = "2026-03-02T12:00:00Z"
    from_lines(folder, line("z", "down", at=at), line("a", "up", at=at))
    assert [each.key for each in reviewed(folder)[1].votes] == ["a"]


def test_a_time_that_has_not_come_is_refused_with_the_reason(folder, vote_file):
    result = from_lines(folder, line("1", "up", at="2900-01-01T00:00:00Z"), line("2", "down"))
    assert (result.exit_code, result.stdout) == (1, "1 added, 0 known already, 1 refused\n")
    assert "line 1: `at` is 2900-01-01T00:00:00+00:00, a time that has not come yet" in result.stderr
    assert [each.key for each in reviewed(folder)[1].votes] == ["2"]


def test_keys_with_half_a_character_are_refused_with_the_reason(folder, vote_file):
    result = from_lines(folder, line("\ud800", "up"), line("\\ud800", "down"))
    assert (result.exit_code, result.stdout) == (1, "1 added, 0 known already, 1 refused\n")
    assert "line 1: `key` must be a text without half a character" in result.stderr


def test_the_voter_of_a_line_is_the_one_who_votes_by_hand(folder, vote_file):
    footnote("vote", "--from", vote_file)
    footnote("vote", "answer-00000", "up", "--user", "Ada@example.com")
    (first, _) = reviewed(folder)
    assert [each.vote for each in first.votes] == ["up", "up"]


@pytest.mark.server
def test_votes_wait_while_the_store_is_down_and_are_sent_when_it_is_back(folder, vote_file, monkeypatch):
    monkeypatch.setenv("FOOTNOTE_USER_KEY", "a long random text")
    with serving("redis-6.2", folder, "--appendfsync", "always") as server:
        monkeypatch.setenv("FOOTNOTE_REDIS_URL", server.url)
        with closing(RedisFeedback(server.url, workspace="default")) as store:
            store.write_many([exchange(0), exchange(1)])
        server.kill()
        result = footnote("vote", "--from", vote_file, "--json")
        counts = {"added": 0, "known": 0, "refused": 7, "waiting": 4}
        assert json.loads(result.stdout.splitlines()[-1]) == counts
        told = footnote("vote", "nobody", "down", "--user", "cy")
        assert told.exit_code == 0
        assert told.stdout == (
            "Kept on this machine: down. The feedback store cannot be reached; when it can, the vote is recorded if "
            "there is an answer 'nobody'.\n"
        )
        assert footnote("vote", "answer-00000", "down", "--user", "cy").stdout.startswith("Kept on this machine: down.")
        assert json.loads(footnote("vote", "answer-00000", "down", "--user", "cy", "--json").stdout)["waits"]
        server.start()
        result = footnote("feedback", "dump")
        rows = [json.loads(line) for line in result.stdout.splitlines()]
        assert {"1", "2", "3"} < {row["key"] for row in rows if row["kind"] == "vote"}
        assert [row["kind"] for row in rows].count("vote") == 5
        assert [row["kind"] for row in rows].count("correction") == 1


def test_from_goes_alone(folder, vote_file):
    assert footnote("vote", "a1", "up", "--from", vote_file).exit_code == 2
    assert footnote("vote", "--from", vote_file, "--user", "ada").exit_code == 2
    assert footnote("vote", "--from", "absent.jsonl").exit_code == 2
