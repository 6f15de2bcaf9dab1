"""The port to a chat platform: what the server calls of it, and what the code for all platforms calls of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from bot.answering.answers import Answer, Citation, Sentence
from bot.channels.events import IncomingEvent, Place
from bot.errors import BotError
from bot.services.escalation import Escalation
from bot.state.protocol import Claim, Event

if TYPE_CHECKING:  # a platform without addresses needs no web server
    from starlette.routing import BaseRoute

# `new` and `known`: the event is on disk, and the platform may acknowledge it. `busy`: it is not kept, and the platform
# tells the person that too many wait.
Accepted = Literal["new", "known", "busy"]
Accept = Callable[[Event], Accepted]
Json = dict[str, Any]
# What can be pressed below an expert's reply.
ReplyAction = Literal["send", "accept"]


class NotDelivered(BotError):
    """The platform cannot be reached or takes nothing at present, so that the event is handled again later.

    `wait` is how many seconds the platform asks for before another try; `unsure` is whether it may have done what was
    asked all the same.
    """

    wait: float = 0.0
    unsure: bool = False


class Undeliverable(NotDelivered):
    """The platform will never take a message here: the channel is gone, or the bot was put out of it."""


class Refused(Exception):
    """The platform does not do what was asked, however often it is tried; `error` is its own word for why."""

    def __init__(self, action: str, error: str) -> None:
        super().__init__(f"{action}: {error}")
        self.error = error


@dataclass(frozen=True, slots=True)
class Message:
    """One message as a platform's renderer has made it: `text` stands for `content` where that is not shown."""

    text: str
    content: tuple[Json, ...] = ()


@dataclass(frozen=True, slots=True)
class DisplayOptions:
    """How an answer is shown in a place."""

    revision: str  # differs with each version of a message
    buttons: bool = True  # thumbs
    person: bool = True  # whether somebody can be asked
    share: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a platform takes: pauses between two changes of a message, and sizes."""

    update_seconds: float  # between two edits, and before the first
    append_seconds: float  # between two additions to a stream
    partial_characters: int  # of an answer's text while it comes about
    private_messages: int  # that one event may bring to one person alone


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The message of an answer that is visible already, and whether it still streams."""

    message: str
    streams: bool = False


@dataclass(frozen=True, slots=True)
class ShownStatus:
    """What has become of a status beside a thread: whether people see it, and whether it may stay until cleared."""

    is_visible: bool
    stays: bool = False


@dataclass(frozen=True, slots=True)
class WrittenMessage:
    """What a person wrote, as words: with the names of who is mentioned, and the targets of links; names of files.

    `message` is its id, `content` the `content_hash` of the text with its marks.
    """

    user: str
    text: str
    message: str = ""
    content: str = ""
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PartHealth:
    """What a channel last saw of a part that it needs, by one of a few words; a `required` one must work.

    `detail` holds no secret. `workspace` is set where it is about one of several.
    """

    part: str
    ok: bool
    detail: str
    required: bool = True
    workspace: str = ""


@dataclass(frozen=True, slots=True)
class ChannelHealth:
    """The state of a channel; `last_event` is when it was last told something, in seconds since 1970, 0 for never."""

    parts: tuple[PartHealth, ...] = ()
    last_event: float = 0.0


class Channel(Protocol):
    """One chat platform, as the process that serves it sees it. Every method may be called from any thread."""

    @property
    def name(self) -> str:
        """What its events are called by (`Event.platform`)."""
        ...

    def routes(self) -> Sequence["BaseRoute"]:
        """Its addresses on the public listener; empty for none."""
        ...

    def start(self, accept: Accept) -> None:
        """Begin to listen; returns once it does. Raises `BotError` with one line when it cannot.

        `accept` is called for every event before the event is acknowledged. It raises `StateUnavailable` when the
        event could not be kept: then it must not be acknowledged, so that it is delivered again.
        """
        ...

    def health(self) -> ChannelHealth:
        """What was last seen of the channel; looked at in the background, so that this returns at once."""
        ...

    def handle(self, claim: Claim) -> None:
        """Do what an event asks for; returns when nothing more is to be done.

        `attempt` above 1 means that another may have begun: what is visible already is finished, not repeated. What it
        raises is logged, and the event is handled again later: a `BotError` is something that may pass (nothing can be
        delivered, say) and tried for minutes, anything else once more.
        """
        ...

    def give_up(self, claim: Claim) -> None:
        """Tell whoever waits, in one line, that this could not be done; called after the last attempt.

        What it raises is logged, and it is called again later, a few times.
        """
        ...

    def stop(self) -> None:
        """Listen no more; what was accepted may still be handled. A second time, or unstarted, nothing changes."""
        ...


