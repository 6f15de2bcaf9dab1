"""A workspace that remembers: people, channels, messages and views, and what people do in it."""

import html
import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeVar

from tests.servers.slack.seen import Button, Json, Link, buttons, calls, first, links, written

if TYPE_CHECKING:
    from tests.servers.slack.sending import Sending

T = TypeVar("T")

Kind = Literal["channel", "group", "im", "mpim"]
PREFIX = {"channel": "C", "group": "G", "im": "D", "mpim": "G"}
PLACES = {"channel": "channels", "group": "groups"}  # how subscriptions call them
URL = re.compile(r"https?://[^\s<>]+")
NAME = re.compile(r"([@#])(\w+)")
PATIENCE = 20.0


@dataclass
class Message:
    """One message, as it is now; `versions` is all that it ever showed, `only_for` is whoever alone sees it."""

    channel: str
    ts: str
    user: str
    text: str = ""
    thread: str = ""
    blocks: list[Json] = field(default_factory=list)
    metadata: Json | None = None
    by_bot: bool = False
    only_for: str = ""
    unseen: bool = False  # taken by Slack and shown to nobody
    edited: str = ""
    attachments: list[Json] = field(default_factory=list)
    deleted: bool = False
    streamed: str = ""
    streaming_until: float = 0.0
    stream_blocks: list[Json] = field(default_factory=list)
    reactions: dict[str, list[str]] = field(default_factory=dict)
    files: list[Json] = field(default_factory=list)
    at: float = field(default_factory=time.monotonic)
    changed_at: float = 0.0
    versions: list[str] = field(default_factory=list)

    @property
    def all_blocks(self) -> list[Json]:
        streamed = [{"type": "markdown", "text": self.streamed, "block_id": "streamed"}] if self.streamed else []
        return [*streamed, *self.stream_blocks, *self.blocks]

    @property
    def is_streaming(self) -> bool:
        return time.monotonic() < self.streaming_until

    @property
    def shown(self) -> str:
        """What a person reads."""
        return written(self.all_blocks, self.text)

    @property
    def links(self) -> list[Link]:
        return links(self.all_blocks, self.text)

    @property
    def calls(self) -> list[str]:
        """Whom it calls by a mark: `@U1`, `!channel`, `#C1`."""
        return calls(self.all_blocks, self.text)

    @property
    def buttons(self) -> list[Button]:
        return buttons(self.all_blocks)

    def remember(self) -> None:
        if not self.versions or self.versions[-1] != self.shown:
            self.versions.append(self.shown)
            self.changed_at = time.monotonic()

    def json(self, *, bot_id: str, metadata: bool = False) -> Json:
        """The message as the Web API and events give it out."""
        made: Json = {"type": "message", "user": self.user, "text": self.text, "ts": self.ts}
        if self.thread:
            made["thread_ts"] = self.thread
        if self.files:  # https://docs.slack.dev/reference/events/message/file_share
            made |= {"subtype": "file_share", "files": self.files, "upload": False}
        if self.by_bot:
            made |= {"bot_id": bot_id, "app_id": "A0APP", "blocks": self.all_blocks}
        if self.edited:
            made["edited"] = {"user": self.user, "ts": self.edited}
        if self.attachments:
            made["attachments"] = list(self.attachments)
        if self.reactions:
            made["reactions"] = [
                {"name": name, "users": list(users), "count": len(users)} for name, users in self.reactions.items()
            ]
        if metadata and self.metadata:
            made["metadata"] = self.metadata
        return made


@dataclass
class Channel:
    id: str
    name: str
    kind: Kind
    members: list[str] = field(default_factory=list)
    with_bot: bool = True
    shared: bool = False
    messages: list[Message] = field(default_factory=list)

    def json(self, team: str) -> Json:
        return {
            "id": self.id,
            "name": self.name,
            "is_channel": self.kind == "channel",
            "is_group": self.kind == "group",
            "is_im": self.kind == "im",
            "is_mpim": self.kind == "mpim",
            "is_private": self.kind != "channel",
            "is_archived": False,
            "is_member": self.with_bot,
            "is_shared": self.shared,
            "is_ext_shared": self.shared,
            "is_org_shared": False,
            "is_pending_ext_shared": False,
            "context_team_id": team,
            "num_members": len(self.members) + self.with_bot,
            **({"user": self.members[0]} if self.kind == "im" else {}),
        }


@dataclass
class Session:
    """An agent's session in a thread; it stays as the app has left it, whatever is posted there."""

    status: str
    title: str = ""


@dataclass
class OpenView:
    """A modal that stands open; what a person types into it goes out with `submits`."""

    id: str
    user: str
    json: Json
    closed: bool = False

    @property
    def shown(self) -> str:
        return written([{"title": self.json.get("title")}, *self.json["blocks"]], "")

    @property
    def buttons(self) -> list[Button]:
        return buttons(self.json["blocks"])


@dataclass
class Acked:
    """What the app answered to an interaction; `status` is 0 where it did not in time."""

    status: int
    body: Json | None = None


