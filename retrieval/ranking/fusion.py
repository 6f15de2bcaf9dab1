"""Fuses several rankings to one (pure): a convex combination of normalised scores, then late interaction."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from retrieval.embedding.vectors import TokenVectors, Vector
from retrieval.ranking.candidates import Candidate, Candidates
from retrieval.ranking.configuration import RankingConfiguration

Parts = dict[str, float]
"""What each ingredient adds to a candidate's score."""


def fuse(
    candidates: Candidates, configuration: RankingConfiguration, *, follow_up: bool
) -> list[tuple[Candidate, Parts]]:
    """Candidates with the weighted parts of their scores, best first; ties keep the index's order.

    A candidate that a list does not reach gets the lowest score of that list.
    """
    found = candidates.found
    if not found:
        return []
    dense_share = configuration.dense_follow_up if follow_up else configuration.dense
    lexical = divide_by_best(score_column(found, "lexical"))
    dense = min_max(score_column(found, "dense"))
    context = divide_by_best(score_column(found, "context")) * configuration.context * candidates.crowded
    parts = [
        {"lexical": float((1 - dense_share) * words), "dense": float(dense_share * near), "context": float(whole)}
        for words, near, whole in zip(lexical, dense, context, strict=True)
    ]
    return sorted(zip(found, parts, strict=True), key=lambda pair: -total_score(pair[1]))


def total_score(parts: Mapping[str, float]) -> float:
    """The sum of the parts."""
    return sum(parts.values())


def score_column(found: Sequence[Candidate], name: str) -> NDArray[np.float64]:
    """One score of every candidate; for one without it the lowest of the others, 0 when none has it."""
    values = [getattr(candidate, name) for candidate in found]
    lowest = min((value for value in values if value is not None), default=0.0)
    return np.array([lowest if value is None else value for value in values], np.float64)


def divide_by_best(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scores of a list whose floor is 0, divided by the best."""
    best = scores.max(initial=0.0)
    return scores / best if best > 0 else np.zeros_like(scores)


def min_max(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scores stretched to 0..1; all 0 when they are equal."""
    low, high = scores.min(initial=np.inf), scores.max(initial=-np.inf)
    return (scores - low) / (high - low) if high > low else np.zeros_like(scores)


def max_sim(question: NDArray[np.float32], weights: Vector, passage: TokenVectors) -> float:
    """Late interaction: the weighted mean, over question tokens, of the nearest passage token's cosine.

    `question` has shape (q, t), `weights` (q,), `passage` (n, t) in 1/127ths; 0 when either side is empty.
    """
    if not len(question) or not len(passage) or not weights.sum() > 0:
        return 0.0
    nearest = (question @ passage.T.astype(np.float32)).max(axis=1) / 127
    return float((nearest * weights).sum() / weights.sum())
