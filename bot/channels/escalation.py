"""Asks the owners of documents in their channel, tells where a question was asked what became of it, and reminds."""

import logging
from datetime import UTC, datetime

from bot.channels import presentation
from bot.channels.connection import Connection
from bot.channels.events import IncomingEvent, Place, parse_thread_name, reminder_event
from bot.channels.port import Message, Renderer, Undeliverable
from bot.services.escalation import (
    ALREADY_PASSED_ON,
    Escalation,
    EscalationRefused,
    EscalationService,
    OpenEscalation,
    after_working_day,
)
from bot.services.escalation_records import EscalationRecords
from bot.state.protocol import Claim, Event

logger = logging.getLogger(__name__)


class EscalationHandler:
    """Handles the events `person` and `remind`, and questions that are withdrawn; each method raises `NotDelivered`."""

    def __init__(self, escalations: EscalationService, records: EscalationRecords, renderer: Renderer) -> None:
        self._escalations = escalations
        self._records = records
        self._renderer = renderer

    def ask_person(self, claim: Claim, event: IncomingEvent, connection: Connection) -> None:
        """Pass a question on to the owners of its documents, once, and say so where it was asked."""
        # Without a thread that others see, the reply goes to the person alone.
        thread = event.place if event.place.root else Place(event.place.platform, event.place.workspace, event.user)
        try:
            escalation = self._escalations.compose(
                event.value,
                platform=event.place.platform,
                place=thread.thread_name,
                readers=lambda channel: connection.directory.readers_now(owners_place(event, channel)),
            )
        except EscalationRefused as error:
            connection.tell(event, self._renderer.line(str(error)))
            return
        if self._escalations.claim(escalation, by=event.id):
            self._pass_on(claim, event, connection, escalation)
        else:
            connection.tell(event, self._renderer.line(ALREADY_PASSED_ON))

    def give_up(self, event: IncomingEvent) -> None:
        """Let a question be passed on again that could not be."""
        self._escalations.release(event.value, by=event.id)

    def remind(self, claim: Claim, event: IncomingEvent, connection: Connection) -> None:
        """Remind the owners in their thread, unless something was sent to whoever asked or they wait no more."""
        if self._escalations.find_by_thread(event.place.thread_name) is None:
            return
        if self._records.progress(event.place.thread_name) == "asked":
            post_once(claim, connection, event.place, self._renderer.line(presentation.REMINDER), mark=event.id)

    def withdraw(self, connection: Connection, answer: str) -> None:
        """Tell the owners who were asked about an answer, if any, that its question was deleted."""
        for thread in self._records.threads_of(answer):
            self._records.withdraw(thread, answer=answer)
            place = parse_thread_name(thread)
            connection.transport.edit(
                place.with_message(place.thread), self._renderer.line(presentation.QUESTION_WITHDRAWN)
            )
            show_progress(self._records, self._renderer, connection, thread)

    def follow(self, answer: str, *, earlier: str) -> None:
        """Remember that the answer to an edited question has taken the place of an earlier one."""
        self._records.follow(answer, earlier=earlier)

    def _pass_on(self, claim: Claim, event: IncomingEvent, connection: Connection, escalation: Escalation) -> None:
        owners, mark = owners_place(event, escalation.channel), f"person:{escalation.answer}"
        request = self._renderer.escalation_request(escalation)
        try:
            card = post_once(claim, connection, owners, request, mark=mark)
        except Undeliverable as error:
            logger.warning("the owners of documents cannot be asked: %s", error)
            self._escalations.release(escalation.answer, by=event.id)
            connection.tell(event, self._renderer.line(presentation.OWNERS_UNREACHABLE))
            return
        thread = owners.in_thread(card)
        self._escalations.record_thread(escalation, thread.thread_name, by=event.id)
        now = datetime.now(UTC)
        reminder = reminder_event(event, thread, escalation.answer)
        self._records.remind(
            Event(thread.platform, reminder.id, now, reminder.to_json(), thread.thread_key), after_working_day(now)
        )
        text = self._sign(claim, event, connection, escalation, thread.thread_name)
        asker = connection.directory
        if self._escalations.is_partial(escalation, lambda: asker.audience_now(event.place, event.user).groups):
            text = f"{text} {presentation.PARTLY_PASSED_ON}".strip()
        if text:
            connection.tell(event, self._renderer.line(text))

    def _sign(
        self, claim: Claim, event: IncomingEvent, connection: Connection, escalation: Escalation, thread: str
    ) -> str:
        """Post the sign where the question was asked; returns what its person is told besides."""
        place = asked_in(OpenEscalation(escalation.answer, escalation.channel, escalation.place), connection)
        line = self._renderer.line(presentation.PASSED_ON)
        try:
            message = post_once(claim, connection, place, line, mark=f"sign:{escalation.answer}")
        except Undeliverable:
            return presentation.PASSED_ON
        sign = place.in_thread(message).thread_name
        self._records.save_sign(thread, sign, answer=escalation.answer)
        # Owners may have replied between the two.
        if self._records.progress(thread) != "asked":
            show_progress(self._records, self._renderer, connection, thread)
        return "" if event.place.root else presentation.PASSED_ON_PRIVATELY


def show_progress(records: EscalationRecords, renderer: Renderer, connection: Connection, thread: str) -> None:
    """Change the sign where a question was asked to what has become of it; raises `NotDelivered`."""
    sign = records.sign(thread)
    if sign:
        place = parse_thread_name(sign)
        line = renderer.line(presentation.PROGRESS[records.progress(thread)])
        connection.transport.edit(place.with_message(place.thread), line)


def owners_place(event: IncomingEvent, channel: str) -> Place:
    """Return the owners' channel, as the settings name it, in the workspace of an event."""
    platform, _, id_ = channel.partition(":")
    return Place(platform, event.place.workspace, id_)


def asked_in(escalation: OpenEscalation, connection: Connection) -> Place:
    """Return where replies go: the thread of the question, else the person who was answered alone."""
    place = parse_thread_name(escalation.place)
    return place if place.root else connection.transport.open_direct(place.channel)


def post_once(claim: Claim, connection: Connection, place: Place, message: Message, *, mark: str, part: int = 0) -> str:
    """Post a message, or bring up to date what an earlier attempt has posted; returns its id. Raises `NotDelivered`."""
    transport = connection.transport
    found = transport.find(place, mark, part=part) if claim.attempt > 1 else None
    if found is None:
        return transport.post(place, message, event=mark, part=part)
    transport.edit(place.with_message(found.message), message)
    return found.message
