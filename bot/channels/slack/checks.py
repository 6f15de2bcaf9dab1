"""Checks Slack's tokens, scopes, socket and events for `footnote doctor`."""

from collections.abc import Callable, Iterator

from bot.channels.slack.install.scopes import EVENTS
from bot.channels.slack.install.workspaces import NOBODY_ALLOWED, Installations
from bot.channels.slack.probes import Probe, missing_scopes, probe_socket, probe_token
from bot.channels.slack.seen import ANYTHING, COMMAND, PRESSED, SIGNED, SeenEvents
from bot.config.settings import Settings, reveal
from bot.errors import BotError
from bot.services.diagnostics.check import Check
from bot.state.protocol import StateStore

UNREACHABLE = "Slack cannot be reached", "see that this machine reaches slack.com, by a proxy if need be"
INSTALL_AGAIN = "paste the output of `footnote slack manifest` into the app's manifest and install it again"
SUBSCRIBE = "see that the app's page Event Subscriptions lists all of the manifest; some come seldom"


def examine(settings: Settings, state: Callable[[], StateStore]) -> Iterator[Check]:
    """Yield a check of each thing that Slack needs; the state store is opened for what it remembers of Slack."""
    if settings.slack_bot_token:
        yield from _single(settings, reveal(settings.slack_bot_token))
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
    elif not settings.slack_signing_secret:
        mend = "set `slack_app_token` (Socket Mode) or `slack_signing_secret` (HTTP)"
        yield Check("slack events", ok=False, detail="Slack has no way to tell us anything", mend=mend)
        return
    try:
        store = state()
        if not settings.slack_bot_token:
            yield from _several(settings, store)
        yield from _told(settings, SeenEvents(store))
    except BotError as error:
        yield Check("slack events", ok=False, detail=str(error), mend="mend the state store first")


def _single(settings: Settings, token: str) -> Iterator[Check]:
    probe = probe_token(settings, token)
    mend = "set `slack_bot_token` to the Bot User OAuth Token of the app's page OAuth & Permissions"
    yield from _token("", probe, mend=mend)
    about = probe.about or {}
    named = {about.get("team_id"), about.get("enterprise_id")}
    if probe.outcome == "ok" and settings.slack_allowed_teams and settings.slack_allowed_teams.isdisjoint(named):
        is_whole = bool(about.get("is_enterprise_install"))  # then each payload tells of which workspace it is
        served = "so only those of its workspaces are served that are" if is_whole else "so it is not served"
        detail = f"{about.get('team_id')} is not among `slack_allowed_teams`, {served}"
        yield Check("slack workspace", ok=is_whole, detail=detail, mend="" if is_whole else "add it there")


def _several(settings: Settings, store: StateStore) -> Iterator[Check]:
    """Yield the checks of each workspace that has installed the app, by its id."""
    for installed in Installations(store).all():
        if settings.slack_allowed_teams.isdisjoint({installed.team, installed.organization}):
            detail = "has installed the app, is not among `slack_allowed_teams` any more, and so is not served"
            yield Check(f"slack workspace {installed.id}", ok=True, detail=detail, mend="let it remove the app")
            continue
        mend = "let its administrator install the app again, at /slack/install"
        yield from _token(f" {installed.id}", probe_token(settings, installed.token), mend=mend)


def _token(name: str, probe: Probe, *, mend: str) -> Iterator[Check]:
    """Yield what a probe says of a token and, where Slack tells, of its scopes."""
    if probe.outcome == "unreachable":
        yield Check(f"slack token{name}", ok=False, detail=UNREACHABLE[0], mend=UNREACHABLE[1])
        return
    if probe.outcome == "refused":
        yield Check(f"slack token{name}", ok=False, detail=f"is not accepted ({probe.error})", mend=mend)
        return
    about = probe.about or {}
    yield Check(f"slack token{name}", ok=True, detail=f"{about.get('user')} in {about.get('team')}")
    if probe.scopes is not None:
        missing = missing_scopes(probe.scopes)
        detail = f"missing: {', '.join(missing)}" if missing else "all that are used"
        yield Check(f"slack scopes{name}", ok=not missing, detail=detail, mend=INSTALL_AGAIN if missing else "")


def _socket(settings: Settings) -> Check:
    """Check whether a socket would be opened; none is."""
    probe = probe_socket(settings, reveal(settings.slack_app_token))
    if probe.outcome == "refused":
        mend = "set `slack_app_token` to an app-level token with the scope connections:write; turn Socket Mode on"
        return Check("slack socket", ok=False, detail=f"is not opened ({probe.error})", mend=mend)
    if probe.outcome == "unreachable":
        return Check("slack socket", ok=False, detail=UNREACHABLE[0], mend=UNREACHABLE[1])
    return Check("slack socket", ok=True, detail="opens")


def _told(settings: Settings, seen: SeenEvents) -> Iterator[Check]:
    """Yield what Slack has told any replica of: a bot is given no list of what it is subscribed to."""
    if not settings.slack_app_token:
        at = seen.last(SIGNED)
        detail = f"by HTTP on port {settings.public_port}, " + (
            f"last signed request at {at:%Y-%m-%d %H:%M} UTC" if at else "not reached yet with a signed request"
        )
        mend = "" if at else "while `footnote serve` runs, save the address at the app's page Event Subscriptions"
        yield Check("slack address", ok=True, detail=detail, mend=mend)
    at = seen.last(ANYTHING)
    if at is None:
        yield Check("slack events", ok=True, detail="none has come yet", mend=SUBSCRIBE)
        return
    kinds = {kind: seen.last(kind) for kind in (*EVENTS, COMMAND, PRESSED)}
    never = sorted(kind for kind, found in kinds.items() if found is None)
    detail = f"last one at {at:%Y-%m-%d %H:%M} UTC" + (f"; never seen: {', '.join(never)}" if never else "")
    yield Check("slack events", ok=True, detail=detail, mend=SUBSCRIBE if never else "")
