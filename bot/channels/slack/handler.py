"""What is done about an accepted event: a question is answered, an edited one anew, a deleted one withdrawn."""

import json
import logging
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from bot.access.audience import Audience, channel_settings
from bot.answering.understanding.small_talk import small_talk
from bot.channels.delivery import DOING, AskedQuestion, NotDelivered, Outcome, answer
from bot.channels.metrics import ChannelMetrics
from bot.channels.slack import rendering
from bot.channels.slack.client import Refused
from bot.channels.slack.ephemeral import EphemeralReply, respond, tell, whisper
from bot.channels.slack.escalation import Passing
from bot.channels.slack.events import IncomingEvent, from_json
from bot.channels.slack.install.workspaces import Workspace, Workspaces
from bot.channels.slack.rendering import Message, Show, line
from bot.channels.slack.reply import StreamingReply
from bot.channels.slack.thread_state import AnswerLocation, ThreadState
from bot.channels.slack.transport import Checkpoint, Place, Undeliverable, find, find_in_channel, metadata, post
from bot.config.settings import Settings
from bot.errors import StateUnavailable
from bot.services.escalation import EscalationService
from bot.services.privacy import PrivacyService
from bot.services.questions import QuestionService
from bot.state.protocol import Claim, StateStore

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=30)
SHAREABLE = timedelta(hours=2)

GAVE_UP = "I could not answer this: something went wrong each time I tried. Please ask again in a few minutes."
UNSEEN = "I am not a member here, so I answer from public documents alone; `/invite` me to change that."
MAY_NOT = "I may not write there. Ask me in a direct message, or invite me to the channel."
SHARED = "Somebody asked, and shares the answer:"
NOT_SHARED = "This cannot be shared any more. Please ask again."
EARLIER = "This part belonged to an earlier answer."
NOT_ERASED = "It could not be erased just now. Please try again in a few minutes."
ERASED = (
    "Erased. Questions with their answers: {exchanges}, votes: {votes}. What stands in Slack itself stays until you "
    "delete it there."
)


class TakenOver(NotDelivered):
    """Another worker does this by now."""


