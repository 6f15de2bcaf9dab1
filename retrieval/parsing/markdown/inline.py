"""The text of inline Markdown: images by their description, footnotes by their label, HTML tags left out."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from retrieval.parsing.html.elements import is_tag

if TYPE_CHECKING:
    from markdown_it.token import Token

_TAG = re.compile(r"</?([A-Za-z][A-Za-z0-9-]*)(?=[\s/>])")
_LINE_BREAK = re.compile(r"<br\b", re.IGNORECASE)


def inline_text(tokens: Sequence["Token"]) -> str:
    """The text that these inline tokens show."""
    return "".join(map(_token_text, tokens))


def _token_text(token: "Token") -> str:
    match token.type:
        case "softbreak" | "hardbreak":
            return "\n"
        case "image":
            return inline_text(token.children or [])
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
