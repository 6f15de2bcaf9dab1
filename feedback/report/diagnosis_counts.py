"""Counts thumbs-down by what they are about."""

from collections import Counter
from typing import Any

from feedback.ports import KnowledgePort
from feedback.records import Exchange, ReviewedExchange
from feedback.report.counts import rounded
from feedback.report.diagnosis import CLASSES, RULES, DiagnosisCase, find_rule


class DiagnosisCounts:
    """Thumbs-down by the rule that decides what they are about; without documents none is diagnosed.

    `not_in_documents` are the exchanges whose answer the documents do not hold.
    """

    def __init__(self, knowledge: KnowledgePort | None, *, threshold: float) -> None:
        self._knowledge = knowledge
        self._threshold = threshold
        self._rules: Counter[int] = Counter()
        self._set_aside = 0
        self._undiagnosed = 0
        self.not_in_documents: list[Exchange] = []

    def add(self, reviewed: ReviewedExchange) -> None:
        """Diagnose its thumbs-down; a reviewer outranks votes, so those on approved or dropped ones are set aside."""
        reasons = [vote.reason for vote in reviewed.votes if vote.vote == "down"]
        if reviewed.decisions and reviewed.decisions[-1].verdict in {"approve", "drop"}:
            self._set_aside += len(reasons)
            return
        if not self._knowledge:
            self._undiagnosed += len(reasons)
            return
        case = DiagnosisCase(reviewed, self._knowledge, threshold=self._threshold)
        rules = [find_rule(case, reason) for reason in reasons]
        self._rules.update(rules)
        if any(RULES[rule].result == "not-in-documents" for rule in rules) and reviewed.exchange.question.strip():
            self.not_in_documents.append(reviewed.exchange)

    @property
    def classes(self) -> Counter[str]:
        """Thumbs-down by class; those without any are not in it."""
        counts = Counter[str]()
        for rule, count in self._rules.items():
            counts[RULES[rule].result] += count
        return counts

    @property
    def kinds(self) -> Counter[str]:
        """Thumbs-down by `knowledge`, `behaviour` and `unclear`."""
        classes = self.classes
        counts = Counter[str]()
        for each in CLASSES:
            counts[each.kind] += classes[each.name]
        return counts

    def to_json(self, *, up: float, down: float, left_out: int) -> dict[str, Any]:
        """Return counts by class and by rule; `at_most` is the satisfaction if all of a class had been thumbs-up.

        `up` and `down` are all votes, `left_out` the thumbs-down that were never added.
        """
        classes, kinds = self.classes, self.kinds
        diagnosed = sum(classes.values())
        return {
            "down": rounded(down),
            "diagnosed": diagnosed,
            "set_aside": self._set_aside,
            "left_out": left_out + self._undiagnosed,
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
                    "share": rounded(classes[each.name] / diagnosed) if diagnosed else None,
                    "at_most": rounded((up + classes[each.name]) / (up + down)) if up + down else None,
                }
                for each in CLASSES
            ],
            "rules": [
                {"class": rule.result, "when": rule.when, "down": self._rules[position]}
                for position, rule in enumerate(RULES)
            ],
        }
