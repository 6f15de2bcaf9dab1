"""Removes running headers, footers and page numbers: what repeats at the edges of the pages."""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import takewhile

from retrieval.parsing.pdf.lines import Line, Style

_NUMBER = re.compile(r"\d+(?:[.,/-]\d+)*")
_PAGE_OF = re.compile(r"\bpage \d+", re.IGNORECASE)
_PAGE_NUMBER = re.compile(r"\W*(?:page\s*)?#(?:\s*(?:of|/|-|\|)\s*#)?\W*", re.IGNORECASE)
_EDGE_LINES = 3
_MARGIN = 0.1
# Type larger than the body's by this factor is set like a heading.
LARGER = 1.15


def remove_running_lines(pages: Sequence[Sequence[Line]], body: Style) -> list[list[Line]]:
    """The pages without what repeats at their edges; a line further in than one that stays, stays too."""
    heights = [line.y for page in pages for line in page]
    margin = _MARGIN * (max(heights, default=0) - min(heights, default=0))
    low, high = min(heights, default=0) + margin, max(heights, default=0) - margin
    edges = [_edges(page, low, high) for page in pages]
    counts = Counter(key for ends in edges for key in {_running_key(line, body) for end in ends for line in end})
    often = max(3, 0.2 * len(pages))

    def repeats(line: Line) -> bool:
        return _is_running(_running_key(line, body), counts, often)

    running = [{line for end in ends for line in takewhile(repeats, end)} for ends in edges]
    return [[line for line in page if line not in repeated] for page, repeated in zip(pages, running, strict=True)]


def _edges(page: Sequence[Line], low: float, high: float) -> tuple[list[Line], list[Line]]:
    """The lines in the lower and in the upper margin, the outermost first."""
    by_height = sorted(page, key=lambda line: line.y)
    bottom = list(takewhile(lambda line: line.y <= low, by_height[:_EDGE_LINES]))
    return bottom, list(takewhile(lambda line: line.y >= high, by_height[::-1][:_EDGE_LINES]))


def _running_key(line: Line, body: Style) -> tuple[str, int]:
    """Text and height by which a repeated line is recognised; its numbers count only if it is set like a heading."""
    varying = _PAGE_OF if line.size >= LARGER * body[0] else _NUMBER
    return varying.sub("#", line.text), round(line.y / 6)


def _is_running(key: tuple[str, int], counts: Counter[tuple[str, int]], often: float) -> bool:
    if _PAGE_NUMBER.fullmatch(key[0]):
        return counts[key] >= 2 or "page" in key[0].lower()
    return counts[key] >= often
