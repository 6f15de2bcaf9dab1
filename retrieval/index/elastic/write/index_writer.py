"""Elasticsearch's `IndexWriter`."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager

from retrieval.embedding.vectors import Encoded
from retrieval.index.elastic.client import map_errors
from retrieval.index.elastic.current_generation import CurrentGeneration
from retrieval.index.elastic.documents import DocumentChange, replacement, skip_change
from retrieval.index.elastic.write.coordinator import WriteCoordinator
from retrieval.index.protocols import Indexable, SkippedFile
from retrieval.passages import Document
from retrieval.ranking.analysis import Analyzer


class ElasticWriter:
    """Writes the generation behind the alias; `embedding` names the model in use, `place` the server in messages."""

    def __init__(
        self,
        coordinator: WriteCoordinator,
        current: CurrentGeneration,
        *,
        analyzer: Analyzer,
        embedding: str,
        place: str,
    ) -> None:
        self._coordinator, self._current = coordinator, current
        self._analyzer, self._embedding, self._place = analyzer, embedding, place

    def lock(self, on_wait: Callable[[], None] = lambda: None) -> AbstractContextManager[None]:
        """Hold the write lock, across hosts; it ends with its process, within the lease.

        Changes inside are shown together: at its end, when much has been collected, or when this thread reads.
        """
        return self._coordinator.lock(on_wait)

    def skips(self, source: str) -> Mapping[str, SkippedFile]:
        """The skipped files of one source."""
        return self._coordinator.read(lambda store: store.skips(source), default={})

    def vectors(self, keys: Sequence[bytes]) -> Mapping[bytes, Encoded]:
        """Vectors that the embedding model in use has made before, by `text_key`."""
        uncommitted = self._coordinator.uncommitted_vectors(keys)
        wanted = [key for key in keys if key not in uncommitted]
        with map_errors(self._place):
            store = self._current.store() if wanted else None
            if store is None or store.built.embedding != self._embedding:
                return uncommitted
            return {**store.vectors(wanted), **uncommitted}

    def register(self, source: str, root: str) -> None:
        """Store the folder of a source."""
        with self._coordinator.writer() as writer:
            writer.register(source, root)

    def replace(self, document: Document, passages: Sequence[Indexable], *, fingerprint: str) -> None:
        """Store a document with its passages in place of its old version, shown in one step."""
        with self._coordinator.writer() as writer:
            self._current.check(writer.store)
            writer.add(replacement(document, passages, analyzer=self._analyzer, fingerprint=fingerprint))
            self._coordinator.remember(passages, writer)

    def touch(self, document: str, *, fingerprint: str) -> None:
        """Store a new fingerprint of unchanged content; an unknown document is passed over."""
        with self._coordinator.existing_writer() as writer:
            if writer:
                writer.touch(document, fingerprint)

    def skip(self, skipped: SkippedFile) -> None:
        """Store a skipped file in place of its document."""
        with self._coordinator.writer() as writer:
            writer.add(skip_change(skipped))

    def delete(self, documents: Iterable[str]) -> None:
        """Delete these documents or skipped files; unknown ids are passed over."""
        with self._coordinator.existing_writer() as writer:
            if writer:
                for document in documents:
                    writer.add(DocumentChange(document))

    def forget(self, source: str) -> None:
        """Delete a source with everything that came from it."""
        with self._coordinator.existing_writer() as writer:
            if writer:
                writer.forget(source)

    def prune(self) -> None:
        """Delete what nothing refers to any more, as far as no query can be reading it."""
        with self._coordinator.existing_writer() as writer:
            if writer:
                writer.commit()
                writer.cleaner.clean()
                writer.cleaner.prune()
