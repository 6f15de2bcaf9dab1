"""Finds sentences on the same subject that give different values, to show them side by side (pure)."""

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from bot.answering.annotation.claims import Statement, extract_claim, leans_on_another
from bot.answering.annotation.comparison import Difference, compare
from bot.answering.annotation.terms import subject_terms
from bot.answering.answers import Citation, Sentence
from bot.answering.verification.injection import trusted_spans
from bot.answering.writing.generator import Quote
from retrieval.passages import Passage
from retrieval.sectioning.blocks import ITEM
from retrieval.sectioning.sentences import CELL, sentences

# Sections whose sentences are compared with those of the answer.
COMPARED_PASSAGES = 6
# Sentences that may be added to one answer.
MAX_DIFFERENCES = 2
# Sentences of an answer, and of those sections, that are compared; each with each.
MAX_STATEMENTS, MAX_OTHERS = 60, 400
# Any other item of a list is a part of a sentence, or a step of a scale.
WHOLE_ITEM = re.compile(r"[-*•] [A-Z].*[^,;]$")


def cited_statements(
    shown: Sequence[Sentence], citations: Sequence[Citation], passages: Sequence[Passage], *, language: str
) -> list[Statement]:
    """Return the cited sentences that give the values or name the roles which the answer's sentences do, in order."""
    found: dict[Quote, Statement] = {}
    for sentence in shown:
        claimed = extract_claim(sentence.text, language)
        if claimed is None:
            continue
        for number in sentence.citations:
            for each in _quoted_statements(citations[number - 1], passages, language):
                same_value = any(value.agrees(other) for value in claimed.values for other in each.claim.values)
                if same_value or claimed.roles & each.claim.roles:
                    found.setdefault(each.place, each)
    return list(found.values())


def find_differences(
    statements: Sequence[Statement],
    passages: Sequence[Passage],
    question: str,
    *,
    language: str,
    may_conflict: Callable[[str, str], bool] = lambda one, other: True,
) -> list[Difference]:
    """Return for each of these statements the first of another section that differs, best section first; two in all.

    `may_conflict` decides whether what two documents say is to be compared at all; it is called for few.
    """
    if not statements:
        return []
    of_sections = (
        each
        for at, passage in enumerate(passages[:COMPARED_PASSAGES])
        for start, end in trusted_spans(passage)
        for each in _statements(at, passage, start, end, language)
    )
    others = list(islice(of_sections, MAX_OTHERS))
    found: dict[tuple[Quote, Quote], Difference] = {}
    for one in statements[:MAX_STATEMENTS]:
        for other in others:
            if _section(passages, one) == _section(passages, other) or (other.place, one.place) in found:
                continue
            difference = compare(one, other, passages, question, language)
            documents = (passages[each.place.passage].document for each in (one, other))
            if difference and may_conflict(*documents):
                found[one.place, other.place] = difference
                break
    return list(found.values())[:MAX_DIFFERENCES]


def _quoted_statements(cited: Citation, passages: Sequence[Passage], language: str) -> Iterator[Statement]:
    for at, passage in enumerate(passages):
        start = passage.text.find(cited.quote) if passage.document == cited.document else -1
        if start >= 0 and passage.anchor == cited.anchor:
            yield from _statements(at, passage, start, start + len(cited.quote), language)
            return


def _statements(at: int, passage: Passage, start: int, end: int, language: str) -> Iterator[Statement]:
    before = ""
    for first, last in sentences(passage.text[start:end], offset=start):
        text = " ".join(passage.text[first:last].split())
        if CELL not in text and not text.endswith(("?", ":")) and (not ITEM.match(text) or WHOLE_ITEM.match(text)):
            claim = extract_claim(text, language)
            if claim:
                context = subject_terms(before, language) if leans_on_another(text) else frozenset()
                yield Statement(Quote(at, first, last), text, claim, context)
        before = text


def _section(passages: Sequence[Passage], of: Statement) -> tuple[str, tuple[str, ...]]:
    passage = passages[of.place.passage]
    return passage.document, passage.headings
