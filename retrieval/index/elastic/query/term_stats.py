"""Encodes terms as words of the index, and a term's frequency in a passage as one number (pure)."""

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b, sha256

from retrieval.ranking.analysis import BIGRAM

# Lucene splits longer ones. Nobody searches for a word of that length, but it must not break anything.
LONGEST_TERM = 100

# A count holds a term's hash in its upper bits and the term's frequencies in text, title and headings below.
COUNT_BITS = 16
HASH_BITS = 47
PASSAGE_BITS = (8, 4, 4)
BLOCK_BITS = (12, 4, 0)


def index_term(term: str) -> str:
    """Encode a term, or a pair of terms, as one word of the index."""
    return "_".join(part if len(part) <= LONGEST_TERM else digest(part) for part in term.split(BIGRAM))


def digest(text: str) -> str:
    """A short hash of any text, 24 hexadecimal digits."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:24]


@lru_cache(maxsize=200_000)
def term_hash(term: str) -> int:
    """A hash of a term or a pair, 47 bits, equal in every process; collisions within a passage are negligible."""
    return int.from_bytes(blake2b(term.encode(), digest_size=8).digest()) >> (64 - HASH_BITS)


def packed_counts(fields: Sequence[Sequence[str]], bits: Sequence[int]) -> list[int]:
    """The frequencies of each term in each field as one number a term, ascending."""
    counts = [Counter(field) for field in fields]
    return sorted(
        (term_hash(term) << COUNT_BITS) | _packed([count[term] for count in counts], bits)
        for term in set().union(*counts)
    )


def _packed(counts: Sequence[int], bits: Sequence[int]) -> int:
    """Counts side by side; one too high for its width is capped, which scores no less."""
    number = 0
    for count, width in zip((*counts, 0)[: len(bits)], bits, strict=True):
        number = number << width | min(count, (1 << width) - 1)
    return number
