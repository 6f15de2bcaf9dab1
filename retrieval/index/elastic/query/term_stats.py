"""Terms as the index holds them, and how often each stands in a passage as one number (pure)."""

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b, sha256

from retrieval.ranking.analysis import BIGRAM

# Lucene splits longer ones; nobody asks for a word of that length, but it must not break anything.
LONGEST_TERM = 100

# A count is a term's hash above, and below it how often the term stands in text, title and headings.
COUNT_BITS = 16
HASH_BITS = 47
PASSAGE_BITS = (8, 4, 4)
BLOCK_BITS = (12, 4, 0)


def indexed(term: str) -> str:
    """A term, or a pair of terms, as one word of the index."""
    return "_".join(part if len(part) <= LONGEST_TERM else digest(part) for part in term.split(BIGRAM))


def digest(text: str) -> str:
    """A short name for any text."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:24]


@lru_cache(maxsize=200_000)
def term_hash(term: str) -> int:
    """A number for a term or a pair, the same everywhere; two terms of one passage practically never share it."""
    return int.from_bytes(blake2b(term.encode(), digest_size=8).digest()) >> (64 - HASH_BITS)


def counted(fields: Sequence[Sequence[str]], bits: Sequence[int]) -> list[int]:
    """How often each term stands in each field: one number a term, ascending."""
    counts = [Counter(said) for said in fields]
    return sorted(
        (term_hash(term) << COUNT_BITS) | _packed([count[term] for count in counts], bits)
        for term in set().union(*counts)
    )


def _packed(counts: Sequence[int], bits: Sequence[int]) -> int:
    """Counts side by side; one that is too high for its width stays at the highest, which scores no less."""
    number = 0
    for count, width in zip((*counts, 0)[: len(bits)], bits, strict=True):
        number = number << width | min(count, (1 << width) - 1)
    return number
