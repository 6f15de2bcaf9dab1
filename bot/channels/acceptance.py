"""Keeps what is for the bot in the queue, before the platform acknowledges it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache

from bot.access.audience import channel_settings
from bot.channels.events import IncomingEvent, question_into_edit
from bot.channels.port import Accept, Accepted
from bot.channels.routing import Facts, route
from bot.channels.stop_marks import StopMarks
from bot.channels.thread_state import ThreadState
from bot.config.settings import Settings
from bot.services.escalation import EscalationService
from bot.state.protocol import Event

BUSY_TOLD_ONCE_IN = timedelta(hours=1)


class EventAcceptor:
    """Accepts a platform's events; every method raises `StateUnavailable` where an event cannot be kept.

    `tell_busy` is called where an event was refused because too many wait, at most once for each.
    """

    def __init__(
        self,
        accept: Accept,
        *,
        settings: Settings,
        thread_state: ThreadState,
        stop_marks: StopMarks,
        escalation: EscalationService,
        tell_busy: Callable[[IncomingEvent], None],
    ) -> None:
        self._accept = accept
        self._settings = settings
        self._thread_state = thread_state
        self._stop_marks = stop_marks
        self._escalation = escalation
        self._tell_busy = tell_busy

    def accept_message(self, event: IncomingEvent) -> Accepted | None:
        """Accept a message that was written, edited or deleted; None where it is not for the bot."""
        place, state = event.place, self._thread_state
        if event.kind == "delete":  # whatever is known of it: the message itself may still be on its way
            state.messages.mark_deleted(place)
        facts = Facts(
            accepted=lambda: state.messages.accepted(place),
            status=cache(lambda: state.status(place)),
            is_escalation=lambda: self._is_escalation(event),
            auto_answer=lambda: channel_settings(self._settings, place.channel_name).auto_answer,
        )
        routed = route(event, facts)
        if routed:
            return self.accept(routed)
        if event.kind == "question" and place.thread and facts.status() == "asked":
            state.mark_interrupted(place)
        return None

    def accept(self, event: IncomingEvent) -> Accepted:
        """Keep an event to be handled; one that is known already changes nothing."""
        place, now = event.place, datetime.now(UTC)
        if event.kind == "question":
            self._remember_question(event)
        in_turn = place.root and event.kind not in {"command", "stop"}  # what one person alone sees waits for nobody
        turn = place.thread_key if in_turn else ""
        accepted = self._accept(Event(place.platform, event.id, now, event.to_json(), turn))
        if event.kind == "stop":
            if accepted != "known":  # a repeated one does not stop what was asked since
                self._stop_marks.add(place, now)
            return accepted
        if accepted == "known" and event.kind == "question" and event.version:
            # Another replica has just accepted the message as it was first written.
            return self.accept(question_into_edit(event))
        if event.version and accepted != "busy":
            self._thread_state.messages.mark_edited(place, event.version)
        waits = not event.unaddressed and event.kind != "command"  # a command's acknowledgement says it
        if accepted == "busy" and waits and self._thread_state.is_first(f"busy:{event.id}", within=BUSY_TOLD_ONCE_IN):
            self._tell_busy(event)
        return accepted

    def _remember_question(self, event: IncomingEvent) -> None:
        """Remember who asks where, so that what they add before there is an answer is taken to belong to it."""
        place, state = event.place, self._thread_state
        if state.messages.accepted(place):  # it is told of again
            return
        state.messages.mark_accepted(place, addressed=not event.unaddressed)
        if place.root and not place.is_direct and not (event.unaddressed and place.thread):
            state.add_asker(place, event.user)

    def _is_escalation(self, event: IncomingEvent) -> bool:
        """Whether owners of documents were asked in this thread, or a deleted message was a reply of theirs."""
        channels = {self._settings.owner_channel, *(source.owner_channel for source in self._settings.sources)}
        if event.place.channel_name not in channels:
            return False
        return self._escalation.find_by_thread(event.place.thread_name) is not None
