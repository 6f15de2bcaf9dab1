"""Lines of a printed page back to headings, paragraphs and items, by where they stand and how they are set (pure)."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise, takewhile
from statistics import median

from retrieval.parsing.cleaning import clean
from retrieval.parsing.plain import heading_level
from retrieval.sectioning.blocks import ParsedBlock


@dataclass(frozen=True, slots=True)
class Line:
    """One printed line; `y` grows upwards and is the line's foot, `broken` means that its last word goes on."""

    page: int
    text: str
    left: float
    right: float
    y: float
    size: float
    bold: bool = False
    broken: bool = False
    segments: int = 1


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the document's own outline; `level` counts from 1."""

    title: str
    level: int
    page: int


Style = tuple[float, bool]

_NUMBER = re.compile(r"\d+(?:[.,/-]\d+)*")
_PAGE_OF = re.compile(r"\bpage \d+", re.IGNORECASE)
_PAGE_NUMBER = re.compile(r"\W*(?:page\s*)?#(?:\s*(?:of|/|-|\|)\s*#)?\W*", re.IGNORECASE)
_BULLET = re.compile(
    r"[\u2022\u25a0\u25aa\u25cf\u25cb\u25e6\u2023\u2043\u2219\u00b7\uf0a7\uf0b7\uf0d8\u2756\u27a2-]\s+"
)
_MARKER = re.compile(r"(?:\([A-Za-z0-9]{1,4}\)|(?:[a-z]|[ivx]{2,4}|\d{1,2})[.)]|[A-Z]\))\s+(?=\S)")
_CLAUSE = re.compile(r"\d+(?:\.\d+)+\.?\s+\S")
_LEADERS = re.compile(r"\.{4,}|(?:\. ){4,}|_{4,}")
_COMPOUND = re.compile(r"\w+(?:-\w+)+")
_HYPHEN_AT_END = re.compile(r"[^\W\d_][-\u2010\u00ad]\Z")
_SENTENCE_END = tuple(".:;!?")
_EDGE = 3
_MARGIN = 0.1
_LARGER = 1.15
_LONGEST_HEADING = 120
_MOST_HEADING_LINES = 3
_LIST = 3


def pieces(pages: Sequence[Sequence[Line]], outline: Sequence[Entry] = ()) -> Iterator[ParsedBlock]:
    """The document's blocks in reading order, each on one page, without running headers, footers and page numbers."""
    joined = [_on_one_baseline(page) for page in pages]
    body = _body_style([line for page in joined for line in page])
    kept = _without_running_lines(joined, body)
    levels = _heading_levels(kept, outline, body)
    words = {word.lower() for page in kept for line in page for word in _COMPOUND.findall(line.text)}
    for page in kept:
        for group in _groups(page, levels):
            yield _piece(_reflowed(group, words), group[0].page, levels.get(group[0], 0))


def _on_one_baseline(lines: Sequence[Line]) -> list[Line]:
    """Neighbours at the same height are one line, as table cells and tabbed headings are."""
    result: list[Line] = []
    for line in lines:
        if result and _is_beside(result[-1], line):
            result[-1] = _beside(result[-1], line)
        else:
            result.append(line)
    return result


def _is_beside(last: Line, line: Line) -> bool:
    step = abs(last.y - line.y)
    is_script = min(last.size, line.size) < 0.8 * max(last.size, line.size)
    return line.left > last.right - 1 and step < (0.6 if is_script else 0.3) * max(last.size, line.size)


def _beside(last: Line, line: Line) -> Line:
    """Both as one line that stands where the larger of them does; a raised or lowered sign is no cell of its own."""
    is_script = min(last.size, line.size) < 0.8 * max(last.size, line.size)
    return replace(
        last if last.size >= line.size else line,
        text=f"{last.text}{'' if is_script else ' '}{line.text}",
        left=last.left,
        right=line.right,
        bold=last.bold and line.bold,
        broken=line.broken,
        segments=last.segments + (0 if is_script else line.segments),
    )


def _body_style(lines: Sequence[Line]) -> Style:
    """The size and weight that most characters are set in."""
    weights: Counter[Style] = Counter()
    for line in lines:
        weights[_style(line)] += len(line.text)
    return max(weights, key=lambda style: weights[style], default=(10.0, False))


def _style(line: Line) -> Style:
    return round(line.size * 2) / 2, line.bold


