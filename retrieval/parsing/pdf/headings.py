"""Finds the headings among printed lines: by the outline, by larger or bold type, by numbers and capitals."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from retrieval.parsing.pdf.lines import Line, Style, style_of
from retrieval.parsing.pdf.running_lines import LARGER
from retrieval.parsing.plain import heading_level

BULLET = re.compile(r"[\u2022\u25a0\u25aa\u25cf\u25cb\u25e6\u2023\u2043\u2219\u00b7\uf0a7\uf0b7\uf0d8\u2756\u27a2-]\s+")
_LEADERS = re.compile(r"\.{4,}|(?:\. ){4,}|_{4,}")
_LONGEST_HEADING = 120
MOST_HEADING_LINES = 3
_LIST = 3


@dataclass(frozen=True, slots=True)
class OutlineEntry:
    """An entry of the document's own outline; `level` and `page` count from 1."""

    title: str
    level: int
    page: int


def find_headings(pages: Sequence[Sequence[Line]], outline: Sequence[OutlineEntry], body: Style) -> dict[Line, int]:
    """The level of every line that belongs to a heading: from the outline, from larger or bold type, from numbers."""
    levels = _match_outline(pages, outline)
    runs = [run for page in pages for run in _drop_lists(_prominent_runs(page, body), page)]
    ranks = _style_ranks(runs, levels)
    for run in runs:
        if not any(line in levels for line in run):
            levels.update((line, ranks[style_of(run[0])]) for line in run)
    for page in pages:
        for (line,) in _drop_lists(_numbered_headings(page), page):
            levels.setdefault(line, heading_level(line.text))
    return levels


def _match_outline(pages: Sequence[Sequence[Line]], outline: Sequence[OutlineEntry]) -> dict[Line, int]:
    levels: dict[Line, int] = {}
    for entry in outline:
        # Bookmarks often point at the foot of the page before.
        for page in pages[max(entry.page - 1, 0) : entry.page + 1]:
            found = _lines_of_title(page, entry.title)
            if found and not any(line in levels for line in found):
                levels.update((line, min(entry.level, 6)) for line in found)
                break
    return levels


def _lines_of_title(page: Sequence[Line], title: str) -> Sequence[Line]:
    """The lines that together are the title, numbers aside; the most prominent ones if there are several."""
    wanted = _letters(title)
    matches = []
    for start in range(len(page)) if len(wanted) > 1 else ():
        text = ""
        for end in range(start, min(start + MOST_HEADING_LINES, len(page))):
            text += _letters(page[end].text)
            if text == wanted:
                matches.append(page[start : end + 1])
            if not wanted.startswith(text):
                break
    return max(matches, key=lambda lines: (lines[0].size, lines[0].bold), default=())


@lru_cache(maxsize=10_000)
def _letters(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalpha())


def _style_ranks(runs: Sequence[Sequence[Line]], outlined: dict[Line, int]) -> dict[Style, int]:
    """A level for each style of heading: the outline's where it used that style, else by size."""
    known: dict[Style, Counter[int]] = {}
    for line, level in outlined.items():
        known.setdefault(style_of(line), Counter())[level] += 1
    styles = {style_of(run[0]) for run in runs}
    ranks: dict[Style, int] = {}
    deepest = 0
    for style in sorted(styles | known.keys(), reverse=True):
        level = known[style].most_common(1)[0][0] if style in known else min(deepest + 1, 6)
        ranks[style] = level
        deepest = max(deepest, level)
    return ranks


def _prominent_runs(page: Sequence[Line], body: Style) -> Iterator[list[Line]]:
    """Neighbouring lines in one style that differs from the body's and that are short enough for a heading."""
    run: list[Line] = []
    for before, line in pairwise([None, *page]):
        assert line is not None
        goes_on = run and before and style_of(before) == style_of(line) and 0 < before.y - line.y < 1.8 * line.size
        if run and not goes_on:
            yield from _heading_run(run, line, body)
            run = []
        if _is_prominent(line, body) and (run or _may_follow(before, line, body)):
            run.append(line)
        elif run:
            run = []
    if run:
        yield from _heading_run(run, None, body)


def _drop_lists(runs: Iterator[list[Line]], page: Sequence[Line]) -> Iterator[list[Line]]:
    """The runs but those of a list (of contents, names, figures): three of one style with nothing between them."""
    places = {line: place for place, line in enumerate(page)}
    chain: list[list[Line]] = []
    for run in runs:
        if chain and (places[chain[-1][-1]] + 1 != places[run[0]] or not _continues_list(chain, run)):
            yield from chain if len(chain) < _LIST else ()
            chain = []
        chain.append(run)
    yield from chain if len(chain) < _LIST else ()


def _continues_list(chain: Sequence[Sequence[Line]], run: Sequence[Line]) -> bool:
    """Whether the run has the chain's style and, from the second step on, its distance."""
    step = chain[-1][-1].y - run[0].y
    before = chain[-2][-1].y - chain[-1][0].y if len(chain) > 1 else step
    return style_of(chain[-1][0]) == style_of(run[0]) and step < 1.3 * before + 1


def _is_prominent(line: Line, body: Style) -> bool:
    return line.size >= LARGER * body[0] or (line.bold and not body[1] and line.size >= 0.95 * body[0])


def _may_follow(before: Line | None, line: Line, body: Style) -> bool:
    """Whether a heading may begin here: in bold type of the body's size only after a gap, and not in a table."""
    if line.size >= LARGER * body[0]:
        return True
    return line.segments == 1 and (before is None or not 0 <= before.y - line.y < 1.25 * line.size)


def _heading_run(run: list[Line], after: Line | None, body: Style) -> Iterator[list[Line]]:
    text = " ".join(line.text for line in run)
    letters = sum(character.isalpha() for character in text)
    is_short = len(run) <= MOST_HEADING_LINES and len(text) <= _LONGEST_HEADING
    is_title = (
        letters >= 3 and letters >= 0.5 * len(text) and not text[0].islower() and not text.endswith((".", ",", ";"))
    )
    is_larger = run[0].size >= LARGER * body[0]
    if is_short and is_title and (is_larger or after is not None) and not (_LEADERS.search(text) or BULLET.match(text)):
        yield run


def _numbered_headings(page: Sequence[Line]) -> Iterator[list[Line]]:
    """Lines in the body's style that are headings by their number or their capitals alone."""
    for before, line, after in zip([None, *page], page, [*page[1:], None], strict=False):
        if _stands_alone(before, line, after) and heading_level(line.text):
            yield [line]


def _stands_alone(before: Line | None, line: Line, after: Line | None) -> bool:
    """Whether there is a gap above and below and text after it."""
    above = before is None or not 0 <= before.y - line.y < 1.7 * line.size
    below = after is not None and after.y < line.y - 1.4 * line.size
    return above and below and line.segments == 1 and not _LEADERS.search(line.text)
