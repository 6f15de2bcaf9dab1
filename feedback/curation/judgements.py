"""What people think of an answer when all that they said is put together, and what somebody must look at (pure)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from feedback.records import Correction, Decision, ReviewedExchange

Outcome = Literal["up", "down", "corrected", "unjudged", "correction-waits", "disputed", "dropped"]
Waiting = Literal["", "disputed", "down", "correction"]

DECIDING = frozenset({"approve", "drop", "accept"})


@dataclass(frozen=True, slots=True)
class Judgement:
    """What an answer is worth, and whose words make it so (keyed hashes).

    `voters` are those whose vote says the same; `reviewed` is true of what was decided in a review, which outranks
    them. `wrong_source` says that somebody who voted it down blamed what it cites.
    """

    outcome: Outcome
    voters: tuple[str, ...] = ()
    reviewed: bool = False
    correction: Correction | None = None
    people: tuple[str, ...] = ()
    ups: int = 0
    downs: int = 0
    wrong_source: bool = False


def judgement(judged: ReviewedExchange, *, min_agreement: float) -> Judgement:
    """The latest decision counts, else an accepted correction, else votes that agree well enough."""
    decision, correction = decided(judged), accepted(judged)
    if decision and decision.verdict == "drop":
        return _made(judged, "dropped", decision)
    if decision and decision.verdict == "approve":
        return _made(judged, "up", decision)
    if correction:
        return _made(judged, "corrected", decision, correction)
    return _made(judged, voted(judged, min_agreement=min_agreement))


def voted(judged: ReviewedExchange, *, min_agreement: float) -> Outcome:
    """What the votes alone say."""
    ups, downs = _counted(judged)
    if not ups + downs:
        return "correction-waits" if any(each.accepted is None for each in judged.corrections) else "unjudged"
    if max(ups, downs) / (ups + downs) < min_agreement or ups == downs:
        return "disputed"
    return "up" if ups > downs else "down"


def decided(judged: ReviewedExchange) -> Decision | None:
    """The decision about the answer that counts; one that accepts does while its correction is accepted."""
    held = {each.key for each in judged.corrections if each.accepted}
    counting = [
        each
        for each in judged.decisions
        if each.verdict in DECIDING and (each.verdict != "accept" or each.correction in held)
    ]
    return counting[-1] if counting else None


def accepted(judged: ReviewedExchange) -> Correction | None:
    """The correction that takes the answer's place: that of the latest decision, else the newest accepted one."""
    held = {each.key: each for each in judged.corrections if each.accepted}
    decision = decided(judged)
    if decision and decision.verdict == "accept":
        return held[decision.correction]
    return next(reversed(held.values()), None)


def pending(judged: ReviewedExchange) -> Sequence[Correction]:
    """The corrections that nobody has decided on: a decision settles what was said before it."""
    last = max((each.at for each in judged.decisions), default=None)
    return [each for each in judged.corrections if each.accepted is None and (last is None or each.at > last)]


def waiting(judged: ReviewedExchange, *, min_agreement: float) -> Waiting:
    """Why somebody should look at this answer; empty when nobody needs to, as for what was decided before."""
    if judged.exchange.pruned:
        return ""
    if pending(judged):
        return "correction"
    if decided(judged) or accepted(judged):
        return ""
    outcome = voted(judged, min_agreement=min_agreement)
    if outcome == "disputed":
        return "disputed"
    # Whoever turned a correction down has seen what it was about.
    return "down" if outcome == "down" and not judged.decisions else ""


def _made(
    judged: ReviewedExchange, outcome: Outcome, decision: Decision | None = None, correction: Correction | None = None
) -> Judgement:
    side = "up" if outcome == "up" else "down"
    voters = tuple(sorted({each.voter for each in judged.votes if each.vote == side}))
    author = correction.author if correction else ""
    reviewer = decision.reviewer if decision else ""
    ups, downs = _counted(judged)
    return Judgement(
        outcome,
        voters,
        reviewed=bool(decision or correction),
        correction=correction,
        people=tuple(sorted({*voters, author, reviewer} - {""})),
        ups=ups,
        downs=downs,
        wrong_source=any(each.vote == "down" and each.reason == "wrong-source" for each in judged.votes),
    )


def _counted(judged: ReviewedExchange) -> tuple[int, int]:
    votes = [each.vote for each in judged.votes]
    return votes.count("up"), votes.count("down")
