"""Text to vectors with sentence-transformers. torch is imported when a vector is first asked for, not before.

One forward pass gives a passage's sentence vector and its token vectors; the latter, projected to a few
dimensions and rounded to int8, serve late interaction.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from retrieval.embedding.batches import batch_by_size, split_windows
from retrieval.embedding.model_files import (
    DEFAULT_MODEL,
    DEFAULT_PACKAGE,
    model_folder,
    verify_default_weights,
    weights_digest,
)
from retrieval.embedding.protocol import QueryToken, TextProgress, ignore_texts
from retrieval.embedding.vectors import Encoded, TokenVectors, Vector, merge_windows, normalise, quantise
from retrieval.errors import EmbeddingUnavailable

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from tokenizers import Tokenizer

TOKEN_DIMENSIONS = 64
TOKENS_PER_BATCH = 2048
# Two special tokens stand around every text.
SPECIAL_TOKENS = 2


class SentenceTransformerEmbedder:
    """Any sentence-transformers model, by the default's name, by a path, or by a name that its hub knows.

    `package` is the installed package that holds the default model's weights.
    """

    def __init__(self, model: str = DEFAULT_MODEL, *, package: str = DEFAULT_PACKAGE) -> None:
        self._model_name = model
        self._folder = model_folder(model, package=package)

    @cached_property
    def name(self) -> str:
        """The default's name, else name and a digest of the weights on disk."""
        if self._model_name == DEFAULT_MODEL:
            return f"{DEFAULT_MODEL}/{TOKEN_DIMENSIONS}"
        return f"{self._model_name}/{weights_digest(self._folder)[:12]}/{TOKEN_DIMENSIONS}"

    @cached_property
    def _transformer(self) -> "SentenceTransformer":
        if self._model_name == DEFAULT_MODEL:
            verify_default_weights(self._folder)
        return load_transformer(self._folder or self._model_name)

    @cached_property
    def _fast(self) -> "SentenceTransformer":
        """The same weights in bfloat16 where the processor computes in it: three times as fast, cosine .9999."""
        if not supports_bfloat16():
            return self._transformer
        return load_transformer(self._folder or self._model_name, half=True)

    @cached_property
    def _tokenizer(self) -> "Tokenizer":
        from tokenizers import Tokenizer

        path = self._folder / "tokenizer.json" if self._folder else None
        if path and path.is_file():
            tokenizer = Tokenizer.from_file(str(path))
        else:
            tokenizer = self._transformer.tokenizer.backend_tokenizer
        tokenizer.no_truncation()
        tokenizer.no_padding()
        return tokenizer

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return int(self._transformer.get_embedding_dimension() or 0)

    @cached_property
    def window(self) -> int:
        """How many word pieces of a text one vector can stand for."""
        if self._model_name == DEFAULT_MODEL:
            return 256 - SPECIAL_TOKENS
        return int(self._transformer.max_seq_length or 512) - SPECIAL_TOKENS

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Word pieces of each text, without special tokens and without limit."""
        return [len(encoding.ids) for encoding in self._tokenizer.encode_batch(list(texts), add_special_tokens=False)]

    def encode_passages(self, texts: Sequence[str], *, progress: TextProgress = ignore_texts) -> list[Encoded]:
        """One `Encoded` a text, in order; similar lengths share a batch, so that little padding is computed."""
        token_ids = [encoding.ids for encoding in self._tokenizer.encode_batch(list(texts), add_special_tokens=False)]
        windows = [(index, part) for index, ids in enumerate(token_ids) for part in split_windows(ids, self.window)]
        plan = list(batch_by_size(windows, size=lambda item: len(item[1]) + SPECIAL_TOKENS, budget=TOKENS_PER_BATCH))
        vectors: list[list[tuple[int, NDArray[np.float32], TokenVectors]]] = [[] for _ in texts]
        for batch, (rows, tokens) in zip(plan, self._encode_in_parallel(plan), strict=True):
            for (index, part), vector, own in zip(batch, rows, tokens, strict=True):
                vectors[index].append((len(part), vector, own))
            progress(len(batch))
        return [merge_windows(parts) for parts in vectors]

    def _encode_in_parallel(
        self, plan: Sequence[Sequence[tuple[int, Sequence[int]]]]
    ) -> Iterator[tuple[NDArray[np.float32], list[TokenVectors]]]:
        """Vectors and token vectors of each batch, in order; as many batches at once as there are processors."""
        if not plan:
            return
        transformer, special, projection = (
            self._fast,
            self._special,
            self._projection,
        )  # loaded before threads share them

        def encode(batch: Sequence[tuple[int, Sequence[int]]]) -> tuple[NDArray[np.float32], list[TokenVectors]]:
            vectors, tokens = forward(transformer, [part for _, part in batch], special)
            return vectors, [quantise(each @ projection) for each in tokens]

        with ThreadPoolExecutor(max_workers=available_processors()) as workers:
            yield from workers.map(encode, plan)

    @cached_property
    def _special(self) -> tuple[int, int]:
        first, *_, last = self._tokenizer.encode("a").ids
        return first, last

    @cached_property
    def _projection(self) -> NDArray[np.float32]:
        """Shape (d, t): the main directions of this model's token vectors, computed from its own vocabulary.

        It depends on the model alone, so what is indexed has no influence on it.
        """
        vectors = np.concatenate(forward(self._transformer, vocabulary_sample(self._tokenizer), self._special)[1])
        _, _, directions = np.linalg.svd(vectors - vectors.mean(axis=0), full_matrices=False)
        return np.ascontiguousarray(directions[:TOKEN_DIMENSIONS].T, dtype=np.float32)

    def encode_query(self, text: str) -> tuple[Vector, list[QueryToken]]:
        """The question's unit vector and its tokens with their spans, in full precision."""
        encoding = self._tokenizer.encode(text, add_special_tokens=False)
        ids = encoding.ids[: self.window]
        (vector,), (tokens,) = forward(self._transformer, [ids], self._special)
        projected = normalise(tokens @ self._projection)
        spans = encoding.offsets[: self.window]
        return vector, [QueryToken(start, end, row) for (start, end), row in zip(spans, projected, strict=True)]

    def token_spans(self, texts: Sequence[str]) -> list[list[tuple[int, int]]]:
        """For each text the places of its token vectors, in order."""
        return [encoding.offsets for encoding in self._tokenizer.encode_batch(list(texts), add_special_tokens=False)]


