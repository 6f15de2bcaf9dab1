"""The embedded index's `IndexWriter`."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager

from retrieval.embedding.vectors import Encoded
from retrieval.index.local.generations import GenerationFiles
from retrieval.index.local.open_generations import OpenGenerations
from retrieval.index.protocols import Indexable, SkippedFile
from retrieval.passages import Document
from retrieval.ranking.analysis import Analyzer
from retrieval.ranking.bm25 import passage_terms


class LocalWriter:
    """Writes straight to the current generation's file; every change is one transaction."""

    def __init__(self, files: GenerationFiles, generations: OpenGenerations, analyzer: Analyzer) -> None:
        self._files, self._generations, self._analyzer = files, generations, analyzer

    def lock(self, on_wait: Callable[[], None] = lambda: None) -> AbstractContextManager[None]:
        """Hold the write lock of the state folder; it ends with the process that held it."""
        return self._files.write_lock(on_wait)

    def skips(self, source: str) -> Mapping[str, SkippedFile]:
        """The skipped files of one source."""
        return self._generations.current().reader.skips(source)

    def vectors(self, keys: Sequence[bytes]) -> Mapping[bytes, Encoded]:
        """Vectors that the embedding model in use has made before, by `text_key`."""
        opened = self._generations.current()
        same_model = opened.database.built.embedding == self._files.wanted.embedding
        return opened.reader.vectors(keys) if same_model else {}

    def register(self, source: str, root: str) -> None:
        """Store the folder of a source."""
        self._generations.current().writer.register(source, root)

    def replace(self, document: Document, passages: Sequence[Indexable], *, fingerprint: str) -> None:
        """Store a document with its passages in place of its old version, in one transaction."""
        writer = self._generations.ready().writer
        terms = [passage_terms(self._analyzer, indexable.passage) for indexable in passages]
        writer.replace(document, passages, terms=terms, fingerprint=fingerprint)

    def touch(self, document: str, *, fingerprint: str) -> None:
        """Store a new fingerprint of unchanged content."""
        self._generations.current().writer.touch(document, fingerprint)

    def skip(self, skipped: SkippedFile) -> None:
        """Store a skipped file in place of its document."""
        self._generations.current().writer.skip(skipped)

    def delete(self, documents: Iterable[str]) -> None:
        """Delete these documents or skipped files; unknown ids are passed over."""
        self._generations.current().writer.delete(documents)

    def forget(self, source: str) -> None:
        """Delete a source with everything that came from it."""
        self._generations.current().writer.forget(source)

    def prune(self) -> None:
        """Delete vectors that no passage uses."""
        self._generations.current().writer.prune()
