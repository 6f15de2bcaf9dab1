"""Reads Slack's payloads: messages, edits, deletions, commands and pressed buttons become events (pure)."""

import html
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from bot.channels.events import IncomingEvent, Kind, Place, PlaceKind, about_event, content_hash, message_event
from bot.channels.port import WrittenMessage

Json = dict[str, Any]

# Messages that a person wrote; every other subtype is something that Slack or an app says.
WRITTEN = frozenset({"", "thread_broadcast", "file_share", "me_message"})
PLACE_KINDS: dict[str, PlaceKind] = {"channel": "channel", "group": "private", "im": "direct", "mpim": "group"}
# What is an object wherever it stands in a payload, and what it may contain of these.
_OBJECTS: dict[str, tuple[str, ...]] = {
    "event": ("message", "previous_message", "edited", "item", "tokens", "assistant_thread"),
    "message": ("edited", "metadata"),
    "previous_message": (),
    "view": ("state",),
    **dict.fromkeys(
        ("enterprise", "user", "channel", "container", "edited", "item", "tokens", "state", "metadata"), ()
    ),
    "assistant_thread": (),
}
_TYPED: Json = {"type": ""}
_IN_PAYLOAD = ("event", "message", "view", "enterprise", "user", "channel", "container")
_MARK = re.compile(r"<([^<>]*)>")
_FIRST_MENTION = re.compile(r"\s*<@([A-Z0-9]+)")


def is_well_formed(payload: object) -> bool:
    """Whether a payload has the form that everything here relies on: what must be an object or a list is one."""
    if not isinstance(payload, dict) or not _has_objects(payload, _IN_PAYLOAD):
        return False
    event, view = payload.get("event", _TYPED), payload.get("view") or _TYPED
    actions, granted = payload.get("actions", [_TYPED]), payload.get("authorizations") or []
    lists_objects = all(
        isinstance(each, list) and all(isinstance(entry, dict) for entry in each) for each in (actions, granted)
    )
    return bool(lists_objects and actions and all(isinstance((each or {}).get("type"), str) for each in (event, view)))


def _has_objects(payload: Json, names: tuple[str, ...]) -> bool:
    """Whether each of these is an object, with objects in it, where it is there at all."""
    found = [(name, payload[name]) for name in names if payload.get(name) is not None]
    return all(isinstance(value, dict) and _has_objects(value, _OBJECTS[name]) for name, value in found)


def parse_message(body: Json, *, bot: str, bot_id: str) -> IncomingEvent | None:
    """Return a written, edited or deleted message; None for what no person wrote, and for an edit of no word.

    `bot` is the bot's own user, who is told apart from people by `bot_id` too.
    """
    event = body.get("event") or {}
    if event.get("type") not in {"message", "app_mention"}:
        return None
    subtype = str(event.get("subtype") or "")
    if subtype == "message_changed":
        return _parse_edit(body, event, bot=bot, bot_id=bot_id)
    if subtype == "message_deleted":
        return _parse_deletion(body, event, bot=bot, bot_id=bot_id)
    if not is_written(event, bot=bot):
        return None
    # A mention is told of again when its message is edited, as a new event: slack-go/slack#1256.
    return _parse_text(body, event, event, "edit" if _edited(event) else "question", bot=bot)


def parse_command(body: Json, *, team: str, bot: str) -> IncomingEvent:
    """Return a slash command; `team` is taken where the payload names none."""
    return IncomingEvent(
        "command",
        f"{body.get('team_id')}:{body.get('channel_id')}:{body.get('trigger_id')}",
        Place("slack", str(body.get("team_id") or team), str(body.get("channel_id") or "")),
        str(body.get("user_id") or ""),
        words(str(body.get("text") or "").strip(), bot=bot),
        reply_handle=str(body.get("response_url") or ""),
        organization=organization_of(body),
    )


def parse_shortcut(body: Json, *, bot: str) -> IncomingEvent | None:
    """Return the wish of a person to have the message answered that they chose; None where no person wrote a word."""
    message = body.get("message") or {}
    written = written_message(message, bot=bot) if is_written(message, bot=bot) else None
    if written is None or not written.text:
        return None
    pressed = parse_pressed(body)
    return about_event(
        replace(pressed, place=pressed.place.in_thread(str(message.get("thread_ts") or written.message))),
        written.text,
        message=written.message,
        author=written.user,
        content=written.content,
        press=str(body.get("action_ts") or body.get("trigger_id")),
    )


def parse_pressed(body: Json) -> IncomingEvent:
    """Return who pressed something, and where; it has neither id nor text yet."""
    container = body.get("container") or {}
    channel = str((body.get("channel") or {}).get("id") or container.get("channel_id") or "")
    return IncomingEvent(
        "question",
        "",
        Place("slack", team_of(body), channel, thread=str(container.get("thread_ts") or "")),
        user_of(body),
        reply_handle=str(body.get("response_url") or ""),
        organization=organization_of(body),
    )


def pressed_value(body: Json) -> str:
    """Return the value of what was pressed."""
    return str(body["actions"][0].get("value") or "")


def press_id(body: Json) -> str:
    """Return what tells one press of a button from the next."""
    return str(body["actions"][0].get("action_ts"))


def team_of(body: Json) -> str:
    """Return the workspace that a payload of any kind is from."""
    team = body.get("team")
    return str(body.get("team_id") or (team.get("id") if isinstance(team, dict) else team) or "")


