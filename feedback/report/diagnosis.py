"""What each thumbs-down is about: something that is missing in the knowledge, or the way that the bot behaves.

RULES is the whole of it: the first rule that holds decides. Its texts are those of the README.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from feedback.ports import FoundSection, KnowledgePort
from feedback.records import Reason, ReviewedExchange
from feedback.report.citations import state

Kind = Literal["knowledge", "behaviour", "unclear"]
Finding = Literal["not-in-documents", "not-retrieved", "outdated", "wrong-answer", "tone-or-format", "unclear"]


@dataclass(frozen=True, slots=True)
class Class:
    """What a thumbs-down can be about, and what repairs that."""

    name: Finding
    kind: Kind
    meaning: str
    repair: str


CLASSES: tuple[Class, ...] = (
    Class("not-in-documents", "knowledge", "the documents do not say it", "write or correct the document"),
    Class(
        "not-retrieved",
        "knowledge",
        "the documents say it, but it was not found",
        "index again, `synonyms`, clearer headings, a tuned retriever",
    ),
    Class(
        "outdated",
        "knowledge",
        "found, but no longer true",
        "`footnote sync`; its owner mends the document",
    ),
    Class("wrong-answer", "behaviour", "the right passages, the wrong answer", "the prompt, another model, tuning"),
    Class("tone-or-format", "behaviour", "right, but said badly", "the prompt, tuning"),
    Class("unclear", "unclear", "nothing to tell it by", "ask for a reason with the thumbs-down; `footnote review`"),
)
FORM: frozenset[Reason] = frozenset({"unclear", "tone"})
CONTENT: frozenset[Reason] = frozenset({"wrong", "incomplete", "wrong-source"})
PLACE: frozenset[Reason] = frozenset({"incomplete", "wrong-source"})


class Case:
    """A down-voted exchange and what can be found out about it, each at most once and only when it is asked for.

    `threshold` is the confidence from which a search has found something.
    """

    def __init__(self, judged: ReviewedExchange, sources: KnowledgePort, *, threshold: float) -> None:
        self.exchange = judged.exchange
        self._corrections = judged.corrections
        self._sources = sources
        self._threshold = threshold

    @cached_property
    def correction(self) -> str:
        """What would be right: the newest correction that was accepted, else the newest that was not rejected."""
        open_ones = [each.text for each in self._corrections if each.accepted is None and each.text.strip()]
        accepted = [each.text for each in self._corrections if each.accepted and each.text.strip()]
        return (accepted or open_ones or [""])[-1]

    @cached_property
    def has_changed(self) -> bool:
        """Whether a cited section is gone, or no longer says what was quoted."""
        return any(
            state(cited, self._sources.current_section(cited.document, cited.anchor)) != "same"
            for cited in self.exchange.citations
        )

    @cached_property
    def correction_was_shown(self) -> bool:
        return bool(self.correction and self._supporting(self.correction, [s.text for s in self.exchange.shown]))

    @cached_property
    def correction_is_found(self) -> Sequence[FoundSection]:
        """What is found now and supports the correction."""
        return self._finding(self.correction) if self.correction else ()

    @cached_property
    def is_supported(self) -> bool:
        """Whether the passages that were shown support every sentence of the answer."""
        texts = [shown.text for shown in self.exchange.shown]
        return all(self._sources.supports(sentence.text, texts) for sentence in self.exchange.sentences)

    @cached_property
    def answer_is_found(self) -> bool:
        """Whether what is found now supports the answer, though it was not shown then."""
        found = self._finding(" ".join(sentence.text for sentence in self.exchange.sentences))
        return any(not self.was_shown(each) for each in found)

    @cached_property
    def best(self) -> FoundSection | None:
        """What is found first now, if that is enough for an answer."""
        return self._found[0] if self._found and self._found[0].confidence >= self._threshold else None

    @cached_property
    def best_was_shown(self) -> bool:
        return self.best is not None and self.was_shown(self.best)

    def was_shown(self, found: FoundSection) -> bool:
        """Whether this passage was shown then, as it is now."""
        return any(
            (each.document, each.anchor, each.text) == (found.document, found.anchor, found.text)
            for each in self.exchange.shown
        )

    def was_shown_otherwise(self, found: FoundSection) -> bool:
        """Whether its section was shown then, in another version of the document, and did not say this."""
        return not self.was_shown(found) and any(
            (each.document, each.anchor) == (found.document, found.anchor) and each.version != found.version
            for each in self.exchange.shown
        )

    @cached_property
    def _found(self) -> Sequence[FoundSection]:
        """The one search; the words of a correction help it, since they say what is looked for."""
        question = " ".join(filter(None, (self.exchange.question, self.correction)))
        return self._sources.search(replace(self.exchange, question=question)) if question.strip() else ()

    def _finding(self, text: str) -> Sequence[FoundSection]:
        numbers = self._supporting(text, [found.text for found in self._found])
        return [self._found[number - 1] for number in sorted(numbers)]

    def _supporting(self, text: str, passages: Sequence[str]) -> set[int]:
        """The numbers of the passages that support the text; none unless they support every sentence."""
        said = self._sources.cite_sentences(text, passages) if text.strip() and passages else ()
        return {number for each in said for number in each.citations} if all(s.citations for s in said) else set()


@dataclass(frozen=True, slots=True)
class Rule:
    """When a thumbs-down with this reason on such an exchange is about this."""

    result: Finding
    when: str
    holds: Callable[[Case, Reason], bool]


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
        lambda case, _: any(map(case.was_shown_otherwise, case.correction_is_found)),
    ),
    Rule(
        "not-retrieved",
        "the correction is supported by a section that is found now and was not shown then",
        lambda case, _: bool(case.correction_is_found),
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
        lambda case, _: not case.is_supported and case.answer_is_found,
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


def diagnosed(case: Case, reason: Reason) -> int:
    """The number of the rule, from 0, that decides about a thumbs-down with this reason."""
    return next(number for number, rule in enumerate(RULES) if rule.holds(case, reason))
