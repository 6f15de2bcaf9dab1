"""Listens to what Slack tells of people, channels and user groups, and keeps it for all replicas.

It is kept before it is acknowledged, so that the next answer of any replica goes by it; nothing is asked of Slack
before that. Slack delivers events again and in any order: each is kept with its own time.
"""

from collections.abc import Callable
from datetime import UTC, datetime

from slack_bolt import App, BoltContext

from bot.channels.slack.events import Json
from bot.channels.slack.install.workspaces import Workspace, workspace_of

Keep = Callable[[Workspace, Json, datetime], None]


def listen_to_directory(app: App, *, invited: Callable[[Workspace, str], None]) -> None:
    """Register a listener for each of these events; `invited` is called with a channel that the bot has come into."""

    def listener(keep: Keep) -> Callable[[Json, BoltContext], None]:
        def listen(body: Json, context: BoltContext) -> None:
            workspace, event = workspace_of(context), body["event"]
            if workspace:
                keep(workspace, event, _time(event))
            if workspace and event.get("type") == "member_joined_channel" and event.get("user") == workspace.bot:
                invited(workspace, str(event.get("channel") or ""))

        return listen

    for name, keep in LISTENERS.items():
        app.event(name)(listener(keep))


def _person(workspace: Workspace, event: Json, at: datetime) -> None:
    """Somebody is new, or another by now: a guest, say, or deactivated."""
    user = event.get("user")
    if isinstance(user, dict) and user.get("id"):
        workspace.connection.directory.records.people.note(workspace.directory.parse_person(user), at=at)


def _joined(workspace: Workspace, event: Json, at: datetime) -> None:
    channel, user = str(event.get("channel") or ""), str(event.get("user") or "")
    if user == workspace.bot:
        workspace.connection.directory.learn(channel)
    elif channel and user:
        workspace.connection.directory.member_changed(channel, user, joined=True, at=at)


def _left(workspace: Workspace, event: Json, at: datetime) -> None:
    channel, user = str(event.get("channel") or ""), str(event.get("user") or "")
    if channel and user:
        workspace.connection.directory.member_changed(channel, user, joined=False, at=at)


def _shared(workspace: Workspace, event: Json, at: datetime) -> None:
    """A channel is shared with another company, or with one less: with which others is asked."""
    channel, external = str(event.get("channel") or ""), event.get("type") == "channel_shared"
    workspace.connection.directory.records.channels.note_shared(channel, external=external, at=at)


def _group(workspace: Workspace, event: Json, at: datetime) -> None:
    """The members of a user group are others by now."""
    subteam = event.get("subteam")
    group = event.get("subteam_id") or (subteam.get("id") if isinstance(subteam, dict) else "")
    workspace.connection.directory.records.groups.note(str(group or ""), at=at)


LISTENERS: dict[str, Keep] = {
    "user_change": _person,
    "team_join": _person,
    "member_joined_channel": _joined,
    "member_left_channel": _left,
    "channel_shared": _shared,
    "channel_unshared": _shared,
    "subteam_members_changed": _group,
    "subteam_updated": _group,
}


def _time(event: Json) -> datetime:
    """Return when something happened, as Slack says; now where it does not, and never later than that."""
    now = datetime.now(UTC)
    try:
        return min(now, datetime.fromtimestamp(float(str(event.get("event_ts"))), UTC))
    except (ValueError, OverflowError, OSError):
        return now
