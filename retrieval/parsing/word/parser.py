"""DOCX: headings by style or outline level, lists with the numbers that Word shows, tables."""

from io import BytesIO
from zipfile import BadZipFile, ZipFile

from docx import Document

from retrieval.parsing.blocks import assemble
from retrieval.parsing.protocol import Parsed, Skipped
from retrieval.parsing.titles import plausible_title
from retrieval.parsing.word.body import BlockReader
from retrieval.passages import Metadata

ENCRYPTED = Skipped("encrypted", "it opens only with a password")
OLD_FORMAT = Skipped("malformed", "it is an old .doc under a new name; save it as .docx")
LARGEST_UNPACKED = 200 * 1024 * 1024

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED_STREAM = "EncryptedPackage".encode("utf-16-le")


def parse(name: str, data: bytes, *, largest_unpacked: int = LARGEST_UNPACKED) -> Parsed | Skipped:
    """The body's text; text boxes, headers, footers, footnotes and tracked deletions are left out.

    An archive that unpacks to more than `largest_unpacked` bytes is not unpacked.
    """
    if data.startswith(_OLE):
        return ENCRYPTED if _ENCRYPTED_STREAM in data else OLD_FORMAT
    try:
        with ZipFile(BytesIO(data)) as archive:
            entries = archive.infolist()
    except BadZipFile:
        return Skipped("malformed", "it is no Word document, or it is damaged")
    if any(entry.flag_bits & 1 for entry in entries):
        return ENCRYPTED
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > largest_unpacked:
        return Skipped("too-large", f"it unpacks to {unpacked / 1024**2:.0f} MiB")
    document = Document(BytesIO(data))
    title = plausible_title(document.core_properties.title or "")
    return assemble(BlockReader(document).blocks(document.element.body), Metadata(title=title))
