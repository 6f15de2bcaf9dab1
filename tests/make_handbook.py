"""Writes the PDF and DOCX files of the sample handbook from the texts in `tests/handbook_source/`.

Regenerate after changing a text, from the repository root:

    python -m tests.make_handbook                # into bot/handbook/
    python -m tests.make_handbook SOME_FOLDER    # elsewhere, to compare

The Markdown, HTML and plain text files of the handbook are written by hand and are their own source. Each source
file here holds a title block, a blank line between blocks, and a small part of Markdown: headings, paragraphs,
`- ` and `1. ` lists, and tables whose first row is the header. The output depends on the sources and the library
versions alone: no clock, no random identifiers.
"""

import io
import itertools
import re
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import docx
import yaml
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import Paragraph, SimpleDocTemplate, Table, TableStyle

COMPANY = "Tarnbrook Instruments"
SOURCE = Path(__file__).parent / "handbook_source"
HANDBOOK = Path(__file__).parent.parent / "bot" / "handbook"
PDFS = ("information-security", "health-and-safety")
DOCXS = ("code-of-conduct", "data-retention")
WRITTEN = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
NAVY = colors.HexColor("#1b365d")


@dataclass(frozen=True, slots=True)
class Block:
    """One heading, paragraph, list or table; `items` are the rows of a table, and `level` is 0 except for headings."""

    kind: str
    items: tuple[str, ...]
    level: int = 0


@dataclass(frozen=True, slots=True)
class Source:
    """A text to typeset, with what its title block says."""

    title: str
    author: str
    subject: str
    footer: str
    blocks: tuple[Block, ...]


def read_source(path: Path) -> Source:
    """The parsed source file; the footer is empty where the title block names none."""
    _, head, body = path.read_text(encoding="utf-8").split("---\n", 2)
    fields: dict[str, str] = yaml.safe_load(head)
    chunks = re.split(r"\n{2,}", body.strip())
    return Source(
        title=fields["title"],
        author=fields["author"],
        subject=fields["subject"],
        footer=fields.get("footer", ""),
        blocks=tuple(parse_block(chunk) for chunk in chunks),
    )


def parse_block(chunk: str) -> Block:
    """The block that the first characters of `chunk` announce; anything unmarked is a paragraph."""
    if heading := re.match(r"(#+) ", chunk):
        return Block("heading", (chunk[heading.end() :],), level=len(heading[1]))
    if chunk.startswith("|"):
        return Block("table", tuple(chunk.splitlines()))
    for kind, marker in (("bullets", r"(?:^|\n)- "), ("numbers", r"(?:^|\n)\d+\. ")):
        if re.match(marker, chunk):
            return Block(kind, tuple(one_line(item) for item in re.split(marker, chunk)[1:]))
    return Block("paragraph", (one_line(chunk),))


def one_line(text: str) -> str:
    return " ".join(text.split())


def cells(row: str) -> list[str]:
    return [cell.strip() for cell in row.strip("|").split("|")]


def write_pdf(source: Source, target: Path) -> None:
    """Typesets twice, because the footer states the number of pages."""
    pages = build_pdf(source, io.BytesIO(), pages=0)
    with target.open("wb") as out:
        build_pdf(source, out, pages=pages)


def build_pdf(source: Source, out: Any, *, pages: int) -> int:
    """Writes the PDF with its outline, header and footer to `out` and returns how many pages it has."""
    document = SimpleDocTemplate(
        out,
        pagesize=A4,
        leftMargin=24 * mm,
        rightMargin=24 * mm,
        topMargin=27 * mm,
        bottomMargin=25 * mm,
        title=source.title,
        author=f"{COMPANY}, {source.author}",
        subject=source.subject,
        invariant=1,
    )

    def outline(flowable: Any) -> None:
        if (level := getattr(flowable, "outline_level", None)) is not None:
            key = f"heading-{next(numbers)}"
            document.canv.bookmarkHorizontal(key, 0, document.frame._y + flowable.height)
            document.canv.addOutlineEntry(flowable.getPlainText(), key, level=level, closed=False)

    def furniture(canvas: Any, _: Any) -> None:
        draw_furniture(canvas, source, pages=pages)

    numbers = itertools.count()
    document.afterFlowable = outline
    document.build(list(pdf_story(source)), onFirstPage=furniture, onLaterPages=furniture)
    return int(document.page)


def draw_furniture(canvas: Any, source: Source, *, pages: int) -> None:
    """The header and footer lines of the current page."""
    left, right, top = 24 * mm, A4[0] - 24 * mm, A4[1] - 17 * mm
    canvas.saveState()
    canvas.setFont("Helvetica", 8)
    canvas.setFillColor(colors.HexColor("#555555"))
    canvas.setStrokeColor(colors.HexColor("#aaaaaa"))
    canvas.drawString(left, top, COMPANY)
    canvas.drawRightString(right, top, source.title)
    canvas.line(left, top - 2 * mm, right, top - 2 * mm)
    canvas.line(left, 17 * mm, right, 17 * mm)
    canvas.drawString(left, 13 * mm, source.footer)
    canvas.drawRightString(right, 13 * mm, f"Page {canvas.getPageNumber()} of {pages}")
    canvas.restoreState()


def heading_style(level: int) -> Any:
    size = {0: 21, 1: 14.5, 2: 11.5}[level]
    return ParagraphStyle(
        f"heading {level}",
        fontName="Helvetica-Bold",
        fontSize=size,
        leading=size * 1.25,
        textColor=NAVY,
        spaceBefore=size * 0.8,
        spaceAfter=size * 0.4,
        keepWithNext=True,
    )


