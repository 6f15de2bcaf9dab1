"""Listens to Slack through Bolt; every listener returns, and so acknowledges, only once what it was told is kept."""

import logging
import re
from collections.abc import Callable
from dataclasses import replace
from typing import cast

from slack_bolt import Ack, App
from slack_bolt.authorization import AuthorizeResult

from bot.channels import presentation
from bot.channels.acceptance import EventAcceptor
from bot.channels.overview import PersonalOverview
from bot.channels.slack import events, rendering, views
from bot.channels.slack.actions import ActionListeners, Background, VoteListeners
from bot.channels.slack.events import Json, organization_of, team_of
from bot.channels.slack.install.manifest import ABOUT_MESSAGE
from bot.channels.slack.install.workspaces import Authorization, Workspace, Workspaces, web_client
from bot.channels.votes import VoteRecorder
from bot.config.settings import Settings, reveal

logger = logging.getLogger(__name__)


def listening_app(
    settings: Settings,
    workspaces: Workspaces,
    *,
    acceptor: EventAcceptor,
    votes: VoteRecorder,
    overview: PersonalOverview,
    background: Background,
) -> App:
    """Return Bolt's app with all listeners; connects to nothing. `background` runs what may be lost."""
    app = App(
        name="footnote",
        client=web_client(settings),
        signing_secret=reveal(settings.slack_signing_secret),
        authorize=cast("Callable[..., AuthorizeResult]", Authorization(workspaces)),  # it may know nobody
        user_facing_authorize_error_message=presentation.NOT_SERVED,
        # The acknowledgement waits for the listener: what is acknowledged is kept.
        process_before_response=True,
    )
    messages = MessageListeners(workspaces, acceptor, background)
    home = HomeListeners(workspaces, overview, background)
    voting = VoteListeners(workspaces, votes, background, publish_home=home.publish)
    actions = ActionListeners(workspaces, acceptor, overview, background)
    for name in ("message", "app_mention"):
        app.event(name)(messages.message)
    app.command(re.compile(".+"))(messages.command)
    app.message_shortcut(ABOUT_MESSAGE)(messages.about_message)
    for name in ("reaction_added", "reaction_removed"):
        app.event(name)(voting.reaction)
    for name in ("member_joined_channel", "member_left_channel"):
        app.event(name)(home.members_changed)
    for name in ("app_uninstalled", "tokens_revoked"):
        app.event(name)(home.removed)
    app.event("app_home_opened")(home.opened)
    app.action(rendering.VOTE)(voting.button)
    app.action(rendering.WITHDRAW)(voting.withdraw)
    app.view(views.FEEDBACK)(voting.feedback)
    app.action(rendering.QUOTES)(actions.quotes)
    app.action(rendering.SHARE)(actions.share)
    app.action(rendering.ASK_PERSON)(actions.ask_person)
    app.action(rendering.ACCEPT)(actions.accept_reply)
    app.action(views.ERASE)(actions.erase)
    app.action(re.compile(".*"))(_acknowledge)  # links and what an older version has shown
    return app


class MessageListeners:
    """Messages, commands, and the wish for an answer to a message."""

    def __init__(self, workspaces: Workspaces, acceptor: EventAcceptor, background: Background) -> None:
        self._workspaces = workspaces
        self._acceptor = acceptor
        self._background = background

    def message(self, body: Json) -> None:
        """Accept a message that is for the bot."""
        workspace = self._workspaces.of_payload(body)
        event = events.parse_message(body, bot=workspace.bot, bot_id=workspace.bot_id) if workspace else None
        if event:
            self._acceptor.accept_message(event)

    def command(self, ack: Ack, body: Json) -> None:
        """Accept a command, and tell its person that it is looked up."""
        workspace = self._workspaces.of_payload(body)
        if workspace is None:
            ack()
            return
        accepted = self._acceptor.accept(events.parse_command(body, team=workspace.team, bot=workspace.bot))
        text = presentation.BUSY if accepted == "busy" else presentation.STATUS_TEXTS["searching"]
        ack(text=text, response_type="ephemeral")

    def about_message(self, ack: Ack, body: Json) -> None:
        """Accept the wish for an answer to a message, and tell its person that it is looked up."""
        workspace = self._workspaces.of_payload(body)
        if workspace:
            event = events.parse_shortcut(body, bot=workspace.bot)
            text = presentation.STATUS_TEXTS["searching"] if event else presentation.NOTHING_TO_ANSWER
            if event and self._acceptor.accept(event) == "busy":
                text = presentation.BUSY
            # An acknowledgement of this can say nothing, and the answer needs the response url, which works five times.
            pressed = replace(events.parse_pressed(body), reply_handle="" if event else str(body.get("response_url")))
            self._background(workspace.connection.tell, pressed, rendering.line(text))
        ack()


class HomeListeners:
    """The home page, the agent view, and who comes and goes."""

    def __init__(self, workspaces: Workspaces, overview: PersonalOverview, background: Background) -> None:
        self._workspaces = workspaces
        self._overview = overview
        self._background = background

    def opened(self, body: Json) -> None:
        """Show the home page, or suggest prompts in the agent view."""
        workspace, event = self._workspaces.of_payload(body), body["event"]
        if workspace and event.get("tab") == "messages":
            self._background(self._suggest, workspace, str(event.get("user")), str(event.get("channel")))
        elif workspace:
            self._background(self.publish, workspace, str(event.get("user")))

    def members_changed(self, body: Json) -> None:
        """Look anew at who reads a channel."""
        workspace = self._workspaces.of_payload(body)
        if workspace:
            workspace.connection.directory.forget_members(str(body["event"].get("channel") or ""))

    def removed(self, body: Json) -> None:
        """Forget a workspace that has removed the app."""
        tokens = body["event"].get("tokens") or {}
        if body["event"]["type"] == "app_uninstalled" or tokens.get("bot"):
            self._workspaces.forget(team_of(body), organization_of(body))

    def publish(self, workspace: Workspace, user: str) -> None:
        """Show a person their home page as it is now."""
        directory = workspace.connection.directory
        groups = directory.groups_of(user)
        page = self._overview.home_page(directory.person(user), groups)
        workspace.client("views.publish", user_id=user, view=views.home_view(page))

    def _suggest(self, workspace: Workspace, user: str, channel: str) -> None:
        prompts = self._overview.prompts(workspace.connection.directory.groups_of(user))
        if prompts:
            workspace.client(  # with a `thread_ts` the agent view would show nothing, and say nothing
                "assistant.threads.setSuggestedPrompts",
                channel_id=channel,
                prompts=[{"title": each.title, "message": each.message} for each in prompts],
            )


def _acknowledge(ack: Ack) -> None:
    """Acknowledge what needs nothing more."""
    ack()
