"""Reads Slack's payloads: messages, edits, deletions, commands and pressed buttons become events (pure)."""

import html
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from slack_bolt.request.internals import extract_enterprise_id, extract_is_enterprise_install, extract_team_id

from bot.channels.events import (
    IncomingEvent,
    Kind,
    Place,
    PlaceKind,
    about_event,
    content_hash,
    message_event,
    stop_event,
)
from bot.channels.port import WrittenMessage
from bot.channels.slack.names import without_lookup

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


@dataclass(frozen=True, slots=True)
class Origin:
    """Which installation a payload is for, and where it comes from; what it does not name is empty.

    `installed` is the workspace that has installed the app, `team` the one that the payload comes from. `is_whole`
    tells that it was installed for the whole organisation.
    """

    installed: str
    team: str
    organization: str
    is_whole: bool


def origin_of(body: Json) -> Origin:
    """Return where a payload of any kind comes from, as Bolt finds it.

    What a whole organisation has installed names no workspace. Then it is the one through which the app hears of an
    event, else the one in which it happened, which may be another company's, else that of whoever pressed something.
    """
    installed = str(extract_team_id({**body, "user": None}) or "")
    organization = str(extract_enterprise_id(body) or "")
    if is_organization(installed):  # as in views
        installed, organization = "", organization or installed
    user, view = body.get("user"), body.get("view")
    found = [installed, body.get("context_team_id"), body.get("team_id")]
    found += [each.get("team_id") for each in (user, view) if isinstance(each, dict)]
    team = next((each for each in found if each and isinstance(each, str) and not is_organization(each)), "")
    return Origin(installed, team, organization, bool(extract_is_enterprise_install(body)))


def is_organization(id_: str) -> bool:
    """Whether an id is that of an organisation (Enterprise Grid), and not of a workspace."""
    return id_.startswith("E")


def parse_message(body: Json, *, workspace: str, bot: str) -> IncomingEvent | None:
    """Return a written, edited or deleted message; None for what no person wrote, and for an edit of no word.

    `workspace` is the id of the installation; `bot` is the bot's own user.
    """
    event = body.get("event") or {}
    if event.get("type") not in {"message", "app_mention"}:
        return None
    subtype = str(event.get("subtype") or "")
    if subtype == "message_changed":
        return _parse_edit(body, event, workspace=workspace, bot=bot)
    if subtype == "message_deleted":
        return _parse_deletion(body, event, workspace=workspace, bot=bot)
    if not is_written(event, bot=bot):
        return None
    # A mention is told of again when its message is edited, as a new event: slack-go/slack#1256.
    kind: Kind = "edit" if _edited(event) else "question"
    return _parse_text(body, event, event, kind, workspace=workspace, bot=bot)


def parse_command(body: Json, *, workspace: str, bot: str) -> IncomingEvent:
    """Return a slash command; `workspace` is the id of the installation."""
    event = IncomingEvent(
        "command",
        f"{workspace}:{body.get('channel_id')}:{body.get('trigger_id')}",
        Place("slack", workspace, str(body.get("channel_id") or "")),
        str(body.get("user_id") or ""),
        words(str(body.get("text") or "").strip(), bot=bot, name_of=without_lookup),
        reply_handle=str(body.get("response_url") or ""),
    )
    return _with_origin(event, body)


def parse_shortcut(body: Json, *, workspace: str, bot: str) -> IncomingEvent | None:
    """Return the wish of a person to have the message answered that they chose; None where no person wrote a word."""
    message = body.get("message") or {}
    written = written_message(message, bot=bot) if is_written(message, bot=bot) else None
    if written is None or not written.text:
        return None
    pressed = parse_pressed(body, workspace=workspace)
    return about_event(
        replace(pressed, place=pressed.place.in_thread(str(message.get("thread_ts") or written.message))),
        written.text,
        message=written.message,
        author=written.user,
        content=written.content,
        press=str(body.get("action_ts") or body.get("trigger_id")),
    )


