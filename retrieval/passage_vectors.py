"""Documents to passages with vectors: cuts each document and embeds the texts that the index does not know."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from retrieval.embedding.protocol import Embedder
from retrieval.embedding.vectors import Encoded, text_key
from retrieval.index.protocols import Indexable, IndexWriter
from retrieval.passages import Document, Passage
from retrieval.progress import Progress, ignore_progress
from retrieval.sectioning.sections import split_document

# Passages embedded together: enough for full batches, few enough to lose little when the process is killed.
BATCH_SIZE = 512


def embed_documents(
    documents: Iterable[Document],
    index: IndexWriter,
    embedder: Embedder,
    *,
    batch_size: int = BATCH_SIZE,
    progress: Progress = ignore_progress,
) -> Iterator[tuple[Document, list[Indexable]]]:
    """Cut and embed each document, in order; documents are read and embedded in batches of `batch_size` passages.

    A document of more passages is not parted. One without passages is given out with an empty list.
    """
    for batch in _batches(documents, embedder, batch_size):
        passages = [passage for _, passages in batch for passage in passages]
        texts = (text for each in passages for text in (each.embedded_text, each.embedded_heading))
        vectors = embed_texts(texts, index, embedder, progress=progress)
        for document, passages in batch:
            yield document, with_vectors(passages, vectors)


def _batches(
    documents: Iterable[Document], embedder: Embedder, batch_size: int
) -> Iterator[list[tuple[Document, list[Passage]]]]:
    batch: list[tuple[Document, list[Passage]]] = []
    for document in documents:
        batch.append((document, split_document(document, count=embedder.count_tokens, window=embedder.window)))
        if sum(len(passages) for _, passages in batch) >= batch_size:
            yield batch
            batch = []
    if batch:
        yield batch


def embed_texts(
    texts: Iterable[str], index: IndexWriter, embedder: Embedder, *, progress: Progress = ignore_progress
) -> Mapping[bytes, Encoded]:
    """Vectors of these texts by `text_key`; only those that the index does not know are computed."""
    wanted = {text_key(text): text for text in texts}
    vectors = dict(index.vectors(list(wanted)))
    missing = {key: text for key, text in wanted.items() if key not in vectors}
    if missing:
        done = 0

        def report(count: int) -> None:
            nonlocal done
            done += count
            progress("embedding", done, len(missing))

        vectors.update(zip(missing, embedder.encode_passages(list(missing.values()), progress=report), strict=True))
    return vectors


def with_vectors(passages: Sequence[Passage], vectors: Mapping[bytes, Encoded]) -> list[Indexable]:
    """Each passage with the vectors of its text and of its heading."""
    return [
        Indexable(each, vectors[text_key(each.embedded_text)], vectors[text_key(each.embedded_heading)])
        for each in passages
    ]
