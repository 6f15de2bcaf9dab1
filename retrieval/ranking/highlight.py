"""Scores the sentences of found passages by how well they match the question (pure)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retrieval.embedding.vectors import Vector
from retrieval.passages import Passage
from retrieval.ranking.candidates import PassageTokens
from retrieval.sectioning.sentences import Span, sentences

Similarities = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Highlight:
    """A sentence of a passage, `passage.text[start:end]`, and how well it matches the question, about 0 to 1."""

    start: int
    end: int
    score: float


@dataclass(frozen=True, slots=True)
class EmbeddedPassage:
    """A passage with its token vectors; `spans` are the places of the text's tokens in `passage.embedded_text`."""

    passage: Passage
    tokens: PassageTokens
    spans: Sequence[Span]


def highlight_sentences(
    found: Sequence[EmbeddedPassage], question: NDArray[np.float32], weights: Vector
) -> list[list[Highlight]]:
    """For each passage every sentence in order, scored by late interaction.

    A word that the heading matches is matched for each sentence below it. A word that all sentences match alike tells
    none of them apart, so each counts by its weight and by how far the sentences differ in it; the square lets one good
    match count for more than several weak ones.
    """
    cut = [sentences(each.passage.text) for each in found]
    own = [_sentence_cosines(each, spans, question) for each, spans in zip(found, cut, strict=True)]
    counting = _token_weights(np.concatenate(own) if own else np.zeros((0, len(weights)), np.float32), weights)
    return [
        [
            Highlight(start, end, score)
            for (start, end), score in zip(
                spans, _scores(similar, _heading_cosines(each, question), counting), strict=True
            )
        ]
        for each, spans, similar in zip(found, cut, own, strict=True)
    ]


def _sentence_cosines(passage: EmbeddedPassage, cut: Sequence[Span], question: NDArray[np.float32]) -> Similarities:
    """The best cosine of each question token within each sentence, shape (s, q); 0 where nothing is embedded."""
    lead = len(passage.passage.embedded_text) - len(passage.passage.text)
    starts = np.array([start - lead for start, _ in passage.spans[: len(passage.tokens.text)]], np.int64)
    similar = _cosines(question, passage.tokens.text)[:, : len(starts)]
    best = np.zeros((len(cut), len(question)), np.float32)
    for row, (start, end) in zip(best, cut, strict=True):
        row[:] = similar[:, (starts >= start) & (starts < end)].max(axis=1, initial=0.0)
    return best


def _heading_cosines(passage: EmbeddedPassage, question: NDArray[np.float32]) -> Vector:
    """The best cosine of each question token with the heading, shape (q,)."""
    return np.asarray(_cosines(question, passage.tokens.heading).max(axis=1, initial=0.0), np.float32)


def _token_weights(own: Similarities, weights: Vector) -> Vector:
    """How much each question token counts between these sentences, shape (q,); sums to 1 unless nothing counts."""
    spread = weights * own.std(axis=0) if len(own) > 1 else weights
    chosen = spread if spread.sum() > 0 else weights
    total = chosen.sum()
    return np.asarray(chosen / total if total > 0 else chosen, np.float32)


def _scores(own: Similarities, heading: Vector, counting: Vector) -> list[float]:
    """A sentence of which nothing is embedded scores 0."""
    scores = np.where(own.any(axis=1), np.maximum(own, heading) ** 2 @ counting, 0.0)
    return [float(score) for score in scores]


def _cosines(question: NDArray[np.float32], tokens: NDArray[np.int8]) -> Similarities:
    """Cosines of every question token with every token, shape (q, n)."""
    return np.asarray(question @ tokens.T.astype(np.float32) / np.float32(127), np.float32)