def organization_of(body: Json) -> str:
    """Return the organisation (Enterprise Grid) that a payload of any kind is from; empty for none."""
    granted = (body.get("authorizations") or [{}])[0]
    named = (body.get("enterprise") or {}).get("id") or body.get("enterprise_id") or granted.get("enterprise_id")
    return str(named or "")


def user_of(body: Json) -> str:
    """Return who pressed or sent something."""
    return str((body.get("user") or {}).get("id") or "")


def words(text: str, *, bot: str, name_of: Callable[[str], str] = lambda _: "") -> str:
    """Return a message's text as words: the bot's name goes, other marks and escaped signs become what they show.

    `name_of` gives the name of a person or channel that is mentioned by its id alone, as in all that is typed; empty
    where it is not known, and the id stands there.
    """

    def shown(found: re.Match[str]) -> str:
        target, _, label = found.group(1).partition("|")
        if target == f"@{bot}":
            return " "
        if target.startswith(("@", "#", "!")):
            return f"{target[0].replace('!', '@')}{label or name_of(target[1:]) or target[1:]}"
        return label or target.removeprefix("mailto:")

    return "\n".join(" ".join(line.split()) for line in html.unescape(_MARK.sub(shown, text)).splitlines()).strip()


def is_written(message: Json, *, bot: str) -> bool:
    """Whether a person wrote this message."""
    return str(message.get("subtype") or "") in WRITTEN and _is_person(message, bot=bot)


def written_message(message: Json, *, bot: str) -> WrittenMessage:
    """Return what a person wrote."""
    text = str(message.get("text") or "")
    content = _content(text, bot)
    return WrittenMessage(str(message.get("user") or ""), words(text, bot=bot), str(message.get("ts") or ""), content)


def _content(text: str, bot: str) -> str:
    """Return the hash of what a text says; of links where they lead, since another label says nothing anew."""
    return content_hash(words(_MARK.sub(lambda found: f"<{found.group(1).partition('|')[0]}>", text), bot=bot))


def _edited(message: Json) -> str:
    """Return the moment of a message's last edit; empty for none."""
    return str((message.get("edited") or {}).get("ts") or "")


def _parse_text(body: Json, event: Json, message: Json, kind: Kind, *, bot: str) -> IncomingEvent | None:
    team, channel = str(body.get("team_id") or event.get("team") or ""), str(event.get("channel") or "")
    ts, text = str(message.get("ts") or ""), str(message.get("text") or "")
    if not (team and channel and ts):
        return None
    thread = str(message.get("thread_ts") or "")
    place = Place("slack", team, channel, thread if thread != ts else "", ts, _place_kind(event))
    edited = _edited(message) or str(event.get("event_ts") or "")
    first = _FIRST_MENTION.match(text)
    return replace(
        message_event(kind, place, str(message.get("user") or ""), words(text, bot=bot), edited=edited),
        content=_content(text, bot),
        mentions_bot=_mentions(text, bot) or event.get("type") == "app_mention",
        mentions_other=bool(first and first.group(1) != bot),
        user_workspace=str(message.get("user_team") or message.get("team") or ""),
        organization=organization_of(body),
    )


def _mentions(text: str, bot: str) -> bool:
    return f"<@{bot}>" in text or f"<@{bot}|" in text


def _parse_edit(body: Json, event: Json, *, bot: str, bot_id: str) -> IncomingEvent | None:
    """Return an edited message that says something else now; Slack tells of unfurled links in the same way."""
    message, before = event.get("message") or {}, event.get("previous_message") or {}
    if message.get("subtype") == "tombstone":
        return _parse_deletion(body, event, bot=bot, bot_id=bot_id)
    if not is_written(message, bot=bot):
        return None
    now, then = (str(each.get("text") or "") for each in (message, before))
    if before and _content(now, bot) == _content(then, bot) and _mentions(now, bot) == _mentions(then, bot):
        return None
    return _parse_text(body, event, message, "edit", bot=bot)


def _parse_deletion(body: Json, event: Json, *, bot: str, bot_id: str) -> IncomingEvent | None:
    """Return a deletion; of whose message may not be told, and then its `ts` alone says which it was."""
    before = event.get("previous_message") or {}
    ts = str(event.get("deleted_ts") or before.get("ts") or (event.get("message") or {}).get("ts") or "")
    team, channel = str(body.get("team_id") or ""), str(event.get("channel") or "")
    if not (ts and team and channel) or (before and not _is_person(before, bot=bot)):
        return None
    thread = str(before.get("thread_ts") or "")
    place = Place("slack", team, channel, thread if thread != ts else "", ts, _place_kind(event))
    return replace(
        message_event("delete", place, str(before.get("user") or "")),
        organization=organization_of(body),
    )


def _is_person(message: Json, *, bot: str) -> bool:
    user = message.get("user")
    if not isinstance(user, str) or user in {"", bot, "USLACKBOT"}:
        return False
    return not message.get("bot_id") and not message.get("bot_profile")


def _place_kind(event: Json) -> PlaceKind:
    """Return the kind of a message's channel; a mention names none, and a channel of direct messages is `D...`."""
    kind = str(event.get("channel_type") or "")
    if not kind and str(event.get("channel") or "").startswith("D"):
        return "direct"
    return PLACE_KINDS.get(kind, "")
