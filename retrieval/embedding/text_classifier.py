"""Tells two kinds of texts apart by their vectors and what else is known of them, having seen examples of both."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retrieval.embedding.protocol import Embedder

# Of the kernel ridge regression: examples are few beside the numbers of a vector.
RIDGE = 0.05
# How fast likeness falls with the squared distance; that of unit vectors of unlike texts is near 2.
FALL = 0.5
# A model that puts fewer of the examples on their side, each unseen, knows nothing of these kinds.
LEAST_ACCURACY = 0.8
# So many examples are enough to tell that.
MOST_TRIED = 900

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sample:
    """A text, and numbers that say more of it, as many for every sample; they weigh as much as those of a vector."""

    text: str
    features: tuple[float, ...] = ()


class TextClassifier:
    """A kernel ridge regression over an embedding model's vectors and features, fitted at first use.

    `examples` gives the positive and the negative ones then. Threads may share it. Raises `EmbeddingUnavailable` as the
    model does.
    """

    def __init__(self, embedder: Embedder, examples: Callable[[], tuple[Sequence[Sample], Sequence[Sample]]]) -> None:
        self._embedder = embedder
        self._examples = examples
        self._fitted: tuple[Matrix, Matrix] | None = None
        self._lock = threading.Lock()

    def score(self, sample: Sample) -> float | None:
        """Return about 1 for what is like the positive examples, about -1 for what is like the negative ones.

        None where the model cannot tell the examples themselves apart by their vectors, and for a text without a word.
        """
        with self._lock:
            if self._fitted is None:
                self._fitted = self._fit()
        points, weights = self._fitted
        if not weights.size or not sample.text.strip():
            return None
        return float((_likeness(self._points([sample]), points) @ weights)[0])

    def _fit(self) -> tuple[Matrix, Matrix]:
        """Return the examples as points, and the weight of each; no weights for a model that is not able."""
        positive, negative = self._examples()
        sides = np.array([1.0] * len(positive) + [-1.0] * len(negative))
        points = self._points([*positive, *negative])
        some = slice(None, None, -(-len(points) // MOST_TRIED))
        if _unseen_accuracy(points[some, : self._embedder.dimensions], sides[some]) < LEAST_ACCURACY:
            return points, np.zeros(0)
        return points, np.asarray(np.linalg.solve(_regularized(points), sides), np.float64)

    def _points(self, samples: Sequence[Sample]) -> Matrix:
        found = self._embedder.encode_passages([each.text for each in samples])
        vectors = np.stack([each.vector for each in found]).astype(np.float64)
        return np.hstack([vectors, np.array([each.features for each in samples], np.float64)])


def _unseen_accuracy(points: Matrix, sides: Matrix) -> float:
    """Return the share of points that get their side from the others, without a fit for each."""
    inverse = np.linalg.inv(_regularized(points))
    unseen = sides - (inverse @ sides) / np.diag(inverse)
    return float(np.mean(unseen * sides > 0))


def _regularized(points: Matrix) -> Matrix:
    return _likeness(points, points) + RIDGE * np.eye(len(points))


def _likeness(left: Matrix, right: Matrix) -> Matrix:
    """Return for each pair of points a number that is 1 for the same one, and falls to 0."""
    squares = (left**2).sum(1)[:, None] + (right**2).sum(1)[None] - 2 * left @ right.T
    return np.asarray(np.exp(-FALL * squares), np.float64)
