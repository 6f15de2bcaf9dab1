"""A tree of HTML elements to blocks of text."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from retrieval.parsing.blocks import ParsedBlock, linked_row
from retrieval.parsing.html.elements import BREAKING, HEADINGS, LISTS, SECTIONS
from retrieval.parsing.links import LinkedText, address, linked, shift
from retrieval.parsing.plain import paragraphs, reads_as_prose
from retrieval.passages import BlockKind

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_WHITE_SPACE = re.compile(r"[ \t\n\r\f]+")
_EMPTY_LINE = re.compile(r"\n[ ]*\n\s*")


class BlockReader:
    """Walks a tree once, without recursion, and ends a block wherever an element begins or ends one.

    `anchor` is an element id that stands before the text it belongs to; after `read`, one that no text followed. `base`
    is what the page's relative links are relative to; empty for its own address.
    """

    def __init__(self, base: str = "") -> None:
        self.anchor = ""
        self._base = base
        self._url = ""
        self._runs: list[tuple[str, str]] = []
        self._kind: BlockKind = "paragraph"
        self._level = 0
        self._id = ""
        self._marker = ""
        self._lists: list[int | None] = []
        self._sections: list[tuple[HtmlElement, str, int]] = []
        self._count = 0

    def read(self, root: "HtmlElement") -> Iterator[ParsedBlock]:
        """The blocks below `root` in reading order; call it once."""
        from lxml import etree

        walk = etree.iterwalk(root, events=("start", "end"))
        for event, element in walk:
            if not isinstance(element.tag, str):
                self._add(element.tail if event == "end" else "")
            elif event == "end":
                yield from self._leave(element)
                self._add(element.tail if element is not root else "")
            elif element.tag == "table" and _is_data_table(element):
                yield from self._flush()
                yield from self._table(element)
                walk.skip_subtree()
            elif element.tag == "pre":
                yield from self._flush()
                yield from _preformatted(element)
                walk.skip_subtree()
            else:
                yield from self._enter(element)
        yield from self._flush()

    def _enter(self, element: "HtmlElement") -> Iterator[ParsedBlock]:
        tag = element.tag
        if tag in BREAKING:
            yield from self._flush()
            self._start_block(element)
        elif tag == "br":
            self._runs.append(("\n", self._url))
        elif tag == "img":
            self._add(element.get("alt"))
        elif tag in ("a", "span") and not any(text.strip() for text, _ in self._runs):
            self.anchor = element.get("id") or element.get("name") or self.anchor
        if tag == "a":
            self._url = address(element.get("href") or "", self._base)
        self._add(element.text)

    def _start_block(self, element: "HtmlElement") -> None:
        tag, element_id = element.tag, element.get("id") or ""
        if tag in SECTIONS:
            self._sections.append((element, element_id, self._count))
        if tag in HEADINGS:
            self._kind, self._level = "heading", HEADINGS[tag]
            around, further = self._section_anchors()
            self._id = element_id or around or _inner_anchor(element) or self.anchor or further
        else:
            self._id = element_id
        if tag in LISTS:
            self._lists.append(_first_number(element))
        elif tag == "li":
            self._marker = self._next_marker(element)

    def _leave(self, element: "HtmlElement") -> Iterator[ParsedBlock]:
        if element.tag == "a":
            self._url = ""
        if element.tag not in BREAKING:
            return
        yield from self._flush()
        if self._sections and self._sections[-1][0] is element:
            self._sections.pop()
        if element.tag in HEADINGS:
            self._kind, self._level = "paragraph", 0
        elif element.tag in LISTS and self._lists:
            self._lists.pop()
        elif element.tag == "li":
            self._marker = ""

    def _add(self, text: str | None) -> None:
        if text:
            self._runs.append((_WHITE_SPACE.sub(" ", text), self._url))

    def _flush(self) -> Iterator[ParsedBlock]:
        """Give out the text since the last block started; two line breaks in a row begin another block."""
        found = linked(self._runs)
        self._runs.clear()
        parts = list(_parts(found))
        if not parts:
            return
        self._count += 1
        anchor, self._id, self.anchor = self._id or self.anchor, "", ""
        if self._kind == "heading":
            yield ParsedBlock("heading", found.text, self._level, anchor, links=found.links)
            return
        for part in parts:
            text, links = self._marker + part.text, shift(part.links, len(self._marker))
            kind: BlockKind = "item" if self._marker else "paragraph"
            level = (len(self._lists) or 1) if self._marker else 0
            yield ParsedBlock(kind, text, level, anchor, links=links)
            anchor = self._marker = ""

    def _section_anchors(self) -> tuple[str, str]:
        """The id of the innermost section that begins with this heading, and of one with text before it.

        Marks all open sections as having their heading.
        """
        close = (name for _, name, count in reversed(self._sections) if name and count == self._count)
        far = (name for _, name, count in reversed(self._sections) if name and count != self._count)
        found = next(close, ""), next(far, "")
        self._sections = [(element, "", count) for element, _, count in self._sections]
        return found

    def _next_marker(self, item: "HtmlElement") -> str:
        number = self._lists[-1] if self._lists else None
        if number is None:
            return "- "
        number = _integer(item.get("value"), number)
        self._lists[-1] = number + 1
        return f"{_lettered(number, item)}. "

    def _table(self, table: "HtmlElement") -> Iterator[ParsedBlock]:
        self._count += 1
        anchor = table.get("id") or self.anchor
        self.anchor = ""
        for caption in table.iter("caption"):
            text = linked_row([self._cell(caption)])
            yield ParsedBlock("paragraph", text.text, 0, anchor, links=text.links)
            anchor = ""
        is_first = True
        for row in table.iter("tr"):
            cells = [cell for cell in row if cell.tag in ("td", "th")]
            line = linked_row(map(self._cell, cells))
            if line.text:
                is_head = is_first and (
                    next(row.iterancestors("thead"), None) is not None or all(cell.tag == "th" for cell in cells)
                )
                kind: BlockKind = "table-head" if is_head else "row"
                yield ParsedBlock(kind, line.text, 0, row.get("id") or anchor, links=line.links)
                anchor, is_first = "", False

    def _cell(self, element: "HtmlElement") -> LinkedText:
        """A cell's text; what starts a block or a line inside it stays a word apart."""
        runs: list[tuple[str, str]] = []
        urls = {element.getparent(): self._url}
        for inner in element.iter():
            around = urls.get(inner.getparent(), "")
            url = urls[inner] = address(inner.get("href") or "", self._base) if inner.tag == "a" else around
            if inner.tag in BREAKING or inner.tag == "br":
                runs.append((" ", url))
            runs.append((inner.get("alt") or "" if inner.tag == "img" else inner.text or "", url))
            if inner is not element:
                runs.append((inner.tail or "", around))
        return linked(runs)


