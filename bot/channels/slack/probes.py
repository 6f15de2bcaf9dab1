"""Asks Slack whether a token is taken and whether a socket would be opened; bounded in time, and never twice."""

import http.client
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from slack_sdk.errors import SlackApiError, SlackClientError

from bot.channels.slack.client import TRANSIENT
from bot.channels.slack.install.scopes import bot_scopes
from bot.channels.slack.install.workspaces import web_client
from bot.config.settings import Settings

# Without these no question is heard, answered, or known to be from somebody of the company.
ESSENTIAL_SCOPES = frozenset({"chat:write", "users:read"})
QUESTION_SCOPES = frozenset({"app_mentions:read", "im:history", "commands"})
TIMEOUT_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Probe:
    """What Slack says: `refused` holds for good, what is `unreachable` may pass. `error` is Slack's own word.

    `about` is what the method has given; `scopes` are those that were granted, None where Slack does not say.
    """

    outcome: Literal["ok", "refused", "unreachable"]
    error: str = ""
    about: dict[str, Any] | None = None
    scopes: frozenset[str] | None = None


def probe_token(settings: Settings, token: str) -> Probe:
    """Return whether a bot's token is taken, and what it may do."""
    client = web_client(settings, token)
    client.timeout = TIMEOUT_SECONDS
    return _probe(client.auth_test)


def probe_socket(settings: Settings, app_token: str) -> Probe:
    """Return whether a socket would be opened; none is."""
    client = web_client(settings)
    client.timeout = TIMEOUT_SECONDS
    return _probe(lambda: client.apps_connections_open(app_token=app_token))


def missing_scopes(given: Iterable[str]) -> list[str]:
    """Return the scopes that the bot uses and was not given."""
    has = frozenset(given)
    return [scope for scope in bot_scopes() if scope not in has]


def lacks_essential_scopes(given: Iterable[str]) -> bool:
    """Whether with these scopes no question can be heard and answered at all."""
    has = frozenset(given)
    return not has >= ESSENTIAL_SCOPES or has.isdisjoint(QUESTION_SCOPES)


def _probe(call: Any) -> Probe:
    try:
        found = call()
    except SlackApiError as error:
        response: Any = error.response
        data = getattr(response, "data", None)
        word = str(data.get("error") or "") if isinstance(data, dict) else ""
        passes = getattr(response, "status_code", 500) >= 429 or word in TRANSIENT or word == "ratelimited" or not word
        return Probe("unreachable" if passes else "refused", word)
    except (OSError, http.client.HTTPException, SlackClientError, ValueError):
        return Probe("unreachable")
    headers = {str(key).lower(): value for key, value in (found.headers or {}).items()}
    given = headers.get("x-oauth-scopes")
    text = ",".join(given) if isinstance(given, list) else given
    scopes = None if text is None else frozenset(filter(None, (each.strip() for each in str(text).split(","))))
    return Probe("ok", about=found.data if isinstance(found.data, dict) else {}, scopes=scopes)
