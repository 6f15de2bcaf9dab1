"""Looks every few seconds, in the background, whether Slack takes the tokens and would tell us of events.

What Slack refuses counts at once; that it cannot be reached counts after some rounds in a row, so that a short outage
does not take every replica out of service.
"""

import json
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from slack_sdk.socket_mode.client import BaseSocketModeClient

from bot.channels.port import ChannelHealth, PartHealth
from bot.channels.slack.install.workspaces import Workspaces
from bot.channels.slack.probes import Probe, lacks_essential_scopes, missing_scopes, probe_socket, probe_token
from bot.channels.slack.seen import ANYTHING, SIGNED, SeenEvents
from bot.config.settings import Settings, reveal
from bot.errors import StateUnavailable

logger = logging.getLogger(__name__)

ROUND_SECONDS = 15.0
# Rounds in a row in which Slack cannot be reached before that counts: about a minute.
PATIENCE = 4
# A workspace of several is asked about every few minutes, so many in a round.
WORKSPACE_DUE = timedelta(minutes=3)
WORKSPACES_IN_ROUND = 20
# `apps.connections.open` is asked once a minute at most.
SOCKET_DUE = timedelta(minutes=1)
# So long after Slack has said that Socket Mode is off it counts as off: each new connection may begin like a good one.
OFF_HOLDS = timedelta(seconds=30)
# So long after the start it is a sign of missing subscriptions that nothing has ever come.
QUIET = timedelta(minutes=10)
SOCKET_OFF = "Socket Mode is switched off: turn it on at the app's page Socket Mode"


@dataclass(frozen=True, slots=True)
class _PartState:
    """A part as it counts, and how many rounds in a row it could not be looked at."""

    health: PartHealth
    missed: int = 0


