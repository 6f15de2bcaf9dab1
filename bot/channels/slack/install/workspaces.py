"""Finds the workspaces that have installed the app: one by its token, or several by OAuth, kept in the state store."""

import json
import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from logging import Logger
from typing import Any

from slack_bolt import BoltContext, BoltResponse
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.authorization.authorize import Authorize
from slack_sdk import WebClient
from slack_sdk.oauth.installation_store import Bot, Installation, InstallationStore

from bot.channels.connection import Connection
from bot.channels.directory import CachedDirectory
from bot.channels.directory_records import DirectoryRecords
from bot.channels.events import IncomingEvent
from bot.channels.lookups import Lookups
from bot.channels.port import Refused
from bot.channels.slack.client import ATTEMPTS, REVOKED, SlackClient
from bot.channels.slack.directory import SlackDirectory
from bot.channels.slack.events import Json, Origin, is_organization, origin_of
from bot.channels.slack.streams import SlackStreams
from bot.channels.slack.transport import SlackTransport
from bot.config.settings import Settings, reveal
from bot.errors import BotError
from bot.state.protocol import StateStore

logger = logging.getLogger(__name__)

TIMEOUT_SECONDS = 10
NOBODY_ALLOWED = (
    "`slack_allowed_teams` is missing: no workspace may install, and none is served; give the ids of those that may"
)
INSTALLED = "slack:installed:"


@dataclass(frozen=True, slots=True)
class Installed:
    """An installation of the app: of one team, or of a whole organisation, where `team` is empty.

    `at` is when it was made, in seconds since 1970.
    """

    team: str
    organization: str
    token: str = field(repr=False)
    bot: str
    bot_id: str
    at: float = 0.0

    @property
    def id(self) -> str:
        """The team, else the organisation."""
        return self.team or self.organization


@dataclass(frozen=True, slots=True)
class Workspace:
    """One team that is served, and the bot's own user in it.

    `id` is that of its installation, a team's or a whole organisation's. Messages, threads and votes are remembered
    under it: of one message each payload may name another team.
    """

    id: str
    team: str
    bot: str
    bot_id: str
    token: str = field(repr=False)
    client: SlackClient
    connection: Connection
    directory: SlackDirectory


