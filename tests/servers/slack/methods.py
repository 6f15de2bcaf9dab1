"""The methods of the Web API that an answer bot calls, with what they ask for and what they refuse."""

import base64
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from tests.servers.slack.limits import (
    ALL_TEXT,
    MARKDOWN,
    TEXT,
    UPDATED_TEXT,
    Refused,
    check_blocks,
    check_metadata,
    check_view,
    text_length,
)
from tests.servers.slack.seen import Json
from tests.servers.slack.workspace import Channel, Message, OpenView, Session, Workspace, named

T = TypeVar("T")

Args = Mapping[str, Any]
Method = Callable[[Workspace, Args], Json]

# What an organisation's token is refused without a team: the pages of the methods under docs.slack.dev/reference.
NEED_TEAM = frozenset({"users.list", "usergroups.list", "usergroups.users.list"})

METHODS: dict[str, Method] = {}
SCOPES: dict[str, tuple[str, ...]] = {}
TIERS: dict[str, int] = {}

# More people than this are given in pages alone.
MOST_AT_ONCE = 1_000
HISTORY = {"channel": "channels:history", "group": "groups:history", "im": "im:history", "mpim": "mpim:history"}
READ = {"channel": "channels:read", "group": "groups:read", "im": "im:read", "mpim": "mpim:read"}


def method(name: str, *scopes: str, per_minute: int = 100) -> Callable[[Method], Method]:
    """Register a method: any of the scopes opens it, and so many calls a minute are promised."""

    def register(made: Method) -> Method:
        METHODS[name], SCOPES[name], TIERS[name] = made, scopes, per_minute
        return made

    return register


@dataclass
class Rates:
    """Counts calls by the minute as Slack documents its tiers; off until `on`."""

    on: bool = False
    _calls: dict[str, list[float]] = field(default_factory=dict)

    def wait_for(self, name: str, args: Args, team: str) -> int:
        """The seconds that the caller must wait; 0 for go on. Posts have a budget by channel: one a second."""
        if not self.on:
            return 0
        now = time.monotonic()
        by_channel = name == "chat.postMessage"
        key = f"{team} {name} {args.get('channel') if by_channel else ''}"
        window, most = (5.0, 5) if by_channel else (60.0, TIERS[name])
        recent = [at for at in self._calls.get(key, ()) if now - at < window]
        self._calls[key] = recent
        if len(recent) >= most:
            return max(1, round(window - (now - recent[0]) + 0.5))
        recent.append(now)
        return 0


def call(workspace: Workspace, name: str, args: Args) -> Json:
    """What a method gives back; raises `Refused`."""
    if name not in METHODS:
        raise Refused("unknown_method", req_method=name)
    wanted = SCOPES[name]
    if workspace.scopes is not None and wanted and not workspace.scopes & set(wanted):
        raise Refused("missing_scope", needed=wanted[0], provided=",".join(sorted(workspace.scopes)))
    if workspace.is_whole and name in NEED_TEAM:
        if not args.get("team_id"):
            raise Refused("missing_argument", "missing required field: team_id")
        if args["team_id"] != workspace.team:
            raise Refused("team_access_not_granted")
    return METHODS[name](workspace, args)


# Who is there


@method("auth.test", per_minute=600)
def auth_test(workspace: Workspace, args: Args) -> Json:
    team = workspace.enterprise if workspace.is_whole else workspace.team  # an organisation's token names no workspace
    names = {"team": workspace.name, "user": "footnote", "team_id": team, "user_id": workspace.bot}
    return names | {
        "bot_id": workspace.bot_id,
        "url": f"https://{workspace.name}.example/",
        **({"enterprise_id": workspace.enterprise} if workspace.enterprise else {}),
        "is_enterprise_install": workspace.is_whole,
    }


