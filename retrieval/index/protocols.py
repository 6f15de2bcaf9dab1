"""Protocols of an index of passages, and the values that pass through them.

Two implementations: `retrieval.index.local` (embedded, SQLite) and `retrieval.index.elastic` (Elasticsearch). Every
method raises `SearchUnavailable` when the index cannot be reached.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from retrieval.embedding.vectors import Encoded
from retrieval.parsing.protocol import Skipped
from retrieval.passages import Document, Passage
from retrieval.ranking.candidates import Candidates, Key, Lookup, PassageTokens


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """An indexed document's version and the fingerprint of its file, by which a sync tells whether it changed."""

    document: str
    version: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class SkippedFile:
    """A file that gave nothing to index, and why; it is not parsed again before its fingerprint changes."""

    document: str
    source: str
    fingerprint: str
    skipped: Skipped


@dataclass(frozen=True, slots=True)
class Indexable:
    """A passage with the vectors of its text and of its heading."""

    passage: Passage
    text: Encoded
    heading: Encoded


@dataclass(frozen=True, slots=True)
class Generation:
    """One complete build of the whole index, and what it was built with; searches read the current one."""

    name: str
    embedding: str
    analyzer: str
    documents: int
    passages: int
    current: bool


Reindexer = Callable[[Iterable[Document]], Iterator[tuple[Document, Sequence[Indexable]]]]
"""Cuts stored documents into passages and embeds them again, each document once and in order."""


class IndexReader(Protocol):
    """Answers queries and gives back what is indexed; every call reads one consistent snapshot."""

    def lookup(self, lookup: Lookup) -> Candidates:
        """The ranked lists of one query, each filtered by audience inside; empty when nothing matches.

        What the audience may not read has no influence on the result. Candidates are ordered by document and
        position, which is how ties are broken. Raises `IndexNotReady` while no source was ever indexed, and for an
        index that another embedding model or analyzer built.
        """
        ...

    def passages(self, keys: Sequence[Key]) -> Mapping[Key, Passage]:
        """The passages of these candidates; one that is gone by now is absent."""
        ...

    def tokens(self, keys: Sequence[Key]) -> Mapping[Key, PassageTokens]:
        """Token vectors of these candidates, for late interaction; one without any is absent."""
        ...

    def document(self, document: str, *, version: str | None = None) -> Document | None:
        """One document as it was parsed, the current version unless an older one is named; None when unknown.

        A past version has no source and no audience: it is shown only to who may read everything.
        """
        ...

    def audiences(self, documents: Collection[str]) -> Mapping[str, frozenset[str]]:
        """Who may read these documents at this moment, by id; one that is not indexed is absent.

        Cheap, because it is asked before anything is shown.
        """
        ...

    def sections(self, document: str) -> list[Passage]:
        """The current passages of one document in reading order; empty when unknown."""
        ...

    def sources(self) -> Mapping[str, str]:
        """The folder of each known source, by the source's name in alphabetical order."""
        ...

    def stored(self, source: str) -> Mapping[str, StoredDocument]:
        """The documents of one source by id, ascending; empty for an unknown source."""
        ...

    def counts(self) -> tuple[int, int]:
        """How many documents and passages are indexed; (0, 0) when nothing ever was."""
        ...


class IndexWriter(Protocol):
    """Changes documents, and reads what a sync needs to change no more than it must.

    Searches of any process see a change at once, or at the end of `lock` when it was made inside.
    """

    def lock(self, on_wait: Callable[[], None] = lambda: None) -> AbstractContextManager[None]:
        """Hold the write lock, which spans processes; while another holds it wait, after one call of `on_wait`.

        It ends with its process. Reentrant within a thread. No method of the writer insists on it.
        """
        ...

    def skips(self, source: str) -> Mapping[str, SkippedFile]:
        """The skipped files of one source, by the id that their document would have; empty if unknown."""
        ...

    def vectors(self, keys: Sequence[bytes]) -> Mapping[bytes, Encoded]:
        """Vectors that the embedding model in use has made before, by `text_key`; unknown keys are absent."""
        ...

    def register(self, source: str, root: str) -> None:
        """Store the folder of a source, in place of the one it had."""
        ...

    def replace(self, document: Document, passages: Sequence[Indexable], *, fingerprint: str) -> None:
        """Store a document with its passages in place of its old version, in one transaction; idempotent.

        Raises `IndexNotReady` for an index that another embedding model or analyzer built.
        """
        ...

    def touch(self, document: str, *, fingerprint: str) -> None:
        """Store a new fingerprint of unchanged content; an unknown document is passed over."""
        ...

    def skip(self, skipped: SkippedFile) -> None:
        """Store a skipped file in place of the document that it gave before, if any."""
        ...

    def delete(self, documents: Iterable[str]) -> None:
        """Delete these documents or skipped files; unknown ids are passed over. Past versions stay readable."""
        ...

    def forget(self, source: str) -> None:
        """Delete a source with everything that came from it, past versions too; an unknown one is passed over."""
        ...

    def prune(self) -> None:
        """Delete what nothing refers to any more."""
        ...


class IndexAdmin(Protocol):
    """Builds generations of the index and chooses the current one; its callers hold the write lock for a change."""

    def renew(self, reindex: Reindexer) -> None:
        """Build the index anew from its stored documents if another embedding model or analyzer built it.

        The new generation is filled beside the old one until it is complete, then takes its place at once, with
        sources, fingerprints, past versions and skipped files; killed before that, the next call goes on.
        """
        ...

    def rebuild(self, reindex: Reindexer) -> None:
        """Build the index anew as `renew` does, whatever it was built with; nothing happens while it is empty."""
        ...

    def generations(self) -> list[Generation]:
        """Every complete generation, oldest first; one besides the current one is kept."""
        ...

    def rollback(self, reindex: Reindexer) -> str:
        """Make the kept generation the current one and give its name.

        What was restricted, deleted or forgotten since it was made stays so, and what it alone holds is left out until
        the next sync. Killed before it is done, it changes nothing that a search sees. Raises `IndexNotReady` when none
        is kept, or when another embedding model or analyzer built it.
        """
        ...


class SearchIndex(Protocol):
    """An opened index. It belongs to one embedding model and one analyzer, by which its generations are told apart."""

    @property
    def reader(self) -> IndexReader:
        """What answers queries."""
        ...

    @property
    def writer(self) -> IndexWriter:
        """What changes documents."""
        ...

    @property
    def admin(self) -> IndexAdmin:
        """What builds and chooses generations."""
        ...

    def close(self) -> None:
        """Release files and connections."""
        ...
