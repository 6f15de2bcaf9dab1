"""The port behind which passages are stored and looked up: embedded (`retrieval.local`) or Elasticsearch."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from retrieval.parsing.protocol import Skipped
from retrieval.passages import Document, Passage
from retrieval.ranking.configuration import RankingConfiguration

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
class Skip:
    """A file that gave nothing to index, so that it is not parsed again before it changes."""

    document: str
    source: str
    fingerprint: str
    skipped: Skipped


@dataclass(frozen=True, slots=True)
class Encoded:
    """A text's unit vector, shape (d,), and its token vectors, shape (n, t)."""

    vector: Vector
    tokens: TokenVectors


@dataclass(frozen=True, slots=True)
class PassageTokens:
    """Token vectors of a passage's heading and of its text, each of shape (n, t)."""

    heading: TokenVectors
    text: TokenVectors


@dataclass(frozen=True, slots=True)
class Indexable:
    """A passage with the vectors of its text and of its heading."""

    passage: Passage
    text: Encoded
    heading: Encoded


@dataclass(frozen=True, slots=True)
class Generation:
    """One make of the whole index, and what it was made with; searches read the current one."""

    name: str
    embedding: str
    analyzer: str
    documents: int
    passages: int
    current: bool


Remade = Callable[[Iterable[Document]], Iterator[tuple[Document, Sequence[Indexable]]]]
"""Cuts and embeds stored documents again, each once and in order."""


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
    recipe: RankingConfiguration = field(default_factory=RankingConfiguration)
    depth: int = 200


@dataclass(frozen=True, slots=True)
class Candidate:
    """A passage that at least one ranked list holds; a score is None where that list does not reach down to it.

    `lexical` is BM25F with bigrams, `dense` the cosine with the text plus the weighted one with the heading,
    `context` BM25F of the whole document, `cosine` that with the text alone; `matched` are the query's terms in it,
    `phrase` is BM25F of the bigrams alone.
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

    `idf` holds every term and bigram of the lookup (an unknown one as if no passage held it); `crowded` tells whether
    documents hold clearly more than one passage in the mean, without which document context says nothing.
    """

    found: Sequence[Candidate]
    idf: Mapping[str, float] = field(default_factory=dict)
    crowded: bool = False


class SearchIndex(Protocol):
    """Stores passages with their documents and answers lookups; every read is one consistent snapshot.

    All methods raise `SearchUnavailable` when the index cannot be reached. An index belongs to one embedding model
    and one analyzer: with any other `lookup` and `replace` raise `IndexNotReady` until `renew` has run.
    """

    def writing(self, waiting: Callable[[], None] = lambda: None) -> AbstractContextManager[None]:
        """The sole right to change the index, across processes; whoever holds it is waited for, after `waiting()`.

        It ends with the process that held it. The methods that change something do not insist on it.
        """
        ...

    def renew(self, remade: Remade) -> None:
        """Make the index anew from its stored documents if it was made for another embedding model or analyzer.

        The new one stands beside the old one until it is complete, then takes its place at once, with sources,
        fingerprints, past versions and skipped files; killed before that, the next call goes on. Needs `writing`.
        """
        ...

    def rebuild(self, remade: Remade) -> None:
        """The same, whatever the index was made with; nothing to do while nothing is indexed. Needs `writing`."""
        ...

    def generations(self) -> list[Generation]:
        """Every complete generation, oldest first; one besides the current one is kept."""
        ...

    def rollback(self) -> str:
        """Make the kept generation the current one and give its name; needs `writing`.

        Raises `IndexNotReady` when none is kept, or when it was made for another embedding model or analyzer.
        """
        ...

    def stored(self, source: str) -> Mapping[str, Stored]:
        """The documents of one source by id; empty for an unknown source."""
        ...

    def skips(self, source: str) -> Mapping[str, Skip]:
        """The files of one source that gave nothing, by the id that their document would have; empty if unknown."""
        ...

    def replace(self, document: Document, passages: Sequence[Indexable], *, fingerprint: str) -> None:
        """Put a document in place of its old self, whole, in one transaction; the same again changes nothing."""
        ...

    def skip(self, skip: Skip) -> None:
        """Remember that a file gives nothing, in place of the document that it gave before, if any."""
        ...

    def delete(self, documents: Iterable[str]) -> None:
        """Forget these documents or skipped files; unknown ids are passed over. Past versions stay for `document`."""
        ...

    def forget(self, source: str) -> None:
        """Forget a source with everything that came from it, past versions too; an unknown one is passed over."""
        ...

    def lookup(self, lookup: Lookup) -> Candidates:
        """Ranked lists for one query, each filtered by audience inside; empty when nothing matches.

        What the audience may not read has no influence on the result. Candidates are ordered by document and
        position, which is how ties are broken. Raises `IndexNotReady` while no source was ever indexed.
        """
        ...

    def passages(self, keys: Sequence[Key]) -> Mapping[Key, Passage]:
        """The passages of these candidates; one that is gone by now is absent."""
        ...

    def tokens(self, keys: Sequence[Key]) -> Mapping[Key, PassageTokens]:
        """Token vectors of these candidates, for late interaction; one without any is absent."""
        ...

    def sources(self) -> Mapping[str, str]:
        """The folder that each known source stands for."""
        ...

    def register(self, source: str, root: str) -> None:
        """Remember which folder a source stands for."""
        ...

    def touch(self, document: str, *, fingerprint: str) -> None:
        """Remember a new fingerprint for unchanged content; an unknown document is passed over."""
        ...

    def vectors(self, keys: Sequence[bytes]) -> Mapping[bytes, Encoded]:
        """Vectors that the embedding model in use has made before, by `text_key`; unknown keys are absent."""
        ...

    def counts(self) -> tuple[int, int]:
        """How many documents and passages there are."""
        ...

    def tidy(self) -> None:
        """Drop what nothing refers to any more."""
        ...

    def document(self, document: str, *, version: str | None = None) -> Document | None:
        """One document as it was parsed, the current version unless an older one is named; None when unknown.

        A past version has no source and no audience: nobody is shown it who may not read everything.
        """
        ...

    def sections(self, document: str) -> list[Passage]:
        """The current passages of one document in reading order; empty when unknown."""
        ...
