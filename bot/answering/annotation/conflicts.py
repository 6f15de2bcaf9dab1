"""Sentences on the same subject that give different values: side by side rather than one of them chosen (pure)."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from bot.answering.annotation.claims import Claim, Statement, Value, Word, groups, said, subject
from bot.answering.answers import Citation, Sentence
from bot.answering.verification.injection import spans
from bot.answering.writing.sentence_selection import ITEM, Quote
from retrieval.passages import Passage
from retrieval.ranking.analysis import words
from retrieval.sectioning.sentences import CELL, sentences

Kind = Literal["conflict", "condition", "stated"]

# Sections whose sentences are compared with those of the answer.
COMPARED = 6
# Sentences that may be added to one answer.
MOST = 2
# Shared terms of all that the two sentences say, when they stand in two documents or in one.
LIKE = 0.6
VERY_LIKE = 0.75
LEAST_SHARED = 2
# Any other item of a list is a part of a sentence, or a step of a scale.
CURRENCIES = frozenset({"gbp", "eur", "usd"})
LETTERS = re.compile(r"[^\W\d_]{2}")
# Words of titles that say nothing of what a document is about.
KINDS = frozenset("policy policies procedure procedures guide guideline guidelines rule rules faq the and of".split())
WHOLE_ITEM = re.compile(r"[-*•] [A-Z].*\.$")


@dataclass(frozen=True, slots=True)
class Difference:
    """A sentence behind the answer and one from elsewhere that gives another value.

    `conflict`: both seem to speak of the same. `condition`: their headings name the cases in which each holds, and
    `cases` are those headings. `stated`: the sentences do so themselves.
    """

    kind: Kind
    one: Statement
    other: Statement
    values: tuple[str, str]
    cases: tuple[str, str] = ("", "")


def behind(
    shown: Sequence[Sentence], citations: Sequence[Citation], passages: Sequence[Passage], *, language: str
) -> list[Statement]:
    """The cited sentences that give the values which the answer's sentences give, in order."""
    found: dict[Quote, Statement] = {}
    for sentence in shown:
        claimed = said(sentence.text, language)
        if claimed is None:
            continue
        for number in sentence.citations:
            for each in _quoted(citations[number - 1], passages, language):
                if any(value.agrees(other) for value in claimed.values for other in each.said.values):
                    found.setdefault(each.place, each)
    return list(found.values())


def _quoted(cited: Citation, passages: Sequence[Passage], language: str) -> Iterator[Statement]:
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
        read = said(text, language)
        if read:
            yield Statement(Quote(at, first, last), text, read)


def differences(
    stated: Sequence[Statement],
    passages: Sequence[Passage],
    question: str,
    *,
    language: str,
    comparable: Callable[[str, str], bool] = lambda one, other: True,
) -> list[Difference]:
    """For each of these sentences the first of another section that differs, best section first; few in all.

    `comparable` tells whether what two documents say is to be compared at all; it is asked of few.
    """
    if not stated:
        return []
    others = [
        each
        for at, passage in enumerate(passages[:COMPARED])
        for start, end in spans(passage)
        for each in _statements(at, passage, start, end, language)
    ]
    found: dict[tuple[Quote, Quote], Difference] = {}
    for one in stated:
        for other in others:
            if _section(passages, one) == _section(passages, other) or (other.place, one.place) in found:
                continue
            difference = _compared(one, other, passages, question, language)
            documents = (passages[each.place.passage].document for each in (one, other))
            if difference and comparable(*documents):
                found[one.place, other.place] = difference
                break
    return list(found.values())[:MOST]


def _section(passages: Sequence[Passage], of: Statement) -> tuple[str, tuple[str, ...]]:
    passage = passages[of.place.passage]
    return passage.document, passage.headings


def _compared(
    one: Statement, other: Statement, passages: Sequence[Passage], question: str, language: str
) -> Difference | None:
    values = _differing(one.said, other.said)
    if values is None:
        return None
    here, there = passages[one.place.passage], passages[other.place.passage]
    above = _above(here, there, language), _above(there, here, language)
    mine, theirs = _own(one.said, other.said, above[1]), _own(other.said, one.said, above[0])
    cases = [word for word in (*mine, *theirs) if word.case]
    shared = _shared(one.said, other.said, above)
    like = _likeness(shared, (*mine, *theirs), asked=subject(question, language))
    if like < LIKE or not _of_the_same(mine, theirs):
        return None
    if cases:
        grouped = like >= VERY_LIKE and all(word.group for word in cases)
        told = grouped and not _names_case(question, frozenset(w.key for w in cases), language)
        return Difference("stated", one, other, values) if told else None
    if headings := _cases(here, there):
        apart = subject(headings[0], language) ^ subject(headings[1], language)
        told = like >= VERY_LIKE and not _names_case(question, apart, language)
        return Difference("condition", one, other, values, headings) if told else None
    least = LIKE if here.document != there.document else VERY_LIKE
    return Difference("conflict", one, other, values) if like >= least else None


