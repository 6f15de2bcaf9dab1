"""Finds texts that say nearly the same: MinHash finds those that may, their shingles decide (pure).

All texts are normalized (`texts.words.normalize`). Made for hundreds of thousands of questions, where a chain of near
ones is one group; `texts.topics` groups a few thousand by what they are about.
"""

import zlib
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

NEAR = 0.8
SHINGLE = 5
# Twelve bands of five: of two texts that share .8 of their shingles 99 % meet, of two that share .1 one in 10,000.
BANDS, ROWS = 12, 5
# Where signatures agree less than this, shingles are nearly never near.
WORTH_A_LOOK = 0.6
# Below, every pair is compared, which costs less than signatures.
FEW = 12

Signatures = NDArray[np.uint32]


def jaccard(one: str, other: str) -> float:
    """Return the share of shingles that two texts have in common; 1 for equal ones, two empty ones too."""
    if one == other:
        return 1.0
    first, second = _shingles(one), _shingles(other)
    return len(first & second) / len(first | second)


def group_near_duplicates(texts: Sequence[str]) -> tuple[list[int], list[bool]]:
    """Return for each text the position of the first of its group, and whether it founds one: is near none before it.

    Texts are grouped when a chain of near ones leads from one to the other; groups that a later text joins have several
    founders. Whether a text is a founder depends on those before it alone, so it stays one when texts are added at the
    end.
    """
    first: dict[str, int] = {}
    same = [first.setdefault(text, position) for position, text in enumerate(texts)]
    distinct = list(first.values())
    parents = list(range(len(texts)))
    is_founder = [position == earliest for position, earliest in enumerate(same)]
    for earlier, later in _candidate_pairs([texts[position] for position in distinct]):
        one, other = distinct[earlier], distinct[later]
        if _root(parents, one) != _root(parents, other) and jaccard(texts[one], texts[other]) >= NEAR:
            roots = sorted((_root(parents, one), _root(parents, other)))
            parents[roots[1]] = roots[0]
            is_founder[other] = False
    return [_root(parents, position) for position in same], is_founder


def find_near_duplicates(texts: Sequence[str], *, of: Sequence[str]) -> set[int]:
    """Return the positions of the texts that are near one of the texts `of`; none where either is empty."""
    if not texts or not of:
        return set()
    mine, theirs = _bands(_signatures(texts)), _bands(_signatures(of))
    near: set[int] = set()
    for band in range(BANDS):
        buckets: dict[int, list[int]] = {}
        for position, bucket in enumerate(theirs[band].tolist()):
            buckets.setdefault(bucket, []).append(position)
        for position in np.flatnonzero(np.isin(mine[band], theirs[band])).tolist():
            candidates = buckets[int(mine[band][position])]
            if position not in near and any(jaccard(texts[position], of[each]) >= NEAR for each in candidates):
                near.add(position)
    return near


def _signatures(texts: Sequence[str]) -> Signatures:
    """Return a MinHash of each text's shingles: an array of (texts, BANDS * ROWS)."""
    from datasketch import MinHash

    signatures = np.zeros((len(texts), BANDS * ROWS), np.uint32)
    shingles = ([shingle.encode("utf-8", "surrogatepass") for shingle in _split_shingles(text)] for text in texts)
    hashes = MinHash.generator(shingles, num_perm=BANDS * ROWS, seed=1, hashfunc=zlib.crc32)
    for position, each in enumerate(hashes):
        signatures[position] = each.hashvalues
    return signatures


def _candidate_pairs(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yield the positions of texts that may be near, the earlier first, ordered by the later one."""
    if len(texts) <= FEW:
        yield from sorted(combinations(range(len(texts)), 2), key=lambda pair: pair[::-1])
        return
    signatures = _signatures(texts)
    pairs = np.unique(np.concatenate([_meetings(buckets, len(texts)) for buckets in _bands(signatures)]))
    later, earlier = np.divmod(pairs, len(texts))
    for start in range(0, len(pairs), 10_000):
        some = slice(start, start + 10_000)
        agreeing = (signatures[later[some]] == signatures[earlier[some]]).mean(axis=1)
        for place in np.flatnonzero(agreeing >= WORTH_A_LOOK).tolist():
            yield int(earlier[start + place]), int(later[start + place])


def _bands(signatures: Signatures) -> list[NDArray[np.uint64]]:
    """Return for each band the bucket of each text; the library's own index takes a kilobyte and more for a text."""
    factors = np.random.default_rng(1).integers(1, 2**63, ROWS, dtype=np.uint64) | np.uint64(1)
    # One after the other: as 64 bits all of them together would be the largest thing there is.
    bands = np.split(signatures, BANDS, axis=1)
    with np.errstate(over="ignore"):
        return [(each.astype(np.uint64) * factors).sum(axis=1, dtype=np.uint64) for each in bands]


def _meetings(buckets: NDArray[np.uint64], count: int) -> NDArray[np.int64]:
    """Return each text with the first of its bucket and with the one before it there, as later * count + earlier.

    All pairs of a bucket would be too many where thousands ask the same; near ones are chained just as well.
    """
    order = np.argsort(buckets, kind="stable")
    sorted_buckets = buckets[order]
    begins = np.concatenate([[True], sorted_buckets[1:] != sorted_buckets[:-1]])
    firsts = order[np.maximum.accumulate(np.where(begins, np.arange(count), 0))]
    later, before, first = order[~begins], order[np.flatnonzero(~begins) - 1], firsts[~begins]
    return np.concatenate([later * count + before, later * count + first]).astype(np.int64)


def _root(parents: list[int], position: int) -> int:
    while parents[position] != position:
        parents[position] = parents[parents[position]]
        position = parents[position]
    return position


@lru_cache(maxsize=1024)
def _shingles(text: str) -> frozenset[str]:
    return frozenset(_split_shingles(text))


def _split_shingles(text: str) -> set[str]:
    framed = f" {text} "
    return {framed[start : start + SHINGLE] for start in range(max(1, len(framed) - SHINGLE + 1))}
