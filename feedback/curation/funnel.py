"""Where every exchange went: how many came into each step, went on and left, and why."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from feedback.curation.scratch_db import ScratchDb
from feedback.curation.values import Rejected

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done and how much there is; 0 where nobody knows."""

# In this order; an exchange leaves at the first that it does not pass.
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
    """Counts what leaves, and writes it down."""

    def __init__(self, spill: ScratchDb) -> None:
        self._spill = spill
        self._left: dict[str, Counter[str]] = {step: Counter() for step in STEPS}
        self._noted: dict[str, dict[str, Any]] = {}
        self.gone: set[int] = set()

    def leave(self, position: int, rejected: Rejected) -> None:
        """Remember that an exchange gives no row."""
        self._left[rejected.stage][rejected.reason] += 1
        self._spill.reject(position, rejected)
        self.gone.add(position)

    def note(self, step: str, said: Mapping[str, Any]) -> None:
        """Say more of a step."""
        self._noted.setdefault(step, {}).update(said)

    def counts(self, exchanges: int) -> dict[str, dict[str, Any]]:
        """For each step `in`, `out`, `left` by reason, and `noted` where there is more to say; `rows` stands last."""
        counts: dict[str, dict[str, Any]] = {}
        for step in STEPS:
            left = dict(sorted(self._left[step].items()))
            staying = exchanges - sum(left.values())
            counts[step] = {"in": exchanges, "out": staying, "left": left}
            exchanges = staying
        counts["rows"] = {"in": exchanges, "out": exchanges, "left": {}}
        for step, said in self._noted.items():
            counts[step]["noted"] = dict(said)
        return counts