@method("auth.revoke", per_minute=50)
def auth_revoke(workspace: Workspace, args: Args) -> Json:
    """The app is gone from the workspace with its token."""
    if not _true(args.get("test")):
        workspace.token = f"revoked-{workspace.token}"
    return {"revoked": True}


@method("users.info", "users:read", per_minute=100)
def users_info(workspace: Workspace, args: Args) -> Json:
    user = str(_needed(args, "user"))
    if user == workspace.bot:
        return {"user": _bot(workspace)}
    if user not in workspace.people:
        raise Refused("user_not_found")
    allowed = workspace.scopes is None or "users:read.email" in workspace.scopes
    return {"user": workspace.people[user].json(with_email=allowed)}


@method("users.list", "users:read", per_minute=20)
def users_list(workspace: Workspace, args: Args) -> Json:
    """Everybody, whoever was deactivated too; a large workspace is not given in one piece."""
    allowed = workspace.scopes is None or "users:read.email" in workspace.scopes
    if not args.get("limit") and len(workspace.people) > MOST_AT_ONCE:
        raise Refused("limit_required")  # docs.slack.dev/reference/methods/users.list
    bots: list[Any] = [
        _bot(workspace),
        {"id": "USLACKBOT", "name": "slackbot", "is_bot": False, "team_id": workspace.team},
    ]
    page, cursor = _page([*bots, *workspace.people.values()], args)
    members = [each if isinstance(each, dict) else each.json(with_email=allowed) for each in page]
    return {"members": members, "response_metadata": {"next_cursor": cursor}}


def _bot(workspace: Workspace) -> Json:
    return {"id": workspace.bot, "name": "footnote", "is_bot": True, "team_id": workspace.team, "profile": {}}


@method("usergroups.list", "usergroups:read", per_minute=20)
def usergroups_list(workspace: Workspace, args: Args) -> Json:
    return {
        "usergroups": [
            {"id": group, "team_id": workspace.team, "handle": handle, "name": handle, "user_count": len(users)}
            | ({"users": list(users)} if _true(args.get("include_users")) else {})
            for group, (handle, users) in workspace.groups.items()
        ]
    }


@method("usergroups.users.list", "usergroups:read", per_minute=20)
def usergroups_users_list(workspace: Workspace, args: Args) -> Json:
    if args.get("usergroup") not in workspace.groups:
        raise Refused("no_such_subteam")
    return {"users": list(workspace.groups[args["usergroup"]][1])}


# Places


@method("conversations.info", *READ.values(), per_minute=50)
def conversations_info(workspace: Workspace, args: Args) -> Json:
    channel = _channel(workspace, args)
    _scoped(workspace, READ[channel.kind])
    return {"channel": channel.json(workspace.team)}


@method("conversations.members", *READ.values(), per_minute=100)
def conversations_members(workspace: Workspace, args: Args) -> Json:
    """All members; whoever was deactivated too, as some saw it [irslackd#67, uqcsbot-slack#190], though not all."""
    channel = _channel(workspace, args)
    page, cursor = _page([*channel.members, *([workspace.bot] if channel.with_bot else [])], args)
    return {"members": page, "response_metadata": {"next_cursor": cursor}}


@method("conversations.open", "im:write", "mpim:write", per_minute=50)
def conversations_open(workspace: Workspace, args: Args) -> Json:
    users = _listed(args.get("users"))
    if not users:
        raise Refused("users_list_not_supplied")
    if any(user not in workspace.people for user in users):
        raise Refused("user_not_found")
    people = [workspace.people[user] for user in users]
    channel = workspace.direct(users[0]) if len(users) == 1 else workspace.group_direct(*people)
    return {"channel": {"id": channel.id}, "no_op": False}


@method("conversations.history", *HISTORY.values(), per_minute=50)
def conversations_history(workspace: Workspace, args: Args) -> Json:
    channel = _member(workspace, args)
    _scoped(workspace, HISTORY[channel.kind])
    top = [each for each in channel.messages if not each.deleted and not each.only_for and not each.thread]
    return _paged(workspace, top[::-1], args)


