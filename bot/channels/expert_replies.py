"""Takes what owners of documents reply to whoever asked, keeps it as they edit it, and has it accepted.

All events of one thread are handled one after the other, whatever the number of replicas.
"""

import logging
from collections.abc import Callable
from dataclasses import replace

from bot.access.audience import OUTSIDERS
from bot.channels import presentation
from bot.channels.connection import Connection
from bot.channels.escalation import asked_in, owners_place, post_once, show_progress
from bot.channels.events import IncomingEvent, Place, parse_thread_name
from bot.channels.expert_routing import is_correction, is_for_asker
from bot.channels.port import Renderer, ReplyAction, Undeliverable, WrittenMessage
from bot.errors import BotError, UsageProblem
from bot.services.escalation import NO_LONGER_KEPT, EscalationService, OpenEscalation
from bot.services.escalation_records import EscalationRecords, ExpertReply, version_of
from bot.state.protocol import Claim
from feedback.errors import FeedbackError, UnknownExchange
from retrieval.errors import RetrievalError

logger = logging.getLogger(__name__)


class ExpertReplyHandler:
    """Handles the events `expert`, `expert_edit`, `expert_delete`, `send`, `accept`; each raises `NotDelivered`."""

    def __init__(
        self,
        escalations: EscalationService,
        records: EscalationRecords,
        renderer: Renderer,
        revision: Callable[[], str],
    ) -> None:
        self._escalations = escalations
        self._records = records
        self._renderer = renderer
        self._revision = revision

    def written(self, claim: Claim, event: IncomingEvent, connection: Connection) -> None:
        """Send what plainly answers to whoever asked; below anything else stands that it was not sent."""
        asked, name = self._asked(event), message_name(event.place)
        if asked is None or self._records.was_deleted(name):
            return
        if self._records.progress(event.place.thread_name) == "withdrawn":
            return  # the card says so
        known = self._records.reply(name)
        if known and claim.attempt == 1:
            return
        now = connection.transport.read(event.place) or WrittenMessage(event.user, event.text)
        reply = known or ExpertReply(asked.answer, event.place.thread_name, event.user)
        if reply.is_sent or self._is_for_asker(event, now, asked):
            self._send(claim, event.place, connection, reply, now)
        else:
            self._note(claim, event.place, connection, reply, presentation.REPLY_HELD, action="send")

    def edited(self, claim: Claim, event: IncomingEvent, connection: Connection) -> None:
        """Change what whoever asked has; what was not sent is not sent for an edit."""
        name = message_name(event.place)
        reply = self._records.reply(name)
        if reply and reply.is_sent and not self._records.was_deleted(name):
            now = connection.transport.read(event.place) or WrittenMessage(event.user, event.text)
            self._send(claim, event.place, connection, reply, now)

    def deleted(self, claim: Claim, event: IncomingEvent, connection: Connection) -> None:
        """Withdraw from whoever asked what was sent; what comes late of the message is passed over from now on."""
        name = message_name(event.place)
        asked, reply = self._asked(event), self._records.reply(name)
        if asked:
            self._records.mark_deleted(name, answer=asked.answer)
        if reply:  # its thread is not told of every deletion
            place = _in_thread(parse_thread_name(reply.thread), event.place.message)
            self._withdraw(claim, place, connection, reply, presentation.REPLY_WITHDRAWN)

    def send(self, claim: Claim, event: IncomingEvent, connection: Connection) -> None:
        """Send what an expert wrote, as it is now, because somebody in the owners' channel wants it sent."""
        asked, place = self._asked(event), _in_thread(event.place, event.value)
        now = connection.transport.read(place) if asked else None
        if asked is None or now is None:
            connection.tell(event, self._renderer.line(presentation.REPLY_GONE))
            return
        reply = self._records.reply(message_name(place)) or ExpertReply(asked.answer, place.thread_name, now.user)
        if reply.is_sent and claim.attempt == 1:
            connection.tell(event, self._renderer.line(presentation.REPLY_SENT_ALREADY))
        else:
            self._send(claim, place, connection, reply, now)

    def accept(self, claim: Claim, event: IncomingEvent, connection: Connection) -> None:
        """Make an expert's reply the correction of the answer in its author's name, if it is still what was read."""
        asked = self._asked(event)
        message, _, read = event.value.rpartition(":")
        place = _in_thread(event.place, message or event.value)
        name, now = message_name(place), connection.transport.read(place) if asked else None
        if asked is None or now is None or self._records.was_deleted(name):
            connection.tell(event, self._renderer.line(presentation.REPLY_GONE))
            return
        version, reply = version_of(now.text, now.files), self._records.reply(name)
        if reply and reply.is_sent and read != version:
            self._send(claim, place, connection, reply, now)
            connection.tell(event, self._renderer.line(presentation.REPLY_CHANGED))
            return
        author = f"{place.platform}:{now.user}"
        try:
            key = f"{name}:{version}"
            self._escalations.accept(asked, now.text, author=author, user=event.person, key=key, event=claim.event.id)
        except UnknownExchange:
            connection.tell(event, self._renderer.line(NO_LONGER_KEPT))
        except UsageProblem as error:
            connection.tell(event, self._renderer.line(presentation.REPLY_UNACCEPTABLE.format(error=error)))
        else:
            connection.tell(event, self._renderer.line(presentation.REPLY_ACCEPTED))
            if reply:
                self._mark_accepted(claim, place, connection, replace(reply, accepted=version))

    def _mark_accepted(self, claim: Claim, place: Place, connection: Connection, reply: ExpertReply) -> None:
        self._records.save_reply(message_name(place), reply)
        show_progress(self._records, self._renderer, connection, reply.thread)
        text = f"{presentation.REPLY_SENT_ON} {presentation.REPLY_ACCEPTED}"
        self._note(claim, place, connection, reply, text)

    def _is_for_asker(self, event: IncomingEvent, now: WrittenMessage, asked: OpenEscalation) -> bool:
        """Whether what was written, and still stands, is plainly for whoever asked.

        After something was sent only a correction of its own author is.
        """
        sent = self._records.sent(event.place.thread_name)
        if event.mentions_other or any(each.author != event.user for each in sent):
            return False
        is_meant = is_correction if sent else is_for_asker
        question = self._escalations.question(asked)
        return is_meant(event.text, question=question) and is_meant(now.text, question=question)

    def _send(
        self, claim: Claim, place: Place, connection: Connection, reply: ExpertReply, now: WrittenMessage
    ) -> None:
        """Bring what whoever asked has up to what the reply is now, and the note below it."""
        asked = self._escalations.find_by_thread(reply.thread)
        if asked is None or self._records.progress(reply.thread) == "withdrawn":
            self._note(claim, place, connection, reply, presentation.QUESTION_WITHDRAWN)
            return
        if not self._may_reply(asked, connection):
            self._withdraw(claim, place, connection, reply, presentation.REPLY_NOT_SENT)
            return
        if not now.text.strip() and not now.files:
            self._withdraw(claim, place, connection, reply, presentation.REPLY_WITHDRAWN)
            return
        name, version = message_name(place), version_of(now.text, now.files)
        is_changed = True
        if version != reply.version:
            reply = self._take_back(claim, place, asked, reply)
            try:
                messages, is_changed = self._show(claim, asked, connection, reply, now, mark=f"reply:{name}")
            except Undeliverable as error:
                logger.warning("a reply cannot be sent on: %s", error)
                self._note(claim, place, connection, reply, presentation.REPLY_UNDELIVERABLE)
                return
            version = version if is_changed else reply.version
            reply = replace(reply, version=version, messages=messages, is_withdrawn=False)
            self._records.save_reply(name, reply)
        show_progress(self._records, self._renderer, connection, reply.thread)
        if self._records.was_deleted(name):  # while it was sent
            self._withdraw(claim, place, connection, reply, presentation.REPLY_WITHDRAWN)
            return
        said = [presentation.REPLY_SENT_ON if is_changed else presentation.REPLY_NOT_CHANGED]
        said += [*self._support(asked, now, connection), presentation.ACCEPT_OFFER]
        self._note(claim, place, connection, reply, " ".join(said), action="accept")

    def _show(
        self,
        claim: Claim,
        asked: OpenEscalation,
        connection: Connection,
        reply: ExpertReply,
        now: WrittenMessage,
        *,
        mark: str,
    ) -> tuple[tuple[str, ...], bool]:
        """Show a reply where it was asked, in place of what is there of it.

        Returns its messages, and whether all could be changed.
        """
        place, old, is_changed = asked_in(asked, connection), reply.messages, True
        messages = []
        for part, message in enumerate(self._renderer.reply_messages(now.text, now.files)):
            if part < len(old):
                is_changed &= connection.transport.edit(place.with_message(old[part]), message)
                messages.append(old[part])
            else:
                messages.append(post_once(claim, connection, place, message, mark=mark, part=part))
        self._remove(connection, place, old[len(messages) :])
        return tuple(messages), is_changed

    def _withdraw(self, claim: Claim, place: Place, connection: Connection, reply: ExpertReply, text: str) -> None:
        """Take back what whoever asked has of a reply, and say so below it; nothing is said of what was never sent."""
        asked = self._escalations.find_by_thread(reply.thread)
        if reply.is_sent and asked:
            reply = self._take_back(claim, place, asked, reply)
            there = asked_in(asked, connection)
            line = self._renderer.line(presentation.REPLY_TAKEN_BACK)
            connection.transport.edit(there.with_message(reply.messages[0]), line)
            self._remove(connection, there, reply.messages[1:])
            reply = replace(reply, version="", messages=(), is_withdrawn=True)
            self._records.save_reply(message_name(place), reply)
        elif text == presentation.REPLY_WITHDRAWN and not reply.is_withdrawn:
            if reply.note:
                connection.transport.delete(place.with_message(reply.note))
            return
        show_progress(self._records, self._renderer, connection, reply.thread)
        self._note(claim, place, connection, reply, text)

    def _take_back(self, claim: Claim, place: Place, asked: OpenEscalation, reply: ExpertReply) -> ExpertReply:
        """Return the reply as one that is not accepted: nothing is learned from words that stand there no more."""
        if not reply.accepted:
            return reply
        author, key = f"{place.platform}:{reply.author}", f"{message_name(place)}:{reply.accepted}"
        self._escalations.take_back(asked, author=author, key=key, event=claim.event.id)
        return replace(reply, accepted="")

    def _remove(self, connection: Connection, place: Place, messages: tuple[str, ...]) -> None:
        """Delete parts of a reply that it has no longer."""
        for message in messages:
            if not connection.transport.delete(place.with_message(message)):
                connection.transport.edit(
                    place.with_message(message), self._renderer.line(presentation.REPLY_TAKEN_BACK)
                )

    def _note(
        self,
        claim: Claim,
        place: Place,
        connection: Connection,
        reply: ExpertReply,
        text: str,
        *,
        action: ReplyAction | None = None,
    ) -> None:
        """Say below a reply what became of it, in place of what was said before."""
        name = message_name(place)
        value = {"send": place.message, "accept": f"{place.message}:{reply.version}"}.get(action or "", "")
        note = self._renderer.reply_note(text, action=action, value=value, revision=self._revision())
        if not (reply.note and connection.transport.edit(place.with_message(reply.note), note)):
            posted = post_once(claim, connection, place, note, mark=f"note:{name}")
            self._records.save_reply(name, replace(reply, note=posted))

    def _support(self, asked: OpenEscalation, now: WrittenMessage, connection: Connection) -> list[str]:
        """Return what the sections that the owners were shown say of a reply; nothing where they cannot be compared."""
        of_channel = IncomingEvent("expert", "", parse_thread_name(asked.place), "")

        def readers(channel: str) -> frozenset[str]:
            return connection.directory.readers_now(owners_place(of_channel, channel))

        try:
            found = self._escalations.support(asked, now.text, readers)
        except (BotError, FeedbackError, RetrievalError) as error:
            logger.warning("a reply could not be compared with the documents: %s", error)
            return []
        if found is None:
            return []
        section = presentation.section_label(found.section.title, found.section.path) if found.section else ""
        return [presentation.REPLY_SUPPORT[found.kind].format(section=section, detail=found.detail)]

    def _may_reply(self, asked: OpenEscalation, connection: Connection) -> bool:
        """Whether whoever reads now where the question was asked may see a reply; guests may have come since.

        A person who is answered alone may, unless they have become a guest.
        """
        directory, place = connection.directory, parse_thread_name(asked.place)
        if place.root:
            return self._escalations.may_reply(asked, directory.readers_now(place))
        return not directory.is_guest_now(place.channel) or self._escalations.may_reply(asked, OUTSIDERS)

    def _asked(self, event: IncomingEvent) -> OpenEscalation | None:
        """Return the question of the thread that an event comes from."""
        return self._escalations.find_by_thread(event.place.thread_name)


def message_name(place: Place) -> str:
    """Return the name of the message at a place."""
    return place.in_thread(place.message).thread_name


def _in_thread(thread: Place, message: str) -> Place:
    return replace(thread, message=message)