def parse_pressed(body: Json, *, workspace: str) -> IncomingEvent:
    """Return who pressed something, and where; it has neither id nor text yet.

    `workspace` is the id of the installation.
    """
    container = body.get("container") or {}
    channel = str((body.get("channel") or {}).get("id") or container.get("channel_id") or "")
    thread = str(container.get("thread_ts") or (body.get("message") or {}).get("thread_ts") or "")
    event = IncomingEvent(
        "question",
        "",
        Place("slack", workspace, channel, thread=thread),
        user_of(body),
        reply_handle=str(body.get("response_url") or ""),
    )
    return _with_origin(event, body)


def parse_stop(body: Json, *, workspace: str) -> IncomingEvent | None:
    """Return the pressed stop button of an agent's session; None for one that is in no thread."""
    event = body.get("event") or {}
    channel, thread, user = str(event.get("channel") or ""), str(event.get("thread_ts") or ""), event.get("user")
    if not (channel and thread):
        return None
    place = Place("slack", workspace, channel, thread)
    pressed = _with_origin(IncomingEvent("stop", "", place, user if isinstance(user, str) else ""), body)
    return stop_event(pressed, press=str(body.get("event_id") or event.get("event_ts") or ""))


def pressed_value(body: Json) -> str:
    """Return the value of what was pressed."""
    return str(body["actions"][0].get("value") or "")


def is_seen_alone(body: Json) -> bool:
    """Whether what was pressed stands in a message that one person alone sees."""
    return bool((body.get("container") or {}).get("is_ephemeral"))


def press_id(body: Json) -> str:
    """Return what tells one press of a button from the next."""
    return str(body["actions"][0].get("action_ts"))


def moment(ts: object) -> datetime | None:
    """Return the time that one of Slack's timestamps (seconds since 1970) names; None for anything else."""
    if not re.fullmatch(r"[0-9]{1,10}(\.[0-9]{1,6})?", str(ts)):
        return None
    return datetime.fromtimestamp(float(str(ts)), UTC)


def _with_origin(event: IncomingEvent, body: Json) -> IncomingEvent:
    """Return an event with what it keeps of its payload's origin, by which the installation is found again later."""
    origin = origin_of(body)
    return replace(event, organization=origin.organization, origin_workspace=origin.team)


def file_names(message: Json) -> tuple[str, ...]:
    """Return the names of the files that came with a message; one that is hidden or gone has none of its own."""
    files = message.get("files")
    given = (each for each in files if isinstance(each, dict)) if isinstance(files, list) else ()
    return tuple(str(each.get("name") or each.get("title") or "a file") for each in given)


def user_of(body: Json) -> str:
    """Return who pressed or sent something."""
    return str((body.get("user") or {}).get("id") or "")


def words(text: str, *, bot: str, name_of: Callable[[str], str] = lambda _: "", with_addresses: bool = False) -> str:
    """Return a message's text as words: the bot's name goes, other marks and escaped signs become what they show.

    `name_of` gives the name of a person or channel that is mentioned by its id alone, as in all that is typed; empty
    where it is not known, and the id stands there. With `with_addresses` a link is followed by where it leads, unless
    it says so.
    """

    def shown(found: re.Match[str]) -> str:
        target, _, label = found.group(1).partition("|")
        if target == f"@{bot}":
            return " "
        if target.startswith(("@", "#", "!")):
            return f"{target[0].replace('!', '@')}{label.lstrip('@#') or name_of(target[1:]) or target[1:]}"
        address = target.removeprefix("mailto:")
        return f"{label} ({address})" if with_addresses and label not in {"", address, target} else label or address

    return "\n".join(" ".join(line.split()) for line in html.unescape(_MARK.sub(shown, text)).splitlines()).strip()


def is_written(message: Json, *, bot: str) -> bool:
    """Whether a person wrote this message."""
    return str(message.get("subtype") or "") in WRITTEN and _is_person(message, bot=bot)


