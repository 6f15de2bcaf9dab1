"""Answers without a model: the sentences that answer, verbatim, picked from the best sections (pure).

The weights were measured on questions with reference answers from two genres, and chosen between them.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from retrieval.highlight import Highlight
from retrieval.passages import Passage
from retrieval.sentences import MARKER

MOST_CHOICES = 3
MOST_WORDS = 70
# Fewer words are a heading or a fragment.
LEAST_WORDS = 4
# A section further down must hold a clearly better sentence.
RANK_COST = 0.07
# A section says its rule first and its exceptions later.
OPENING_BONUS = 0.1
# An item of a list says little without the others.
ITEM_COST = 0.06
# What is so much worse than the best sentence answers something else.
MARGIN = 0.15

ITEM = re.compile(rf"\s*{MARKER}\s")


@dataclass(frozen=True, slots=True)
class Quote:
    """A sentence to show: `passages[passage].text[start:end]`."""

    passage: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence of a passage as it would be read, and its score."""

    quote: Quote
    text: str
    words: int
    score: float

    @property
    def is_item(self) -> bool:
        return ITEM.match(self.text) is not None

    @property
    def opens_list(self) -> bool:
        return self.text.endswith(":")


@dataclass(frozen=True, slots=True)
class Choice:
    """Lines that are shown together or not at all: a sentence, or a list's opening with what belongs to it."""

    lines: tuple[Line, ...]
    value: float


def extract(found: Sequence[tuple[Passage, Sequence[Highlight]]]) -> list[Quote]:
    """The best few sentences of passages given best first, in reading order; empty when none is fit to show."""
    choices = sorted(_choices(found), key=lambda choice: -choice.value)
    chosen: dict[Quote, Line] = {}
    for taken, choice in enumerate(choices):
        if taken and (len(chosen) >= MOST_CHOICES or choice.value < choices[0].value - MARGIN):
            break
        added = {line.quote: line for line in choice.lines if line.quote not in chosen}
        if not chosen or _words(chosen.values()) + _words(added.values()) <= MOST_WORDS:
            chosen |= added
    return sorted(chosen, key=lambda quote: (quote.passage, quote.start))


def _words(lines: Iterable[Line]) -> int:
    return sum(line.words for line in lines)


def _choices(found: Sequence[tuple[Passage, Sequence[Highlight]]]) -> Iterator[Choice]:
    seen: set[str] = set()
    for rank, (passage, highlights) in enumerate(found):
        lines = [_line(rank, passage, highlight) for highlight in highlights]
        for position, line in enumerate(lines):
            together = companions(lines, position)
            if line.words < LEAST_WORDS or line.text.endswith("?") or line.text in seen or not together:
                continue
            seen.add(line.text)  # two documents may share a sentence; the better one is quoted
            value = line.score + OPENING_BONUS / (1 + position) - RANK_COST * rank - ITEM_COST * line.is_item
            yield Choice(tuple(together), value)


def _line(rank: int, passage: Passage, highlight: Highlight) -> Line:
    text = " ".join(passage.text[highlight.start : highlight.end].split())
    return Line(Quote(rank, highlight.start, highlight.end), text, len(text.split()), highlight.score)


def companions(lines: Sequence[Line], position: int) -> list[Line]:
    """The line with what it cannot be read without: an item's opening, an opening's items as far as they fit.

    Nothing for an opening whose list does not follow.
    """
    line = lines[position]
    if line.opens_list:
        return _opened(lines, position)
    if not line.is_item:
        return [line]
    for before in reversed(lines[:position]):
        if before.opens_list:
            return [before, line]
        if not before.is_item:
            break
    return [line]


def _opened(lines: Sequence[Line], position: int) -> list[Line]:
    together, words = [lines[position]], lines[position].words
    for item in lines[position + 1 :]:
        words += item.words
        if not item.is_item or words > MOST_WORDS:
            break
        together.append(item)
    return together if len(together) > 1 else []
