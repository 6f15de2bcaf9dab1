"""PDF: the printed lines put back together to blocks, with the outline's headings and a title worth showing."""

from collections.abc import Iterator
from contextlib import closing
from threading import Lock
from typing import TYPE_CHECKING

from retrieval.characters import one_line
from retrieval.parsing.blocks import ParsedBlock, assemble
from retrieval.parsing.front_matter import misplaced_audience
from retrieval.parsing.pdf.headings import OutlineEntry
from retrieval.parsing.pdf.layout import find_blocks
from retrieval.parsing.pdf.page_text import read_lines
from retrieval.parsing.protocol import Parsed, Skipped
from retrieval.parsing.titles import plausible_title
from retrieval.passages import Metadata

if TYPE_CHECKING:
    import pypdfium2

# PDFium may be used by one thread at a time, whatever the number of documents.
_PDFIUM = Lock()


def parse(name: str, data: bytes) -> Parsed | Skipped:
    """The text layer, page by page; a title from the properties only if somebody meant it to be read."""
    import pypdfium2

    try:
        with _PDFIUM, closing(pypdfium2.PdfDocument(data)) as pdf:
            pages = [list(read_lines(pdf, number)) for number in range(len(pdf))]
            outline, title = _outline_and_title(pdf)
            properties = [pdf.get_metadata_value(name) for name in ("Subject", "Keywords")]
    except pypdfium2.PdfiumError as error:
        return _refusal(error)
    if not any(pages):
        return Skipped("no-text", f"none of its {len(pages)} pages has a text layer; it is probably a scan")
    blocks = list(find_blocks(pages, outline))
    parsed = assemble(blocks, Metadata(title=_title(title, blocks)))
    return parsed if isinstance(parsed, Skipped) else misplaced_audience(parsed.text, properties) or parsed


def _refusal(error: "pypdfium2.PdfiumError") -> Skipped:
    from pypdfium2 import raw

    if error.err_code in (raw.FPDF_ERR_PASSWORD, raw.FPDF_ERR_SECURITY):
        return Skipped("encrypted", "it opens only with a password")
    return Skipped("malformed", "it is no PDF that can be opened, or it is damaged")


def _outline_and_title(pdf: "pypdfium2.PdfDocument") -> tuple[list[OutlineEntry], str]:
    """The outline and the title; none of both when either is damaged, so that the pages can still be read."""
    try:
        return list(_outline(pdf)), pdf.get_metadata_value("Title")
    except UnicodeError:
        return [], ""


def _outline(pdf: "pypdfium2.PdfDocument") -> Iterator[OutlineEntry]:
    for bookmark in pdf.get_toc(max_depth=6):
        target = bookmark.get_dest()
        page = target.get_index() if target else None
        if page is not None:
            yield OutlineEntry(bookmark.get_title(), bookmark.level + 1, page + 1)


def _title(title: str, blocks: list[ParsedBlock]) -> str:
    headings = (one_line(block.text) for block in blocks if block.kind == "heading")
    return plausible_title(title) or next(headings, "")
