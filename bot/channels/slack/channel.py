"""Slack as the long-running process sees it: listens through Socket Mode or HTTP, works on what was accepted."""

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.channels.metrics import ChannelMetrics, NullMetrics
from bot.channels.port import BUSY, Accept
from bot.channels.slack.actions import Votes
from bot.channels.slack.handler import EventHandler
from bot.channels.slack.install.workspaces import Workspaces, client
from bot.channels.slack.listeners import SlackListeners
from bot.channels.slack.overview import Home
from bot.channels.slack.thread_state import ThreadState
from bot.config.settings import Settings, revealed
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

# Modals, pages and notes that are on their way at the same time.
AT_ONCE = 8


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
        self._questions = questions
        self._vote_service = votes
        self._escalation = escalation
        self._workspaces = Workspaces(settings, state)
        self._memory = ThreadState(state)
        metrics = metrics or NullMetrics()
        self._votes = Votes(votes, pseudonym, self._memory, metrics)
        self._home = Home(
            overview=overview,
            votes=votes,
            questions=questions,
            pseudonym=pseudonym,
            memory=self._memory,
            settings=settings,
        )
        self._work = EventHandler(
            self._workspaces,
            state,
            settings=settings,
            questions=questions,
            escalation=escalation,
            privacy=privacy,
            metrics=metrics,
        )
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="slack")
        self._app: App | None = None
        self._socket: SocketModeHandler | None = None

    def routes(self) -> "Sequence[BaseRoute]":
        """`/slack/events` without Socket Mode; `/slack/install` and `/slack/oauth` for several workspaces."""
        from bot.channels.slack.routes import events, installing

        found: list[BaseRoute] = []
        if not self._settings.slack_app_token:
            found.append(events(lambda: self._app))
        if self._settings.slack_client_id:
            found += installing(self._settings, self._workspaces, self._state)
        return found

    def start(self, accept: Accept) -> None:
        """Listen; raises `BotError` with one line when Slack does not let us."""
        if self._settings.slack_bot_token:
            us = self._workspaces.only()
            logger.info("Slack knows us as %s in %s", us.bot, us.team)
        ears = SlackListeners(
            self._workspaces,
            self._memory,
            self._votes,
            self._home,
            settings=self._settings,
            questions=self._questions,
            vote_service=self._vote_service,
            passed=self._escalation.of_thread,
            accept=accept,
            soon=self._pool,
            busy=BUSY,
        )
        self._app = ears.app()
        if self._settings.slack_app_token:
            self._socket = self._connected(self._app)

    def handle(self, claim: Claim) -> None:
        self._work.handle(claim)

    def give_up(self, claim: Claim) -> None:
        self._work.give_up(claim)

    def stop(self) -> None:
        """Close the socket, and let what was begun come to its end."""
        if self._socket:
            self._socket.close()  # type: ignore[no-untyped-call] # bolt's handlers carry no types
            self._socket = None
        self._app = None
        self._pool.shutdown(wait=True)

    def _connected(self, app: App) -> SocketModeHandler:
        handler = SocketModeHandler(
            app, revealed(self._settings.slack_app_token), logger=logger, web_client=client(self._settings)
        )
        try:
            handler.connect()  # type: ignore[no-untyped-call]
        except SlackApiError as error:
            handler.close()  # type: ignore[no-untyped-call]
            raise BotError(
                f"`slack_app_token` is not accepted ({error.response.get('error', 'no answer')}): give an app-level "
                "token with the scope connections:write, which the app's page Basic Information makes"
            ) from error
        except (OSError, SlackClientError) as error:
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
