"""Exchanges, votes, corrections, decisions and exports for the tests of feedback."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Literal

from feedback.records import (
    AnswerSentence,
    Correction,
    Decision,
    Exchange,
    Export,
    RetrievedPassage,
    StoredCitation,
    Vote,
)

# What a user of a Redis server must be allowed to do for the store; the README names the same.
RIGHTS = (
    "+ping +eval +evalsha +exists +set +getrange +mget +del +zadd +zrange +zcard +zrem +hget +hset +hvals +hgetall "
    "+hdel +hincrby +sadd +srem +srandmember +xadd +xdel"
).split()
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def exchange(number: int = 0, *, conversation: str = "", **changes) -> Exchange:
    """An exchange with every field filled; a higher number is a later one."""
    made = Exchange(
        id=f"answer-{number:05}",
        at=NOON + timedelta(seconds=number),
        question="How many days can I carry over?",
        answer="Five days. [1]",
        history=(("user", "I have leave left."), ("bot", "How many days?")),
        groups=frozenset({"hr", "leeds"}),
        asker="0f" * 32,
        conversation=conversation,
        platform="terminal",
        shown=(
            RetrievedPassage(
                "handbook/leave.md", "carry", "Leave > Carry-over", "Leave", "v1", "Five days. No more.", 0.9
            ),
        ),
        sentences=(AnswerSentence("Five days.", (1,)),),
        citations=(
            StoredCitation(1, "handbook/leave.md", "Leave", "Leave", "carry", "leave.md#carry", "Five days.", "v1"),
        ),
        confidence=0.75,
        generator="extractive",
        prompt_version="1",
        index_version="generation-3",
        fallback="the model did not answer in time",
        timings={"search": 0.01, "total": 0.02},
    )
    return replace(made, **changes)


def vote(number: int = 0, choice: Literal["up", "down", "none"] = "down", **changes) -> Vote:
    """A vote on the first exchange with every field filled; a higher number is a later one."""
    made = Vote(
        key=f"click-{number:05}",
        answer="answer-00000",
        voter="1e" * 32,
        at=NOON + timedelta(seconds=number),
        vote=choice,
        reason="outdated",
        comment="It is six now.",
    )
    return replace(made, **changes)


def correction(number: int = 0, **changes) -> Correction:
    made = Correction(
        f"click-{number:05}", "answer-00000", "1e" * 32, NOON + timedelta(seconds=number), f"Six days, {number}."
    )
    return replace(made, **changes)


def decision(
    number: int = 0, verdict: Literal["approve", "drop", "accept", "reject"] = "approve", **changes
) -> Decision:
    made = Decision(
        f"review-{number:05}", "answer-00000", "3a" * 32, NOON + timedelta(seconds=number), verdict, comment="I know."
    )
    return replace(made, **changes)


def export(number: int = 0) -> Export:
    return Export(f"export-{number}", NOON + timedelta(days=number), f"exports/{number}", 3)
