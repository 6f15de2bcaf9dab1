"""The port behind which passages are stored and looked up: embedded (`retrieval.local`) or Elasticsearch."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from retrieval.passages import Document, Passage
from retrieval.recipe import Recipe

Vector = NDArray[np.float32]
TokenVectors = NDArray[np.int8]
Key = int | str


@dataclass(frozen=True, slots=True)
class Stored:
    """What the index remembers of an indexed file, to tell whether it changed."""

    document: str
    version: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Indexable:
    """A passage with its vectors: `text` and `heading` of shape (d,), unit length; `tokens` of shape (n, t)."""

    passage: Passage
    text: Vector
    heading: Vector
    tokens: TokenVectors


@dataclass(frozen=True, slots=True)
class Encoded:
    """A text's unit vector, shape (d,), and its token vectors, shape (n, t)."""

    vector: Vector
    tokens: TokenVectors


@dataclass(frozen=True, slots=True)
class Lookup:
    """One query as the index sees it.

    `terms` and `bigrams` map an analysed term to its weight (1 for the question itself, less for history).
    `vector` is the query's unit vector, shape (d,). `audiences` are the words that open a document.
    """

    terms: Mapping[str, float]
    bigrams: Mapping[str, float]
    vector: Vector | None
    audiences: frozenset[str]
    recipe: Recipe = field(default_factory=Recipe)
    depth: int = 200


@dataclass(frozen=True, slots=True)
class Candidate:
    """A passage that at least one ranked list holds; a score is None where that list does not reach down to it.

    `lexical` is BM25F with bigrams, `dense` the cosine with the text plus the weighted one with the heading,
    `context` BM25F of the whole document, `cosine` that with the text alone; `matched` are the query's terms in it.
    """

    key: Key
    document: str
    lexical: float | None = None
    dense: float | None = None
    context: float | None = None
    cosine: float | None = None
    matched: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Candidates:
    """The union of the ranked lists for one lookup, and the statistics of the readable part of the index.

    `idf` holds every term of the lookup (an unknown one as if no passage held it); `crowded` tells whether
    documents hold more than one passage in the mean, without which document context says nothing.
    """

    found: Sequence[Candidate]
    idf: Mapping[str, float] = field(default_factory=dict)
    crowded: bool = False


class SearchIndex(Protocol):
    """Stores passages with their documents and answers lookups; every read is one consistent snapshot.

    All methods raise `SearchUnavailable` when the index cannot be reached.
    """

    def stored(self, source: str) -> Mapping[str, Stored]:
        """The documents of one source by id; empty for an unknown source."""
        ...

    def replace(self, document: Document, passages: Sequence[Indexable], *, fingerprint: str) -> None:
        """Put a document in place of its old self, whole, in one transaction; the same again changes nothing."""
        ...

    def delete(self, documents: Iterable[str]) -> None:
        """Forget these documents; unknown ids are passed over."""
        ...

    def lookup(self, lookup: Lookup) -> Candidates:
        """Ranked lists for one query, each filtered by audience inside; empty when nothing matches.

        What the audience may not read has no influence on the result. Ties are broken by document and position.
        """
        ...

    def passages(self, keys: Sequence[Key]) -> list[Passage]:
        """The passages of these candidates, in the order asked; one that is gone by now is left out."""
        ...

    def tokens(self, keys: Sequence[Key]) -> Mapping[Key, TokenVectors]:
        """Token vectors of these candidates, for late interaction; one without any is absent."""
        ...

    def sources(self) -> Mapping[str, str]:
        """The folder that each known source stands for."""
        ...

    def register(self, source: str, root: str | None) -> None:
        """Remember which folder a source stands for; None forgets the source's name."""
        ...

    def touch(self, document: str, *, fingerprint: str) -> None:
        """Remember a new fingerprint for unchanged content; an unknown document is passed over."""
        ...

    def vectors(self, keys: Sequence[bytes]) -> Mapping[bytes, Encoded]:
        """Vectors that are known already, by `text_key`; unknown keys are absent."""
        ...

    def counts(self) -> tuple[int, int]:
        """How many documents and passages there are."""
        ...

    def tidy(self) -> None:
        """Drop what nothing refers to any more."""
        ...

    def document(self, document: str, *, version: str | None = None) -> Document | None:
        """One document as it was parsed, the current version unless an older one is named; None when unknown."""
        ...

    def sections(self, document: str) -> list[Passage]:
        """The current passages of one document in reading order; empty when unknown."""
        ...
