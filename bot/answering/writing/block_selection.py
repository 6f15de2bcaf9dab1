"""Selects the blocks that answer a question from the best sections, word for word (pure)."""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from bot.answering.languages import word_lists
from bot.answering.understanding.asked_kinds import AskedKind, kinds_in
from bot.answering.writing.generator import Quote
from retrieval.passages import Passage
from retrieval.ranking.excerpts import Excerpt
from retrieval.sectioning.blocks import TextBlock
from retrieval.sectioning.sentences import Span

MAX_BLOCKS = 3
# Words of the first block at most, and up to which others are added to it; in chat nobody reads much further.
FIRST_WORDS, ALL_WORDS = 120, 64
# Blocks are added until they hold the answer with this probability, as far as the scores tell.
SURE = 0.6
COMPARED = 12
# A second block of the same section needs no new heading, and often goes on with the first.
SAME_SECTION = 0.5
# A block that stands in several documents cites so many of them.
MAX_SOURCES = 3
# "No." says another thing in each section.
OWN_MEANING = 6

# What an excerpt gains that holds what was asked for; fitted together with the weights in `ranking.excerpts`.
HOLDS_ASKED: dict[AskedKind, float] = {"count": 1.8, "amount": 1.9, "duration": 2.0, "date": 0.9}
STEPS_ASKED, LIST_ASKED = 1.7, 0.9
# A list, or a table, answers as a whole more often than one of its items does.
WHOLE_LIST = 1.2
# Section openings state rules; very short excerpts are fragments, long ones hold more than was asked for.
OPENS_SECTION = 0.7
SHORT_WORDS, SHORT_COST = 12, 1.7
LONG_WORDS, LONG_COST = 40, 0.8


