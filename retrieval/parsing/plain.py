"""Plain text: paragraphs at blank lines, and only those headings that cannot be anything else."""

import re
from collections.abc import Iterator

from retrieval.characters import clean
from retrieval.parsing import front_matter
from retrieval.parsing.blocks import ParsedBlock, assemble
from retrieval.parsing.decoding import decode
from retrieval.parsing.protocol import Parsed, Skipped
from retrieval.passages import Metadata

MOST_LINES = 1_000_000
NOT_TEXT = Skipped("malformed", "it holds binary data, not text")
TOO_MANY_LINES = Skipped("too-large", f"it has more than {MOST_LINES:,} lines")

_PARAGRAPH_END = re.compile(r"\n[ \t]*(?:\n[ \t]*)+")
_UNDERLINE = re.compile(r"(={3,}|-{3,})\s*")
_BULLET = re.compile(r"\s*[-*\u2022\u2013]\s+\S")
_NUMBERED = re.compile(
    r"(?:(?:Section|Chapter|Part|Article|Annex|Appendix)\s+)?(\d+(?:\.\d+)*)\.?(?:[ \t:\u2013-]+\S.*)?"
)
_LONGEST_HEADING = 80


def parse(name: str, data: bytes) -> Parsed | Skipped:
    """The text in paragraphs, items and headings; hard line ends inside a paragraph stay."""
    parts = decode_with_metadata(data)
    if isinstance(parts, Skipped):
        return parts
    metadata, body = parts
    return assemble(paragraphs(body), metadata)


def decode_with_metadata(data: bytes) -> tuple[Metadata, str] | Skipped:
    """The metadata in a text file's front matter and the clean text below it; `Skipped` for binary data.

    Also for more than `MOST_LINES` lines, each of which costs a parser a hundred times its own size when it is empty.
    """
    text = decode(data)
    if text is None:
        return NOT_TEXT
    text = clean(text)
    return TOO_MANY_LINES if text.count("\n") >= MOST_LINES else front_matter.split(text)


def paragraphs(text: str) -> Iterator[ParsedBlock]:
    """Headings, paragraphs and list items of an unmarked text."""
    for paragraph in _PARAGRAPH_END.split(text):
        lines = [line for line in paragraph.split("\n") if line.strip()]
        if len(lines) > 1 and _UNDERLINE.fullmatch(lines[1].strip()) and _is_short(lines[0]):
            yield ParsedBlock("heading", lines[0], 1 if "=" in lines[1] else 2)
            lines = lines[2:]
        elif len(lines) == 1 and (level := heading_level(lines[0].strip())):
            yield ParsedBlock("heading", lines[0], level)
            continue
        yield from _paragraph_and_items(lines)


def heading_level(line: str) -> int:
    """The level of a line that stands alone and can only be a heading; 0 for any other line."""
    if not _is_short(line) or line[-1] in ".,;:?!":
        return 0
    if found := _NUMBERED.fullmatch(line):
        has_name = not line[0].isdigit()
        has_title = re.search(r"[.\d]\s+[^\W\d_]", line) is not None
        return min(found[1].count(".") + 1, 6) if has_name or (has_title and _starts_like_title(line)) else 0
    return 1 if _is_capitals(line) else 0


def reads_as_prose(text: str) -> bool:
    """Whether an indented or preformatted text is sentences rather than code."""
    lines = [line for line in text.split("\n") if line.strip()]
    words = len(text.split())
    prose = sum(character.isalpha() or character in " ,.'\u2019" for line in lines for character in line.strip())
    total = sum(len(line.strip()) for line in lines)
    return bool(lines) and words >= 4 * len(lines) and prose >= 0.85 * total


def _is_short(line: str) -> bool:
    return 0 < len(line.strip()) <= _LONGEST_HEADING


def _starts_like_title(line: str) -> bool:
    first = next(character for character in line if character.isalpha())
    return first.isupper() and len(line.split()) <= 10


def _is_capitals(line: str) -> bool:
    letters = sum(character.isalpha() for character in line)
    return line.isupper() and letters >= 4 and letters >= 0.6 * len(line)


def _paragraph_and_items(lines: list[str]) -> Iterator[ParsedBlock]:
    """One paragraph, or its bullets as items; a line without a bullet belongs to the line before it."""
    group: list[str] = []
    for line in lines:
        if _BULLET.match(line) and group:
            yield _block(group)
            group = []
        group.append(line)
    if group:
        yield _block(group)


def _block(lines: list[str]) -> ParsedBlock:
    text = "\n".join(lines)
    return ParsedBlock("item", text, 1) if _BULLET.match(lines[0]) else ParsedBlock("paragraph", text)