class SlackMonitor:
    """Keeps the health of the Slack channel from `start` to `stop`; may be used from any thread."""

    def __init__(
        self,
        settings: Settings,
        workspaces: Workspaces,
        seen: SeenEvents,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._settings = settings
        self._workspaces = workspaces
        self._seen_events = seen
        self._now = now
        self._started = now()
        self._lock = threading.Lock()
        self._parts: dict[tuple[str, str], _PartState] = {}
        self._due: dict[str, datetime] = {}
        self._socket: BaseSocketModeClient | None = None
        self._is_socket_off = False
        self._socket_off_at = datetime.min.replace(tzinfo=UTC)
        self._socket_due = now()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to look."""
        self._thread = threading.Thread(target=self._run, name="slack-monitor", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Look no more; a second time, or unstarted, nothing changes."""
        self._stopping.set()
        self._wake.set()
        if self._thread:
            self._thread.join(1.0)

    def watch_socket(self, client: BaseSocketModeClient) -> None:
        """Look at this socket from now on; to be called before it is opened."""
        self._socket = client
        client.on_message_listeners.append(self._socket_said)  # type: ignore[attr-defined] # every client has them

    def check_soon(self, team: str = "") -> None:
        """Look at a team's token, or the one token, as soon as possible: something was refused because of it."""
        with self._lock:
            self._due.pop(team, None)
        self._wake.set()

    def health(self) -> ChannelHealth:
        """Return what was last seen."""
        with self._lock:
            parts = tuple(each.health for each in self._parts.values())
        return ChannelHealth(parts, self._seen_events.last_here())

    def check(self) -> None:
        """Look at everything that is due."""
        if self._workspaces.is_single:
            self._check_single()
        else:
            self._check_several()
        if self._settings.slack_app_token:
            self._check_socket()
        else:
            self._keep(self._address())
        self._keep(self._events())

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.clear()
            try:
                self.check()
            except StateUnavailable as error:
                logger.info("what is installed cannot be read: %s", error)
            except Exception:
                logger.exception("Slack's state cannot be told")
            self._stopping.wait(min(1.0, ROUND_SECONDS))  # what wakes it again and again costs a call a second
            self._wake.wait(max(0.0, ROUND_SECONDS - 1.0))

    def _check_single(self) -> None:
        probe = self._probe(reveal(self._settings.slack_bot_token))
        self._settle(PartHealth("token", ok=True, detail=_described(probe)), probe)
        if probe.scopes is not None:
            self._keep(_scopes(probe.scopes))

    def _probe(self, token: str) -> Probe:
        """Look whether Slack takes a token: what is installed with it is served as long as it does."""
        probe = probe_token(self._settings, token)
        if probe.outcome != "unreachable":
            self._workspaces.note_token(token, is_taken=probe.outcome == "ok")
        return probe

    def _check_several(self) -> None:
        """Look at those workspaces that are due; the channel works as long as one of them does."""
        now, allows = self._now(), self._workspaces.allows
        found = {each.id: each for each in self._workspaces.installations.all() if allows(each.team, each.organization)}
        with self._lock:
            for key in [each for each in self._parts if each[1] and each[1] not in found]:
                del self._parts[key]  # it has removed the app
            due = [team for team in found if self._due.get(team, now) <= now][:WORKSPACES_IN_ROUND]
            self._due |= dict.fromkeys(due, now + WORKSPACE_DUE)
        for team in due:
            probe = self._probe(found[team].token)
            self._settle(PartHealth("token", True, _described(probe), required=False, workspace=team), probe)
            if probe.scopes is not None:
                self._keep(replace(_scopes(probe.scopes), required=False, workspace=team))
        self._keep(self._summary(len(found)))

    def _summary(self, installed: int) -> PartHealth:
        with self._lock:
            refused = sum(
                not each.health.ok for (part, workspace), each in self._parts.items() if part == "token" and workspace
            )
        detail = "no workspace has installed the app yet"
        if installed:
            detail = f"{installed - refused} of {installed} workspaces take us"
        return PartHealth("workspaces", ok=refused < max(1, installed), detail=detail)

    def _check_socket(self) -> None:
        part = PartHealth("socket", ok=True, detail="is open")
        if self._is_socket_off or self._now() - self._socket_off_at < OFF_HOLDS:
            self._keep(replace(part, ok=False, detail=SOCKET_OFF))
        elif self._socket and self._socket.is_connected():
            self._keep(part)
        else:
            probe = Probe("unreachable")
            if self._socket_due <= self._now():
                self._socket_due = self._now() + SOCKET_DUE
                probe = probe_socket(self._settings, reveal(self._settings.slack_app_token))
            # A socket that would be opened is about to be; where that goes on, it counts like an outage.
            closed = probe if probe.outcome == "refused" else Probe("unreachable")
            self._settle(replace(part, detail=f"`slack_app_token` is not accepted ({probe.error})"), closed)

    def _socket_said(self, message: str) -> None:
        """Notice that Socket Mode was switched off or on: Slack says it when it ends or begins a connection."""
        if not message.startswith("{"):
            return
        try:
            told = json.loads(message)
        except ValueError:
            return
        if told.get("type") == "disconnect" and told.get("reason") == "link_disabled":
            self._is_socket_off, self._socket_off_at = True, self._now()
            self._wake.set()
        elif told.get("type") == "hello":
            self._is_socket_off = False

    def _address(self) -> PartHealth:
        """Whether Slack has ever reached the public address with what it signs.

        No process is taken out of service for it: Slack reaches none that is.
        """
        at = self._seen_events.last(SIGNED)
        detail = f"last signed request at {_minute(at)}" if at else (
            "Slack has not reached /slack/events with a signed request yet: save the address at the app's page Event "
            "Subscriptions, and compare `slack_signing_secret`"
        )  # fmt: skip
        return PartHealth("address", ok=at is not None, detail=detail, required=False)

    def _events(self) -> PartHealth:
        """Whether anything was ever told: of what a bot is subscribed to Slack gives no list."""
        at = self._seen_events.last(ANYTHING)
        if at:
            return PartHealth("events", ok=True, detail=f"last one at {_minute(at)}", required=False)
        is_long = self._now() - self._started >= QUIET
        detail = "none has come yet" + (": see the app's page Event Subscriptions" if is_long else "")
        return PartHealth("events", ok=not is_long, detail=detail, required=False)

    def _settle(self, part: PartHealth, probe: Probe) -> None:
        """Keep what a probe says: a refusal at once, an outage after some rounds in a row, and as it was until then."""
        key = (part.part, part.workspace)
        if probe.outcome == "refused":
            self._keep(replace(part, ok=False))
        elif probe.outcome == "ok":
            self._keep(part)
        else:
            with self._lock:
                known = self._parts.get(key) or _PartState(replace(part, ok=True, detail="not known yet"))
                missed, health = known.missed + 1, known.health
                if missed >= PATIENCE and health.ok:
                    health = replace(part, ok=False, detail="Slack cannot be reached")
                    logger.error("slack %s %s: %s", health.part, health.workspace, health.detail)
                self._parts[key] = _PartState(health, missed)

    def _keep(self, health: PartHealth) -> None:
        with self._lock:
            before = self._parts.get((health.part, health.workspace))
            self._parts[health.part, health.workspace] = _PartState(health)
        if not health.ok and (before is None or before.health.ok):
            if health.required:
                logger.error("slack %s %s: %s", health.part, health.workspace, health.detail)
            else:
                logger.warning("slack %s %s: %s", health.part, health.workspace, health.detail)


def _described(probe: Probe) -> str:
    if probe.outcome == "ok":
        return f"{(probe.about or {}).get('user')} in {(probe.about or {}).get('team')}"
    return f"is not accepted ({probe.error}): install the app again, and give its new token"


def _scopes(given: frozenset[str]) -> PartHealth:
    missing = missing_scopes(given)
    detail = f"missing: {', '.join(missing)}; install the app again with the manifest" if missing else "all are given"
    return PartHealth("scopes", ok=not missing, detail=detail, required=lacks_essential_scopes(given))


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
