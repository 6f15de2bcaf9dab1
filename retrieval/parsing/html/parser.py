"""HTML: what a reader sees of the page, in blocks, without menus, forms and footers."""

import re
from dataclasses import replace

from retrieval.parsing import front_matter
from retrieval.parsing.blocks import ParsedBlock, assemble
from retrieval.parsing.decoding import decode
from retrieval.parsing.html.blocks import BlockReader
from retrieval.parsing.html.page import main_content, notes_of, parse_tree, read_base, read_metadata, remove_invisible
from retrieval.parsing.plain import NOT_TEXT
from retrieval.parsing.protocol import Parsed, Skipped

_CHARSET = re.compile(rb"<(?:meta|\?xml)[^>]*?(?:charset|encoding)\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
_LINE_END = re.compile(r"\r\n?")


def parse(name: str, data: bytes) -> Parsed | Skipped:
    """The page's text; its metadata is in `footnote:` meta tags, or before the page as site generators have it."""
    declared = _CHARSET.search(data[:4096])
    text = decode(data, declared[1].decode("ascii", errors="replace") if declared else "")
    if text is None:
        return NOT_TEXT
    parts = front_matter.split(_LINE_END.sub("\n", text), markup=True)
    if isinstance(parts, Skipped):
        return parts
    header, page = parts
    root = parse_tree(page)
    if root is None:
        return Skipped("no-text", "there is no text in it")
    metadata = read_metadata(root, page)
    if isinstance(metadata, Skipped):
        return metadata
    base, notes = read_base(root), notes_of(root)
    remove_invisible(root)
    found = assemble(BlockReader(base).read(main_content(root)), front_matter.merge(header, metadata))
    if isinstance(found, Skipped):
        return next(iter(notes), found)
    return front_matter.misplaced_audience(found.text) or replace(found, notes=notes)


def parse_fragment(markup: str) -> tuple[list[ParsedBlock], tuple[Skipped, ...]]:
    """The blocks of HTML inside another text, with notes; a last block without text carries an anchor onwards."""
    root = parse_tree(f"<body>{markup}")
    if root is None:
        return [], ()
    notes = notes_of(root)
    remove_invisible(root)
    reader = BlockReader()
    blocks = list(reader.read(root))
    if reader.anchor:
        blocks.append(ParsedBlock("paragraph", "", anchor=reader.anchor))
    return blocks, notes
