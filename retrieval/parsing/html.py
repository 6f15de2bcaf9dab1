"""HTML: what a reader sees of the page, in blocks, without menus, forms and footers."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from retrieval.parsing import front_matter
from retrieval.parsing.cleaning import one_line
from retrieval.parsing.decoding import decode
from retrieval.parsing.plain import NOT_TEXT, paragraphs, reads_as_prose
from retrieval.parsing.protocol import Parsed, Skipped
from retrieval.parsing.titles import plausible_title
from retrieval.passages import BlockKind, Metadata
from retrieval.sectioning.blocks import ParsedBlock, assemble, row_text

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_SECTIONS = frozenset({"article", "aside", "body", "details", "div", "fieldset", "figure", "main", "section"})
_LISTS = frozenset({"dir", "menu", "ol", "ul"})
_BREAKING = frozenset(
    """address blockquote body caption center dd dialog dl dt figcaption form header hgroup hr html legend li p pre
    search summary table tbody td tfoot th thead tr""".split()
).union(_HEADINGS, _SECTIONS, _LISTS)
# The library's list ends with HTML 4 and a few more.
_LATER_TAGS = _BREAKING | {"picture", "svg", "math", "template", "slot", "data"}
_UNSEEN = (
    "//script | //style | //template | //noscript | //svg | //math//annotation | //head | //nav | //footer"
    " | //*[@role='navigation' or @role='contentinfo' or @role='search'] | //*[@hidden and not(@hidden='until-found')]"
    " | //*[@aria-hidden='true'] | //button | //select | //input | //textarea | //option | //datalist"
    " | //iframe | //object | //embed | //canvas | //audio | //video | //map"
    " | //header[not(ancestor::main or ancestor::article) and not(.//h1 or .//h2)]"
    " | //*[contains(translate(@style, ' ', ''), 'display:none')]"
)
_CHARSET = re.compile(rb"<(?:meta|\?xml)[^>]*?(?:charset|encoding)\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
_WHITE = re.compile(r"[ \t\n\r\f]+")
_EMPTY_LINE = re.compile(r"\n[ ]*\n\s*")


def parse(name: str, data: bytes) -> Parsed | Skipped:
    """The page's text; its metadata is in `footnote:` meta tags, or before the page as site generators have it."""
    declared = _CHARSET.search(data[:4096])
    text = decode(data, declared[1].decode("ascii", errors="replace") if declared else "")
    if text is None:
        return NOT_TEXT
    parts = front_matter.split(text.replace("\r\n", "\n"))
    if isinstance(parts, Skipped):
        return parts
    header, page = parts
    root = _tree(page)
    if root is None:
        return Skipped("no-text", "there is no text in it")
    metadata = _metadata(root)
    if isinstance(metadata, Skipped):
        return metadata
    _prune(root)
    return assemble(_Reader().read(_core(root)), front_matter.merged(header, metadata))


def fragment(markup: str) -> list[ParsedBlock]:
    """The blocks of a piece of HTML inside another text; a last piece without text carries an anchor onwards."""
    root = _tree(f"<body>{markup}")
    if root is None:
        return []
    _prune(root)
    reader = _Reader()
    pieces = list(reader.read(root))
    return [*pieces, ParsedBlock("paragraph", "", anchor=reader.anchor)] if reader.anchor else pieces


def is_tag(name: str) -> bool:
    """Whether HTML knows an element of this name; `<your name>` is only written like one."""
    from lxml.html.defs import tags

    return name.lower() in tags or name.lower() in _LATER_TAGS


def _tree(text: str) -> "HtmlElement | None":
    from lxml import etree
    from lxml.html import HTMLParser, document_fromstring

    # As bytes, because a str with an XML declaration is refused; NUL would end the document.
    data = text.replace("\x00", "").encode("utf-8", errors="ignore")
    parser = HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, no_network=True, huge_tree=True)
    try:
        return document_fromstring(data, parser=parser)
    except (etree.ParserError, AssertionError):
        return None  # nothing but comments and white space


