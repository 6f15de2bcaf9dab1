"""The text of inline Markdown: images by their description, footnotes by their label, HTML tags left out."""

import re
from collections.abc import Iterator, Sequence
from html import unescape
from typing import TYPE_CHECKING

from retrieval.parsing.html.elements import is_tag
from retrieval.parsing.links import LinkedText, address, linked

if TYPE_CHECKING:
    from markdown_it.token import Token

_TAG = re.compile(r"</?([A-Za-z][A-Za-z0-9-]*)(?=[\s/>])")
_LINE_BREAK = re.compile(r"<br\b", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""(?<![^\s"'<>/=])([^\s"'<>/=]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""")


def inline_text(tokens: Sequence["Token"]) -> LinkedText:
    """The text that these inline tokens show, with its links."""
    return linked(_runs(tokens))


def _runs(tokens: Sequence["Token"]) -> Iterator[tuple[str, str]]:
    """The text of each token with the address that it leads to; empty outside links."""
    url = ""
    for token in tokens:
        if token.type == "link_open":
            url = address(str(token.attrGet("href") or ""))
        elif token.type == "link_close":
            url = ""
        elif token.type == "html_inline" and (tag := _TAG.match(token.content)) and tag[1].lower() == "a":
            url = "" if token.content.startswith("</") else address(_href(token.content))
        yield _token_text(token), url


def _href(tag: str) -> str:
    """The first `href` of an HTML start tag; empty when it has none."""
    attributes = (found.groups("") for found in _ATTRIBUTE.finditer(tag))
    return next((unescape("".join(values)) for name, *values in attributes if name.lower() == "href"), "")


def _token_text(token: "Token") -> str:
    match token.type:
        case "softbreak" | "hardbreak":
            return "\n"
        case "image":
            return inline_text(token.children or []).text
        case "html_inline":
            return _tag_text(token.content)
        case "footnote_ref":
            return footnote_label(token)
        case _:
            return token.content


def _tag_text(markup: str) -> str:
    """A line break for `<br>`, nothing for other HTML; `<your name>` is no HTML and stays."""
    if _LINE_BREAK.match(markup):
        return "\n"
    tag = _TAG.match(markup)
    return markup if tag and not is_tag(tag[1]) else ""


def escape_unknown_tags(markup: str) -> str:
    """The markup with `<` escaped where HTML knows no such element."""
    return _TAG.sub(lambda tag: tag[0] if is_tag(tag[1]) else f"&lt;{tag[0][1:]}", markup)


def footnote_label(token: "Token") -> str:
    """A footnote's label in brackets, its number where it has none."""
    return f"[{token.meta.get('label') or token.meta['id'] + 1}]"
