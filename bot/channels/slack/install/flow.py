"""Leads an administrator of a further workspace through the installation, and keeps that of an allowed one alone."""

import base64
import hashlib
import hmac
import html
import http.client
import logging
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from logging import Logger
from typing import Any

from slack_bolt import BoltRequest, BoltResponse
from slack_bolt.error import BoltError
from slack_bolt.oauth import OAuthFlow
from slack_bolt.oauth.callback_options import FailureArgs
from slack_bolt.oauth.oauth_settings import OAuthSettings
from slack_sdk.errors import SlackClientError
from slack_sdk.oauth.installation_store import Installation
from slack_sdk.oauth.state_store import OAuthStateStore

from bot.channels.slack.install.manifest import INSTALL_PATH, OAUTH_PATH
from bot.channels.slack.install.scopes import bot_scopes
from bot.channels.slack.install.workspaces import Workspaces, web_client
from bot.config.settings import Settings, reveal
from bot.state.protocol import StateStore

logger = logging.getLogger(__name__)

STATE_LIVES = timedelta(minutes=10)
# How far the clocks of replicas may be apart, in seconds.
CLOCKS_APART = 60
NONCE_BYTES = 16
STATE_BYTES = 8 + NONCE_BYTES + hashlib.sha256().digest_size
PAGE = (
    "<!doctype html><html lang='en'><meta charset='utf-8'><title>Footnote</title><h1>{title}</h1><p>{text}</p></html>"
)
NOT_ALLOWED = (
    "This Footnote does not serve your workspace ({place}): it is not among those that may install it. Nothing of the "
    "installation was kept, and its token was given back. Whoever runs Footnote can allow it in the setting "
    "slack_allowed_teams."
)


class InstallationRefused(BoltError):
    """An installation is not kept; the text says why to whoever wanted it."""


class InstallationFlow(OAuthFlow):
    """Bolt's way through an installation, for allowed workspaces."""

    def __init__(self, settings: Settings, workspaces: Workspaces, state: StateStore) -> None:
        self._workspaces = workspaces
        self._states = SignedStates(reveal(settings.slack_client_secret), state)
        super().__init__(
            client=web_client(settings),
            settings=OAuthSettings(
                client_id=settings.slack_client_id,
                client_secret=reveal(settings.slack_client_secret),
                scopes=bot_scopes(),
                user_scopes=[],
                install_path=INSTALL_PATH,
                redirect_uri_path=OAUTH_PATH,
                installation_store=workspaces.installations,
                state_store=self._states,
            ),
        )
        self.failure_handler = _failure_page

    def store_installation(self, request: BoltRequest, installation: Installation) -> None:
        """Keep an installation, once for each beginning; raises `InstallationRefused` for one that is not allowed."""
        team, enterprise = installation.team_id or "", installation.enterprise_id or ""
        if not self._workspaces.allows("" if installation.is_enterprise_install else team, enterprise):
            logger.warning("a workspace that is not among `slack_allowed_teams` wanted to install the app")
            self._revoke(installation)
            raise InstallationRefused(NOT_ALLOWED.format(place=team or enterprise))
        if not self._states.use(request.query["state"][0]):
            self._revoke(installation)
            raise InstallationRefused("This installation was ended before. Please begin it anew.")
        super().store_installation(request, installation)

    def _revoke(self, installation: Installation) -> None:
        """Give a token back that is not kept; where that fails it stays unused."""
        try:
            self.client.auth_revoke(token=installation.bot_token)
        except (OSError, http.client.HTTPException, SlackClientError) as error:
            logger.warning("the token of a refused installation could not be revoked: %s", type(error).__name__)


class SignedStates(OAuthStateStore):
    """Proves that somebody comes back from the installation that they began.

    Nothing is kept of a beginning: a state holds its time and a random number, signed with a key that comes from
    `secret`, so that every replica knows its own. Bolt compares it with the browser's cookie. Once an installation has
    ended with it, that is kept until the state is too old.
    """

    def __init__(self, secret: str, state: StateStore, *, clock: Callable[[], float] = time.time) -> None:
        self._key = hmac.digest(secret.encode(), b"footnote: state of an installation", "sha256")
        self._state = state
        self._clock = clock

    @property
    def logger(self) -> Logger:
        return logging.getLogger("slack_sdk.oauth")

    def issue(self, *_: Any, **__: Any) -> str:
        """Return a new state; keeps nothing."""
        issued = int(self._clock()).to_bytes(8, "big") + secrets.token_bytes(NONCE_BYTES)
        return base64.urlsafe_b64encode(issued + self._signature(issued)).decode().rstrip("=")

    def consume(self, state: str) -> bool:
        """Whether a state is ours, young enough and not used yet; keeps nothing."""
        return self._issued_at(state) is not None and self._state.get(_used(state), now=datetime.now(UTC)) is None

    def use(self, state: str) -> bool:
        """Note that an installation has ended with a state; False where one has before, or it is too old now."""
        issued = self._issued_at(state)
        if issued is None:
            return False
        expires = datetime.fromtimestamp(issued + CLOCKS_APART, UTC) + STATE_LIVES
        return self._state.add(_used(state), "1", expires=expires, now=datetime.now(UTC))

    def _issued_at(self, state: str) -> int | None:
        """Return when a state was made, in seconds; None for one that is not ours or too old."""
        try:
            data = base64.urlsafe_b64decode(state + "=" * (-len(state) % 4))
        except ValueError:
            return None
        issued, signature = data[: 8 + NONCE_BYTES], data[8 + NONCE_BYTES :]
        if len(data) != STATE_BYTES or not hmac.compare_digest(signature, self._signature(issued)):
            return None
        at = int.from_bytes(issued[:8], "big")
        age = self._clock() - at
        return at if -CLOCKS_APART <= age <= STATE_LIVES.total_seconds() else None

    def _signature(self, issued: bytes) -> bytes:
        return hmac.digest(self._key, issued, "sha256")


def _used(state: str) -> str:
    """Return the key of a used state: a state that is written in two ways (base64 allows that) has one."""
    data = base64.urlsafe_b64decode(state + "=" * (-len(state) % 4))
    return f"slack:oauth:{data[8 : 8 + NONCE_BYTES].hex()}"


def _failure_page(failure: FailureArgs) -> BoltResponse:
    """Return the page that says why an installation has failed."""
    if not isinstance(failure.error, InstallationRefused):
        return failure.default.failure(failure)
    page = PAGE.format(title="Not installed", text=html.escape(str(failure.error)))
    return BoltResponse(status=403, body=page, headers={"Content-Type": "text/html; charset=utf-8"})
