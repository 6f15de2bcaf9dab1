"""Tells from their headings whether two sections speak of different cases (pure)."""

import re
from collections.abc import Sequence

from bot.answering.annotation.terms import case_terms
from bot.answering.languages import word_lists
from retrieval.passages import Passage
from retrieval.ranking.analysis import words

DOCUMENT_KINDS = word_lists("conflicts").words("document_kinds")
LETTERS = re.compile(r"[^\W\d_]{2}")


def differing_headings(
    here: Passage, there: Passage, *, known: frozenset[str], language: str
) -> tuple[str, str] | None:
    """Return the most special headings by which two sections speak of different cases; None where there are none.

    Terms that are `known` to hold for both tell none apart.
    """
    one, other = headings_of(here), headings_of(there)

    def cases(heading: str) -> frozenset[str]:
        return case_terms(heading, language) - known

    pairs = list(zip(one, other, strict=False))
    if here.document == there.document:
        compared = [pair for pair in pairs if pair[0] != pair[1]][:1]
    else:
        compared = [(one[-1], other[-1]), pairs[0]]
    for pair in compared:
        if cases(pair[0]) != cases(pair[1]) or are_parallel(*pair):
            return pair
    return (one[-1], other[-1]) if cases(" ".join(one)) != cases(" ".join(other)) else None


def headings_of(passage: Passage) -> tuple[str, ...]:
    """Return the title of the document and the headings above the passage, the title once."""
    return (passage.title, *(heading for heading in passage.headings if heading != passage.title))


def are_parallel(one: str, other: str) -> bool:
    """Whether two headings are the same but for whom or what each is about: "Leave in Leeds", "Leave in Utrecht".

    "Travel policy" and "Expenses policy" are not: they share only what kind of document they are.
    """
    a, b = ([word for word in words(each) if LETTERS.search(word)] for each in (one, other))
    before = _common_prefix(a, b)
    after = min(_common_prefix(a[::-1], b[::-1]), min(len(a), len(b)) - before)
    shared = {*a[:before], *a[len(a) - after :]} - DOCUMENT_KINDS
    return bool(shared) and min(len(a), len(b)) > before + after


def _common_prefix(one: Sequence[str], other: Sequence[str]) -> int:
    """Return how many words two headings begin with alike."""
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
