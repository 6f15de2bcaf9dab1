"""Shows an answer to one person alone, as a command asks for it."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from bot.answering.answers import Answer, Citation, Sentence
from bot.channels import presentation
from bot.channels.connection import Connection, Platform
from bot.channels.events import IncomingEvent
from bot.channels.port import DisplayOptions, Message, Undeliverable


class EphemeralReply:
    """A `Reply` to a command: its acknowledgement said that it is looked up, and the answer comes when it is whole."""

    def __init__(
        self,
        platform: Platform,
        connection: Connection,
        event: IncomingEvent,
        *,
        options: Callable[[Answer], DisplayOptions],
    ) -> None:
        self._platform = platform
        self._transport = connection.transport
        self._event = event
        self._options = options

    def begun(self, status: str) -> None:
        """Do nothing: the acknowledgement has said so."""

    def sentence(self, sentence: Sentence, citations: Sequence[Citation]) -> None:
        """Do nothing: what one person alone sees cannot be changed."""

    def done(self, answer: Answer) -> None:
        """Show the whole answer, as much of it as one event may bring; raises `Undeliverable`."""
        messages = self._platform.renderer.answer_messages(answer, self._options(answer))
        for message in messages[: self._platform.limits.private_messages]:
            self._tell(message)

    def messages_without_share(self, answer: Answer) -> Sequence[Message]:
        """Return what everybody may see of the answer: the same, without the button that shares it."""
        messages = self._platform.renderer.answer_messages(answer, replace(self._options(answer), share=False))
        return messages[: self._platform.limits.private_messages]

    def failed(self, text: str) -> None:
        """Say what went wrong; raises `Undeliverable`."""
        self._tell(self._platform.renderer.line(text))

    def stopped(self, *, keep: Callable[[], bool]) -> None:
        """Say so: nothing else was shown before; raises `Undeliverable`."""
        self._tell(self._platform.renderer.line(presentation.STOPPED))

    def _tell(self, message: Message) -> None:
        event = self._event
        if not self._transport.tell(event.place.in_channel(), event.user, message, handle=event.reply_handle):
            raise Undeliverable("a private answer was not taken")
