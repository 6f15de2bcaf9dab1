"""Slack as a channel: listens through Socket Mode or HTTP, and handles what was accepted."""

import http.client
import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.channels import presentation
from bot.channels.acceptance import EventAcceptor
from bot.channels.background import BackgroundPools
from bot.channels.connection import Connection, Platform
from bot.channels.events import IncomingEvent
from bot.channels.handler import EventHandler
from bot.channels.lookups import Lookups
from bot.channels.metrics import ChannelMetrics, NullMetrics
from bot.channels.overview import PersonalOverview
from bot.channels.port import Accept, ChannelHealth, Limits
from bot.channels.repetition import Deduplicator
from bot.channels.slack import rendering
from bot.channels.slack.install.workspaces import NOBODY_ALLOWED, Workspaces, web_client
from bot.channels.slack.listeners import listening_app
from bot.channels.slack.monitor import SlackMonitor
from bot.channels.slack.seen import SIGNED, SeenEvents
from bot.channels.stop_marks import StopMarks
from bot.channels.thread_state import ThreadState
from bot.channels.votes import VoteRecorder
from bot.channels.welcome import Welcome
from bot.config.settings import Settings, reveal
from bot.errors import BotError
from bot.services.escalation import EscalationService
from bot.services.overview import OverviewService
from bot.services.privacy import PrivacyService
from bot.services.questions import QuestionService
from bot.services.votes import VoteService
from bot.state.protocol import Claim, StateStore

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

logger = logging.getLogger(__name__)

LIMITS = Limits(
    update_seconds=3.0,  # chat.update is promised 50 a minute; for text that grows Slack asks for this pause
    append_seconds=1.2,  # chat.appendStream is promised 100 a minute to all streams of a workspace together
    partial_characters=rendering.MOST_SENTENCES,
    private_messages=4,  # a response url works five times; one is left for what is pressed there
)


