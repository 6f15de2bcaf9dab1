"""Listens to Slack through Bolt; every listener returns, and so acknowledges, only once what it was told is kept."""

import logging
import re
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import cast

from slack_bolt import Ack, App, BoltContext
from slack_bolt.authorization import AuthorizeResult

from bot.channels import presentation
from bot.channels.acceptance import EventAcceptor
from bot.channels.background import BackgroundPools
from bot.channels.events import Place
from bot.channels.overview import PersonalOverview
from bot.channels.repetition import Deduplicator
from bot.channels.slack import events, rendering, views
from bot.channels.slack.actions import ActionListeners, VoteListeners
from bot.channels.slack.directory_events import listen_to_directory
from bot.channels.slack.events import Json, origin_of
from bot.channels.slack.install.manifest import ABOUT_MESSAGE
from bot.channels.slack.install.workspaces import Authorization, Workspace, Workspaces, web_client, workspace_of
from bot.channels.slack.seen import SeenEvents
from bot.channels.votes import VoteRecorder
from bot.channels.welcome import Welcome
from bot.config.settings import Settings, reveal

logger = logging.getLogger(__name__)


def listening_app(
    settings: Settings,
    workspaces: Workspaces,
    *,
    acceptor: EventAcceptor,
    votes: VoteRecorder,
    overview: PersonalOverview,
    background: BackgroundPools,
    deduplicator: Deduplicator,
    seen: SeenEvents,
    welcome: Welcome,
) -> App:
    """Return Bolt's app with all listeners; connects to nothing. `background` runs what may be lost."""
    authorization = Authorization(workspaces)
    app = App(
        name="footnote",
        client=web_client(settings),
        signing_secret=reveal(settings.slack_signing_secret),
        before_authorize=authorization.find,
        authorize=cast("Callable[..., AuthorizeResult]", authorization),  # it may know nobody
        user_facing_authorize_error_message=presentation.NOT_SERVED,
        # The acknowledgement waits for the listener: what is acknowledged is kept.
        process_before_response=True,
    )
    app.use(partial(_note_seen, seen))
    messages = MessageListeners(acceptor, background)
    home = HomeListeners(workspaces, overview, background, welcome)
    voting = VoteListeners(votes, background, deduplicator, publish_home=home.publish_soon)
    actions = ActionListeners(acceptor, overview, background, deduplicator)
    for name in ("message", "app_mention"):
        app.event(name)(messages.message)
    app.command(re.compile(".+"))(messages.command)
    app.message_shortcut(ABOUT_MESSAGE)(messages.about_message)
    for name in ("reaction_added", "reaction_removed"):
        app.event(name)(voting.reaction)
    listen_to_directory(app, invited=home.invited)
    for name in ("app_uninstalled", "tokens_revoked"):
        app.event(name)(home.removed)
    app.event("agent_session_stopped")(messages.stopped)
    for name in ("agent_session_title_changed", "app_context_changed"):  # what agents are told, and this one needs not
        app.event(name)(_acknowledge)
    app.event("app_home_opened")(home.opened)
    for name in rendering.VOTES:
        app.action(name)(voting.button)
    app.action(rendering.WITHDRAW)(voting.withdraw)
    app.view(views.FEEDBACK)(voting.feedback)
    app.action(rendering.QUOTES)(actions.quotes)
    app.action(rendering.SHARE)(actions.share)
    app.action(rendering.ASK_PERSON)(actions.ask_person)
    app.action(rendering.ACCEPT)(actions.accept_reply)
    app.action(rendering.SEND)(actions.send_reply)
    app.action(views.ERASE)(actions.erase)
    app.action(re.compile(".*"))(_acknowledge)  # links and what an older version has shown
    return app


