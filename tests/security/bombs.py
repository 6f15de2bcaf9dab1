"""Small files that take much memory or time to read, each made when it is asked for."""

import struct
import zlib
from collections.abc import Callable, Iterable
from io import BytesIO
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZipFile

from docx import Document
from docx.oxml.ns import nsdecls

MIB = 1024 * 1024

_EMPTY = BytesIO()
Document().save(_EMPTY)


def packed(piece: bytes, times: int) -> bytes:
    """What `piece`, repeated, is as a zlib stream, without ever holding it whole."""
    stream = zlib.compressobj(9)
    return b"".join([*(stream.compress(piece) for _ in range(times)), stream.flush()])


def pdf(content: bytes, *, filters: str = "/FlateDecode", pages: int = 1, more: Iterable[bytes] = ()) -> bytes:
    """A PDF each of whose pages shows this content stream."""
    kids = " ".join(f"{number} 0 R" for number in range(5, 5 + pages))
    resources = f"<< /Font << /F1 3 0 R >> /XObject << /X0 {5 + pages} 0 R >> >>"
    page = f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources {resources} >>".encode()
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {pages} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        f"<< /Length {len(content)} /Filter {filters} >>\nstream\n".encode() + content + b"\nendstream",
        *[page] * pages,
        *more,
    ]
    file, offsets = bytearray(b"%PDF-1.4\n"), []
    for number, each in enumerate(objects, start=1):
        offsets.append(len(file))
        file += f"{number} 0 obj\n".encode() + each + b"\nendobj\n"
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    trailer = f"trailer << /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{len(file)}\n%%EOF"
    return bytes(file) + f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}{trailer}".encode()


def pdf_of_much_text() -> bytes:
    """Less than 0.1 MB that take 7 GB: a content stream that shows the same words for ever."""
    return pdf(packed(b"BT /F1 10 Tf 72 700 Td (aaaaaaaaaaaaaaaaaaaaaaaa) Tj ET\n" * 10_000, 40))


def pdf_of_nothing_much() -> bytes:
    """A content stream of 600 MiB of white space."""
    return pdf(packed(b" " * MIB, 600))


def pdf_packed_twice() -> bytes:
    return pdf(zlib.compress(packed(b" " * MIB, 600), 9), filters="[/FlateDecode /FlateDecode]")


def pdf_of_forms_in_forms() -> bytes:
    """Ten forms that each show the next one ten times."""

    def form(number: int) -> bytes:
        content = b"/X0 Do " * 10 if number < 9 else b"BT /F1 10 Tf 72 700 Td (aaaaaaaaaaaaaaaaaaaaaaaa) Tj ET"
        head = f"<< /Type /XObject /Subtype /Form /BBox [0 0 595 842] /Length {len(content)} /Resources "
        inner = f"<< /Font << /F1 3 0 R >> /XObject << /X0 {7 + number} 0 R >> >> >>\nstream\n"
        return (head + inner).encode() + content + b"\nendstream"

    return pdf(zlib.compress(b"/X0 Do"), more=[form(number) for number in range(10)])


def pdf_of_many_pages() -> bytes:
    """Pages that share one stream of plain text."""
    return pdf(packed(b"BT /F1 10 Tf 72 700 Td (aaaaaaaaaaaaaaaaaaaaaaaa) Tj ET\n" * 10, 100), pages=5000)


def word(parts: dict[str, bytes], *, method: int = ZIP_DEFLATED) -> bytes:
    """An empty Word document with these parts replaced or added."""
    buffer = BytesIO()
    with ZipFile(_EMPTY) as old, ZipFile(buffer, "w", method, compresslevel=9) as new:
        for name in old.namelist():
            if name not in parts:
                new.writestr(name, old.read(name))
        for name, content in parts.items():
            new.writestr(name, content)
    return buffer.getvalue()


def word_body(body: str) -> bytes:
    return f"<w:document {nsdecls('w')}><w:body>{body}</w:body></w:document>".encode()


def word_of_much_text() -> bytes:
    return word({"word/document.xml": word_body("<w:p><w:r><w:t>a</w:t></w:r></w:p>" * 3_300_000)})


def word_that_lies_about_its_size() -> bytes:
    """0.5 MB that unpack to 500 MiB, of which the archive says that they are ten bytes."""
    content = packed(b" " * MIB, 500)[2:-4]  # without what zlib puts around it
    checksum = zlib.crc32(b" " * 10)
    buffer = BytesIO()
    with ZipFile(_EMPTY) as old, ZipFile(buffer, "w", ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, b"" if name == "word/document.xml" else old.read(name))
            if name == "word/document.xml":
                _write_packed(new, content, said=10, checksum=checksum)
    return buffer.getvalue()


