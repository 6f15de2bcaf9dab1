"""Markdown as its readers see it: GitHub tables, footnotes, admonitions, raw HTML, and the author's own numbers."""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from textwrap import dedent
from typing import TYPE_CHECKING

from retrieval.parsing.cleaning import clean
from retrieval.parsing.html import fragment, is_tag
from retrieval.parsing.plain import opened, reads_as_prose
from retrieval.parsing.protocol import Parsed, Skipped
from retrieval.sectioning.blocks import ParsedBlock, assemble, row_text

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_ATTRIBUTES = re.compile(r"\s*\{:?\s*([#.][^{}]*)\}\s*$")
_EXPLICIT_ID = re.compile(r"#([^\s.#{}]+)")
_TAG = re.compile(r"</?([A-Za-z][A-Za-z0-9-]*)(?=[\s/>])")
_TAG_ID = re.compile(r"""<[A-Za-z][^>]*?\s(?:id|name)\s*=\s*["']?([^\s"'>]+)""")
_LINE_BREAK = re.compile(r"<br\b", re.IGNORECASE)
_NOT_IN_SLUG = re.compile(r"[^\w\- ]")
# Two dashes under a paragraph make it a heading in Markdown, but nobody writes a heading this long.
_LONGEST_HEADING = 200


def parse(name: str, data: bytes) -> Parsed | Skipped:
    """The text without its markup; headings get the id that their author or GitHub gives them."""
    parts = opened(data)
    if isinstance(parts, Skipped):
        return parts
    metadata, body = parts
    return assemble(_with_slugs(_pieces(body)), metadata)


def _pieces(text: str, *, headings: bool = True) -> Iterator[ParsedBlock]:
    reader = _Reader()
    for token in _parser(headings=headings).parse(text):
        yield from reader.take(token)


@cache
def _parser(*, headings: bool) -> "MarkdownIt":
    from markdown_it import MarkdownIt
    from mdit_py_plugins.admon import admon_plugin
    from mdit_py_plugins.deflist import deflist_plugin
    from mdit_py_plugins.footnote import footnote_plugin

    parser = MarkdownIt("commonmark", {"maxNesting": 40}).enable(["table", "strikethrough"])
    parser.use(admon_plugin).use(deflist_plugin).use(footnote_plugin)
    return parser if headings else parser.disable(["heading", "lheading"])


class _Reader:
    """Turns the parser's flat list of tokens into pieces."""

    def __init__(self) -> None:
        self._heading = 0
        self._depth = 0
        self._marker = ""
        self._anchor = ""
        self._cells: list[str] | None = None
        self._in_head = False

    def take(self, token: "Token") -> Iterator[ParsedBlock]:
        match token.type:
            case "inline":
                yield from self._inline(token)
            case "tr_close":
                yield from self._row()
            case "fence":
                yield ParsedBlock("code", token.content)
            case "code_block":
                yield from _indented(token.content)
            case "html_block":
                yield from self._raw(token.content)
            case _:
                self._note(token)

    def _note(self, token: "Token") -> None:
        """Tokens without text say where the text after them stands."""
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
                self._marker = f"{_footnote(token)} "
            case "thead_open" | "thead_close":
                self._in_head = token.nesting > 0
            case "tr_open":
                self._cells = []

    def _inline(self, token: "Token") -> Iterator[ParsedBlock]:
        children = token.children or []
        text = _inline_text(children)
        anchor = next((child.content for child in children if child.type == "html_inline" and "=" in child.content), "")
        if found := _TAG_ID.search(anchor):
            self._anchor = found[1]
        if self._cells is not None:
            self._cells.append(text)
        elif self._heading and len(text) <= _LONGEST_HEADING:
            yield self._titled(text)
        elif text.strip():
            yield self._placed(text)

    def _titled(self, text: str) -> ParsedBlock:
        found = _ATTRIBUTES.search(text)
        given = _EXPLICIT_ID.search(found[1]) if found else None
        anchor = given[1] if given else self._spend()
        return ParsedBlock("heading", text[: found.start()] if found else text, self._heading, anchor)

    def _placed(self, text: str) -> ParsedBlock:
        marker, self._marker = self._marker, ""
        if not marker:
            return ParsedBlock("paragraph", text, 0, self._spend())
        return ParsedBlock("item" if self._depth else "paragraph", marker + text, self._depth, self._spend())

    def _spend(self) -> str:
        anchor, self._anchor = self._anchor, ""
        return anchor

    def _row(self) -> Iterator[ParsedBlock]:
        cells, self._cells = self._cells or [], None
        yield ParsedBlock("table-head" if self._in_head else "row", row_text(cells))

    def _raw(self, markup: str) -> Iterator[ParsedBlock]:
        for piece in fragment(_TAG.sub(_escape_unknown, markup)):
            if piece.text:
                yield ParsedBlock(piece.kind, piece.text, piece.level, piece.anchor or self._spend())
            else:
                self._anchor = piece.anchor


def _inline_text(tokens: Sequence["Token"]) -> str:
    return "".join(map(_token_text, tokens))


def _token_text(token: "Token") -> str:
    match token.type:
        case "softbreak" | "hardbreak":
            return "\n"
        case "image":
            return _inline_text(token.children or [])
        case "html_inline":
            return _tag_text(token.content)
        case "footnote_ref":
            return _footnote(token)
        case _:
            return token.content


def _tag_text(markup: str) -> str:
    """A line break for `<br>`, nothing for other HTML; `<your name>` is no HTML and stays."""
    if _LINE_BREAK.match(markup):
        return "\n"
    tag = _TAG.match(markup)
    return markup if tag and not is_tag(tag[1]) else ""


def _escape_unknown(tag: re.Match[str]) -> str:
    return tag[0] if is_tag(tag[1]) else f"&lt;{tag[0][1:]}"


def _footnote(token: "Token") -> str:
    return f"[{token.meta.get('label') or token.meta['id'] + 1}]"


def _indented(content: str) -> Iterator[ParsedBlock]:
    """Policies indent whole paragraphs; only what does not read like sentences is code."""
    if reads_as_prose(content):
        yield from _pieces(dedent(content), headings=False)
    else:
        yield ParsedBlock("code", content)


def _with_slugs(pieces: Iterator[ParsedBlock]) -> Iterator[ParsedBlock]:
    """Headings without an id get GitHub's: the second of the same name ends in `-1`."""
    taken: dict[str, int] = {}
    for piece in pieces:
        if piece.kind != "heading":
            yield piece
            continue
        anchor = piece.anchor or _free_slug(piece.text, taken)
        taken.setdefault(anchor, 0)
        yield ParsedBlock("heading", piece.text, piece.level, anchor)


def _free_slug(heading: str, taken: dict[str, int]) -> str:
    slug = unique = _NOT_IN_SLUG.sub("", clean(heading).strip().lower()).replace(" ", "-")
    while unique in taken:
        taken[slug] += 1
        unique = f"{slug}-{taken[slug]}"
    return unique
