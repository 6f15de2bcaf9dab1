"""Joins the blocks that a parser found to one plain text with exact spans."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from retrieval.characters import clean, one_line
from retrieval.parsing.links import LinkedText, place, shift
from retrieval.parsing.protocol import LARGEST_TEXT, MOST_BLOCKS, Parsed, Skipped
from retrieval.passages import Block, BlockKind, Link, Metadata

NO_METADATA = Metadata()
TOO_MUCH_TEXT = Skipped(
    "too-large",
    f"it holds more than {LARGEST_TEXT / 1e6:.0f} million characters or {MOST_BLOCKS:,} paragraphs and rows",
)

_BETWEEN_CELLS = " | "
_JOINED_BY_LINE = {"item": ("item",), "row": ("row", "table-head")}
_BLANKS = re.compile(r" {2,}")
_TABS = re.compile(r" ?\t[ \t]*")


@dataclass(frozen=True, slots=True)
class ParsedBlock:
    """A block before its place in the document's text is known; its links count from the beginning of its text."""

    kind: BlockKind
    text: str
    level: int = 0
    anchor: str = ""
    page: int | None = None
    links: tuple[Link, ...] = ()


def assemble(found: Iterable[ParsedBlock], metadata: Metadata = NO_METADATA) -> Parsed | Skipped:
    """Join the blocks, items and rows a line apart, all others a blank line apart.

    `Skipped` when none has text, or, before the rest is read, when there are too many or too much.
    """
    parts: list[str] = []
    blocks: list[Block] = []
    links: list[Link] = []
    position = 0
    for parsed in found:
        text = _tidy(parsed)
        if not text:
            continue
        if blocks:
            gap = "\n" if blocks[-1].kind in _JOINED_BY_LINE.get(parsed.kind, ()) else "\n\n"
            parts.append(gap)
            position += len(gap)
        end = position + len(text)
        blocks.append(Block(parsed.kind, position, end, parsed.level, parsed.anchor, parsed.page))
        links += shift(place(parsed.links, parsed.text, text), position)
        parts.append(text)
        position = end
        if position > LARGEST_TEXT or len(blocks) > MOST_BLOCKS:
            return TOO_MUCH_TEXT
    if not blocks:
        return Skipped("no-text", "there is no text in it")
    return Parsed("".join(parts), tuple(blocks), metadata, tuple(links))


def _tidy(block: ParsedBlock) -> str:
    if block.kind in ("heading", "row", "table-head"):
        return one_line(block.text)
    text = clean(block.text)
    if block.kind == "code":
        return "\n".join(line.rstrip() for line in text.split("\n")).strip()
    lines = (_TABS.sub("\t", _BLANKS.sub(" ", line)).strip() for line in text.split("\n"))
    return "\n".join(line for line in lines if line)


def row_text(cells: Iterable[str]) -> str:
    """A table row as one line; a row without a word in it is empty."""
    return linked_row(LinkedText(cell) for cell in cells).text


def linked_row(cells: Iterable[LinkedText]) -> LinkedText:
    """A table row as one line with the links in its cells; a row without a word in it is empty."""
    texts: list[str] = []
    links: list[Link] = []
    position = 0
    for cell in cells:
        text = one_line(cell.text)
        links += shift(place(cell.links, cell.text, text), position)
        texts.append(text)
        position += len(text) + len(_BETWEEN_CELLS)
    return LinkedText(_BETWEEN_CELLS.join(texts), tuple(links)) if any(texts) else LinkedText("")