def _write_packed(archive: ZipFile, content: bytes, *, said: int, checksum: int) -> None:
    """Put a stream that is packed already into the place of the last, empty entry."""
    entry = archive.infolist()[-1]
    stream = archive.fp
    assert stream is not None
    stream.seek(entry.header_offset + 14)
    stream.write(struct.pack("<LLL", checksum, len(content), said))
    stream.seek(entry.header_offset + 30 + len(entry.filename.encode()))
    stream.write(content)
    archive.start_dir = stream.tell()
    entry.CRC, entry.compress_size, entry.file_size, entry.compress_type = checksum, len(content), said, ZIP_DEFLATED


def word_packed_in_another_way() -> bytes:
    return word({"word/document.xml": b" " * 300 * MIB}, method=ZIP_BZIP2)


def word_of_style_chains() -> bytes:
    """Styles that are each based on the one before, and as many paragraphs of the last one."""
    number = 20_000
    styles = "".join(
        f'<w:style w:type="paragraph" w:styleId="s{n}"><w:name w:val="n{n}"/><w:basedOn w:val="s{n - 1}"/></w:style>'
        for n in range(number)
    )
    paragraph = f'<w:p><w:pPr><w:pStyle w:val="s{number - 1}"/></w:pPr><w:r><w:t>a</w:t></w:r></w:p>'
    return word(
        {
            "word/document.xml": word_body(paragraph * number),
            "word/styles.xml": f"<w:styles {nsdecls('w')}>{styles}</w:styles>".encode(),
        }
    )


def word_of_deep_lists() -> bytes:
    """A list whose level is the 999,999,999th, and whose markers are long."""
    level = '<w:lvl w:ilvl="999999999"><w:start w:val="1"/><w:numFmt w:val="decimal"/><w:lvlText w:val="%1"/></w:lvl>'
    long = f'<w:lvl w:ilvl="0"><w:numFmt w:val="decimal"/><w:lvlText w:val="{"%1" * 100_000}"/></w:lvl>'
    numbering = f'<w:abstractNum w:abstractNumId="7">{level}{long}</w:abstractNum>'
    numbering += '<w:num w:numId="7"><w:abstractNumId w:val="7"/></w:num>'
    paragraph = (
        '<w:p><w:pPr><w:numPr><w:ilvl w:val="{}"/><w:numId w:val="7"/></w:numPr></w:pPr><w:r><w:t>a</w:t></w:r></w:p>'
    )
    return word(
        {
            "word/document.xml": word_body(paragraph.format(999_999_999) + paragraph.format(0) * 10_000),
            "word/numbering.xml": f"<w:numbering {nsdecls('w')}>{numbering}</w:numbering>".encode(),
        }
    )


def word_of_tables_in_tables() -> bytes:
    inner = "<w:p><w:r><w:t>a</w:t></w:r></w:p>" * 200
    for _ in range(60):
        inner = f"<w:tbl><w:tr><w:tc>{inner}</w:tc><w:tc>{'<w:p/>' * 200}</w:tc></w:tr></w:tbl>"
    return word({"word/document.xml": word_body(inner)})


def page_of_one_tag() -> bytes:
    attributes = " ".join(f"a{number}=b" for number in range(300_000))
    return f"<html><body><p {attributes}>Text</p></body></html>".encode()


def page_of_open_tags() -> bytes:
    return b"<html><body>" + b"<div><b><i>" * 300_000 + b"Text"


def page_of_many_cells() -> bytes:
    return b"<table>" + (b"<tr>" + b"<td>a" * 300) * 3000 + b"</table>"


def newlines() -> bytes:
    return b"Text" + b"\n" * 60 * MIB + b"text"


def list_markers() -> bytes:
    return b"- " * 4 * MIB + b"text"


def quote_markers() -> bytes:
    return (b"> " * 1000 + b"text\n") * 2000


def table_of_900_000_cells() -> bytes:
    row = b"|" + b"a|" * 300 + b"\n"
    return row + b"|" + b"-|" * 300 + b"\n" + row * 3000


def header_of_5_megabytes() -> bytes:
    return b"---\n" + b"".join(b"key%d: [a, b, c]\n" % number for number in range(250_000)) + b"---\nText"


def header_of_nested_lists() -> bytes:
    return b"---\naudience: " + b"[" * 100_000 + b"\n---\nText"


Bombs = tuple[Callable[[], bytes], ...]

# By the suffix of the file: what a parser bounds itself, and what it is stopped at.
BOUNDED: dict[str, Bombs] = {
    ".docx": (
        word_of_much_text,
        word_that_lies_about_its_size,
        word_packed_in_another_way,
        word_of_style_chains,
        word_of_deep_lists,
        word_of_tables_in_tables,
    ),
    ".html": (page_of_open_tags,),
    ".md": (newlines, quote_markers, header_of_nested_lists),
    ".txt": (newlines,),
}
STOPPED: dict[str, Bombs] = {
    ".pdf": (pdf_of_much_text, pdf_of_nothing_much, pdf_packed_twice, pdf_of_forms_in_forms, pdf_of_many_pages),
    ".html": (page_of_one_tag, page_of_many_cells),
    ".md": (table_of_900_000_cells,),
}
# Either: it takes long, and may come to be bounded.
EITHER: dict[str, Bombs] = {".md": (list_markers, header_of_5_megabytes)}
