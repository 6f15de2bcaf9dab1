"""What becomes of messages that ask something and that nobody has addressed to the bot."""

from bot.access.audience import channel_settings
from bot.answering.understanding.addressing import calls_bot
from bot.channels import presentation
from bot.channels.connection import Connection
from bot.channels.events import IncomingEvent
from bot.channels.port import Renderer
from bot.channels.thread_state import ThreadState
from bot.config.settings import Settings
from bot.services.questions import QuestionService
from retrieval.errors import RetrievalError


class UnaddressedMessages:
    """Lets people talk to each other; every method raises `StateUnavailable`."""

    def __init__(
        self, *, settings: Settings, thread_state: ThreadState, questions: QuestionService, renderer: Renderer
    ) -> None:
        self._settings = settings
        self._thread_state = thread_state
        self._questions = questions
        self._renderer = renderer

    def is_chatter(self, event: IncomingEvent) -> bool:
        """Whether a message is, by its meaning, something that people ask each other.

        Its form alone counts where the bot is called by its name, and from whoever has asked in a thread: they may be
        short there.
        """
        if calls_bot(event.text):
            return False
        if event.place.thread and self._thread_state.has_asked(event.place, event.user):
            return False
        try:
            return self._questions.sounds_like_chatter(event.text)
        except RetrievalError:
            return False  # the search will say what is wrong

    def stay_out(self, event: IncomingEvent) -> None:
        """Leave a message alone: a thread that begins with it is no conversation with the bot."""
        if not event.place.thread:
            self._thread_state.remove_asker(event.place, event.user)

    def leave_unsaid(self, event: IncomingEvent, connection: Connection) -> None:
        """Say nothing of what was not found; by a setting whoever asked is told, and nobody else."""
        self.stay_out(event)
        if channel_settings(self._settings, event.place.channel_name).tell_not_found:
            # In a thread only where there is one: what one person alone is told does not open it.
            connection.transport.tell(event.place, event.user, self._renderer.line(presentation.NOT_FOUND_UNASKED))
