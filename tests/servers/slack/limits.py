"""What Slack refuses to show: the SDK's own rules for every block, and the limits that it does not know (pure)."""

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block, BlockElement
from slack_sdk.models.views import View

Json = dict[str, Any]

BLOCKS = 50
VIEW_BLOCKS = 100
MARKDOWN = 12_000  # of all Markdown in one message
ALL_TEXT = 13_200  # of all blocks together; undocumented, measured by several (bolt-js#2509, metabase#79908)
TEXT = 40_000
UPDATED_TEXT = 4_000  # chat.update refuses what chat.postMessage would cut
TABLE = 10_000

# What a text object may be where the SDK takes either.
PLAIN_ONLY = {"button": "text", "header": "text", "input": "label", "static_select": "placeholder"}
MESSAGE_ONLY = {"markdown", "context_actions", "table"}
LONGEST = {"button": 75, "header": 150, "input": 2000, "static_select": 150}

logging.getLogger("slack_sdk.models").setLevel(logging.ERROR)  # what it warns of is refused here


class Refused(Exception):
    """An error of the Web API, with what Slack adds to it."""

    def __init__(self, error: str, *details: str, **more: Any) -> None:
        super().__init__(error, *details)
        self.error = error
        self.details = details
        self.more = more


def check_blocks(blocks: Any, *, surface: str = "message", most: int = BLOCKS) -> None:
    """Raise `Refused` for blocks that Slack would not take on this surface."""
    if not isinstance(blocks, list) or not all(isinstance(block, dict) for block in blocks):
        raise Refused("invalid_blocks_format")
    problems = [*_form(blocks), *_counted(blocks, surface=surface, most=most)]
    if problems:
        raise Refused("invalid_blocks", *problems)
    if surface == "message" and text_length(blocks) > ALL_TEXT:
        raise Refused("msg_blocks_too_long")


def check_view(view: Any, kind: str) -> None:
    """Raise `Refused` for a view that cannot be shown as this kind."""
    if not isinstance(view, dict) or view.get("type") != kind:
        raise Refused("invalid_arguments", f"a view of the type {kind!r} is needed")
    try:
        View(**view).to_dict()
    except (SlackObjectFormationError, TypeError, AttributeError, ValueError) as error:
        raise Refused("invalid_arguments", str(error)) from error
    if kind == "modal" and not view.get("title"):
        raise Refused("invalid_arguments", "missing required field: title")
    inputs = [block for block in view.get("blocks", ()) if block.get("type") == "input"]
    if kind == "modal" and inputs and not view.get("submit"):
        raise Refused("invalid_arguments", "missing required field: submit")
    try:
        check_blocks(view.get("blocks"), surface=kind, most=VIEW_BLOCKS)
    except Refused as error:
        raise Refused("invalid_arguments", *error.details or (error.error,)) from error


def check_metadata(metadata: Any) -> None:
    if not isinstance(metadata, dict) or not isinstance(metadata.get("event_type"), str):
        raise Refused("invalid_metadata_format")
    if not isinstance(metadata.get("event_payload"), dict):
        raise Refused("invalid_metadata_format")


def text_length(blocks: Sequence[Json]) -> int:
    """How many characters all that is written in the blocks has."""
    return sum(len(text) for block in blocks for text in _texts(block))


def _form(blocks: Sequence[Json]) -> Iterator[str]:
    """What the SDK's own models say of each block, and what they would pass over in silence."""
    for number, block in enumerate(blocks):
        place = f"/blocks/{number}"
        try:
            made = Block.parse(block)
            if made is None:
                yield f"unsupported type: {block.get('type')} [{place}]"
                continue
            made.to_dict()
        except (SlackObjectFormationError, TypeError, AttributeError, ValueError) as error:
            yield f"{error} [{place}]"
            continue
        for key in block.keys() - made.attributes:
            yield f"no more than the known keys allowed: {key} [{place}]"
        yield from _inner(block, place)


def _inner(block: Json, place: str) -> Iterator[str]:
    """What is wrong with the elements and texts in a block."""
    _, *parts = _parts(block)
    for part in [block, *parts]:
        yield from (f"{problem} [{place}]" for problem in _part(part, inside=part is not block))
    if block["type"] == "context_actions":
        for element in block.get("elements", ()):
            if element.get("type") not in {"feedback_buttons", "icon_button"} or not element.get("action_id"):
                yield f"unsupported element: {element.get('type')} [{place}]"
    if block["type"] == "markdown" and not block.get("text"):
        yield f"must be more than 0 characters [{place}]"
    names = Counter(part["action_id"] for part in parts if part.get("action_id"))
    yield from (f"`action_id` {name} is there twice [{place}]" for name, count in names.items() if count > 1)


def _part(part: Json, *, inside: bool) -> Iterator[str]:
    kind = str(part.get("type", ""))
    if kind in {"plain_text", "mrkdwn"}:
        if not isinstance(part.get("text"), str) or not part["text"]:
            yield "must be more than 0 characters"
        return
    if inside and kind != "rich_text" and BlockElement.parse(part) is None:
        yield f"unsupported type: {kind}"
    wanted = PLAIN_ONLY.get(kind, "")
    text = part.get(wanted)
    if isinstance(text, dict) and text.get("type") != "plain_text":
        yield f"{wanted} of {kind} must be plain_text"
    if isinstance(text, dict) and len(str(text.get("text", ""))) > LONGEST[kind]:
        yield f"{wanted} of {kind} must be less than {LONGEST[kind] + 1} characters"


def _counted(blocks: Sequence[Json], *, surface: str, most: int) -> Iterator[str]:
    if len(blocks) > most:
        yield f"no more than {most} items allowed [/blocks]"
    names = Counter(block["block_id"] for block in blocks if block.get("block_id"))
    yield from (f"block_id {name} already exists" for name, count in names.items() if count > 1)
    kinds = Counter(str(block.get("type")) for block in blocks)
    if surface != "message":
        yield from (f"{kind} is not allowed here" for kind in kinds if kind in MESSAGE_ONLY)
    if kinds["table"] > 1:
        yield "only_one_table_allowed"
    tables = [block for block in blocks if block.get("type") == "table"]
    if any(len(table.get("rows", ())) > 100 or text_length([table]) > TABLE for table in tables):
        yield "the table is too long"
    if sum(len(block.get("text", "")) for block in blocks if block.get("type") == "markdown") > MARKDOWN:
        yield f"no more than {MARKDOWN} characters of markdown allowed"


def _parts(value: Any) -> Iterator[Json]:
    """The block and everything in it that has a type; what rich text is made of is not looked into."""
    if isinstance(value, Mapping):
        if "type" in value:
            yield dict(value)
        if value.get("type") in {"rich_text", "raw_text"}:
            return
        for key, inner in value.items():
            if key != "rows":
                yield from _parts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _parts(inner)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key == "text" and isinstance(inner, str):
                yield inner
            else:
                yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
