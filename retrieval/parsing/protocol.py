"""What a parser takes and returns: bytes in, plain text in blocks out, or the reason why there is none."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from retrieval.passages import Block, Link, Metadata

# Longer than any book: what is above this is no document that people read. In characters and blocks.
LARGEST_TEXT = 16_000_000
MOST_BLOCKS = 200_000

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

# The end of a detail, which tells a file that nobody may read from one that holds nothing to read.
SHOWN_TO_NOBODY = "so it is shown to nobody"


@dataclass(frozen=True, slots=True)
class Skipped:
    """Why a file, or a part of it, gives nothing to index; `detail` is one line for an administrator."""

    reason: Reason
    detail: str

    @property
    def restricted(self) -> bool:
        """Whether the document is there, but its audience leaves nobody who may read it."""
        return self.detail.endswith(SHOWN_TO_NOBODY)


@dataclass(frozen=True, slots=True)
class Parsed:
    """A file's plain text and its blocks; every citation later quotes a slice of `text`.

    `links` may be relative to the document's own address; `notes` say what of the file could not be read.
    """

    text: str
    blocks: tuple[Block, ...]
    metadata: Metadata = field(default_factory=Metadata)
    links: tuple[Link, ...] = ()
    notes: tuple[Skipped, ...] = ()


Parser = Callable[[str, bytes], Parsed | Skipped]
"""Takes a file's name and content. A parser is pure: it opens nothing; what it raises, the registry makes a reason."""