class EventHandler:
    """Handles what was accepted, in any thread."""

    def __init__(
        self,
        workspaces: Workspaces,
        state: StateStore,
        *,
        settings: Settings,
        questions: QuestionService,
        escalation: EscalationService,
        privacy: PrivacyService,
        metrics: ChannelMetrics,
        revision: Callable[[], str] = lambda: uuid.uuid4().hex[:12],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._settings = settings
        self._questions = questions
        self._privacy = privacy
        self._workspaces = workspaces
        self._state = state
        self._memory = ThreadState(state, now=now)
        self._metrics = metrics
        self._revision = revision
        self._now = now
        self._kinds: Mapping[str, Callable[[Claim, IncomingEvent, Workspace], None]] = {
            "question": self._question,
            "edit": self._edit,
            "delete": self._delete,
            "command": self._command,
            "share": self._share,
            "erase": self._erase,
            **Passing(escalation, revision).kinds,
        }

    def handle(self, claim: Claim) -> None:
        """Do it; raises `NotDelivered` where it is to be tried again."""
        heard = from_json(claim.event.payload)
        workspace = self._workspaces.of(heard.team, heard.enterprise)
        if workspace is None:
            logger.warning("an event of a workspace that has removed the app")
            return
        try:
            self._kinds[heard.kind](claim, heard, workspace)
        except Undeliverable as error:
            logger.warning("%s", error)
            tell(workspace.calls, heard, line(MAY_NOT))

    def give_up(self, claim: Claim) -> None:
        """Tell whoever waits that it does not work."""
        heard = from_json(claim.event.payload)
        workspace = self._workspaces.of(heard.team, heard.enterprise)
        if workspace is None or heard.kind == "delete":
            return
        if heard.kind == "erase":
            self._tell_directly(workspace, heard, NOT_ERASED)
            return
        if heard.kind not in {"question", "edit"}:
            whisper(
                workspace.calls, channel=heard.channel, user=heard.user, message=line(GAVE_UP), url=heard.response_url
            )
            return
        place = _place(heard)
        begun = find(workspace.calls, place, bot=workspace.bot, notes=claim.notes)
        self._posting(claim, heard, workspace, begun).failed(GAVE_UP)

    def _question(self, claim: Claim, heard: IncomingEvent, workspace: Workspace) -> None:
        if claim.attempt == 1 and heard.unasked and not self._has_turn(heard):
            return
        place = _place(heard)
        found = find(workspace.calls, place, bot=workspace.bot, notes=claim.notes) if claim.attempt > 1 else None
        self._answer(claim, heard, workspace, found)

    def _edit(self, claim: Claim, heard: IncomingEvent, workspace: Workspace) -> None:
        """The answer stands where it stood; what was never answered is not answered for an edit alone."""
        stands = self._memory.where(heard.team, heard.channel, heard.ts)
        if stands is None:
            return
        shown = self._answer(claim, heard, workspace, Checkpoint(stands.ts[0]))
        for ts in stands.ts[1:]:
            if ts not in shown:
                self._change(workspace, heard.channel, ts, line(EARLIER))

    def _delete(self, claim: Claim, heard: IncomingEvent, workspace: Workspace) -> None:
        stands = self._memory.where(heard.team, heard.channel, heard.ts)
        for ts in stands.ts if stands else ():
            self._change(workspace, heard.channel, ts, line(rendering.WITHDRAWN))

    def _answer(
        self, claim: Claim, heard: IncomingEvent, workspace: Workspace, found: Checkpoint | None
    ) -> tuple[str, ...]:
        """Answer in the thread; gives the messages that show it."""
        posting = self._posting(claim, heard, workspace, found)
        if not small_talk(heard.text):
            posting.begun(DOING["searching"])  # before anything else is asked of Slack
        outcome = answer(self._questions, _asked(heard, _audience(workspace, heard)), posting)
        self._count(outcome)
        self._remember(heard, posting.ts, outcome)
        return posting.ts

    def _count(self, outcome: Outcome) -> None:
        timings = outcome.answer.timings if outcome.answer else {}
        self._metrics.question_answered("slack", outcome.kind, timings=timings)

    def _posting(
        self, claim: Claim, heard: IncomingEvent, workspace: Workspace, found: Checkpoint | None
    ) -> StreamingReply:
        return StreamingReply(
            workspace.calls,
            _place(heard),
            bot=workspace.bot,
            show=lambda: self._show(heard),
            note=lambda notes: self._note(claim, notes),
            found=found,
        )

    def _show(self, heard: IncomingEvent, *, share: bool = False, note: str = "") -> Show:
        channel = channel_settings(self._settings, f"slack:{heard.channel}")
        return Show(self._revision(), buttons=channel.buttons, share=share, note=note)

    def _command(self, claim: Claim, heard: IncomingEvent, workspace: Workspace) -> None:
        """Asked by `/ask`: only that person sees the answer, until they share it."""
        readers = _audience(workspace, heard)
        note = UNSEEN if readers.bot_not_member else ""
        reply = EphemeralReply(
            workspace.calls,
            channel=heard.channel,
            user=heard.user,
            url=heard.response_url,
            show=lambda: self._show(heard, share=not readers.private, note=note),
        )
        outcome = answer(self._questions, _asked(heard, readers), reply)
        self._count(outcome)
        if outcome.answer and outcome.recorded:
            kept = {"question": heard.text, "answer": outcome.answer.id, "parts": _shareable(reply.parts)}
            self._memory.keep(
                f"share:{heard.team}:{heard.channel}:{outcome.answer.id}", json.dumps(kept), lasts=SHAREABLE
            )

    def _share(self, claim: Claim, heard: IncomingEvent, workspace: Workspace) -> None:
        """Show everybody in the channel what one person was told there, with the channel's groups from the start."""
        kept = self._memory.kept(f"share:{heard.team}:{heard.channel}:{heard.value}")
        if kept is None:
            tell(workspace.calls, heard, line(NOT_SHARED))
            return
        row = json.loads(kept)
        parts = [Message(text, tuple(blocks)) for text, blocks in row["parts"]]
        parts[0] = rendering.under(parts[0], SHARED, row["question"])
        thread = find_in_channel(workspace.calls, heard.channel, heard.id) if claim.attempt > 1 else ""
        if not thread:
            thread, *_ = [self._post_or_respond(workspace, heard, part) for part in parts]
        if thread:
            self._memory.stands(heard.team, heard.channel, thread, AnswerLocation(thread, (thread,), row["answer"]))
            self._memory.goes_on(heard.team, heard.channel, thread, heard.user)

    def _post_or_respond(self, workspace: Workspace, heard: IncomingEvent, message: Message) -> str:
        """Post it where we are a member, else through what was pressed; gives its `ts` where Slack tells it."""
        try:
            return post(workspace.calls, heard.channel, heard.thread, message, metadata=metadata(heard.id))
        except Undeliverable:
            if not respond(heard.response_url, message, response_type="in_channel", replace_original=False):
                raise
            return ""

    def _erase(self, claim: Claim, heard: IncomingEvent, workspace: Workspace) -> None:
        """Forget a person, who is told in a direct message."""
        gone = self._privacy.forget(f"slack:{heard.user}")
        text = ERASED.format(exchanges=gone.exchanges, votes=gone.votes)
        self._tell_directly(workspace, heard, text)

    def _tell_directly(self, workspace: Workspace, heard: IncomingEvent, text: str) -> None:
        opened = workspace.calls("conversations.open", users=heard.user).get("channel") or {}
        post(workspace.calls, str(opened.get("id") or heard.user), "", line(text), metadata=metadata(heard.id))

    def _has_turn(self, heard: IncomingEvent) -> bool:
        """Whether one more may be answered unasked in this hour."""
        per_hour = channel_settings(self._settings, f"slack:{heard.channel}").per_hour
        if self._memory.take_turn(heard.team, heard.channel, per_hour=per_hour):
            return True
        logger.info("%s has had its answers of this hour", heard.channel)
        return False

    def _remember(self, heard: IncomingEvent, shown: tuple[str, ...], outcome: Outcome) -> None:
        """What an edit, a reaction and the thread's next message need; the answer stands there without it too."""
        answered = outcome.answer.id if outcome.answer and outcome.recorded else ""
        try:
            if shown:
                self._memory.stands(heard.team, heard.channel, heard.ts, AnswerLocation(heard.root, shown, answered))
            self._memory.goes_on(heard.team, heard.channel, heard.root, heard.user)
        except StateUnavailable as error:
            logger.warning("where an answer stands is not remembered: %s", error)

    def _note(self, claim: Claim, notes: str) -> None:
        """Leave word for a successor; raises `TakenOver` where there is one already."""
        try:
            if not self._state.renew(claim, lease=LEASE, now=self._now(), notes=notes):
                raise TakenOver("another worker has taken this over")
        except StateUnavailable as error:
            logger.warning("no note could be left: %s", error)

    def _change(self, workspace: Workspace, channel: str, ts: str, message: Message) -> None:
        try:
            workspace.calls("chat.update", channel=channel, ts=ts, text=message.text, blocks=list(message.blocks))
        except Refused as error:
            logger.info("a message could not be changed: %s", error)


def _audience(workspace: Workspace, heard: IncomingEvent) -> Audience:
    direct = heard.is_direct and heard.kind != "command"
    return workspace.people.audience(heard.channel, heard.user, direct=direct)


def _place(heard: IncomingEvent) -> Place:
    return Place(heard.home or heard.team, heard.channel, heard.root, heard.ts, heard.user, heard.id)


def _asked(heard: IncomingEvent, readers: Audience) -> AskedQuestion:
    return AskedQuestion(
        heard.text,
        f"slack:{heard.user}",
        readers.groups,
        heard.conversation,
        "slack",
        heard.id,
        private=readers.private,
    )


def _shareable(parts: list[Message]) -> list[tuple[str, list[rendering.Json]]]:
    """What all may see of a private answer: the same, without the button that shares it."""
    return [(each.text, rendering.without(each.blocks, rendering.SHARE)) for each in parts]
