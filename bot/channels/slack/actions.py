"""Listens to pressed buttons, filled forms and reactions."""

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from slack_bolt import Ack

from bot.channels import presentation
from bot.channels.acceptance import EventAcceptor
from bot.channels.events import IncomingEvent, Place, accept_event, erase_event, person_event, send_event, share_event
from bot.channels.overview import PersonalOverview
from bot.channels.slack import views
from bot.channels.slack.events import Json, parse_pressed, press_id, pressed_value, team_of, user_of
from bot.channels.slack.install.workspaces import Workspace, Workspaces
from bot.channels.slack.rendering import line, vote_note
from bot.channels.votes import VoteRecorder, refusal_text
from bot.errors import BotError
from bot.services.votes import Choice
from feedback.errors import FeedbackError
from feedback.records import Reason

logger = logging.getLogger(__name__)

# Calls a function with its arguments soon, and lets its errors pass.
Background = Callable[..., None]

REACTIONS: dict[str, Choice] = {"+1": "up", "thumbsup": "up", "-1": "down", "thumbsdown": "down"}


class VoteListeners:
    """Thumbs, the feedback modal and reactions; a vote counts before it is acknowledged."""

    def __init__(
        self,
        workspaces: Workspaces,
        votes: VoteRecorder,
        background: Background,
        *,
        publish_home: Callable[[Workspace, str], None],
    ) -> None:
        self._workspaces = workspaces
        self._votes = votes
        self._background = background
        self._publish_home = publish_home

    def button(self, ack: Ack, body: Json) -> None:
        """Count a pressed thumb; one down opens the modal, everything else is told in a note."""
        workspace = self._workspaces.of_payload(body)
        name, _, answer = pressed_value(body).partition(":")
        vote: Choice | None = "up" if name == "up" else "down" if name == "down" else None
        if workspace is None or vote is None:
            ack()
            return
        text, counts = self._votes.press(user_of(body), answer, vote, key=_press_key(body))
        ack()
        if vote == "down" and counts:
            self._background(_open_modal, workspace, body, views.feedback_modal(answer))
        else:
            self._background(workspace.connection.tell, parse_pressed(body), vote_note(text, answer if counts else ""))

    def withdraw(self, ack: Ack, body: Json) -> None:
        """Withdraw a vote, from the home page or from a note."""
        workspace = self._workspaces.of_payload(body)
        text, _ = self._votes.press(user_of(body), pressed_value(body), "none", key=_press_key(body))
        ack()
        if workspace and (body.get("view") or {}).get("type") == "home":
            self._background(self._publish_home, workspace, user_of(body))
        elif workspace:
            self._background(workspace.connection.tell, parse_pressed(body), line(text))

    def feedback(self, ack: Ack, body: Json) -> None:
        """Count what was filled into the modal; what cannot be kept stays in it, with the reason why."""
        answer, given = views.parse_feedback(body["view"])
        reason: Reason = next((each for each in presentation.REASONS if each == given["reason"]), "")
        try:
            self._votes.record(
                user_of(body),
                answer,
                "down",
                key=f"{team_of(body)}:{user_of(body)}:{body['view'].get('id')}",
                reason=reason,
                comment=given["comment"],
                correction=given["correction"],
            )
        except (FeedbackError, BotError) as error:
            logger.warning("what was said of an answer was refused: %s", type(error).__name__)
            ack(response_action="errors", errors={"comment": refusal_text(error)})
            return
        ack()

    def reaction(self, body: Json) -> None:
        """Count a thumb that is added to or removed from a message of the bot."""
        workspace, event = self._workspaces.of_payload(body), body["event"]
        item, user = event.get("item") or {}, str(event.get("user") or "")
        vote = REACTIONS.get(str(event.get("reaction") or "").partition("::")[0])
        if not workspace or not vote or item.get("type") != "message" or user in {"", workspace.bot}:
            return
        place = Place("slack", team_of(body), str(item.get("channel")), message=str(item.get("ts")))
        removed = event.get("type") == "reaction_removed"
        answer = self._votes.react(place, user, vote, removed=removed, key=str(body.get("event_id") or ""))
        text = self._votes.current_text(user, answer) if answer else ""
        if text:
            counts = text != presentation.VOTE_WITHDRAWN
            note = vote_note(text, answer if counts else "")
            self._background(workspace.connection.tell, IncomingEvent("question", "", place.in_channel(), user), note)


class ActionListeners:
    """Buttons that ask for something: each becomes an event that is accepted before it is acknowledged."""

    def __init__(
        self, workspaces: Workspaces, acceptor: EventAcceptor, overview: PersonalOverview, background: Background
    ) -> None:
        self._workspaces = workspaces
        self._acceptor = acceptor
        self._overview = overview
        self._background = background

    def share(self, ack: Ack, body: Json) -> None:
        """Share a private answer with its channel, once."""
        workspace, pressed = self._workspaces.of_payload(body), parse_pressed(body)
        if workspace and self._acceptor.accept(share_event(pressed, pressed_value(body))) == "known":
            self._background(workspace.connection.tell, pressed, line(presentation.SHARED_ALREADY))
        ack()

    def ask_person(self, ack: Ack, body: Json) -> None:
        """Ask the owners of an answer's documents."""
        if self._workspaces.of_payload(body):
            container, pressed = body.get("container") or {}, parse_pressed(body)
            # What one person alone sees has no thread that others see.
            root = pressed.place.thread or str(container.get("message_ts") or "")
            place = pressed.place.in_thread("" if container.get("is_ephemeral") else root)
            event = person_event(replace(pressed, place=place), pressed_value(body), press=press_id(body))
            self._acceptor.accept(event)
        ack()

    def accept_reply(self, ack: Ack, body: Json) -> None:
        """Accept an expert's reply as the right answer."""
        if self._workspaces.of_payload(body):
            self._acceptor.accept(accept_event(parse_pressed(body), pressed_value(body), press=press_id(body)))
        ack()

    def send_reply(self, ack: Ack, body: Json) -> None:
        """Send what an expert wrote to whoever asked."""
        if self._workspaces.of_payload(body):
            self._acceptor.accept(send_event(parse_pressed(body), pressed_value(body), press=press_id(body)))
        ack()

    def erase(self, ack: Ack, body: Json) -> None:
        """Erase what is kept of a person."""
        if self._workspaces.of_payload(body):
            self._acceptor.accept(erase_event(parse_pressed(body), press=press_id(body)))
        ack()

    def quotes(self, ack: Ack, body: Json) -> None:
        """Show the quoted text behind an answer's footnotes."""
        workspace = self._workspaces.of_payload(body)
        ack()
        if workspace:
            self._background(self._open_quotes, workspace, body)

    def _open_quotes(self, workspace: Workspace, body: Json) -> None:
        pressed, directory = parse_pressed(body), workspace.connection.directory
        quotes = self._overview.quotes(pressed_value(body), lambda: directory.audience_now(pressed.place, pressed.user))
        if isinstance(quotes, str):
            _open_modal(workspace, body, views.text_modal(presentation.QUOTED_TEXT, quotes))
        else:
            _open_modal(workspace, body, views.quotes_modal(quotes))


def _press_key(body: Json) -> str:
    """Return the key under which a press counts once."""
    return f"{team_of(body)}:{user_of(body)}:{press_id(body)}"


def _open_modal(workspace: Workspace, body: Json, view: dict[str, Any]) -> None:
    workspace.client("views.open", attempts=1, trigger_id=str(body.get("trigger_id") or ""), view=view)
