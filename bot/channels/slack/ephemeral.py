"""An answer that only one person sees, as `/ask` gets it, and what that person may show to all."""

import logging
from collections.abc import Callable, Sequence
from typing import Any

from slack_sdk.webhook import WebhookClient

from bot.answering.answers import Answer, Citation, Sentence
from bot.channels.slack.client import Refused, SlackClient, Unreachable
from bot.channels.slack.events import IncomingEvent
from bot.channels.slack.rendering import Message, Show, line, messages
from bot.channels.slack.transport import Undeliverable

logger = logging.getLogger(__name__)

TIMEOUT_SECONDS = 10
# A response url works five times; one is left for what is pressed there.
MOST_PARTS = 4


def respond(url: str, message: Message, **how: Any) -> bool:
    """Whether Slack has taken this at a response url; `how` is `response_type` and the like."""
    if not url:
        return False
    try:
        sent = WebhookClient(url, timeout=TIMEOUT_SECONDS).send(
            text=message.text, blocks=list(message.blocks) or None, **how
        )
    except (OSError, ValueError) as error:
        logger.info("a response url did not answer: %s", type(error).__name__)
        return False
    return sent.status_code == 200 and '"ok":false' not in (sent.body or "").replace(" ", "")


def whisper(calls: SlackClient, *, channel: str, user: str, message: Message, url: str = "", thread: str = "") -> bool:
    """Whether one person was told something that nobody else sees."""
    if respond(url, message, response_type="ephemeral", replace_original=False):
        return True
    more: dict[str, Any] = {"thread_ts": thread} if thread else {}
    try:
        calls(
            "chat.postEphemeral",
            channel=channel,
            user=user,
            text=message.text,
            blocks=list(message.blocks),
            **more,
        )
    except (Refused, Unreachable) as error:
        logger.info("a person could not be told: %s", error)
        return False
    return True


def tell(calls: SlackClient, heard: IncomingEvent, message: Message) -> bool:
    """Whether the person who was heard has been told something, there and by themselves."""
    return whisper(
        calls, channel=heard.channel, user=heard.user, message=message, url=heard.response_url, thread=heard.thread
    )


class EphemeralReply:
    """A `Reply` to `/ask`: the acknowledgement said that it is looked up, and the answer comes when it is whole."""

    ts: tuple[str, ...] = ()

    def __init__(self, calls: SlackClient, *, channel: str, user: str, url: str, show: Callable[[], Show]) -> None:
        self._calls = calls
        self._channel, self._user, self._url = channel, user, url
        self._show = show
        self.parts: list[Message] = []

    def begun(self, status: str) -> None:
        """The acknowledgement has said so."""

    def sentence(self, sentence: Sentence, citations: Sequence[Citation]) -> None:
        """Only the whole is shown: what a person alone sees can be changed by nobody."""

    def done(self, answer: Answer) -> None:
        self.parts = messages(answer, self._show())[:MOST_PARTS]
        for part in self.parts:
            self._say(part)

    def failed(self, text: str) -> None:
        self._say(line(text))

    def _say(self, message: Message) -> None:
        if not whisper(self._calls, channel=self._channel, user=self._user, message=message, url=self._url):
            raise Undeliverable(Refused("response_url", "not_taken"))