def _without_running_lines(pages: Sequence[Sequence[Line]], body: Style) -> list[list[Line]]:
    """The pages without what repeats at their edges; what stands further in than a line that stays, stays."""
    heights = [line.y for page in pages for line in page]
    margin = _MARGIN * (max(heights, default=0) - min(heights, default=0))
    low, high = min(heights, default=0) + margin, max(heights, default=0) - margin
    edges = [_edges(page, low, high) for page in pages]
    counts = Counter(key for ends in edges for key in {_running_key(line, body) for end in ends for line in end})
    often = max(3, 0.2 * len(pages))

    def repeats(line: Line) -> bool:
        return _is_running(_running_key(line, body), counts, often)

    gone = [{line for end in ends for line in takewhile(repeats, end)} for ends in edges]
    return [[line for line in page if line not in out] for page, out in zip(pages, gone, strict=True)]


def _edges(page: Sequence[Line], low: float, high: float) -> tuple[list[Line], list[Line]]:
    """The lines in the lower and in the upper margin, the outermost first."""
    by_height = sorted(page, key=lambda line: line.y)
    bottom = list(takewhile(lambda line: line.y <= low, by_height[:_EDGE]))
    return bottom, list(takewhile(lambda line: line.y >= high, by_height[::-1][:_EDGE]))


def _running_key(line: Line, body: Style) -> tuple[str, int]:
    """The same for a line that repeats at the same height; numbers count only in what is set like a heading."""
    varying = _PAGE_OF if line.size >= _LARGER * body[0] else _NUMBER
    return varying.sub("#", line.text), round(line.y / 6)


def _is_running(key: tuple[str, int], counts: Counter[tuple[str, int]], often: float) -> bool:
    if _PAGE_NUMBER.fullmatch(key[0]):
        return counts[key] >= 2 or "page" in key[0].lower()
    return counts[key] >= often


def _heading_levels(pages: Sequence[Sequence[Line]], outline: Sequence[Entry], body: Style) -> dict[Line, int]:
    """The level of every line that belongs to a heading: from the outline, from larger or bold type, from numbers."""
    levels = _from_outline(pages, outline)
    runs = [run for page in pages for run in _without_lists(_runs(page, body), page)]
    ranks = _style_ranks(runs, levels)
    for run in runs:
        if not any(line in levels for line in run):
            levels.update((line, ranks[_style(run[0])]) for line in run)
    for page in pages:
        for (line,) in _without_lists(_numbered(page), page):
            levels.setdefault(line, heading_level(line.text))
    return levels


def _from_outline(pages: Sequence[Sequence[Line]], outline: Sequence[Entry]) -> dict[Line, int]:
    levels: dict[Line, int] = {}
    for entry in outline:
        # Bookmarks often point at the foot of the page before.
        for page in pages[max(entry.page - 1, 0) : entry.page + 1]:
            found = _titled(page, entry.title)
            if found and not any(line in levels for line in found):
                levels.update((line, min(entry.level, 6)) for line in found)
                break
    return levels


def _titled(page: Sequence[Line], title: str) -> Sequence[Line]:
    """The lines that together are the title, numbers aside; the most prominent ones if there are several."""
    wanted = _letters(title)
    matches = []
    for start in range(len(page)) if len(wanted) > 1 else ():
        text = ""
        for end in range(start, min(start + _MOST_HEADING_LINES, len(page))):
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
        known.setdefault(_style(line), Counter())[level] += 1
    styles = {_style(run[0]) for run in runs}
    ranks: dict[Style, int] = {}
    deepest = 0
    for style in sorted(styles | known.keys(), reverse=True):
        level = known[style].most_common(1)[0][0] if style in known else min(deepest + 1, 6)
        ranks[style] = level
        deepest = max(deepest, level)
    return ranks


def _runs(page: Sequence[Line], body: Style) -> Iterator[list[Line]]:
    """Neighbouring lines in one style that differs from the body's and that are short enough for a heading."""
    run: list[Line] = []
    for before, line in pairwise([None, *page]):
        assert line is not None
        goes_on = run and before and _style(before) == _style(line) and 0 < before.y - line.y < 1.8 * line.size
        if run and not goes_on:
            yield from _heading_run(run, line, body)
            run = []
        if _is_prominent(line, body) and (run or _may_follow(before, line, body)):
            run.append(line)
        elif run:
            run = []
    if run:
        yield from _heading_run(run, None, body)


def _without_lists(runs: Iterator[list[Line]], page: Sequence[Line]) -> Iterator[list[Line]]:
    """Three headings of one style with nothing between them are a list: of contents, of names, of figures."""
    places = {line: place for place, line in enumerate(page)}
    chain: list[list[Line]] = []
    for run in runs:
        if chain and (places[chain[-1][-1]] + 1 != places[run[0]] or not _continues_list(chain, run)):
            yield from chain if len(chain) < _LIST else ()
            chain = []
        chain.append(run)
    yield from chain if len(chain) < _LIST else ()


