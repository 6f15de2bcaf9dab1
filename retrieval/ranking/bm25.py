"""BM25F as both indexes compute it (pure): fields, weights, constants, idf, and blocks of passages for context."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from retrieval.passages import Passage
from retrieval.ranking.analysis import Analyzer

# The fields of a passage: text, title, heading path.
FIELDS = 3
TEXT = 0
K1 = 1.2
LENGTH_NORM = np.array([0.6, 0.3, 0.3])
# Relative to the text, a document's title counts more than a passage's.
DOCUMENT_TITLE_WEIGHT = 5.0
# From this mean number of passages a document on, document context counts.
CROWDED = 1.5

Ints = NDArray[np.int32]
Floats = NDArray[np.float64]


def passage_terms(analyzer: Analyzer, passage: Passage) -> list[list[str]]:
    """Terms of a passage by field: text, title, heading path."""
    fields = passage.embedded_text, passage.title, " ".join(passage.headings)
    return [analyzer.terms(field) for field in fields]


def idf(count: int, holding: int) -> float:
    """Inverse document frequency, never negative (Lucene's form)."""
    return float(np.log1p((count - holding + 0.5) / (holding + 0.5)))


def blocks(document: Iterable[int], words: Iterable[int], *, limit: int = 1500) -> Ints:
    """Number consecutive passages of one document into blocks of up to `limit` words."""
    result: list[int] = []
    current, block, filled = None, -1, 0
    for doc, length in zip(document, words, strict=True):
        if doc != current or filled + length > limit:
            current, block, filled = doc, block + 1, 0
        filled += length
        result.append(block)
    return np.array(result, np.int32)
