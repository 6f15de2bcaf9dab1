"""Scores the excerpts of found passages that could be shown as an answer (pure).

An excerpt is a block, a few neighbouring sentences of a long paragraph, or a single item or row of a list or table.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from retrieval.embedding.vectors import Vector
from retrieval.passages import Passage
from retrieval.ranking.candidates import PassageTokens
from retrieval.sectioning.blocks import TextBlock, text_blocks
from retrieval.sectioning.sentences import Span, refers_back

Matrix = NDArray[np.float32]

# A longer paragraph is shown in part.
WHOLE_WORDS = 70

# The weights were fitted together (a softmax over the excerpts of a question, none negative) on questions from staff
# handbooks, public services and privacy policies; leaving a handbook out changed none of them much.
GAP = 5.5  # how far the passage scores below the best one, as a share of that
GAP_FOLLOW_UP = 2.0  # the same, added for a question whose own words say little
ALL_TOKENS = 3.5  # each of the question's tokens against all of the excerpt and its heading, by weight
BEST_PART = 3.7  # the same against the best part, by what tells the parts apart
WITHOUT_HEADING = 0.8  # against the excerpt alone
PART_VECTOR = 1.7  # mean of the question's tokens against that of the best part's
BLOCK_VECTOR = 4.5  # cosine of the question with the block

# Of the question's tokens those of at least this share of the greatest weight must be met.
HEAVY = 0.5


@dataclass(frozen=True, slots=True)
class EmbeddedPassage:
    """A passage with its score and its vectors; `spans` are the places of its tokens in `passage.embedded_text`."""

    passage: Passage
    score: float
    tokens: PassageTokens
    spans: Sequence[Span]


@dataclass(frozen=True, slots=True)
class EmbeddedQuestion:
    """A question's token vectors, shape (q, t), their weights, shape (q,), and its unit vector, shape (d,).

    `follow_up` is whether the conversation before it says what it is about.
    """

    tokens: Matrix
    weights: Vector
    vector: Vector
    follow_up: bool = False


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The parts `first` to `last` (included) of a block of the passage's text, and how well they match the question."""

    block: TextBlock
    first: int
    last: int
    score: float

    @property
    def is_whole(self) -> bool:
        """Whether nothing of the block is left out."""
        return self.first == 0 and self.last == len(self.block.parts) - 1


@dataclass(frozen=True, slots=True)
class ScoredExcerpts:
    """The excerpts of each passage in reading order, their scores comparable across passages.

    `cosine` is the question's with the nearest block, `least_met` how near the first passage comes to the word of the
    question that it meets least; both 0 for no passages.
    """

    by_passage: tuple[tuple[Excerpt, ...], ...] = ()
    cosine: float = 0.0
    least_met: float = 0.0


def score_excerpts(found: Sequence[EmbeddedPassage], question: EmbeddedQuestion) -> ScoredExcerpts:
    """Score the excerpts of these passages, given best first."""
    compared = [_ComparedPassage(each, question) for each in found]
    parts = [row for each in compared for row in each.parts]
    telling = _telling_weights(np.array(parts, np.float32).reshape(-1, len(question.weights)), question.weights)
    best = max((each.score for each in found), default=0.0)
    gap_cost = GAP + GAP_FOLLOW_UP * question.follow_up
    by_passage = tuple(
        tuple(
            Excerpt(block, first, last, each.score(number, first, last, telling) - gap_cost * _gap(passage.score, best))
            for number, block in enumerate(each.blocks)
            for first, last in _runs(passage.passage.text, block)
        )
        for passage, each in zip(found, compared, strict=True)
    )
    cosine = max((cosine for each in compared for cosine in each.cosines), default=0.0)
    return ScoredExcerpts(by_passage, cosine, compared[0].least_met() if compared else 0.0)


def _gap(score: float, best: float) -> float:
    return (best - score) / max(best, 0.1)


def _runs(text: str, block: TextBlock) -> Iterator[tuple[int, int]]:
    """Yield the first and last part of each excerpt of a block."""
    count = len(block.parts)
    words = [len(text[start:end].split()) for start, end in block.parts]
    if block.kind != "paragraph":
        yield 0, count - 1
        yield from ((at, at) for at in range(count) if count > 1)
        return
    before = [0, *accumulate(words)]
    if before[-1] <= WHOLE_WORDS:
        yield 0, count - 1
        return
    for first in range(count):
        if first and refers_back(text[slice(*block.parts[first])]):
            continue
        last = first
        while last + 1 < count and before[last + 2] - before[first] <= WHOLE_WORDS:
            last += 1
        yield first, last
        if last == count - 1:
            return


