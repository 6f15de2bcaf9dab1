"""Makes the index anew from the documents that it holds, and goes back to the generation before."""

from collections.abc import Iterable, Iterator

from retrieval.embedding.protocol import Embedder
from retrieval.errors import IndexNotReady
from retrieval.index.generations import NOTHING_YET
from retrieval.index.protocols import Generation, Indexable, SearchIndex
from retrieval.passage_vectors import BATCH_SIZE, embed_documents
from retrieval.passages import Document
from retrieval.progress import Progress, ignore_progress


def rebuild(index: SearchIndex, embedder: Embedder, *, progress: Progress = ignore_progress) -> Generation:
    """Make the index anew and return its new generation; searches go on meanwhile, a sync is waited for.

    Raises `IndexNotReady` while nothing was ever indexed.
    """
    with index.writer.lock(lambda: progress("waiting for a sync", 0, 0)):
        index.admin.rebuild(lambda documents: reembed(documents, index, embedder, progress=progress))
        return current_generation(index)


def rollback(index: SearchIndex, embedder: Embedder) -> Generation:
    """Go back to the generation that is kept; what was restricted or deleted since stays so.

    Raises `IndexNotReady` when there is none that can be used.
    """
    with index.writer.lock():
        index.admin.rollback(lambda documents: reembed(documents, index, embedder))
        return current_generation(index)


def current_generation(index: SearchIndex) -> Generation:
    """The generation that searches read; raises `IndexNotReady` while nothing was ever indexed."""
    found = next((each for each in index.admin.generations() if each.current), None)
    if found is None:
        raise IndexNotReady(NOTHING_YET)
    return found


def reembed(
    documents: Iterable[Document],
    index: SearchIndex,
    embedder: Embedder,
    *,
    batch_size: int = BATCH_SIZE,
    progress: Progress = ignore_progress,
) -> Iterator[tuple[Document, list[Indexable]]]:
    """Cut and embed the documents of the index again, and report how many of them are done."""
    total = index.reader.counts()[0]
    embedded = embed_documents(documents, index.writer, embedder, batch_size=batch_size, progress=progress)
    for done, each in enumerate(embedded, start=1):
        yield each
        progress("rebuilding the index", done, total)