ANNOUNCES = re.compile(rf"(?:{word_lists('block_selection').alternatives('announces')})$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SelectedBlock:
    """A block to show: its passage's rank, and those of its parts that are shown; `more` is how many are left out."""

    passage: int
    whole: TextBlock
    parts: tuple[Span, ...]
    more: int

    @property
    def lines(self) -> tuple[Quote, ...]:
        """The places of what is shown, in reading order."""
        spans = (self.whole.opening, *self.parts) if self.whole.opening else self.parts
        return tuple(Quote(self.passage, start, end) for start, end in spans)


@dataclass(frozen=True, slots=True)
class _Candidate:
    passage: int
    text: str
    words: int
    excerpt: Excerpt
    value: float

    def overlaps(self, other: "_Candidate") -> bool:
        """Whether both show some of the same words."""
        if self.text == other.text:
            return True
        mine, theirs = self.excerpt, other.excerpt
        return (
            self.passage == other.passage
            and mine.block == theirs.block
            and mine.first <= theirs.last
            and theirs.first <= mine.last
        )


def select_blocks(
    passages: Sequence[Passage], excerpts: Sequence[Sequence[Excerpt]], asked: frozenset[AskedKind]
) -> list[SelectedBlock]:
    """Return the best few blocks of passages given best first, the best block first; empty when there are none.

    `excerpts` are those of each of the first passages. What is left out of a block is counted.
    """
    candidates = list(_candidates(passages, excerpts, asked))
    remaining = _compared(candidates)
    chosen: list[_Candidate] = []
    selected: list[SelectedBlock] = []
    held = words = 0.0
    best = max((each.value for each in remaining), default=0.0)
    total = sum(math.exp(each.value - best) for each in remaining)
    while remaining and len(chosen) < MAX_BLOCKS and (not chosen or held < SURE):
        sections = {each.passage for each in chosen}
        candidate = max(remaining, key=lambda each: each.value + SAME_SECTION * (each.passage in sections))
        remaining.remove(candidate)
        if chosen and words + candidate.words > ALL_WORDS:
            continue
        chosen.append(candidate)
        _add(selected, _shown(candidate, candidates, passages[candidate.passage]))
        held += math.exp(candidate.value - best) / total
        words += candidate.words
    return selected


def _add(selected: list[SelectedBlock], added: SelectedBlock) -> None:
    """Put a block after those of its section, or last; further parts of a block that is there go into that one."""
    for at, block in enumerate(selected):
        if block.passage == added.passage and block.whole == added.whole:
            parts = tuple(sorted({*block.parts, *added.parts}))
            selected[at] = replace(block, parts=parts, more=len(block.whole.parts) - len(parts))
            return
    places = [at for at, block in enumerate(selected) if block.passage == added.passage]
    selected.insert(places[-1] + 1 if places else len(selected), added)


def elsewhere(passages: Sequence[Passage], place: Quote) -> Iterator[Quote]:
    """Yield where else the words at this place stand, each further passage once, as many as a reader may care for."""
    text = passages[place.passage].text[place.start : place.end]
    if len(text.split()) < OWN_MEANING:
        return
    others = [rank for rank, each in enumerate(passages) if rank != place.passage and text in each.text]
    for rank in others[: MAX_SOURCES - 1]:
        start = passages[rank].text.index(text)
        yield Quote(rank, start, start + len(text))


def _candidates(
    passages: Sequence[Passage], excerpts: Sequence[Sequence[Excerpt]], asked: frozenset[AskedKind]
) -> Iterator[_Candidate]:
    for rank, (passage, own) in enumerate(zip(passages, excerpts, strict=False)):
        for each in own:
            spans = [each.block.opening, *each.block.parts[each.first : each.last + 1]]
            text = "\n".join(passage.text[slice(*span)] for span in spans if span)
            if each.block.kind == "paragraph" and _says_nothing(text, passage):
                continue
            words = len(text.split())
            yield _Candidate(rank, text, words, each, each.score + _gain(each, text, words, asked))


def _says_nothing(text: str, passage: Passage) -> bool:
    """Whether a paragraph asks, announces what is not part of it, or is a heading: none answers alone."""
    heading = passage.headings[-1] if passage.headings else passage.title
    return text.endswith("?") or ANNOUNCES.search(text) is not None or text == heading


def _gain(excerpt: Excerpt, text: str, words: int, asked: frozenset[AskedKind]) -> float:
    """Return what an excerpt's kind, place and length add to its score."""
    gain = sum(HOLDS_ASKED.get(kind, 0.0) for kind in asked & kinds_in(text))
    is_whole = excerpt.block.kind != "paragraph" and excerpt.is_whole
    is_list = is_whole and excerpt.block.kind != "table"
    gain += WHOLE_LIST * is_whole
    gain += STEPS_ASKED * (is_list and "steps" in asked) + LIST_ASKED * (is_list and "list" in asked)
    gain += OPENS_SECTION * (excerpt.block.start == 0 and excerpt.first == 0)
    return gain - SHORT_COST * max(0.0, 1 - words / SHORT_WORDS) - LONG_COST * max(0.0, math.log(words / LONG_WORDS))


def _compared(candidates: Sequence[_Candidate]) -> list[_Candidate]:
    """Return the best candidates of which none shows the words of another, best first."""
    compared: list[_Candidate] = []
    for candidate in sorted(candidates, key=lambda each: -each.value):
        if not any(candidate.overlaps(each) for each in compared):
            compared.append(candidate)
        if len(compared) == COMPARED:
            break
    return compared


def _shown(candidate: _Candidate, candidates: Sequence[_Candidate], passage: Passage) -> SelectedBlock:
    """Return what is shown of a candidate: all of it, or as many parts as a person reads in chat."""
    excerpt, block = candidate.excerpt, candidate.excerpt.block
    parts = list(range(excerpt.first, excerpt.last + 1))
    if candidate.words > FIRST_WORDS:
        parts = _fitting(parts, candidate, candidates, passage)
    spans = tuple(block.parts[at] for at in parts)
    return SelectedBlock(candidate.passage, block, spans, len(block.parts) - len(parts))


def _fitting(
    parts: Sequence[int], candidate: _Candidate, candidates: Sequence[_Candidate], passage: Passage
) -> list[int]:
    """Return the neighbouring parts of a long block to show: the first ones, or those from the best one on.

    Steps are shown from the first; nothing is left out between two that are shown.
    """
    block = candidate.excerpt.block
    values = {
        each.excerpt.first: each.value
        for each in candidates
        if each.passage == candidate.passage and each.excerpt.block == block and not each.excerpt.is_whole
    }
    best = max(parts, key=lambda at: values.get(at, 0.0)) if block.kind in ("list", "table") else parts[0]
    left = FIRST_WORDS - (len(passage.text[slice(*block.opening)].split()) if block.opening else 0)
    words = [len(passage.text[slice(*block.parts[at])].split()) for at in parts]
    start = 0 if best - parts[0] < _prefix(words, left) else best - parts[0]
    return list(parts[start : start + _prefix(words[start:], left)])


def _prefix(words: Sequence[int], most: int) -> int:
    """Return how many of these parts have so many words together; at least one."""
    return max(1, sum(total <= most for total in accumulate(words)))
