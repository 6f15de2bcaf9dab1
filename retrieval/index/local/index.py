"""`LocalIndex`, the embedded index: one state folder, searched in memory."""

from pathlib import Path

from retrieval.embedding.protocol import Embedder
from retrieval.index.generations import IndexFingerprint
from retrieval.index.local.generations import GenerationFiles
from retrieval.index.local.index_admin import LocalAdmin
from retrieval.index.local.index_reader import LocalReader
from retrieval.index.local.index_writer import LocalWriter
from retrieval.index.local.open_generations import OpenGenerations
from retrieval.index.local.schema import SCHEMA_VERSION
from retrieval.ranking.analysis import Analyzer


def open_index(home: Path, embedder: Embedder, analyzer: Analyzer) -> "LocalIndex":
    """Open the index in a state folder, made when there is none; the embedding model is not loaded for it.

    Raises `SearchUnavailable` when the folder or its current file cannot be used.
    """
    wanted = IndexFingerprint(SCHEMA_VERSION, embedder.name, analyzer.name)
    return LocalIndex(GenerationFiles(home, wanted), analyzer)


class LocalIndex:
    """The embedded `SearchIndex`; another process's writes, and a new generation, are seen by the next call."""

    def __init__(self, files: GenerationFiles, analyzer: Analyzer) -> None:
        files.mend()
        self._generations = OpenGenerations(files)
        self._generations.current()
        self.reader = LocalReader(self._generations)
        self.writer = LocalWriter(files, self._generations, analyzer)
        self.admin = LocalAdmin(files, self._generations, analyzer)

    def close(self) -> None:
        """Close all files; the next use opens them again."""
        self._generations.close()
