"""The formats of an export, and the kind of curated row that each is made of."""

from collections.abc import Mapping
from typing import Literal, get_args

Format = Literal["trl-sft", "trl-dpo", "trl-kto", "openai-chat", "openai-preference", "sentence-transformers", "beir"]
FORMATS: tuple[Format, ...] = get_args(Format)

RowKind = Literal["examples", "pairs", "retrievals"]
ROW_KINDS: Mapping[Format, RowKind] = {
    "trl-sft": "examples",
    "trl-dpo": "pairs",
    "trl-kto": "examples",
    "openai-chat": "examples",
    "openai-preference": "pairs",
    "sentence-transformers": "retrievals",
    "beir": "retrievals",
}
