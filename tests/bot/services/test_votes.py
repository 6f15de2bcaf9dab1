"""Votes on an answer: which make sense, what is recorded of them, and what counts."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.errors import UsageProblem
from bot.services.retention import Retention
from bot.services.votes import (
    MAX_CHARACTERS,
    REASONS,
    CurrentVote,
    VoteRequest,
    VoteService,
    current_vote,
    parse_batch_vote,
    vote_records,
)
from feedback.records import Correction, Vote
from feedback.stores.sqlite.store import SqliteFeedback
from tests.feedback.samples import NOON, correction, exchange, vote


def recorded(vote_request: VoteRequest, *, voter: str = "1e") -> tuple[Vote, Correction | None]:
    return vote_records(vote_request, voter=voter, key="k", at=NOON)


@pytest.mark.parametrize("choice", ["up", "down", "none"])
def test_a_bare_thumb_is_a_vote(choice):
    assert recorded(VoteRequest("a", choice, "ada")) == (Vote("k", "a", "1e", NOON, choice), None)


@pytest.mark.parametrize("reason", REASONS)
def test_a_thumb_down_takes_all_that_can_be_said(reason):
    vote_request = VoteRequest("a", "down", "ada", reason, " It is six.\n", " Six days. ")
    assert recorded(vote_request) == (
        Vote("k", "a", "1e", NOON, "down", reason, "It is six."),
        Correction("k", "a", "1e", NOON, "Six days."),
    )


def test_a_thumb_up_takes_a_comment():
    assert recorded(VoteRequest("a", "up", "ada", comment="Thanks"))[0].comment == "Thanks"


def test_blank_words_are_none():
    assert recorded(VoteRequest("a", "none", "ada", comment=" ", correction="\n")) == (
        Vote("k", "a", "1e", NOON, "none"),
        None,
    )


@pytest.mark.parametrize(
    ("vote_request", "problem"),
    [
        pytest.param(VoteRequest("a", "up", "", "wrong"), "a reason goes with `down`, not with `up`", id="reason-up"),
        pytest.param(
            VoteRequest("a", "none", "", "tone"), "a reason goes with `down`, not with `none`", id="reason-none"
        ),
        pytest.param(
            VoteRequest("a", "up", "", correction="b"), "a correction goes with `down`, not with `up`", id="correction"
        ),
        pytest.param(VoteRequest("a", "none", "", comment="b"), "not with `none`, which withdraws", id="comment"),
        pytest.param(
            VoteRequest("a", "up", "", comment="b" * (MAX_CHARACTERS + 1)),
            "the comment has 10001 characters",
            id="long",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(vote_request, problem):
    with pytest.raises(UsageProblem, match=problem):
        recorded(vote_request)


def test_nobody_cannot_vote():
    with pytest.raises(UsageProblem, match="a vote needs a person"):
        recorded(VoteRequest("a", "up", ""), voter="")


def test_what_counts_is_ones_own_latest_vote_and_newest_correction():
    votes = [vote(1, voter="other"), vote(2, "up")]
    corrections = [correction(0), correction(1), correction(2, author="other")]
    assert current_vote(vote(1), votes, corrections) == CurrentVote(vote(2, "up"), "Six days, 1.")
    assert current_vote(vote(1), votes, []) == CurrentVote(vote(2, "up"))


def test_where_nothing_counts_the_vote_is_none():
    assert current_vote(vote(1), [vote(1, voter="other")], [correction()]) == CurrentVote(
        replace(vote(1), vote="none", reason="", comment=""), "Six days, 0."
    )


@pytest.fixture
def feedback(tmp_path) -> Iterator[SqliteFeedback]:
    """A store with one answer."""
    with closing(SqliteFeedback(tmp_path / "feedback.db")) as store:
        store.record(exchange())
        yield store


def service(feedback: SqliteFeedback, folder: Path, *times: datetime) -> VoteService:
    """The service on a clock that shows these times, one after the other."""
    clock = iter(times).__next__
    retention = Retention(feedback=feedback, marker=folder / "pruned", word_days=0, exchange_days=0, clock=clock)
    return VoteService(feedback=feedback, retention=retention, pseudonym=str, clock=clock)


def test_a_click_after_the_clock_went_back_is_the_later_one(feedback, tmp_path):
    votes = service(feedback, tmp_path, NOON, NOON - timedelta(hours=1), NOON - timedelta(hours=1))
    assert votes.vote(VoteRequest("answer-00000", "up", "ada"), key="z").vote.vote == "up"
    assert votes.vote(VoteRequest("answer-00000", "down", "ada"), key="a").vote.vote == "down"
    assert votes.vote(VoteRequest("answer-00000", "none", "ada"), key="b").vote.vote == "none"


def test_a_clock_that_was_a_day_ahead_and_more_is_not_followed(feedback, tmp_path):
    votes = service(feedback, tmp_path, NOON.replace(year=2900), NOON, NOON)
    assert votes.vote(VoteRequest("answer-00000", "up", "ada")).vote.vote == "up"
    assert votes.vote(VoteRequest("answer-00000", "down", "ada")).vote.vote == "down"
    assert votes.vote(VoteRequest("answer-00000", "up", "ada")).vote.vote == "up"


def test_a_line_of_a_moment_that_has_not_come_is_refused():
    row = {"key": "k", "answer": "a", "user": "ada", "vote": "up", "at": "2900-01-01T00:00:00Z"}
    with pytest.raises(UsageProblem, match="a time that has not come yet"):
        parse_batch_vote(row)


def test_of_two_presses_the_later_one_counts_in_whatever_order_they_arrive(feedback, tmp_path):
    votes = service(feedback, tmp_path, *[NOON] * 4)
    earlier, later = NOON - timedelta(seconds=9), NOON - timedelta(seconds=8)
    assert votes.vote(VoteRequest("answer-00000", "up", "ada"), key="b", at=later).vote.vote == "up"
    assert votes.vote(VoteRequest("answer-00000", "down", "ada"), key="a", at=earlier).vote.vote == "up"


def test_a_press_of_a_time_far_ahead_counts_as_now(feedback, tmp_path):
    votes = service(feedback, tmp_path, *[NOON] * 6)
    ahead = NOON + timedelta(days=1)
    assert votes.vote(VoteRequest("answer-00000", "up", "ada"), key="a", at=ahead).vote.at == NOON
    assert votes.vote(VoteRequest("answer-00000", "down", "ada"), key="b").vote.vote == "down"
