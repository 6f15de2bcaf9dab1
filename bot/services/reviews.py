"""Lists the answers that somebody should look at, and records what reviewers and owners decide about them."""

import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, get_args

from bot.access.conversations import without_closed_turns
from bot.access.disclosure import DisclosureGate
from bot.errors import UsageProblem
from bot.services.audit import no_audit
from bot.services.votes import MAX_CHARACTERS
from feedback.errors import UnknownExchange, UnreadableRecord
from feedback.records import Correction, Decision, Exchange, ReviewedExchange
from feedback.stores.protocol import FeedbackStore
from feedback.stores.skipped import OnSkipped, log_skipped

Verdict = Literal["approve", "drop", "accept", "reject"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)


@dataclass(frozen=True, slots=True)
class ReviewDecision:
    """A reviewer's verdict on an answer.

    `correction` is the key of the one that is accepted or rejected; it may be empty where only one waits. With `text`
    the reviewer gives the right answer, which is accepted.
    """

    answer: str
    verdict: Verdict
    user: str
    correction: str = ""
    text: str = ""


class ReviewService:
    """Lists what waits for a review, and records decisions; may be used from any thread."""

    def __init__(
        self,
        *,
        feedback: FeedbackStore,
        gate: DisclosureGate,
        pseudonym: Callable[[str], str],
        clock: Callable[[], datetime],
        audit: Callable[..., None] = no_audit,
    ) -> None:
        self._audit = audit
        self._feedback = feedback
        self._gate = gate
        self._pseudonym = pseudonym
        self._clock = clock

    def waiting(
        self, *, min_agreement: float, groups: frozenset[str], skipped: OnSkipped = log_skipped
    ) -> Iterator[ReviewedExchange | None]:
        """Yield the answers that somebody should look at, oldest first; None for one that reviewers may not see.

        `groups` are the reviewers'; `skipped` is called with each stored record that cannot be read. Raises
        `FeedbackError`, and `RetrievalError` while it cannot be told who may read what.
        """
        for each in self._waiting(min_agreement, skipped):
            yield self._disclosed(each, groups)

    def exchanges_waiting(self, *, min_agreement: float) -> Iterator[Exchange]:
        """Yield all exchanges that wait, for a service that asks itself who may see them; raises `FeedbackError`."""
        return (each.exchange for each in self._waiting(min_agreement, log_skipped))

    def _waiting(self, min_agreement: float, skipped: OnSkipped) -> Iterator[ReviewedExchange]:
        from feedback.curation.judgements import review_reason

        return (
            each
            for each in self._feedback.reviewed_exchanges(skipped=skipped)
            if review_reason(each, min_agreement=min_agreement)
        )

    def reviewed(self, answer: str, *, groups: frozenset[str]) -> ReviewedExchange | None:
        """Return an answer with the votes, corrections and decisions that count now; None as `waiting` does.

        Raises `UnknownExchange` too.
        """
        exchange = self._feedback.exchange(answer)
        votes, corrections = self._feedback.votes(answer), self._feedback.corrections(answer)
        found = ReviewedExchange(exchange, tuple(votes), tuple(corrections), tuple(self._feedback.decisions(answer)))
        return self._disclosed(found, groups)

    def _disclosed(self, reviewed: ReviewedExchange, groups: frozenset[str]) -> ReviewedExchange | None:
        """Return what these groups may see of an answer: of its history, too; None where they may not see it."""
        if not self._gate.may_show(reviewed.exchange, groups):
            return None

        def may_show(earlier: str) -> bool:
            try:
                return self._gate.may_show(self._feedback.exchange(earlier), groups)
            except (UnknownExchange, UnreadableRecord):
                return False

        return replace(reviewed, exchange=without_closed_turns(reviewed.exchange, may_show=may_show))

    def decide(self, decision: ReviewDecision) -> Decision:
        """Record what a reviewer decides, with the correction that they typed, if any.

        Raises `UsageProblem` for a decision that makes no sense, and `FeedbackError`.
        """
        corrections = self._feedback.corrections(decision.answer)
        self._feedback.exchange(decision.answer)
        reviewer, key = self._pseudonym(decision.user), uuid.uuid4().hex
        record, typed = decision_records(decision, corrections, reviewer=reviewer, key=key, at=self._clock())
        if typed:
            self._feedback.correct(typed)
        self._feedback.decide(record)
        self._audit(f"reviewed: {decision.verdict}", by=decision.user, about=decision.answer)
        return record


def decision_records(
    decision: ReviewDecision, corrections: Sequence[Correction], *, reviewer: str, key: str, at: datetime
) -> tuple[Decision, Correction | None]:
    """Return the record of a decision, and that of the correction in its `text`, if any; raises `UsageProblem`."""
    if not reviewer:
        raise UsageProblem("a review needs a person: say who decides, with --user")
    text = decision.text.strip()
    if text:
        if decision.verdict != "accept" or decision.correction:
            raise UsageProblem("a text is a correction of its own: it goes with `accept` and with no other correction")
        if len(text) > MAX_CHARACTERS:
            raise UsageProblem(f"the correction has {len(text)} characters; at most {MAX_CHARACTERS} are kept")
        typed = Correction(f"{key}-correction", decision.answer, reviewer, at, text)
        return Decision(key, decision.answer, reviewer, at, "accept", typed.key), typed
    correction = _correction_key(decision, corrections) if decision.verdict in {"accept", "reject"} else ""
    if decision.correction and not correction:
        raise UsageProblem(f"a correction goes with `accept` or `reject`, not with `{decision.verdict}`")
    return Decision(key, decision.answer, reviewer, at, decision.verdict, correction), None


def _correction_key(decision: ReviewDecision, corrections: Sequence[Correction]) -> str:
    """Return the key of the correction that is decided on; raises `UsageProblem` where that is not clear."""
    known = [each.key for each in corrections]
    if decision.correction:
        if decision.correction not in known:
            raise UsageProblem(f"the answer {decision.answer!r} has no correction {decision.correction!r}")
        return decision.correction
    waiting = [each.key for each in corrections if each.accepted is None] or known
    if not waiting:
        raise UsageProblem(f"the answer {decision.answer!r} has no correction; type one with --correct ANSWER TEXT")
    if len(waiting) > 1:
        raise UsageProblem(f"the answer {decision.answer!r} has several corrections: name one of {', '.join(waiting)}")
    return waiting[0]