@method("conversations.replies", *HISTORY.values(), per_minute=50)
def conversations_replies(workspace: Workspace, args: Args) -> Json:
    channel = _member(workspace, args)
    _scoped(workspace, HISTORY[channel.kind])
    root = str(_needed(args, "ts"))
    thread = [
        each for each in channel.messages if root in {each.ts, each.thread} and not each.deleted and not each.only_for
    ]
    if not thread:
        raise Refused("thread_not_found")
    return _paged(workspace, thread, args)


def _paged(workspace: Workspace, found: Sequence[Message], args: Args) -> Json:
    """One page; metadata only for whoever asks for it."""
    oldest, latest = str(args.get("oldest") or "0"), str(args.get("latest") or "9999999999.999999")
    both = _true(args.get("inclusive"))
    kept = [
        each
        for each in found
        if oldest < each.ts < latest or (both and each.ts in {oldest, latest}) or each is found[0]
    ]
    page, cursor = _page(kept, args)
    metadata = _true(args.get("include_all_metadata"))
    return {
        "messages": [each.json(bot_id=workspace.bot_id, metadata=metadata) for each in page],
        "has_more": bool(cursor),
        "response_metadata": {"next_cursor": cursor},
    }


# Messages


@method("chat.postMessage", "chat:write", per_minute=60)
def post_message(workspace: Workspace, args: Args) -> Json:
    channel = _channel_to_write(workspace, args)
    message = _written(workspace, channel, args, Message(channel.id, workspace.next_ts(), workspace.bot, by_bot=True))
    workspace.said(message)
    return {"channel": channel.id, "ts": message.ts, "message": message.json(bot_id=workspace.bot_id)}


@method("chat.postEphemeral", "chat:write", per_minute=100)
def post_ephemeral(workspace: Workspace, args: Args) -> Json:
    channel, user = _channel_to_write(workspace, args), str(_needed(args, "user"))
    if user not in channel.members:
        raise Refused("user_not_in_channel")
    check_kinds(args.get("blocks"), workspace.refused_privately)
    made = Message(channel.id, workspace.next_ts(), workspace.bot, by_bot=True, only_for=user)
    made = _written(workspace, channel, args, made)
    # "Ephemeral messages in threads are only shown if there is already an active thread": of chat.postEphemeral.
    made.unseen = bool(made.thread) and not any(
        each.thread == made.thread and not each.deleted and not each.only_for for each in channel.messages
    )
    return {"message_ts": workspace.said(made).ts}


@method("chat.update", "chat:write", per_minute=50)
def update(workspace: Workspace, args: Args) -> Json:
    message = _own(workspace, args, "cant_update_message")
    if message.is_streaming:
        raise Refused("streaming_state_conflict")
    if len(str(args.get("text") or "")) > UPDATED_TEXT:
        raise Refused("msg_too_long")
    before = message.json(bot_id=workspace.bot_id)
    _checked(workspace, args, old=message.all_blocks)
    with workspace.changing():
        message.text = str(args.get("text", message.text) or "")
        if args.get("blocks") is not None:
            message.blocks = named(args["blocks"], f"u{workspace.next_ts()}")
            message.streamed, message.stream_blocks = "", []
        elif args.get("markdown_text"):
            message.blocks = named([{"type": "markdown", "text": args["markdown_text"]}], f"u{workspace.next_ts()}")
            message.streamed, message.stream_blocks = "", []
        if args.get("metadata"):
            check_metadata(args["metadata"])
            message.metadata = args["metadata"]
        message.edited = workspace.next_ts()
        workspace.shows(message)
    workspace.changed_event(message, before)
    return {"channel": message.channel, "ts": message.ts, "text": message.text}


@method("chat.delete", "chat:write", per_minute=50)
def delete(workspace: Workspace, args: Args) -> Json:
    message = _own(workspace, args, "cant_delete_message")
    workspace.deleted_event(message)
    return {"channel": message.channel, "ts": message.ts}


