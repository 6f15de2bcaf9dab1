"""Compares an expert's reply with the sections that owners were shown, for a statement below it (pure)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bot.answering.verification.entailment import check_entailment
from bot.answering.verification.injection import is_injection
from retrieval.sectioning.sentences import sentences

# Reasons for which a sentence is refused though its place in the text was found: the text says something else there.
DIFFERS = frozenset(
    ("number", "date", "unit", "negation", "modality", "role", "condition", "order", "quantity", "tense")
)
# More sentences than anybody replies are not compared one by one.
MOST_SENTENCES = 20


@dataclass(frozen=True, slots=True)
class SectionText:
    """The text of a section, the title of its document and its headings, parted by ` > `."""

    title: str
    path: str
    text: str


@dataclass(frozen=True, slots=True)
class ReplySupport:
    """Whether sections support a reply; where one says otherwise, which, and the word that differs."""

    kind: Literal["supported", "unsupported", "differs"]
    section: SectionText | None = None
    detail: str = ""


def check_reply(reply: str, sections: Sequence[SectionText], *, language: str) -> ReplySupport | None:
    """Compare a reply sentence by sentence; None where there is nothing to compare, or too much."""
    texts = [each for each in sections if each.text.strip() and not is_injection(each.text)]
    said = [reply[start:end] for start, end in sentences(reply[: MOST_SENTENCES * 1000])]
    if not texts or not said or len(said) > MOST_SENTENCES:
        return None
    supported = True
    for sentence in said:
        if check_entailment(sentence, [each.text for each in texts], language=language).supported:
            continue
        supported = False
        for each in texts:
            verdict = check_entailment(sentence, [each.text], language=language)
            if verdict.reason in DIFFERS:
                return ReplySupport("differs", each, verdict.detail)
    return ReplySupport("supported" if supported else "unsupported")