def _names_case(question: str, cases: frozenset[str], language: str) -> bool:
    """Whether a question already says of which case it speaks."""
    return bool(groups(question) or cases & subject(question, language))


def _own(said_here: Claim, said_there: Claim, above: frozenset[str]) -> list[Word]:
    """What only the first says, and the headings above the second do not."""
    there = {word.key for word in said_there.words}
    return [word for word in said_here.words if word.key not in there and word.key not in above]


def _above(passage: Passage, beside: Passage, language: str) -> frozenset[str]:
    """The terms of the headings above a passage that do not stand above the other one of the same document too."""
    common = _headings(beside) if beside.document == passage.document else ()
    return subject(" ".join(each for each in _headings(passage) if each not in common), language)


def _shared(one: Claim, other: Claim, above: tuple[frozenset[str], frozenset[str]]) -> frozenset[str]:
    """What both say, one of them perhaps in its headings only."""
    here, there = (frozenset(word.key for word in each.words) for each in (one, other))
    return (here & there) | (here & above[1]) | (there & above[0]) | (one.rates & other.rates)


def _likeness(shared: frozenset[str], own: Sequence[Word], *, asked: frozenset[str]) -> float:
    """The share of what two sentences both say in all that they say, cases aside; 0 where that is too little to tell.

    A single word tells enough where it is what was asked for, and neither sentence says more.
    """
    apart = {word.key for word in own if not word.case}
    enough = len(shared) >= LEAST_SHARED or (bool(shared & asked) and not apart)
    return len(shared) / (len(shared) + len(apart)) if enough else 0.0


def _differing(one: Claim, other: Claim) -> tuple[str, str] | None:
    """The one value in which the sentences differ, as each writes it; None where more or none differ.

    Nor do sentences differ that hold under different conditions, or that count by the day and by the month.
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
    return _listed(one, ours), _listed(other, theirs)


def _listed(by: Claim, values: Sequence[Value]) -> str:
    """These values in the order in which the sentence gives them."""
    return " or ".join(value.shown for value in by.values if value in values)


def _of_the_same(mine: Sequence[Word], theirs: Sequence[Word]) -> bool:
    """Whether what only one of them says, cases aside, is neither another subject nor narrows the same one."""
    apart = [[word for word in each if not word.case] for each in (mine, theirs)]
    if any(word.narrows for each in apart for word in each):
        return False
    # Where each has something of its own, it is another verb or another subject.
    return not all(apart) or all(each[0].verbal for each in apart)


def _cases(here: Passage, there: Passage) -> tuple[str, str] | None:
    """The headings by which two sections speak of different cases, the most special ones first."""
    one, other = _headings(here), _headings(there)
    pairs = list(zip(one, other, strict=False))
    if here.document == there.document:
        compared = [pair for pair in pairs if pair[0] != pair[1]][:1]
    else:
        compared = [(one[-1], other[-1]), pairs[0]]
    for pair in compared:
        if groups(pair[0]) != groups(pair[1]) or _parallel(*pair):
            return pair
    return (one[-1], other[-1]) if groups(" ".join(one)) != groups(" ".join(other)) else None


def _headings(passage: Passage) -> tuple[str, ...]:
    return (passage.title, *(heading for heading in passage.headings if heading != passage.title))


def _parallel(one: str, other: str) -> bool:
    """Whether two headings are the same but for whom or what each is about: "Leave in Leeds", "Leave in Utrecht".

    "Travel policy" and "Expenses policy" are not: they share only what kind of document they are.
    """
    a, b = ([word for word in words(each) if LETTERS.search(word)] for each in (one, other))
    before = _same_run(a, b)
    after = min(_same_run(a[::-1], b[::-1]), min(len(a), len(b)) - before)
    kept = {*a[:before], *a[len(a) - after :]} - KINDS
    return bool(kept) and min(len(a), len(b)) > before + after


def _same_run(one: Sequence[str], other: Sequence[str]) -> int:
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