@method("chat.getPermalink", per_minute=600)
def permalink(workspace: Workspace, args: Args) -> Json:
    message = workspace.find(str(args.get("channel")), str(args.get("message_ts")))
    if not message:
        raise Refused("message_not_found")
    place = f"https://{workspace.name}.example/archives/{message.channel}/p{message.ts.replace('.', '')}"
    return {"channel": message.channel, "permalink": place}


def _written(workspace: Workspace, channel: Channel, args: Args, message: Message) -> Message:
    """The message with what the arguments say."""
    _checked(workspace, args)
    thread = str(args.get("thread_ts") or "")
    if thread:
        parent = workspace.find(channel.id, thread)
        if not parent:
            raise Refused("thread_not_found")
        if parent.thread and parent.thread != parent.ts:
            raise Refused("cannot_reply_to_message")
    if args.get("metadata"):
        check_metadata(args["metadata"])
    message.text, message.thread, message.metadata = str(args.get("text") or "")[:TEXT], thread, args.get("metadata")
    blocks = args.get("blocks") or (
        [{"type": "markdown", "text": args["markdown_text"]}] if args.get("markdown_text") else []
    )
    message.blocks = named(blocks, f"p{message.ts}")
    return message


def check_kinds(blocks: Any, refused: frozenset[str]) -> None:
    """Raise `Refused` where one of these kinds is among the blocks."""
    found = {str(block.get("type")) for block in blocks or () if isinstance(block, dict)} & refused
    if found:
        raise Refused("invalid_blocks", *(f"unsupported type: {kind}" for kind in sorted(found)))


def _checked(workspace: Workspace, args: Args, *, old: Sequence[Json] = ()) -> None:
    markdown = args.get("markdown_text")
    if markdown and (args.get("text") or args.get("blocks")):
        raise Refused("markdown_text_conflict")
    if len(str(markdown or "")) > MARKDOWN:
        raise Refused("msg_too_long")
    if args.get("blocks") is not None:
        check_blocks(args["blocks"])
        check_kinds(args["blocks"], workspace.refused_blocks)
    if not (args.get("text") or args.get("blocks") or markdown or (old and "blocks" not in args)):
        raise Refused("no_text")


# Streaming


@method("chat.startStream", "chat:write", per_minute=20)
def start_stream(workspace: Workspace, args: Args) -> Json:
    channel = _channel_to_write(workspace, args)
    thread = str(args.get("thread_ts") or "")
    if not thread or not workspace.find(channel.id, thread):
        raise Refused("invalid_thread_ts")
    if channel.kind != "im":
        for name in ("recipient_team_id", "recipient_user_id"):
            if not args.get(name):
                raise Refused(f"missing_{name}")
        if args["recipient_user_id"] not in workspace.people:
            raise Refused("user_not_found")
        if args["recipient_team_id"] != workspace.people[args["recipient_user_id"]].team:  # that they belong to
            raise Refused("team_not_found")
    message = Message(channel.id, workspace.next_ts(), workspace.bot, thread=thread, by_bot=True)
    message.streaming_until = time.monotonic() + workspace.stream_seconds
    _streamed(message, args)
    workspace.said(message)
    return {"channel": channel.id, "ts": message.ts}


@method("chat.appendStream", "chat:write", per_minute=100)
def append_stream(workspace: Workspace, args: Args) -> Json:
    message = _streaming(workspace, args)
    if not args.get("markdown_text") and not args.get("chunks"):
        raise Refused("no_text")
    with workspace.changing():
        _streamed(message, args)
        workspace.shows(message)
    return {"channel": message.channel, "ts": message.ts}


