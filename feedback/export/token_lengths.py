"""Measures how long rows are for a model, with its tokenizer or by an estimate from their bytes."""

import math
from array import array
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from feedback.errors import ExportRefused
from feedback.ports import Message

TokenCounter = Callable[[Sequence[Message]], int]
"""Returns how many tokens messages have."""

LIMITS = (1024, 2048, 4096, 8192)
PERCENTILES = (50, 90, 95, 99)
# Byte-pair vocabularies take 3.5 to 4.5 bytes of English for a token; a length that is guessed too high costs memory,
# one that is guessed too low costs the answer, which stands at the end.
BYTES_PER_TOKEN = 3.5
# The tokens that a chat template puts around a message.
TEMPLATE_TOKENS = 8
STEP = 128


class RowLength(NamedTuple):
    """The tokens of a row: of its prompt, and of all of it."""

    prompt: int
    whole: int


def estimate_tokens(messages: Sequence[Message]) -> int:
    """Return about how many tokens these messages have; never too few for English."""
    return sum(
        math.ceil(len(content.encode("utf-8", "replace")) / BYTES_PER_TOKEN) + TEMPLATE_TOKENS
        for _, content in messages
    )


def load_token_counter(folder: Path) -> TokenCounter:
    """Return a counter that uses the tokenizer in this folder and its chat template.

    Raises `ExportRefused` for a folder without one.
    """
    from transformers import AutoTokenizer

    try:
        tokenizer: Any = AutoTokenizer.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError, KeyError, TypeError, ImportError) as error:
        raise ExportRefused(
            f"--tokenizer {str(folder)!r} holds no tokenizer that transformers can load: give a model's folder with "
            "its tokenizer.json and tokenizer_config.json"
        ) from error
    return lambda messages: len(tokenizer(_render(tokenizer, messages), add_special_tokens=False)["input_ids"])


def _render(tokenizer: Any, messages: Sequence[Message]) -> str:
    if not tokenizer.chat_template:
        return "\n".join(content for _, content in messages)
    turns = [{"role": role, "content": content} for role, content in messages]
    try:
        return str(tokenizer.apply_chat_template(turns, tokenize=False))
    except Exception:  # noqa: BLE001 - templates are programs of others; some refuse a system message
        return "\n".join(f"{role}\n{content}\n" for role, content in messages)


class TokenLengths:
    """The lengths of all rows of a format, kept as numbers alone."""

    def __init__(self) -> None:
        self._whole = array("I")
        self._prompts = array("I")

    def add(self, length: RowLength) -> None:
        """Count a row."""
        self._prompts.append(length.prompt)
        self._whole.append(length.whole)

    def summary(self) -> dict[str, Any]:
        """Return percentiles, how many rows pass usual limits, and the limit that cuts nothing off; 0 of no rows."""
        whole = sorted(self._whole)
        return {
            "percentiles": {f"p{percent}": _percentile(whole, percent) for percent in PERCENTILES},
            "longest": whole[-1] if whole else 0,
            "longest_prompt": max(self._prompts, default=0),
            "rows_over": {str(limit): sum(length > limit for length in whole) for limit in LIMITS},
            "prompts_of_at_least": {str(limit): sum(length >= limit for length in self._prompts) for limit in LIMITS},
            "recommended_max_length": -(-whole[-1] // STEP) * STEP if whole else STEP,
        }


def _percentile(lengths: Sequence[int], percent: int) -> int:
    """Return the smallest length that this share of the rows does not exceed."""
    return lengths[max(math.ceil(len(lengths) * percent / 100) - 1, 0)] if lengths else 0
