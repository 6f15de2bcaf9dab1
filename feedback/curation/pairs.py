"""Pairs two answers to the same question over the same passages, one of which is preferred (pure)."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from feedback.curation.selection import CandidateSummary
from feedback.texts.near_duplicates import jaccard
from feedback.texts.words import normalize

# More alike than this, two answers teach nothing but noise.
TOO_ALIKE = 0.95
# How much shorter or longer preferred answers may be in the mean; beyond, a model learns length.
SHORTEST, LONGEST = 0.8, 1.25
# The mean of fewer pairs says nothing.
FEWEST_PAIRS = 10

Answer = Callable[[CandidateSummary], str]


@dataclass(frozen=True, slots=True)
class CandidatePair:
    """A candidate whose answer is preferred to another's.

    `log_length_ratio` is the logarithm of the ratio of their lengths; None where one of them refuses.
    """

    chosen: CandidateSummary
    rejected: CandidateSummary
    log_length_ratio: float | None


def find_pairs(
    candidates: Sequence[CandidateSummary], *, most: int, chosen: Answer, rejected: Answer, refusal: str
) -> Iterator[CandidatePair]:
    """Yield the pairs, at most `most` of a cluster: corrections first, then what most people say.

    `chosen` and `rejected` give the texts of a candidate's answers, `refusal` is that of a refusal.
    """
    by_context: dict[bytes, list[CandidateSummary]] = defaultdict(list)
    for each in candidates:
        by_context[each.context_hash].append(each)
    by_cluster: dict[int, list[tuple[CandidateSummary, CandidateSummary]]] = defaultdict(list)
    for members in by_context.values():
        for better in sorted((each for each in members if each.has_chosen), key=_best_first)[:most]:
            for worse in sorted((each for each in members if each.has_rejected), key=_best_first)[: most + 1]:
                if better is worse or not worse.has_chosen:
                    by_cluster[better.cluster].append((better, worse))
    for cluster in sorted(by_cluster):
        count = 0
        for better, worse in sorted(by_cluster[cluster], key=_corrections_first):
            texts = (chosen(better), rejected(worse))
            if count < most and jaccard(*map(normalize, texts)) <= TOO_ALIKE:
                count += 1
                ratio = None if refusal in texts else math.log(max(1, len(texts[0])) / max(1, len(texts[1])))
                yield CandidatePair(better, worse, ratio)


def balance_lengths(pairs: Sequence[CandidatePair]) -> list[CandidatePair]:
    """Return the pairs without the most lopsided, so that preferred answers are neither longer nor shorter in the mean.

    The mean is that of the logarithms. A refusal is short because it is one, which is no bias: those pairs stay.
    """
    measured = sorted((each for each in pairs if each.log_length_ratio is not None), key=_by_length_ratio)
    ratios = [each.log_length_ratio or 0.0 for each in measured]
    total = math.fsum(ratios)
    first, last = 0, len(ratios)
    while last - first >= FEWEST_PAIRS and total / (last - first) > math.log(LONGEST):
        last -= 1
        total -= ratios[last]
    while last - first >= FEWEST_PAIRS and total / (last - first) < math.log(SHORTEST):
        total -= ratios[first]
        first += 1
    dropped = {id(each) for each in (*measured[:first], *measured[last:])}
    return [each for each in pairs if id(each) not in dropped]


def mean_length_ratio(pairs: Sequence[CandidatePair]) -> float | None:
    """Return the geometric mean of how much longer preferred answers are; None without any to compare."""
    ratios = [each.log_length_ratio for each in pairs if each.log_length_ratio is not None]
    return round(math.exp(math.fsum(ratios) / len(ratios)), 4) if ratios else None


def _best_first(each: CandidateSummary) -> tuple[bool, int, int]:
    return (not each.reviewed, -abs(each.ups - each.downs), -each.position)


def _corrections_first(
    pair: tuple[CandidateSummary, CandidateSummary],
) -> tuple[bool, tuple[bool, int, int], tuple[bool, int, int]]:
    better, worse = pair
    return (not better.is_corrected, _best_first(better), _best_first(worse))


def _by_length_ratio(each: CandidatePair) -> tuple[float, int, int]:
    return (each.log_length_ratio or 0.0, each.chosen.position, each.rejected.position)
