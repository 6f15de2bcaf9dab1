"""Tells whether sentences of two documents answer one question differently, however they are worded (pure)."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

from bot.answering.annotation.cases import are_parallel, headings_of
from bot.answering.annotation.claim_values import COUNT, Value
from bot.answering.annotation.claim_words import TIMING, Word
from bot.answering.annotation.claims import Claim, Statement, may_be_compared
from bot.answering.annotation.roles import acting_role, asks_for_role
from bot.answering.annotation.terms import asked_terms, asks_for_count, asks_for_frequency, case_terms, subject_terms
from retrieval.passages import Passage

# What a question of several terms shares with both sentences at least, in terms and as a share of its own.
MIN_ASKED_TERMS = 2
MIN_ASKED_SHARE = 0.5


def differing_answers(
    one: Statement, other: Statement, passages: Sequence[Passage], question: str, language: str
) -> tuple[str, str] | None:
    """Return the one value in which two sentences answer a question differently, as each writes it.

    None where they agree, answer different questions or different cases of one, or stand in one document.
    """
    here, there = passages[one.place.passage], passages[other.place.passage]
    if here.document == there.document or _stand_apart(one.claim, other.claim):
        return None
    asked = asked_terms(question, language)
    answers = _differing_roles(one, other, asked, language) if asks_for_role(question) else None
    answers = answers or _differing_values(one.claim, other.claim, question)
    if answers is None:
        return None
    terms = _terms(one, here, language), _terms(other, there, language)
    if not _both_answer(one, other, terms, asked, language):
        return None
    told = subject_terms(" ".join((question, *answers)), language)
    if _narrows(one, terms[1] | told, asked) or _narrows(other, terms[0] | told, asked):
        return None
    return None if _have_other_headings(here, there, terms, told, language) else answers


def _stand_apart(one: Claim, other: Claim) -> bool:
    """Whether a sentence speaks of its own document, gives an example, or a value on top of another one."""
    passed_over = one.itself or other.itself or one.example or other.example
    return passed_over or one.additions != other.additions or not may_be_compared(one, other)


def _differing_roles(one: Statement, other: Statement, asked: frozenset[str], language: str) -> tuple[str, str] | None:
    """Return the roles that do what was asked about, where they differ and no value tells from when each does."""
    if one.claim.values or other.claim.values:
        return None
    here, there = (acting_role(each.text, asked, language) for each in (one, other))
    return (here, there) if here and there and here.lower() != there.lower() else None


def _differing_values(one: Claim, other: Claim, question: str) -> tuple[str, str] | None:
    """Return the value in which two sentences differ, where it is one of a kind that both give equally often."""
    if (one.adjectival or other.adjectival) and not asks_for_frequency(question):
        return None
    here, there = (_by_kind(each.values, counts=asks_for_count(question)) for each in (one, other))
    if {kind: len(each) for kind, each in here.items()} != {kind: len(each) for kind, each in there.items()}:
        return None
    pairs = [pair for kind in here for pair in zip(here[kind], there[kind], strict=True)]
    differing = [(a, b) for a, b in pairs if not a.agrees(b)]
    if len(differing) != 1 or any({a.bound, b.bound} == {"low", "high"} for a, b in pairs):
        return None
    a, b = differing[0]
    return None if a.fixed or b.fixed else (a.shown, b.shown)


def _by_kind(values: Sequence[Value], *, counts: bool) -> dict[str, list[Value]]:
    """Return the values by their kind; ordinals without a unit, such as "first", say nothing.

    With `counts` all numbers of something are of one kind: "5 attempts" and "three times".
    """
    told = [value for value in values if value.kind != "ordinal"]
    if counts:
        told = [replace(value, kind=COUNT) if value.kind.startswith(COUNT) else value for value in told]
    ordered = sorted(told, key=lambda value: value.kind)
    return {kind: list(each) for kind, each in groupby(ordered, lambda value: value.kind)}


def _terms(statement: Statement, passage: Passage, language: str) -> frozenset[str]:
    """Return the terms of a sentence, of what it leans on and of the headings above it."""
    headings = subject_terms(" ".join(headings_of(passage)), language)
    return _said(statement, language) | statement.context | headings


def _said(statement: Statement, language: str) -> frozenset[str]:
    """Return the terms of a sentence, those included that its words stand for."""
    return subject_terms(statement.text, language) | {word.key for word in statement.claim.words}


def _in_passing(statement: Statement) -> frozenset[str]:
    """Return what a sentence only says to tell from when its value counts."""
    return frozenset(word.key for word in statement.claim.words if _is_aside(word)) - _in_main(statement)


def _in_main(statement: Statement) -> frozenset[str]:
    return frozenset(word.key for word in statement.claim.words if not _is_aside(word))


def _is_aside(word: Word) -> bool:
    return word.reference or word.clause in TIMING


def _both_answer(
    one: Statement, other: Statement, terms: tuple[frozenset[str], frozenset[str]], asked: frozenset[str], language: str
) -> bool:
    """Whether both sentences speak of what was asked, each with at least one word of its own."""
    said = _said(one, language), _said(other, language)
    passing = (_in_passing(one) & _in_main(other)) | (_in_passing(other) & _in_main(one))
    if len(asked) == 1:
        return asked <= (said[0] & said[1]) - passing and not any(
            word.clause and word.key in asked for each in (one, other) for word in each.claim.words
        )
    rates = asked & one.claim.rates & other.claim.rates
    shared = ((asked & terms[0] & terms[1]) - passing) | rates
    by_both = all(shared & each or rates for each in said)
    return by_both and len(shared) >= max(MIN_ASKED_TERMS, MIN_ASKED_SHARE * len(asked))


def _narrows(statement: Statement, known: frozenset[str], asked: frozenset[str]) -> bool:
    """Whether a sentence names a case, or a kind of what was asked for, that the other and the question do not name.

    Where a single word was asked for, nothing may be narrowed at all.
    """
    own = [word for word in statement.claim.words if word.key not in known]
    # In "printer fault tickets" it is the asked "printer" that says of what kind the asked tickets are.
    within = {word.modifies for word in statement.claim.words if word.key in asked}
    if any(word.case or (word.modifies in asked and word.key not in within) or word.restricts in asked for word in own):
        return True
    return len(asked) == 1 and any(word.narrows and not word.clause for word in own)


def _have_other_headings(
    here: Passage,
    there: Passage,
    terms: tuple[frozenset[str], frozenset[str]],
    asked: frozenset[str],
    language: str,
) -> bool:
    """Whether the headings right above two sentences name different cases."""
    one, other = headings_of(here), headings_of(there)
    mine, theirs = case_terms(one[-1], language), case_terms(other[-1], language)
    if mine - terms[1] - asked or theirs - terms[0] - asked:
        return True
    return are_parallel(one[0], other[0]) or are_parallel(one[-1], other[-1])
