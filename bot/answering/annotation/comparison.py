"""Compares what two sentences claim: whether they give different values for one thing (pure)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from bot.answering.annotation.cases import differing_headings, headings_of
from bot.answering.annotation.claim_values import Value
from bot.answering.annotation.claim_words import IMPLIED, PROCESSES, Word
from bot.answering.annotation.claims import Claim, Statement, may_be_compared, speaks_of_heading
from bot.answering.annotation.same_question import differing_answers
from bot.answering.annotation.terms import group_words, subject_terms
from retrieval.passages import Passage

Kind = Literal["conflict", "condition", "stated"]

# Shared terms of all that the two sentences say, when they stand in two documents or in one.
SIMILAR = 0.6
LIKELY = 0.7
VERY_SIMILAR = 0.75
MIN_SHARED_TERMS = 2
# How much a word counts that was asked for, that is said in a heading only, that is a verb, or that says from when a
# value counts; any other counts once.
ASKED = 1.5
IN_HEADING = 0.75
VERB = 0.5
REFERENCE = 0.25
CURRENCIES = frozenset({"gbp", "eur", "usd"})


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


def compare(
    one: Statement, other: Statement, passages: Sequence[Passage], question: str, language: str
) -> Difference | None:
    """Return how two statements differ; None where they agree or are not about the same."""
    if found := _compare_words(one, other, passages, question, language):
        return found
    values = differing_answers(one, other, passages, question, language)
    return Difference("conflict", one, other, values) if values else None


def _compare_words(
    one: Statement, other: Statement, passages: Sequence[Passage], question: str, language: str
) -> Difference | None:
    values = _differing_values(one.claim, other.claim)
    if values is None:
        return None
    here, there = passages[one.place.passage], passages[other.place.passage]
    if _speak_of_place(one, other, within_document=here.document == there.document):
        return None
    above = _terms_above(one, here, there, language), _terms_above(other, there, here, language)
    mine, theirs = _own_words(one.claim, other.claim, above[1]), _own_words(other.claim, one.claim, above[0])
    asked = subject_terms(question, language)
    similarity = _similarity(one.claim, other.claim, above, (mine, theirs), asked)
    may_differ = similarity >= LIKELY
    if similarity < SIMILAR or not _have_same_subject(
        one.claim,
        other.claim,
        (mine, theirs),
        may_differ_in_verb=lambda word: may_differ and word.verbal and word.key not in asked | PROCESSES,
    ):
        return None
    if cases := [word for word in (*mine, *theirs) if word.case]:
        by_group = similarity >= VERY_SIMILAR and all(word.group for word in cases)
        open_case = by_group and not _names_case(question, frozenset(word.key for word in cases), language)
        return Difference("stated", one, other, values) if open_case else None
    if headings := differing_headings(here, there, known=_keys(one.claim) & _keys(other.claim), language=language):
        apart = subject_terms(headings[0], language) ^ subject_terms(headings[1], language)
        open_case = similarity >= VERY_SIMILAR and not _names_case(question, apart, language)
        return Difference("condition", one, other, values, headings) if open_case else None
    least = SIMILAR if here.document != there.document else VERY_SIMILAR
    return Difference("conflict", one, other, values) if similarity >= least else None


def _speak_of_place(one: Statement, other: Statement, *, within_document: bool) -> bool:
    """Whether a sentence speaks of the document that it stands in or, of two sections of one, of its own section."""
    if within_document:
        return speaks_of_heading(one.text) or speaks_of_heading(other.text)
    return one.claim.itself or other.claim.itself


def _differing_values(one: Claim, other: Claim) -> tuple[str, str] | None:
    """Return the one value in which two claims differ, as each writes it; None where more or none differ.

    Nor do claims differ that hold under different conditions, count by the day and by the month, or before and after.
    """
    if one.conditions != other.conditions or not may_be_compared(one, other) or one.adjectival or other.adjectival:
        return None
    here, there = (sorted(each.values, key=lambda value: value.kind) for each in (one, other))
    pairs = list(zip(here, there, strict=False))
    if len(here) != len(there) or any(a.kind != b.kind or {a.bound, b.bound} == {"low", "high"} for a, b in pairs):
        return None
    differing = [(a, b) for a, b in pairs if not a.agrees(b)]
    # The same sum in two currencies is one difference.
    several = len(differing) > 1 and not {a.kind for a, _ in differing} <= CURRENCIES
    if not differing or several or any(a.fixed or b.fixed for a, b in differing):
        return None
    ours, theirs = ([pair[side] for pair in differing] for side in (0, 1))
    return _written(one, ours), _written(other, theirs)


def _written(claim: Claim, values: Sequence[Value]) -> str:
    """Return these values in the order in which the sentence gives them."""
    return " or ".join(value.shown for value in claim.values if value in values)


def _keys(claim: Claim) -> frozenset[str]:
    return frozenset(word.key for word in claim.words)


def _terms_above(statement: Statement, passage: Passage, other: Passage, language: str) -> frozenset[str]:
    """Return the terms that a sentence need not repeat: of what it leans on, and of the headings above its passage.

    Headings that are above another passage of the same document too tell nothing.
    """
    common = headings_of(other) if other.document == passage.document else ()
    headings = " ".join(each for each in headings_of(passage) if each not in common)
    return statement.context | subject_terms(headings, language)


def _own_words(claim: Claim, other: Claim, above_other: frozenset[str]) -> list[Word]:
    """Return what only the first claim says, and nothing above the second does."""
    known = {word.key for word in other.words if not word.reference} | above_other
    known |= {IMPLIED[key] for key in known if key in IMPLIED}
    aside = known | {word.key for word in other.words if word.reference}
    return [word for word in claim.words if word.key not in (aside if word.reference or word.narrows else known)]


def _similarity(
    one: Claim,
    other: Claim,
    above: tuple[frozenset[str], frozenset[str]],
    own: tuple[Sequence[Word], Sequence[Word]],
    asked: frozenset[str],
) -> float:
    """Return the share of what two sentences both say in all that they say, cases aside; 0 where that is too little.

    A single word is enough where it is what was asked for, and neither sentence says more that matters.
    """
    here, there = (frozenset(word.key for word in each.words) for each in (one, other))
    in_both = ((here & there) - {word.key for each in own for word in each}) | (one.rates & other.rates)
    by_heading = ((here & above[1]) | (there & above[0])) - in_both
    shared = sum(ASKED if key in asked else 1.0 for key in in_both)
    shared += sum(ASKED if key in asked else IN_HEADING for key in by_heading)
    apart = {word.key: _weight(word, asked) for each in own for word in each if not word.case}
    matters = any(weight >= VERB for weight in apart.values())
    told = in_both | by_heading
    if told <= {word.key for claim in (one, other) for word in claim.words if word.case}:
        return 0.0
    enough = len(told) >= MIN_SHARED_TERMS or (bool(told & asked) and not matters)
    return shared / (shared + sum(apart.values())) if enough else 0.0


def _weight(word: Word, asked: frozenset[str]) -> float:
    if word.key in asked:
        return ASKED
    return REFERENCE if word.reference else VERB if word.verbal or word.agent else 1.0


def _have_same_subject(
    one: Claim, other: Claim, own: tuple[Sequence[Word], Sequence[Word]], *, may_differ_in_verb: Callable[[Word], bool]
) -> bool:
    """Whether what only one of them says, cases aside, is neither another subject nor narrows the same one."""
    apart = [[word for word in each if not word.case and not word.reference] for each in own]
    both = {word.key for word in one.words} & {word.key for word in other.words}
    verbs = {word.key for claim in (one, other) for word in claim.words if word.verbal}
    if any(word.narrows or word.modifies in both - verbs for each in apart for word in each):
        return False
    # Where each has something of its own, it is another subject, or another verb, which may mean the same.
    return not all(apart) or all(may_differ_in_verb(word) for each in apart for word in each)


def _names_case(question: str, cases: frozenset[str], language: str) -> bool:
    """Whether a question already says which case it is about."""
    return bool(group_words(question) or cases & subject_terms(question, language))
