"""Puts printed lines back together to headings, paragraphs and items, by their place and type (pure)."""

import re
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from itertools import pairwise
from statistics import median

from retrieval.characters import clean
from retrieval.parsing.blocks import ParsedBlock
from retrieval.parsing.pdf.headings import BULLET, MOST_HEADING_LINES, OutlineEntry, find_headings
from retrieval.parsing.pdf.lines import Line, body_style, join_baselines, style_of
from retrieval.parsing.pdf.running_lines import remove_running_lines

_MARKER = re.compile(r"(?:\([A-Za-z0-9]{1,4}\)|(?:[a-z]|[ivx]{2,4}|\d{1,2})[.)]|[A-Z]\))\s+(?=\S)")
_CLAUSE = re.compile(r"\d+(?:\.\d+)+\.?\s+\S")
_COMPOUND = re.compile(r"\b\w++(?:-\w++)++")
_HYPHEN_AT_END = re.compile(r"[^\W\d_][-\u2010\u00ad]\Z")
_SENTENCE_END = tuple(".:;!?")


def find_blocks(pages: Sequence[Sequence[Line]], outline: Sequence[OutlineEntry] = ()) -> Iterator[ParsedBlock]:
    """The document's blocks in reading order, each on one page, without running headers, footers and page numbers."""
    joined = [join_baselines(page) for page in pages]
    body = body_style([line for page in joined for line in page])
    kept = remove_running_lines(joined, body)
    levels = find_headings(kept, outline, body)
    words = {word.lower() for page in kept for line in page for word in _COMPOUND.findall(line.text)}
    for page in kept:
        for group in _groups(page, levels):
            yield _block(_reflow(group, words), group[0].page, levels.get(group[0], 0))


def _groups(page: Sequence[Line], levels: dict[Line, int]) -> Iterator[list[Line]]:
    """The lines of each heading, paragraph or item."""
    pitch = _pitch(page)
    group: list[Line] = []
    for line in page:
        if group and _starts_block(group, line, pitch, levels):
            yield group
            group = []
        group.append(line)
    if group:
        yield group


def _pitch(page: Sequence[Line]) -> float:
    """The usual distance from line to line, in units of the type size."""
    steps = [
        (above.y - below.y) / below.size for above, below in pairwise(page) if 0 < above.y - below.y < 3 * below.size
    ]
    return min(max(median(steps), 1.0), 1.6) if steps else 1.2


def _starts_block(group: Sequence[Line], line: Line, pitch: float, levels: dict[Line, int]) -> bool:
    last = group[-1]
    if levels.get(last) != levels.get(line):
        return True
    step = (last.y - line.y) / line.size
    if line in levels:
        return style_of(last) != style_of(line) or not 0 < step < 1.8 or len(group) >= MOST_HEADING_LINES
    if step > 1.3 * pitch or BULLET.match(line.text) or abs(last.size - line.size) > 0.12 * line.size:
        return True
    is_over = last.text.endswith(_SENTENCE_END)
    if (_MARKER.match(line.text) or _CLAUSE.match(line.text)) and (is_over or last.text.endswith((" and", " or", ","))):
        return True
    return is_over and (_ends_short(group, line) or (len(group) > 1 and line.left > last.left + 0.8 * line.size))


def _ends_short(group: Sequence[Line], line: Line) -> bool:
    """Whether the last line ends well before its column does."""
    right = max(line.right, *(each.right for each in group), 0.0)
    return group[-1].right < right - 0.15 * (right - min(line.left, group[0].left))


def _block(text: str, page: int, level: int) -> ParsedBlock:
    if level:
        return ParsedBlock("heading", text, level, page=page)
    if bullet := BULLET.match(text):
        return ParsedBlock("item", f"- {text[bullet.end() :]}", 1, page=page)
    if _MARKER.match(text):
        return ParsedBlock("item", text, 1, page=page)
    return ParsedBlock("paragraph", text, page=page)


def _reflow(lines: Sequence[Line], words: AbstractSet[str]) -> str:
    """Join the lines to one text, and the parts of a word that was broken at a line's end."""
    text = lines[0].text
    for before, line in pairwise(lines):
        if before.broken or _HYPHEN_AT_END.match(text[-2:]):
            text = _join_broken_word(text, line.text, words)
        else:
            text = f"{text} {line.text}"
    return clean(text)


def _join_broken_word(text: str, rest: str, words: AbstractSet[str]) -> str:
    """Join a broken word, without its hyphen when the rest is in lower case, unless the document writes it with one."""
    stem = text.rstrip("-\u2010\u00ad")
    compound = f"{stem.rpartition(' ')[2]}-{rest.partition(' ')[0]}".lower().rstrip(".,;:)")
    return f"{stem}{'' if rest[:1].islower() and compound not in words else '-'}{rest}"
