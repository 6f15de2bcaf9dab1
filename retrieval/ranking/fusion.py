"""Fuses several rankings to one (pure): a convex combination of normalised scores, then late interaction."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from retrieval.embedding.vectors import TokenVectors, Vector
from retrieval.ranking.candidates import Candidate, Candidates
from retrieval.ranking.configuration import RankingConfiguration, shares

Parts = dict[str, float]
"""What each ingredient adds to a candidate's score."""


def fuse(
    candidates: Candidates, configuration: RankingConfiguration, *, follow_up: bool, lexical: float
) -> list[tuple[Candidate, Parts]]:
    """Candidates with the weighted parts of their scores, best first; ties keep the index's order.

    `lexical` says how well the best passage matches the question's words, 0 to 1, and so how much words count.

    A candidate that a list does not reach gets the lowest score of that list.
    """
    found = candidates.found
    if not found:
        return []
    dense_share, context_share = shares(configuration, follow_up=follow_up, lexical=lexical)
    by_words = divide_by_best(score_column(found, "lexical"))
    dense = min_max(score_column(found, "dense"))
    context = divide_by_best(score_column(found, "context")) * context_share * candidates.crowded
    parts = [
        {"lexical": float((1 - dense_share) * words), "dense": float(dense_share * near), "context": float(whole)}
        for words, near, whole in zip(by_words, dense, context, strict=True)
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
    """Late interaction: the weighted mean, over question tokens, of the nearest passage token's squared cosine.

    The square lets one good match count for more than several weak ones. `question` has
    shape (q, t), `weights` (q,), `passage` (n, t) in 1/127ths; 0 when either side is empty.
    """
    if not len(question) or not len(passage) or not weights.sum() > 0:
        return 0.0
    nearest = np.maximum((question @ passage.T.astype(np.float32)).max(axis=1), 0) / 127
    return float((nearest**2 * weights).sum() / weights.sum())