class Transport(Protocol):
    """Sends, changes and finds the bot's own messages in one workspace of a platform; may be used from any thread.

    Every method raises `NotDelivered` while the platform cannot be reached, unless it says otherwise.
    """

    def post(self, place: Place, message: Message, *, event: str, part: int = 0) -> str:
        """Post a message in the place's thread, in its channel where it names none; returns the message's id.

        It is marked with the event that it answers and its number among several, for `find`. Raises `Undeliverable`
        where it is refused in every form. A repeated call posts a second message.
        """
        ...

    def edit(self, place: Place, message: Message, *, event: str = "", retry: bool = True) -> bool:
        """Replace the content of the bot's message at a place; False where that is refused, as for an unknown id.

        The mark of the message stays, or becomes `event` where one is given. Without `retry` it is tried once.
        """
        ...

    def delete(self, place: Place) -> bool:
        """Delete the bot's message at a place; False where that fails for any reason. Raises nothing."""
        ...

    def find(self, place: Place, event: str, *, part: int = 0, unmarked_stream: bool = False) -> Checkpoint | None:
        """Return the bot's message with this mark in the place's thread (after `place.message`), else in its channel.

        With `unmarked_stream` the newest message without a mark is taken for a stream that was begun. None where
        nothing is found or the platform cannot be asked; raises nothing.
        """
        ...

    def tell(self, place: Place, user: str, message: Message, *, handle: str = "") -> bool:
        """Show a message to one person alone: in the place's `thread` where it has one, else in its channel.

        `handle` is the `reply_handle` of their event, which may work where nothing else does. False where they could
        not be told. Raises nothing.
        """
        ...

    def post_by_handle(self, handle: str, message: Message) -> bool:
        """Post a message for all to see through a `reply_handle`; False where that is not possible. Raises nothing."""
        ...

    def open_direct(self, user: str) -> Place:
        """Return the conversation in which the bot is alone with a person; raises `Refused` too."""
        ...

    def read(self, place: Place) -> WrittenMessage | None:
        """Return a person's message as it is now; None where it is gone, or nobody's."""
        ...

    def read_before(self, place: Place) -> Sequence[WrittenMessage]:
        """Return what people wrote in the thread of a message before it, oldest first; the newest where it is long.

        Of a message that begins a thread itself, it is what was written in its channel. Empty where it is refused.
        """
        ...


class Streams(Protocol):
    """What a platform has for an answer that comes about, beside messages; each step has a substitute where it fails.

    Methods that return a bool return False where the step fails for any reason, and raise nothing.
    """

    def show_status(self, event: IncomingEvent) -> ShownStatus:
        """Show beside the event's thread that the bot is at work; raises nothing."""
        ...

    def clear_status(self, place: Place) -> bool:
        """Show beside the thread that the bot is at work no more."""
        ...

    def start(self, event: IncomingEvent, text: str) -> str:
        """Begin a stream in the event's thread, and return its message's id; raises `Refused` and `NotDelivered`."""
        ...

    def append(self, place: Place, text: str) -> None:
        """Add text to the stream at a place; raises `Refused` where it has ended, and `NotDelivered`."""
        ...

    def finish(
        self, place: Place, text: str, answer: Answer, options: DisplayOptions, *, event: str, clears: bool
    ) -> bool:
        """End the stream with the last text and all that stands below an answer, marked like a posted message.

        With `clears` a status that stays beside the thread is cleared too.
        """
        ...

    def close(self, place: Place) -> bool:
        """End the stream as it is."""
        ...


class Renderer(Protocol):
    """Makes a platform's messages (pure); what people and documents wrote calls nobody there and leads nowhere else."""

    def line(self, text: str) -> Message:
        """One line of the bot's own words."""
        ...

    def sentence_text(self, sentence: Sentence, citations: Mapping[int, Citation], *, before: str) -> str:
        """The text of a sentence with its marks, as it goes on after the text `before`."""
        ...

    def partial_answer(self, text: str, words: str) -> Message:
        """An answer that is not finished: the text of its sentences, and their plain words."""
        ...

    def answer_messages(self, answer: Answer, options: DisplayOptions) -> Sequence[Message]:
        """The whole answer in as few messages as hold it, at least one; buttons are in the last."""
        ...

    def under_heading(self, message: Message, heading: str, question: str) -> Message:
        """The message below a heading and the question that it answers."""
        ...

    def escalation_request(self, escalation: Escalation) -> Message:
        """A question that is passed on, as the owners of documents see it."""
        ...

    def reply_messages(self, text: str, files: Sequence[str] = ()) -> Sequence[Message]:
        """A person's reply, as whoever asked sees it, in as few messages as hold it; files are named."""
        ...

    def reply_note(
        self, text: str, *, action: ReplyAction | None = None, value: str = "", revision: str = ""
    ) -> Message:
        """A line below an expert's reply, with the button that does this about it; `value` says which reply it is."""
        ...


class Reply(Protocol):
    """What one person sees while their question is answered. Each method may be slow.

    Called in this order: `begun` once (not for small talk), `sentence` any number of times, then exactly one of `done`,
    `failed` and `stopped`. What cannot be shown at all, however often it is tried, raises `NotDelivered`.
    """

    def begun(self, status: str) -> None:
        """Show at once that the question has arrived and what happens now."""
        ...

    def sentence(self, sentence: Sentence, citations: Sequence[Citation]) -> None:
        """Show a checked sentence, with the citations that are new with it."""
        ...

    def done(self, answer: Answer) -> None:
        """Show the whole answer, with buttons; also an abstention. One without an id cannot be voted on."""
        ...

    def failed(self, text: str) -> None:
        """Show one line that says what went wrong and what to do."""
        ...

    def stopped(self, *, keep: Callable[[], bool]) -> None:
        """Say that somebody has stopped it, below what is there where `keep` lets that stay; nothing can be pressed."""
        ...
