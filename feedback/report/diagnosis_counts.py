"""Thumbs-down, counted by what they are about."""

from collections import Counter
from typing import Any

from feedback.ports import KnowledgePort
from feedback.records import Exchange, ReviewedExchange
from feedback.report.diagnosis import CLASSES, RULES, Case, diagnosed
from feedback.report.tallies import neat


class Diagnosis:
    """Thumbs-down by what they are about; `missing` are exchanges whose answer is not in the documents.

    Without documents it is not known what they are about.
    """

    def __init__(self, sources: KnowledgePort | None, *, threshold: float) -> None:
        self._sources = sources
        self._threshold = threshold
        self._rules: Counter[int] = Counter()
        self._set_aside = 0
        self._left_out = 0
        self.missing: list[Exchange] = []

    def add(self, judged: ReviewedExchange) -> None:
        """Sort its thumbs-down; a reviewer outranks votes, so what they approved or dropped is set aside."""
        reasons = [vote.reason for vote in judged.votes if vote.vote == "down"]
        if judged.decisions and judged.decisions[-1].verdict in {"approve", "drop"}:
            self._set_aside += len(reasons)
            return
        if not self._sources:
            self._left_out += len(reasons)
            return
        case = Case(judged, self._sources, threshold=self._threshold)
        rules = [diagnosed(case, reason) for reason in reasons]
        self._rules.update(rules)
        if any(RULES[rule].result == "not-in-documents" for rule in rules) and judged.exchange.question.strip():
            self.missing.append(judged.exchange)

    @property
    def classes(self) -> Counter[str]:
        found = Counter[str]()
        for rule, count in self._rules.items():
            found[RULES[rule].result] += count
        return found

    @property
    def kinds(self) -> Counter[str]:
        classes = self.classes
        found = Counter[str]()
        for each in CLASSES:
            found[each.kind] += classes[each.name]
        return found

    def figures(self, *, up: float, down: float, left_out: int) -> dict[str, Any]:
        """Counts by class and by rule; `at_most` is the satisfaction if all of a class had been thumbs-up.

        `up` and `down` are all votes, `left_out` the thumbs-down that never came here.
        """
        classes, kinds = self.classes, self.kinds
        sorted_out = sum(classes.values())
        return {
            "down": neat(down),
            "diagnosed": sorted_out,
            "set_aside": self._set_aside,
            "left_out": left_out + self._left_out,
            "knowledge": kinds["knowledge"],
            "behaviour": kinds["behaviour"],
            "unclear": kinds["unclear"],
            "classes": [
                {
                    "class": each.name,
                    "kind": each.kind,
                    "meaning": each.meaning,
                    "repair": each.repair,
                    "down": classes[each.name],
                    "share": neat(classes[each.name] / sorted_out) if sorted_out else None,
                    "at_most": neat((up + classes[each.name]) / (up + down)) if up + down else None,
                }
                for each in CLASSES
            ],
            "rules": [
                {"class": rule.result, "when": rule.when, "down": self._rules[number]}
                for number, rule in enumerate(RULES)
            ],
        }
