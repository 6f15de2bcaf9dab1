"""DOCX: headings by style or outline level, lists with the numbers Word shows, tables; in the body's own order."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING
from zipfile import BadZipFile, ZipFile

from docx import Document
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml.ns import qn

from retrieval.parsing.protocol import Parsed, Skipped
from retrieval.parsing.titles import plausible_title
from retrieval.parsing.word.numbering import BULLET, Numbering, read_numbering, value, whole
from retrieval.passages import Metadata
from retrieval.sectioning.blocks import ParsedBlock, assemble, row_text

if TYPE_CHECKING:
    from docx.document import Document as WordDocument
    from lxml.etree import _Element as Element

ENCRYPTED = Skipped("encrypted", "it opens only with a password")
LARGEST_UNPACKED = 200 * 1024 * 1024

_FIRST_ROW = 0x20
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_HEADING_NAME = re.compile(r"heading ([1-9])\b", re.IGNORECASE)
_MATH = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_COMPATIBILITY = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_UNSEEN = frozenset(
    {qn("w:del"), qn("w:moveFrom"), qn("w:txbxContent"), qn("w:pPr"), qn("w:rPr"), f"{_COMPATIBILITY}Fallback"}
)
_SIGNS = {qn("w:tab"): "\t", qn("w:cr"): "\n", qn("w:noBreakHyphen"): "-", qn("w:ptab"): "\t"}
_WRAPPERS = frozenset(
    {qn("w:sdt"), qn("w:sdtContent"), qn("w:customXml"), qn("w:ins"), qn("w:moveTo"), qn("w:smartTag")}
)


@dataclass(frozen=True, slots=True)
class Style:
    """What a paragraph style says of the paragraphs that wear it."""

    name: str
    based_on: str
    level: int
    number_id: str
    depth: int


def parse(name: str, data: bytes) -> Parsed | Skipped:
    """The body's text; text boxes, headers, footers, footnotes and tracked deletions are left out."""
    if data.startswith(_OLE):
        return _old(data)
    try:
        with ZipFile(BytesIO(data)) as archive:
            entries = archive.infolist()
    except BadZipFile:
        return Skipped("malformed", "it is no Word document, or it is damaged")
    if any(entry.flag_bits & 1 for entry in entries):
        return ENCRYPTED
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > LARGEST_UNPACKED:
        return Skipped("too-large", f"it unpacks to {unpacked / 1024**2:.0f} MiB")
    document = Document(BytesIO(data))
    title = plausible_title(document.core_properties.title or "")
    return assemble(_Reader(document).blocks(document.element.body), Metadata(title=title))


def _old(data: bytes) -> Skipped:
    if _ENCRYPTED in data:
        return ENCRYPTED
    return Skipped("malformed", "it is an old .doc under a new name; save it as .docx")


class _Reader:
    """Reads blocks in order, because each list's number depends on those before it."""

    def __init__(self, document: "WordDocument") -> None:
        self._styles = dict(_styles(document.styles.element))
        self._numbering: Numbering = read_numbering(_numbering_root(document))

    def blocks(self, container: "Element") -> Iterator[ParsedBlock]:
        for child in container:
            if child.tag == qn("w:p"):
                yield from self._paragraph(child)
            elif child.tag == qn("w:tbl"):
                yield from self._table(child)
            elif child.tag in _WRAPPERS:
                yield from self.blocks(child)

    def _paragraph(self, paragraph: "Element") -> Iterator[ParsedBlock]:
        properties = paragraph.find(qn("w:pPr"))
        styles = self._chain(value(properties, "w:pStyle") if properties is not None else "")
        text = _text(paragraph).strip()
        if not text or any(style.name.startswith("toc ") for style in styles):
            return
        number_id, depth = _number(properties, styles)
        marker = self._numbering.marker(number_id, depth) if number_id not in ("", "0") else ""
        level = _level(properties, styles)
        if level:
            yield ParsedBlock("heading", f"{marker if marker != BULLET else ''} {text}", level)
        elif marker:
            yield ParsedBlock("item", f"{marker} {text}", depth + 1)
        else:
            yield ParsedBlock("paragraph", text)

    def _chain(self, style_id: str) -> list[Style]:
        """The style and those that it is based on, nearest first."""
        chain: list[Style] = []
        while (style := self._styles.get(style_id)) and style not in chain:
            chain.append(style)
            style_id = style.based_on
        return chain

    def _table(self, table: "Element") -> Iterator[ParsedBlock]:
        rows = [list(row.iterchildren(qn("w:tc"), qn("w:sdt"))) for row in _rows(table)]
        if max(map(len, rows), default=0) < 2 or self._holds_heading(table):
            for cell in (cell for row in rows for cell in row):
                yield from self.blocks(cell)
            return
        texts = [text for row in rows if (text := row_text(map(_text, row)))]
        has_head = len(texts) > 1 and _has_head(table)
        for place, text in enumerate(texts):
            yield ParsedBlock("table-head" if has_head and place == 0 else "row", text)

    def _holds_heading(self, table: "Element") -> bool:
        """A table with headings in it is there for the page's layout."""
        properties = table.iterfind(f".//{qn('w:p')}/{qn('w:pPr')}")
        return any(_level(each, self._chain(value(each, "w:pStyle"))) for each in properties)


