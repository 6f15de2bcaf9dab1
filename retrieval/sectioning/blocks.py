"""Pieces of a document, as a parser meets them, put together to one plain text with exact spans."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from retrieval.parsing.cleaning import clean, one_line
from retrieval.parsing.protocol import Parsed, Skipped
from retrieval.passages import Block, BlockKind, Metadata

NO_METADATA = Metadata()

_TIGHT = {"item": ("item",), "row": ("row", "table-head")}
_BLANKS = re.compile(r" {2,}")
_TABS = re.compile(r" ?\t[ \t]*")


@dataclass(frozen=True, slots=True)
class ParsedBlock:
    """A block that does not know its place in the text yet."""

    kind: BlockKind
    text: str
    level: int = 0
    anchor: str = ""
    page: int | None = None


def assemble(pieces: Iterable[ParsedBlock], metadata: Metadata = NO_METADATA) -> Parsed | Skipped:
    """One text of all pieces: items and rows a line apart, everything else a blank line apart."""
    parts: list[str] = []
    blocks: list[Block] = []
    position = 0
    for piece in pieces:
        text = _tidy(piece)
        if not text:
            continue
        if blocks:
            gap = "\n" if blocks[-1].kind in _TIGHT.get(piece.kind, ()) else "\n\n"
            parts.append(gap)
            position += len(gap)
        end = position + len(text)
        blocks.append(Block(piece.kind, position, end, piece.level, piece.anchor, piece.page))
        parts.append(text)
        position = end
    if not blocks:
        return Skipped("no-text", "there is no text in it")
    return Parsed("".join(parts), tuple(blocks), metadata)


def _tidy(piece: ParsedBlock) -> str:
    if piece.kind in ("heading", "row", "table-head"):
        return one_line(piece.text)
    text = clean(piece.text)
    if piece.kind == "code":
        return "\n".join(line.rstrip() for line in text.split("\n")).strip()
    lines = (_TABS.sub("\t", _BLANKS.sub(" ", line)).strip() for line in text.split("\n"))
    return "\n".join(line for line in lines if line)


def row_text(cells: Iterable[str]) -> str:
    """A table row as one line; a row without a word in it is empty."""
    texts = [one_line(cell) for cell in cells]
    return " | ".join(texts) if any(texts) else ""
