"""Handles accepted events: a question is answered, an edited one answered anew, a deleted one's answer withdrawn."""

import json
import logging
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import get_args

from bot.access.audience import Audience, channel_settings
from bot.answering.answers import Answer
from bot.channels import presentation
from bot.channels.background import suppress_errors
from bot.channels.connection import Connection, Platform
from bot.channels.delivery import Outcome, QuietReply, answer_id, answer_question
from bot.channels.ephemeral import EphemeralReply
from bot.channels.escalation import EscalationHandler
from bot.channels.events import ExpertKind, IncomingEvent, Place, from_json
from bot.channels.expert_replies import ExpertReplyHandler
from bot.channels.metrics import ChannelMetrics
from bot.channels.port import Checkpoint, DisplayOptions, Message, NotDelivered, Undeliverable
from bot.channels.reference import Asked, asked_by
from bot.channels.stop_marks import StopMarks
from bot.channels.streaming import StreamingReply, find_checkpoint
from bot.channels.thread_state import AnswerLocation, ThreadState
from bot.channels.unaddressed import UnaddressedMessages
from bot.channels.welcome import Welcome
from bot.config.settings import Settings
from bot.errors import StateUnavailable
from bot.services.escalation import EscalationService, owner_channel
from bot.services.escalation_records import EscalationRecords
from bot.services.privacy import PrivacyService
from bot.services.questions import NotDisclosed, QuestionService
from bot.state.protocol import Claim, StateStore
from feedback.errors import UnknownExchange

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=30)


class TakenOver(NotDelivered):
    """Another worker handles this event by now."""


