"""Markdown with GitHub's tables, footnotes, admonitions, raw HTML, and the author's own list numbers."""

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from textwrap import dedent
from typing import TYPE_CHECKING

from retrieval.parsing.blocks import ParsedBlock, assemble, linked_row
from retrieval.parsing.html.parser import parse_fragment
from retrieval.parsing.links import LinkedText, shift
from retrieval.parsing.markdown.inline import escape_unknown_tags, footnote_label, inline_text
from retrieval.parsing.markdown.slugs import assign_slugs
from retrieval.parsing.plain import decode_with_metadata, reads_as_prose
from retrieval.parsing.protocol import Parsed, Skipped

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_ATTRIBUTES = re.compile(r"(?:(?<!\s)\s++)?\{:?\s*+([#.][^{}]*+)\}\s*+$")
_EXPLICIT_ID = re.compile(r"#([^\s.#{}]+)")
_TAG_ID = re.compile(r"""<[A-Za-z](?:[^<>\s]|\s(?!(?:id|name)\s*+=))*+\s(?:id|name)\s*+=\s*+["']?([^\s"'>]+)""")
# Two dashes under a paragraph make it a heading in Markdown, but nobody writes a heading this long.
_LONGEST_HEADING = 200


def parse(name: str, data: bytes) -> Parsed | Skipped:
    """The text without its markup; headings get the id that their author or GitHub gives them."""
    parts = decode_with_metadata(data)
    if isinstance(parts, Skipped):
        return parts
    metadata, body = parts
    reader = _BlockReader()
    found = assemble(assign_slugs(_blocks(body, reader)), metadata)
    return replace(found, notes=reader.notes) if isinstance(found, Parsed) else found


def _blocks(text: str, reader: "_BlockReader", *, headings: bool = True) -> Iterator[ParsedBlock]:
    for token in _parser(headings=headings).parse(text):
        yield from reader.read(token)


@cache
def _parser(*, headings: bool) -> "MarkdownIt":
    from markdown_it import MarkdownIt
    from mdit_py_plugins.admon import admon_plugin
    from mdit_py_plugins.deflist import deflist_plugin
    from mdit_py_plugins.footnote import footnote_plugin

    parser = MarkdownIt("commonmark", {"maxNesting": 40}).enable(["table", "strikethrough"])
    parser.use(admon_plugin).use(deflist_plugin).use(footnote_plugin)
    return parser if headings else parser.disable(["heading", "lheading"])


class _BlockReader:
    """Turns the parser's flat list of tokens into blocks; `read` takes one token after the other.

    `notes` say what of the text could not be read.
    """

    def __init__(self) -> None:
        self.notes: tuple[Skipped, ...] = ()
        self._heading = 0
        self._depth = 0
        self._marker = ""
        self._anchor = ""
        self._cells: list[LinkedText] | None = None
        self._in_head = False

    def read(self, token: "Token") -> Iterator[ParsedBlock]:
        match token.type:
            case "inline":
                yield from self._inline(token)
            case "tr_close":
                yield from self._row()
            case "fence":
                yield ParsedBlock("code", token.content)
            case "code_block":
                yield from _indented_blocks(token.content)
            case "html_block":
                yield from self._raw(token.content)
            case _:
                self._track(token)

    def _track(self, token: "Token") -> None:
        """Keep where the text after this token stands: in a heading, list, table or footnote."""
        match token.type:
            case "heading_open":
                self._heading = int(token.tag[1])
            case "heading_close":
                self._heading = 0
            case "bullet_list_open" | "ordered_list_open" | "bullet_list_close" | "ordered_list_close":
                self._depth += token.nesting
            case "list_item_open":
                self._marker = f"{token.info}{token.markup} " if token.info else "- "
            case "list_item_close":
                self._marker = ""
            case "footnote_open":
                self._marker = f"{footnote_label(token)} "
            case "thead_open" | "thead_close":
                self._in_head = token.nesting > 0
            case "tr_open":
                self._cells = []

    def _inline(self, token: "Token") -> Iterator[ParsedBlock]:
        children = token.children or []
        linked = inline_text(children)
        anchor = next((child.content for child in children if child.type == "html_inline" and "=" in child.content), "")
        if found := _TAG_ID.search(anchor):
            self._anchor = found[1]
        if self._cells is not None:
            self._cells.append(linked)
        elif self._heading and len(linked.text) <= _LONGEST_HEADING:
            yield self._heading_block(linked)
        elif linked.text.strip():
            yield self._text_block(linked)

    def _heading_block(self, linked: LinkedText) -> ParsedBlock:
        found = _ATTRIBUTES.search(linked.text)
        given = _EXPLICIT_ID.search(found[1]) if found else None
        anchor = given[1] if given else self._take_anchor()
        title = linked.between(0, found.start()) if found else linked
        return ParsedBlock("heading", title.text, self._heading, anchor, links=title.links)

    def _text_block(self, linked: LinkedText) -> ParsedBlock:
        marker, self._marker = self._marker, ""
        text, links = marker + linked.text, shift(linked.links, len(marker))
        is_item = marker and self._depth
        return ParsedBlock(
            "item" if is_item else "paragraph", text, self._depth if marker else 0, self._take_anchor(), links=links
        )

    def _take_anchor(self) -> str:
        anchor, self._anchor = self._anchor, ""
        return anchor

    def _row(self) -> Iterator[ParsedBlock]:
        cells, self._cells = self._cells or [], None
        row = linked_row(cells)
        yield ParsedBlock("table-head" if self._in_head else "row", row.text, links=row.links)

    def _raw(self, markup: str) -> Iterator[ParsedBlock]:
        blocks, notes = parse_fragment(escape_unknown_tags(markup))
        self.notes = self.notes or notes
        for block in blocks:
            if block.text:
                yield replace(block, anchor=block.anchor or self._take_anchor())
            else:
                self._anchor = block.anchor


def _indented_blocks(content: str) -> Iterator[ParsedBlock]:
    """The blocks of indented text: policies indent whole paragraphs, so only what does not read like prose is code."""
    if reads_as_prose(content):
        yield from _blocks(dedent(content), _BlockReader(), headings=False)
    else:
        yield ParsedBlock("code", content)
