"""Which sentences of a found passage answer the question (pure)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retrieval.index import PassageTokens, Vector
from retrieval.passages import Passage
from retrieval.sentences import Span, sentences


@dataclass(frozen=True, slots=True)
class Highlight:
    """A sentence of a passage, `passage.text[start:end]`, and how well it meets the question, about 0 to 1."""

    start: int
    end: int
    score: float


def highlights(
    passage: Passage,
    question: NDArray[np.float32],
    weights: Vector,
    tokens: PassageTokens,
    spans: Sequence[Span],
) -> list[Highlight]:
    """Every sentence of a passage in order, scored by late interaction.

    A word of the question that the heading answers is answered for each sentence below it. `spans` are the places
    of the text's token vectors in `passage.embedded_text`.
    """
    lead = len(passage.embedded_text) - len(passage.text)
    own = np.array([start - lead for start, _ in spans[: len(tokens.text)]], np.int64)
    similar = _cosines(question, tokens.text)
    floor = _cosines(question, tokens.heading).max(axis=1, initial=0.0)
    found = []
    for start, end in sentences(passage.text):
        inside = (own >= start) & (own < end)
        best = np.maximum(similar[:, : len(own)][:, inside].max(axis=1, initial=0.0), floor)
        score = float(best @ weights / weights.sum()) if inside.any() and weights.sum() > 0 else 0.0
        found.append(Highlight(start, end, score))
    return found


def _cosines(question: NDArray[np.float32], tokens: NDArray[np.int8]) -> NDArray[np.float32]:
    """Cosines of every question token with every token, shape (q, n)."""
    return np.asarray(question @ tokens.T.astype(np.float32) / np.float32(127), np.float32)