def _numbering_root(document: "WordDocument") -> "Element | None":
    try:
        part = document.part.part_related_by(RELATIONSHIP_TYPE.NUMBERING)
    except KeyError:
        return None
    return getattr(part, "element", None)


def _styles(root: "Element") -> Iterator[tuple[str, Style]]:
    for style in root.iterfind(qn("w:style")):
        properties = style.find(qn("w:pPr"))
        number_id, depth = _own_number(properties)
        yield (
            style.get(qn("w:styleId"), ""),
            Style(value(style, "w:name").lower(), value(style, "w:basedOn"), _outline(properties), number_id, depth),
        )


def _level(properties: "Element | None", styles: list[Style]) -> int:
    """1 to 6 for a heading by its own outline level, its style's or its style's name; 0 for text."""
    own = _outline(properties)
    if own:
        return min(own, 6) if own < 10 else 0
    for style in styles:
        if found := _HEADING_NAME.match(style.name):
            return min(int(found[1]), 6)
        if style.name == "title":
            return 1
        if style.level:
            return min(style.level, 6) if style.level < 10 else 0
    return 0


def _outline(properties: "Element | None") -> int:
    """Outline level from 1; 10 says that it is body text, 0 that nothing is said."""
    found = value(properties, "w:outlineLvl") if properties is not None else ""
    return whole(found) + 1 if found else 0


def _number(properties: "Element | None", styles: list[Style]) -> tuple[str, int]:
    number_id, depth = _own_number(properties)
    inherited = next(((style.number_id, style.depth) for style in styles if style.number_id), ("", 0))
    return (number_id, depth) if number_id else inherited


def _own_number(properties: "Element | None") -> tuple[str, int]:
    found = properties.find(qn("w:numPr")) if properties is not None else None
    if found is None:
        return "", 0
    return value(found, "w:numId"), whole(value(found, "w:ilvl", "0"))


def _rows(container: "Element") -> Iterator["Element"]:
    for child in container:
        if child.tag == qn("w:tr") and child.find(f"{qn('w:trPr')}/{qn('w:del')}") is None:
            yield child
        elif child.tag in _WRAPPERS:
            yield from _rows(child)


def _has_head(table: "Element") -> bool:
    """The first row is marked to repeat on each page, or the table's style sets it apart."""
    first = next(_rows(table), None)
    if first is not None and first.find(f"{qn('w:trPr')}/{qn('w:tblHeader')}") is not None:
        return True
    look = table.find(f"{qn('w:tblPr')}/{qn('w:tblLook')}")
    if look is None:
        return False
    flags = look.get(qn("w:val"), "")
    is_flagged = re.fullmatch(r"[0-9A-Fa-f]{4}", flags) is not None and int(flags, 16) & _FIRST_ROW > 0
    return look.get(qn("w:firstRow"), str(int(is_flagged))) in ("1", "true")


def _text(element: "Element") -> str:
    return "".join(_texts(element))


def _texts(element: "Element") -> Iterator[str]:
    """Everything a reader sees in this element, nested tables included; paragraphs stay a word apart."""
    for child in element:
        if child.tag in _UNSEEN or (child.tag == qn("w:r") and _is_hidden(child)):
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


def _is_hidden(run: "Element") -> bool:
    vanish = run.find(f"{qn('w:rPr')}/{qn('w:vanish')}")
    return vanish is not None and vanish.get(qn("w:val"), "1") not in ("0", "false", "off")
