"""Asks the owners of documents in their channel, and takes their replies back to whoever asked."""

import logging
from collections.abc import Callable

from bot.access.audience import OUTSIDERS
from bot.channels import presentation
from bot.channels.connection import Connection
from bot.channels.events import IncomingEvent, Place, parse_thread_name
from bot.channels.port import Renderer, Undeliverable
from bot.errors import UsageProblem
from bot.services.escalation import (
    ALREADY_PASSED_ON,
    NO_LONGER_KEPT,
    Escalation,
    EscalationRefused,
    EscalationService,
    OpenEscalation,
)
from bot.state.protocol import Claim
from feedback.errors import UnknownExchange

logger = logging.getLogger(__name__)


class EscalationHandler:
    """Handles the events `person`, `expert` and `accept`; each method raises `NotDelivered`."""

    def __init__(self, escalations: EscalationService, renderer: Renderer, revision: Callable[[], str]) -> None:
        self._escalations = escalations
        self._renderer = renderer
        self._revision = revision

    def ask_person(self, claim: Claim, event: IncomingEvent, connection: Connection) -> None:
        """Pass a question on to the owners of its documents, once, and tell its person that it was."""
        # Without a thread that others see, the reply goes to the person alone.
        thread = event.place if event.place.root else Place(event.place.platform, event.place.workspace, event.user)
        try:
            escalation = self._escalations.compose(
                event.value,
                platform=event.place.platform,
                place=thread.thread_name,
                readers=lambda channel: connection.directory.readers_now(_owners_place(event, channel)),
            )
        except EscalationRefused as error:
            connection.tell(event, self._renderer.line(str(error)))
            return
        if not self._escalations.claim(escalation) and claim.attempt == 1:
            connection.tell(event, self._renderer.line(ALREADY_PASSED_ON))
        else:
            self._pass_on(claim, event, connection, escalation)

    def forward_reply(self, claim: Claim, event: IncomingEvent, connection: Connection) -> None:
        """Take an expert's reply to whoever asked, and offer the expert to accept it."""
        escalation = self._of_thread(event)
        if escalation is None:
            return
        transport, asked_in = connection.transport, parse_thread_name(escalation.place)
        place = asked_in if asked_in.root else transport.open_direct(asked_in.channel)
        if not self._may_reply(escalation, asked_in, connection):
            transport.post(event.place, self._renderer.line(presentation.REPLY_NOT_SENT), event=f"{event.id}:told")
            return
        if claim.attempt == 1 or not transport.find(place, event.id):
            for message in self._renderer.reply_messages(event.text):
                transport.post(place, message, event=event.id)
        offer = self._renderer.acceptance_offer(event.place.message, revision=self._revision())
        transport.post(event.place, offer, event=f"{event.id}:told")

    def accept_reply(self, claim: Claim, event: IncomingEvent, connection: Connection) -> None:
        """Make an expert's reply, as it is now, the correction of the answer in its author's name."""
        escalation = self._of_thread(event)
        place = Place(
            event.place.platform, event.place.workspace, event.place.channel, event.place.thread, message=event.value
        )
        reply = connection.transport.read(place) if escalation else None
        if escalation is None or reply is None:
            connection.tell(event, self._renderer.line(presentation.REPLY_GONE))
            return
        author = f"{place.platform}:{reply.user}"
        key = f"{place.workspace}:{place.channel}:{place.message}"
        try:
            self._escalations.accept(escalation, reply.text, author=author, user=event.person, key=key)
        except UnknownExchange:
            connection.tell(event, self._renderer.line(NO_LONGER_KEPT))
        except UsageProblem as error:
            connection.tell(event, self._renderer.line(presentation.REPLY_UNACCEPTABLE.format(error=error)))
        else:
            connection.tell(event, self._renderer.line(presentation.REPLY_ACCEPTED))

    def _pass_on(self, claim: Claim, event: IncomingEvent, connection: Connection, escalation: Escalation) -> None:
        transport = connection.transport
        owners = _owners_place(event, escalation.channel)
        checkpoint = transport.find(owners, event.id) if claim.attempt > 1 else None
        request = self._renderer.escalation_request(escalation)
        try:
            thread = checkpoint.message if checkpoint else transport.post(owners, request, event=event.id)
        except Undeliverable as error:
            logger.warning("the owners of documents cannot be asked: %s", error)
            self._escalations.release(escalation)
            connection.tell(event, self._renderer.line(presentation.OWNERS_UNREACHABLE))
            return
        self._escalations.record_thread(escalation, owners.in_thread(thread).thread_name)
        text = presentation.PASSED_ON if event.place.root else presentation.PASSED_ON_PRIVATELY
        asker = connection.directory
        if self._escalations.is_partial(escalation, lambda: asker.audience_now(event.place, event.user).groups):
            text = f"{text} {presentation.PARTLY_PASSED_ON}"
        connection.tell(event, self._renderer.line(text))

    def _may_reply(self, escalation: OpenEscalation, asked_in: Place, connection: Connection) -> bool:
        """Whether whoever reads now where the question was asked may see a reply; guests may have come since.

        A person who is answered alone may, unless they have become a guest.
        """
        directory = connection.directory
        if asked_in.root:
            return self._escalations.may_reply(escalation, directory.readers_now(asked_in))
        return not directory.is_guest_now(asked_in.channel) or self._escalations.may_reply(escalation, OUTSIDERS)

    def _of_thread(self, event: IncomingEvent) -> OpenEscalation | None:
        return self._escalations.find_by_thread(event.place.in_thread(event.place.thread).thread_name)


def _owners_place(event: IncomingEvent, channel: str) -> Place:
    """Return the owners' channel, as the settings name it, in the workspace of an event."""
    platform, _, id_ = channel.partition(":")
    return Place(platform, event.place.workspace, id_)