def _is_data_table(table: "HtmlElement") -> bool:
    """Whether a table holds facts rather than layout: no table or heading in it, somewhere two cells in a row."""
    if table.get("role") in ("presentation", "none"):
        return False
    if next(table.iterdescendants("table", "h1", "h2", "h3", "h4", "h5", "h6"), None) is not None:
        return False
    return any(len(row.findall("td")) + len(row.findall("th")) > 1 for row in table.iter("tr"))


def _parts(found: LinkedText) -> Iterator[LinkedText]:
    """The text cut at empty lines; none when it is blank."""
    position, end = len(found.text) - len(found.text.lstrip()), len(found.text.rstrip())
    for gap in _EMPTY_LINE.finditer(found.text, position, end):
        yield found.between(position, gap.start())
        position = gap.end()
    if position < end:
        yield found.between(position, end)


def _preformatted(element: "HtmlElement") -> Iterator[ParsedBlock]:
    text = element.text_content()
    if reads_as_prose(text):
        yield from paragraphs(text)
    else:
        yield ParsedBlock("code", text, 0, element.get("id") or "")


def _inner_anchor(heading: "HtmlElement") -> str:
    found = (inner.get("id") or inner.get("name") for inner in heading.iterdescendants() if isinstance(inner.tag, str))
    return next((anchor for anchor in found if anchor), "")


def _first_number(element: "HtmlElement") -> int | None:
    return _integer(element.get("start"), 1) if element.tag == "ol" else None


def _integer(text: str | None, default: int) -> int:
    return int(text) if text and re.fullmatch(r"-?\d{1,9}", text.strip()) else default


def _lettered(number: int, item: "HtmlElement") -> str:
    """The number as the list's `type` shows it."""
    parent = item.getparent()
    style = parent.get("type") if parent is not None else None
    if style in ("a", "A") and 1 <= number <= 26:
        return chr(ord(style) + number - 1)
    return str(number)
