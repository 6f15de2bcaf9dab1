"""Whether tuning a model is worth it yet: what it could mend, what there is to tune with, and what is still missing."""

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from feedback.ports import KnowledgePort
from feedback.records import Exchange, ReviewedExchange, StoredCitation
from feedback.report.tallies import neat, share

# Rows from which the data is enough for something, and for what.
LEVELS = ((10, "trying the pipeline out"), (50, "tuning that must be measured"), (500, "tuning"))
FEWEST_TOLD = 10
RECENT = timedelta(weeks=8)
WEEK = timedelta(weeks=1)


@dataclass(slots=True)
class Rows:
    """Counts the exchanges that could become rows of training data; an estimate, `footnote export` tells exactly.

    An answer counts that people agree on (or a reviewer approved) and whose citations still hold, and one whose
    correction was accepted; a question counts once.
    """

    sources: KnowledgePort | None
    _versions: dict[tuple[str, str], str | None] = field(default_factory=dict)
    _questions: dict[int, datetime] = field(default_factory=dict)
    _first: datetime | None = None
    _last: datetime | None = None

    def add(self, judged: ReviewedExchange) -> None:
        exchange = judged.exchange
        self._first, self._last = self._first or exchange.at, exchange.at
        if not exchange.pruned and _is_fit(judged) and self._is_current(exchange):
            self._questions.setdefault(hash_of(exchange.question), exchange.at)

    @property
    def count(self) -> int:
        return len(self._questions)

    @property
    def per_week(self) -> float:
        """How many came in a week, over the last eight of the records."""
        if self._first is None or self._last is None:
            return 0.0
        start = max(self._first, self._last - RECENT)
        weeks = max(1.0, (self._last - start) / WEEK)
        return sum(at >= start for at in self._questions.values()) / weeks

    def _is_current(self, exchange: Exchange) -> bool:
        return not self.sources or all(self._version(cited) == cited.version for cited in exchange.citations)

    def _version(self, cited: StoredCitation) -> str | None:
        place = (cited.document, cited.anchor)
        if place not in self._versions:
            current = self.sources.current_section(*place) if self.sources else None
            self._versions[place] = current.version if current else None
        return self._versions[place]


def hash_of(question: str) -> int:
    """Stands for a question whatever its case and blanks are."""
    folded = " ".join(question.casefold().split())
    return int.from_bytes(hashlib.sha256(folded.encode("utf-8", "surrogatepass")).digest()[:8], "big")


def tuning(kinds: Mapping[str, int], rows: Rows) -> dict[str, Any]:
    """The verdict, with what it rests on; `kinds` counts thumbs-down by kind."""
    told = kinds.get("knowledge", 0) + kinds.get("behaviour", 0)
    behaviour = share(kinds.get("behaviour", 0), told)
    verdict, why = _verdict(behaviour, told, rows.count)
    return {
        "verdict": verdict,
        "why": why,
        "told": told,
        "behaviour": behaviour,
        "rows": rows.count,
        "enough_for": next((purpose for least, purpose in reversed(LEVELS) if rows.count >= least), "nothing yet"),
        "rows_per_week": neat(rows.per_week),
        "levels": [
            {
                "rows": least,
                "for": purpose,
                "missing": max(0, least - rows.count),
                "weeks": _weeks(least - rows.count, rows.per_week),
            }
            for least, purpose in LEVELS
        ],
    }


def _verdict(behaviour: Mapping[str, Any] | None, told: int, rows: int) -> tuple[str, str]:
    if behaviour is None or told < FEWEST_TOLD:
        return "too-early", (
            f"Too early to say: of {told} thumbs-down it can be told what they are about, and {FEWEST_TOLD} are needed."
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


def _weeks(missing: int, per_week: float) -> float | None:
    if missing <= 0:
        return 0
    return neat(round(missing / per_week, 1)) if per_week else None


def _is_fit(judged: ReviewedExchange) -> bool:
    decided = judged.decisions[-1].verdict if judged.decisions else ""
    if decided in {"approve", "drop"}:
        return decided == "approve"
    votes = Counter(vote.vote for vote in judged.votes)
    return any(each.accepted for each in judged.corrections) or (votes["up"] > 0 and votes["down"] == 0)
