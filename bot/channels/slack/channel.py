"""Slack as the long-running process sees it: listens through Socket Mode or HTTP, works on what was accepted."""

import logging
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.channels.port import BUSY, Accept
from bot.channels.slack.actions import Votes
from bot.channels.slack.checks import examine
from bot.channels.slack.handler import EventHandler
from bot.channels.slack.install.workspaces import Workspaces, client
from bot.channels.slack.listeners import SlackListeners
from bot.channels.slack.overview import Overview
from bot.channels.slack.ports import AppPort, Metrics, NullMetrics
from bot.channels.slack.thread_state import ThreadState
from bot.config.settings import Settings, revealed
from bot.errors import BotError
from bot.services.diagnostics.check import Check
from bot.services.escalation import Escalations
from bot.state.protocol import Claim, StateStore

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

logger = logging.getLogger(__name__)

# Modals, pages and notes that are on their way at the same time.
AT_ONCE = 8


class SlackChannel:
    """One Slack app, in one workspace or in several; raises `BotError` for settings that do not fit together."""

    name = "slack"

    def __init__(self, house: AppPort, state: StateStore, figures: Metrics | None = None) -> None:
        self._settings = house.settings
        check(self._settings)
        self._house = house
        self._state = state
        self._workspaces = Workspaces(house.settings, state)
        self._memory = ThreadState(state)
        figures = figures or NullMetrics()
        self._votes = Votes(house, self._memory, figures)
        self._work = EventHandler(house, self._workspaces, state, figures=figures)
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
            self._house,
            self._workspaces,
            self._memory,
            self._votes,
            Overview(self._house, self._memory),
            passed=Escalations(self._state).of_thread,
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

    def findings(self) -> Iterable[Check]:
        return examine(self._settings)

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