def _metadata(root: "HtmlElement") -> Metadata | Skipped:
    values: dict[str, object] = {}
    for meta in root.iter("meta"):
        key = (meta.get("name") or meta.get("property") or "").strip().lower()
        if key.startswith("footnote:"):
            key, content = key.removeprefix("footnote:"), meta.get("content") or ""
            values[key] = f"{values[key]},{content}" if key == "audience" and key in values else content
    if not values.get("title"):
        values["title"] = _title(root)
    return front_matter.metadata_from(values)


def _title(root: "HtmlElement") -> str:
    """`<title>`, else the first h1; a title inside a drawing is not the page's."""
    for path in ("//title[not(ancestor::*[local-name()='svg'])]", "//h1"):
        for element in root.xpath(path):
            if title := plausible_title(element.text_content()):
                return title
    return ""


def _prune(root: "HtmlElement") -> None:
    for element in root.xpath(_UNSEEN):
        if element.getparent() is not None:
            element.drop_tree()


def _core(root: "HtmlElement") -> "HtmlElement":
    """`<main>` or `<article>` if at least half of the page's text is in it, else the page."""
    total = len(_WHITE.sub("", root.text_content()))
    for tag in ("main", "article"):
        for element in root.iter(tag):
            if len(_WHITE.sub("", element.text_content())) * 2 >= total:
                return element
    return root


class _Reader:
    """Walks the tree once, without recursion, and cuts its text into pieces wherever a block starts or ends."""

    def __init__(self) -> None:
        self.anchor = ""
        self._text: list[str] = []
        self._kind: BlockKind = "paragraph"
        self._level = 0
        self._own = ""
        self._marker = ""
        self._lists: list[int | None] = []
        self._sections: list[tuple[HtmlElement, str, int]] = []
        self._count = 0

    def read(self, root: "HtmlElement") -> Iterator[ParsedBlock]:
        from lxml import etree

        walk = etree.iterwalk(root, events=("start", "end"))
        for event, element in walk:
            if not isinstance(element.tag, str):
                self._add(element.tail if event == "end" else "")
            elif event == "end":
                yield from self._leave(element)
                self._add(element.tail if element is not root else "")
            elif element.tag == "table" and _is_data(element):
                yield from self._flush()
                yield from self._table(element)
                walk.skip_subtree()
            elif element.tag == "pre":
                yield from self._flush()
                yield from _preformatted(element)
                walk.skip_subtree()
            else:
                yield from self._enter(element)
        yield from self._flush()

    def _enter(self, element: "HtmlElement") -> Iterator[ParsedBlock]:
        tag = element.tag
        if tag in _BREAKING:
            yield from self._flush()
            self._start_block(element)
        elif tag == "br":
            self._text.append("\n")
        elif tag == "img":
            self._add(element.get("alt"))
        elif tag in ("a", "span") and not "".join(self._text).strip():
            self.anchor = element.get("id") or element.get("name") or self.anchor
        self._add(element.text)

    def _start_block(self, element: "HtmlElement") -> None:
        tag, own = element.tag, element.get("id") or ""
        if tag in _SECTIONS:
            self._sections.append((element, own, self._count))
        if tag in _HEADINGS:
            self._kind, self._level = "heading", _HEADINGS[tag]
            around, further = self._section_anchors()
            self._own = own or around or _inner_anchor(element) or self.anchor or further
        else:
            self._own = own
        if tag in _LISTS:
            self._lists.append(_first_number(element))
        elif tag == "li":
            self._marker = self._next_marker(element)

    def _leave(self, element: "HtmlElement") -> Iterator[ParsedBlock]:
        if element.tag not in _BREAKING:
            return
        yield from self._flush()
        if self._sections and self._sections[-1][0] is element:
            self._sections.pop()
        if element.tag in _HEADINGS:
            self._kind, self._level = "paragraph", 0
        elif element.tag in _LISTS and self._lists:
            self._lists.pop()
        elif element.tag == "li":
            self._marker = ""

    def _add(self, text: str | None) -> None:
        if text:
            self._text.append(_WHITE.sub(" ", text))

    def _flush(self) -> Iterator[ParsedBlock]:
        """What was read since the last block started; two line breaks in a row begin another piece."""
        text = "".join(self._text).strip()
        self._text.clear()
        if not text:
            return
        self._count += 1
        anchor, self._own, self.anchor = self._own or self.anchor, "", ""
        if self._kind == "heading":
            yield ParsedBlock("heading", text, self._level, anchor)
            return
        for part in _EMPTY_LINE.split(text):
            if self._marker:
                yield ParsedBlock("item", self._marker + part.lstrip(), len(self._lists) or 1, anchor)
            else:
                yield ParsedBlock("paragraph", part, 0, anchor)
            anchor = self._marker = ""

    def _section_anchors(self) -> tuple[str, str]:
        """The ids of the innermost sections that begin with this heading, and with text before it.

        From now on all sections around have had their heading.
        """
        close = (own for _, own, count in reversed(self._sections) if own and count == self._count)
        far = (own for _, own, count in reversed(self._sections) if own and count != self._count)
        found = next(close, ""), next(far, "")
        self._sections = [(element, "", count) for element, _, count in self._sections]
        return found

    def _next_marker(self, item: "HtmlElement") -> str:
        number = self._lists[-1] if self._lists else None
        if number is None:
            return "- "
        number = _integer(item.get("value"), number)
        self._lists[-1] = number + 1
        return f"{_lettered(number, item)}. "

    def _table(self, table: "HtmlElement") -> Iterator[ParsedBlock]:
        self._count += 1
        anchor = table.get("id") or self.anchor
        self.anchor = ""
        for caption in table.iter("caption"):
            yield ParsedBlock("paragraph", _visible(caption), 0, anchor)
            anchor = ""
        is_first = True
        for row in table.iter("tr"):
            cells = [cell for cell in row if cell.tag in ("td", "th")]
            text = row_text(map(_visible, cells))
            if text:
                is_head = is_first and (
                    next(row.iterancestors("thead"), None) is not None or all(cell.tag == "th" for cell in cells)
                )
                yield ParsedBlock("table-head" if is_head else "row", text, 0, row.get("id") or anchor)
                anchor, is_first = "", False


