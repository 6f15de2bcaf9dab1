"""`footnote vote`: one opinion of one answer, what is refused, and what is told of it."""

import getpass
import json
from contextlib import closing

import pytest

from bot.answering.answers import Answer, Question
from bot.services.votes import VoteRequest
from feedback.errors import FeedbackUnavailable
from feedback.records import ReviewedExchange
from feedback.stores.redis.store import RedisFeedback
from feedback.stores.sqlite.store import SqliteFeedback
from tests.bot.cli.conftest import told
from tests.bot.cli.test_feedback import footnote
from tests.feedback.samples import NOON, exchange
from tests.servers.redis_servers import serving


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
    assert house.votes == [VoteRequest("a1", choice, "ada")]


def test_all_that_can_be_said_of_a_bad_answer(run, house):
    said = ["--reason", "wrong-source", "--comment", "That is the old one.", "--correction", "Six.", "--user", "b@c.d"]
    result = run("vote", "a1", "down", *said)
    assert (result.exit_code, result.stdout) == (0, "Recorded: down (wrong-source).\n")
    assert house.votes == [VoteRequest("a1", "down", "b@c.d", "wrong-source", "That is the old one.", "Six.")]


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
def votes(folder) -> str:
    """A file of votes, the eleventh line blank, on two answers that are recorded."""
    with closing(SqliteFeedback(folder / ".footnote" / "feedback.db")) as store:
        store.write_many([exchange(0), exchange(1)])
    lines = [*map(json.dumps, LINES), "", "{"]
    (folder / "votes.jsonl").write_text("\ufeff" + "\n".join(lines), encoding="utf-8")
    return "votes.jsonl"


def judged(folder) -> list[ReviewedExchange]:
    with closing(SqliteFeedback(folder / ".footnote" / "feedback.db")) as store:
        return list(store.reviewed_exchanges())


def test_many_votes_are_taken_from_a_file_and_bad_lines_told(folder, votes):
    result = footnote("vote", "--from", votes)
    assert (result.exit_code, result.stdout) == (0, "3 added, 0 known already, 8 refused\n")
    assert result.stderr.splitlines() == [f"line {number}: {why}" for number, why in WRONG.items()]
    first, second = judged(folder)
    assert [(each.key, each.vote, each.reason, each.comment) for each in first.votes] == [
        ("3", "up", "", ""),
        ("1", "down", "wrong", "No."),
    ]
    assert first.votes[0].at == NOON
    assert [each.text for each in second.corrections] == ["Six."]


def test_the_same_file_again_changes_nothing(folder, votes):
    footnote("vote", "--from", votes)
    before = judged(folder)
    result = footnote("vote", "--from", votes, "--json")
    *errors, counts = map(json.loads, result.stdout.splitlines())
    assert counts == {"added": 0, "known": 3, "refused": 8}
    assert errors == [{"key": str(number) if number < 10 else None, "error": why} for number, why in WRONG.items()]
    assert (result.exit_code, result.stderr) == (0, "")
    assert judged(folder) == before


def test_the_voter_of_a_line_is_the_one_who_votes_by_hand(folder, votes):
    footnote("vote", "--from", votes)
    footnote("vote", "answer-00000", "up", "--user", "Ada@example.com")
    (first, _) = judged(folder)
    assert [each.vote for each in first.votes] == ["up", "up"]


@pytest.mark.server
def test_votes_wait_while_the_store_is_down_and_are_sent_when_it_is_back(folder, votes, monkeypatch):
    monkeypatch.setenv("FOOTNOTE_USER_KEY", "a long random text")
    with serving("redis-6.2", folder, "--appendfsync", "always") as server:
        monkeypatch.setenv("FOOTNOTE_REDIS_URL", server.url)
        with closing(RedisFeedback(server.url, workspace="default")) as store:
            store.write_many([exchange(0), exchange(1)])
        server.kill()
        result = footnote("vote", "--from", votes, "--json")
        assert json.loads(result.stdout.splitlines()[-1]) == {"added": 4, "known": 0, "refused": 7}
        assert footnote("vote", "answer-00000", "down", "--user", "cy").stdout == "Recorded: down.\n"
        server.start()
        result = footnote("feedback", "dump")
        rows = [json.loads(line) for line in result.stdout.splitlines()]
        assert {"1", "2", "3"} < {row["key"] for row in rows if row["kind"] == "vote"}
        assert [row["kind"] for row in rows].count("vote") == 4
        assert [row["kind"] for row in rows].count("correction") == 1


def test_from_goes_alone(folder, votes):
    assert footnote("vote", "a1", "up", "--from", votes).exit_code == 2
    assert footnote("vote", "--from", votes, "--user", "ada").exit_code == 2
    assert footnote("vote", "--from", "absent.jsonl").exit_code == 2