class SlackChannel:
    """One Slack app, in one workspace or in several; raises `BotError` for settings that do not fit together."""

    name = "slack"

    def __init__(
        self,
        *,
        settings: Settings,
        state: StateStore,
        questions: QuestionService,
        votes: VoteService,
        escalation: EscalationService,
        privacy: PrivacyService,
        overview: OverviewService,
        pseudonym: Callable[[str], str],
        metrics: ChannelMetrics | None = None,
    ) -> None:
        check(settings)
        self._settings = settings
        self._state = state
        self._escalation = escalation
        self._background = BackgroundPools(self.name)
        self._lookups = Lookups()
        self._workspaces = Workspaces(
            settings,
            state,
            lookups=self._lookups,
            pseudonym=pseudonym,
            token_refused=lambda team: self._monitor.check_soon(team),  # noqa: PLW0108 - made below
        )
        self._seen = SeenEvents(state, background=self._background.notes)
        self._monitor = SlackMonitor(settings, self._workspaces, self._seen)
        self._thread_state = ThreadState(state, self.name, pseudonym=pseudonym)
        self._deduplicator = Deduplicator(state, self.name, pseudonym=pseudonym)
        metrics = metrics or NullMetrics()
        self._votes = VoteRecorder(
            self.name, votes=votes, pseudonym=pseudonym, thread_state=self._thread_state, metrics=metrics
        )
        self._overview = PersonalOverview(
            self.name,
            overview=overview,
            votes=votes,
            questions=questions,
            pseudonym=pseudonym,
            thread_state=self._thread_state,
            settings=settings,
        )
        platform = Platform(self.name, "Slack", rendering, LIMITS, self._connect)
        self._welcome = Welcome(platform, self._deduplicator, settings)
        self._handler = EventHandler(
            platform,
            settings=settings,
            state=state,
            thread_state=self._thread_state,
            questions=questions,
            escalation=escalation,
            privacy=privacy,
            metrics=metrics,
            welcome=self._welcome,
        )
        self._app: App | None = None
        self._socket: SocketModeHandler | None = None

    def routes(self) -> "Sequence[BaseRoute]":
        """`/slack/events` without Socket Mode; `/slack/install` and `/slack/oauth` where it is said who may install."""
        from bot.channels.slack.routes import events_route, install_routes

        found: list[BaseRoute] = []
        if not self._settings.slack_app_token:
            found.append(events_route(lambda: self._app, self._settings, signed=lambda: self._seen.saw(SIGNED)))
        if self._settings.slack_client_id and self._settings.slack_allowed_teams:
            found += install_routes(self._settings, self._workspaces, self._state)
        return found

    def start(self, accept: Accept) -> None:
        """Listen; raises `BotError` with one line when Slack does not let the bot."""
        if self._settings.slack_bot_token:
            own = self._workspaces.only()
            logger.info("Slack knows us as %s in %s", own.bot, own.id)
        elif not self._settings.slack_allowed_teams:
            logger.warning(NOBODY_ALLOWED)
        acceptor = EventAcceptor(
            accept,
            settings=self._settings,
            thread_state=self._thread_state,
            stop_marks=StopMarks(self._state, self.name),
            escalation=self._escalation,
            tell_busy=lambda event: self._background.notes(self._tell_busy, event),
        )
        self._app = listening_app(
            self._settings,
            self._workspaces,
            acceptor=acceptor,
            votes=self._votes,
            overview=self._overview,
            background=self._background,
            deduplicator=self._deduplicator,
            seen=self._seen,
            welcome=self._welcome,
        )
        if self._settings.slack_app_token:
            self._socket = self._open_socket(self._app)
        self._monitor.start()

    def health(self) -> ChannelHealth:
        """What was last seen of tokens, scopes, the socket or the address, and events."""
        return self._monitor.health()

    def handle(self, claim: Claim) -> None:
        """Do what an event asks for."""
        self._handler.handle(claim)

    def give_up(self, claim: Claim) -> None:
        """Tell whoever waits that it cannot be done."""
        self._handler.give_up(claim)

    def stop(self) -> None:
        """Close the socket, and let what was begun come to its end."""
        self._monitor.stop()
        if self._socket:
            self._socket.close()  # type: ignore[no-untyped-call] # bolt's handlers carry no types
            self._socket = None
        self._app = None
        self._lookups.close()
        self._background.stop()

    def _connect(self, event: IncomingEvent) -> Connection | None:
        workspace = self._workspaces.of_event(event)
        return workspace.connection if workspace else None

    def _tell_busy(self, event: IncomingEvent) -> None:
        connection = self._connect(event)
        if connection:
            connection.tell(event, rendering.line(presentation.BUSY))

    def _open_socket(self, app: App) -> SocketModeHandler:
        handler = SocketModeHandler(app, reveal(self._settings.slack_app_token), web_client=web_client(self._settings))
        self._monitor.watch_socket(handler.client)
        try:
            handler.connect()  # type: ignore[no-untyped-call]
        except SlackApiError as error:
            handler.close()  # type: ignore[no-untyped-call]
            raise BotError(
                f"`slack_app_token` is not accepted ({error.response.get('error', 'no answer')}): give an app-level "
                "token with the scope connections:write, which the app's page Basic Information makes"
            ) from error
        except (OSError, http.client.HTTPException, SlackClientError, ValueError) as error:
            handler.close()  # type: ignore[no-untyped-call]
            raise BotError("Slack's socket cannot be reached: see that this machine reaches it") from error
        return handler


def check(settings: Settings) -> None:
    """Raise `BotError` where the settings of Slack do not make one app."""
    if settings.slack_client_id and not settings.slack_client_secret:
        raise BotError("`slack_client_id` needs `slack_client_secret`; the app's page Basic Information shows both")
    if not settings.slack_app_token and not settings.slack_signing_secret:
        raise BotError(
            "Slack needs `slack_app_token` (Socket Mode, no public address), or `slack_signing_secret` (HTTP)"
        )
