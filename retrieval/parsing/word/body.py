"""The body of a Word document to blocks, in its own order: headings, paragraphs, numbered lists and tables."""

import re
from collections.abc import Iterator

from docx.document import Document
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml.ns import qn
from lxml.etree import _Element as Element

from retrieval.parsing.blocks import ParsedBlock, row_text
from retrieval.parsing.word.numbering import BULLET, Numbering, read_numbering, value
from retrieval.parsing.word.styles import Style, heading_level, list_number, read_styles

_FIRST_ROW = 0x20
# Styles that are based on each other; no template goes this deep.
_DEEPEST_STYLE = 32
_MATH = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_COMPATIBILITY = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_INVISIBLE = frozenset(
    {qn("w:del"), qn("w:moveFrom"), qn("w:txbxContent"), qn("w:pPr"), qn("w:rPr"), f"{_COMPATIBILITY}Fallback"}
)
_SIGNS = {qn("w:tab"): "\t", qn("w:cr"): "\n", qn("w:noBreakHyphen"): "-", qn("w:ptab"): "\t"}
_WRAPPERS = frozenset(
    {qn("w:sdt"), qn("w:sdtContent"), qn("w:customXml"), qn("w:ins"), qn("w:moveTo"), qn("w:smartTag")}
)


class BlockReader:
    """Reads blocks in order, because each list number depends on those before it."""

    def __init__(self, document: Document) -> None:
        self._styles = dict(read_styles(document.styles.element))
        self._numbering: Numbering = read_numbering(_numbering_root(document))

    def blocks(self, container: Element) -> Iterator[ParsedBlock]:
        """The blocks below an element in reading order."""
        for child in container:
            if child.tag == qn("w:p"):
                yield from self._paragraph(child)
            elif child.tag == qn("w:tbl"):
                yield from self._table(child)
            elif child.tag in _WRAPPERS:
                yield from self.blocks(child)

    def _paragraph(self, paragraph: Element) -> Iterator[ParsedBlock]:
        properties = paragraph.find(qn("w:pPr"))
        styles = self._style_chain(value(properties, "w:pStyle") if properties is not None else "")
        text = _text(paragraph).strip()
        if not text or any(style.name.startswith("toc ") for style in styles):
            return
        number_id, depth = list_number(properties, styles)
        marker = self._numbering.marker(number_id, depth) if number_id not in ("", "0") else ""
        level = heading_level(properties, styles)
        if level:
            yield ParsedBlock("heading", f"{marker if marker != BULLET else ''} {text}", level)
        elif marker:
            yield ParsedBlock("item", f"{marker} {text}", depth + 1)
        else:
            yield ParsedBlock("paragraph", text)

    def _style_chain(self, style_id: str) -> list[Style]:
        """The style and those that it is based on, nearest first; a circle of styles ends at the deepest one."""
        chain: list[Style] = []
        while len(chain) < _DEEPEST_STYLE and (style := self._styles.get(style_id)):
            chain.append(style)
            style_id = style.based_on
        return chain

    def _table(self, table: Element) -> Iterator[ParsedBlock]:
        rows = [list(row.iterchildren(qn("w:tc"), qn("w:sdt"))) for row in _rows(table)]
        if max(map(len, rows), default=0) < 2 or self._holds_heading(table):
            for cell in (cell for row in rows for cell in row):
                yield from self.blocks(cell)
            return
        texts = [text for row in rows if (text := row_text(map(_text, row)))]
        has_head = len(texts) > 1 and _has_head(table)
        for place, text in enumerate(texts):
            yield ParsedBlock("table-head" if has_head and place == 0 else "row", text)

    def _holds_heading(self, table: Element) -> bool:
        """Whether a table has headings in it, and so is there for the page's layout."""
        properties = table.iterfind(f".//{qn('w:p')}/{qn('w:pPr')}")
        return any(heading_level(each, self._style_chain(value(each, "w:pStyle"))) for each in properties)


def _numbering_root(document: Document) -> Element | None:
    try:
        part = document.part.part_related_by(RELATIONSHIP_TYPE.NUMBERING)
    except KeyError:
        return None
    return getattr(part, "element", None)


def _rows(container: Element) -> Iterator[Element]:
    for child in container:
        if child.tag == qn("w:tr") and child.find(f"{qn('w:trPr')}/{qn('w:del')}") is None:
            yield child
        elif child.tag in _WRAPPERS:
            yield from _rows(child)


def _has_head(table: Element) -> bool:
    """Whether the first row is marked to repeat on each page, or the table's style sets it apart."""
    first = next(_rows(table), None)
    if first is not None and first.find(f"{qn('w:trPr')}/{qn('w:tblHeader')}") is not None:
        return True
    look = table.find(f"{qn('w:tblPr')}/{qn('w:tblLook')}")
    if look is None:
        return False
    flags = look.get(qn("w:val"), "")
    is_flagged = re.fullmatch(r"[0-9A-Fa-f]{4}", flags) is not None and int(flags, 16) & _FIRST_ROW > 0
    return look.get(qn("w:firstRow"), str(int(is_flagged))) in ("1", "true")


def _text(element: Element) -> str:
    return "".join(_texts(element))


def _texts(element: Element) -> Iterator[str]:
    """All visible text of this element, nested tables included; a newline follows each paragraph."""
    for child in element:
        if child.tag in _INVISIBLE or (child.tag == qn("w:r") and _is_hidden(child)):
            continue
        if child.tag in (qn("w:t"), f"{_MATH}t"):
            yield child.text or ""
        elif child.tag in _SIGNS:
            yield _SIGNS[child.tag]
        elif child.tag == qn("w:br"):
            yield "\n"
        else:
            yield from _texts(child)
            if child.tag == qn("w:p"):
                yield "\n"


def _is_hidden(run: Element) -> bool:
    vanish = run.find(f"{qn('w:rPr')}/{qn('w:vanish')}")
    return vanish is not None and vanish.get(qn("w:val"), "1") not in ("0", "false", "off")
