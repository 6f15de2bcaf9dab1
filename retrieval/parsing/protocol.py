"""What a parser returns: plain text in blocks, or the reason why there is none."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from retrieval.passages import Block, Metadata

Reason = Literal[
    "encrypted",
    "no-text",
    "malformed",
    "unsupported",
    "unreadable",
    "too-large",
    "timed-out",
    "out-of-memory",
    "outside-source",
]


@dataclass(frozen=True, slots=True)
class Parsed:
    """A file's plain text and its blocks; every citation later quotes a slice of `text`."""

    text: str
    blocks: tuple[Block, ...]
    metadata: Metadata = field(default_factory=Metadata)


@dataclass(frozen=True, slots=True)
class Skipped:
    """Why a file gives nothing to index; `detail` is one line for a tired administrator."""

    reason: Reason
    detail: str


Parser = Callable[[str, bytes], Parsed | Skipped]
"""A parser is pure: file name and bytes in, `Parsed` or `Skipped` out. It raises nothing and opens nothing."""
