"""Diagnoses what a thumbs-down is about: something that the knowledge lacks, or the way that the bot behaves.

RULES is all there is to it: the first rule that holds decides. Its texts are those of deploy/guides/report.md.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from feedback.ports import FoundSection, KnowledgePort
from feedback.records import Reason, ReviewedExchange
from feedback.report.citations import citation_state

Kind = Literal["knowledge", "behaviour", "unclear"]
Finding = Literal["not-in-documents", "not-retrieved", "outdated", "wrong-answer", "tone-or-format", "unclear"]


@dataclass(frozen=True, slots=True)
class DiagnosisClass:
    """Something that a thumbs-down can be about, and what repairs it."""

    name: Finding
    kind: Kind
    meaning: str
    repair: str


CLASSES: tuple[DiagnosisClass, ...] = (
    DiagnosisClass("not-in-documents", "knowledge", "the documents do not say it", "write or correct the document"),
    DiagnosisClass(
        "not-retrieved",
        "knowledge",
        "the documents say it, but it was not found",
        "index again, `synonyms`, clearer headings, a tuned retriever",
    ),
    DiagnosisClass(
        "outdated",
        "knowledge",
        "found, but no longer true",
        "`footnote sync`; its owner mends the document",
    ),
    DiagnosisClass(
        "wrong-answer", "behaviour", "the right passages, the wrong answer", "the prompt, another model, tuning"
    ),
    DiagnosisClass("tone-or-format", "behaviour", "right, but said badly", "the prompt, tuning"),
    DiagnosisClass(
        "unclear", "unclear", "nothing to tell it by", "ask for a reason with the thumbs-down; `footnote review`"
    ),
)
FORM: frozenset[Reason] = frozenset({"unclear", "tone"})
CONTENT: frozenset[Reason] = frozenset({"wrong", "incomplete", "wrong-source"})
PLACE: frozenset[Reason] = frozenset({"incomplete", "wrong-source"})


class DiagnosisCase:
    """A down-voted exchange and what can be found out about it, each at most once and only when it is asked for.

    `threshold` is the confidence from which a search has found something.
    """

    def __init__(self, reviewed: ReviewedExchange, knowledge: KnowledgePort, *, threshold: float) -> None:
        self.exchange = reviewed.exchange
        self._corrections = reviewed.corrections
        self._knowledge = knowledge
        self._threshold = threshold

    @cached_property
    def correction(self) -> str:
        """The newest correction that was accepted, else the newest that was not rejected; empty without one."""
        undecided = [each.text for each in self._corrections if each.accepted is None and each.text.strip()]
        accepted = [each.text for each in self._corrections if each.accepted and each.text.strip()]
        return (accepted or undecided or [""])[-1]

    @cached_property
    def has_changed(self) -> bool:
        """Whether a cited section is gone, or no longer says what was quoted."""
        return any(
            citation_state(each, self._knowledge.current_section(each.document, each.anchor)) != "same"
            for each in self.exchange.citations
        )

    @cached_property
    def correction_was_shown(self) -> bool:
        """Whether the passages that were shown then support the correction."""
        texts = [passage.text for passage in self.exchange.shown]
        return bool(self.correction and self._supporting_passages(self.correction, texts))

    @cached_property
    def sections_with_correction(self) -> Sequence[FoundSection]:
        """The sections that are found now and support the correction."""
        return self._supporting_sections(self.correction) if self.correction else ()

    @cached_property
    def is_supported(self) -> bool:
        """Whether the passages that were shown support every sentence of the answer."""
        texts = [passage.text for passage in self.exchange.shown]
        return all(self._knowledge.supports(sentence.text, texts) for sentence in self.exchange.sentences)

    @cached_property
    def is_supported_elsewhere(self) -> bool:
        """Whether a section that is found now and was not shown then supports the answer."""
        found = self._supporting_sections(" ".join(sentence.text for sentence in self.exchange.sentences))
        return any(not self.was_shown(each) for each in found)

    @cached_property
    def best(self) -> FoundSection | None:
        """The first section that is found now, if that is enough for an answer."""
        return self._found[0] if self._found and self._found[0].confidence >= self._threshold else None

    @cached_property
    def best_was_shown(self) -> bool:
        """Whether there is a best section now, and it was shown then."""
        return self.best is not None and self.was_shown(self.best)

    def was_shown(self, section: FoundSection) -> bool:
        """Return whether this section was shown then, as it is now."""
        return any(
            (each.document, each.anchor, each.text) == (section.document, section.anchor, section.text)
            for each in self.exchange.shown
        )

    def was_shown_otherwise(self, section: FoundSection) -> bool:
        """Return whether this section was shown then in another version of its document, with another text."""
        return not self.was_shown(section) and any(
            (each.document, each.anchor) == (section.document, section.anchor) and each.version != section.version
            for each in self.exchange.shown
        )

    @cached_property
    def _found(self) -> Sequence[FoundSection]:
        """The one search; the words of a correction help it, since they say what is looked for."""
        question = " ".join(filter(None, (self.exchange.question, self.correction)))
        return self._knowledge.search(replace(self.exchange, question=question)) if question.strip() else ()

    def _supporting_sections(self, text: str) -> Sequence[FoundSection]:
        numbers = self._supporting_passages(text, [each.text for each in self._found])
        return [self._found[number - 1] for number in sorted(numbers)]

    def _supporting_passages(self, text: str, passages: Sequence[str]) -> set[int]:
        """Return the numbers of the passages that support the text; none unless they support every sentence."""
        sentences = self._knowledge.cite_sentences(text, passages) if text.strip() and passages else ()
        if not all(each.citations for each in sentences):
            return set()
        return {number for each in sentences for number in each.citations}


@dataclass(frozen=True, slots=True)
class Rule:
    """A condition on a down-voted exchange and the reason of its vote, and what the vote is about where it holds."""

    result: Finding
    when: str
    holds: Callable[[DiagnosisCase, Reason], bool]


RULES: tuple[Rule, ...] = (
    Rule("tone-or-format", "the reason is `unclear` or `tone`", lambda _, reason: reason in FORM),
    Rule("outdated", "the reason is `outdated`", lambda _, reason: reason == "outdated"),
    Rule(
        "wrong-answer",
        "somebody has corrected the answer, and the passages shown then support the correction",
        lambda case, _: case.correction_was_shown,
    ),
    Rule(
        "outdated",
        "the correction is supported by a section that was shown then in another version",
        lambda case, _: any(map(case.was_shown_otherwise, case.sections_with_correction)),
    ),
    Rule(
        "not-retrieved",
        "the correction is supported by a section that is found now and was not shown then",
        lambda case, _: bool(case.sections_with_correction),
    ),
    Rule(
        "outdated",
        "a cited section is gone, or no longer says what was quoted",
        lambda case, _: case.has_changed,
    ),
    Rule(
        "not-in-documents",
        "nothing that is found now supports the correction",
        lambda case, _: bool(case.correction),
    ),
    Rule(
        "unclear",
        "the words of the exchange are gone by age",
        lambda case, _: case.exchange.pruned,
    ),
    Rule(
        "not-in-documents",
        "nothing was answered, or what the passages do not support, and a search finds nothing confident now",
        lambda case, _: (case.exchange.abstained or not case.is_supported) and case.best is None,
    ),
    Rule(
        "not-retrieved",
        "nothing was answered, and the best section that is found now was not shown then",
        lambda case, _: case.exchange.abstained and not case.best_was_shown,
    ),
    Rule(
        "wrong-answer",
        "nothing was answered, though the best section that is found now was shown then",
        lambda case, _: case.exchange.abstained,
    ),
    Rule(
        "not-retrieved",
        "the passages shown then do not support the answer, and a section found now does",
        lambda case, _: not case.is_supported and case.is_supported_elsewhere,
    ),
    Rule(
        "not-retrieved",
        "the reason is `incomplete` or `wrong-source`, and the best section that is found now was not shown then",
        lambda case, reason: reason in PLACE and case.best is not None and not case.best_was_shown,
    ),
    Rule(
        "wrong-answer",
        "the reason is `wrong`, `incomplete` or `wrong-source`, or the passages do not support the answer",
        lambda case, reason: reason in CONTENT or not case.is_supported,
    ),
    Rule("unclear", "there is no reason, and nothing of the above holds", lambda *_: True),
)


def find_rule(case: DiagnosisCase, reason: Reason) -> int:
    """Return the position in RULES of the one that decides about a thumbs-down with this reason."""
    return next(position for position, rule in enumerate(RULES) if rule.holds(case, reason))