def _continues_list(chain: Sequence[Sequence[Line]], run: Sequence[Line]) -> bool:
    """In the same style and, from the second step on, at the same distance as before."""
    step = chain[-1][-1].y - run[0].y
    before = chain[-2][-1].y - chain[-1][0].y if len(chain) > 1 else step
    return _style(chain[-1][0]) == _style(run[0]) and step < 1.3 * before + 1


def _is_prominent(line: Line, body: Style) -> bool:
    return line.size >= _LARGER * body[0] or (line.bold and not body[1] and line.size >= 0.95 * body[0])


def _may_follow(before: Line | None, line: Line, body: Style) -> bool:
    """Bold type in the size of the text begins a heading only after a gap; a bold word in a table does not."""
    if line.size >= _LARGER * body[0]:
        return True
    return line.segments == 1 and (before is None or not 0 <= before.y - line.y < 1.25 * line.size)


def _heading_run(run: list[Line], after: Line | None, body: Style) -> Iterator[list[Line]]:
    text = " ".join(line.text for line in run)
    letters = sum(character.isalpha() for character in text)
    is_short = len(run) <= _MOST_HEADING_LINES and len(text) <= _LONGEST_HEADING
    is_title = (
        letters >= 3 and letters >= 0.5 * len(text) and not text[0].islower() and not text.endswith((".", ",", ";"))
    )
    is_larger = run[0].size >= _LARGER * body[0]
    if (
        is_short
        and is_title
        and (is_larger or after is not None)
        and not (_LEADERS.search(text) or _BULLET.match(text))
    ):
        yield run


def _numbered(page: Sequence[Line]) -> Iterator[list[Line]]:
    """Lines set like the text that are headings by their number or their capitals alone."""
    for before, line, after in zip([None, *page], page, [*page[1:], None], strict=False):
        if _stands_alone(before, line, after) and heading_level(line.text):
            yield [line]


def _stands_alone(before: Line | None, line: Line, after: Line | None) -> bool:
    """Whether there is air above and below and text after it."""
    above = before is None or not 0 <= before.y - line.y < 1.7 * line.size
    below = after is not None and after.y < line.y - 1.4 * line.size
    return above and below and line.segments == 1 and not _LEADERS.search(line.text)


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
        return _style(last) != _style(line) or not 0 < step < 1.8 or len(group) >= _MOST_HEADING_LINES
    if step > 1.3 * pitch or _BULLET.match(line.text) or abs(last.size - line.size) > 0.12 * line.size:
        return True
    is_over = last.text.endswith(_SENTENCE_END)
    if (_MARKER.match(line.text) or _CLAUSE.match(line.text)) and (is_over or last.text.endswith((" and", " or", ","))):
        return True
    return is_over and (_is_short_of(group, line) or (len(group) > 1 and line.left > last.left + 0.8 * line.size))


def _is_short_of(group: Sequence[Line], line: Line) -> bool:
    """Whether the last line ends well before its column does."""
    right = max(line.right, *(each.right for each in group), 0.0)
    return group[-1].right < right - 0.15 * (right - min(line.left, group[0].left))


def _piece(text: str, page: int, level: int) -> ParsedBlock:
    if level:
        return ParsedBlock("heading", text, level, page=page)
    if bullet := _BULLET.match(text):
        return ParsedBlock("item", f"- {text[bullet.end() :]}", 1, page=page)
    if _MARKER.match(text):
        return ParsedBlock("item", text, 1, page=page)
    return ParsedBlock("paragraph", text, page=page)


def _reflowed(lines: Sequence[Line], words: AbstractSet[str]) -> str:
    """The lines as one; a word that was broken at a line's end is whole again."""
    text = lines[0].text
    for before, line in pairwise(lines):
        if before.broken or _HYPHEN_AT_END.match(text[-2:]):
            text = _mended(text, line.text, words)
        else:
            text = f"{text} {line.text}"
    return clean(text)


def _mended(text: str, rest: str, words: AbstractSet[str]) -> str:
    """Without the hyphen when the next line goes on in lower case, unless the document writes the word with it."""
    stem = text.rstrip("-\u2010\u00ad")
    compound = f"{stem.rpartition(' ')[2]}-{rest.partition(' ')[0]}".lower().rstrip(".,;:)")
    return f"{stem}{'' if rest[:1].islower() and compound not in words else '-'}{rest}"