class EventHandler:
    """Handles a platform's accepted events; may be used from any thread."""

    def __init__(
        self,
        platform: Platform,
        *,
        settings: Settings,
        state: StateStore,
        thread_state: ThreadState,
        questions: QuestionService,
        escalation: EscalationService,
        privacy: PrivacyService,
        metrics: ChannelMetrics,
        welcome: Welcome,
        revision: Callable[[], str] = lambda: uuid.uuid4().hex[:12],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._platform = platform
        self._settings = settings
        self._state = state
        self._thread_state = thread_state
        self._stop_marks = StopMarks(state, platform.name, now=now)
        self._questions = questions
        self._privacy = privacy
        self._metrics = metrics
        self._welcome = welcome
        self._revision = revision
        self._now = now
        self._unaddressed = UnaddressedMessages(
            settings=settings, thread_state=thread_state, questions=questions, renderer=platform.renderer
        )
        records = EscalationRecords(state, now=now)
        self._escalations = EscalationHandler(escalation, records, platform.renderer)
        replies = ExpertReplyHandler(escalation, records, platform.renderer, revision)
        self._kinds: Mapping[str, Callable[[Claim, IncomingEvent, Connection], None]] = {
            "question": self._question,
            "edit": self._edit,
            "delete": self._delete,
            "command": self._command,
            "share": self._share,
            "erase": self._erase,
            "person": self._escalations.ask_person,
            "expert": replies.written,
            "expert_edit": replies.edited,
            "expert_delete": replies.deleted,
            "send": replies.send,
            "accept": replies.accept,
            "remind": self._escalations.remind,
            "stop": partial(_stop, self._stop_marks),
        }

    def handle(self, claim: Claim) -> None:
        """Do what an event asks for; raises `NotDelivered` where it is to be tried again."""
        event = from_json(claim.event.payload, platform=self._platform.name)
        connection = self._platform.connect(event)
        if connection is None:
            logger.warning("an event of a workspace that has removed the app")
            return
        try:
            self._kinds[event.kind](claim, event, connection)
        except Undeliverable as error:
            logger.warning("%s", error)
            if not self._thread_state.messages.was_deleted(event.place):  # then there is no thread to write in
                connection.tell(event, self._platform.renderer.line(presentation.MAY_NOT_WRITE))
        finally:
            if self._state.was_discarded(claim.event):  # whoever asked has been forgotten meanwhile
                self._forget_rest({event.person, event.author_person}, claim, event)

    def give_up(self, claim: Claim) -> None:
        """Tell whoever waits that it cannot be done; raises `NotDelivered` where they cannot be told now."""
        event = from_json(claim.event.payload, platform=self._platform.name)
        connection = self._platform.connect(event)
        if connection is None or event.kind in {"delete", "stop", "expert_delete", "remind"}:
            return
        if event.kind == "erase":
            self._tell_directly(event, connection, presentation.NOT_ERASED)
        elif event.unaddressed and not claim.notes:
            return  # nobody waits for what is not visible
        elif event.kind in {"question", "edit"}:
            checkpoint = find_checkpoint(connection.transport, event, claim.notes)
            with self._streaming_reply(claim, event, connection, checkpoint) as reply:
                reply.failed(presentation.GAVE_UP)
        else:
            if event.kind == "person":
                self._escalations.give_up(event)
            is_of_expert = event.kind in get_args(ExpertKind)
            text = presentation.REPLY_GIVEN_UP if is_of_expert else presentation.GAVE_UP
            connection.tell(event, self._platform.renderer.line(text))

    def _question(self, claim: Claim, event: IncomingEvent, connection: Connection) -> None:
        """Answer a message as it was first written, or as it was edited before it was answered."""
        messages, place = self._thread_state.messages, event.place
        if claim.attempt == 1 and messages.was_deleted(place):
            return  # what an earlier attempt has shown is withdrawn after it
        location = self._thread_state.answer_location(place) if claim.attempt == 1 else None
        if location:  # told of again so late that the queue does not know it any more
            self._answer_anew(claim, event, connection, location)
            return
        if claim.attempt == 1 and event.version < messages.newest_version(place):
            return  # what it was edited to waits, and is answered in its stead
        if event.unaddressed and not claim.notes and self._unaddressed.is_chatter(event):
            self._unaddressed.stay_out(event)
            return
        if claim.attempt == 1 and event.auto_answered:
            per_hour = channel_settings(self._settings, place.channel_name).per_hour
            if not self._thread_state.take_turn(place, per_hour=per_hour):
                logger.info("%s has had its answers of this hour", place.channel)
                return
        checkpoint = find_checkpoint(connection.transport, event, claim.notes) if claim.attempt > 1 else None
        self._answer(claim, event, connection, checkpoint)
        if event.place.is_direct:
            suppress_errors(lambda: self._welcome.greet_person(connection, event.place, event.user))

    def _edit(self, claim: Claim, event: IncomingEvent, connection: Connection) -> None:
        """Answer anew where the answer is; what has none yet is answered as it is now."""
        location = self._thread_state.answer_location(event.place)
        if location is None:
            self._question(claim, event, connection)
        elif not self._thread_state.messages.was_deleted(event.place):
            self._answer_anew(claim, event, connection, location)

    def _answer_anew(
        self, claim: Claim, event: IncomingEvent, connection: Connection, location: AnswerLocation
    ) -> None:
        """Put the answer to what a message says now in place of the earlier one; not for formatting alone."""
        if event.version < location.version:
            return
        asked = asked_by(event, connection.transport.read_before)
        content = self._thread_state.messages.keyed_content(asked.content)
        if content and content == location.content:
            return
        if location.answer != answer_id(self._platform.name, event.id):  # an earlier attempt may have got so far
            self._thread_state.messages.mark_withdrawn(location.answer)
        shown = self._answer(claim, event, connection, Checkpoint(location.messages[0]), asked=asked)
        left_over = tuple(message for message in location.messages[1:] if message not in shown)
        _overwrite(event.place, connection, left_over, self._platform.renderer.line(presentation.EARLIER_PART))
        answered = self._thread_state.answer_location(event.place)
        if answered:
            self._escalations.follow(answered.answer, earlier=location.answer)

    def _delete(self, claim: Claim, event: IncomingEvent, connection: Connection) -> None:
        location = self._thread_state.answer_location(event.place)
        if location:
            self._thread_state.messages.mark_withdrawn(location.answer)
            line = self._platform.renderer.line(presentation.WITHDRAWN)
            _overwrite(event.place, connection, location.messages, line)
            self._escalations.withdraw(connection, location.answer)

    def _answer(
        self,
        claim: Claim,
        event: IncomingEvent,
        connection: Connection,
        checkpoint: Checkpoint | None,
        *,
        asked: Asked | None = None,
    ) -> tuple[str, ...]:
        """Answer in the thread, and return the ids of the messages that show it."""
        asked = asked or asked_by(event, connection.transport.read_before)
        author = asked.author.partition(":")[2] if asked.message else ""  # of a message that was pointed to
        if author:
            self._thread_state.add_asker(event.place, author)
        with self._streaming_reply(claim, event, connection, checkpoint) as streaming:
            reply = QuietReply(streaming) if event.unaddressed and not checkpoint else streaming
            outcome = answer_question(
                self._questions,
                event,
                reply,
                audience=lambda: self._audience(event, connection),
                asked=asked,
                is_stopped=lambda: self._stop_marks.covers(event.place, claim.event.at),
                is_withdrawn=self._thread_state.messages.was_withdrawn,
            )
        self._count(outcome)
        if outcome.kind == "unsaid":
            self._unaddressed.leave_unsaid(event, connection)
        else:
            self._remember(event, asked, streaming.messages, outcome)
        if author and not self._thread_state.has_asked(event.place, author):  # they have been forgotten meanwhile
            self._forget_rest({asked.author}, claim, event)
        return streaming.messages

    @contextmanager
    def _streaming_reply(
        self, claim: Claim, event: IncomingEvent, connection: Connection, checkpoint: Checkpoint | None
    ) -> Iterator[StreamingReply]:
        """Open a reply in the thread of an event, whose status is cleared at the end unless it is to be tried again."""
        reply = StreamingReply(
            self._platform,
            connection,
            event,
            options=lambda answer: self._options(event, answer),
            save_checkpoint=lambda notes: self._save_notes(claim, notes),
            checkpoint=checkpoint,
            is_resumed=claim.attempt > 1,
        )
        try:
            yield reply
        except Undeliverable:
            reply.end()
            raise
        reply.end()

    def _command(self, claim: Claim, event: IncomingEvent, connection: Connection) -> None:
        """Answer a command: only its person sees the answer, until they share it."""
        share = not self._audience(event, connection).private
        reply = EphemeralReply(
            self._platform, connection, event, options=lambda answer: self._options(event, answer, share=share)
        )
        outcome = answer_question(self._questions, event, reply, audience=lambda: self._audience(event, connection))
        self._count(outcome)
        if share and outcome.answer and outcome.recorded:
            parts = reply.messages_without_share(outcome.answer)
            row = {
                "question": event.text,
                "answer": outcome.answer.id,
                "documents": sorted(outcome.answer.documents),
                "parts": [(part.text, part.content) for part in parts],
                "thread": event.place.thread,
                "message": event.place.message,
            }
            self._thread_state.save_shareable(event.place, outcome.answer.id, json.dumps(row))

    def _share(self, claim: Claim, event: IncomingEvent, connection: Connection) -> None:
        """Show everybody in the channel a private answer, if they may read now all that it rests on."""
        kept = self._thread_state.shareable(event.place, event.value)
        row = json.loads(kept) if kept else {}
        asked = event.place.with_message(row.get("message", ""))  # somebody's message that was answered
        is_gone = bool(asked.message) and self._thread_state.messages.was_deleted(asked)
        # What an earlier version kept does not say what it names.
        if is_gone or "documents" not in row or not self._may_share(event, connection, row["documents"]):
            connection.tell(event, self._platform.renderer.line(presentation.NOT_SHARED))
            return
        first, *others = [Message(text, tuple(content)) for text, content in row["parts"]]
        event = replace(event, place=event.place.in_thread(row.get("thread", "")))
        first = self._platform.renderer.under_heading(first, presentation.SHARED_HEADING, row["question"])
        checkpoint = connection.transport.find(event.place, event.id) if claim.attempt > 1 else None
        message = checkpoint.message if checkpoint else ""
        if not message:
            message, *_ = [_post_publicly(event, connection, part) for part in (first, *others)]
        if message:
            place = event.place.with_message(message, thread=event.place.thread)
            self._thread_state.save_answer(place, AnswerLocation(place.root, (message,), row["answer"]))
            self._thread_state.add_asker(place, event.user)

    def _may_share(self, event: IncomingEvent, connection: Connection, documents: Collection[str]) -> bool:
        """Whether whoever reads the channel now may see the answer, given up to two hours ago, and all that it names.

        What it names without citing it, such as the nearest sections, stands in no record.
        """
        groups = connection.directory.audience_now(event.place, event.user).groups
        try:
            self._questions.exchange(event.value, groups=groups)
        except (NotDisclosed, UnknownExchange):
            return False
        return self._questions.may_read(documents, groups=groups)

    def _erase(self, claim: Claim, event: IncomingEvent, connection: Connection) -> None:
        """Forget a person, who is told in a direct message."""
        gone = self._privacy.forget(event.person)
        text = presentation.ERASED.format(exchanges=gone.exchanges, votes=gone.votes, platform=self._platform.title)
        self._tell_directly(event, connection, text)

    def _forget_rest(self, people: Collection[str], claim: Claim, event: IncomingEvent) -> None:
        answer = answer_id(self._platform.name, event.id)
        self._privacy.forget_rest(people, answer=answer, since=claim.event.at)

    def _audience(self, event: IncomingEvent, connection: Connection) -> Audience:
        is_command = event.kind == "command"
        direct = event.place.is_direct and not is_command
        return connection.directory.audience(event.place, event.user, direct=direct, seen_alone=is_command)

    def _options(self, event: IncomingEvent, answer: Answer, *, share: bool = False) -> DisplayOptions:
        """Return how an answer is shown; whether somebody can be asked goes by what its reader is shown of it."""
        settings, platform = self._settings, event.place.platform
        buttons = channel_settings(settings, event.place.channel_name).buttons
        shown = [each.document for each in answer.citations] or [hit.passage.document for hit in answer.nearest]
        person = bool(owner_channel(shown, settings.sources, settings.owner_channel, platform=platform))
        note = presentation.files_note(event.files)
        return DisplayOptions(self._revision(), buttons=buttons, person=person, share=share, note=note)

    def _count(self, outcome: Outcome) -> None:
        timings = outcome.answer.timings if outcome.answer else None
        self._metrics.question_answered(self._platform.name, outcome.kind, timings=timings)

    def _remember(self, event: IncomingEvent, asked: Asked, messages: tuple[str, ...], outcome: Outcome) -> None:
        """Keep what an edit, a reaction and the thread's next message need; the answer stays without it too."""
        answer, state = outcome.answer.id if outcome.answer and outcome.recorded else "", self._thread_state
        try:
            content = state.messages.keyed_content(asked.content)
            location = AnswerLocation(event.place.root, messages, answer, event.version, content)
            if messages:
                state.save_answer(event.place, location)
            if messages and asked.message:  # the message that was pointed to is the question as well
                quoted = event.place.in_channel().with_message(asked.message, thread=event.place.root)
                state.messages.mark_accepted(quoted)
                state.save_answer(quoted, replace(location, version=""))
            state.add_asker(event.place, event.user)
        except StateUnavailable as error:
            logger.warning("where an answer stands is not remembered: %s", error)

    def _save_notes(self, claim: Claim, notes: str) -> None:
        """Leave notes for a worker that takes over; raises `TakenOver` where one has already."""
        try:
            if not self._state.renew(claim, lease=LEASE, now=self._now(), notes=notes):
                raise TakenOver("another worker has taken this over")
        except StateUnavailable as error:
            logger.warning("no note could be left: %s", error)

    def _tell_directly(self, event: IncomingEvent, connection: Connection, text: str) -> None:
        place = connection.transport.open_direct(event.user)
        connection.transport.post(place, self._platform.renderer.line(text), event=event.id)


def _stop(marks: StopMarks, claim: Claim, event: IncomingEvent, connection: Connection) -> None:
    """Clear the status of a thread in which somebody has stopped the work; whoever is at work sees the mark."""
    marks.add(event.place, claim.event.at)
    if connection.streams:
        connection.streams.clear_status(event.place)


def _overwrite(place: Place, connection: Connection, messages: tuple[str, ...], line: Message) -> None:
    for message in messages:
        connection.transport.edit(place.with_message(message), line)


def _post_publicly(event: IncomingEvent, connection: Connection, message: Message) -> str:
    """Post a message where the bot is a member, else through what was pressed; empty where its id is not told then."""
    try:
        return connection.transport.post(event.place, message, event=event.id)
    except Undeliverable:
        if not connection.transport.post_by_handle(event.reply_handle, message):
            raise
        return ""
