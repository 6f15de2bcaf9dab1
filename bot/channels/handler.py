"""Handles accepted events: a question is answered, an edited one answered anew, a deleted one's answer withdrawn."""

import json
import logging
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import get_args

from bot.access.audience import Audience, channel_settings
from bot.answering.answers import Answer
from bot.channels import presentation
from bot.channels.background import suppress_errors
from bot.channels.connection import Connection, Platform
from bot.channels.delivery import Outcome, answer_id, answer_question
from bot.channels.ephemeral import EphemeralReply
from bot.channels.escalation import EscalationHandler
from bot.channels.events import ExpertKind, IncomingEvent, Place, from_json
from bot.channels.expert_replies import ExpertReplyHandler
from bot.channels.metrics import ChannelMetrics
from bot.channels.port import Checkpoint, DisplayOptions, Message, NotDelivered, Undeliverable
from bot.channels.stop_marks import StopMarks
from bot.channels.streaming import StreamingReply, find_checkpoint
from bot.channels.thread_state import AnswerLocation, ThreadState
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
        records = EscalationRecords(state, now=now)
        self._people = EscalationHandler(escalation, records, platform.renderer)
        replies = ExpertReplyHandler(escalation, records, platform.renderer, revision)
        self._kinds: Mapping[str, Callable[[Claim, IncomingEvent, Connection], None]] = {
            "question": self._question,
            "edit": self._edit,
            "delete": self._delete,
            "command": self._command,
            "share": self._share,
            "erase": self._erase,
            "person": self._people.ask_person,
            "expert": replies.written,
            "expert_edit": replies.edited,
            "expert_delete": replies.deleted,
            "send": replies.send,
            "accept": replies.accept,
            "remind": self._people.remind,
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
            connection.tell(event, self._platform.renderer.line(presentation.MAY_NOT_WRITE))
        finally:
            if self._state.was_discarded(claim.event):  # whoever asked has been forgotten meanwhile
                self._privacy.forget_rest(event.person, answer=answer_id(self._platform.name, event.id))

    def give_up(self, claim: Claim) -> None:
        """Tell whoever waits that it cannot be done; raises `NotDelivered` where they cannot be told now."""
        event = from_json(claim.event.payload, platform=self._platform.name)
        connection = self._platform.connect(event)
        if connection is None or event.kind in {"delete", "stop", "expert_delete", "remind"}:
            return
        if event.kind == "erase":
            self._tell_directly(event, connection, presentation.NOT_ERASED)
        elif event.kind in {"question", "edit"}:
            checkpoint = find_checkpoint(connection.transport, event, claim.notes)
            with self._streaming_reply(claim, event, connection, checkpoint) as reply:
                reply.failed(presentation.GAVE_UP)
        else:
            if event.kind == "person":
                self._people.give_up(event)
            is_of_expert = event.kind in get_args(ExpertKind)
            text = presentation.REPLY_GIVEN_UP if is_of_expert else presentation.GAVE_UP
            connection.tell(event, self._platform.renderer.line(text))

    def _question(self, claim: Claim, event: IncomingEvent, connection: Connection) -> None:
        if claim.attempt == 1 and event.auto_answered:
            per_hour = channel_settings(self._settings, event.place.channel_name).per_hour
            if not self._thread_state.take_turn(event.place, per_hour=per_hour):
                logger.info("%s has had its answers of this hour", event.place.channel)
                return
        checkpoint = find_checkpoint(connection.transport, event, claim.notes) if claim.attempt > 1 else None
        self._answer(claim, event, connection, checkpoint)
        if event.place.is_direct:
            suppress_errors(lambda: self._welcome.greet_person(connection, event.place, event.user))

    def _edit(self, claim: Claim, event: IncomingEvent, connection: Connection) -> None:
        """Answer anew where the answer is; what was never answered is not answered for an edit alone."""
        location = self._thread_state.answer_location(event.place)
        if location is None:
            return
        shown = self._answer(claim, event, connection, Checkpoint(location.messages[0]))
        left_over = tuple(message for message in location.messages[1:] if message not in shown)
        self._overwrite(event.place, connection, left_over, presentation.EARLIER_PART)
        answered = self._thread_state.answer_location(event.place)
        if answered:
            self._people.follow(answered.answer, earlier=location.answer)

    def _delete(self, claim: Claim, event: IncomingEvent, connection: Connection) -> None:
        location = self._thread_state.answer_location(event.place)
        if location:
            self._overwrite(event.place, connection, location.messages, presentation.WITHDRAWN)
            self._people.withdraw(connection, location.answer)

    def _answer(
        self, claim: Claim, event: IncomingEvent, connection: Connection, checkpoint: Checkpoint | None
    ) -> tuple[str, ...]:
        """Answer in the thread, and return the ids of the messages that show it."""
        with self._streaming_reply(claim, event, connection, checkpoint) as reply:
            outcome = answer_question(
                self._questions,
                event,
                reply,
                audience=lambda: self._audience(event, connection),
                is_stopped=lambda: self._stop_marks.covers(event.place, claim.event.at),
            )
        self._count(outcome)
        self._remember(event, reply.messages, outcome)
        return reply.messages

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
            }
            self._thread_state.save_shareable(event.place, outcome.answer.id, json.dumps(row))

    def _share(self, claim: Claim, event: IncomingEvent, connection: Connection) -> None:
        """Show everybody in the channel a private answer, if they may read now all that it rests on."""
        kept = self._thread_state.shareable(event.place, event.value)
        row = json.loads(kept) if kept else {}
        # What an earlier version kept does not say what it names.
        if "documents" not in row or not self._may_share(event, connection, row["documents"]):
            connection.tell(event, self._platform.renderer.line(presentation.NOT_SHARED))
            return
        first, *others = [Message(text, tuple(content)) for text, content in row["parts"]]
        first = self._platform.renderer.under_heading(first, presentation.SHARED_HEADING, row["question"])
        checkpoint = connection.transport.find(event.place, event.id) if claim.attempt > 1 else None
        message = checkpoint.message if checkpoint else ""
        if not message:
            message, *_ = [_post_publicly(event, connection, part) for part in (first, *others)]
        if message:
            place = Place(event.place.platform, event.place.workspace, event.place.channel, message=message)
            self._thread_state.save_answer(place, AnswerLocation(message, (message,), row["answer"]))
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

    def _remember(self, event: IncomingEvent, messages: tuple[str, ...], outcome: Outcome) -> None:
        """Keep what an edit, a reaction and the thread's next message need; the answer stays without it too."""
        answer = outcome.answer.id if outcome.answer and outcome.recorded else ""
        try:
            if messages:
                self._thread_state.save_answer(event.place, AnswerLocation(event.place.root, messages, answer))
            self._thread_state.add_asker(event.place, event.user)
        except StateUnavailable as error:
            logger.warning("where an answer stands is not remembered: %s", error)

    def _save_notes(self, claim: Claim, notes: str) -> None:
        """Leave notes for a worker that takes over; raises `TakenOver` where one has already."""
        try:
            if not self._state.renew(claim, lease=LEASE, now=self._now(), notes=notes):
                raise TakenOver("another worker has taken this over")
        except StateUnavailable as error:
            logger.warning("no note could be left: %s", error)

    def _overwrite(self, place: Place, connection: Connection, messages: tuple[str, ...], text: str) -> None:
        line = self._platform.renderer.line(text)
        for message in messages:
            connection.transport.edit(Place(place.platform, place.workspace, place.channel, message=message), line)

    def _tell_directly(self, event: IncomingEvent, connection: Connection, text: str) -> None:
        place = connection.transport.open_direct(event.user)
        connection.transport.post(place, self._platform.renderer.line(text), event=event.id)


def _stop(marks: StopMarks, claim: Claim, event: IncomingEvent, connection: Connection) -> None:
    """Clear the status of a thread in which somebody has stopped the work; whoever is at work sees the mark."""
    marks.add(event.place, claim.event.at)
    if connection.streams:
        connection.streams.clear_status(event.place)


def _post_publicly(event: IncomingEvent, connection: Connection, message: Message) -> str:
    """Post a message where the bot is a member, else through what was pressed; empty where its id is not told then."""
    try:
        return connection.transport.post(event.place, message, event=event.id)
    except Undeliverable:
        if not connection.transport.post_by_handle(event.reply_handle, message):
            raise
        return ""
