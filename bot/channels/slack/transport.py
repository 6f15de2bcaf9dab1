"""Messages of ours in Slack: posted once, found again by what they say of themselves."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.channels.delivery import NotDelivered
from bot.channels.slack.client import Refused, SlackClient
from bot.channels.slack.rendering import Message

logger = logging.getLogger(__name__)

EVENT_TYPE = "footnote_answer"


@dataclass(frozen=True, slots=True)
class Place:
    """Where an answer goes, and whose it is."""

    team: str  # the asker's own
    channel: str
    thread: str
    question: str  # the `ts` of the message that asks
    user: str
    event: str  # the id under which its work is accepted


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What is visible already: a message, and whether it still streams."""

    ts: str
    streams: bool = False

    def to_json(self) -> str:
        return json.dumps({"ts": self.ts, "streams": self.streams})


def begun(notes: str) -> Checkpoint | None:
    """What an earlier worker has left in its notes."""
    row = json.loads(notes) if notes else {}
    return Checkpoint(row["ts"], bool(row.get("streams"))) if row.get("ts") else None


def metadata(event: str, part: int = 0) -> dict[str, Any]:
    """What a message says of itself to a successor: which event it answers, and which part of the answer it is."""
    return {"event_type": EVENT_TYPE, "event_payload": {"event_id": event, "part": part}}


def post(calls: SlackClient, channel: str, thread: str, message: Message, *, metadata: dict[str, Any]) -> str:
    """Post a message, its plain text where its blocks are refused; gives its `ts`.

    Raises `Undeliverable`, or `Unreachable`, which may be unsure whether it stands there.
    """
    arguments: dict[str, Any] = {"channel": channel, "text": message.text, "metadata": metadata}
    arguments |= {"unfurl_links": False, "unfurl_media": False, **({"thread_ts": thread} if thread else {})}
    try:
        return _posted(calls, arguments | {"blocks": list(message.blocks)})
    except Undeliverable as error:
        if not is_about_blocks(error.error):
            raise
        logger.warning("a message's blocks were not taken: %s", error)
    return _posted(calls, arguments)


def _posted(calls: SlackClient, arguments: Mapping[str, Any]) -> str:
    try:
        return str(calls("chat.postMessage", repeatable=False, **arguments).get("ts", ""))
    except Refused as error:
        raise Undeliverable(error) from error


class Undeliverable(NotDelivered):
    """Slack will never take this here: the channel is gone or archived, or the bot was put out of it."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(f"Slack refuses the answer: {refused.error}")
        self.error = refused.error


def is_about_blocks(error: str) -> bool:
    """Whether plain text may be taken where blocks were not."""
    return "block" in error or error in {"msg_too_long", "invalid_arguments", "invalid_metadata_format"}


def find(calls: SlackClient, place: Place, *, bot: str, notes: str, part: int = 0) -> Checkpoint | None:
    """What an earlier worker began for this event: as its notes say, else as the thread's messages do.

    A message of ours after the question that names no event is a stream whose worker died before it was noted.
    """
    noted = begun(notes)
    if noted:
        return noted
    started = bool(notes and json.loads(notes).get("streams"))
    try:
        found = calls(
            "conversations.replies",
            channel=place.channel,
            ts=place.thread,
            oldest=place.question,
            limit=200,
            include_all_metadata=True,
        )
    except (Refused, NotDelivered) as error:
        logger.info("what was begun cannot be looked for: %s", error)
        return None
    ours = [each for each in found.get("messages") or () if each.get("user") == bot and each["ts"] > place.question]
    for each in ours:
        named = (each.get("metadata") or {}).get("event_payload") or {}
        if (named.get("event_id"), named.get("part", 0)) == (place.event, part):
            return Checkpoint(str(each["ts"]))
    orphans = [each for each in ours if started and not each.get("metadata")]
    return Checkpoint(str(orphans[-1]["ts"]), streams=True) if orphans else None


def find_in_channel(calls: SlackClient, channel: str, event: str, *, thread: str = "") -> str:
    """The `ts` of the message in a channel, or in a thread of it, that names this event; empty for none."""
    method, more = ("conversations.replies", {"ts": thread}) if thread else ("conversations.history", {})
    arguments: dict[str, Any] = {"channel": channel, "limit": 100, "include_all_metadata": True, **more}
    try:
        found = calls(method, **arguments)
    except (Refused, NotDelivered) as error:
        logger.info("what was posted cannot be looked for: %s", error)
        return ""
    for each in found.get("messages") or ():
        if ((each.get("metadata") or {}).get("event_payload") or {}).get("event_id") == event:
            return str(each["ts"])
    return ""
