"""What is looked up for a query, and the candidates that an index gives back to be ranked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from retrieval.embedding.vectors import TokenVectors, Vector, no_vectors
from retrieval.ranking.configuration import RankingConfiguration

Key = int | str


@dataclass(frozen=True, slots=True)
class Lookup:
    """One analysed query.

    `terms` and `bigrams` map an analysed term to its weight (1 for the question itself, less for history).
    `vector` is the query's unit vector, shape (d,). `audiences` are the words that open a document.
    """

    terms: Mapping[str, float]
    bigrams: Mapping[str, float]
    vector: Vector | None
    audiences: frozenset[str]
    configuration: RankingConfiguration = field(default_factory=RankingConfiguration)
    depth: int = 200


@dataclass(frozen=True, slots=True)
class Candidate:
    """A passage in at least one ranked list, with its scores; a score is None where that list ends before it.

    `lexical` is BM25F with bigrams, `dense` the cosine with the text plus the weighted one with the heading,
    `context` BM25F of the whole document, `cosine` the one with the text alone; `matched` are the query's terms in
    it, `phrase` is BM25F of the bigrams alone.
    """

    key: Key
    document: str
    lexical: float | None = None
    dense: float | None = None
    context: float | None = None
    cosine: float | None = None
    matched: frozenset[str] = frozenset()
    phrase: float | None = None


@dataclass(frozen=True, slots=True)
class Candidates:
    """The union of the ranked lists for one lookup, and the statistics of the readable part of the index.

    `idf` holds every term and bigram of the lookup (an unknown one as if no passage held it). `crowded` is whether
    documents have clearly more than one passage on average; document context is of no use otherwise.
    """

    found: Sequence[Candidate]
    idf: Mapping[str, float] = field(default_factory=dict)
    crowded: bool = False


@dataclass(frozen=True, slots=True)
class PassageTokens:
    """Token vectors of a passage's heading and of its text, each of shape (n, t), and the vectors of its blocks.

    `blocks` holds a unit vector in 1/127ths for each of `text_blocks(passage.embedded_text)`, shape (b, d); (0, 0) for
    a passage that was indexed before blocks had vectors.
    """

    heading: TokenVectors
    text: TokenVectors
    blocks: TokenVectors = field(default_factory=no_vectors)
