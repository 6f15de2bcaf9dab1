"""Finds the workspaces that have installed the app: one by its token, or several by OAuth, kept in the state store."""

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from logging import Logger
from typing import Any

from slack_bolt.authorization import AuthorizeResult
from slack_bolt.authorization.authorize import Authorize
from slack_sdk import WebClient
from slack_sdk.oauth.installation_store import Bot, Installation, InstallationStore

from bot.channels.connection import Connection
from bot.channels.directory import CachedDirectory
from bot.channels.directory_records import DirectoryRecords
from bot.channels.lookups import Lookups
from bot.channels.port import Refused
from bot.channels.slack.client import SlackClient
from bot.channels.slack.directory import SlackDirectory
from bot.channels.slack.events import organization_of, team_of
from bot.channels.slack.streams import SlackStreams
from bot.channels.slack.transport import SlackTransport
from bot.config.settings import Settings, reveal
from bot.errors import BotError
from bot.state.protocol import StateStore

logger = logging.getLogger(__name__)

TIMEOUT_SECONDS = 10
# How long a token is taken to be good without asking.
CACHE_SECONDS = 600.0
NOBODY_ALLOWED = (
    "`slack_allowed_teams` is missing: no workspace may install, and none is served; give the ids of those that may"
)
INSTALLED = "slack:installed:"


@dataclass(frozen=True, slots=True)
class Workspace:
    """One team, and the bot's own user in it."""

    team: str
    bot: str
    bot_id: str
    token: str
    client: SlackClient
    connection: Connection
    directory: SlackDirectory


class Workspaces:
    """Finds the workspace of a team; may be used from any thread."""

    def __init__(
        self, settings: Settings, state: StateStore, *, lookups: Lookups, pseudonym: Callable[[str], str]
    ) -> None:
        self._settings = settings
        self._state = state
        self._lookups = lookups
        self._pseudonym = pseudonym
        self.installations = Installations(state)
        self._known: dict[str, tuple[float, Workspace]] = {}
        self._lock = threading.Lock()

    @property
    def is_single(self) -> bool:
        """Whether there is one token for one workspace."""
        return self._settings.slack_bot_token is not None

    def allows(self, team: str, enterprise: str) -> bool:
        """Whether a team, or the whole organisation with an empty team, may install the app and is served."""
        return not self._settings.slack_allowed_teams.isdisjoint({team, enterprise})

    def of(self, team: str, enterprise: str = "") -> Workspace | None:
        """Return the workspace of a team; None where the app is not installed, and where the team is not allowed.

        Raises `Unreachable` and `StateUnavailable`.
        """
        if not self.is_single and not self.allows(team, enterprise):
            return None
        key = "" if self.is_single else f"{enterprise}:{team}"
        with self._lock:
            known = self._known.get(key)
        if known and (self.is_single or time.monotonic() < known[0]):
            return known[1]
        token = reveal(self._settings.slack_bot_token) or self.installations.token(team, enterprise)
        if not token:
            return None
        try:
            found = self._open(token)
        except Refused as error:
            logger.error("a workspace's token is not accepted: %s", error.error)  # noqa: TRY400 - the word says it all
            return None
        with self._lock:
            self._known[key] = (time.monotonic() + CACHE_SECONDS, found)
        return found

    def of_payload(self, body: Mapping[str, Any]) -> Workspace | None:
        """Return the workspace that a payload of any kind is from; None where the app is not installed."""
        return self.of(team_of(dict(body)), organization_of(dict(body)))

    def only(self) -> Workspace:
        """Return the one workspace of the token; raises `BotError` with one line when that is not accepted."""
        token = reveal(self._settings.slack_bot_token)
        try:
            found = self._open(token)
        except Refused as error:
            raise BotError(
                f"`slack_bot_token` is not accepted ({error.error}): give the Bot User OAuth Token that the app's "
                "page OAuth & Permissions shows"
            ) from error
        with self._lock:
            self._known[""] = (0.0, found)
        return found

    def forget(self, team: str, enterprise: str = "") -> None:
        """Forget a team that has removed the app."""
        self.installations.delete_all(enterprise_id=enterprise, team_id=team)
        with self._lock:
            self._known.pop(f"{enterprise}:{team}", None)

    def _open(self, token: str) -> Workspace:
        calls = SlackClient(web_client(self._settings, token))
        own = calls("auth.test")
        team, bot = str(own.get("team_id") or ""), str(own.get("user_id") or "")
        wanted = self._settings.slack_allowed_teams if self.is_single else frozenset()
        organization = str(own.get("enterprise_id") or "")
        if wanted and not self.allows(team, organization):
            raise BotError(
                f"{team}, the workspace of `slack_bot_token`, is not among `slack_allowed_teams`: add it there"
            )
        directory = SlackDirectory(calls, team, organization)
        records = DirectoryRecords(self._state, "slack", team, pseudonym=self._pseudonym)
        connection = Connection(
            SlackTransport(calls, team=team, bot=bot),
            CachedDirectory(directory, self._settings, "slack", records=records, lookups=self._lookups),
            SlackStreams(calls),
        )
        return Workspace(team, bot, str(own.get("bot_id") or ""), token, calls, connection, directory)


