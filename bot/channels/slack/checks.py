"""Checks Slack's tokens, scopes and socket for `footnote doctor`."""

import http.client
from collections.abc import Iterator

from slack_sdk.errors import SlackApiError, SlackClientError

from bot.channels.slack.install.scopes import bot_scopes
from bot.channels.slack.install.workspaces import NOBODY_ALLOWED, web_client
from bot.config.settings import Settings, reveal
from bot.services.diagnostics.check import Check

UNREACHABLE = "Slack cannot be reached", "see that this machine reaches slack.com, by a proxy if need be"
INSTALL_AGAIN = "paste the output of `footnote slack manifest` into the app's manifest and install it again"


def examine(settings: Settings) -> Iterator[Check]:
    """Yield a check of each thing that Slack needs."""
    if settings.slack_bot_token:
        yield from _token(settings)
    if settings.slack_client_id and not settings.slack_allowed_teams:
        name, _, mend = NOBODY_ALLOWED.partition("; ")
        yield Check("slack installation", ok=False, detail=name, mend=mend)
    if settings.slack_client_id and not settings.slack_client_secret:
        yield Check(
            "slack installation",
            ok=False,
            detail="`slack_client_secret` is missing",
            mend="set it beside the client id",
        )
    if settings.slack_app_token:
        yield _socket(settings)
    elif settings.slack_signing_secret:
        yield Check("slack events", ok=True, detail=f"by HTTP on port {settings.public_port}")
    else:
        mend = "set `slack_app_token` (Socket Mode) or `slack_signing_secret` (HTTP)"
        yield Check("slack events", ok=False, detail="Slack has no way to tell us anything", mend=mend)


def _token(settings: Settings) -> Iterator[Check]:
    name = "slack token"
    try:
        found = web_client(settings, reveal(settings.slack_bot_token)).auth_test()
    except SlackApiError as error:
        word = error.response.get("error", "refused") if hasattr(error.response, "get") else "refused"
        mend = "set `slack_bot_token` to the Bot User OAuth Token of the app's page OAuth & Permissions"
        yield Check(name, ok=False, detail=f"is not accepted ({word})", mend=mend)
        return
    except (OSError, http.client.HTTPException, SlackClientError, ValueError):
        yield Check(name, ok=False, detail=UNREACHABLE[0], mend=UNREACHABLE[1])
        return
    yield Check(name, ok=True, detail=f"{found.get('user')} in {found.get('team')}")
    named = {found.get("team_id"), found.get("enterprise_id")}
    if settings.slack_allowed_teams and settings.slack_allowed_teams.isdisjoint(named):
        is_whole = bool(found.get("is_enterprise_install"))  # then each payload tells of which workspace it is
        served = "so only those of its workspaces are served that are" if is_whole else "so it is not served"
        detail = f"{found.get('team_id')} is not among `slack_allowed_teams`, {served}"
        yield Check("slack workspace", ok=is_whole, detail=detail, mend="" if is_whole else "add it there")
    given = {key.lower(): value for key, value in (found.headers or {}).items()}.get("x-oauth-scopes")
    if given is not None:
        text = ",".join(given) if isinstance(given, list) else str(given)
        yield _scopes({scope.strip() for scope in text.split(",")})


def _scopes(given: set[str]) -> Check:
    missing = [scope for scope in bot_scopes() if scope not in given]
    if missing:
        return Check("slack scopes", ok=False, detail=f"missing: {', '.join(missing)}", mend=INSTALL_AGAIN)
    return Check("slack scopes", ok=True, detail="all that are used")


def _socket(settings: Settings) -> Check:
    """Check whether a socket would be opened; none is."""
    try:
        web_client(settings).apps_connections_open(app_token=reveal(settings.slack_app_token))
    except SlackApiError as error:
        word = error.response.get("error", "refused") if hasattr(error.response, "get") else "refused"
        mend = "set `slack_app_token` to an app-level token with the scope connections:write; turn Socket Mode on"
        return Check("slack socket", ok=False, detail=f"is not opened ({word})", mend=mend)
    except (OSError, http.client.HTTPException, SlackClientError, ValueError):
        return Check("slack socket", ok=False, detail=UNREACHABLE[0], mend=UNREACHABLE[1])
    return Check("slack socket", ok=True, detail="opens")