class MessageListeners:
    """Messages, commands, and the wish for an answer to a message."""

    def __init__(self, acceptor: EventAcceptor, background: BackgroundPools) -> None:
        self._acceptor = acceptor
        self._background = background

    def message(self, body: Json, context: BoltContext) -> None:
        """Accept a message that is for the bot."""
        workspace = workspace_of(context)
        if workspace is None:
            return
        event = events.parse_message(body, workspace=workspace.id, bot=workspace.bot)
        if event:
            self._acceptor.accept_message(event)

    def stopped(self, body: Json, context: BoltContext) -> None:
        """Stop what is being answered in a thread."""
        workspace = workspace_of(context)
        event = events.parse_stop(body, workspace=workspace.id) if workspace else None
        if event:
            self._acceptor.accept(event)

    def command(self, ack: Ack, body: Json, context: BoltContext) -> None:
        """Accept a command, and tell its person that it is looked up."""
        workspace = workspace_of(context)
        if workspace is None:
            ack()
            return
        accepted = self._acceptor.accept(events.parse_command(body, workspace=workspace.id, bot=workspace.bot))
        text = presentation.BUSY if accepted == "busy" else presentation.STATUS_TEXTS["searching"]
        ack(text=text, response_type="ephemeral")

    def about_message(self, ack: Ack, body: Json, context: BoltContext) -> None:
        """Accept the wish for an answer to a message, and tell its person that it is looked up."""
        workspace = workspace_of(context)
        if workspace:
            event = events.parse_shortcut(body, workspace=workspace.id, bot=workspace.bot)
            text = presentation.STATUS_TEXTS["searching"] if event else presentation.NOTHING_TO_ANSWER
            if event and self._acceptor.accept(event) == "busy":
                text = presentation.BUSY
            # An acknowledgement of this can say nothing, and the answer needs the response url, which works five times.
            handle = "" if event else str(body.get("response_url"))
            pressed = replace(events.parse_pressed(body, workspace=workspace.id), reply_handle=handle)
            self._background.notes(workspace.connection.tell, pressed, rendering.line(text))
        ack()


class HomeListeners:
    """The home page, the agent view, and workspaces that go."""

    def __init__(
        self, workspaces: Workspaces, overview: PersonalOverview, background: BackgroundPools, welcome: Welcome
    ) -> None:
        self._welcome = welcome
        self._workspaces = workspaces
        self._overview = overview
        self._background = background

    def opened(self, body: Json, context: BoltContext) -> None:
        """Show the home page, or welcome somebody and suggest prompts in the agent view."""
        workspace, event = workspace_of(context), body["event"]
        if workspace and event.get("tab") == "messages":
            user, channel = str(event.get("user")), str(event.get("channel"))
            direct = Place("slack", workspace.id, channel, kind="direct")
            self._background.notes(self._welcome.greet_person, workspace.connection, direct, user)
            self._background.pages(self._suggest, workspace, user, channel, key=f"prompts:{channel}")
        elif workspace:
            self.publish_soon(workspace, str(event.get("user")))

    def invited(self, workspace: Workspace, channel: str) -> None:
        """Say hello in a channel that the bot has come into."""
        self._background.notes(self._welcome.greet_channel, workspace.connection, Place("slack", workspace.id, channel))

    def removed(self, body: Json) -> None:
        """Forget what was installed in a workspace that has removed the app."""
        tokens, origin = body["event"].get("tokens") or {}, origin_of(body)
        if body["event"]["type"] == "app_uninstalled" or tokens.get("bot"):
            at = body.get("event_time")
            for unsure in self._workspaces.remove(origin, at=at if isinstance(at, int | float) else time.time()):
                self._background.notes(self._workspaces.remove_if_over, unsure, origin.team)

    def publish_soon(self, workspace: Workspace, user: str) -> None:
        """Show a person their home page as it is by then; asked for several times, it is made once."""
        self._background.pages(self._publish, workspace, user, key=f"home:{workspace.id}:{user}")

    def _publish(self, workspace: Workspace, user: str) -> None:
        directory = workspace.connection.directory
        person = directory.person(user)
        page = self._overview.home_page(person, directory.groups_of(user))
        workspace.client("views.publish", user_id=user, view=views.home_view(page))

    def _suggest(self, workspace: Workspace, user: str, channel: str) -> None:
        prompts = self._overview.prompts(workspace.connection.directory.groups_of(user))
        if prompts:
            workspace.client(  # with a `thread_ts` the agent view would show nothing, and say nothing
                "assistant.threads.setSuggestedPrompts",
                channel_id=channel,
                prompts=[{"title": each.title, "message": each.message} for each in prompts],
            )


def _note_seen(seen: SeenEvents, body: Json, next: Callable[[], object]) -> None:  # noqa: A002 - Bolt's name
    """Note that Slack tells us of what people do, and pass it on."""
    seen.saw_payload(body)
    next()


def _acknowledge(ack: Ack) -> None:
    """Acknowledge what needs nothing more."""
    ack()
