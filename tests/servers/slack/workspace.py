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
    edited: str = ""
    attachments: list[Json] = field(default_factory=list)
    deleted: bool = False
    streamed: str = ""
    streaming_until: float = 0.0
    stream_blocks: list[Json] = field(default_factory=list)
    reactions: dict[str, list[str]] = field(default_factory=dict)
    at: float = field(default_factory=time.monotonic)
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

    def json(self, *, bot_id: str, metadata: bool = False) -> Json:
        """The message as the Web API and events give it out."""
        made: Json = {"type": "message", "user": self.user, "text": self.text, "ts": self.ts}
        if self.thread:
            made["thread_ts"] = self.thread
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

    def __init__(self, workspace: "Workspace", name: str, user: str, *, email: str, guest: bool, team: str) -> None:
        self.workspace, self.name, self.id, self.email, self.guest, self.team = (
            workspace,
            name,
            user,
            email,
            guest,
            team,
        )
        self.views: list[OpenView] = []
        self.home: OpenView | None = None
        self.prompts: list[Json] = []
        self.errors: list[str] = []

    def json(self, *, with_email: bool) -> Json:
        profile = {"real_name": self.name, "display_name": self.name, **({"email": self.email} if with_email else {})}
        return {
            "id": self.id,
            "team_id": self.team,
            "name": self.name.lower(),
            "real_name": self.name,
            "deleted": False,
            "is_bot": False,
            "is_app_user": False,
            "is_restricted": self.guest,
            "is_ultra_restricted": False,
            **({"is_stranger": True} if self.team != self.workspace.team else {}),
            "profile": profile,
        }

    @property
    def direct(self) -> Channel:
        """The direct messages between this person and the bot."""
        return self.workspace.direct(self.id)

    def writes(self, text: str, channel: Channel, *, thread: Message | None = None) -> Message:
        """Type a message; Slack escapes what would be a mark, and makes addresses links."""
        return self._writes(self.workspace.typed(text), channel, thread)

    def mentions(self, text: str, channel: Channel, *, thread: Message | None = None) -> Message:
        """Call the bot by its name."""
        return self._writes(f"<@{self.workspace.bot}> {self.workspace.typed(text)}", channel, thread)

    def tells(self, text: str, *, thread: Message | None = None) -> Message:
        """Write to the bot alone."""
        return self._writes(self.workspace.typed(text), self.direct, thread)

    def _writes(self, text: str, channel: Channel, thread: Message | None) -> Message:
        place = thread.thread or thread.ts if thread else ""
        return self.workspace.take(Message(channel.id, self.workspace.next_ts(), self.id, text, place))

    def edits(self, message: Message, text: str, *, mention: bool = False) -> None:
        """Type other words; a mention that was there stays, and with `mention` one is added."""
        called = mention or message.text.startswith(f"<@{self.workspace.bot}>")
        self.formats(message, f"<@{self.workspace.bot}> {self.workspace.typed(text)}" if called else typed(text))

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

    def clicks(self, shown: Message | OpenView, action: str, value: str | None = None) -> Acked:
        """Press what has this action or this label; of two feedback buttons the one whose value or side is `value`."""

        def wanted(button: Button) -> bool:
            of_value = value is None or value in str(button.element.get("side")) or value == button.element.get("value")
            return action in {button.action, button.label} and of_value

        return self.workspace.clicked(self, shown, first(shown.buttons, wanted, f"{action!r} {value or ''}"))

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

    @property
    def modal(self) -> OpenView | None:
        """The modal that stands open."""
        return next((view for view in reversed(self.views) if not view.closed), None)