class Person:
    """Somebody with a hand on the keyboard."""

    def __init__(
        self, workspace: "Workspace", name: str, user: str, *, email: str, guest: bool, team: str, enterprise: str
    ) -> None:
        self.workspace, self.name, self.id = workspace, name, user
        self.email, self.guest = email, guest
        self.deleted = False
        self.moves(team, enterprise)
        self.views: list[OpenView] = []
        self.home: OpenView | None = None
        self.prompts: list[Json] = []
        self.errors: list[str] = []

    def moves(self, team: str, enterprise: str) -> None:
        """Be of another workspace, of the same company or of another one."""
        self.team, self._enterprise = team, enterprise

    @property
    def is_elsewhere(self) -> bool:
        """Whether their workspace is another one, of the same company or not."""
        return self.team != self.workspace.team

    @property
    def enterprise(self) -> str:
        """The organisation that they are of."""
        return self._enterprise or ("" if self.is_elsewhere else self.workspace.enterprise or "")

    def json(self, *, with_email: bool) -> Json:
        profile = {"real_name": self.name, "display_name": self.name, **({"email": self.email} if with_email else {})}
        return {
            "id": self.id,
            "team_id": self.team,
            "name": self.name.lower(),
            "real_name": self.name,
            "deleted": self.deleted,
            "is_bot": False,
            "is_app_user": False,
            "is_restricted": self.guest,
            "is_ultra_restricted": False,
            "profile": profile,
            **self._company(),
        }

    def _company(self) -> Json:
        """What tells of their company: of a stranger on a Grid nothing but ids, `is_stranger` only of some.

        https://docs.slack.dev/reference/objects/user-object (`enterprise_user`, `is_stranger`).
        """
        if not self.enterprise:
            return {"is_stranger": True} if self.is_elsewhere else {}
        if self.enterprise != self.workspace.enterprise:
            return {"enterprise_id": self.enterprise}
        named = {"enterprise_id": self.enterprise, "enterprise_name": self.enterprise, "teams": [self.team]}
        return {"enterprise_user": {"id": self.id, "is_admin": False, "is_owner": False, **named}}

    @property
    def direct(self) -> Channel:
        """The direct messages between this person and the bot."""
        return self.workspace.direct(self.id)

    def writes(self, text: str, channel: Channel, *, thread: Message | None = None) -> Message:
        """Type a message; Slack escapes what would be a mark, and makes addresses links."""
        return self._writes(self.workspace.typed(text), channel, thread)

    def names(
        self, text: str, channel: Channel, *, thread: Message | None = None, files: Sequence[str] = ()
    ) -> Message:
        """Type a message in which `@Bob` and `#random` were chosen from the list, perhaps with files.

        Typed text has no labels in its marks (docs.slack.dev/messaging/formatting-message-text#mentioning-users).
        """
        place = thread.thread or thread.ts if thread else ""
        text = self.workspace.marked(typed(text))
        made = Message(channel.id, self.workspace.next_ts(), self.id, text, place)
        made.files = [
            {"id": f"F{number:04}", "name": name, "title": name} for number, name in enumerate(files, start=1)
        ]
        return self.workspace.take(made)

    def mentions(self, text: str, channel: Channel, *, thread: Message | None = None) -> Message:
        """Call the bot by its name."""
        return self._writes(f"<@{self.workspace.bot}> {self.workspace.typed(text)}", channel, thread)

    def tells(self, text: str, *, thread: Message | None = None) -> Message:
        """Write to the bot alone."""
        return self._writes(self.workspace.typed(text), self.direct, thread)

    def _writes(self, text: str, channel: Channel, thread: Message | None) -> Message:
        place = thread.thread or thread.ts if thread else ""
        return self.workspace.take(Message(channel.id, self.workspace.next_ts(), self.id, text, place))

    def uploads(self, text: str, *names: str, channel: Channel | None = None, mention: bool = False) -> Message:
        """Write with files; what Slack may not show of one (`file_access`) has no name."""
        place, mark = channel or self.direct, f"<@{self.workspace.bot}> " if mention else ""
        made = Message(place.id, self.workspace.next_ts(), self.id, (mark + typed(text)).strip())
        for number, name in enumerate(names, start=1):
            file = {"id": f"F{number:04}", "created": 1, "mimetype": "application/pdf", "user": self.id}
            made.files.append(file | ({"name": name, "title": name} if name else {"file_access": "check_file_info"}))
        return self.workspace.take(made)

    def edits(self, message: Message, text: str, *, mention: bool = False) -> None:
        """Type other words; a mention that was there stays, and with `mention` one is added."""
        called = mention or message.text.startswith(f"<@{self.workspace.bot}>")
        sent = self.workspace.marked(typed(text))
        self.formats(message, f"<@{self.workspace.bot}> {sent}" if called else sent)

    def formats(self, message: Message, sent: str) -> None:
        """Edit a message so that Slack sends this text of it: marks and the labels of links are sent as they stand."""
        before = message.json(bot_id="")
        with self.workspace.changing():
            message.text, message.edited = sent, self.workspace.next_ts()
        self.workspace.changed_event(message, before)
        self.workspace.mention_event(message)

    def deletes(self, message: Message) -> None:
        """Delete a message; one with replies stays as a tombstone in its place."""
        self.workspace.deleted_event(message)

    def asks_about(self, message: Message, callback: str) -> "Acked":
        """Choose the app's shortcut in a message's menu."""
        return self.workspace.shortcut(self, message, callback)

    def reacts(self, message: Message, name: str) -> None:
        with self.workspace.changing():
            message.reactions.setdefault(name, []).append(self.id)
        self.workspace.reaction_event("reaction_added", self.id, name, message)

    def unreacts(self, message: Message, name: str) -> None:
        with self.workspace.changing():
            message.reactions[name].remove(self.id)
        self.workspace.reaction_event("reaction_removed", self.id, name, message)

    def stops(self, asked: Message) -> None:
        """Press the button that stands in a thread while the app is at work there."""
        self.workspace.stopped(self, asked)

    def renames(self, asked: Message, title: str) -> None:
        """Give the session of a thread another title."""
        self.workspace.retitled(self, asked, title)

    def clicks(self, shown: Message | OpenView, action: str, value: str | None = None, *, at: str = "") -> Acked:
        """Press what has this action or this label; of two feedback buttons the one whose value or side is `value`.

        `at` is the moment of the press where it arrives later than others.
        """

        def wanted(button: Button) -> bool:
            of_value = value is None or value in str(button.element.get("side")) or value == button.element.get("value")
            return action in {button.action, button.label} and of_value

        return self.workspace.clicked(self, shown, first(shown.buttons, wanted, f"{action!r} {value or ''}"), at)

    def submits(self, view: OpenView, **values: str) -> Acked:
        """Fill the fields that have these block ids, action ids or labels (their words joined by `_`), and send."""
        return self.workspace.submitted(self, view, values)

    def commands(self, command: str, text: str, channel: Channel) -> Acked:
        """Type a slash command."""
        return self.workspace.command(self, command, text, channel)

    def opens(self, tab: Literal["home", "messages"]) -> None:
        """Look at the app's own page."""
        event = {"type": "app_home_opened", "user": self.id, "channel": self.direct.id, "tab": tab}
        self.workspace.emit(event | {"event_ts": self.workspace.next_ts()})

    def joins(self, channel: Channel) -> None:
        """Come into a channel [docs.slack.dev/reference/events/member_joined_channel]."""
        with self.workspace.changing():
            channel.members.append(self.id)
        self.workspace.membership_event("member_joined_channel", self, channel)

    def leaves(self, channel: Channel) -> None:
        """Go out of a channel [docs.slack.dev/reference/events/member_left_channel]."""
        with self.workspace.changing():
            channel.members.remove(self.id)
        self.workspace.membership_event("member_left_channel", self, channel)

    def is_deactivated(self) -> None:
        """An administrator closes the account [docs.slack.dev/reference/events/user_change]."""
        with self.workspace.changing():
            self.deleted = True
        self.workspace.person_event("user_change", self)

    def becomes(self, *, guest: bool) -> None:
        """An administrator makes a guest of somebody, or a member of a guest."""
        with self.workspace.changing():
            self.guest = guest
        self.workspace.person_event("user_change", self)

    @property
    def modal(self) -> OpenView | None:
        """The modal that stands open."""
        return next((view for view in reversed(self.views) if not view.closed), None)