@method("chat.stopStream", "chat:write", per_minute=20)
def stop_stream(workspace: Workspace, args: Args) -> Json:
    message = _streaming(workspace, args)
    if args.get("blocks") is not None:
        check_blocks(args["blocks"])
        check_kinds(args["blocks"], workspace.refused_blocks)
    if args.get("session_status"):
        _session_status(args["session_status"], "session_status")
    if args.get("metadata"):
        check_metadata(args["metadata"])
    if text_length(args.get("blocks") or []) + len(message.streamed) + len(args.get("markdown_text") or "") > ALL_TEXT:
        raise Refused("msg_blocks_too_long")
    with workspace.changing():
        _streamed(message, args)
        message.blocks = named(args.get("blocks") or [], f"s{message.ts}")
        message.metadata = args.get("metadata") or message.metadata
        message.streaming_until = 0.0
        workspace.shows(message)
        session = workspace.sessions.get((message.channel, message.thread))
        if session and args.get("session_status"):
            session.status = str(args["session_status"])
    return {"channel": message.channel, "ts": message.ts, "message": message.json(bot_id=workspace.bot_id)}


def _streaming(workspace: Workspace, args: Args) -> Message:
    message = _own(workspace, args, "message_not_owned_by_app")
    if not message.is_streaming:
        raise Refused("message_not_in_streaming_state")
    return message


def _streamed(message: Message, args: Args) -> None:
    """Add the text and the blocks; tasks and plans are looked at by nobody here."""
    chunks = args.get("chunks") or []
    said = [str(args.get("markdown_text") or ""), *_of(chunks, "markdown_text", "text")]
    if any(len(each) > MARKDOWN for each in said) or len(message.streamed) + sum(map(len, said)) > ALL_TEXT:
        raise Refused("msg_too_long")
    if any(each.get("type") not in {"markdown_text", "blocks", "task_update", "plan_update"} for each in chunks):
        raise Refused("invalid_chunks")
    blocks = [block for given in _of(chunks, "blocks", "blocks") for block in given]
    if blocks:
        check_blocks([*message.stream_blocks, *blocks])
    message.streamed += "".join(said)
    message.stream_blocks += named(blocks, f"c{len(message.stream_blocks)}{message.ts}")


def _of(chunks: Sequence[Json], kind: str, key: str) -> Iterator[Any]:
    return (each[key] for each in chunks if each.get("type") == kind)


# The agent view


@method("assistant.threads.setStatus", "chat:write", "assistant:write", per_minute=600)
def set_status(workspace: Workspace, args: Args) -> Json:
    channel = _channel_to_write(workspace, args, "channel_id")
    if not workspace.find(channel.id, str(_needed(args, "thread_ts"))):
        raise Refused("invalid_thread_ts")
    if "status" not in args:
        raise Refused("invalid_arguments", "missing required field: status")
    if len(args.get("loading_messages") or []) > 10:
        raise Refused("invalid_arguments", "at most 10 loading messages")
    with workspace.changing():
        workspace.statuses.append((time.monotonic(), channel.id, str(args["thread_ts"]), str(args["status"])))
        workspace.status_texts[channel.id, str(args["thread_ts"])] = str(args["status"])
    return {}


# An app that did not subscribe to the event of the stop button hears of it here alone.
NO_STOP = "missing_agent_session_stopped_event_subscription"


@method("agents.sessions.setStatus", "chat:write", per_minute=50)
def set_session_status(workspace: Workspace, args: Args) -> Json:
    """Move a session, or make it: docs.slack.dev/reference/methods/agents.sessions.setStatus.

    The status is one of four words, and no text of one's own (NousResearch/hermes-agent#110374). No post ends it.
    """
    place = _session_place(workspace, args)
    status = _session_status(args.get("status"), "status")
    title = str(args.get("title") or "")
    if len(title) > 200:
        raise Refused("invalid_arguments", "must be no more than 200 characters [json-pointer:/title]")
    with workspace.changing():
        session = workspace.sessions.setdefault(place, Session(status, title))
        session.status = status
        workspace.statuses.append((time.monotonic(), *place, status))
    is_heard = workspace.events is None or "agent_session_stopped" in workspace.events
    return {"status": status, "title": session.title} | ({} if is_heard else {"warning": NO_STOP})


