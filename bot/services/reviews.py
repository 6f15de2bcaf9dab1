"""What a reviewer rules about an answer, checked and turned into records (pure; knows no platform)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from bot.errors import UsageProblem
from bot.services.votes import MOST_CHARACTERS
from feedback.records import Correction, Decision

Verdict = Literal["approve", "drop", "accept", "reject"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)


@dataclass(frozen=True, slots=True)
class ReviewDecision:
    """What somebody rules about an answer.

    `correction` is the key of the one that is accepted or rejected; it may be empty where only one waits. With `text`
    the reviewer says what is right, which is accepted.
    """

    answer: str
    verdict: Verdict
    user: str
    correction: str = ""
    text: str = ""


def ruled(
    ruling: ReviewDecision, corrections: Sequence[Correction], *, reviewer: str, key: str, at: datetime
) -> tuple[Decision, Correction | None]:
    """What is to be remembered, of `text` the correction too; raises `UsageProblem` for what makes no sense."""
    if not reviewer:
        raise UsageProblem("a review needs a person: say who decides, with --user")
    text = ruling.text.strip()
    if text:
        if ruling.verdict != "accept" or ruling.correction:
            raise UsageProblem("a text is a correction of its own: it goes with `accept` and with no other correction")
        if len(text) > MOST_CHARACTERS:
            raise UsageProblem(f"the correction has {len(text)} characters; at most {MOST_CHARACTERS} are kept")
        made = Correction(f"{key}-correction", ruling.answer, reviewer, at, text)
        return Decision(key, ruling.answer, reviewer, at, "accept", made.key), made
    about = _meant(ruling, corrections) if ruling.verdict in {"accept", "reject"} else ""
    if ruling.correction and not about:
        raise UsageProblem(f"a correction goes with `accept` or `reject`, not with `{ruling.verdict}`")
    return Decision(key, ruling.answer, reviewer, at, ruling.verdict, about), None


def _meant(ruling: ReviewDecision, corrections: Sequence[Correction]) -> str:
    """The key of the correction that is ruled on."""
    known = [each.key for each in corrections]
    if ruling.correction:
        if ruling.correction not in known:
            raise UsageProblem(f"the answer {ruling.answer!r} has no correction {ruling.correction!r}")
        return ruling.correction
    waiting = [each.key for each in corrections if each.accepted is None] or known
    if not waiting:
        raise UsageProblem(f"the answer {ruling.answer!r} has no correction; type one with --correct ANSWER TEXT")
    if len(waiting) > 1:
        raise UsageProblem(f"the answer {ruling.answer!r} has several corrections: name one of {', '.join(waiting)}")
    return waiting[0]