def load_transformer(model: Path | str, *, half: bool = False) -> "SentenceTransformer":
    """Load a model for the processor, with `half` in bfloat16; a path never touches the network.

    Raises `EmbeddingUnavailable` when it cannot be loaded.
    """
    import torch
    from sentence_transformers import SentenceTransformer
    from threadpoolctl import threadpool_limits
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()
    # One thread for each operation, and many batches side by side: operations that share threads wait for the slowest
    # one at every step, which on a busy machine made a question ten times and a sync four times as slow.
    torch.set_num_threads(1)
    threadpool_limits(1, user_api="blas")
    kwargs: dict[str, Any] = {"dtype": torch.bfloat16} if half else {}
    try:
        return SentenceTransformer(
            str(model), device="cpu", local_files_only=isinstance(model, Path), model_kwargs=kwargs
        ).eval()
    except (OSError, ValueError) as error:
        raise EmbeddingUnavailable(
            f"the embedding model {str(model)!r} cannot be loaded: give `embedding_model` a folder or a known name"
        ) from error


def available_processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def supports_bfloat16() -> bool:
    """Whether this processor multiplies bfloat16 natively; emulated it would be slower than float32."""
    import torch

    # Absent from older versions of torch; float32 is right everywhere, only slower.
    capabilities: Mapping[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))


def forward(
    transformer: "SentenceTransformer", parts: Sequence[Sequence[int]], special: tuple[int, int]
) -> tuple[NDArray[np.float32], list[NDArray[np.float32]]]:
    """Unit sentence vectors, shape (n, d), and each text's raw token vectors, special tokens left out."""
    import torch

    longest = max(len(part) for part in parts) + SPECIAL_TOKENS
    ids = np.zeros((len(parts), longest), np.int64)
    mask = np.zeros_like(ids)
    for row, part in enumerate(parts):
        ids[row, : len(part) + SPECIAL_TOKENS] = [special[0], *part, special[1]]
        mask[row, : len(part) + SPECIAL_TOKENS] = 1
    with torch.inference_mode():
        out = transformer({"input_ids": torch.from_numpy(ids), "attention_mask": torch.from_numpy(mask)})
    tokens = out["token_embeddings"].float().numpy()
    return (
        normalise(out["sentence_embedding"].float().numpy()),
        [tokens[row, 1 : len(part) + 1] for row, part in enumerate(parts)],
    )


def vocabulary_sample(tokenizer: "Tokenizer", *, rows: int = 64, length: int = 64) -> list[list[int]]:
    """Pseudo-texts of whole words, taken at even steps through the vocabulary."""
    vocabulary = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    whole = [index for word, index in vocabulary if word.isalpha() and len(word) > 3]
    step = max(1, len(whole) // (rows * length))
    chosen = whole[::step][: rows * length]
    return [chosen[row::rows] for row in range(min(rows, len(chosen)))]
