"""Posts, changes and finds the bot's messages in Slack; each names in its metadata the event that it answers."""

import logging
import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from slack_sdk.webhook import WebhookClient

from bot.channels.events import Place
from bot.channels.port import Checkpoint, Json, Message, NotDelivered, Refused, Undeliverable, WrittenMessage
from bot.channels.slack.client import ATTEMPTS, SlackClient
from bot.channels.slack.events import is_written, written_message
from bot.channels.slack.names import MentionNames
from bot.channels.slack.rendering import simpler_blocks

logger = logging.getLogger(__name__)

EVENT_TYPE = "footnote_answer"
# In what a response url answers, which is one word or an object with one.
_ERROR_WORD = re.compile(r"(?<![a-z])[a-z]+_[a-z_]+")
TIMEOUT_SECONDS = 10
SIMPLER_SECONDS = 600.0
# Errors that something with fewer blocks may not meet.
ABOUT_CONTENT = frozenset(
    {"invalid_arguments", "invalid_metadata_format", "invalid_payload", "msg_too_long", "no_text"}
)
# How much is read of what stands before a message.
THREAD_PAGES = 3
CHANNEL_MESSAGES = 5


class SlackTransport:
    """A `Transport` in one workspace, in the name of the user `bot`."""

    def __init__(
        self, client: SlackClient, *, team: str, bot: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = client
        self._team = team
        self._bot = bot
        self._clock = clock
        self._simpler_until = clock()  # for what one person alone sees

    def post(self, place: Place, message: Message, *, event: str, part: int = 0) -> str:
        """Post a message, in a simpler form where its blocks are refused."""
        arguments: dict[str, Any] = {
            "channel": place.channel,
            "text": message.text,
            "metadata": metadata(event, part),
            "unfurl_links": False,
            "unfurl_media": False,
            **({"thread_ts": place.root} if place.root else {}),
        }
        try:
            sent = self._in_some_form(
                message, lambda form: self._client("chat.postMessage", repeatable=False, **arguments | form)
            )
        except Refused as error:
            raise Undeliverable(f"Slack refuses the answer: {error.error}") from error
        return str(sent.get("ts", ""))

    def edit(self, place: Place, message: Message, *, event: str = "", retry: bool = True) -> bool:
        """Replace a message's content, by a simpler form where its blocks are refused."""
        arguments: dict[str, Any] = {
            "channel": place.channel,
            "ts": place.message,
            "text": message.text,
            **({"metadata": metadata(event)} if event else {}),
        }
        attempts = ATTEMPTS if retry else 1
        try:
            self._in_some_form(message, lambda form: self._client("chat.update", attempts=attempts, **arguments | form))
        except Refused as error:
            logger.info("a message could not be updated: %s", error)
            return False
        return True

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
        """Show an ephemeral message in a thread; in a channel by the response url, which works for no member too.

        An ephemeral message that goes by a response url is in no thread, whatever it asks for: that is for where the
        other way is refused.
        """
        if place.thread and self._tell_member(place, user, message):
            return True
        if handle and self._respond(handle, message, response_type="ephemeral"):
            return True
        return not place.thread and self._tell_member(place, user, message)

    def post_by_handle(self, handle: str, message: Message) -> bool:
        """Post a message through a response url."""
        return bool(handle) and self._respond(handle, message, response_type="in_channel")

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
                return written_message(each, bot=self._bot, name_of=MentionNames(self._client), with_addresses=True)
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

    def _tell_member(self, place: Place, user: str, message: Message) -> bool:
        """Whether a member of a channel that the bot is in sees this ephemeral message."""
        arguments: dict[str, Any] = {
            "channel": place.channel,
            "user": user,
            "text": message.text,
            **({"thread_ts": place.thread} if place.thread else {}),
        }
        try:
            self._in_some_form(
                message, lambda form: self._client("chat.postEphemeral", **arguments | form), private=True
            )
        except (Refused, NotDelivered) as error:
            logger.info("%s", error)
            return False
        return True

    def _respond(self, url: str, message: Message, *, response_type: str) -> bool:
        """Whether Slack has taken this at a response url."""

        def send(form: Json) -> Json:
            return _sent_to(url, form | {"text": message.text, "response_type": response_type})

        try:
            self._in_some_form(message, send, private=response_type == "ephemeral")
        except Refused as error:
            logger.info("%s", error)
            return False
        return True

    def _in_some_form(
        self, message: Message, send: Callable[[Json], Mapping[str, Any]], *, private: bool = False
    ) -> Mapping[str, Any]:
        """Send the blocks of a message, else simpler ones, else none, and return what Slack answers.

        What is `private` begins with the simpler ones for a while after others were refused: a response url works only
        five times. Raises `Refused` where none of it is taken, or what is refused is not the blocks.
        """
        blocks = list(message.content)
        if private and self._clock() < self._simpler_until:
            blocks = simpler_blocks(blocks)
        while True:
            try:
                return send({"blocks": blocks})
            except Refused as error:
                if not blocks or not _is_about_blocks(error.error):
                    raise
                logger.warning("a message's blocks were not taken: %s", error)
                if private and error.error == "invalid_blocks":
                    self._simpler_until = self._clock() + SIMPLER_SECONDS
            simpler = simpler_blocks(blocks)
            blocks = simpler if simpler != blocks else []


def metadata(event: str, part: int = 0) -> dict[str, Any]:
    """Return what a message says of itself: which event it answers, and which part of the answer it is."""
    return {"event_type": EVENT_TYPE, "event_payload": {"event_id": event, "part": part}}


def _is_about_blocks(error: str) -> bool:
    """Whether plain text may be taken where blocks were not."""
    return "block" in error or error in ABOUT_CONTENT


def _sent_to(url: str, form: Json) -> Json:
    """Send something to a response url, which works five times within 30 minutes; raises `Refused`."""
    try:
        sent = WebhookClient(url, timeout=TIMEOUT_SECONDS).send(**form, replace_original=False)
    except (OSError, ValueError) as error:
        raise Refused("response url", type(error).__name__) from error
    body = (sent.body or "").replace(" ", "")
    if sent.status_code != 200 or '"ok":false' in body:
        word = _ERROR_WORD.search(body)
        unnamed = "invalid_payload" if sent.status_code == 400 else f"HTTP {sent.status_code}"
        raise Refused("response url", word.group() if word else unnamed)
    return {}
