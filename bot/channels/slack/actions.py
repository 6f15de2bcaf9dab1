"""Listens to pressed buttons, filled forms and reactions."""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from slack_bolt import Ack, BoltContext

from bot.channels import presentation
from bot.channels.acceptance import EventAcceptor
from bot.channels.background import BackgroundPools
from bot.channels.events import IncomingEvent, Place, accept_event, erase_event, person_event, send_event, share_event
from bot.channels.overview import PersonalOverview
from bot.channels.port import Message
from bot.channels.repetition import Deduplicator
from bot.channels.slack import views
from bot.channels.slack.events import (
    Json,
    is_seen_alone,
    moment,
    origin_of,
    parse_pressed,
    press_id,
    pressed_value,
    user_of,
)
from bot.channels.slack.install.workspaces import Workspace, workspace_of
from bot.channels.slack.rendering import line, vote_note
from bot.channels.votes import VoteRecorder, refusal_text
from bot.errors import BotError
from bot.services.votes import Choice
from feedback.errors import FeedbackError
from feedback.records import Reason

logger = logging.getLogger(__name__)

REACTIONS: dict[str, Choice] = {"+1": "up", "thumbsup": "up", "-1": "down", "thumbsdown": "down"}


class VoteListeners:
    """Thumbs, the feedback modal and reactions; a vote counts before it is acknowledged."""

    def __init__(
        self,
        votes: VoteRecorder,
        background: BackgroundPools,
        deduplicator: Deduplicator,
        *,
        publish_home: Callable[[Workspace, str], None],
    ) -> None:
        self._votes = votes
        self._background = background
        self._deduplicator = deduplicator
        self._publish_home = publish_home

    def button(self, ack: Ack, body: Json, context: BoltContext) -> None:
        """Count a pressed thumb; one down opens the modal, everything else is told in a note."""
        workspace = workspace_of(context)
        name, _, answer = pressed_value(body).partition(":")
        vote: Choice | None = "up" if name == "up" else "down" if name == "down" else None
        if workspace is None or vote is None:
            ack()
            return
        at = moment(press_id(body))
        text, counts = self._votes.press(user_of(body), answer, vote, key=_press_key(body), at=at)
        ack()
        if vote == counts == "down":  # an older press may come later than the one that counts
            lead = (datetime.now(UTC) - at).total_seconds() if at else 0.0
            self._background.forms(self._open_form, workspace, body, views.feedback_modal(answer, lead=lead))
        else:
            self._background.notes(self._tell, workspace, body, vote_note(text, answer if counts else ""))

    def _open_form(self, workspace: Workspace, body: Json, form: dict[str, Any]) -> None:
        """Open the form, once for a double click and for a press that is delivered twice."""
        if self._deduplicator.is_first_press(user_of(body), pressed_value(body), press_id(body)):
            _open_modal(workspace, body, form)

    def _tell(self, workspace: Workspace, body: Json, note: Message) -> None:
        """Tell what became of a press, likewise once."""
        if self._deduplicator.is_first_press(user_of(body), pressed_value(body), press_id(body)):
            workspace.connection.tell(parse_pressed(body, workspace=workspace.id), note)

    def withdraw(self, ack: Ack, body: Json, context: BoltContext) -> None:
        """Withdraw a vote, from the home page or from a note."""
        workspace = workspace_of(context)
        if workspace is None:
            ack()
            return
        at = moment(press_id(body))
        text, _ = self._votes.press(user_of(body), pressed_value(body), "none", key=_press_key(body), at=at)
        ack()
        if (body.get("view") or {}).get("type") == "home":
            self._publish_home(workspace, user_of(body))
        else:
            pressed = parse_pressed(body, workspace=workspace.id)
            self._background.notes(workspace.connection.tell, pressed, line(text))

    def feedback(self, ack: Ack, body: Json) -> None:
        """Count what was filled into the modal; what cannot be kept stays in it, with the reason why."""
        answer, lead, given = views.parse_feedback(body["view"])
        reason: Reason = next((each for each in presentation.REASONS if each == given["reason"]), "")
        try:
            self._votes.record(
                user_of(body),
                answer,
                "down",
                key=f"{origin_of(body).team}:{user_of(body)}:{body['view'].get('id')}",
                at=datetime.now(UTC) - timedelta(seconds=lead),
                reason=reason,
                comment=given["comment"],
                correction=given["correction"],
            )
        except (FeedbackError, BotError) as error:
            logger.warning("what was said of an answer was refused: %s", type(error).__name__)
            ack(response_action="errors", errors={"comment": refusal_text(error)})
            return
        ack()

    def reaction(self, body: Json, context: BoltContext) -> None:
        """Count a thumb that is added to or removed from a message of the bot."""
        workspace, event = workspace_of(context), body["event"]
        item, user = event.get("item") or {}, str(event.get("user") or "")
        vote = REACTIONS.get(str(event.get("reaction") or "").partition("::")[0])
        if not workspace or not vote or item.get("type") != "message" or user in {"", workspace.bot}:
            return
        place = Place("slack", workspace.id, str(item.get("channel")), message=str(item.get("ts")))
        removed = event.get("type") == "reaction_removed"
        key, at = str(body.get("event_id") or ""), moment(event.get("event_ts"))
        answer = self._votes.react(place, user, vote, removed=removed, key=key, at=at)
        text = self._votes.current_text(user, answer) if answer else ""
        if text:
            counts = text != presentation.VOTE_WITHDRAWN
            note = vote_note(text, answer if counts else "")
            self._background.notes(self._note, workspace, place, user, note)

    def _note(self, workspace: Workspace, message: Place, user: str, note: Message) -> None:
        """Tell a person something in the thread of the message that they have reacted to."""
        workspace.connection.transport.tell(self._votes.thread_of(message), user, note)


