"""Groups questions by what they are about: their terms as vectors, near ones around the middle of a group (pure).

Made for a few thousand questions that people read; `texts.near_duplicates` finds those that say the same.
"""

import zlib
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from feedback.progress import Progress, ignore_progress

# From how near questions are one topic, as a cosine, and into how many columns their features are folded.
NEAR = 0.5
COLUMNS = 4096
# So many questions about other things are imagined beside those there are: of few, no word can be called rare.
OTHERS = 50
BLOCK = 256

Matrix = NDArray[np.float32]


def group_by_topic(
    questions: Sequence[Sequence[str]], weights: Sequence[int], *, progress: Progress = ignore_progress
) -> list[list[int]]:
    """Return the positions of the questions, given as their terms, in groups; every question is in one.

    The question that most others are near to, counted by weight, takes those, then the next of the rest; ties go by
    position. The first of a group is its middle. No chain of small steps joins what is far apart.
    """
    near = _neighbours(_vectors(questions), progress)
    order = sorted(range(len(questions)), key=lambda each: (-sum(weights[other] for other in near[each]), each))
    taken: set[int] = set()
    groups = []
    for middle in order:
        if middle not in taken:
            group = [middle, *(other for other in near[middle] if other != middle and other not in taken)]
            taken.update(group)
            groups.append(group)
    return groups


def _vectors(questions: Sequence[Sequence[str]]) -> Matrix:
    """Return an array of (questions, COLUMNS) with rows of length 1: terms and their parts, the rarer the heavier."""
    features = [_features(terms) for terms in questions]
    frequency = Counter(feature for each in features for feature in each)
    rows = np.zeros((len(questions), COLUMNS), dtype=np.float32)
    for row, each in zip(rows, features, strict=True):
        for feature, weight in each.items():
            rarity = np.log((1 + OTHERS + len(questions)) / (1 + frequency[feature]))
            row[zlib.crc32(feature.encode("utf-8", "surrogatepass")) % COLUMNS] += weight * rarity
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    rows /= np.where(lengths == 0, 1, lengths).astype(np.float32)
    return rows


def _features(terms: Sequence[str]) -> Mapping[str, float]:
    """Return the weights of the terms and of their parts of four letters, which forms of a word and typos share."""
    parts = {f"_{term}_"[at : at + 4] for term in terms for at in range(max(1, len(term) - 1))}
    return dict.fromkeys(terms, 2.0) | {f"_{part}": 0.5 for part in sorted(parts)}


def _neighbours(rows: Matrix, progress: Progress) -> list[list[int]]:
    """Return for each row the positions of those near to it, itself among them."""
    found: list[list[int]] = []
    for start in range(0, len(rows), BLOCK):
        near = rows[start : start + BLOCK] @ rows.T >= NEAR
        near[np.arange(len(near)), start + np.arange(len(near))] = True
        found += [np.flatnonzero(row).tolist() for row in near]
        progress("comparing questions", len(found), len(rows))
    return found
