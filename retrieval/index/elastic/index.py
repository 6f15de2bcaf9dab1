"""`ElasticIndex`: every replica reads and writes the generation that the alias stands for."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from typing import TypeVar

from elasticsearch import Elasticsearch

from retrieval.embedding.sentence_transformers import Embedder
from retrieval.errors import IndexNotReady
from retrieval.index.elastic.admin.generations import Generations
from retrieval.index.elastic.admin.rebuild import fill
from retrieval.index.elastic.client import Connection, Gone, connect, mapped
from retrieval.index.elastic.documents import Change, passage_of, replacing, skipping, tokens_of
from retrieval.index.elastic.mapping import SCHEMA_VERSION
from retrieval.index.elastic.query.executor import QueryExecutor
from retrieval.index.elastic.query.read_together import ReadTogether
from retrieval.index.elastic.store import Record, Store
from retrieval.index.elastic.write.coordinator import WriteCoordinator
from retrieval.index.elastic.write.lock import LEASE
from retrieval.index.generations import NOTHING_YET, IndexFingerprint
from retrieval.index.protocols import (
    Candidates,
    Encoded,
    Generation,
    Indexable,
    Key,
    Lookup,
    PassageTokens,
    Remade,
    Skip,
    Stored,
)
from retrieval.passages import Document, Passage
from retrieval.ranking.analysis import Analyzer

ALIAS = "footnote-passages"
# The current generation, and the one before it for searches that were under way when it was replaced.
REMEMBERED = 2

Found = TypeVar("Found")


def open_elastic(
    connection: Connection,
    embedder: Embedder,
    analyzer: Analyzer,
    *,
    alias: str = ALIAS,
    shards: int = 1,
    lease: float = LEASE,
) -> "ElasticIndex":
    """The index behind an alias; nothing is asked or made, and no embedding model loaded, before it is used.

    Raises `SearchUnavailable` for a connection whose values cannot be meant. `lease` is how many seconds a writer
    that died keeps the others waiting.
    """
    client = connect(connection)
    generations = Generations(
        client, alias, IndexFingerprint(SCHEMA_VERSION, embedder.name, analyzer.name), shards=shards
    )
    changing = WriteCoordinator(
        client, generations, place=connection.place, dimensions=lambda: embedder.dimensions, lease=lease
    )
    return ElasticIndex(client, generations, changing, analyzer, place=connection.place)


class ElasticIndex:
    """The `SearchIndex` of production; another process's writes, and a new generation, are seen by the next lookup."""

    def __init__(
        self,
        client: Elasticsearch,
        generations: Generations,
        changing: WriteCoordinator,
        analyzer: Analyzer,
        *,
        place: str,
    ) -> None:
        self._client, self._generations, self._changing = client, generations, changing
        self._analyzer, self._place = analyzer, place
        self._asking = QueryExecutor(client, generations.alias, changing.ready, shards=generations.shards)
        self._read_together = ReadTogether()
        self._known: list[str] = []

    def close(self) -> None:
        """Let go of all connections."""
        self._client.close()

    def writing(self, waiting: Callable[[], None] = lambda: None) -> AbstractContextManager[None]:
        """The sole right to change the index, across hosts; it ends with its process, within the lease.

        What changes inside is shown together: at its end, when much has been collected, or when this thread reads.
        """
        return self._changing.writing(waiting)

    def renew(self, remade: Remade) -> None:
        """Fill a new generation beside the current one if that was made otherwise, and put it in its place."""
        self._changing.renew(lambda writer, old: fill(writer, old, remade, self._analyzer))

    def rebuild(self, remade: Remade) -> None:
        """The same, whatever the current one was made with; nothing to do while there is none."""
        self._changing.rebuild(lambda writer, old: fill(writer, old, remade, self._analyzer))

    def generations(self) -> list[Generation]:
        """Every complete generation, oldest first."""
        self._changing.settle()
        return self._changing.generations()

    def rollback(self) -> str:
        """Make the kept generation the current one and give its name."""
        return self._changing.rollback()

    def stored(self, source: str) -> Mapping[str, Stored]:
        """The documents of one source by id; empty for an unknown source."""
        return self._read(lambda store: store.stored(source), {})

    def skips(self, source: str) -> Mapping[str, Skip]:
        """The files of one source that gave nothing."""
        return self._read(lambda store: store.skips(source), {})

    def _read(self, read: Callable[[Store], Found], nothing: Found) -> Found:
        """What the current generation says; `nothing` when there is none."""
        self._changing.settle()
        with mapped(self._place):
            store = self._changing.current()
            return read(store) if store else nothing

    def replace(self, document: Document, passages: Sequence[Indexable], *, fingerprint: str) -> None:
        """Put a document in place of its old self, whole, in one step."""
        with self._changing.making() as writer:
            self._changing.refuse(writer.store)
            writer.add(replacing(document, passages, self._analyzer, fingerprint))
            self._changing.remember(passages, writer)

    def skip(self, skip: Skip) -> None:
        """Remember that a file gives nothing, in place of its document."""
        with self._changing.making() as writer:
            writer.add(skipping(skip))

    def delete(self, documents: Iterable[str]) -> None:
        """Forget these documents or skipped files; unknown ids are passed over."""
        with self._changing.changing() as writer:
            if writer:
                for document in documents:
                    writer.add(Change(document))

    def forget(self, source: str) -> None:
        """Forget a source with everything that came from it."""
        with self._changing.changing() as writer:
            if writer:
                writer.forget(source)

    def register(self, source: str, root: str) -> None:
        """Remember which folder a source stands for."""
        with self._changing.making() as writer:
            writer.register(source, root)

    def touch(self, document: str, *, fingerprint: str) -> None:
        """Remember a new fingerprint for unchanged content; an unknown document is passed over."""
        with self._changing.changing() as writer:
            if writer:
                writer.touch(document, fingerprint)

    def tidy(self) -> None:
        """Drop what nothing refers to any more, as far as nobody can be reading it."""
        with self._changing.changing() as writer:
            if writer:
                writer.commit()
                writer.clean()
                writer.prune()

    def lookup(self, lookup: Lookup) -> Candidates:
        """Ranked lists for one query, each filtered by audience inside.

        Statistics are of what the audience may read; only which passages the lists hold at their far end depends on
        Lucene's, which counts everything.
        """
        self._changing.settle()
        with mapped(self._place):
            store, found = self._asking(lookup)
            if not found.found and store.counts() == (0, 0) and not store.sources():
                raise IndexNotReady(NOTHING_YET)
        if store.name not in self._known:
            self._known = [*self._known, store.name][-REMEMBERED:]
        return found

    def passages(self, keys: Sequence[Key]) -> Mapping[Key, Passage]:
        """The passages of these candidates; one that is gone by now is absent."""
        read = self._read_together.taken(keys)
        missing = [key for key in keys if key not in read]
        return {key: passage_of(record) for key, record in [*read.items(), *self._standing(missing)]}

    def tokens(self, keys: Sequence[Key]) -> Mapping[Key, PassageTokens]:
        """Token vectors of these candidates; one that is gone by now is absent."""
        found = dict(self._standing(keys))
        self._read_together.keep(found)
        return {key: tokens_of(record) for key, record in found.items()}

    def _standing(self, keys: Sequence[Key]) -> Iterator[tuple[Key, Record]]:
        """The records of these candidates, whichever generation this process found them in."""
        self._changing.settle()
        for name in self._known:
            ids = {str(key).removeprefix(f"{name}/"): key for key in keys if str(key).startswith(f"{name}/")}
            if ids:
                store = Store(self._client, name, self._generations.wanted)
                with mapped(self._place), suppress(Gone):  # a generation that was dropped meanwhile
                    yield from ((ids[id_], record) for id_, record in store.standing(list(ids)).items())

    def sources(self) -> Mapping[str, str]:
        """The folder that each known source stands for."""
        return self._read(Store.sources, {})

    def vectors(self, keys: Sequence[bytes]) -> Mapping[bytes, Encoded]:
        """Vectors that the embedding model in use has made before, by `text_key`."""
        fresh = self._changing.fresh(keys)
        wanted = [key for key in keys if key not in fresh]
        with mapped(self._place):
            store = self._changing.current() if wanted else None
            if store is None or store.made.embedding != self._generations.wanted.embedding:
                return fresh
            return {**store.vectors(wanted), **fresh}

    def counts(self) -> tuple[int, int]:
        """How many documents and passages there are."""
        return self._read(Store.counts, (0, 0))

    def document(self, document: str, *, version: str | None = None) -> Document | None:
        """One document as it was parsed, the current version unless an older one is named."""
        return self._read(lambda store: store.document(document, version), None)

    def sections(self, document: str) -> list[Passage]:
        """The current passages of one document in reading order."""
        return self._read(lambda store: [passage_of(each) for each in store.sections(document)], [])
