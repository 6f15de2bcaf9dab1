"""Text to vectors with sentence-transformers. torch is imported when a vector is first asked for, not before.

One forward pass gives a passage's sentence vector and its token vectors; the latter, projected to a few
dimensions and rounded to int8, serve late interaction. A model's prompts stand before the text in that pass, and
are no part of the text: they have no token vectors and move no span.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from retrieval.embedding.batches import batch_by_size, split_windows
from retrieval.embedding.loading import available_processors, load_transformer, supports_bfloat16
from retrieval.embedding.model_files import (
    DEFAULT_MODEL,
    DEFAULT_PACKAGE,
    model_folder,
    verify_default_weights,
    weights_digest,
)
from retrieval.embedding.prompts import Prompts, choose_prompts, configuration_digest, digest, load_prompts
from retrieval.embedding.protocol import QueryToken, TextProgress, ignore_texts
from retrieval.embedding.tokenization import (
    SpecialTokens,
    TokenizedText,
    load_tokenizer,
    prompt_length,
    special_tokens,
    tokenize,
)
from retrieval.embedding.vectors import Encoded, TokenVectors, Vector, merge_windows, normalise, quantise

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from tokenizers import Tokenizer

TOKEN_DIMENSIONS = 64
TOKENS_PER_BATCH = 2048
# A longer passage would be more than one looks up and cites, whatever the model can read at once.
LONGEST_INPUT = 512

Task = Literal["query", "document"]


@dataclass(frozen=True, slots=True)
class Window:
    """A text, or a part of one, by its ids, with those of the prompt before it."""

    prompt: Sequence[int]
    ids: Sequence[int]

    def __len__(self) -> int:
        return len(self.prompt) + len(self.ids)


class SentenceTransformerEmbedder:
    """Any sentence-transformers model, by the default's name, by a path, or by a name that its hub knows.

    `package` is the installed package that holds the default model's weights.
    """

    def __init__(self, model: str = DEFAULT_MODEL, *, package: str = DEFAULT_PACKAGE) -> None:
        self._model_name = model
        self._folder = model_folder(model, package=package)

    @cached_property
    def name(self) -> str:
        """The default's name, else name, a digest of the weights on disk, and one of prompts and pooling if any."""
        if self._model_name == DEFAULT_MODEL:
            return f"{DEFAULT_MODEL}/{TOKEN_DIMENSIONS}"
        name = f"{self._model_name}/{weights_digest(self._folder)[:12]}/{TOKEN_DIMENSIONS}"
        if self._folder:
            configuration = configuration_digest(self._folder)
        else:
            told = [module.get_config_dict() for module in list(self._transformer)[1:]]
            configuration = digest(self._prompts, told)
        return f"{name}/{configuration[:8]}" if configuration else name

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
    def _prompts(self) -> Prompts:
        if self._folder:
            return load_prompts(self._folder)
        return choose_prompts(self._transformer.prompts, self._transformer.default_prompt_name)

    @cached_property
    def _tokenizer(self) -> "Tokenizer":
        return load_tokenizer(self._folder, otherwise=lambda: self._transformer.tokenizer.backend_tokenizer)

    @cached_property
    def _special(self) -> SpecialTokens:
        return special_tokens(self._tokenizer)

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return int(self._transformer.get_embedding_dimension() or 0)

    @cached_property
    def window(self) -> int:
        """How many word pieces of a text one vector can stand for."""
        (nothing,) = tokenize(self._tokenizer, [""], prompt=self._prompts.document)
        return self._room(nothing)

    def _room(self, text: TokenizedText) -> int:
        """How many word pieces fit beside the special tokens and the text's prompt."""
        longest = 256 if self._model_name == DEFAULT_MODEL else int(self._transformer.max_seq_length or LONGEST_INPUT)
        return max(1, min(longest, LONGEST_INPUT) - self._special.count - len(text.prompt))

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Word pieces of each text, without special tokens and without limit."""
        return [len(encoding.ids) for encoding in self._tokenizer.encode_batch(list(texts), add_special_tokens=False)]

    def encode_passages(self, texts: Sequence[str], *, progress: TextProgress = ignore_texts) -> list[Encoded]:
        """One `Encoded` a text, in order; similar lengths share a batch, so that little padding is computed."""
        windows = [
            (index, Window(text.prompt, part))
            for index, text in enumerate(tokenize(self._tokenizer, texts, prompt=self._prompts.document))
            for part in split_windows(text.ids, self._room(text))
        ]
        around = self._special.count
        plan = list(batch_by_size(windows, size=lambda item: len(item[1]) + around, budget=TOKENS_PER_BATCH))
        vectors: list[list[tuple[int, NDArray[np.float32], TokenVectors]]] = [[] for _ in texts]
        for batch, (rows, tokens) in zip(plan, self._encode_in_parallel(plan), strict=True):
            for (index, window), vector, own in zip(batch, rows, tokens, strict=True):
                vectors[index].append((len(window.ids), vector, own))
            progress(len(batch))
        return [merge_windows(parts) for parts in vectors]

    def _encode_in_parallel(
        self, plan: Sequence[Sequence[tuple[int, Window]]]
    ) -> Iterator[tuple[NDArray[np.float32], list[TokenVectors]]]:
        """Vectors and token vectors of each batch, in order; as many batches at once as there are processors."""
        if not plan:
            return
        # Loaded before threads share them.
        transformer, special, projection = self._fast, self._special, self._projection
        prompt = prompt_length(self._tokenizer, self._prompts.document)

        def encode(batch: Sequence[tuple[int, Window]]) -> tuple[NDArray[np.float32], list[TokenVectors]]:
            vectors, tokens = forward(
                transformer, [window for _, window in batch], special, prompt_length=prompt, task="document"
            )
            return vectors, [quantise(each @ projection) for each in tokens]

        with ThreadPoolExecutor(max_workers=available_processors()) as workers:
            yield from workers.map(encode, plan)

    @cached_property
    def _projection(self) -> NDArray[np.float32]:
        """Shape (d, t): the main directions of this model's token vectors, computed from its own vocabulary.

        It depends on the model alone, so what is indexed has no influence on it.
        """
        sample = [Window((), ids) for ids in vocabulary_sample(self._tokenizer)]
        vectors = np.concatenate(forward(self._transformer, sample, self._special, task="document")[1])
        _, _, directions = np.linalg.svd(vectors - vectors.mean(axis=0), full_matrices=False)
        return np.ascontiguousarray(directions[:TOKEN_DIMENSIONS].T, dtype=np.float32)

    def encode_query(self, text: str) -> tuple[Vector, list[QueryToken]]:
        """The question's unit vector and its tokens with their spans, in full precision."""
        prompt = self._prompts.query
        (read,) = tokenize(self._tokenizer, [text], prompt=prompt)
        room = self._room(read)
        (vector,), (tokens,) = forward(
            self._transformer,
            [Window(read.prompt, read.ids[:room])],
            self._special,
            prompt_length=prompt_length(self._tokenizer, prompt),
            task="query",
        )
        projected = normalise(tokens @ self._projection)
        return vector, [QueryToken(*span, row) for span, row in zip(read.spans[:room], projected, strict=True)]

    def token_spans(self, texts: Sequence[str]) -> list[list[tuple[int, int]]]:
        """For each text the places of its token vectors, in order."""
        return [text.spans for text in tokenize(self._tokenizer, texts, prompt=self._prompts.document)]


