"""Judges an answer by all that people said of it, and finds what somebody must review (pure)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from feedback.records import Correction, Decision, ReviewedExchange

Outcome = Literal["up", "down", "corrected", "unjudged", "correction-waits", "disputed", "dropped"]
ReviewReason = Literal["", "disputed", "down", "correction"]

# Verdicts about the answer itself; `reject` is about a correction alone.
ANSWER_VERDICTS = frozenset({"approve", "drop", "accept"})


@dataclass(frozen=True, slots=True)
class Judgement:
    """What an answer is worth, and whose words make it so (keyed hashes).

    `voters` are those whose vote says the same; `reviewed` is true of what was decided in a review, which outranks
    them. `people` are all whose words or votes count. `wrong_source` says that somebody who voted it down blamed what
    it cites.
    """

    outcome: Outcome
    voters: tuple[str, ...] = ()
    reviewed: bool = False
    correction: Correction | None = None
    people: tuple[str, ...] = ()
    ups: int = 0
    downs: int = 0
    wrong_source: bool = False


def judge(reviewed: ReviewedExchange, *, min_agreement: float) -> Judgement:
    """Judge by the latest decision, else by an accepted correction, else by votes that agree well enough."""
    decision, correction = find_decision(reviewed), find_correction(reviewed)
    if decision and decision.verdict == "drop":
        return _build_judgement(reviewed, "dropped", decision)
    if decision and decision.verdict == "approve":
        return _build_judgement(reviewed, "up", decision)
    if correction:
        return _build_judgement(reviewed, "corrected", decision, correction)
    return _build_judgement(reviewed, judge_votes(reviewed, min_agreement=min_agreement))


def judge_votes(reviewed: ReviewedExchange, *, min_agreement: float) -> Outcome:
    """Judge by the votes alone; as many up as down are disputed. Without a vote an undecided correction waits."""
    ups, downs = _count_votes(reviewed)
    if not ups + downs:
        return "correction-waits" if any(each.accepted is None for each in reviewed.corrections) else "unjudged"
    if max(ups, downs) / (ups + downs) < min_agreement or ups == downs:
        return "disputed"
    return "up" if ups > downs else "down"


def find_decision(reviewed: ReviewedExchange) -> Decision | None:
    """Return the latest decision about the answer; one that accepts counts while its correction is accepted."""
    accepted = {each.key for each in reviewed.corrections if each.accepted}
    counting = [
        each
        for each in reviewed.decisions
        if each.verdict in ANSWER_VERDICTS and (each.verdict != "accept" or each.correction in accepted)
    ]
    return counting[-1] if counting else None


def find_correction(reviewed: ReviewedExchange) -> Correction | None:
    """Return the correction that takes the answer's place: of the latest decision, else the newest accepted one."""
    accepted = {each.key: each for each in reviewed.corrections if each.accepted}
    decision = find_decision(reviewed)
    if decision and decision.verdict == "accept":
        return accepted[decision.correction]
    return next(reversed(accepted.values()), None)


def pending_corrections(reviewed: ReviewedExchange) -> Sequence[Correction]:
    """Return the corrections that nobody has decided on: a decision settles what was said before it."""
    last = max((each.at for each in reviewed.decisions), default=None)
    return [each for each in reviewed.corrections if each.accepted is None and (last is None or each.at > last)]


def review_reason(reviewed: ReviewedExchange, *, min_agreement: float) -> ReviewReason:
    """Return why somebody should review this answer; empty when nobody needs to, as for what was decided before."""
    if reviewed.exchange.pruned:
        return ""
    if pending_corrections(reviewed):
        return "correction"
    if find_decision(reviewed) or find_correction(reviewed):
        return ""
    outcome = judge_votes(reviewed, min_agreement=min_agreement)
    if outcome == "disputed":
        return "disputed"
    # Whoever turned a correction down has seen what it was about.
    return "down" if outcome == "down" and not reviewed.decisions else ""


def _build_judgement(
    reviewed: ReviewedExchange,
    outcome: Outcome,
    decision: Decision | None = None,
    correction: Correction | None = None,
) -> Judgement:
    side = "up" if outcome == "up" else "down"
    voters = tuple(sorted({each.voter for each in reviewed.votes if each.vote == side}))
    author = correction.author if correction else ""
    reviewer = decision.reviewer if decision else ""
    ups, downs = _count_votes(reviewed)
    return Judgement(
        outcome,
        voters,
        reviewed=bool(decision or correction),
        correction=correction,
        people=tuple(sorted({*voters, author, reviewer} - {""})),
        ups=ups,
        downs=downs,
        wrong_source=any(each.vote == "down" and each.reason == "wrong-source" for each in reviewed.votes),
    )


def _count_votes(reviewed: ReviewedExchange) -> tuple[int, int]:
    votes = [each.vote for each in reviewed.votes]
    return votes.count("up"), votes.count("down")
