"""Documents to passages with vectors: cuts each document and embeds the texts that the index does not know."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from retrieval.embedding.protocol import Embedder
from retrieval.embedding.vectors import Encoded, quantise, text_key
from retrieval.index.protocols import Indexable, IndexWriter
from retrieval.passages import Document, Passage
from retrieval.progress import Progress, ignore_progress
from retrieval.sectioning.blocks import text_blocks
from retrieval.sectioning.sections import split_document

# Passages embedded together: enough for full batches, few enough to lose little when the process is killed.
BATCH_SIZE = 512


def embed_documents(
    documents: Iterable[Document | None],
    index: IndexWriter,
    embedder: Embedder,
    *,
    batch_size: int = BATCH_SIZE,
    progress: Progress = ignore_progress,
) -> Iterator[tuple[Document, list[Indexable]]]:
    """Cut and embed each document, in order; documents are read and embedded in batches of `batch_size` passages.

    A document of more passages is not parted. One without passages is given out with an empty list. None among the
    documents ends a batch.
    """
    for batch in _batches(documents, embedder, batch_size):
        passages = [passage for _, passages in batch for passage in passages]
        vectors = embed_passages(passages, index, embedder, progress=progress)
        for document, passages in batch:
            yield document, with_vectors(passages, vectors)


def _batches(
    documents: Iterable[Document | None], embedder: Embedder, batch_size: int
) -> Iterator[list[tuple[Document, list[Passage]]]]:
    batch: list[tuple[Document, list[Passage]]] = []
    for document in documents:
        if document is not None:
            batch.append((document, split_document(document, count=embedder.count_tokens, window=embedder.window)))
        if batch and (document is None or sum(len(passages) for _, passages in batch) >= batch_size):
            yield batch
            batch = []
    if batch:
        yield batch


def embed_passages(
    passages: Sequence[Passage], index: IndexWriter, embedder: Embedder, *, progress: Progress = ignore_progress
) -> Mapping[bytes, Encoded]:
    """Vectors of these passages' texts and headings by `text_key`; those that the index knows are not made again."""
    return encode_unknown(passages, index.vectors(list(_texts_by_key(passages))), embedder, progress=progress)


def encode_unknown(
    passages: Sequence[Passage],
    known: Mapping[bytes, Encoded],
    embedder: Embedder,
    *,
    progress: Progress = ignore_progress,
) -> Mapping[bytes, Encoded]:
    """Vectors of these passages' texts, with their blocks', and headings by `text_key`; `known` ones are reused.

    Blocks are embedded together with the texts; a text that is one block is embedded once. A known text with another
    number of block vectors than it has blocks, as one of before they were kept, has its blocks embedded anew.
    """
    blocks = {text_key(each.embedded_text): _block_texts(each.embedded_text) for each in passages}
    lacking = {key: texts for key, texts in blocks.items() if key not in known or len(known[key].blocks) != len(texts)}
    wanted = _texts_by_key(passages) | {text_key(text): text for texts in lacking.values() for text in texts}
    vectors = dict(known)
    missing = {key: text for key, text in wanted.items() if key not in vectors}
    if missing:
        done = 0

        def report(count: int) -> None:
            nonlocal done
            done += count
            progress("embedding", done, len(missing))

        vectors.update(zip(missing, embedder.encode_passages(list(missing.values()), progress=report), strict=True))
    made = {key: [vectors[text_key(text)].vector for text in texts] for key, texts in lacking.items() if texts}
    return vectors | {key: replace(vectors[key], blocks=quantise(np.stack(own))) for key, own in made.items()}


def _texts_by_key(passages: Sequence[Passage]) -> dict[bytes, str]:
    return {text_key(text): text for each in passages for text in (each.embedded_text, each.embedded_heading)}


def _block_texts(text: str) -> list[str]:
    """Return the text of each block; the whole text where it is one block."""
    blocks = text_blocks(text)
    return [text[block.start : block.end] for block in blocks] if len(blocks) > 1 else [text] * len(blocks)


def with_vectors(passages: Sequence[Passage], vectors: Mapping[bytes, Encoded]) -> list[Indexable]:
    """Each passage with the vectors of its text and of its heading."""
    return [
        Indexable(each, vectors[text_key(each.embedded_text)], vectors[text_key(each.embedded_heading)])
        for each in passages
    ]
