"""Finds sentences on the same subject that give different values, to show them side by side (pure)."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from bot.answering.annotation.cases import differing_headings, headings_of
from bot.answering.annotation.claim_values import Value
from bot.answering.annotation.claims import Claim, Statement, Word, extract_claim, group_words, subject_terms
from bot.answering.answers import Citation, Sentence
from bot.answering.verification.injection import trusted_spans
from bot.answering.writing.generator import Quote
from bot.answering.writing.sentence_selection import ITEM
from retrieval.passages import Passage
from retrieval.sectioning.sentences import CELL, sentences

Kind = Literal["conflict", "condition", "stated"]

# Sections whose sentences are compared with those of the answer.
COMPARED_PASSAGES = 6
# Sentences that may be added to one answer.
MAX_DIFFERENCES = 2
# Shared terms of all that the two sentences say, when they stand in two documents or in one.
SIMILAR = 0.6
VERY_SIMILAR = 0.75
MIN_SHARED_TERMS = 2
CURRENCIES = frozenset({"gbp", "eur", "usd"})
# Any other item of a list is a part of a sentence, or a step of a scale.
WHOLE_ITEM = re.compile(r"[-*•] [A-Z].*\.$")


@dataclass(frozen=True, slots=True)
class Difference:
    """A sentence behind the answer and one from elsewhere that gives another value.

    `conflict`: both seem to speak of the same. `condition`: their headings name the cases in which each holds, and
    `cases` are those headings. `stated`: the sentences name the cases themselves.
    """

    kind: Kind
    one: Statement
    other: Statement
    values: tuple[str, str]
    cases: tuple[str, str] = ("", "")


def cited_statements(
    shown: Sequence[Sentence], citations: Sequence[Citation], passages: Sequence[Passage], *, language: str
) -> list[Statement]:
    """Return the cited sentences that give the values which the answer's sentences give, in order."""
    found: dict[Quote, Statement] = {}
    for sentence in shown:
        claimed = extract_claim(sentence.text, language)
        if claimed is None:
            continue
        for number in sentence.citations:
            for each in _quoted_statements(citations[number - 1], passages, language):
                if any(value.agrees(other) for value in claimed.values for other in each.claim.values):
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
    others = [
        each
        for at, passage in enumerate(passages[:COMPARED_PASSAGES])
        for start, end in trusted_spans(passage)
        for each in _statements(at, passage, start, end, language)
    ]
    found: dict[tuple[Quote, Quote], Difference] = {}
    for one in statements:
        for other in others:
            if _section(passages, one) == _section(passages, other) or (other.place, one.place) in found:
                continue
            difference = _compare(one, other, passages, question, language)
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
    for first, last in sentences(passage.text[start:end], offset=start):
        text = " ".join(passage.text[first:last].split())
        if CELL in text or text.endswith(("?", ":")) or (ITEM.match(text) and not WHOLE_ITEM.match(text)):
            continue
        claim = extract_claim(text, language)
        if claim:
            yield Statement(Quote(at, first, last), text, claim)


def _section(passages: Sequence[Passage], of: Statement) -> tuple[str, tuple[str, ...]]:
    passage = passages[of.place.passage]
    return passage.document, passage.headings


def _compare(
    one: Statement, other: Statement, passages: Sequence[Passage], question: str, language: str
) -> Difference | None:
    """Return how two statements differ; None where they agree or are not about the same."""
    values = _differing_values(one.claim, other.claim)
    if values is None:
        return None
    here, there = passages[one.place.passage], passages[other.place.passage]
    above = _heading_terms(here, there, language), _heading_terms(there, here, language)
    mine, theirs = _own_words(one.claim, other.claim, above[1]), _own_words(other.claim, one.claim, above[0])
    cases = [word for word in (*mine, *theirs) if word.case]
    shared = _shared_terms(one.claim, other.claim, above)
    similarity = _similarity(shared, (*mine, *theirs), asked=subject_terms(question, language))
    if similarity < SIMILAR or not _have_same_subject(mine, theirs):
        return None
    if cases:
        by_group = similarity >= VERY_SIMILAR and all(word.group for word in cases)
        open_case = by_group and not _names_case(question, frozenset(word.key for word in cases), language)
        return Difference("stated", one, other, values) if open_case else None
    if headings := differing_headings(here, there):
        apart = subject_terms(headings[0], language) ^ subject_terms(headings[1], language)
        open_case = similarity >= VERY_SIMILAR and not _names_case(question, apart, language)
        return Difference("condition", one, other, values, headings) if open_case else None
    least = SIMILAR if here.document != there.document else VERY_SIMILAR
    return Difference("conflict", one, other, values) if similarity >= least else None