@method("agents.sessions.rename", "chat:write", per_minute=50)
def rename_session(workspace: Workspace, args: Args) -> Json:
    place, title = _session_place(workspace, args), str(_needed(args, "title"))
    if len(title) > 200:
        raise Refused("invalid_arguments", "must be no more than 200 characters [json-pointer:/title]")
    if place not in workspace.sessions:
        raise Refused("session_not_found")
    with workspace.changing():
        workspace.sessions[place].title = title
    return {"title": title}


def _session_place(workspace: Workspace, args: Args) -> tuple[str, str]:
    """The channel and the thread of a session; only apps that are declared as agents have sessions."""
    if not workspace.is_agent:
        raise Refused("not_an_agent")
    channel, thread = _channel_to_write(workspace, args, "channel_id"), str(_needed(args, "thread_ts"))
    # A session outlives the question that it began with.
    if (channel.id, thread) not in workspace.sessions and not workspace.find(channel.id, thread):
        raise Refused("invalid_thread_ts")
    return channel.id, thread


def _session_status(status: Any, name: str) -> str:
    if status not in {"active", "processing", "suspended", "closed"}:
        raise Refused("invalid_arguments", f"must be a valid enum value [json-pointer:/{name}]")
    return str(status)


@method("assistant.threads.setSuggestedPrompts", "chat:write", "assistant:write", per_minute=100)
def set_prompts(workspace: Workspace, args: Args) -> Json:
    channel, prompts = _channel_to_write(workspace, args, "channel_id"), args.get("prompts")
    if not isinstance(prompts, list) or not 1 <= len(prompts) <= 4:
        raise Refused("invalid_arguments", "1 to 4 prompts")
    if not all(isinstance(each, dict) and each.get("title") and each.get("message") for each in prompts):
        raise Refused("invalid_arguments", "a prompt has a title and a message")
    if not args.get("thread_ts"):  # with it, the agent view shows nothing, and says nothing
        with workspace.changing():
            workspace.people[channel.members[0]].prompts = prompts
    return {}


@method("assistant.threads.setTitle", "chat:write", "assistant:write", per_minute=100)
def set_title(workspace: Workspace, args: Args) -> Json:
    _channel_to_write(workspace, args, "channel_id")
    _needed(args, "title")
    return {}


# Views


@method("views.open", per_minute=100)
def views_open(workspace: Workspace, args: Args) -> Json:
    check_view(args.get("view"), "modal")
    person = workspace.exchange(str(args.get("trigger_id") or ""))
    if isinstance(person, str):
        raise Refused(person)
    return {"view": workspace.opened(person, args["view"]).json}


@method("views.update", per_minute=100)
def views_update(workspace: Workspace, args: Args) -> Json:
    check_view(args.get("view"), "modal")
    for person in workspace.people.values():
        for view in person.views:
            if view.id == args.get("view_id") and not view.closed:
                with workspace.changing():
                    view.json = view.json | args["view"] | {"blocks": named(args["view"]["blocks"], view.id)}
                return {"view": view.json}
    raise Refused("not_found")


@method("views.publish", per_minute=100)
def views_publish(workspace: Workspace, args: Args) -> Json:
    check_view(args.get("view"), "home")
    user = str(_needed(args, "user_id"))
    if user not in workspace.people:
        raise Refused("user_not_found")
    home = args["view"] | {"id": f"VHOME{user}", "blocks": named(args["view"]["blocks"], "home")}
    home |= workspace.of_view(workspace.people[user])
    with workspace.changing():
        workspace.people[user].home = OpenView(home["id"], user, home)
    return {"view": home}


# Reactions


