"""A person is asked in Slack: the owners' channel sees the question, and what is replied there goes back."""

import logging
from collections.abc import Callable, Mapping

from bot.channels.slack import events, rendering
from bot.channels.slack.client import Refused
from bot.channels.slack.ephemeral import tell
from bot.channels.slack.events import IncomingEvent
from bot.channels.slack.install.workspaces import Workspace
from bot.channels.slack.rendering import line
from bot.channels.slack.transport import Undeliverable, find_in_channel, metadata, post
from bot.errors import UsageProblem
from bot.services.escalation import (
    ALREADY,
    FORGOTTEN,
    Escalation,
    EscalationRefused,
    EscalationService,
    OpenEscalation,
)
from bot.state.protocol import Claim
from feedback.errors import UnknownExchange

logger = logging.getLogger(__name__)

PASSED_ON = "I have passed your question on to the people who own these documents. Their reply will appear here."
PASSED_ON_PRIVATELY = (
    "I have passed your question on to the people who own these documents. I will write their reply to you."
)
NOT_LET_IN = "I may not write to the people who own these documents; whoever runs me has to invite me to their channel."
ACCEPTED = "Accepted: it is the right answer to this question from now on."
NOT_THERE = "That reply is not there any more."


class Passing:
    """Does what has to do with people who are asked; `kinds` are the events that it handles."""

    def __init__(self, escalations: EscalationService, revision: Callable[[], str]) -> None:
        self._escalations = escalations
        self._revision = revision

    @property
    def kinds(self) -> Mapping[str, Callable[[Claim, IncomingEvent, Workspace], None]]:
        return {"person": self._person, "expert": self._expert, "accept": self._accept}

    def _person(self, claim: Claim, heard: IncomingEvent, workspace: Workspace) -> None:
        """Somebody wants a person's answer."""
        place = ":".join(["slack", heard.team, *((heard.channel, heard.thread) if heard.thread else (heard.user, ""))])
        try:
            made = self._escalations.compose(heard.value, platform="slack", place=place)
        except EscalationRefused as error:
            _tell(workspace, heard, str(error))
            return
        if not self._escalations.begin(made) and claim.attempt == 1:
            _tell(workspace, heard, ALREADY)
        else:
            self._pass_on(claim, heard, workspace, made)

    def _pass_on(self, claim: Claim, heard: IncomingEvent, workspace: Workspace, made: Escalation) -> None:
        channel = made.channel.removeprefix("slack:")
        ts = find_in_channel(workspace.calls, channel, heard.id) if claim.attempt > 1 else ""
        if not ts:
            try:
                message = rendering.request(made)
                ts = post(workspace.calls, channel, "", message, metadata=metadata(heard.id))
            except Undeliverable as error:
                logger.warning("the owners of documents cannot be asked: %s", error)
                self._escalations.undo(made)
                _tell(workspace, heard, NOT_LET_IN)
                return
        self._escalations.posted(made, f"slack:{heard.team}:{channel}:{ts}")
        _tell(workspace, heard, PASSED_ON if heard.thread else PASSED_ON_PRIVATELY)

    def _expert(self, claim: Claim, heard: IncomingEvent, workspace: Workspace) -> None:
        """Somebody of those who were asked has replied."""
        passed = self._passed(heard)
        if passed is None:
            return
        _, _, channel, thread = passed.place.split(":", 3)
        calls = workspace.calls
        if not thread:  # to the asker alone
            opened = calls("conversations.open", users=channel).get("channel") or {}
            channel = str(opened.get("id") or channel)
        if claim.attempt == 1 or not self._is_sent(workspace, channel, thread, heard.id):
            for message in rendering.replies(heard.text):
                post(calls, channel, thread, message, metadata=metadata(heard.id))
        told = rendering.acceptable(heard.ts, self._revision())
        post(calls, heard.channel, heard.thread, told, metadata=metadata(f"{heard.id}:told"))

    def _is_sent(self, workspace: Workspace, channel: str, thread: str, event: str) -> bool:
        return bool(find_in_channel(workspace.calls, channel, event, thread=thread))

    def _accept(self, claim: Claim, heard: IncomingEvent, workspace: Workspace) -> None:
        """The reply becomes the correction of the answer, in its author's name."""
        passed = self._passed(heard)
        found = _message(workspace, heard.channel, heard.thread, heard.value) if passed else None
        if passed is None or found is None:
            _tell(workspace, heard, NOT_THERE)
            return
        text = events.words(str(found.get("text") or ""), bot=workspace.bot)
        key = f"{heard.team}:{heard.channel}:{heard.value}"
        try:
            self._escalations.accept(passed, text, author=f"slack:{found['user']}", user=f"slack:{heard.user}", key=key)
        except UnknownExchange:
            _tell(workspace, heard, FORGOTTEN)
        except UsageProblem as error:
            _tell(workspace, heard, f"It cannot be accepted: {error}.")
        else:
            _tell(workspace, heard, ACCEPTED)

    def _passed(self, heard: IncomingEvent) -> OpenEscalation | None:
        return self._escalations.of_thread(f"slack:{heard.team}:{heard.channel}:{heard.thread}")


def _message(workspace: Workspace, channel: str, thread: str, ts: str) -> Mapping[str, str] | None:
    """A person's message in a thread, as it is now; None where it is gone."""
    try:
        found = workspace.calls(
            "conversations.replies", channel=channel, ts=thread, oldest=ts, latest=ts, inclusive=True, limit=10
        )
    except Refused as error:
        logger.info("a reply cannot be read: %s", error)
        return None
    return next((each for each in found.get("messages") or () if each.get("ts") == ts and each.get("user")), None)


def _tell(workspace: Workspace, heard: IncomingEvent, text: str) -> None:
    tell(workspace.calls, heard, line(text))
