"""Votes on an answer: which make sense, what is recorded of them, and what counts."""

from dataclasses import replace

import pytest

from bot.errors import UsageProblem
from bot.services.votes import MAX_CHARACTERS, REASONS, CurrentVote, VoteRequest, current_vote, vote_records
from feedback.records import Correction, Vote
from tests.feedback.samples import NOON, correction, vote


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
