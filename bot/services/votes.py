"""What somebody thinks of an answer, checked and turned into records (pure; knows no platform)."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal, get_args

from bot.errors import UsageProblem
from feedback.records import Correction, Reason, Vote

Choice = Literal["up", "down", "none"]
CHOICES: tuple[Choice, ...] = get_args(Choice)
REASONS: tuple[Reason, ...] = tuple(reason for reason in get_args(Reason) if reason)

# Of a comment or a correction: more than anybody types, less than what fills a disk.
MOST_CHARACTERS = 10_000


@dataclass(frozen=True, slots=True)
class VoteRequest:
    """What somebody says of an answer; `none` withdraws what they said before."""

    answer: str
    vote: Choice
    user: str
    reason: Reason = ""
    comment: str = ""
    correction: str = ""


@dataclass(frozen=True, slots=True)
class BatchVote:
    """An opinion from elsewhere: the same `key` is the same click, `at` when it was made if that is known."""

    key: str
    opinion: VoteRequest
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CurrentVote:
    """What is recorded of one person about an answer: the vote that counts, and their newest correction.

    The vote is `none` where none counts; a correction stays when the vote is withdrawn.
    """

    vote: Vote
    correction: str = ""


def records(opinion: VoteRequest, *, voter: str, key: str, at: datetime) -> tuple[Vote, Correction | None]:
    """What is to be remembered; raises `UsageProblem` for an opinion that makes no sense."""
    comment, correction = opinion.comment.strip(), opinion.correction.strip()
    _check(opinion, voter=voter, comment=comment, correction=correction)
    vote = Vote(key, opinion.answer, voter, at, opinion.vote, opinion.reason, comment)
    return vote, Correction(key, opinion.answer, voter, at, correction) if correction else None


def parse_batch_vote(row: Any) -> BatchVote:
    """The ballot that a line of JSON stands for; raises `UsageProblem`, which says what is wrong with it."""
    if not isinstance(row, dict):
        raise UsageProblem("a line must be a JSON object")
    key, answer, user = (_named(row, name) for name in ("key", "answer", "user"))
    vote, reason = row.get("vote"), row.get("reason") or ""
    if vote not in CHOICES:
        raise UsageProblem(f"`vote` must be one of {', '.join(CHOICES)}")
    if reason and reason not in REASONS:
        raise UsageProblem(f"`reason` must be one of {', '.join(REASONS)}")
    comment, correction = (_text(row, name) for name in ("comment", "correction"))
    opinion = VoteRequest(answer, vote, user, reason, comment, correction)
    _check(opinion, voter=user, comment=comment, correction=correction)
    return BatchVote(key, opinion, _time(row.get("at")))


def current_vote(given: Vote, votes: Sequence[Vote], corrections: Sequence[Correction]) -> CurrentVote:
    """What counts of the person who has just given this vote, out of all votes and corrections, oldest first."""
    own = [vote for vote in votes if vote.voter == given.voter]
    newest = [correction.text for correction in corrections if correction.author == given.voter][-1:]
    return CurrentVote(own[0] if own else replace(given, vote="none", reason="", comment=""), "".join(newest))


def _check(opinion: VoteRequest, *, voter: str, comment: str, correction: str) -> None:
    if not voter:
        raise UsageProblem("a vote needs a person: say who votes")
    down_only = {"reason": opinion.reason, "correction": correction}
    for name in (name for name, given in down_only.items() if given and opinion.vote != "down"):
        raise UsageProblem(f"a {name} goes with `down`, not with `{opinion.vote}`")
    if comment and opinion.vote == "none":
        raise UsageProblem("a comment goes with `up` or `down`, not with `none`, which withdraws a vote")
    for name, text in (("comment", comment), ("correction", correction)):
        if len(text) > MOST_CHARACTERS:
            raise UsageProblem(f"the {name} has {len(text)} characters; at most {MOST_CHARACTERS} are kept")


def _named(row: dict[str, Any], name: str) -> str:
    value = row.get(name)
    if not isinstance(value, str) or not value.strip():
        raise UsageProblem(f"`{name}` must be a text that is not empty")
    return value.strip()


def _text(row: dict[str, Any], name: str) -> str:
    value = row.get(name)
    if value is not None and not isinstance(value, str):
        raise UsageProblem(f"`{name}` must be a text")
    return (value or "").strip()


def _time(value: Any) -> datetime | None:
    """In UTC; a time without an offset is taken to be that already."""
    if value is None:
        return None
    with suppress(TypeError, ValueError, OverflowError):
        at = datetime.fromisoformat(value)
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    raise UsageProblem("`at` must be a time in ISO 8601, such as 2026-03-02T12:00:00Z")
