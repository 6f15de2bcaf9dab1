"""Judges whether tuning a model is worth it yet: what it could mend, and what there is to tune with."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from feedback.ports import KnowledgePort
from feedback.records import Exchange, ReviewedExchange, StoredCitation
from feedback.report.counts import rounded, share_with_interval
from feedback.texts.hashing import hash_to_number
from feedback.texts.words import collapse_whitespace

# Rows from which the data is enough for something, and for what.
LEVELS = ((10, "trying the pipeline out"), (50, "tuning that must be measured"), (500, "tuning"))
# So many thumbs-down must be known to be about knowledge or behaviour.
FEWEST_DIAGNOSED = 10
RECENT = timedelta(weeks=8)
WEEK = timedelta(weeks=1)


@dataclass(slots=True)
class TrainingRowEstimate:
    """Estimates how many exchanges could become rows of training data; `footnote export` counts exactly.

    An answer counts that people agree on (or a reviewer approved) and whose citations still hold, and one whose
    correction was accepted; a question counts once, whatever its case and blanks are.
    """

    knowledge: KnowledgePort | None
    _versions: dict[tuple[str, str], str | None] = field(default_factory=dict)
    _questions: dict[int, datetime] = field(default_factory=dict)
    _first: datetime | None = None
    _last: datetime | None = None

    def add(self, reviewed: ReviewedExchange) -> None:
        """Count an exchange if it is fit; exchanges come oldest first."""
        exchange = reviewed.exchange
        self._first, self._last = self._first or exchange.at, exchange.at
        if not exchange.pruned and _is_fit(reviewed) and self._is_current(exchange):
            question = collapse_whitespace(exchange.question.casefold())
            self._questions.setdefault(hash_to_number(question), exchange.at)

    @property
    def count(self) -> int:
        """How many rows there are."""
        return len(self._questions)

    @property
    def per_week(self) -> float:
        """How many came in a week, over the last eight of the records; 0 of nothing."""
        if self._first is None or self._last is None:
            return 0.0
        start = max(self._first, self._last - RECENT)
        weeks = max(1.0, (self._last - start) / WEEK)
        return sum(at >= start for at in self._questions.values()) / weeks

    def _is_current(self, exchange: Exchange) -> bool:
        return not self.knowledge or all(self._current_version(each) == each.version for each in exchange.citations)

    def _current_version(self, citation: StoredCitation) -> str | None:
        place = (citation.document, citation.anchor)
        if place not in self._versions:
            current = self.knowledge.current_section(*place) if self.knowledge else None
            self._versions[place] = current.version if current else None
        return self._versions[place]


def judge_tuning(kinds: Mapping[str, int], estimate: TrainingRowEstimate) -> dict[str, Any]:
    """Return the verdict with what it rests on; `kinds` counts thumbs-down by kind."""
    diagnosed = kinds.get("knowledge", 0) + kinds.get("behaviour", 0)
    behaviour = share_with_interval(kinds.get("behaviour", 0), diagnosed)
    verdict, why = _verdict(behaviour, diagnosed, estimate.count)
    return {
        "verdict": verdict,
        "why": why,
        "told": diagnosed,
        "behaviour": behaviour,
        "rows": estimate.count,
        "enough_for": next((purpose for least, purpose in reversed(LEVELS) if estimate.count >= least), "nothing yet"),
        "rows_per_week": rounded(estimate.per_week),
        "levels": [
            {
                "rows": least,
                "for": purpose,
                "missing": max(0, least - estimate.count),
                "weeks": _weeks_until(least - estimate.count, estimate.per_week),
            }
            for least, purpose in LEVELS
        ],
    }


def _verdict(behaviour: Mapping[str, Any] | None, diagnosed: int, rows: int) -> tuple[str, str]:
    if behaviour is None or diagnosed < FEWEST_DIAGNOSED:
        return "too-early", (
            f"Too early to say: of {diagnosed} thumbs-down it can be told what they are about, and "
            f"{FEWEST_DIAGNOSED} are needed."
        )
    ratio = f"between {behaviour['low']:.0%} and {behaviour['high']:.0%}"
    if behaviour["high"] < 0.5:
        return "not-now", f"Not now: {ratio} of the complaints are about behaviour. Mend the knowledge first."
    if rows < LEVELS[1][0]:
        return "collect", (
            f"Collect first: {ratio} of the complaints are about behaviour, which tuning may mend, but there are "
            f"{rows} rows to tune with."
        )
    if behaviour["low"] > 0.5 and rows >= LEVELS[2][0]:
        return "worth-it", f"Worth it: {ratio} of the complaints are about behaviour, and {rows} rows are enough."
    return "measure", (
        f"Worth a measured trial: {ratio} of the complaints are about behaviour. Tune on the {rows} rows, and keep the "
        "result only if `footnote evaluate` shows that it is better."
    )


def _weeks_until(missing: int, per_week: float) -> float | None:
    """Return the weeks until so many more rows have come; 0 when none is missing, None when none comes."""
    if missing <= 0:
        return 0
    return rounded(round(missing / per_week, 1)) if per_week else None


def _is_fit(reviewed: ReviewedExchange) -> bool:
    """Return whether the latest decision, an accepted correction or all votes speak for an answer to learn."""
    verdict = reviewed.decisions[-1].verdict if reviewed.decisions else ""
    if verdict in {"approve", "drop"}:
        return verdict == "approve"
    votes = Counter(vote.vote for vote in reviewed.votes)
    return any(each.accepted for each in reviewed.corrections) or (votes["up"] > 0 and votes["down"] == 0)