@method("reactions.add", "reactions:write", per_minute=50)
def reactions_add(workspace: Workspace, args: Args) -> Json:
    message = _reacted(workspace, args)
    with workspace.changing():
        users = message.reactions.setdefault(str(_needed(args, "name")), [])
        if workspace.bot in users:
            raise Refused("already_reacted")
        users.append(workspace.bot)
    return {}


@method("reactions.remove", "reactions:write", per_minute=20)
def reactions_remove(workspace: Workspace, args: Args) -> Json:
    message = _reacted(workspace, args)
    with workspace.changing():
        users = message.reactions.get(str(_needed(args, "name")), [])
        if workspace.bot not in users:
            raise Refused("no_reaction")
        users.remove(workspace.bot)
    return {}


@method("reactions.get", "reactions:read", per_minute=50)
def reactions_get(workspace: Workspace, args: Args) -> Json:
    return {"type": "message", "message": _reacted(workspace, args).json(bot_id=workspace.bot_id)}


def _reacted(workspace: Workspace, args: Args) -> Message:
    found = workspace.find(str(args.get("channel")), str(args.get("timestamp")))
    if not found:
        raise Refused("message_not_found")
    return found


# What they share


def _page(found: Sequence[T], args: Args) -> tuple[list[T], str]:
    """One page, and the cursor of the next; empty for the last. Cursors are nobody's business but Slack's.

    A limit must be under 1000 [docs.slack.dev/apis/web-api/pagination].
    """
    size = int(args.get("limit") or 100)
    if not 0 < size < 1000:
        raise Refused("invalid_limit")
    start = _start(str(args.get("cursor") or ""))
    return list(found[start : start + size]), _cursor(start + size) if len(found) > start + size else ""


def _cursor(start: int) -> str:
    return base64.b64encode(f"next:{start}".encode()).decode()


def _start(cursor: str) -> int:
    """Where a page begins; raises `Refused` for a cursor that is none."""
    try:
        text = base64.b64decode(cursor, validate=True).decode()
        return int(text.removeprefix("next:")) if cursor else 0
    except ValueError:
        raise Refused("invalid_cursor") from None


def _needed(args: Args, name: str) -> Any:
    if not args.get(name):
        raise Refused("invalid_arguments", f"missing required field: {name}")
    return args[name]


def _scoped(workspace: Workspace, scope: str) -> None:
    if workspace.scopes is not None and scope not in workspace.scopes:
        raise Refused("missing_scope", needed=scope, provided=",".join(sorted(workspace.scopes)))


def _channel(workspace: Workspace, args: Args, name: str = "channel") -> Channel:
    """The channel, as far as the bot may know of it."""
    channel = workspace.channels.get(str(_needed(args, name)))
    if channel is None or (channel.kind != "channel" and not channel.with_bot):
        raise Refused("channel_not_found")
    return channel


def _member(workspace: Workspace, args: Args) -> Channel:
    channel = _channel(workspace, args)
    if not channel.with_bot:
        raise Refused("not_in_channel")
    return channel


def _channel_to_write(workspace: Workspace, args: Args, name: str = "channel") -> Channel:
    """The channel; a person's id stands for the direct messages with them."""
    place = str(_needed(args, name))
    if place in workspace.people:
        return workspace.direct(place)
    channel = _channel(workspace, args, name)
    if not channel.with_bot and "chat:write.public" not in (workspace.scopes or ()):
        raise Refused("not_in_channel")
    return channel


def _own(workspace: Workspace, args: Args, error: str) -> Message:
    channel = _channel(workspace, args)
    message = workspace.find(channel.id, str(_needed(args, "ts")))
    if not message or message.only_for:
        raise Refused("message_not_found")
    if not message.by_bot:
        raise Refused(error)
    return message


def _true(value: Any) -> bool:
    return str(value).lower() in {"1", "true"}


def _listed(value: Any) -> list[str]:
    return [each for each in (value if isinstance(value, list) else str(value or "").split(",")) if each]
