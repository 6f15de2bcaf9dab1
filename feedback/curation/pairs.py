"""Which two answers to the same question, over the same passages, are set against each other (pure)."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from feedback.curation.facts import Fact
from feedback.curation.near_duplicates import jaccard, normalised

# More alike than this, two answers teach nothing but noise.
ALIKE = 0.95
# How much longer or shorter preferred answers may be in the mean; beyond, a model learns length.
SHORTEST, LONGEST = 0.8, 1.25
# The mean of fewer pairs says nothing.
ENOUGH = 10


@dataclass(frozen=True, slots=True)
class Match:
    """An answer that is preferred to another; `ratio` is the logarithm of their lengths', None where one refuses."""

    chosen: Fact
    rejected: Fact
    ratio: float | None


def matches(
    facts: Sequence[Fact], *, most: int, chosen: Callable[[Fact], str], rejected: Callable[[Fact], str], refusal: str
) -> Iterator[Match]:
    """The pairs, at most so many of a cluster: corrections first, then what most people say."""
    alike: dict[bytes, list[Fact]] = defaultdict(list)
    for each in facts:
        alike[each.same].append(each)
    found: dict[int, list[tuple[Fact, Fact]]] = defaultdict(list)
    for members in alike.values():
        for better in sorted((each for each in members if each.wanted), key=_best_first)[:most]:
            for worse in sorted((each for each in members if each.unwanted), key=_best_first)[: most + 1]:
                if better is worse or not worse.wanted:
                    found[better.cluster].append((better, worse))
    for cluster in sorted(found):
        kept = 0
        for better, worse in sorted(found[cluster], key=_corrections_first):
            texts = (chosen(better), rejected(worse))
            if kept < most and jaccard(*map(normalised, texts)) <= ALIKE:
                kept += 1
                ratio = None if refusal in texts else math.log(max(1, len(texts[0])) / max(1, len(texts[1])))
                yield Match(better, worse, ratio)


def level(found: Sequence[Match]) -> list[Match]:
    """The pairs without the most lopsided, so that preferred answers are neither longer nor shorter in the mean.

    The mean is that of the ratios' logarithms. A refusal is short because it is one, which is no bias.
    """
    measured = sorted((each for each in found if each.ratio is not None), key=_lopsided)
    lengths = [each.ratio or 0.0 for each in measured]
    total = math.fsum(lengths)
    first, last = 0, len(lengths)
    while last - first >= ENOUGH and total / (last - first) > math.log(LONGEST):
        last -= 1
        total -= lengths[last]
    while last - first >= ENOUGH and total / (last - first) < math.log(SHORTEST):
        total -= lengths[first]
        first += 1
    dropped = {id(each) for each in (*measured[:first], *measured[last:])}
    return [each for each in found if id(each) not in dropped]


def mean_ratio(found: Sequence[Match]) -> float | None:
    """The geometric mean of how much longer preferred answers are; None without any to compare."""
    ratios = [each.ratio for each in found if each.ratio is not None]
    return round(math.exp(math.fsum(ratios) / len(ratios)), 4) if ratios else None


def _best_first(each: Fact) -> tuple[bool, int, int]:
    return (not each.reviewed, -abs(each.ups - each.downs), -each.position)


def _corrections_first(pair: tuple[Fact, Fact]) -> tuple[bool, tuple[bool, int, int], tuple[bool, int, int]]:
    better, worse = pair
    return (not better.corrected, _best_first(better), _best_first(worse))


def _lopsided(each: Match) -> tuple[float, int, int]:
    return (each.ratio or 0.0, each.chosen.position, each.rejected.position)