class Workspace:
    """One team that has installed the app. Everything that changes wakes whoever waits."""

    def __init__(self, sending: "Sending", team: str, name: str) -> None:
        self.sending, self.team, self.name = sending, team, name
        self.enterprise: str | None = None
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
        self.stream_seconds = 300.0
        self.trigger_seconds = 3.0
        self._triggers: dict[str, tuple[float, str, bool]] = {}
        self._by_ts: dict[tuple[str, str], Message] = {}
        self._responses: dict[str, tuple[str, Message | None, str, int]] = {}
        self._numbers: dict[str, int] = {}
        self._changed = threading.Condition(threading.RLock())

    # What there is

    def person(self, name: str, *, email: str = "", guest: bool = False, team: str = "") -> Person:
        """Somebody new; with another `team` a person of another company."""
        user = self._number("U0")
        made = Person(
            self, name, user, email=email or f"{name.lower()}@example.com", guest=guest, team=team or self.team
        )
        self.people[user] = made
        return made

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

    def direct(self, user: str) -> Channel:
        with self._changed:
            known = (each for each in self.channels.values() if each.kind == "im" and each.members == [user])
            return next(known, None) or self._channel("direct", "im", [self.people[user]])

    def user_group(self, handle: str, *people: Person) -> str:
        group = self._number("S0")
        self.groups[group] = (handle, [each.id for each in people])
        return group

    def install(self, manifest: Json) -> None:
        """Give the app what this manifest asks for, and no more."""
        self.scopes = frozenset(manifest["oauth_config"]["scopes"]["bot"])
        self.events = frozenset(manifest["settings"]["event_subscriptions"]["bot_events"])
        self.commands_known = frozenset(each["command"] for each in manifest["features"].get("slash_commands", ()))
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
                and (not each.only_for or (to is not None and each.only_for == to.id))
            ]

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
            self._message_event(message, self.channels[message.channel])
        return message

    def _event(self, message: Message, channel: Channel) -> Json:
        made = message.json(bot_id=self.bot_id) | {"channel": channel.id, "event_ts": message.ts}
        if not message.by_bot:
            made |= {"team": self.people[message.user].team, "client_msg_id": f"client-{message.ts}"}
            made["blocks"] = [{"type": "rich_text", "block_id": "typed", "elements": []}]
        return made

    def _message_event(self, message: Message, channel: Channel) -> None:
        self.emit(self._event(message, channel) | {"channel_type": channel.kind}, channel=channel)

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
        event = {
            "type": "message",
            "subtype": "message_changed",
            "hidden": True,
            "message": message.json(bot_id=self.bot_id),
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
        """What the app is sent of an event."""
        authorized = {"enterprise_id": self.enterprise, "team_id": self.team, "user_id": self.bot, "is_bot": True}
        return {
            "token": "verification",
            "team_id": self.team,
            "context_team_id": self.team,
            "context_enterprise_id": self.enterprise,
            "api_app_id": "A0APP",
            "event": event,
            "type": "event_callback",
            "event_id": number,
            "event_time": int(time.time()),
            "authorizations": [authorized | {"is_enterprise_install": False}],
            "is_ext_shared_channel": shared,
            "event_context": f"4-{number}",
        }

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
        self._responses[number] = (channel, message, user, 0)
        return f"{self.sending.url}/response/{self.team}/{number}"

    def responding(self, number: str) -> tuple[str, Message | None, str] | None:
        """The channel, the message and the person of a response url, which works five times."""
        channel, message, user, used = self._responses.get(number, ("", None, "", 9))
        self._responses[number] = (channel, message, user, used + 1)
        return (channel, message, user) if used < 5 else None

    def _who(self, person: Person) -> Json:
        user = {"id": person.id, "username": person.name.lower(), "name": person.name.lower(), "team_id": person.team}
        return {
            "user": user,
            "team": {"id": self.team, "domain": self.name.lower()},
            "api_app_id": "A0APP",
            "token": "verification",
            "trigger_id": self.trigger(person.id),
            "enterprise": {"id": self.enterprise, "name": self.enterprise} if self.enterprise else None,
            "is_enterprise_install": False,
        }

    def clicked(self, person: Person, shown: Message | OpenView, button: Button) -> Acked:
        action = {
            key: value for key, value in button.element.items() if key not in {"positive_button", "negative_button"}
        }
        side = action.pop("side", None)
        if side:
            action |= button.element[side]
        action |= {"block_id": button.block, "action_ts": self.next_ts()}
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
                "team_id": self.team,
                "team_domain": self.name.lower(),
                "channel_id": channel.id,
                "channel_name": channel.name if channel.kind != "im" else "directmessage",
                "user_id": person.id,
                "user_name": person.name.lower(),
                "command": command,
                "text": typed(text),
                "api_app_id": "A0APP",
                "is_enterprise_install": "false",
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
        made.json = view | {"id": made.id, "blocks": blocks, "hash": made.id, "team_id": self.team}
        made.json.setdefault("private_metadata", "")
        made.json.setdefault("callback_id", "")
        with self.changing():
            person.views.append(made)
        return made


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
