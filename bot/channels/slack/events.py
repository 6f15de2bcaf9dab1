"""What Slack tells, understood: which of it is a question to us, from whom, and where (pure)."""

import html
import json
import re
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

Json = dict[str, Any]

Kind = Literal["question", "edit", "delete", "command", "share", "erase", "person", "expert", "accept"]

# Messages that a person wrote; every other subtype is something that Slack or an app says.
WRITTEN = frozenset({None, "", "thread_broadcast", "file_share", "me_message"})
MARK = re.compile(r"<([^<>]*)>")
ASKING = re.compile(
    r"(?:who|whom|whose|what|when|where|why|which|how|can|could|may|might|must|should|shall|is|are|am|was|were|do|does|"
    r"did|will|would|has|have|had)\b(?:'s|'re|’s|’re)?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class IncomingEvent:
    """Something that was said to us or where we listen, without what is of no use.

    `id` is the same however often and by whichever kind of event it is told. `text` has the marks of people and
    channels as words. `event` is Slack's own id for what arrived, `value` what was pressed.
    """

    kind: Kind
    id: str
    team: str
    channel: str
    user: str
    text: str = ""
    ts: str = ""
    thread: str = ""
    place: str = ""  # channel, group, im, mpim; empty where it is not told
    called: bool = False  # whether our name stands in it
    others: bool = False  # whether it begins with somebody else's name
    event: str = ""
    response_url: str = ""
    value: str = ""
    enterprise: str = ""
    home: str = ""  # the asker's own workspace, another one in a channel that companies share
    unasked: bool = False  # answered because the channel is set to be, though nobody called us

    @property
    def root(self) -> str:
        """The thread that an answer belongs to: the message itself where it begins one."""
        return self.thread or self.ts

    @property
    def conversation(self) -> str:
        """The name under which the exchanges of a thread are remembered."""
        return f"slack:{self.team}:{self.channel}:{self.root}"

    @property
    def is_direct(self) -> bool:
        return self.place == "im"

    def to_json(self) -> str:
        return json.dumps({name: value for name, value in asdict(self).items() if value}, ensure_ascii=False)


def from_json(text: str) -> IncomingEvent:
    """What `to_json` has written."""
    row = json.loads(text)
    return IncomingEvent(**row)


def heard(body: Json, *, bot: str, bot_id: str) -> IncomingEvent | None:
    """A question, an edited or a deleted one; None for what is none: our own, other bots', what Slack says itself.

    `bot` is our own user, who is told apart from people by `bot_id` too.
    """
    event = body.get("event") or {}
    if event.get("type") not in {"message", "app_mention"}:
        return None
    subtype = event.get("subtype")
    if subtype == "message_changed":
        return _changed(body, event, bot=bot, bot_id=bot_id)
    if subtype == "message_deleted":
        return _deleted(body, event, bot=bot, bot_id=bot_id)
    if subtype not in WRITTEN or not _is_person(event, bot=bot, bot_id=bot_id):
        return None
    return _said(body, event, event, "question", bot=bot)


def first_version(heard: IncomingEvent) -> IncomingEvent:
    """An edited message as the question that it has become, under the id of the message itself."""
    return replace(heard, kind="question", id=f"{heard.team}:{heard.channel}:{heard.ts}")


def from_expert(heard: IncomingEvent) -> IncomingEvent:
    """The same, as the reply of somebody who was asked."""
    return replace(heard, kind="expert")


def unasked(heard: IncomingEvent) -> IncomingEvent:
    """The same, answered though nobody called us."""
    return replace(heard, unasked=True)


def team_of(body: Json) -> str:
    """The workspace that a payload of any kind is from."""
    team = body.get("team")
    return str(body.get("team_id") or (team.get("id") if isinstance(team, dict) else team) or "")


def user_of(body: Json) -> str:
    """Who pressed or sent something."""
    return str((body.get("user") or {}).get("id") or "")


def pressed(body: Json) -> IncomingEvent:
    """Where something was pressed, and by whom."""
    container = body.get("container") or {}
    return IncomingEvent(
        "question",
        "",
        team_of(body),
        str((body.get("channel") or {}).get("id") or container.get("channel_id") or ""),
        user_of(body),
        thread=str(container.get("thread_ts") or ""),
        response_url=str(body.get("response_url") or ""),
        enterprise=str((body.get("enterprise") or {}).get("id") or ""),
    )


def words(text: str, *, bot: str) -> str:
    """A message's text as words: our own name goes, other marks become what they show, escaped signs themselves."""

    def spoken(found: re.Match[str]) -> str:
        target, _, label = found.group(1).partition("|")
        if target == f"@{bot}":
            return " "
        if target.startswith(("@", "#", "!")):
            return f"{target[0].replace('!', '@')}{label or target[1:]}"
        return label or target.removeprefix("mailto:")

    return "\n".join(" ".join(line.split()) for line in html.unescape(MARK.sub(spoken, text)).splitlines()).strip()


def is_question(text: str) -> bool:
    """Whether somebody seems to ask something, for places where we were not called."""
    said = re.sub(r"`[^`]*`|\bhttps?://\S+", " ", text)
    if len(re.findall(r"\w+", said)) < 3:
        return False
    return bool(re.search(r"[?？؟](?:\s|$|[\"')\]])", said)) or bool(ASKING.match(said.strip()))


def _said(body: Json, event: Json, message: Json, kind: Kind, *, bot: str) -> IncomingEvent | None:
    team, channel = str(body.get("team_id") or event.get("team") or ""), str(event.get("channel") or "")
    ts, text = str(message.get("ts") or ""), str(message.get("text") or "")
    if not (team and channel and ts):
        return None
    thread = str(message.get("thread_ts") or "")
    edited = str(event.get("event_ts") or (message.get("edited") or {}).get("ts") or "")
    first = re.match(r"\s*<@([A-Z0-9]+)", text)
    return IncomingEvent(
        kind,
        f"{team}:{channel}:{ts}{f':edit:{edited}' if kind == 'edit' else ''}",
        team,
        channel,
        str(message.get("user") or ""),
        words(text, bot=bot),
        ts,
        thread if thread != ts else "",
        _place(event),
        called=f"<@{bot}>" in text or f"<@{bot}|" in text or event.get("type") == "app_mention",
        others=bool(first and first.group(1) != bot),
        home=str(message.get("user_team") or message.get("team") or ""),
        event=str(body.get("event_id") or ""),
        enterprise=str(body.get("enterprise_id") or ""),
    )


def _changed(body: Json, event: Json, *, bot: str, bot_id: str) -> IncomingEvent | None:
    """An edited message whose words are others now; Slack tells of unfurled links in the same way."""
    message, before = event.get("message") or {}, event.get("previous_message") or {}
    if message.get("subtype") == "tombstone":
        return _deleted(body, event, bot=bot, bot_id=bot_id)
    if message.get("subtype") not in WRITTEN or not _is_person(message, bot=bot, bot_id=bot_id):
        return None
    if message.get("text") == before.get("text"):
        return None
    return _said(body, event, message, "edit", bot=bot)


def _deleted(body: Json, event: Json, *, bot: str, bot_id: str) -> IncomingEvent | None:
    before = event.get("previous_message") or event.get("message") or {}
    ts = str(event.get("deleted_ts") or before.get("ts") or "")
    team, channel = str(body.get("team_id") or ""), str(event.get("channel") or "")
    if not (ts and team and channel) or (before and not _is_person(before, bot=bot, bot_id=bot_id)):
        return None
    thread = str(before.get("thread_ts") or "")
    return IncomingEvent(
        "delete",
        f"{team}:{channel}:{ts}:delete",
        team,
        channel,
        str(before.get("user") or ""),
        ts=ts,
        thread=thread if thread != ts else "",
        place=_place(event),
        event=str(body.get("event_id") or ""),
        enterprise=str(body.get("enterprise_id") or ""),
    )


def _is_person(message: Json, *, bot: str, bot_id: str) -> bool:
    user = message.get("user")
    if not user or user in {bot, "USLACKBOT"}:
        return False
    return not message.get("bot_id") and not message.get("bot_profile") and message.get("bot_id") != bot_id


def _place(event: Json) -> str:
    kind = str(event.get("channel_type") or "")
    if not kind and str(event.get("channel") or "").startswith("D"):
        return "im"
    return kind