class Workspace:
    """One team that has installed the app. Everything that changes wakes whoever waits."""

    def __init__(self, sending: "Sending", team: str, name: str) -> None:
        self.sending, self.team, self.name = sending, team, name
        self.enterprise: str | None = None
        self.is_whole = False  # whether its organisation has installed the app for all of its workspaces
        self.bot, self.bot_id, self.token = f"UBOT{team}", f"BBOT{team}", f"xoxb-{team}-secret"
        self.people: dict[str, Person] = {}
        self.channels: dict[str, Channel] = {}
        self.groups: dict[str, tuple[str, list[str]]] = {}
        self.scopes: frozenset[str] | None = None
        self.events: frozenset[str] | None = None
        self.commands_known: frozenset[str] | None = None
        self.shortcuts_known: frozenset[str] | None = None
        self.tells_what_was_deleted = False
        self.finished: set[tuple[str, str]] = set()  # the bot's messages that can be voted on, by channel and ts
        self.statuses: list[tuple[float, str, str, str]] = []
        self.is_agent = True
        self.sessions: dict[tuple[str, str], Session] = {}
        self.status_texts: dict[tuple[str, str], str] = {}  # of the older method; a reply in the thread clears one
        # Kinds of blocks that are refused in what one person alone sees, and everywhere. No document says which those
        # are, so whoever sends them must have something else to send.
        self.refused_privately: frozenset[str] = frozenset()
        self.refused_blocks: frozenset[str] = frozenset()
        self.stream_seconds = 300.0
        self.trigger_seconds = 3.0
        self.response_seconds = 1800.0
        self._triggers: dict[str, tuple[float, str, bool]] = {}
        self._by_ts: dict[tuple[str, str], Message] = {}
        self._responses: dict[str, tuple[str, Message | None, str, int, float]] = {}
        self._numbers: dict[str, int] = {}
        self._changed = threading.Condition(threading.RLock())

    # What there is

    def person(
        self, name: str, *, email: str = "", guest: bool = False, team: str = "", enterprise: str = ""
    ) -> Person:
        """Somebody new; with another `team` a person of another company, or of the same one by its `enterprise`."""
        user = self._number("U0")
        address = email or f"{name.lower()}@example.com"
        self.people[user] = Person(
            self, name, user, email=address, guest=guest, team=team or self.team, enterprise=enterprise
        )
        return self.people[user]

    def channel(
        self, name: str, *people: Person, private: bool = False, shared: bool = False, with_bot: bool = True
    ) -> Channel:
        return self._channel(name, "group" if private else "channel", people, shared=shared, with_bot=with_bot)

    def group_direct(self, *people: Person) -> Channel:
        return self._channel("mpdm-" + "--".join(each.name.lower() for each in people), "mpim", people)

    def _channel(
        self, name: str, kind: Kind, people: Sequence[Person], *, shared: bool = False, with_bot: bool = True
    ) -> Channel:
        made = Channel(self._number(PREFIX[kind] + "0"), name, kind, [each.id for each in people], with_bot, shared)
        self.channels[made.id] = made
        return made

    def between(self, *people: Person) -> Channel:
        """The direct messages of two people, in which there is no bot."""
        return self._channel("directmessage", "im", people, with_bot=False)

    def direct(self, user: str) -> Channel:
        with self._changed:
            known = (each for each in self.channels.values() if each.kind == "im" and each.members == [user])
            return next(known, None) or self._channel("direct", "im", [self.people[user]])

    def hires(self, name: str, *, guest: bool = False, team: str = "") -> Person:
        """Somebody new, of whom the app is told [docs.slack.dev/reference/events/team_join]."""
        made = self.person(name, guest=guest, team=team)
        self.person_event("team_join", made)
        return made

    def crowd(self, count: int) -> list[Person]:
        """So many people."""
        return [self.person(f"P{number}") for number in range(count)]

    def invites_bot(self, channel: Channel) -> None:
        """The app comes into a channel, and is told of it like of anybody else."""
        with self.changing():
            channel.with_bot = True
        event = {"type": "member_joined_channel", "user": self.bot, "channel": channel.id, "team": self.team}
        self.emit(event | {"channel_type": "C", "event_ts": self.next_ts()}, channel=channel)

    def shares(self, channel: Channel, *, shared: bool = True) -> None:
        """Share a channel with another company, or do so no more [docs.slack.dev/reference/events/channel_shared]."""
        with self.changing():
            channel.shared = shared
        event: Json = {"channel": channel.id, "event_ts": self.next_ts()}
        event |= (
            {"type": "channel_shared", "connected_team_id": "T0TWO"}
            if shared
            else {"type": "channel_unshared", "previously_connected_team_id": "T0TWO", "is_ext_shared": False}
        )
        self.emit(event, channel=channel)

    def regroups(self, group: str, *people: Person) -> None:
        """A user group has these members now [docs.slack.dev/reference/events/subteam_members_changed]."""
        handle, before = self.groups[group]
        with self.changing():
            self.groups[group] = (handle, [each.id for each in people])
        now = self.groups[group][1]
        self.emit(
            {
                "type": "subteam_members_changed",
                "subteam_id": group,
                "team_id": self.team,
                "added_users": [each for each in now if each not in before],
                "removed_users": [each for each in before if each not in now],
                "event_ts": self.next_ts(),
            }
        )

    def user_group(self, handle: str, *people: Person) -> str:
        group = self._number("S0")
        self.groups[group] = (handle, [each.id for each in people])
        return group

    def install(self, manifest: Json) -> None:
        """Give the app what this manifest asks for, and no more."""
        self.scopes = frozenset(manifest["oauth_config"]["scopes"]["bot"])
        self.events = frozenset(manifest["settings"]["event_subscriptions"]["bot_events"])
        self.commands_known = frozenset(each["command"] for each in manifest["features"].get("slash_commands", ()))
        self.is_agent = "agent_view" in manifest["features"]
        self.shortcuts_known = frozenset(each["callback_id"] for each in manifest["features"].get("shortcuts", ()))

    # What is to be seen

    def visible(self, channel: Channel, thread: Message | None = None, *, to: Person | None = None) -> list[Message]:
        """What the bot says in a place, oldest first: in one thread of it, and also to one person alone."""
        place = thread.thread or thread.ts if thread else None
        with self._changed:
            return [
                each
                for each in channel.messages
                if each.by_bot
                and not each.deleted
                and (place is None or each.thread == place)
                and (not each.only_for or (to is not None and each.only_for == to.id and not each.unseen))
            ]

    def notes(self, to: Person, asked: Message | None = None) -> list[Message]:
        """What one person alone sees: in one thread, else outside all of them."""
        place = (asked.thread or asked.ts) if asked else ""
        with self._changed:
            messages = [each for channel in self.channels.values() for each in channel.messages]
        theirs = [each for each in messages if each.only_for == to.id and each.thread == place]
        return [each for each in theirs if not each.unseen and not each.deleted]

    def stuck(self) -> list[tuple[str, str, str]]:
        """The threads in which the app is shown at work: channel, thread and how."""
        with self._changed:
            working = [(*place, each.status) for place, each in self.sessions.items() if each.status == "processing"]
            return working + [(*place, text) for place, text in self.status_texts.items() if text]

    def wait(self, look: Callable[[], T], told: str = "", *, seconds: float = PATIENCE) -> T:
        """What `look` finds, as soon as it finds something."""
        ends = time.monotonic() + seconds
        with self._changed:
            while not (found := look()):
                left = ends - time.monotonic()
                assert left > 0, f"nothing came in {seconds} s: {told}\n{self._story()}"
                self._changed.wait(min(left, 0.05))  # what is sent wakes nobody
            return found

    def reply(self, asked: Message, *, to: Person | None = None, count: int = 1) -> Message:
        """The last of the bot's messages in the thread, once there are so many and it is not being written any more."""
        channel = self.channels[asked.channel]

        def finished() -> Message | None:
            said = self.visible(channel, asked, to=to)
            last = said[-1] if len(said) >= count else None
            return last if last and not last.is_streaming and last.buttons else None

        found = self.wait(finished, f"an answer to {asked.text[:80]!r}")
        assert found
        return found

    def _story(self) -> str:
        lines = [
            f"  {each.channel} {each.thread or each.ts} {'bot' if each.by_bot else each.user}"
            f"{' (streaming)' if each.is_streaming else ''}: {each.shown[:200]!r}"
            for channel in self.channels.values()
            for each in channel.messages[-8:]
        ]
        refused = [f"  {method}: {error}" for method, error in self.sending.refused[-8:]]
        return "\n".join(["what there is:", *lines, "what was refused:", *refused])

    # What changes

    def changing(self) -> "Changing":
        """Whoever waits looks again after this block."""
        return Changing(self._changed)

    def next_ts(self) -> str:
        with self._changed:
            now = max(int(time.time() * 1_000_000), self._numbers.get("ts", 0) + 1)
            self._numbers["ts"] = now
        return f"{now // 1_000_000}.{now % 1_000_000:06d}"

    def _number(self, prefix: str) -> str:
        with self._changed:
            self._numbers[prefix] = self._numbers.get(prefix, 0) + 1
            return f"{prefix}{self.team[1:]}{self._numbers[prefix]:04d}"

    def is_named_in(self, args: Json) -> bool:
        """Whether arguments name something of this workspace."""
        if args.get("team_id"):
            return bool(args["team_id"] == self.team)
        known = {*self.channels, *self.people, *self._triggers}
        return any(isinstance(each, str) and each in known for each in args.values())

    def marked(self, text: str) -> str:
        """The text with a mark for every person and channel that it names."""
        named = {f"@{each.name}": f"<@{each.id}>" for each in self.people.values()}
        named |= {
            f"#{each.name}": f"<#{each.id}>" for each in self.channels.values() if each.kind in {"channel", "group"}
        }
        if not named:
            return text
        pattern = "|".join(sorted(map(re.escape, named), key=len, reverse=True))
        return re.sub(rf"(?<!\w)(?:{pattern})\b", lambda found: named[found.group()], text)

    def find(self, channel: str, ts: str) -> Message | None:
        with self._changed:
            found = self._by_ts.get((channel, ts))
            return found if found and not found.deleted else None

    def keep(self, message: Message) -> Message:
        with self.changing():
            self.channels[message.channel].messages.append(message)
            self._by_ts[message.channel, message.ts] = message
            self.shows(message)
        return message

    def shows(self, message: Message) -> None:
        """Remember what it shows now."""
        message.remember()
        if message.by_bot and any(block["type"] == "context_actions" for block in message.blocks):
            self.finished.add((message.channel, message.ts))

    def take(self, message: Message) -> Message:
        """A person's message: it stands there, and the app is told."""
        self.keep(message)
        channel = self.channels[message.channel]
        self._message_event(message, channel)
        self.mention_event(message)
        return message

    def typed(self, text: str) -> str:
        """What Slack sends of what a person types: a name that it knows becomes a mark without a label.

        https://docs.slack.dev/messaging/formatting-message-text#mentioning-users: `<@U012AB3CD>`, `<#C123ABC456>`.
        """

        def marked(found: re.Match[str]) -> str:
            sign, name = found.groups()
            of_people = {each.name: each.id for each in self.people.values()}
            of_channels = {each.name: each.id for each in self.channels.values()}
            known = (of_people if sign == "@" else of_channels).get(name)
            return f"<{sign}{known}>" if known else found.group()

        return NAME.sub(marked, typed(text))

    def said(self, message: Message) -> Message:
        """A message of the bot: it stands there, and the app is told of that too."""
        self.keep(message)
        if not message.only_for:
            with self.changing():  # "automatically cleared when the app sends a reply": assistant.threads.setStatus
                self.status_texts.pop((message.channel, message.thread), None)
            self._message_event(message, self.channels[message.channel])
        return message

    def _event(self, message: Message, channel: Channel) -> Json:
        made = message.json(bot_id=self.bot_id) | {"channel": channel.id, "event_ts": message.ts}
        if not message.by_bot:
            made |= self._author(message.user, channel) | {"client_msg_id": f"client-{message.ts}"}
            made["blocks"] = [{"type": "rich_text", "block_id": "typed", "elements": []}]
        return made

    def _author(self, user: str, channel: Channel) -> Json:
        """Whose workspace a message is from; in a shared channel it may be an organisation (bolt's `internals.py`)."""
        person = self.people[user]
        named = {"team": person.team}
        if channel.shared or person.is_elsewhere:
            named |= {"user_team": person.enterprise or person.team, "source_team": person.team}
        return named

    def _message_event(self, message: Message, channel: Channel) -> None:
        self.emit(self._event(message, channel) | {"channel_type": channel.kind}, channel=channel)

    def invite(self, channel: Channel, by: Person) -> None:
        """Bring the bot into a channel; it is told of itself as of anybody.

        https://docs.slack.dev/reference/events/member_joined_channel
        """
        channel.with_bot = True
        event = {"type": "member_joined_channel", "user": self.bot, "channel": channel.id, "channel_type": "C"}
        self.emit(event | {"team": self.team, "inviter": by.id, "event_ts": self.next_ts()}, channel=channel)

    def mention_event(self, message: Message) -> None:
        """Tell of a mention; it is told again, as another event with `edited`, whenever its message is edited.

        https://github.com/slack-go/slack/issues/1256
        """
        channel = self.channels[message.channel]
        if f"<@{self.bot}>" in message.text and not message.by_bot and channel.kind not in {"im", "mpim"}:
            event = self._event(message, channel) | {"type": "app_mention"}
            self.emit(event | ({"event_ts": message.edited} if message.edited else {}), channel=channel)

    def unfurls(self, message: Message) -> None:
        """Show what a link of a message leads to: that is told as a change, of which the text is no part.

        https://docs.slack.dev/reference/events/message/message_changed
        """
        before = message.json(bot_id=self.bot_id)
        message.attachments = [{"from_url": "https://example.com", "title": "Example"}]
        self.changed_event(message, before)

    def changed_event(self, message: Message, before: Json) -> None:
        channel = self.channels[message.channel]
        author = {} if message.by_bot else self._author(message.user, channel)
        event = {
            "type": "message",
            "subtype": "message_changed",
            "hidden": True,
            "message": message.json(bot_id=self.bot_id) | author,
            "previous_message": before,
            "channel": channel.id,
            "ts": self.next_ts(),
            "channel_type": channel.kind,
        }
        self.emit(event | {"event_ts": event["ts"]}, channel=channel)

    def deleted_event(self, message: Message) -> None:
        """Take a message away, and tell of it.

        The reference has no `previous_message` (https://docs.slack.dev/reference/events/message/message_deleted), and
        often there is one. What has replies becomes a tombstone, which is told as a change.
        """
        channel = self.channels[message.channel]
        has_replies = any(each.thread == message.ts and not each.deleted for each in channel.messages)
        before = {"previous_message": message.json(bot_id=self.bot_id)} if self.tells_what_was_deleted else {}
        with self.changing():
            message.deleted = not has_replies
            message.text = "This message was deleted." if has_replies else message.text
        event: Json = {"type": "message", "hidden": True, "channel": channel.id, "channel_type": channel.kind}
        event |= {"ts": self.next_ts(), **before}
        if has_replies:
            tombstone: Json = {"type": "message", "subtype": "tombstone", "user": "USLACKBOT", "text": message.text}
            tombstone |= {"ts": message.ts, "thread_ts": message.ts, "hidden": True}
            event |= {"subtype": "message_changed", "message": tombstone}
        else:
            event |= {"subtype": "message_deleted", "deleted_ts": message.ts}
        self.emit(event | {"event_ts": event["ts"]}, channel=channel)

    def reaction_event(self, kind: str, user: str, name: str, message: Message) -> None:
        item = {"type": "message", "channel": message.channel, "ts": message.ts}
        event = {"type": kind, "user": user, "reaction": name, "item": item, "item_user": message.user}
        self.emit(event | {"event_ts": self.next_ts()}, channel=self.channels[message.channel])

    def stopped(self, person: Person, asked: Message) -> None:
        """Slack ends the streams of the thread itself; the session stays as it is until the app moves it.

        docs.slack.dev/reference/events/agent_session_stopped
        """
        place = (asked.channel, asked.thread or asked.ts)
        session = self.sessions.get(place)
        assert session, "there is no session to be stopped"
        assert session.status == "processing", f"there is no stop button: the session is {session.status}"
        assert self.events is None or "agent_session_stopped" in self.events, "the sign cannot be pressed"
        with self.changing():
            streaming = [each for each in self.channels[asked.channel].messages if each.is_streaming]
            streaming = [each for each in streaming if each.thread == place[1]]
            for each in streaming:
                each.streaming_until = 0.0
        event: Json = {"type": "agent_session_stopped", "channel": place[0], "thread_ts": place[1], "user": person.id}
        event |= {"event_ts": self.next_ts(), "streaming_message_ts": [each.ts for each in streaming]}
        self.emit(event, channel=self.channels[asked.channel])

    def retitled(self, person: Person, asked: Message, title: str) -> None:
        """docs.slack.dev/reference/events/agent_session_title_changed"""
        place = (asked.channel, asked.thread or asked.ts)
        event = {"type": "agent_session_title_changed", "channel": place[0], "thread_ts": place[1], "user": person.id}
        event |= {"title": title, "previous_title": self.sessions[place].title, "team_id": self.team}
        with self.changing():
            self.sessions[place].title = title
        self.emit(event | {"event_ts": self.next_ts()}, channel=self.channels[asked.channel])

    def membership_event(self, kind: str, person: Person, channel: Channel) -> None:
        event = {"type": kind, "user": person.id, "channel": channel.id, "team": person.team, "inviter": ""}
        event |= {"channel_type": "C" if channel.kind == "channel" else "G"}
        self.emit(event | {"event_ts": self.next_ts()}, channel=channel)

    def person_event(self, kind: str, person: Person) -> None:
        """Somebody is new or another; the user object is whole [docs.slack.dev/reference/events/user_change]."""
        user = person.json(with_email=self.scopes is None or "users:read.email" in self.scopes)
        self.emit({"type": kind, "user": user, "cache_ts": int(time.time()), "event_ts": self.next_ts()})

    def emit(self, event: Json, *, channel: Channel | None = None) -> str:
        """Tell the app of something that it has subscribed to; the event's id, empty where it is not told."""
        if channel and not channel.with_bot:
            return ""
        name = event["type"]
        if name == "message":
            name = f"message.{PLACES.get(event['channel_type'], event['channel_type'])}"
        if self.events is not None and name not in self.events:
            return ""
        number = self._number("Ev")
        self.sending.event(self.envelope(event, number, shared=bool(channel and channel.shared)))
        return number

    def envelope(self, event: Json, number: str, *, shared: bool = False) -> Json:
        """What the app is sent of an event.

        `team_id` is the workspace in which it happened, which may be another company's; the installation whose token
        is to be used is the one of `authorizations`, for a whole organisation without a team (bolt-js#935).
        """
        authorized = {"enterprise_id": self.enterprise, "user_id": self.bot, "is_bot": True}
        happened = self._actor(event)
        return {
            "token": "verification",
            "team_id": happened.team if happened else self.team,
            **({"enterprise_id": happened.enterprise} if happened and happened.enterprise else {}),
            "context_team_id": self.team,
            "context_enterprise_id": self.enterprise,
            "api_app_id": "A0APP",
            "event": event,
            "type": "event_callback",
            "event_id": number,
            "event_time": int(time.time()),
            "authorizations": [
                {**authorized, "team_id": None if self.is_whole else self.team, "is_enterprise_install": self.is_whole}
            ],
            "is_ext_shared_channel": shared,
            "event_context": f"4-{number}",
        }

    def _actor(self, event: Json) -> Person | None:
        """Who did what an event tells of; None for the bot."""
        told = event.get("message") or event.get("previous_message") or event
        return self.people.get(str(told.get("user")))

    def uninstalled_events(self) -> None:
        """Tell the app that it is gone: nobody is authorized any more, so no authorization is named.

        https://docs.slack.dev/reference/events/app_uninstalled and .../tokens_revoked; their order is not promised.
        """
        for event in (
            {"type": "tokens_revoked", "tokens": {"oauth": [], "bot": [self.bot]}},
            {"type": "app_uninstalled"},
        ):
            envelope = self.envelope(event, self._number("Ev")) | {"authorizations": []}
            self.sending.event(envelope | ({"enterprise_id": self.enterprise} if self.enterprise else {}))

    # What is pressed and typed

    def trigger(self, user: str) -> str:
        trigger = f"{self._number('Tr')}.{self.team}"
        self._triggers[trigger] = (time.monotonic(), user, False)
        return trigger

    def exchange(self, trigger: str) -> Person | str:
        """Whose screen it is, or the error."""
        made, user, used = self._triggers.get(trigger, (0.0, "", False))
        if not user:
            return "invalid_trigger_id"
        if used:
            return "exchanged_trigger_id"
        if time.monotonic() - made > self.trigger_seconds:
            return "expired_trigger_id"
        self._triggers[trigger] = (made, user, True)
        return self.people[user]

    def response_url(self, user: str, channel: str, message: Message | None) -> str:
        number = self._number("R")
        self._responses[number] = (channel, message, user, 0, time.monotonic())
        return f"{self.sending.url}/response/{self.team}/{number}"

    def responding(self, number: str) -> tuple[str, Message | None, str] | str:
        """The channel, the message and the person of a response url, or the error.

        It works five times within 30 minutes (docs.slack.dev/interactivity/handling-user-interaction); what was refused
        counts here too, as no document says that it does not.
        """
        channel, message, user, used, made = self._responses.get(number, ("", None, "", 9, 0.0))
        self._responses[number] = (channel, message, user, used + 1, made)
        if time.monotonic() - made > self.response_seconds:
            return "expired_url"
        return (channel, message, user) if used < 5 else "used_url"

    def _who(self, person: Person) -> Json:
        """Who pressed or sent something: the team is the app's (java-slack-sdk#1041), null for a whole organisation.

        bolt-python#23 and deno-slack-sdk#267 show such a null.
        """
        user = {"id": person.id, "username": person.name.lower(), "name": person.name.lower(), "team_id": person.team}
        return {
            "user": user,
            "team": None if self.is_whole else {"id": self.team, "domain": self.name.lower()},
            "api_app_id": "A0APP",
            "token": "verification",
            "trigger_id": self.trigger(person.id),
            "enterprise": {"id": self.enterprise, "name": self.enterprise} if self.enterprise else None,
            "is_enterprise_install": self.is_whole,
        }

    def clicked(self, person: Person, shown: Message | OpenView, button: Button, at: str = "") -> Acked:
        action = {
            key: value for key, value in button.element.items() if key not in {"positive_button", "negative_button"}
        }
        side = action.pop("side", None)
        if side:
            action |= button.element[side]
        action |= {"block_id": button.block, "action_ts": at or self.next_ts()}
        payload = {"type": "block_actions", **self._who(person), "actions": [action], "state": {"values": {}}}
        if isinstance(shown, OpenView):
            payload |= {"view": shown.json, "container": {"type": "view", "view_id": shown.id}}
        else:
            place = {"type": "message", "message_ts": shown.ts, "channel_id": shown.channel}
            place |= {"thread_ts": shown.thread} if shown.thread else {}
            channel = self.channels[shown.channel]
            payload |= {"channel": {"id": channel.id, "name": channel.name}}
            payload |= {"container": place | {"is_ephemeral": bool(shown.only_for)}}
            payload |= {"response_url": self.response_url(person.id, shown.channel, shown)}
            if not shown.only_for:
                payload["message"] = shown.json(bot_id=self.bot_id, metadata=True)
        return self.sending.interaction(person, payload)

    def submitted(self, person: Person, view: OpenView, values: dict[str, str]) -> Acked:
        state: dict[str, dict[str, Json]] = {}
        left = dict(values)
        for block in (block for block in view.json["blocks"] if block["type"] == "input"):
            element = block["element"]
            label = block["label"]["text"].lower().replace(" ", "_")
            names = {block["block_id"], element["action_id"], label} & left.keys()
            value = left.pop(names.pop()) if names else None
            assert value or block.get("optional"), f"Please complete this required field: {label}"
            assert len(value or "") <= element.get("max_length", 3000), f"{label} is too long"
            state.setdefault(block["block_id"], {})[element["action_id"]] = _filled(element, value)
        assert not left, f"the modal has no field {', '.join(left)}; it shows {view.shown!r}"
        payload = {"type": "view_submission", **self._who(person), "response_urls": []}
        if (
            person.is_elsewhere and not self.is_whole
        ):  # then the team is theirs, and the view names the app's (bolt's `extract_team_id`)
            payload["team"] = {"id": person.team, "domain": "elsewhere"}
        acked = self.sending.interaction(person, payload | {"view": view.json | {"state": {"values": state}}})
        self._after(view, acked)
        return acked

    def _after(self, view: OpenView, acked: Acked) -> None:
        """What becomes of a modal once it was sent."""
        answer = (acked.body or {}).get("response_action")
        with self.changing():
            if acked.status == 200 and answer in {None, "clear"}:
                view.closed = True
            if answer in {"update", "push"}:
                view.json = view.json | (acked.body or {})["view"]

    def shortcut(self, person: Person, message: Message, callback: str) -> Acked:
        """A message shortcut: https://docs.slack.dev/reference/interaction-payloads/shortcuts-interaction-payload."""
        if self.shortcuts_known is not None and callback not in self.shortcuts_known:
            person.errors.append(f"there is no shortcut {callback}")
            return Acked(0)
        channel = self.channels[message.channel]
        payload = {
            "type": "message_action",
            **self._who(person),
            "callback_id": callback,
            "action_ts": self.next_ts(),
            "message_ts": message.ts,
            "channel": {"id": channel.id, "name": channel.name},
            "message": message.json(bot_id=self.bot_id),
            "response_url": self.response_url(person.id, channel.id, None),
        }
        return self.sending.interaction(person, payload)

    def command(self, person: Person, command: str, text: str, channel: Channel) -> Acked:
        if self.commands_known is not None and command not in self.commands_known:
            person.errors.append(f"{command} is not a valid command")
            return Acked(0)
        acked = self.sending.command(
            person,
            {
                "token": "verification",
                "team_id": person.team if self.is_whole else self.team,
                "team_domain": self.name.lower(),
                "channel_id": channel.id,
                "channel_name": channel.name if channel.kind != "im" else "directmessage",
                "user_id": person.id,
                "user_name": person.name.lower(),
                "command": command,
                "text": typed(text),
                "api_app_id": "A0APP",
                "is_enterprise_install": str(self.is_whole).lower(),
                "response_url": self.response_url(person.id, channel.id, None),
                "trigger_id": self.trigger(person.id),
                **({"enterprise_id": self.enterprise} if self.enterprise else {}),
            },
        )
        if acked.status == 200 and (acked.body or {}).get("text"):
            self._told(person, channel, acked.body or {})
        return acked

    def _told(self, person: Person, channel: Channel, said: Json) -> None:
        """What the acknowledgement of a command says is shown to whoever typed it."""
        made = Message(channel.id, self.next_ts(), self.bot, str(said["text"]), by_bot=True, only_for=person.id)
        if said.get("response_type") == "in_channel":
            made.only_for = ""
        made.blocks = named(said.get("blocks") or [], f"c{made.ts}")
        self.said(made)

    def opened(self, person: Person, view: Json) -> OpenView:
        made = OpenView(self._number("V"), person.id, {})
        blocks = named(view["blocks"], made.id)
        made.json = view | {"id": made.id, "blocks": blocks, "hash": made.id} | self.of_view(person)
        made.json.setdefault("private_metadata", "")
        made.json.setdefault("callback_id", "")
        with self.changing():
            person.views.append(made)
        return made

    def of_view(self, person: Person) -> Json:
        """Whose screen a view is on, and whose app it is of."""
        installed = self.enterprise if self.is_whole else self.team
        return {"team_id": person.team, "app_installed_team_id": installed, "bot_id": self.bot_id}


