"""What one person in Slack sees of their answer while it comes about: a status, text that streams, then the whole.

It goes down a ladder, as far as the workspace and the moment make it: a stream, one message that is updated, a new
message. Whoever takes over from a worker that died finds what that one began, and finishes it.
"""

import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from bot.answering.answers import Answer, Citation, Sentence
from bot.channels.delivery import DOING, NotDelivered
from bot.channels.slack.client import Refused, SlackClient, Unreachable
from bot.channels.slack.rendering import MOST_SAID, Message, Show, below, line, messages, said, so_far
from bot.channels.slack.transport import Checkpoint, Place, find, is_about_blocks, metadata, post

logger = logging.getLogger(__name__)

# Between two changes of a message: chat.update is promised 50 a minute, chat.appendStream 100.
UPDATE_SECONDS = 1.2
APPEND_SECONDS = 0.6
STATUS = "is looking in the documents …"

# While an answer streams a failing call is not worth waiting for: the next one says more.
QUICK = 1


class StreamingReply:
    """A `Reply` in a thread of Slack.

    `note` keeps what was begun for a successor; `found` is what an earlier one began. After `done` and `failed` `ts`
    are the messages that show the answer.
    """

    def __init__(
        self,
        calls: SlackClient,
        place: Place,
        *,
        bot: str,
        show: Callable[[], Show],
        note: Callable[[str], None],
        found: Checkpoint | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._calls = calls
        self._place = place
        self._bot = bot
        self._show = show
        self._note = note
        self._found = found
        self._clock = clock
        self._sleep = sleep
        self._mode: Literal["stream", "update"] = "stream"
        self._has_begun = self._streams = False
        self._said = ""  # in Markdown
        self._words = ""
        self._sent = ""
        self._citations: dict[int, Citation] = {}
        self._last = 0.0
        self.ts: tuple[str, ...] = (found.ts,) if found else ()

    def begun(self, status: str) -> None:
        """A status where Slack shows one, else a first message; what was begun before is taken up. Once is enough."""
        if self._has_begun:
            return
        self._has_begun = True
        if self._found:
            self._take_up(status)
        elif not self._status():
            self._mode = "update"
            self._post(line(status), first=True)

    def sentence(self, sentence: Sentence, citations: Sequence[Citation]) -> None:
        self._citations |= {each.number: each for each in citations}
        self._said += said(sentence, self._citations, before=self._said)
        self._words = f"{self._words} {sentence.text}".strip()
        if len(self._said) > MOST_SAID:
            return  # the whole answer will be cut into several messages
        if self._clock() - self._last >= (APPEND_SECONDS if self._mode == "stream" else UPDATE_SECONDS):
            self._advance()

    def done(self, answer: Answer) -> None:
        show = self._show()
        parts = messages(answer, show)
        if answer.is_small_talk and not self.ts:
            self._post(parts[0], first=True)
            return
        if not (self._streams and len(parts) == 1 and self._stopped(answer, show)):
            self._replace(parts[0])
        for number, part in enumerate(parts[1:], start=1):
            self._follow(part, number)

    def _follow(self, message: Message, part: int) -> None:
        """Post a further part of the answer, unless the one before us has."""
        there = find(self._calls, self._place, bot=self._bot, notes="", part=part) if self._found else None
        if there:
            self.ts = (*self.ts, there.ts)
        else:
            self._post(message)

    def failed(self, text: str) -> None:
        self._replace(line(text))

    def _take_up(self, status: str) -> None:
        """Go on with the message that an earlier worker began: its stream is closed, and its text replaced."""
        assert self._found
        self._mode = "update"
        if self._found.streams:
            self._tried("chat.stopStream", channel=self._place.channel, ts=self._found.ts)
        self._updated(line(status))

    def _status(self) -> bool:
        """Whether Slack shows what we are doing beside the thread."""
        return bool(
            self._tried(
                "assistant.threads.setStatus",
                channel_id=self._place.channel,
                thread_ts=self._place.thread,
                status=STATUS,
                loading_messages=[DOING["searching"], DOING["writing"]],
            )
        )

    def _advance(self) -> None:
        """Show what is said by now; what fails is shown with the next sentence, or at the end."""
        if self._mode == "update":
            self._advance_message()
        elif self._streams:
            self._advance_stream()
        else:
            self._start()

    def _advance_message(self) -> None:
        now = so_far(self._said, self._words)
        if not self.ts:
            self._post(now, first=True)
        elif not self._updated(now, attempts=QUICK):
            return
        self._shown()

    def _advance_stream(self) -> None:
        new = self._said[len(self._sent) :]
        try:
            self._calls(
                "chat.appendStream",
                attempts=QUICK,
                repeatable=False,
                channel=self._place.channel,
                ts=self.ts[0],
                markdown_text=new,
            )
        except Unreachable as error:
            if not error.unsure:
                self._last = self._clock() + error.wait
                return
            self._go_on_as_message()  # appended twice it would stand there twice
        except Refused as error:
            logger.info("a stream has ended: %s", error)
            self._go_on_as_message()
        else:
            self._shown()

    def _shown(self) -> None:
        self._sent, self._last = self._said, self._clock()

    def _start(self) -> None:
        """Open a stream with what is said by now, or post it where streams are not to be had."""
        self._note(json.dumps({"streams": True}))  # so that a successor looks for one that names no event
        try:
            found = self._calls(
                "chat.startStream",
                attempts=QUICK,
                repeatable=False,
                channel=self._place.channel,
                thread_ts=self._place.thread,
                recipient_team_id=self._place.team,
                recipient_user_id=self._place.user,
                markdown_text=self._said,
            )
        except Unreachable as error:
            lost = find(self._calls, self._place, bot=self._bot, notes='{"streams": true}') if error.unsure else None
            self.ts, self._streams = ((lost.ts,), True) if lost else ((), False)
            self._go_on_as_message()
        except Refused as error:
            logger.info("no stream: %s", error)
            self._go_on_as_message()
        else:
            self.ts, self._streams = (str(found["ts"]),), True
            self._note(Checkpoint(self.ts[0], streams=True).to_json())
            self._shown()

    def _go_on_as_message(self) -> None:
        """A stream that is not to be had, or that ended as after about five minutes, goes on as a message."""
        self._close_stream()
        self._mode = "update"
        self._advance_message()

    def _stopped(self, answer: Answer, show: Show) -> bool:
        """Whether the stream ended with all that belongs to the answer."""
        new = self._said[len(self._sent) :]
        found = self._tried(
            "chat.stopStream",
            attempts=3,
            channel=self._place.channel,
            ts=self.ts[0],
            **({"markdown_text": new} if new else {}),
            blocks=[block.to_dict() for block in below(answer, show)],
            metadata=self._metadata(),
        )
        self._streams = not found
        return bool(found)

    def _close_stream(self) -> None:
        if self._streams:
            self._tried("chat.stopStream", channel=self._place.channel, ts=self.ts[0])
            self._streams = False

    def _replace(self, message: Message) -> None:
        """Put this in place of what stands there, or post it where nothing does; raises `NotDelivered`."""
        self._close_stream()
        self._pause()
        if self.ts and self._updated(message):
            return
        old = self.ts
        self._post(message, first=True)
        if old:  # what cannot be changed, as a stream that does not end, must not stand beside the answer
            self._tried("chat.delete", channel=self._place.channel, ts=old[0])

    def _pause(self) -> None:
        """Two changes of a message must not follow each other too fast."""
        wait = self._last + UPDATE_SECONDS - self._clock()
        if self.ts and self._mode == "update" and 0 < wait <= UPDATE_SECONDS:
            self._sleep(wait)

    def _updated(self, message: Message, *, attempts: int = 4) -> bool:
        """Whether the first message shows this now."""
        for blocks in (list(message.blocks), []):
            try:
                self._calls(
                    "chat.update",
                    attempts=attempts,
                    channel=self._place.channel,
                    ts=self.ts[0],
                    text=message.text,
                    blocks=blocks,
                    metadata=self._metadata(),
                )
            except Refused as error:
                logger.info("an answer could not be updated: %s", error)
                if not is_about_blocks(error.error):
                    return False
            except NotDelivered:
                if attempts > QUICK:
                    raise
                return False
            else:
                return True
        return False

    def _post(self, message: Message, *, first: bool = False) -> None:
        """Post in the thread; raises `NotDelivered` where that is refused in every form."""
        part = 0 if first else len(self.ts)
        names = self._metadata(part)
        try:
            posted = post(self._calls, self._place.channel, self._place.thread, message, metadata=names)
        except Unreachable as error:
            there = find(self._calls, self._place, bot=self._bot, notes="", part=part) if error.unsure else None
            if not there:
                raise
            posted = there.ts
        self.ts = (posted,) if first else (*self.ts, posted)
        if first:
            self._note(Checkpoint(posted).to_json())

    def _tried(self, method: str, *, attempts: int = QUICK, **arguments: Any) -> Mapping[str, Any] | None:
        """What the method gives; None where it fails, which another step of the ladder makes good."""
        try:
            return self._calls(method, attempts=attempts, **arguments) or {"ok": True}
        except (Refused, NotDelivered) as error:
            logger.info("%s", error)
            return None

    def _metadata(self, part: int = 0) -> dict[str, Any]:
        return metadata(self._place.event, part)
