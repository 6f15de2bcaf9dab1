"""What becomes of messages that may ask the bot something and that nobody has addressed to it."""

from bot.access.audience import channel_settings
from bot.answering.understanding.addressing import Scene, calls_bot
from bot.answering.understanding.small_talk import small_talk
from bot.channels import presentation
from bot.channels.connection import Connection
from bot.channels.events import IncomingEvent
from bot.channels.port import Renderer
from bot.channels.thread_state import ThreadState
from bot.config.settings import Settings
from bot.services.questions import QuestionService


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
        """Whether a message is, by its meaning and form, something that people say to each other."""
        if calls_bot(event.text):
            return False
        if not event.place.thread:
            return self._questions.sounds_like_chatter(event.text, Scene())
        status = self._thread_state.status(event.place)
        if not status:  # what began the thread was chatter itself
            return True
        by_asker = self._thread_state.has_asked(event.place, event.user)
        scene = Scene(in_thread=True, by_asker=by_asker, after_bot=status == "asked")
        if scene.by_asker and scene.after_bot and small_talk(event.text) == "thanks":
            return False
        return self._questions.sounds_like_chatter(event.text, scene)

    def stay_out(self, event: IncomingEvent) -> None:
        """Leave a message alone: a thread that begins with it is no conversation with the bot."""
        if not event.place.thread:
            self._thread_state.remove_asker(event.place, event.user)
        elif self._thread_state.status(event.place) == "asked":
            self._thread_state.mark_interrupted(event.place)

    def leave_unsaid(self, event: IncomingEvent, connection: Connection) -> None:
        """Say nothing of what was not found; by a setting whoever asked is told, and nobody else."""
        self.stay_out(event)
        if channel_settings(self._settings, event.place.channel_name).tell_not_found:
            # In a thread that is none yet a platform may show nothing to one person alone.
            connection.tell(event, self._renderer.line(presentation.NOT_FOUND_UNASKED))