class Workspaces:
    """Finds the workspace that a payload comes from; may be used from any thread.

    What is installed stands in the state store and is read each time, so that no replica goes on with a token that was
    given back. One that Slack refuses is served again once
    `note_token` is told that Slack takes its token; nothing here waits for Slack but at the first look.
    """

    def __init__(
        self,
        settings: Settings,
        state: StateStore,
        *,
        lookups: Lookups,
        pseudonym: Callable[[str], str],
        token_refused: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`token_refused` is called with the installation's id when Slack refuses a token; it must return at once."""
        self._settings = settings
        self._state = state
        self._lookups = lookups
        self._pseudonym = pseudonym
        self._token_refused = token_refused
        self.installations = Installations(state)
        self._own: Installed | None = None
        self._known: dict[tuple[str, str], tuple[Installed, Workspace]] = {}
        self._refused: set[Installed] = set()
        self._lock = threading.Lock()

    @property
    def is_single(self) -> bool:
        """Whether there is one token for one workspace."""
        return self._settings.slack_bot_token is not None

    def allows(self, team: str, organization: str) -> bool:
        """Whether a team, or the whole organisation with an empty team, may install the app and is served."""
        return not self._settings.slack_allowed_teams.isdisjoint({team, organization})

    def of_payload(self, body: Json) -> Workspace | None:
        """Return the workspace that a payload of any kind is from; None where nothing is installed or allowed there.

        Raises `Unreachable` and `StateUnavailable`, as `of_event` does.
        """
        return self._of(origin_of(body))

    def of_event(self, event: IncomingEvent) -> Workspace | None:
        """Return the workspace of an event that was accepted; None where nothing is installed or allowed any more."""
        id_ = event.place.workspace
        is_whole = is_organization(id_)
        team = event.origin_workspace if is_whole else id_
        return self._of(Origin("", team, event.organization or (id_ if is_whole else ""), is_whole))

    def only(self) -> Workspace:
        """Return the one workspace of the token; raises `BotError` with one line when that is not accepted."""
        try:
            own = self._own = self._identify(reveal(self._settings.slack_bot_token))
        except Refused as error:
            raise BotError(
                f"`slack_bot_token` is not accepted ({error.error}): give the Bot User OAuth Token that the app's "
                "page OAuth & Permissions shows"
            ) from error
        # Of an organisation's workspaces those that are listed are served, which is known of each payload alone.
        if own.team and self._settings.slack_allowed_teams and not self.allows(own.team, own.organization):
            raise BotError(
                f"{own.team}, the workspace of `slack_bot_token`, is not among `slack_allowed_teams`: add it there"
            )
        return self._open(own, own.team)

    def remove(self, origin: Origin, *, at: float) -> Sequence[Installed]:
        """Forget what was installed where the app was removed `at` this time, in seconds since 1970.

        Returns the installations of which Slack must be asked whether they are over (`remove_if_over`): one that was
        made since, and that of the organisation, which other workspaces may still use. Whether Slack still takes the
        one token of the settings is looked at beside.
        """
        if self._own and _is_of(self._own, origin):
            self._token_refused(self._own.id)
        own = self.installations.get(origin.team) if origin.team else None
        organization = origin.organization or (own.organization if own else "")
        whole = self.installations.get(organization) if organization else None
        unsure = []
        for installed in filter(None, (own, whole)):
            if int(installed.at) > at or (origin.team and not installed.team):
                unsure.append(installed)
            else:
                self.installations.remove(installed)
        return unsure

    def remove_if_over(self, installed: Installed, without: str) -> None:
        """Forget an installation whose token has ended, or that of an organisation of which no other team is left."""
        left = self._served_by(installed)
        if not (left if installed.team else left - {without}):
            self.installations.remove(installed)

    def _of(self, origin: Origin) -> Workspace | None:
        installed = self._installed(origin)
        if installed is None or not self._serves(installed, origin):
            return None
        team = installed.team or origin.team
        with self._lock:
            known = self._known.get((installed.id, team))
        return known[1] if known and known[0] == installed else self._open(installed, team)

    def _installed(self, origin: Origin) -> Installed | None:
        """Return the installation that a payload is for; None where there is none, or Slack refuses its token."""
        if self.is_single:
            if self._own is None:
                self._own = self._identify(reveal(self._settings.slack_bot_token))
            found = self._own if _is_of(self._own, origin) else None
        else:
            found = self.installations.find(origin)
        if found is None or found not in self._refused:
            return found
        self._token_refused(found.id)  # whether it is taken again is looked at beside
        return None

    def note_token(self, token: str, *, is_taken: bool) -> None:
        """Serve what is installed with a token, or serve it no more, as Slack takes the token now or refuses it."""
        with self._lock:
            if is_taken:
                self._refused = {each for each in self._refused if each.token != token}
                return
            known = {self._own, *(installed for installed, _ in self._known.values())}
            refused = {each for each in known if each and each.token == token}
            self._refused |= refused
            self._known = {key: known for key, known in self._known.items() if known[0] not in refused}

    def _served_by(self, installed: Installed) -> set[str]:
        """Return the teams that an installation is good for; where Slack does not tell, those that are served here."""
        client = SlackClient(web_client(self._settings, installed.token))
        try:
            if installed.team:
                client("auth.test")
                return {installed.team}
            return {str(each.get("id")) for each in client("auth.teams.list").get("teams") or ()}
        except Refused as error:
            if error.error in REVOKED:
                return set()
        with self._lock:
            return {team for id_, team in self._known if id_ == installed.id} | {installed.team} - {""}

    def _serves(self, installed: Installed, origin: Origin) -> bool:
        if self.is_single and not self._settings.slack_allowed_teams:
            return True
        return self.allows(origin.installed or installed.team or origin.team, installed.organization)

    def _identify(self, token: str, *, attempts: int = ATTEMPTS) -> Installed:
        """Return whose token this is; raises `Refused` and `Unreachable`."""
        told = SlackClient(web_client(self._settings, token))("auth.test", attempts=attempts)
        team, organization, bot, bot_id = (
            str(told.get(name) or "") for name in ("team_id", "enterprise_id", "user_id", "bot_id")
        )
        is_whole = bool(told.get("is_enterprise_install")) or is_organization(team)
        return Installed("" if is_whole else team, organization or (team if is_whole else ""), token, bot, bot_id)

    def _open(self, installed: Installed, team: str) -> Workspace:
        """Make the workspace of a team that is served; asks Slack nothing."""
        calls = SlackClient(
            web_client(self._settings, installed.token),
            team="" if installed.team else team,
            revoked=lambda: self._refuse(installed),
        )
        listed = self._settings.slack_allowed_teams
        directory = SlackDirectory(calls, installed.team, installed.organization, listed=listed)
        records = DirectoryRecords(self._state, "slack", installed.id, pseudonym=self._pseudonym)
        connection = Connection(
            SlackTransport(calls, team=installed.id, bot=installed.bot),
            CachedDirectory(directory, self._settings, "slack", records=records, lookups=self._lookups),
            SlackStreams(calls),
        )
        found = Workspace(
            installed.id, team, installed.bot, installed.bot_id, installed.token, calls, connection, directory
        )
        with self._lock:
            self._known[installed.id, team] = (installed, found)
        return found

    def _refuse(self, installed: Installed) -> None:
        """Serve an installation no more, since Slack has refused its token."""
        self.note_token(installed.token, is_taken=False)
        self._token_refused(installed.id)


def _is_of(installed: Installed, origin: Origin) -> bool:
    """Whether a payload is for this installation: others may have installed the same app."""
    if installed.organization and origin.organization == installed.organization:
        return True
    if not installed.team:
        return not origin.organization
    return origin.installed in {"", installed.team}


class Authorization(Authorize):
    """Tells Bolt who the bot is where a payload comes from, without asking Slack each time."""

    def __init__(self, workspaces: Workspaces) -> None:
        self._workspaces = workspaces

    def find(self, body: Json, context: BoltContext, next_: Callable[[], BoltResponse]) -> BoltResponse:
        """Find the workspace of a payload, once for all listeners; Bolt asks who is authorized without it."""
        found = self._workspaces.of_payload(body)
        if found:
            context["workspace"] = found
            context["authorized"] = AuthorizeResult(
                enterprise_id=context.enterprise_id,
                team_id=found.team or None,
                bot_token=found.token,
                bot_id=found.bot_id,
                bot_user_id=found.bot,
            )
        return next_()

    def __call__(self, *, context: BoltContext, **_: Any) -> AuthorizeResult | None:
        """Return what was found; None where the app is not installed, or not allowed."""
        found: AuthorizeResult | None = context.get("authorized")
        return found


def workspace_of(context: BoltContext) -> Workspace | None:
    """Return the workspace that was found for a payload; None where the app is not installed, or not allowed."""
    found: Workspace | None = context.get("workspace")
    return found


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
        row |= {"bot_scopes": list(bot.bot_scopes), "installed_at": bot.installed_at}
        id_ = bot.enterprise_id if bot.is_enterprise_install else bot.team_id
        self._state.put(_key(str(id_)), json.dumps(row))

    def get(self, id_: str) -> Installed | None:
        """Return the installation of a team or of a whole organisation; None where there is none."""
        found = self._state.get(_key(id_), now=datetime.now(UTC))
        if not found:
            return None
        return _installed(id_, json.loads(found))

    def all(self) -> Iterator[Installed]:
        """Yield every installation; raises `StateUnavailable`."""
        for key, value in self._state.values(INSTALLED, now=datetime.now(UTC)):
            yield _installed(key.rpartition(":")[2], json.loads(value))

    def find(self, origin: Origin) -> Installed | None:
        """Return the installation that a payload is for: of its team, else of the whole organisation."""
        ids = (origin.organization,) if origin.is_whole else (origin.team, origin.organization)
        return next((found for id_ in ids if id_ and (found := self.get(id_))), None)

    def remove(self, installed: Installed) -> None:
        """Remove an installation, unless another has taken its place."""
        if self.get(installed.id) == installed:
            self._state.remove(_key(installed.id))


def _installed(id_: str, row: Mapping[str, Any]) -> Installed:
    """Return the installation with this id as it is kept."""
    text = {name: str(row.get(name) or "") for name in ("team_id", "enterprise_id", "bot_user_id", "bot_id")}
    team = "" if is_organization(id_) else text["team_id"] or id_
    organization = text["enterprise_id"] or ("" if team else id_)
    at = float(row.get("installed_at") or 0.0)
    return Installed(team, organization, str(row["bot_token"]), text["bot_user_id"], text["bot_id"], at)


def _key(id_: str) -> str:
    """Return the key of an installation: a team has one, whatever its organisation, an organisation one of its own."""
    return f"{INSTALLED}organisation:{id_}" if is_organization(id_) else f"{INSTALLED}team:{id_}"
