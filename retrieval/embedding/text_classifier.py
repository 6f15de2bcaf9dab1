"""Tells two kinds of texts apart by their vectors, having seen examples of both."""

import threading
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from retrieval.embedding.protocol import Embedder

# Of the ridge regression: examples are few beside the numbers of a vector.
RIDGE = 3.0
# A model that puts fewer of the examples on their side, each unseen, knows nothing of these kinds.
LEAST_ACCURACY = 0.8


class TextClassifier:
    """A ridge regression over an embedding model's vectors, fitted at first use; threads may share it.

    Raises `EmbeddingUnavailable` as the model does.
    """

    def __init__(self, embedder: Embedder, *, positive: Sequence[str], negative: Sequence[str]) -> None:
        self._embedder = embedder
        self._examples = (*positive, *negative)
        self._sides = np.array([1.0] * len(positive) + [-1.0] * len(negative))
        self._weights: NDArray[np.float64] | None = None
        self._lock = threading.Lock()

    def score(self, text: str) -> float:
        """Return about 1 for what is like the positive examples, about -1 for what is like the negative ones.

        0 where the model cannot tell the examples themselves apart, and for a text without a word.
        """
        with self._lock:
            if self._weights is None:
                self._weights = self._fit()
        return float((self._vectors([text]) @ self._weights)[0]) if text.strip() else 0.0

    def _fit(self) -> NDArray[np.float64]:
        vectors = self._vectors(self._examples)
        inverse = np.linalg.inv(vectors.T @ vectors + RIDGE * np.eye(vectors.shape[1]))
        weights = inverse @ vectors.T @ self._sides
        # What each example would get had it not been seen, without another fit.
        leverages = np.einsum("ij,jk,ik->i", vectors, inverse, vectors)
        unseen = self._sides - (self._sides - vectors @ weights) / (1 - leverages)
        is_able = np.mean(unseen * self._sides > 0) >= LEAST_ACCURACY
        return np.asarray(weights if is_able else np.zeros_like(weights), np.float64)

    def _vectors(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return the vectors of texts with a constant beside them."""
        found = np.stack([each.vector for each in self._embedder.encode_passages(texts)]).astype(np.float64)
        return np.hstack([found, np.ones((len(texts), 1))])
