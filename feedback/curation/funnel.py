"""Counts where every exchange went: how many came into each step, went on and were left out, and why."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from feedback.curation.dataset import RejectedExchange
from feedback.curation.scratch_db import ScratchDb

# In this order; an exchange is left out at the first that it does not pass.
STEPS = (
    "eligibility",
    "judgement",
    "audience",
    "secrets",
    "staleness",
    "groundedness",
    "contamination",
    "duplicate",
    "share",
    "balance",
)


class Funnel:
    """Counts the exchanges that are left out, and writes each to the scratch database."""

    def __init__(self, scratch: ScratchDb) -> None:
        self._scratch = scratch
        self._reasons: dict[str, Counter[str]] = {step: Counter() for step in STEPS}
        self._notes: dict[str, dict[str, Any]] = {}
        self.rejected_positions: set[int] = set()

    def reject(self, position: int, rejected: RejectedExchange) -> None:
        """Record that the exchange at this position gives no row."""
        self._reasons[rejected.stage][rejected.reason] += 1
        self._scratch.add_rejected_exchange(position, rejected)
        self.rejected_positions.add(position)

    def add_notes(self, step: str, notes: Mapping[str, Any]) -> None:
        """Record more about a step."""
        self._notes.setdefault(step, {}).update(notes)

    def counts(self, exchanges: int) -> dict[str, dict[str, Any]]:
        """Return for each step `in`, `out`, `left` by reason, and `noted` if there are notes; `rows` stands last."""
        counts: dict[str, dict[str, Any]] = {}
        for step in STEPS:
            reasons = dict(sorted(self._reasons[step].items()))
            remaining = exchanges - sum(reasons.values())
            counts[step] = {"in": exchanges, "out": remaining, "left": reasons}
            exchanges = remaining
        counts["rows"] = {"in": exchanges, "out": exchanges, "left": {}}
        for step, notes in self._notes.items():
            counts[step]["noted"] = dict(notes)
        return counts
