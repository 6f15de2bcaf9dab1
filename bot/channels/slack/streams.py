"""Streams text into Slack, and shows beside a thread that the bot is at work: as an agent's session, else a status."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from bot.answering.answers import Answer
from bot.channels import presentation
from bot.channels.events import IncomingEvent, Place
from bot.channels.port import DisplayOptions, NotDelivered, Refused, ShownStatus
from bot.channels.slack.client import ATTEMPTS, SlackClient
from bot.channels.slack.rendering import answer_footer
from bot.channels.slack.transport import metadata

logger = logging.getLogger(__name__)

# While an answer streams a failing call is not worth waiting for: the next one says more.
QUICK = 1
FINISH_ATTEMPTS = 3
LONGEST_TITLE = 200
# What is wrong with one thread says nothing of the others.
OF_ONE_THREAD = frozenset(
    {"channel_not_found", "invalid_thread_ts", "is_archived", "message_not_found", "not_in_channel", "thread_not_found"}
)
# How long a workspace that has no sessions is not asked for one.
WITHOUT_SESSIONS_SECONDS = 600.0
# Slack promises a workspace 50 changes of sessions a minute, and each session that is begun must be ended too.
SESSIONS_A_MINUTE = 20


class SlackStreams:
    """The `Streams` of one workspace. Slack ends a stream by itself after about five minutes."""

    def __init__(self, client: SlackClient, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._clock = clock
        self._sessions_from = clock()
        self._begun: deque[float] = deque(maxlen=SESSIONS_A_MINUTE)
        self._lock = threading.Lock()

    def show_status(self, event: IncomingEvent) -> ShownStatus:
        """Begin an agent's session, with its stop button; without sessions show the status that a reply ends."""
        if self._may_begin():
            try:
                self._set_session(event.place, "processing", attempts=QUICK, **_title(event))
            except Refused:
                pass
            except NotDelivered as error:
                if error.unsure:
                    return ShownStatus(is_visible=False, stays=True)
            else:
                return ShownStatus(is_visible=True, stays=True)
        searching, writing = presentation.STATUS_TEXTS["searching"], presentation.STATUS_TEXTS["writing"]
        text = f"is {searching[:1].lower()}{searching[1:]}"
        return ShownStatus(self._set_text(event.place, text, loading_messages=[searching, writing]))

    def clear_status(self, place: Place) -> bool:
        """Leave the session open for the next question; no post does that by itself."""
        if self._has_sessions:
            try:
                self._set_session(place, "active", attempts=ATTEMPTS)
            except Refused:
                pass
            except NotDelivered as error:
                logger.warning("a thread is still shown as being worked on: %s", error)
                return False
            else:
                return True
        return self._set_text(place, "")

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

    def finish(
        self, place: Place, text: str, answer: Answer, options: DisplayOptions, *, event: str, clears: bool
    ) -> bool:
        """End the stream with the blocks below the answer, and the work of the session with it."""
        return self._client.attempt(
            "chat.stopStream",
            attempts=FINISH_ATTEMPTS,
            channel=place.channel,
            ts=place.message,
            **({"markdown_text": text} if text else {}),
            blocks=[block.to_dict() for block in answer_footer(answer, options)],
            metadata=metadata(event),
            **({"session_status": "active"} if clears and self._has_sessions else {}),
        )

    def close(self, place: Place) -> bool:
        """End the stream as it is."""
        return self._client.attempt("chat.stopStream", channel=place.channel, ts=place.message)

    @property
    def _has_sessions(self) -> bool:
        """Whether the workspace has sessions, as far as is known."""
        return self._clock() >= self._sessions_from

    def _may_begin(self) -> bool:
        """Whether a session may be begun now, which counts as one."""
        if not self._has_sessions:
            return False
        with self._lock:
            is_free = len(self._begun) < SESSIONS_A_MINUTE or self._clock() - self._begun[0] >= 60
            if is_free:
                self._begun.append(self._clock())
        return is_free

    def _set_session(self, place: Place, status: str, *, attempts: int, **title: Any) -> None:
        """Move a session; raises `Refused` and `NotDelivered`. Where the app has none it is not tried for a while."""
        try:
            self._client(
                "agents.sessions.setStatus",
                attempts=attempts,
                channel_id=place.channel,
                thread_ts=place.root,
                status=status,
                **title,
            )
        except Refused as error:
            logger.info("no session: %s", error)
            if error.error not in OF_ONE_THREAD:
                self._sessions_from = self._clock() + WITHOUT_SESSIONS_SECONDS
            raise

    def _set_text(self, place: Place, text: str, **more: Any) -> bool:
        """Set the status that the agent view and threads had before there were sessions."""
        return self._client.attempt(
            "assistant.threads.setStatus", channel_id=place.channel, thread_ts=place.root, status=text, **more
        )


def _title(event: IncomingEvent) -> dict[str, str]:
    """Return the title of a new session: the question, where its asker alone sees it."""
    words = presentation.shorten(" ".join(event.text.split()), LONGEST_TITLE)
    return {"title": words} if words and event.place.is_direct else {}