def _differing_values(one: Claim, other: Claim) -> tuple[str, str] | None:
    """Return the one value in which two claims differ, as each writes it; None where more or none differ.

    Nor do claims differ that hold under different conditions, or that count by the day and by the month.
    """
    if one.conditions != other.conditions or (one.rates and other.rates and one.rates.isdisjoint(other.rates)):
        return None
    here, there = (sorted(each.values, key=lambda value: value.kind) for each in (one, other))
    if [value.kind for value in here] != [value.kind for value in there]:
        return None
    differing = [(a, b) for a, b in zip(here, there, strict=True) if not a.agrees(b)]
    # The same sum in two currencies is one difference.
    if not differing or (len(differing) > 1 and not {a.kind for a, _ in differing} <= CURRENCIES):
        return None
    if any(a.fixed or b.fixed or {a.bound, b.bound} == {"low", "high"} for a, b in differing):
        return None
    ours, theirs = ([pair[side] for pair in differing] for side in (0, 1))
    return _written(one, ours), _written(other, theirs)


def _written(claim: Claim, values: Sequence[Value]) -> str:
    """Return these values in the order in which the sentence gives them."""
    return " or ".join(value.shown for value in claim.values if value in values)


def _heading_terms(passage: Passage, other: Passage, language: str) -> frozenset[str]:
    """Return the terms of the headings above a passage that are not above the other one of the same document too."""
    common = headings_of(other) if other.document == passage.document else ()
    return subject_terms(" ".join(each for each in headings_of(passage) if each not in common), language)


def _own_words(claim: Claim, other: Claim, above_other: frozenset[str]) -> list[Word]:
    """Return what only the first claim says, and the headings above the second do not."""
    known = {word.key for word in other.words}
    return [word for word in claim.words if word.key not in known and word.key not in above_other]


def _shared_terms(one: Claim, other: Claim, above: tuple[frozenset[str], frozenset[str]]) -> frozenset[str]:
    """Return what both say, one of them perhaps in its headings only."""
    here, there = (frozenset(word.key for word in each.words) for each in (one, other))
    return (here & there) | (here & above[1]) | (there & above[0]) | (one.rates & other.rates)


def _similarity(shared: frozenset[str], own: Sequence[Word], *, asked: frozenset[str]) -> float:
    """Return the share of what two sentences both say in all that they say, cases aside; 0 where that is too little.

    A single word is enough where it is what was asked for, and neither sentence says more.
    """
    apart = {word.key for word in own if not word.case}
    enough = len(shared) >= MIN_SHARED_TERMS or (bool(shared & asked) and not apart)
    return len(shared) / (len(shared) + len(apart)) if enough else 0.0


def _have_same_subject(mine: Sequence[Word], theirs: Sequence[Word]) -> bool:
    """Whether what only one of them says, cases aside, is neither another subject nor narrows the same one."""
    apart = [[word for word in each if not word.case] for each in (mine, theirs)]
    if any(word.narrows for each in apart for word in each):
        return False
    # Where each has something of its own, it is another verb or another subject.
    return not all(apart) or all(each[0].verbal for each in apart)


def _names_case(question: str, cases: frozenset[str], language: str) -> bool:
    """Whether a question already says which case it is about."""
    return bool(group_words(question) or cases & subject_terms(question, language))
