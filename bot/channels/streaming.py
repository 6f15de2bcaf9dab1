"""Shows an answer in a thread while it comes about: a status, text that grows, then the whole.

The ladder of means, as far as the platform and the moment allow: a stream, one message that is changed, a new message.
A worker that takes over from one that died finds what that one began, and finishes it.
"""

import json
import logging
import time
from collections.abc import Callable, Sequence

from bot.answering.answers import Answer, Citation, Sentence
from bot.channels import presentation
from bot.channels.connection import Connection, Platform
from bot.channels.events import IncomingEvent, Place
from bot.channels.port import (
    Checkpoint,
    DisplayOptions,
    Message,
    NotDelivered,
    Refused,
    ShownStatus,
    Streams,
    Transport,
)

logger = logging.getLogger(__name__)

STREAM_STARTING = '{"streams": true}'
# A whole answer waits no longer than this for when the platform wants to be called again.
MOST_WAITING = 60.0
LONG_AGO = float("-inf")
NO_STATUS = ShownStatus(is_visible=False)


class StreamingReply:
    """A `Reply` in the thread of an event.

    `save_checkpoint` keeps what is visible already for a worker that takes over; `checkpoint` is what an
    earlier worker left so, `is_resumed` whether there was one, which may have left a status too. After `done`, `failed`
    and `stopped`, `messages` are the ids of those that show the answer; `end` comes last.
    """

    def __init__(
        self,
        platform: Platform,
        connection: Connection,
        event: IncomingEvent,
        *,
        options: Callable[[Answer], DisplayOptions],
        save_checkpoint: Callable[[str], None],
        checkpoint: Checkpoint | None = None,
        is_resumed: bool = False,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._renderer = platform.renderer
        self._limits = platform.limits
        self._transport = connection.transport
        self._statuses = connection.streams
        self._streams: Streams | None = connection.streams  # None once the answer is a message that is changed
        self._event = event
        self._options = options
        self._save_checkpoint = save_checkpoint
        self._checkpoint = checkpoint
        self._clock = clock
        self._sleep = sleep
        self._status = ShownStatus(is_visible=is_resumed, stays=is_resumed)
        self._is_streaming = False
        self._status_text = ""  # that the visible message begins with, where nothing stands beside the thread
        self._text = ""  # of the sentences, with their marks
        self._words = ""
        self._shown = (0, "")  # characters of the text that can be read by now, and their words
        self._citations: dict[int, Citation] = {}
        self._changed_at = LONG_AGO
        self._edited_at = LONG_AGO  # with a part of the answer
        self._held_until = LONG_AGO  # the platform wants to be called no sooner
        self.messages: tuple[str, ...] = (checkpoint.message,) if checkpoint else ()

    def begun(self, status: str) -> None:
        """Show a status beside the thread, else begin with it; go on with what was begun before."""
        if self._checkpoint:
            if self._checkpoint.streams and self._streams:
                self._streams.close(self._first)
            self._streams = None
            self._edit(self._renderer.line(status))
            self._changed()
            return
        if self._statuses:
            shown = self._statuses.show_status(self._event)
            self._status = ShownStatus(shown.is_visible, shown.stays or self._status.stays)
        if not (self._statuses and self._status.is_visible):
            self._status_text = status
            self._advance()

    def sentence(self, sentence: Sentence, citations: Sequence[Citation]) -> None:
        """Show a sentence at once, or with the next one where the last change was a moment ago or fails."""
        self._citations |= {each.number: each for each in citations}
        self._text += self._renderer.sentence_text(sentence, self._citations, before=self._text)
        self._words = f"{self._words} {sentence.text}".strip()
        if len(self._text) > self._limits.partial_characters:
            return  # the whole answer will be cut into several messages
        pause = self._limits.append_seconds if self._streams else self._limits.update_seconds
        if self._clock() >= max(self._changed_at + pause, self._held_until):
            self._advance()

    def done(self, answer: Answer) -> None:
        """Show the whole answer in place of what is there; raises `NotDelivered`."""
        options = self._options(answer)
        first, *others = self._renderer.answer_messages(answer, options)
        if answer.is_small_talk and not self.messages:
            self._post(first)
            return
        if others or not self._finish_stream(answer, options):
            self._replace(first)
        for part, message in enumerate(others, start=1):
            place = self._event.place
            there = self._transport.find(place, self._event.id, part=part) if self._checkpoint else None
            if there:
                self.messages = (*self.messages, there.message)
            else:
                self._post(message, part=part)

    def failed(self, text: str) -> None:
        """Show this line in place of what is there; raises `NotDelivered`."""
        self._replace(self._renderer.line(text))

    def stopped(self, *, keep: Callable[[], bool]) -> None:
        """Leave what can be read by now, where that may stay, and say so below it; raises `NotDelivered`.

        What came since the last change is not added: whoever has stopped it does not want it.
        """
        characters, words = self._shown
        if not (characters and keep()):
            self.failed(presentation.STOPPED)
            return
        text = f"{self._text[:characters].rstrip()}\n\n{presentation.STOPPED}"
        self._replace(self._renderer.partial_answer(text, f"{words} {presentation.STOPPED}"))

    def end(self) -> None:
        """Clear the status, if one may stand beside the thread; called last, whatever has become of the question."""
        has_status = self._status.stays or (self._status.is_visible and not self.messages)
        if has_status and self._statuses:
            self._statuses.clear_status(self._event.place)

    @property
    def _first(self) -> Place:
        """The first message of the answer."""
        return _message(self._event, self.messages[0])

    def _advance(self) -> None:
        """Show the text that there is by now; what fails is shown with the next sentence, or at the end."""
        if self._streams is None:
            self._advance_message()
        elif self._is_streaming:
            self._advance_stream(self._streams)
        else:
            self._start_stream(self._streams)

    def _advance_message(self) -> None:
        renderer = self._renderer
        partial = renderer.partial_answer(self._text, self._words) if self._text else renderer.line(self._status_text)
        if not self.messages:
            self._post(partial)
        elif self._edit(partial, retry=False):
            self._edited_at = self._clock()
        else:
            return
        self._changed()

    def _advance_stream(self, streams: Streams) -> None:
        try:
            streams.append(self._first, self._text[self._shown[0] :])
        except NotDelivered as error:
            if not error.unsure:
                self._held_until = self._clock() + error.wait
                return
            self._go_on_as_message()  # appended twice it would be there twice
        except Refused as error:
            logger.info("a stream has ended: %s", error)
            self._go_on_as_message()
        else:
            self._changed()

    def _start_stream(self, streams: Streams) -> None:
        """Begin a stream with the text that there is by now, or post it where streams are not to be had."""
        self._save_checkpoint(STREAM_STARTING)  # so that a successor looks for one that names no event
        try:
            message = streams.start(self._event, f"{self._status_text}\n\n" if self._status_text else self._text)
        except NotDelivered as error:
            place, event = self._event.place, self._event.id
            lost = self._transport.find(place, event, unmarked_stream=True) if error.unsure else None
            if lost:
                self.messages, self._is_streaming = (lost.message,), True
            self._go_on_as_message()
        except Refused as error:
            logger.info("no stream: %s", error)
            self._go_on_as_message()
        else:
            self.messages, self._is_streaming = (message,), True
            self._save_checkpoint(_to_json(Checkpoint(message, streams=True)))
            self._changed()

    def _changed(self) -> None:
        self._shown, self._changed_at = (len(self._text), self._words), self._clock()

    def _go_on_as_message(self) -> None:
        """Go on with a message, where a stream is not to be had or has ended by itself."""
        self._close_stream()
        self._streams = None
        self._advance_message()

    def _finish_stream(self, answer: Answer, options: DisplayOptions) -> bool:
        """Whether the stream has ended with all that belongs to the answer.

        False where there is none, and where what was streamed is no part of the answer (any more): it is replaced.
        """
        is_other = bool(self._status_text or (self._text and not answer.sentences))
        if not (self._is_streaming and self._streams) or is_other:
            return False
        self._wait_until(self._held_until)
        rest = self._text[self._shown[0] :]
        finished = self._streams.finish(
            self._first, rest, answer, options, event=self._event.id, clears=self._status.stays
        )
        if finished:
            self._is_streaming, self._status = False, NO_STATUS
        return finished

    def _close_stream(self) -> None:
        if self._is_streaming and self._streams:
            self._streams.close(self._first)
        self._is_streaming = False

    def _replace(self, message: Message) -> None:
        """Put this in place of what is there, or post it where nothing is; raises `NotDelivered`."""
        self._wait_until(max(self._held_until, self._edited_at + self._limits.update_seconds))
        self._close_stream()
        if self.messages and self._edit(message):
            return
        old = self._first if self.messages else None
        self._post(message)
        if old:  # what cannot be changed, as a stream that does not end, must not stand beside the answer
            self._transport.delete(old)

    def _wait_until(self, moment: float) -> None:
        wait = min(moment - self._clock(), MOST_WAITING)
        if wait > 0:
            self._sleep(wait)

    def _edit(self, message: Message, *, retry: bool = True) -> bool:
        """Whether the first message shows this now; raises `NotDelivered` where it is worth waiting."""
        try:
            return self._transport.edit(self._first, message, event=self._event.id, retry=retry)
        except NotDelivered as error:
            if retry:
                raise
            self._held_until = self._clock() + error.wait
            return False

    def _post(self, message: Message, *, part: int = 0) -> None:
        """Post a part of the answer in the thread; raises `NotDelivered` where that is refused in every form."""
        event = self._event
        try:
            posted = self._transport.post(event.place, message, event=event.id, part=part)
        except NotDelivered as error:
            there = self._transport.find(event.place, event.id, part=part) if error.unsure else None
            if not there:
                raise
            posted = there.message
        self.messages = (*self.messages, posted) if part else (posted,)
        if not part:
            self._save_checkpoint(_to_json(Checkpoint(posted)))


def find_checkpoint(transport: Transport, event: IncomingEvent, notes: str) -> Checkpoint | None:
    """Return what an earlier worker began for an event: as its notes say, else as the thread's messages do."""
    row = json.loads(notes) if notes else {}
    if row.get("ts"):
        return Checkpoint(row["ts"], streams=bool(row.get("streams")))
    return transport.find(event.place, event.id, unmarked_stream=bool(row.get("streams")))


def _to_json(checkpoint: Checkpoint) -> str:
    """Return the notes for a worker that takes over, which `find_checkpoint` reads."""
    return json.dumps({"ts": checkpoint.message, "streams": checkpoint.streams})


def _message(event: IncomingEvent, message: str) -> Place:
    """Return the place of a message of the bot in the event's thread."""
    return Place(event.place.platform, event.place.workspace, event.place.channel, event.place.root, message)
