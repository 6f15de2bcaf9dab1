"""Streams text into Slack, and shows the status beside a thread."""

from bot.answering.answers import Answer
from bot.channels import presentation
from bot.channels.events import IncomingEvent, Place
from bot.channels.port import DisplayOptions
from bot.channels.slack.client import SlackClient
from bot.channels.slack.rendering import answer_footer
from bot.channels.slack.transport import metadata

# While an answer streams a failing call is not worth waiting for: the next one says more.
QUICK = 1
FINISH_ATTEMPTS = 3


class SlackStreams:
    """The `Streams` of one workspace. Slack ends a stream by itself after about five minutes."""

    def __init__(self, client: SlackClient) -> None:
        self._client = client

    def show_status(self, place: Place) -> bool:
        """Show the status of the agent view and of threads."""
        searching, writing = presentation.STATUS_TEXTS["searching"], presentation.STATUS_TEXTS["writing"]
        return self._client.attempt(
            "assistant.threads.setStatus",
            channel_id=place.channel,
            thread_ts=place.root,
            status=f"is {searching[:1].lower()}{searching[1:]}",
            loading_messages=[searching, writing],
        )

    def start(self, event: IncomingEvent, text: str) -> str:
        """Begin a stream, for a person of another company in their own workspace."""
        found = self._client(
            "chat.startStream",
            attempts=QUICK,
            repeatable=False,
            channel=event.place.channel,
            thread_ts=event.place.root,
            recipient_team_id=event.user_workspace or event.origin_workspace or event.place.workspace,
            recipient_user_id=event.user,
            markdown_text=text,
        )
        return str(found["ts"])

    def append(self, place: Place, text: str) -> None:
        """Add text once: repeated it would be there twice."""
        self._client(
            "chat.appendStream",
            attempts=QUICK,
            repeatable=False,
            channel=place.channel,
            ts=place.message,
            markdown_text=text,
        )

    def finish(self, place: Place, text: str, answer: Answer, options: DisplayOptions, *, event: str) -> bool:
        """End the stream with the blocks below the answer."""
        return self._client.attempt(
            "chat.stopStream",
            attempts=FINISH_ATTEMPTS,
            channel=place.channel,
            ts=place.message,
            **({"markdown_text": text} if text else {}),
            blocks=[block.to_dict() for block in answer_footer(answer, options)],
            metadata=metadata(event),
        )

    def close(self, place: Place) -> bool:
        """End the stream as it is."""
        return self._client.attempt("chat.stopStream", channel=place.channel, ts=place.message)