def _is_data(table: "HtmlElement") -> bool:
    """A table of facts: no other table, heading or form in it, and somewhere two cells side by side."""
    if table.get("role") in ("presentation", "none"):
        return False
    if next(table.iterdescendants("table", "h1", "h2", "h3", "h4", "h5", "h6"), None) is not None:
        return False
    return any(len(row.findall("td")) + len(row.findall("th")) > 1 for row in table.iter("tr"))


def _visible(element: "HtmlElement") -> str:
    """A cell's text on one line; what starts a block or a line inside it stays a word apart."""
    parts: list[str] = []
    for inner in element.iter():
        if inner.tag in _BREAKING or inner.tag == "br":
            parts.append(" ")
        parts.append(inner.get("alt") or "" if inner.tag == "img" else inner.text or "")
        if inner is not element:
            parts.append(inner.tail or "")
    return one_line("".join(parts))


def _preformatted(element: "HtmlElement") -> Iterator[ParsedBlock]:
    text = element.text_content()
    if reads_as_prose(text):
        yield from paragraphs(text)
    else:
        yield ParsedBlock("code", text, 0, element.get("id") or "")


def _inner_anchor(heading: "HtmlElement") -> str:
    found = (inner.get("id") or inner.get("name") for inner in heading.iterdescendants() if isinstance(inner.tag, str))
    return next((anchor for anchor in found if anchor), "")


def _first_number(element: "HtmlElement") -> int | None:
    return _integer(element.get("start"), 1) if element.tag == "ol" else None


def _integer(text: str | None, default: int) -> int:
    return int(text) if text and re.fullmatch(r"-?\d{1,9}", text.strip()) else default


def _lettered(number: int, item: "HtmlElement") -> str:
    """The number as the list's `type` shows it."""
    parent = item.getparent()
    style = parent.get("type") if parent is not None else None
    if style in ("a", "A") and 1 <= number <= 26:
        return chr(ord(style) + number - 1)
    return str(number)
