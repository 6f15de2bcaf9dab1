"""Texts that say nearly the same: MinHash finds those that may, their shingles decide (pure)."""

import re
import unicodedata
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
# What is longer than any question is compared by its beginning.
MOST_CHARACTERS = 4000

WORD = re.compile(r"\w+")

Signatures = NDArray[np.uint32]


def normalised(text: str) -> str:
    """The text as it is compared: its words in one form for every letter, without capitals, single spaces between."""
    folded = unicodedata.normalize("NFKC", text[: 2 * MOST_CHARACTERS]).casefold()
    return " ".join(WORD.findall(folded))[:MOST_CHARACTERS]


def jaccard(one: str, other: str) -> float:
    """The share of shingles that two normalised texts have in common; 1 for equal ones."""
    if one == other:
        return 1.0
    first, second = _shingles(one), _shingles(other)
    return len(first & second) / len(first | second)


def groups(texts: Sequence[str]) -> tuple[list[int], list[bool]]:
    """For each normalised text the position of the first of its group, and whether it is near none before it.

    Texts are grouped when a chain of near ones leads from one to the other. Whether one is near none before it depends
    on those before alone, so it stays so when texts are added at the end.
    """
    first: dict[str, int] = {}
    same = [first.setdefault(text, position) for position, text in enumerate(texts)]
    distinct = list(first.values())
    parents = list(range(len(texts)))
    founds = [position == firsts for position, firsts in enumerate(same)]
    for earlier, later in _pairs([texts[position] for position in distinct]):
        one, other = distinct[earlier], distinct[later]
        if _root(parents, one) != _root(parents, other) and jaccard(texts[one], texts[other]) >= NEAR:
            roots = sorted((_root(parents, one), _root(parents, other)))
            parents[roots[1]] = roots[0]
            founds[other] = False
    return [_root(parents, position) for position in same], founds


def touched(texts: Sequence[str], others: Sequence[str]) -> set[int]:
    """The positions of those of these normalised texts that are near one of the others."""
    if not texts or not others:
        return set()
    mine, theirs = _bands(signatures(texts)), _bands(signatures(others))
    found: set[int] = set()
    for band in range(BANDS):
        buckets: dict[int, list[int]] = {}
        for position, bucket in enumerate(theirs[band].tolist()):
            buckets.setdefault(bucket, []).append(position)
        for position in np.flatnonzero(np.isin(mine[band], theirs[band])).tolist():
            candidates = buckets[int(mine[band][position])]
            if position not in found and any(jaccard(texts[position], others[each]) >= NEAR for each in candidates):
                found.add(position)
    return found


def signatures(texts: Sequence[str]) -> Signatures:
    """A MinHash of each text's shingles, one per row."""
    from datasketch import MinHash

    made = np.zeros((len(texts), BANDS * ROWS), np.uint32)
    shingles = ([shingle.encode("utf-8", "surrogatepass") for shingle in _cut(text)] for text in texts)
    hashes = MinHash.generator(shingles, num_perm=BANDS * ROWS, seed=1, hashfunc=zlib.crc32)
    for position, each in enumerate(hashes):
        made[position] = each.hashvalues
    return made


def _pairs(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    """The pairs that may be near, by the later one."""
    if len(texts) <= FEW:
        yield from sorted(combinations(range(len(texts)), 2), key=lambda pair: pair[::-1])
        return
    signed = signatures(texts)
    found = np.unique(np.concatenate([_met(buckets, len(texts)) for buckets in _bands(signed)]))
    later, earlier = np.divmod(found, len(texts))
    for start in range(0, len(found), 10_000):
        some = slice(start, start + 10_000)
        agreeing = (signed[later[some]] == signed[earlier[some]]).mean(axis=1)
        for place in np.flatnonzero(agreeing >= WORTH_A_LOOK).tolist():
            yield int(earlier[start + place]), int(later[start + place])


def _bands(signed: Signatures) -> list[NDArray[np.uint64]]:
    """For each band the bucket of each text. The library's own index of buckets takes a kilobyte and more a text."""
    factors = np.random.default_rng(1).integers(1, 2**63, ROWS, dtype=np.uint64) | np.uint64(1)
    # One after the other: as 64 bits all of them together would be the largest thing there is.
    bands = np.split(signed, BANDS, axis=1)
    with np.errstate(over="ignore"):
        return [(each.astype(np.uint64) * factors).sum(axis=1, dtype=np.uint64) for each in bands]


def _met(buckets: NDArray[np.uint64], count: int) -> NDArray[np.int64]:
    """Each text with the first of its bucket and with the one before it there, as later * count + earlier.

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
    return frozenset(_cut(text))


def _cut(text: str) -> set[str]:
    framed = f" {text} "
    return {framed[start : start + SHINGLE] for start in range(max(1, len(framed) - SHINGLE + 1))}
