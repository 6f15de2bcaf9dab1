"""Posts, changes and finds the bot's messages in Slack; each names in its metadata the event that it answers."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from slack_sdk.webhook import WebhookClient

from bot.channels.events import Place
from bot.channels.port import Checkpoint, Message, NotDelivered, Refused, Undeliverable, WrittenMessage
from bot.channels.slack.client import ATTEMPTS, SlackClient
from bot.channels.slack.events import is_written, written_message

logger = logging.getLogger(__name__)

EVENT_TYPE = "footnote_answer"
TIMEOUT_SECONDS = 10
# How much is read of what stands before a message.
THREAD_PAGES = 3
CHANNEL_MESSAGES = 5


class SlackTransport:
    """A `Transport` in one workspace, in the name of the user `bot`."""

    def __init__(self, client: SlackClient, *, team: str, bot: str) -> None:
        self._client = client
        self._team = team
        self._bot = bot

    def post(self, place: Place, message: Message, *, event: str, part: int = 0) -> str:
        """Post a message, its plain text where its blocks are refused."""
        arguments: dict[str, Any] = {
            "channel": place.channel,
            "text": message.text,
            "metadata": metadata(event, part),
            "unfurl_links": False,
            "unfurl_media": False,
            **({"thread_ts": place.root} if place.root else {}),
        }
        try:
            try:
                return self._post(arguments | {"blocks": list(message.content)})
            except Refused as error:
                if not _is_about_blocks(error.error):
                    raise
                logger.warning("a message's blocks were not taken: %s", error)
            return self._post(arguments)
        except Refused as error:
            raise Undeliverable(f"Slack refuses the answer: {error.error}") from error

    def edit(self, place: Place, message: Message, *, event: str = "", retry: bool = True) -> bool:
        """Replace a message's content, by its plain text where its blocks are refused."""
        mark: dict[str, Any] = {"metadata": metadata(event)} if event else {}
        for blocks in (list(message.content), []):
            try:
                self._client(
                    "chat.update",
                    attempts=ATTEMPTS if retry else 1,
                    channel=place.channel,
                    ts=place.message,
                    text=message.text,
                    blocks=blocks,
                    **mark,
                )
            except Refused as error:
                logger.info("a message could not be updated: %s", error)
                if not _is_about_blocks(error.error):
                    return False
            else:
                return True
        return False

    def delete(self, place: Place) -> bool:
        """Delete a message."""
        return self._client.attempt("chat.delete", channel=place.channel, ts=place.message)

    def find(self, place: Place, event: str, *, part: int = 0, unmarked_stream: bool = False) -> Checkpoint | None:
        """Look at the newest 200 messages of the thread after the question, else at the newest 100 of the channel."""
        arguments: dict[str, Any] = {"channel": place.channel, "include_all_metadata": True}
        try:
            if place.root:
                arguments |= {"oldest": place.message} if place.message else {}
                found = self._client("conversations.replies", ts=place.root, limit=200, **arguments)
            else:
                found = self._client("conversations.history", limit=100, **arguments)
        except (Refused, NotDelivered) as error:
            logger.info("what was posted cannot be looked for: %s", error)
            return None
        ours = [
            each for each in found.get("messages") or () if each.get("user") == self._bot and each["ts"] > place.message
        ]
        for each in ours:
            named = (each.get("metadata") or {}).get("event_payload") or {}
            if (named.get("event_id"), named.get("part", 0)) == (event, part):
                return Checkpoint(str(each["ts"]))
        unmarked = [each for each in ours if unmarked_stream and not each.get("metadata")]
        return Checkpoint(str(unmarked[-1]["ts"]), streams=True) if unmarked else None

    def tell(self, place: Place, user: str, message: Message, *, handle: str = "") -> bool:
        """Show a message to one person through a response url, else as an ephemeral message."""
        if _respond(handle, message, response_type="ephemeral"):
            return True
        return self._client.attempt(
            "chat.postEphemeral",
            attempts=ATTEMPTS,
            channel=place.channel,
            user=user,
            text=message.text,
            blocks=list(message.content),
            **({"thread_ts": place.thread} if place.thread else {}),
        )

    def post_by_handle(self, handle: str, message: Message) -> bool:
        """Post a message through a response url."""
        return _respond(handle, message, response_type="in_channel")

    def open_direct(self, user: str) -> Place:
        """Open the direct messages with a person."""
        opened = self._client("conversations.open", users=user).get("channel") or {}
        return Place("slack", self._team, str(opened.get("id") or user), kind="direct")

    def read(self, place: Place) -> WrittenMessage | None:
        """Read a person's message in a thread."""
        try:
            found = self._client(
                "conversations.replies",
                channel=place.channel,
                ts=place.thread,
                oldest=place.message,
                latest=place.message,
                inclusive=True,
                limit=10,
            )
        except Refused as error:
            logger.info("a reply cannot be read: %s", error)
            return None
        for each in found.get("messages") or ():
            if each.get("ts") == place.message and each.get("user"):
                return written_message(each, bot=self._bot)
        return None

    def read_before(self, place: Place) -> Sequence[WrittenMessage]:
        """Read the newest pages of a thread, or the last messages of a channel."""
        arguments: dict[str, Any] = {"channel": place.channel, "latest": place.message}
        try:
            if place.thread:
                found = self._pages("conversations.replies", ts=place.thread, limit=200, **arguments)
            else:
                answer = self._client("conversations.history", limit=CHANNEL_MESSAGES, **arguments)
                found = list(answer.get("messages") or ())[::-1]
        except Refused as error:
            logger.info("a thread cannot be read: %s", error)
            return ()
        return [
            written_message(each, bot=self._bot)
            for each in found
            if is_written(each, bot=self._bot) and str(each.get("ts")) < place.message
        ]

    def _pages(self, method: str, **arguments: Any) -> list[Any]:
        """Return the messages of a thread from its beginning on; what lies beyond some pages is left out."""
        found: list[Any] = []
        for _ in range(THREAD_PAGES):
            page = self._client(method, **arguments)
            found += page.get("messages") or ()
            arguments["cursor"] = str((page.get("response_metadata") or {}).get("next_cursor") or "")
            if not arguments["cursor"]:
                break
        return found

    def _post(self, arguments: Mapping[str, Any]) -> str:
        return str(self._client("chat.postMessage", repeatable=False, **arguments).get("ts", ""))


def metadata(event: str, part: int = 0) -> dict[str, Any]:
    """Return what a message says of itself: which event it answers, and which part of the answer it is."""
    return {"event_type": EVENT_TYPE, "event_payload": {"event_id": event, "part": part}}


def _is_about_blocks(error: str) -> bool:
    """Whether plain text may be taken where blocks were not."""
    return "block" in error or error in {"msg_too_long", "invalid_arguments", "invalid_metadata_format"}


def _respond(url: str, message: Message, *, response_type: str) -> bool:
    """Whether Slack has taken this at a response url, which works five times."""
    if not url:
        return False
    try:
        sent = WebhookClient(url, timeout=TIMEOUT_SECONDS).send(
            text=message.text,
            blocks=list(message.content) or None,
            response_type=response_type,
            replace_original=False,
        )
    except (OSError, ValueError) as error:
        logger.info("a response url did not answer: %s", type(error).__name__)
        return False
    return sent.status_code == 200 and '"ok":false' not in (sent.body or "").replace(" ", "")
