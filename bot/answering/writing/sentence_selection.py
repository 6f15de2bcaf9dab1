"""Selects the sentences that answer a question from the best sections, word for word (pure).

The weights were measured on questions from three genres (public services, privacy policies, a staff handbook) and
chosen between them.
"""

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from bot.answering.writing.generator import Quote
from retrieval.passages import Passage
from retrieval.ranking.highlight import Highlight
from retrieval.sectioning.sentences import CELL, MARKER, refers_back

MAX_CHOICES = 3
MAX_WORDS = 60
# A sentence that stands in several documents cites so many of them.
MAX_SOURCES = 3
# Fewer words are a heading or a fragment.
MIN_WORDS = 5
# A sentence must score the better, the further its section's score lies below that of the best one.
GAP_COST = 0.8
# A section says its rule first and its exceptions later.
OPENING_BONUS = 0.03
# A second sentence of a section says less that is new than one of another.
SECTION_COST = 0.07
# The longer a sentence, beyond so many words, the more in it was not asked for.
LONG, LENGTH_COST = 20, 0.1
# What is so much worse than the best sentence answers something else.
MARGIN = 0.1

ITEM = re.compile(rf"\s*{MARKER}\s")


@dataclass(frozen=True, slots=True)
class ScoredPassage:
    """A passage that was found, its score and its sentences."""

    passage: Passage
    score: float
    highlights: Sequence[Highlight]


@dataclass(frozen=True, slots=True)
class CandidateSentence:
    """A sentence of a passage as it would be read, and its score.

    `duplicates` are the places in other passages where the same words stand.
    """

    quote: Quote
    text: str
    words: int
    score: float
    duplicates: tuple[Quote, ...] = ()

    @property
    def is_item(self) -> bool:
        return ITEM.match(self.text) is not None

    @property
    def is_row(self) -> bool:
        return CELL in self.text

    @property
    def opens_list(self) -> bool:
        return self.text.endswith(":")


@dataclass(frozen=True, slots=True)
class Choice:
    """Lines that are shown together or not at all: a sentence, or a list's opening with what belongs to it."""

    lines: tuple[CandidateSentence, ...]
    value: float

    def value_after(self, sections: frozenset[int]) -> float:
        """Its value once sentences of these passages are chosen."""
        return self.value - SECTION_COST * (self.lines[0].quote.passage in sections)


def select_sentences(found: Sequence[ScoredPassage]) -> list[tuple[Quote, ...]]:
    """Return the best few sentences of passages given best first, in reading order; empty when none is fit to show.

    Each sentence comes with every place where it stands word for word, the best one first.
    """
    choices = list(_choices(_candidates(found), [found[0].score - each.score for each in found]))
    least = max((choice.value for choice in choices), default=0.0) - MARGIN
    chosen: dict[Quote, CandidateSentence] = {}
    while choices and len(chosen) < MAX_CHOICES:
        sections = frozenset(quote.passage for quote in chosen)
        choice = max(choices, key=lambda each: each.value_after(sections))
        if choice.value_after(sections) < least:
            break
        choices.remove(choice)
        added = {line.quote: line for line in choice.lines if line.quote not in chosen}
        if not chosen or _count_words(chosen.values()) + _count_words(added.values()) <= MAX_WORDS:
            chosen |= added
    ordered = sorted(chosen.values(), key=lambda line: (line.quote.passage, line.quote.start))
    return [(line.quote, *line.duplicates) for line in ordered]


def _count_words(lines: Iterable[CandidateSentence]) -> int:
    return sum(line.words for line in lines)


def _candidates(found: Sequence[ScoredPassage]) -> list[list[CandidateSentence]]:
    """Return the lines of each passage; one that a better passage holds too is left to that one."""
    places: dict[str, list[Quote]] = {}
    by_passage: list[list[CandidateSentence]] = []
    for rank, each in enumerate(found):
        by_passage.append([])
        for highlight in each.highlights:
            text = " ".join(each.passage.text[highlight.start : highlight.end].split())
            quote = Quote(rank, highlight.start, highlight.end)
            places.setdefault(text, []).append(quote)
            by_passage[-1].append(CandidateSentence(quote, text, len(text.split()), highlight.score))
    return [
        [
            replace(line, duplicates=_elsewhere(places[line.text]))
            for line in lines
            if places[line.text][0] == line.quote
        ]
        for lines in by_passage
    ]


def _elsewhere(places: Sequence[Quote]) -> tuple[Quote, ...]:
    """Return the other passages among these places, each once, as many as a reader may care for."""
    others = {place.passage: place for place in reversed(places) if place.passage != places[0].passage}
    return tuple(others[rank] for rank in sorted(others))[: MAX_SOURCES - 1]


def _choices(by_passage: Sequence[Sequence[CandidateSentence]], gaps: Sequence[float]) -> Iterator[Choice]:
    """Yield what may be shown; `gaps` is how far the score of each passage lies below the best one."""
    for gap, lines in zip(gaps, by_passage, strict=True):
        for position, line in enumerate(lines):
            together = companions(lines, position)
            if line.words < MIN_WORDS or line.text.endswith("?") or not together:
                continue
            gain = max(each.score for each in together) + OPENING_BONUS / (1 + position)
            cost = GAP_COST * gap + LENGTH_COST * max(0.0, math.log(line.words / LONG))
            yield Choice(tuple(together), gain - cost)


def companions(lines: Sequence[CandidateSentence], position: int) -> list[CandidateSentence]:
    """Return the line with what it cannot be read without: the one it leans on, an item's opening, an opening's items.

    Empty for an opening that nothing follows, and for the first row of a table.
    """
    line = lines[position]
    if line.is_row:
        return _row_with_head(lines, position)
    if line.opens_list:
        return _opening_with_items(lines, position)
    if not line.is_item:
        return [lines[position - 1], line] if position and refers_back(line.text) else [line]
    for before in reversed(lines[:position]):
        if before.opens_list:
            return [before, line]
        if not before.is_item:
            break
    return [line]


def _row_with_head(lines: Sequence[CandidateSentence], position: int) -> list[CandidateSentence]:
    """Return a table row with the first row of its table; nothing for the first row itself."""
    head = position
    while head and lines[head - 1].is_row:
        head -= 1
    return [lines[head], lines[position]] if head < position else []


def _opening_with_items(lines: Sequence[CandidateSentence], position: int) -> list[CandidateSentence]:
    """Return an opening with its items; where the list bears no marks, with the next line."""
    together, words = [lines[position]], lines[position].words
    for line in lines[position + 1 :]:
        words += line.words
        if words > MAX_WORDS or not (line.is_item or line.is_row or len(together) == 1):
            break
        together.append(line)
    return together if len(together) > 1 else []