def written_message(
    message: Json, *, bot: str, name_of: Callable[[str], str] = without_lookup, with_addresses: bool = False
) -> WrittenMessage:
    """Return what a person wrote, in the `words` of its text."""
    text = str(message.get("text") or "")
    return WrittenMessage(
        str(message.get("user") or ""),
        words(text, bot=bot, name_of=name_of, with_addresses=with_addresses),
        str(message.get("ts") or ""),
        _content(text, bot),
        file_names(message),
    )


def _content(text: str, bot: str) -> str:
    """Return the hash of what a text says; of links where they lead, since another label says nothing anew."""
    return content_hash(words(_MARK.sub(lambda found: f"<{found.group(1).partition('|')[0]}>", text), bot=bot))


def _edited(message: Json) -> str:
    """Return the moment of a message's last edit; empty for none."""
    return str((message.get("edited") or {}).get("ts") or "")


def _parse_text(
    body: Json, event: Json, message: Json, kind: Kind, *, workspace: str, bot: str
) -> IncomingEvent | None:
    channel, ts = str(event.get("channel") or ""), str(message.get("ts") or "")
    text = str(message.get("text") or "")
    if not (channel and ts):
        return None
    thread = str(message.get("thread_ts") or "")
    place = Place("slack", workspace, channel, thread if thread != ts else "", ts, _place_kind(event))
    edited = _edited(message) or str(event.get("event_ts") or "")
    first, said = _FIRST_MENTION.match(text), words(text, bot=bot, name_of=without_lookup)
    event_of_message = replace(
        message_event(kind, place, str(message.get("user") or ""), said, edited=edited),
        content=_content(text, bot),
        mentions_bot=_mentions(text, bot) or event.get("type") == "app_mention",
        mentions_other=bool(first and first.group(1) != bot),
        user_workspace=_author_team(body, message),
        files=file_names(message),
    )
    return _with_origin(event_of_message, body)


def _author_team(body: Json, message: Json) -> str:
    """Return the workspace of whoever wrote a message; empty where nothing tells it.

    In a channel that companies share an organisation may stand in its place: then it is the workspace that the payload
    pairs with that one.
    """
    pairs = (("enterprise_id", "team_id"), ("context_enterprise_id", "context_team_id"))
    found = [message.get("user_team"), message.get("team"), message.get("source_team")]
    found += [body.get(team) for enterprise, team in pairs if body.get(enterprise) and body[enterprise] in found]
    ids = [str(each) for each in found if each]
    return next((each for each in ids if not is_organization(each)), ids[0] if ids else "")


def _mentions(text: str, bot: str) -> bool:
    return f"<@{bot}>" in text or f"<@{bot}|" in text


def _parse_edit(body: Json, event: Json, *, workspace: str, bot: str) -> IncomingEvent | None:
    """Return an edited message that says something else now; Slack tells of unfurled links in the same way."""
    message, before = event.get("message") or {}, event.get("previous_message") or {}
    if message.get("subtype") == "tombstone":
        return _parse_deletion(body, event, workspace=workspace, bot=bot)
    if not is_written(message, bot=bot):
        return None
    now, then = (str(each.get("text") or "") for each in (message, before))
    if before and _content(now, bot) == _content(then, bot) and _mentions(now, bot) == _mentions(then, bot):
        return None
    return _parse_text(body, event, message, "edit", workspace=workspace, bot=bot)


def _parse_deletion(body: Json, event: Json, *, workspace: str, bot: str) -> IncomingEvent | None:
    """Return a deletion; of whose message may not be told, and then its `ts` alone says which it was."""
    before = event.get("previous_message") or {}
    ts = str(event.get("deleted_ts") or before.get("ts") or (event.get("message") or {}).get("ts") or "")
    channel = str(event.get("channel") or "")
    if not (ts and channel) or (before and not _is_person(before, bot=bot)):
        return None
    thread = str(before.get("thread_ts") or "")
    place = Place("slack", workspace, channel, thread if thread != ts else "", ts, _place_kind(event))
    return _with_origin(message_event("delete", place, str(before.get("user") or "")), body)


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
