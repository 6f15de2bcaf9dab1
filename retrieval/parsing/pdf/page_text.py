"""Reads the printed lines of a PDF's page through PDFium, with their place and type."""

import ctypes
import re
from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any

from retrieval.characters import one_line
from retrieval.parsing.pdf.lines import Line

if TYPE_CHECKING:
    import pypdfium2

_HYPHENS = "\ufffe\x02"
_BOLD_NAME = re.compile(rb"bold|black|heavy|demi", re.IGNORECASE)
_BOLD_WEIGHT = 600
# Smaller type than this is not meant for people: identifiers, keywords for machines.
_SMALLEST = 3.0


def read_lines(pdf: "pypdfium2.PdfDocument", number: int) -> Iterator[Line]:
    """The lines of one page (counted from 0) in the file's order; none when the page is broken."""
    import pypdfium2

    try:
        page = pdf[number]
    except pypdfium2.PdfiumError:
        return
    with closing(page), closing(page.get_textpage()) as text:
        reader = _LineReader(text, page.get_rotation())
        for first, characters in _line_spans(_characters(text)):
            if line := reader.line(number + 1, first, characters):
                yield line


def _characters(text: "pypdfium2.PdfTextPage") -> str:
    from pypdfium2 import raw

    codes = (raw.FPDFText_GetUnicode(text, index) for index in range(text.count_chars()))
    return "".join(chr(code) if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000 else " " for code in codes)


def _line_spans(characters: str) -> Iterator[tuple[int, str]]:
    """Each line with the index of its first character; PDFium puts one sign where a word is broken at a line's end."""
    start = 0
    for found in re.finditer(rf"[\r\n]+|[{_HYPHENS}]|\Z", characters):
        end = found.end() if found[0] in _HYPHENS else found.start()
        if end > start:
            yield start, characters[start:end]
        start = found.end()


class _LineReader:
    """Reads where the characters of one page stand and what type they are set in."""

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
