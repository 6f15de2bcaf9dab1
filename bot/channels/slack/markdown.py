"""Renders Markdown as mrkdwn, for places that take no blocks of Markdown (pure)."""

from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.token import Token

from bot.channels.slack.escaping import mrkdwn, mrkdwn_link

_PARSER = MarkdownIt("commonmark", {"html": False}).enable("table")
_AROUND = {"strong_open": "*", "strong_close": "*", "em_open": "_", "em_close": "_"}
_GAP = "\n\n"
_BETWEEN_CELLS = " | "
_BETWEEN = {
    "heading_open": "*",
    "heading_close": f"*{_GAP}",
    "td_close": _BETWEEN_CELLS,
    "th_close": _BETWEEN_CELLS,
    "tr_close": "\n",
    "table_close": "\n",
    "bullet_list_close": "\n",
    "ordered_list_close": "\n",
    "hr": f"———{_GAP}",
}


def as_mrkdwn(text: str) -> str:
    """Return Markdown in mrkdwn: links, bold, code, lists; the cells of a table are apart, and headings bold."""
    return "".join(_blocks(_PARSER.parse(text))).replace(f"{_BETWEEN_CELLS}\n", "\n").strip()


def _blocks(tokens: list[Token]) -> Iterator[str]:
    for token in tokens:
        if token.type == "inline":
            yield _inline(token.children or [])
        elif token.type == "list_item_open":
            yield "  " * (token.level // 2) + (f"{token.info}{token.markup} " if token.info else "• ")
        elif token.type in {"fence", "code_block"}:
            yield f"```\n{mrkdwn(token.content)}```{_GAP}"
        elif token.type == "paragraph_close":
            yield "\n" if token.hidden else _GAP
        else:
            yield _BETWEEN.get(token.type, "")


def _inline(tokens: list[Token]) -> str:
    """Return a line with its marks; a link's label is plain."""
    shown, label, target = "", "", ""
    for token in tokens:
        if token.type == "link_open":
            label, target = "", str(token.attrGet("href") or "")
        elif token.type == "link_close":
            shown, target = shown + mrkdwn_link(target, label), ""
        elif target:
            label += token.content
        elif token.type == "code_inline":
            shown += f"`{mrkdwn(token.content)}`"
        elif token.type in {"softbreak", "hardbreak"}:
            shown += "\n"
        else:
            shown += _AROUND.get(token.type) or mrkdwn(token.content)
    return shown
