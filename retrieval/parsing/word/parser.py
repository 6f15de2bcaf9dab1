"""DOCX: headings by style or outline level, lists with the numbers that Word shows, tables."""

from collections.abc import Iterator
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from docx import Document
from docx.document import Document as WordDocument
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml.parser import parse_xml

from retrieval.parsing.blocks import assemble
from retrieval.parsing.front_matter import misplaced_audience
from retrieval.parsing.protocol import Parsed, Skipped
from retrieval.parsing.titles import plausible_title
from retrieval.parsing.word.body import BlockReader
from retrieval.passages import Metadata

ENCRYPTED = Skipped("encrypted", "it opens only with a password")
OLD_FORMAT = Skipped("malformed", "it is an old .doc under a new name; save it as .docx")
# Bytes of XML; the text of a thousand pages is about 10 MiB.
LARGEST_UNPACKED = 100 * 1024 * 1024

_CUSTOM_PROPERTIES = RELATIONSHIP_TYPE.CUSTOM_PROPERTIES
_PIECE = 1024 * 1024
_XML = (".xml", ".rels")
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED_STREAM = "EncryptedPackage".encode("utf-16-le")


def parse(name: str, data: bytes, *, largest_unpacked: int = LARGEST_UNPACKED) -> Parsed | Skipped:
    """The body's text; text boxes, headers, footers, footnotes and tracked deletions are left out.

    An archive whose XML unpacks to more than `largest_unpacked` bytes is unpacked no further.
    """
    if data.startswith(_OLE):
        return ENCRYPTED if _ENCRYPTED_STREAM in data else OLD_FORMAT
    try:
        with ZipFile(BytesIO(data)) as archive:
            unpacked = _unpack(archive, largest_unpacked)
    except BadZipFile:
        return Skipped("malformed", "it is no Word document, or it is damaged")
    if isinstance(unpacked, Skipped):
        return unpacked
    document = Document(unpacked)
    title = plausible_title(document.core_properties.title or "")
    parsed = assemble(BlockReader(document).blocks(document.element.body), Metadata(title=title))
    return parsed if isinstance(parsed, Skipped) else misplaced_audience(parsed.text, _properties(document)) or parsed


def _properties(document: WordDocument) -> Iterator[str]:
    """What the document says of itself besides its title; properties of one's own as `name: value`."""
    core = document.core_properties
    yield from filter(None, (core.subject, core.keywords, core.category, core.comments, core.content_status))
    for relation in document.part.package.rels.values():
        if relation.reltype == _CUSTOM_PROPERTIES and not relation.is_external:
            for each in parse_xml(relation.target_part.blob):
                yield f"{each.get('name')}: {''.join(each.itertext())}"


def _unpack(archive: ZipFile, largest: int) -> BytesIO | Skipped:
    """The same archive, not compressed, with pictures and whatever else is no XML left empty.

    What an entry says of its size is not believed: the bytes are counted as they come.
    """
    unpacked = BytesIO()
    left = largest
    with ZipFile(unpacked, "w", ZIP_STORED) as target:
        for entry in {entry.filename: entry for entry in archive.infolist()}.values():
            if entry.flag_bits & 1:
                return ENCRYPTED
            content = _read(archive, entry, left) if entry.filename.lower().endswith(_XML) else b""
            left -= len(content)
            if left < 0:
                return Skipped("too-large", f"it unpacks to more than {largest / 1024**2:.0f} MiB of text and markup")
            target.writestr(entry.filename, content)
    return unpacked


def _read(archive: ZipFile, entry: ZipInfo, most: int) -> bytes:
    """The entry's content up to a little more than `most` bytes, unpacked piece by piece."""
    if entry.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        raise BadZipFile  # Word knows no other, and they cannot be unpacked piece by piece
    content = bytearray()
    with archive.open(entry) as stream:
        while len(content) <= most and (piece := stream.read(_PIECE)):
            content += piece
    return bytes(content)