def forward(
    transformer: "SentenceTransformer",
    windows: Sequence[Window],
    special: SpecialTokens,
    *,
    task: Task,
    prompt_length: int = 0,
) -> tuple[NDArray[np.float32], list[NDArray[np.float32]]]:
    """Unit sentence vectors, shape (n, d), and the raw token vectors of each text's own word pieces.

    `prompt_length` is how many of the first tokens a model leaves out that pools without its prompt.
    """
    import torch

    rows = [[*special.first, *window.prompt, *window.ids, *special.last] for window in windows]
    padding = getattr(transformer.tokenizer, "pad_token_id", None) or 0
    ids = np.full((len(rows), max(1, *map(len, rows))), padding, np.int64)
    mask = np.zeros_like(ids)
    mask[:, 0] = 1  # nothing at all to read would be no number
    for place, row in enumerate(rows):
        ids[place, : len(row)] = row
        mask[place, : len(row)] = 1
    features: dict[str, Any] = {"input_ids": torch.from_numpy(ids), "attention_mask": torch.from_numpy(mask)}
    if prompt_length:
        features["prompt_length"] = prompt_length
    with torch.inference_mode():
        out = transformer(features, task=task)
    tokens = out["token_embeddings"].float().numpy()
    starts = [len(special.first) + len(window.prompt) for window in windows]
    return (
        normalise(out["sentence_embedding"].float().numpy()),
        [
            tokens[row, start : start + len(window.ids)]
            for row, (start, window) in enumerate(zip(starts, windows, strict=True))
        ],
    )


def vocabulary_sample(tokenizer: "Tokenizer", *, rows: int = 64, length: int = 64) -> list[list[int]]:
    """Pseudo-texts of whole words, taken at even steps through the vocabulary."""
    vocabulary = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    whole = [index for word, index in vocabulary if word.isalpha() and len(word) > 3]
    step = max(1, len(whole) // (rows * length))
    chosen = whole[::step][: rows * length]
    return [chosen[row::rows] for row in range(min(rows, len(chosen)))]