class ActionListeners:
    """Buttons that ask for something: each becomes an event that is accepted before it is acknowledged."""

    def __init__(
        self,
        acceptor: EventAcceptor,
        overview: PersonalOverview,
        background: BackgroundPools,
        deduplicator: Deduplicator,
    ) -> None:
        self._deduplicator = deduplicator
        self._acceptor = acceptor
        self._overview = overview
        self._background = background

    def share(self, ack: Ack, body: Json, context: BoltContext) -> None:
        """Share a private answer with its channel, once."""
        workspace = workspace_of(context)
        if workspace:
            pressed = parse_pressed(body, workspace=workspace.id)
            if self._acceptor.accept(share_event(pressed, pressed_value(body))) == "known":
                self._background.notes(workspace.connection.tell, pressed, line(presentation.SHARED_ALREADY))
        ack()

    def ask_person(self, ack: Ack, body: Json, context: BoltContext) -> None:
        """Ask the owners of an answer's documents."""
        workspace = workspace_of(context)
        if workspace:
            container, pressed = body.get("container") or {}, parse_pressed(body, workspace=workspace.id)
            # What one person alone sees has no thread that others see.
            root = pressed.place.thread or str(container.get("message_ts") or "")
            place = pressed.place.in_thread("" if is_seen_alone(body) else root)
            event = person_event(replace(pressed, place=place), pressed_value(body), press=press_id(body))
            self._acceptor.accept(event)
        ack()

    def accept_reply(self, ack: Ack, body: Json, context: BoltContext) -> None:
        """Accept an expert's reply as the right answer."""
        self._accept(ack, body, context, accept_event)

    def send_reply(self, ack: Ack, body: Json, context: BoltContext) -> None:
        """Send what an expert wrote to whoever asked."""
        self._accept(ack, body, context, send_event)

    def erase(self, ack: Ack, body: Json, context: BoltContext) -> None:
        """Erase what is kept of a person."""
        self._accept(ack, body, context, lambda pressed, _, *, press: erase_event(pressed, press=press))

    def _accept(self, ack: Ack, body: Json, context: BoltContext, event: Callable[..., IncomingEvent]) -> None:
        """Accept the `event` that is made of what was pressed, its value and the press, and acknowledge it."""
        workspace = workspace_of(context)
        if workspace:
            pressed = parse_pressed(body, workspace=workspace.id)
            self._acceptor.accept(event(pressed, pressed_value(body), press=press_id(body)))
        ack()

    def quotes(self, ack: Ack, body: Json, context: BoltContext) -> None:
        """Show the quoted text behind an answer's footnotes."""
        workspace = workspace_of(context)
        ack()
        if workspace:
            self._background.forms(self._open_quotes, workspace, body)

    def _open_quotes(self, workspace: Workspace, body: Json) -> None:
        """Open the modal at once, before its trigger is too old, and fill it once it is known who may read what."""
        if not self._deduplicator.is_first_press(user_of(body), f"quotes:{pressed_value(body)}", press_id(body)):
            return
        modal = _open_modal(workspace, body, views.text_modal(presentation.QUOTED_TEXT, presentation.QUOTES_COMING))
        self._background.notes(self._show_quotes, workspace, body, modal)

    def _show_quotes(self, workspace: Workspace, body: Json, modal: str) -> None:
        pressed, alone = parse_pressed(body, workspace=workspace.id), is_seen_alone(body)
        directory = workspace.connection.directory
        quotes = self._overview.quotes(
            pressed_value(body), lambda: directory.audience_now(pressed.place, pressed.user, seen_alone=alone)
        )
        if isinstance(quotes, str):
            view = views.text_modal(presentation.QUOTED_TEXT, quotes)
        else:
            view = views.quotes_modal(quotes)
        workspace.client("views.update", view_id=modal, view=view)


def _press_key(body: Json) -> str:
    """Return the key under which a press counts once."""
    return f"{origin_of(body).team}:{user_of(body)}:{press_id(body)}"


def _open_modal(workspace: Workspace, body: Json, view: dict[str, Any]) -> str:
    """Open a modal, and return its id; tried once, as a trigger works for three seconds."""
    opened = workspace.client("views.open", attempts=1, trigger_id=str(body.get("trigger_id") or ""), view=view)
    return str((opened.get("view") or {}).get("id") or "")
