"""Answers without a model: the sentences that answer, verbatim, picked from the best sections (pure).

The weights were measured on questions with reference answers from two genres, and chosen between them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from retrieval.highlight import Highlight
from retrieval.passages import Passage

MOST_SENTENCES = 3
MOST_WORDS = 70
# Fewer words are a heading or a fragment.
LEAST_WORDS = 4
# A section further down must hold a clearly better sentence.
RANK_COST = 0.07
# A section says its rule first and its exceptions later.
OPENING_BONUS = 0.1
# What is so much worse than the best sentence answers something else.
MARGIN = 0.15


@dataclass(frozen=True, slots=True)
class Quote:
    """A sentence to show: `passages[passage].text[start:end]`."""

    passage: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Choice:
    """A sentence that might be shown."""

    quote: Quote
    position: int
    words: int
    value: float


def extract(found: Sequence[tuple[Passage, Sequence[Highlight]]]) -> list[Quote]:
    """The best few sentences of passages given best first, in reading order; empty when none is fit to show."""
    choices = sorted(_choices(found), key=lambda choice: -choice.value)
    chosen: list[Choice] = []
    words = 0
    for choice in choices:
        if len(chosen) == MOST_SENTENCES or choice.value < choices[0].value - MARGIN:
            break
        if not chosen or words + choice.words <= MOST_WORDS:
            chosen.append(choice)
            words += choice.words
    return [choice.quote for choice in sorted(chosen, key=lambda choice: (choice.quote.passage, choice.position))]


def _choices(found: Sequence[tuple[Passage, Sequence[Highlight]]]) -> Iterator[Choice]:
    seen: set[str] = set()
    for rank, (passage, highlights) in enumerate(found):
        for position, highlight in enumerate(highlights):
            text = " ".join(passage.text[highlight.start : highlight.end].split())
            if len(text.split()) < LEAST_WORDS or text.endswith("?") or text in seen:
                continue
            seen.add(text)  # two documents may share a sentence; the better one is quoted
            value = highlight.score + OPENING_BONUS / (1 + position) - RANK_COST * rank
            yield Choice(Quote(rank, highlight.start, highlight.end), position, len(text.split()), value)
