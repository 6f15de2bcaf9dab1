"""Vectors: scaled to unit length, rounded to int8, averaged over a text's windows, and the key they are kept under."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]
TokenVectors = NDArray[np.int8]


def no_vectors() -> TokenVectors:
    """Return no vectors, shape (0, 0)."""
    return np.zeros((0, 0), np.int8)


@dataclass(frozen=True, slots=True)
class Encoded:
    """A text's unit vector, shape (d,), its token vectors, shape (n, t), and one vector for each of its blocks.

    `blocks` are unit vectors in 1/127ths, shape (b, d), in the order of `text_blocks`; (0, 0) where none were made.
    """

    vector: Vector
    tokens: TokenVectors
    blocks: TokenVectors = field(default_factory=no_vectors)


def text_key(text: str) -> bytes:
    """The key under which a text's vectors are kept, within one model; 16 bytes."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:16]


def normalise(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale each row to length 1; a zero row stays."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), dtype=np.float32)


def quantise(vectors: NDArray[np.float32]) -> TokenVectors:
    """Round the rows' directions to 1/127ths."""
    return np.round(normalise(vectors) * 127).astype(np.int8)


def merge_windows(windows: Sequence[tuple[int, NDArray[np.float32], TokenVectors]]) -> Encoded:
    """One text's vectors from those of its windows, each given as (word pieces, vector, token vectors).

    The vector is the unit mean weighted by word pieces (an empty window weighs 1); token vectors follow each other.
    """
    mean = sum((length or 1) * vector for length, vector, _ in windows)
    return Encoded(normalise(np.asarray(mean, np.float32)), np.concatenate([tokens for _, _, tokens in windows]))