class Authorization(Authorize):
    """Tells Bolt who the bot is in a workspace, without asking Slack each time."""

    def __init__(self, workspaces: Workspaces) -> None:
        self._workspaces = workspaces

    def __call__(self, *, enterprise_id: str | None, team_id: str | None, **_: Any) -> AuthorizeResult | None:
        found = self._workspaces.of(team_id or "", enterprise_id or "")
        if found is None:
            return None
        return AuthorizeResult(
            enterprise_id=enterprise_id,
            team_id=found.team,
            bot_token=found.token,
            bot_id=found.bot_id,
            bot_user_id=found.bot,
        )


def web_client(settings: Settings, token: str = "") -> WebClient:
    """Return a client of the Web API, with a token for what needs one; it connects to nothing yet."""
    base = settings.slack_api_url or WebClient.BASE_URL
    # Retries are our own: bolt's would repeat what must not be said twice.
    return WebClient(token=token or None, base_url=f"{base.rstrip('/')}/", timeout=TIMEOUT_SECONDS, retry_handlers=[])


class Installations(InstallationStore):
    """Bots of several workspaces, in the state store; users' own tokens are neither asked for nor kept."""

    def __init__(self, state: StateStore) -> None:
        self._state = state

    @property
    def logger(self) -> Logger:
        return logging.getLogger("slack_sdk.oauth")

    def save(self, installation: Installation) -> None:
        """Keep the bot of an installation."""
        self.save_bot(installation.to_bot())

    def save_bot(self, bot: Bot) -> None:
        row: dict[str, Any] = {
            name: value for name, value in bot.to_dict().items() if isinstance(value, str | bool) and value
        }
        row["bot_scopes"] = list(bot.bot_scopes)
        self._state.put(_key(bot.team_id, bot.enterprise_id, is_whole=bool(bot.is_enterprise_install)), json.dumps(row))

    def find_bot(
        self, *, enterprise_id: str | None, team_id: str | None, is_enterprise_install: bool | None = False
    ) -> Bot | None:
        found = self._row(team_id, enterprise_id, is_whole=bool(is_enterprise_install))
        if not found:
            return None
        return Bot(
            team_id=found.get("team_id"),
            enterprise_id=found.get("enterprise_id"),
            bot_token=str(found["bot_token"]),
            bot_id=str(found.get("bot_id") or ""),
            bot_user_id=str(found.get("bot_user_id") or ""),
            bot_scopes=found.get("bot_scopes") or [],
            is_enterprise_install=bool(found.get("is_enterprise_install")),
            installed_at=time.time(),
        )

    def delete_bot(self, *, enterprise_id: str | None, team_id: str | None) -> None:
        self._state.remove(_key(team_id, enterprise_id, is_whole=not team_id))

    def delete_all(self, *, enterprise_id: str | None, team_id: str | None) -> None:
        self.delete_bot(enterprise_id=enterprise_id, team_id=team_id)

    def token(self, team: str, enterprise: str) -> str:
        """Return the token for a team: of its own installation, else of the whole organisation's; empty for none."""
        found = self._row(team, enterprise, is_whole=False) or (
            self._row(None, enterprise, is_whole=True) if enterprise else None
        )
        return str(found["bot_token"]) if found else ""

    def _row(self, team: str | None, enterprise: str | None, *, is_whole: bool) -> Mapping[str, Any] | None:
        found = self._state.get(_key(team, enterprise, is_whole=is_whole), now=datetime.now(UTC))
        return json.loads(found) if found else None


def _key(team: str | None, enterprise: str | None, *, is_whole: bool) -> str:
    """Return the key of an installation: a team has one, whatever its organisation, an organisation one of its own."""
    return f"{INSTALLED}organisation:{enterprise}" if is_whole else f"{INSTALLED}team:{team}"