class Changing:
    """Holds the lock, and wakes whoever waits when it lets go."""

    def __init__(self, condition: threading.Condition) -> None:
        self._condition = condition

    def __enter__(self) -> None:
        self._condition.acquire()

    def __exit__(self, *raised: object) -> None:
        self._condition.notify_all()
        self._condition.release()


def typed(text: str) -> str:
    """What Slack sends of what a person types."""
    return URL.sub(lambda found: f"<{found.group()}>", html.escape(text, quote=False))


def named(blocks: Sequence[Json], prefix: str) -> list[Json]:
    """The blocks, each with an id, as Slack gives one to those that have none."""
    return [json.loads(json.dumps({"block_id": f"{prefix}b{number}"} | block)) for number, block in enumerate(blocks)]


def every(workspaces: Sequence[Workspace]) -> Iterator[Message]:
    """All messages of all channels."""
    for workspace in workspaces:
        for channel in list(workspace.channels.values()):
            yield from list(channel.messages)


def _filled(element: Json, value: str | None) -> Json:
    kind = element["type"]
    if kind == "plain_text_input":
        return {"type": kind, "value": value}
    options = [each for each in element.get("options", ()) if value in {each["value"], each["text"]["text"]}]
    assert options or value is None, f"{value!r} cannot be chosen: {[each['value'] for each in element['options']]}"
    if kind == "checkboxes":
        return {"type": kind, "selected_options": options}
    return {"type": kind, "selected_option": options[0] if options else None}