class _ComparedPassage:
    """A passage's blocks compared with a question; `parts` are the best squares of each part's cosines, (p, q)."""

    def __init__(self, found: EmbeddedPassage, question: EmbeddedQuestion) -> None:
        passage, tokens = found.passage, found.tokens
        lead = len(passage.embedded_text) - len(passage.text)
        self._places = np.array([start - lead for start, _ in found.spans[: len(tokens.text)]], np.int64)
        self._vectors = tokens.text[: len(self._places)].astype(np.float32) / np.float32(127)
        self._squares = np.maximum(question.tokens @ self._vectors.T, 0) ** 2
        self._question = question
        self._mean = question.tokens.mean(axis=0) if len(question.tokens) else np.zeros(0, np.float32)
        heading = question.tokens @ (tokens.heading.astype(np.float32) / np.float32(127)).T
        self._heading = np.maximum(heading, 0).max(axis=1, initial=0.0) ** 2
        self._weights = _shares(question.weights)
        self.blocks = text_blocks(passage.text, goes_on=bool(passage.lead))
        self._compared = [[self._compare(span) for span in _spans(block)] for block in self.blocks]
        self.cosines = _block_cosines(tokens, question.vector, len(self.blocks))
        self.parts = [best for rows in self._compared for best, _ in rows]

    def _compare(self, span: Span) -> tuple[Vector, Vector]:
        """The best square of each question token within a span, shape (q,), and the sum of its token vectors."""
        first, last = np.searchsorted(self._places, span)
        return (
            self._squares[:, first:last].max(axis=1, initial=0.0),
            self._vectors[first:last].sum(axis=0),
        )

    def score(self, number: int, first: int, last: int, telling: Vector) -> float:
        """The score of these parts of a block; `telling` is how much each question token tells parts apart."""
        rows = self._compared[number]
        opened = self.blocks[number].opening is not None
        chosen = rows[first + opened : last + opened + 1]
        all_rows = (rows[0], *chosen) if opened else chosen
        alone = np.max([best for best, _ in all_rows], axis=0)
        return sum(
            weight * float(signal)
            for weight, signal in (
                (ALL_TOKENS, np.maximum(alone, self._heading) @ self._weights),
                (BEST_PART, max(np.maximum(best, self._heading) @ telling for best, _ in chosen)),
                (WITHOUT_HEADING, alone @ self._weights),
                (PART_VECTOR, max(_cosine(total, self._mean) for _, total in chosen)),
                (BLOCK_VECTOR, self.cosines[number]),
            )
        )

    def least_met(self) -> float:
        """How near heading and text come to the question's token that they meet least, among those that weigh most."""
        weights = self._weights
        nearest = np.maximum(self._squares.max(axis=1, initial=0.0), self._heading)
        heavy = weights >= HEAVY * weights.max(initial=0.0)
        return float(np.sqrt(nearest[heavy].min(initial=1.0))) if heavy.any() else 0.0


def _spans(block: TextBlock) -> tuple[Span, ...]:
    return (block.opening, *block.parts) if block.opening else block.parts


def _block_cosines(tokens: PassageTokens, vector: Vector, count: int) -> list[float]:
    """The question's cosine with each of a passage's `count` blocks; 0 for all of a passage indexed without them."""
    if len(tokens.blocks) != count or not count:
        return [0.0] * count
    return [float(each) for each in tokens.blocks.astype(np.float32) @ vector / np.float32(127)]


def _telling_weights(parts: Matrix, weights: Vector) -> Vector:
    """How much each question token tells these parts apart, shape (q,); by weight alone where none does."""
    spread = weights * np.sqrt(parts).std(axis=0) if len(parts) > 1 else weights
    return _shares(spread if spread.sum() > 0 else weights)


def _shares(weights: Vector) -> Vector:
    """Weights divided by their sum; all alike where they sum to nothing."""
    total = weights.sum()
    return np.asarray(weights / total if total > 0 else np.full_like(weights, 1 / max(1, len(weights))), np.float32)


def _cosine(one: Vector, other: Vector) -> float:
    lengths = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / lengths if lengths > 0 else 0.0
