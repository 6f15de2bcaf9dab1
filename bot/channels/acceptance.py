"""Keeps what is for the bot in the queue, before the platform acknowledges it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from bot.access.audience import channel_settings
from bot.channels.events import IncomingEvent
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
        facts = Facts(
            was_accepted=lambda: state.was_accepted(place),
            has_asked=lambda: state.has_asked(place, event.user),
            has_answers=lambda: state.has_answers(place),
            is_escalation=lambda: self._is_escalation(event),
            auto_answer=lambda: channel_settings(self._settings, place.channel_name).auto_answer,
        )
        routed = route(event, facts)
        return self.accept(routed) if routed else None

    def accept(self, event: IncomingEvent) -> Accepted:
        """Keep an event to be handled; one that is known already changes nothing."""
        place, now = event.place, datetime.now(UTC)
        if event.kind == "question":
            self._thread_state.mark_accepted(place)
        waits_for_thread = bool(place.root) and event.kind != "stop"
        turn = f"{place.workspace}:{place.channel}:{place.root}" if waits_for_thread else ""
        accepted = self._accept(Event(place.platform, event.id, now, event.to_json(), turn))
        if event.kind == "stop":
            if accepted != "known":  # a repeated one does not stop what was asked since
                self._stop_marks.add(place, now)
            return accepted
        waits = not event.auto_answered and event.kind != "command"  # a command's acknowledgement says it
        if accepted == "busy" and waits and self._thread_state.is_first(f"busy:{event.id}", within=BUSY_TOLD_ONCE_IN):
            self._tell_busy(event)
        return accepted

    def _is_escalation(self, event: IncomingEvent) -> bool:
        """Whether owners of documents were asked in this thread, or a deleted message was a reply of theirs."""
        channels = {self._settings.owner_channel, *(source.owner_channel for source in self._settings.sources)}
        if event.place.channel_name not in channels:
            return False
        return self._escalation.find_by_thread(event.place.thread_name) is not None