BODY = ParagraphStyle("body", fontName="Helvetica", fontSize=10, leading=14, spaceAfter=6)
CLAUSE = ParagraphStyle("clause", parent=BODY, leftIndent=11 * mm, bulletFontName="Helvetica-Bold", bulletFontSize=10)
ITEM = ParagraphStyle("item", parent=BODY, leftIndent=7 * mm, bulletIndent=2 * mm, spaceAfter=3)
CELL = ParagraphStyle("cell", parent=BODY, fontSize=9, leading=11.5, spaceAfter=0)
HEADER_CELL = ParagraphStyle("header cell", parent=CELL, fontName="Helvetica-Bold", textColor=colors.white)


def pdf_story(source: Source) -> Iterator[Any]:
    """What the PDF shows, in order."""
    yield pdf_heading(source.title, level=0)
    yield Paragraph(escape(f"{source.subject}. Owner: {source.author}."), ParagraphStyle("lead", BODY, spaceAfter=12))
    for block in source.blocks:
        yield from pdf_block(block)


def pdf_heading(text: str, *, level: int) -> Any:
    """A heading that remembers where it was drawn, so that the outline can point there."""
    heading = Paragraph(escape(text), heading_style(level))
    heading.outline_level = level
    return heading


def pdf_block(block: Block) -> Iterator[Any]:
    if block.kind == "heading":
        yield pdf_heading(block.items[0], level=block.level)
    elif block.kind == "table":
        yield pdf_table(block)
    elif block.kind == "paragraph":
        yield pdf_paragraph(block.items[0])
    else:
        for number, item in enumerate(block.items, start=1):
            yield Paragraph(escape(item), ITEM, bulletText="•" if block.kind == "bullets" else f"{number}.")


def pdf_paragraph(text: str) -> Any:
    """A plain paragraph, or a clause with its number set in bold and hanging."""
    if clause := re.match(r"\d+(\.\d+)+ ", text):
        return Paragraph(escape(text[clause.end() :]), CLAUSE, bulletText=clause[0].strip())
    return Paragraph(escape(text), BODY)


def pdf_table(block: Block) -> Any:
    header, *rows = (cells(row) for row in block.items)
    data = [[Paragraph(escape(cell), HEADER_CELL) for cell in header]]
    data += [[Paragraph(escape(cell), CELL) for cell in row] for row in rows]
    look = [
        ("BACKGROUND", (0, 0), (-1, 0), NAVY),
        ("GRID", (0, 0), (-1, -1), 0.4, colors.HexColor("#b5bcc6")),
        ("NOSPLIT", (0, 0), (-1, -1)),
        ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
        ("ROWBACKGROUNDS", (0, 1), (-1, -1), [colors.white, colors.HexColor("#f3f5f8")]),
    ]
    width = (A4[0] - 48 * mm - 12) / len(header)  # 12: the padding of the page's frame
    return Table(
        data, colWidths=[width] * len(header), style=TableStyle(look), repeatRows=1, spaceBefore=4, spaceAfter=10
    )


def write_docx(source: Source, target: Path) -> None:
    """Writes a DOCX with the built-in styles, fixed dates in its properties and in its archive."""
    document = docx.Document()
    properties = document.core_properties
    properties.title, properties.subject = source.title, source.subject
    properties.author = properties.last_modified_by = f"{COMPANY}, {source.author}"
    properties.created = properties.modified = WRITTEN
    properties.comments = ""
    document.add_heading(source.title, level=0)
    for block in source.blocks:
        docx_block(document, block)
    buffer = io.BytesIO()
    document.save(buffer)
    target.write_bytes(with_fixed_dates(buffer.getvalue()))


def docx_block(document: Any, block: Block) -> None:
    if block.kind == "heading":
        document.add_heading(block.items[0], level=block.level)
    elif block.kind == "table":
        docx_table(document, block)
    else:
        style = {"bullets": "List Bullet", "numbers": "List Number"}.get(block.kind, "Normal")
        for item in block.items:
            document.add_paragraph(item, style=style)


def docx_table(document: Any, block: Block) -> None:
    rows = [cells(row) for row in block.items]
    table = document.add_table(rows=len(rows), cols=len(rows[0]), style="Light Grid Accent 1")
    for row, texts in zip(table.rows, rows, strict=True):
        for cell, text in zip(row.cells, texts, strict=True):
            cell.text = text
    document.add_paragraph()


def with_fixed_dates(archive: bytes) -> bytes:
    """The same ZIP archive with every member dated alike: python-docx stamps them with the present time."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            member = zipfile.ZipInfo(name, date_time=WRITTEN.timetuple()[:6])
            new.writestr(member, old.read(name), compress_type=zipfile.ZIP_DEFLATED)
    return out.getvalue()


def make(folder: Path) -> list[Path]:
    """Writes all four files into an existing folder and returns their paths."""
    written = []
    for names, suffix, write in ((PDFS, ".pdf", write_pdf), (DOCXS, ".docx", write_docx)):
        for name in names:
            target = folder / f"{name}{suffix}"
            write(read_source(SOURCE / f"{name}.md"), target)
            written.append(target)
    return written


if __name__ == "__main__":
    for path in make(Path(sys.argv[1]) if len(sys.argv) > 1 else HANDBOOK):
        sys.stdout.write(f"{path}\n")
