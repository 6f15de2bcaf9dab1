"""A message as a person sees it: its plain text, where its links go, whom it calls, what can be pressed (pure)."""

import html
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

Json = dict[str, Any]

MARK = re.compile(r"<([^<>\n]+)>")
BARE = re.compile(r"(?<![\w<|(\"'/])(?:https?://|mailto:)[^\s<>|)]+")
MARKDOWN = MarkdownIt("gfm-like", {"linkify": False})


@dataclass(frozen=True)
class Link:
    """What stands there to be pressed, and where it goes."""

    label: str
    url: str


@dataclass(frozen=True)
class Button:
    """Something that can be pressed or chosen, with the block that it stands in."""

    action: str
    label: str
    element: Json
    block: str


def plain(text: str) -> str:
    """Mrkdwn without its marks, as far as they carry meaning."""
    return html.unescape(MARK.sub(lambda found: _spoken(found.group(1)), text))


def _spoken(inside: str) -> str:
    target, _, label = inside.partition("|")
    if target[0] in "@#!":
        return target[0].replace("!", "@") + (label or target[1:])
    return label or target


def written(blocks: list[Json], text: str) -> str:
    """All that the message says, block by block; without blocks it is the text."""
    return "\n".join(_lines(blocks)) if blocks else plain(text)


def _lines(blocks: list[Json]) -> Iterator[str]:
    for kind, text in _written(blocks):
        yield _of_markdown(text) if kind == "markdown" else plain(text) if kind == "mrkdwn" else text


def _written(value: Any, label: str = "") -> Iterator[tuple[str, str]]:
    """(kind, text) of everything that is written, in order."""
    if isinstance(value, list):
        for each in value:
            yield from _written(each, label)
    if not isinstance(value, Mapping):
        return
    kind = value.get("type")
    if kind in {"markdown", "mrkdwn", "plain_text", "text", "raw_text"} and isinstance(value.get("text"), str):
        yield str(kind), value["text"]
        return
    if kind == "link":
        yield "text", str(value.get("text") or value.get("url"))
        return
    for key, inner in value.items():
        if key not in {"confirm", "accessibility_label", "value", "url", "options"}:
            yield from _written(inner, key)


def _of_markdown(text: str) -> str:
    """What stands there once Markdown is rendered."""
    return "\n".join(filter(None, map(_flat, MARKDOWN.parse(text))))


def _flat(token: Token) -> str:
    if token.type in {"fence", "code_block", "html_block"}:
        return token.content
    return "".join(
        "\n" if child.type in {"softbreak", "hardbreak"} else child.content
        for child in token.children or ()
        if child.type not in {"link_open", "link_close"}
    )


def links(blocks: list[Json], text: str) -> list[Link]:
    """Everything that can be followed, also what Slack makes a link by itself."""
    found: list[Link] = []
    for kind, said in list(_written(blocks)) or [("mrkdwn", text)]:
        if kind in {"mrkdwn", "markdown"}:
            found += [
                Link(html.unescape(inside.partition("|")[2] or inside), html.unescape(inside.partition("|")[0]))
                for inside in MARK.findall(said)
                if inside[0] not in "@#!" and re.match(r"[a-z]+:", inside)
            ]
            rest = MARK.sub(" ", said)
            if kind == "markdown":
                found += _markdown_links(said)
            found += [Link(each, each) for each in BARE.findall(html.unescape(rest)) if kind == "mrkdwn"]
    found += [Link(button.label, button.element["url"]) for button in buttons(blocks) if "url" in button.element]
    return list(dict.fromkeys([*found, *_rich_links(blocks)]))


def _rich_links(value: Any) -> Iterator[Link]:
    if isinstance(value, list):
        for each in value:
            yield from _rich_links(each)
    elif isinstance(value, Mapping):
        if value.get("type") == "link":
            yield Link(str(value.get("text") or value.get("url")), str(value.get("url")))
        for inner in value.values():
            yield from _rich_links(inner)


def _markdown_links(text: str) -> Iterator[Link]:
    """Links and images of Markdown, and addresses that stand there bare."""
    for token in MARKDOWN.parse(text):
        label, target = "", ""
        for child in token.children or ():
            if child.type == "link_open":
                label, target = "", str(child.attrGet("href"))
            elif child.type == "link_close":
                yield Link(label, target)
                target = ""
            elif child.type == "image":
                yield Link(child.content, str(child.attrGet("src")))
            elif target:
                label += child.content
            elif child.type == "text":
                yield from (Link(each, each) for each in BARE.findall(child.content))


def calls(blocks: list[Json], text: str) -> list[str]:
    """Whom the message calls: people, groups, channels and everybody, by their marks.

    The text beside blocks is what a notification says, and calls as well.
    """
    said = [*(said for kind, said in _written(blocks) if kind in {"mrkdwn", "markdown"}), text]
    marks = [inside for each in said for inside in MARK.findall(each) if inside[0] in "@#!"]
    return list(dict.fromkeys([*marks, *_rich_calls(blocks)]))


def _rich_calls(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for each in value:
            yield from _rich_calls(each)
    elif isinstance(value, Mapping):
        if value.get("type") in {"user", "usergroup", "channel", "broadcast"}:
            yield str(
                value.get("user_id") or value.get("usergroup_id") or value.get("channel_id") or value.get("range")
            )
        for inner in value.values():
            yield from _rich_calls(inner)


def buttons(blocks: list[Json]) -> list[Button]:
    """What can be pressed, in order; of a pair of feedback buttons both."""
    found: list[Button] = []
    for block in blocks:
        for element in [*block.get("elements", ()), *filter(None, [block.get("accessory"), block.get("element")])]:
            kind = element.get("type")
            if kind == "feedback_buttons":
                found += [
                    Button(
                        element["action_id"], element[side]["text"]["text"], element | {"side": side}, block["block_id"]
                    )
                    for side in ("positive_button", "negative_button")
                ]
            elif kind in {"button", "icon_button", "overflow", "static_select"}:
                label = (element.get("text") or element.get("placeholder") or {}).get("text", "")
                found.append(Button(element.get("action_id", ""), label, element, block["block_id"]))
    return found


def first(found: list[Button], wanted: Callable[[Button], bool], told: str) -> Button:
    """The one that is wanted; a person who does not find it sees what there is."""
    match = next(filter(wanted, found), None)
    assert match, f"there is no {told}; to be pressed: {[(each.action, each.label) for each in found]}"
    return match
