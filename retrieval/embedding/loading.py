"""Loads models of sentence-transformers for the processor. torch is imported by these functions, not before."""

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retrieval.errors import EmbeddingUnavailable

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder, SentenceTransformer

# What ends the name of an architecture that scores texts.
SCORERS = ("ForSequenceClassification", "ForCausalLM")


def load_transformer(model: Path | str, *, half: bool = False) -> "SentenceTransformer":
    """Load an embedding model, with `half` in bfloat16; a path never touches the network.

    Raises `EmbeddingUnavailable` when it cannot be loaded.
    """
    import torch
    from sentence_transformers import SentenceTransformer

    prepare_torch()
    kwargs: dict[str, Any] = {"dtype": torch.bfloat16} if half else {}
    try:
        return SentenceTransformer(
            str(model), device="cpu", local_files_only=isinstance(model, Path), model_kwargs=kwargs
        ).eval()
    except (OSError, ValueError) as error:
        raise EmbeddingUnavailable(
            f"the embedding model {str(model)!r} cannot be loaded: give `embedding_model` a folder or a known name"
        ) from error


def load_cross_encoder(model: Path | str) -> "CrossEncoder":
    """Load a cross-encoder that gives one score, in bfloat16 where the processor computes in it.

    A path never touches the network.
    Raises `EmbeddingUnavailable` when it cannot be loaded, or is another kind of model: that would be given a layer
    drawn by chance, and score accordingly.
    """
    import torch
    from sentence_transformers import CrossEncoder

    prepare_torch()
    kwargs: dict[str, Any] = {"dtype": torch.bfloat16} if supports_bfloat16() else {}
    wanted = "give `reranker` the folder or the known name of a cross-encoder, or `none`"
    try:
        loaded = CrossEncoder(str(model), device="cpu", local_files_only=isinstance(model, Path), model_kwargs=kwargs)
        kinds = loaded.config.architectures or [""]
    except (OSError, ValueError, AttributeError, KeyError) as error:
        raise EmbeddingUnavailable(f"the reranker {str(model)!r} cannot be loaded: {wanted}") from error
    if not kinds[0].endswith(SCORERS) or loaded.num_labels != 1:
        raise EmbeddingUnavailable(f"{str(model)!r} does not score how well a text answers a question: {wanted}")
    return loaded


def prepare_torch() -> None:
    """Let every operation run on one thread, no progress bar be drawn, and no failed attempt to reach a hub be logged.

    Batches run side by side instead: operations that share threads wait for the slowest one at every step, which on a
    busy machine made a question ten times and a sync four times as slow.
    """
    import torch
    from threadpoolctl import threadpool_limits
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
    torch.set_num_threads(1)
    threadpool_limits(1, user_api="blas")


def available_processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def supports_bfloat16() -> bool:
    """Whether this processor multiplies bfloat16 natively; emulated it would be slower than float32."""
    import torch

    # Absent from older versions of torch; float32 is right everywhere, only slower.
    capabilities: Mapping[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))
