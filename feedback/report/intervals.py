"""Intervals of confidence for shares (pure)."""

import hashlib
from collections import Counter
from collections.abc import Iterable

import numpy as np

Z = 1.959963984540054  # of 95 in 100
DRAWS = 2000
# Of fewer people a draw with replacement says nothing.
FEWEST_PEOPLE = 5


def wilson(part: float, whole: float) -> tuple[float, float]:
    """Return Wilson's interval of 95 % for a share, (0, 1) of nothing; part and whole may be fractions."""
    if whole <= 0:
        return 0.0, 1.0
    share, square = part / whole, Z * Z
    middle = share + square / (2 * whole)
    reach = Z * float(np.sqrt(max(0.0, share * (1 - share)) / whole + square / (4 * whole * whole)))
    scale = 1 + square / whole
    low = 0.0 if part <= 0 else (middle - reach) / scale
    return max(0.0, low), 1.0 if part >= whole else min(1.0, (middle + reach) / scale)


def by_person(people: Iterable[tuple[int, int]]) -> tuple[float, float] | None:
    """Return the interval of 95 % for the share of ups when people are drawn, not votes; None for too few people.

    Takes the ups and downs of each person. Votes of one person are alike, so this is wider than Wilson's where few
    people give most votes. Equal votes give an equal interval, in whatever order the people come.
    """
    kinds = sorted(Counter(people).items())
    count = sum(number for _, number in kinds)
    if count < FEWEST_PEOPLE:
        return None
    votes = np.array([kind for kind, _ in kinds], dtype=np.float64)
    chances = np.array([number for _, number in kinds], dtype=np.float64) / count
    seed = int.from_bytes(hashlib.sha256(repr(kinds).encode()).digest()[:8], "big")
    drawn = np.random.default_rng(seed).multinomial(count, chances, size=DRAWS) @ votes
    low, high = np.quantile(drawn[:, 0] / drawn.sum(axis=1), [0.025, 0.975])
    return float(low), float(high)


def busiest_tenth(people: Iterable[tuple[int, int]]) -> float | None:
    """Return the share of votes that the busiest tenth of the people gave; None for fewer than ten people."""
    votes = sorted((up + down for up, down in people), reverse=True)
    return sum(votes[: len(votes) // 10]) / sum(votes) if len(votes) >= 10 else None
