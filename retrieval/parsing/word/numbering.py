"""Computes the numbers of lists and headings, which Word shows but does not store with their text."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from docx.oxml.ns import qn
from lxml.etree import _Element as Element

BULLET = "-"

_ROMAN = ((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"))
_SMALL_ROMAN = ((10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"))
_LEVELS = 9
_LONGEST_TEMPLATE = 100


@dataclass(frozen=True, slots=True)
class Level:
    """One level of a list; `template` holds `%1` for the first level's number, `%2` for the second's, and so on."""

    template: str
    form: str
    start: int


@dataclass(slots=True)
class Numbering:
    """The lists of a document and the numbers given so far; `marker` gives the next one."""

    levels: dict[str, dict[int, Level]] = field(default_factory=dict)
    lists: dict[str, str] = field(default_factory=dict)
    restarts: dict[str, dict[int, int]] = field(default_factory=dict)
    counts: dict[str, dict[int, int]] = field(default_factory=dict)

    def marker(self, number_id: str, depth: int) -> str:
        """Count one paragraph of this list and return what stands before it: `-`, `3.`, `2.1` or nothing."""
        name = self.lists.get(number_id, "")
        levels = self.levels.get(name, {})
        level = levels.get(depth)
        if level is None or level.form == "bullet":
            return BULLET
        self._count(name, number_id, depth, level.start)
        marker = level.template
        for place in range(depth + 1):
            shown = levels.get(place, level)
            value = self.counts[name].get(place, shown.start)
            marker = marker.replace(f"%{place + 1}", _format_number(value, shown.form))
        return marker.strip()

    def _count(self, name: str, number_id: str, depth: int, start: int) -> None:
        counts = self.counts.setdefault(name, {})
        restart = self.restarts.get(number_id, {}).pop(depth, None)
        counts[depth] = restart if restart is not None else counts.get(depth, start - 1) + 1
        for deeper in range(depth + 1, _LEVELS):
            counts.pop(deeper, None)


def read_numbering(root: Element | None) -> Numbering:
    """The lists that the numbering part defines; none when there is no such part."""
    numbering = Numbering()
    if root is None:
        return numbering
    for abstract in root.iterfind(qn("w:abstractNum")):
        numbering.levels[abstract.get(qn("w:abstractNumId"), "")] = dict(_levels(abstract))
    for number in root.iterfind(qn("w:num")):
        number_id = number.get(qn("w:numId"), "")
        numbering.lists[number_id] = value(number, "w:abstractNumId")
        numbering.restarts[number_id] = dict(_restarts(number))
    return numbering


def value(element: Element, child: str, default: str = "") -> str:
    """The `w:val` of a child element."""
    found = element.find(qn(child))
    return found.get(qn("w:val"), default) if found is not None else default


def whole(text: str, default: int = 0) -> int:
    """The text as a whole number of up to nine digits, else the default."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else default


def _levels(abstract: Element) -> Iterator[tuple[int, Level]]:
    for level in abstract.iterfind(qn("w:lvl")):
        form = value(level, "w:numFmt", "decimal")
        start = whole(value(level, "w:start", "1"), 1)
        depth = whole(level.get(qn("w:ilvl"), "0"))
        if depth < _LEVELS:
            yield depth, Level(value(level, "w:lvlText")[:_LONGEST_TEMPLATE], form, start)


def _restarts(number: Element) -> Iterator[tuple[int, int]]:
    for override in number.iterfind(qn("w:lvlOverride")):
        if start := value(override, "w:startOverride"):
            yield whole(override.get(qn("w:ilvl"), "0")), whole(start, 1)


def _format_number(number: int, form: str) -> str:
    match form:
        case "lowerLetter" | "upperLetter" if number > 0:
            letters = chr(ord("a") + (number - 1) % 26) * min((number - 1) // 26 + 1, 9)
            return letters.upper() if form == "upperLetter" else letters
        case "lowerRoman" | "upperRoman" if 0 < number < 4000:
            return _roman(number).upper() if form == "upperRoman" else _roman(number)
        case "decimalZero":
            return f"{number:02}"
        case "none":
            return ""
    return str(number)


def _roman(number: int) -> str:
    text = ""
    for worth, sign in _ROMAN + _SMALL_ROMAN:
        text += sign * (number // worth)
        number %= worth
    return text
