"""PDF through PDFium: the printed lines with their place and type, the outline, and a title worth showing."""

import ctypes
import re
from collections.abc import Iterator
from contextlib import closing
from threading import Lock
from typing import TYPE_CHECKING, Any

from retrieval.parsing.cleaning import one_line
from retrieval.parsing.pdf.layout import Entry, Line, pieces
from retrieval.parsing.protocol import Parsed, Skipped
from retrieval.parsing.titles import plausible_title
from retrieval.passages import Metadata
from retrieval.sectioning.blocks import ParsedBlock, assemble

if TYPE_CHECKING:
    import pypdfium2

# PDFium may be used by one thread at a time, whatever the number of documents.
_PDFIUM = Lock()

_HYPHENS = "\ufffe\x02"
_BOLD_NAME = re.compile(rb"bold|black|heavy|demi", re.IGNORECASE)
_BOLD_WEIGHT = 600
# Smaller type than this is not meant for people: identifiers, keywords for machines.
_SMALLEST = 3.0


def parse(name: str, data: bytes) -> Parsed | Skipped:
    """The text layer, page by page; a title from the properties only if somebody meant it to be read."""
    import pypdfium2

    try:
        with _PDFIUM, closing(pypdfium2.PdfDocument(data)) as pdf:
            pages = [list(_lines(pdf, number)) for number in range(len(pdf))]
            outline, title = _said(pdf)
    except pypdfium2.PdfiumError as error:
        return _refusal(error)
    if not any(pages):
        return Skipped("no-text", f"none of its {len(pages)} pages has a text layer; it is probably a scan")
    found = list(pieces(pages, outline))
    return assemble(found, Metadata(title=_title(title, found)))


def _refusal(error: "pypdfium2.PdfiumError") -> Skipped:
    from pypdfium2 import raw

    if error.err_code in (raw.FPDF_ERR_PASSWORD, raw.FPDF_ERR_SECURITY):
        return Skipped("encrypted", "it opens only with a password")
    return Skipped("malformed", "it is no PDF that can be opened, or it is damaged")


def _said(pdf: "pypdfium2.PdfDocument") -> tuple[list[Entry], str]:
    """The outline and the title; damage to either does not take the pages with it."""
    try:
        return list(_outline(pdf)), pdf.get_metadata_value("Title")
    except UnicodeError:
        return [], ""


def _outline(pdf: "pypdfium2.PdfDocument") -> Iterator[Entry]:
    for bookmark in pdf.get_toc(max_depth=6):
        target = bookmark.get_dest()
        page = target.get_index() if target else None
        if page is not None:
            yield Entry(bookmark.get_title(), bookmark.level + 1, page + 1)


def _title(title: str, found: list[ParsedBlock]) -> str:
    headings = (one_line(piece.text) for piece in found if piece.kind == "heading")
    return plausible_title(title) or next(headings, "")


def _lines(pdf: "pypdfium2.PdfDocument", number: int) -> Iterator[Line]:
    import pypdfium2

    try:
        page = pdf[number]
    except pypdfium2.PdfiumError:
        return  # one broken page does not take the others with it
    with closing(page), closing(page.get_textpage()) as text:
        setting = _Setting(text, page.get_rotation())
        for first, characters in _spans(_characters(text)):
            if line := setting.line(number + 1, first, characters):
                yield line


def _characters(text: "pypdfium2.PdfTextPage") -> str:
    from pypdfium2 import raw

    codes = (raw.FPDFText_GetUnicode(text, index) for index in range(text.count_chars()))
    return "".join(chr(code) if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000 else " " for code in codes)


def _spans(characters: str) -> Iterator[tuple[int, str]]:
    """Lines with the index of their first character; PDFium puts one sign where a word is broken at a line's end."""
    start = 0
    for found in re.finditer(rf"[\r\n]+|[{_HYPHENS}]|\Z", characters):
        end = found.end() if found[0] in _HYPHENS else found.start()
        if end > start:
            yield start, characters[start:end]
        start = found.end()


class _Setting:
    """Where the characters of one page stand and what type they are set in."""

    def __init__(self, text: "pypdfium2.PdfTextPage", rotation: int) -> None:
        from pypdfium2 import raw

        self._text = text
        self._rotation = rotation
        self._raw: Any = raw
        self._box = raw.FS_RECTF()
        self._matrix = raw.FS_MATRIX()
        self._name = ctypes.create_string_buffer(128)

    def line(self, page: int, first: int, characters: str) -> Line | None:
        """The line, its place taken from its first and last visible character; None when nobody can read it."""
        is_broken = characters[-1] in _HYPHENS
        visible = [first + offset for offset, character in enumerate(characters.rstrip(_HYPHENS)) if character > " "]
        if not visible:
            return None
        start, end = self._place(visible[0]), self._place(visible[-1])
        samples = {visible[0], visible[len(visible) // 2], visible[-1]}
        size = max(map(self._size, samples))
        if max(size, start[3] - start[1]) < _SMALLEST:
            return None
        return Line(
            page=page,
            text=one_line(characters.rstrip(_HYPHENS)),
            left=min(start[0], end[0]),
            right=max(start[2], end[2]),
            y=min(start[1], end[1]),
            size=size,
            bold=all(map(self._is_bold, samples)),
            broken=is_broken,
        )

    def _place(self, index: int) -> tuple[float, float, float, float]:
        """Left, bottom, right, top as the reader sees them on a page that may be turned."""
        self._raw.FPDFText_GetLooseCharBox(self._text, index, self._box)
        left, bottom, right, top = self._box.left, self._box.bottom, self._box.right, self._box.top
        match self._rotation:
            case 90:
                return bottom, -right, top, -left
            case 180:
                return -right, -top, -left, -bottom
            case 270:
                return -top, left, -bottom, right
        return left, bottom, right, top

    def _size(self, index: int) -> float:
        self._raw.FPDFText_GetMatrix(self._text, index, self._matrix)
        scale = (self._matrix.c**2 + self._matrix.d**2) ** 0.5
        return max(float(self._raw.FPDFText_GetFontSize(self._text, index) * scale), 1.0)

    def _is_bold(self, index: int) -> bool:
        if self._raw.FPDFText_GetFontWeight(self._text, index) >= _BOLD_WEIGHT:
            return True
        self._name.value = b""
        self._raw.FPDFText_GetFontInfo(self._text, index, self._name, len(self._name), None)
        return _BOLD_NAME.search(self._name.value) is not None
