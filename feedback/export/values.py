"""What an export is asked for, and what is told of one that was made."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

Format = Literal["trl-sft", "trl-dpo", "trl-kto", "openai-chat", "openai-preference", "sentence-transformers", "beir"]
FORMATS: tuple[Format, ...] = get_args(Format)
Kind = Literal["examples", "pairs", "retrievals"]
KINDS: Mapping[Format, Kind] = {
    "trl-sft": "examples",
    "trl-dpo": "pairs",
    "trl-kto": "examples",
    "openai-chat": "examples",
    "openai-preference": "pairs",
    "sentence-transformers": "retrievals",
    "beir": "retrievals",
}

# Of the manifest, and with it of all that stands beside the rows: MAJOR.MINOR.
SCHEMA = "1.0"
MANIFEST = "manifest.json"
LINEAGE = "lineage.jsonl"
REJECTED = "rejected.jsonl"
CARD = "README.md"
RECIPES = "recipes"

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """What is to be written. `settings` are those that the rows were chosen by, for the manifest alone.

    `tool` names the version that writes. `tokenizer` is the folder of the one that lengths are counted with; without
    it they are estimates. `recognisers` are the kinds of personal data that were looked for.
    """

    formats: tuple[Format, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    tool: str = ""
    language: str = ""
    tokenizer: Path | None = None
    recognisers: tuple[str, ...] = ()
    seed: str = "footnote"


@dataclass(frozen=True, slots=True)
class ExportResult:
    """An export that was written: its id in the registry, its folder, and what its manifest says."""

    id: str
    place: Path
    manifest: Mapping[str, Any]
