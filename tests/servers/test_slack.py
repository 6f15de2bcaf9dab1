"""The stand-in for Slack, against the stock SDK: what it remembers, what it refuses, what it sends and sends again."""

import http.server
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.signature import SignatureVerifier
from slack_sdk.socket_mode import SocketModeClient
from slack_sdk.socket_mode.response import SocketModeResponse

from tests.servers.slack.seen import Link
from tests.servers.slack.workspace import Workspace
from tests.servers.slack_server import APP_TOKEN, SIGNING_SECRET, Slack, serving

FEEDBACK = {
    "type": "context_actions",
    "elements": [
        {
            "type": "feedback_buttons",
            "action_id": "vote",
            "positive_button": {"text": {"type": "plain_text", "text": "Good"}, "value": "up"},
            "negative_button": {"text": {"type": "plain_text", "text": "Bad"}, "value": "down"},
        }
    ],
}
MODAL = {
    "type": "modal",
    "callback_id": "why",
    "title": {"type": "plain_text", "text": "What was wrong?"},
    "submit": {"type": "plain_text", "text": "Send"},
    "blocks": [
        {
            "type": "input",
            "block_id": "comment",
            "optional": True,
            "label": {"type": "plain_text", "text": "Comment"},
            "element": {"type": "plain_text_input", "action_id": "text"},
        }
    ],
}


@pytest.fixture
def slack() -> Iterator[Slack]:
    with serving() as server:
        yield server


def test_who_is_named_stands_in_a_typed_text_without_a_label_and_files_with_their_names(slack):
    workspace = slack.workspace
    ada, bob = workspace.person("Ada"), workspace.person("Bob")
    general = workspace.channel("general", ada, bob)
    said = ada.names("@Bob, see #general & <x> @Bobby", general, files=["a.pdf"])
    assert said.text == f"<@{bob.id}>, see <#{general.id}> &amp; &lt;x&gt; @Bobby"
    (event,) = [each["event"] for each in slack.sending.sent if each["event"]["type"] == "message"]
    assert (event["subtype"], [each["name"] for each in event["files"]]) == ("file_share", ["a.pdf"])


@pytest.fixture
def workspace(slack) -> Workspace:
    made: Workspace = slack.workspace
    return made


@pytest.fixture
def client(slack) -> WebClient:
    return WebClient(slack.workspace.token, base_url=slack.url)


def section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def refusal(client: WebClient, method: str, **args: Any) -> str:
    with pytest.raises(SlackApiError) as raised:
        client.api_call(method, json=args)
    return str(raised.value.response["error"])


# What it refuses


@pytest.mark.parametrize(
    ("blocks", "error"),
    [
        pytest.param([section("x")] * 51, "invalid_blocks", id="51-blocks"),
        pytest.param([section("x" * 3001)], "invalid_blocks", id="section-of-3001"),
        pytest.param([section("x" * 2700)] * 5, "msg_blocks_too_long", id="13500-in-all"),
        pytest.param([{"type": "markdown", "text": "x" * 12_001}], "invalid_blocks", id="markdown-of-12001"),
        pytest.param([{"type": "markdown", "text": "x" * 6_001}] * 2, "invalid_blocks", id="markdown-together"),
        pytest.param([section("")], "invalid_blocks", id="empty-text"),
        pytest.param([{"type": "sectoin"}], "invalid_blocks", id="unknown-type"),
        pytest.param([section("x") | {"colour": "red"}], "invalid_blocks", id="unknown-key"),
        pytest.param([section("x") | {"block_id": "a"}] * 2, "invalid_blocks", id="block-id-twice"),
        pytest.param([{"type": "actions", "elements": [FEEDBACK["elements"][0]] * 2}], "invalid_blocks", id="twice"),
        pytest.param([{"type": "context_actions", "elements": [{"type": "button"}]}], "invalid_blocks", id="button"),
        pytest.param("nothing", "invalid_blocks_format", id="no-list"),
    ],
)
def test_blocks_that_slack_would_not_take_are_refused(client, workspace, blocks, error):
    channel = workspace.channel("general")
    assert refusal(client, "chat.postMessage", channel=channel.id, text="x", blocks=blocks) == error
    assert workspace.visible(channel) == []


def test_what_fits_is_taken(client, workspace):
    channel = workspace.channel("general")
    client.chat_postMessage(
        channel=channel.id, text="x", blocks=[*[section("x" * 240)] * 48, {"type": "divider"}, FEEDBACK]
    )
    client.chat_postMessage(channel=channel.id, markdown_text="x" * 12_000)
    assert len(workspace.visible(channel)) == 2


@pytest.mark.parametrize(
    ("method", "args", "error"),
    [
        pytest.param("chat.postMassage", {}, "unknown_method", id="unknown-method"),
        pytest.param("chat.postMessage", {"channel": "C9", "text": "x"}, "channel_not_found", id="no-channel"),
        pytest.param("chat.postMessage", {"channel": "general"}, "no_text", id="no-text"),
        pytest.param(
            "chat.postMessage", {"channel": "general", "text": "x", "thread_ts": "1.2"}, "thread_not_found", id="thread"
        ),
        pytest.param("chat.postMessage", {"channel": "elsewhere", "text": "x"}, "not_in_channel", id="not-in-it"),
        pytest.param("chat.postMessage", {"channel": "secret", "text": "x"}, "channel_not_found", id="private"),
        pytest.param(
            "chat.postMessage",
            {"channel": "general", "text": "x", "metadata": {"event_type": "x"}},
            "invalid_metadata_format",
            id="metadata",
        ),
        pytest.param("chat.update", {"channel": "general", "ts": "1.2", "text": "x"}, "message_not_found", id="update"),
        pytest.param(
            "chat.startStream", {"channel": "general", "thread_ts": "1.2"}, "invalid_thread_ts", id="stream-thread"
        ),
        pytest.param("conversations.replies", {"channel": "general", "ts": "1.2"}, "thread_not_found", id="replies"),
        pytest.param("users.info", {"user": "U9"}, "user_not_found", id="user"),
        pytest.param("usergroups.users.list", {"usergroup": "S9"}, "no_such_subteam", id="group"),
        pytest.param("views.open", {"trigger_id": "9", "view": MODAL}, "invalid_trigger_id", id="trigger"),
        pytest.param(
            "views.open", {"trigger_id": "9", "view": MODAL | {"title": None}}, "invalid_arguments", id="view"
        ),
    ],
)
def test_a_call_that_makes_no_sense_gets_the_documented_error(client, workspace, method, args, error):
    places = {
        "general": workspace.channel("general").id,
        "elsewhere": workspace.channel("elsewhere", with_bot=False).id,
        "secret": workspace.channel("secret", private=True, with_bot=False).id,
    }
    called = args | {"channel": places.get(args.get("channel"), args.get("channel"))}
    assert refusal(client, method, **{name: value for name, value in called.items() if value}) == error


def test_only_what_the_manifest_asks_for_is_allowed_and_told(client, workspace, slack):
    ada = workspace.person("Ada", email="ada@example.com")
    channel = workspace.channel("general", ada)
    workspace.install(
        {
            "features": {"slash_commands": [{"command": "/ask"}]},
            "oauth_config": {"scopes": {"bot": ["users:read"]}},
            "settings": {"event_subscriptions": {"bot_events": ["app_mention"]}},
        }
    )
    assert refusal(client, "chat.postMessage", channel=channel.id, text="x") == "missing_scope"
    assert "email" not in client.users_info(user=ada.id)["user"]["profile"]
    ada.mentions("hello", channel)
    assert [each["event"]["type"] for each in slack.sending.sent] == ["app_mention"]
    assert ada.commands("/aks", "x", channel).status == 0
    assert ada.errors == ["/aks is not a valid command"]


def test_a_wrong_token_is_refused(slack):
    assert refusal(WebClient("xoxb-else", base_url=slack.url), "auth.test") == "invalid_auth"


@pytest.fixture
def grid(slack) -> tuple[WebClient, list[Workspace]]:
    """An organisation of two workspaces that has installed the app for all of them, and its token."""
    found = [slack.another(team, team, enterprise="E0ORG") for team in ("T0TWO", "T0SIX")]
    return WebClient(slack.deploy("E0ORG"), base_url=slack.url), found


def test_an_organisations_token_is_asked_for_the_workspace(grid):
    client, (two, six) = grid
    ada, wil = two.person("Ada"), six.person("Wil")
    told = client.auth_test()
    assert (told["team_id"], told["enterprise_id"], told["is_enterprise_install"]) == ("E0ORG", "E0ORG", True)
    with pytest.raises(SlackApiError, match="missing_argument"):
        client.users_list()
    with pytest.raises(SlackApiError, match="team_access_not_granted"):
        client.users_list(team_id="T0ONE")
    listed = client.users_list(team_id="T0SIX")["members"]
    assert [each["id"] for each in listed if not each["is_bot"] and each["id"] != "USLACKBOT"] == [wil.id]
    assert client.users_info(user=ada.id)["user"]["enterprise_user"]["enterprise_id"] == "E0ORG"
    assert [each["id"] for each in client.auth_teams_list()["teams"]] == ["T0TWO", "T0SIX"]


def test_an_organisations_payloads_name_no_workspace_or_another_one(slack, grid):
    client, (two, _) = grid
    ada, wil = two.person("Ada"), two.person("Wil", team="T0SIX", enterprise="E0ORG")
    channel = two.channel("general", ada, wil)
    with listening(slack) as app:
        asked = wil.mentions("Who?", channel)
        wil.reacts(asked, "eyes")
        two.wait(lambda: slack.sending.is_idle)
        client.chat_postMessage(channel=channel.id, text="x", blocks=[FEEDBACK])
        wil.clicks(two.visible(channel)[-1], "vote", "positive")
    (form,) = [parse_qs(body.decode()) for _, _, body in app.came if body.startswith(b"payload=")]
    pressed = json.loads(form["payload"][0])
    assert (pressed["team"], pressed["user"]["team_id"], pressed["is_enterprise_install"]) == (None, "T0SIX", True)
    envelope = slack.sending.sent[0]
    (granted,) = envelope["authorizations"]
    assert (granted["team_id"], granted["enterprise_id"], granted["is_enterprise_install"]) == (None, "E0ORG", True)
    assert (envelope["team_id"], envelope["context_team_id"]) == ("T0SIX", "T0TWO")


def test_what_was_removed_is_told_with_no_authorization_and_its_token_ends(slack, grid):
    client, (two, six) = grid
    slack.uninstall(two)
    assert client.auth_teams_list()["teams"] == [{"id": "T0SIX", "name": "T0SIX"}]
    slack.uninstall(six)
    with pytest.raises(SlackApiError, match="token_revoked"):
        client.auth_test()
    told = [(each["event"]["type"], each["team_id"], each["authorizations"]) for each in slack.sending.sent]
    assert sorted(told) == sorted(
        (kind, team, []) for kind in ("app_uninstalled", "tokens_revoked") for team in ("T0TWO", "T0SIX")
    )


def test_whoever_calls_too_often_is_told_to_wait(client, workspace, slack):
    slack.rates.on = True
    general, other = workspace.channel("general"), workspace.channel("other")
    for _ in range(5):
        client.chat_postMessage(channel=general.id, text="x")
    with pytest.raises(SlackApiError) as raised:
        client.chat_postMessage(channel=general.id, text="x")
    assert raised.value.response.status_code == 429
    assert 1 <= int(raised.value.response.headers["Retry-After"]) <= 6
    client.chat_postMessage(channel=other.id, text="each channel has a budget of its own")


# Streaming


def test_a_stream_grows_and_ends_with_blocks(client, workspace):
    ada = workspace.person("Ada")
    asked = ada.mentions("How?", channel := workspace.channel("general", ada))
    place = {"channel": channel.id, "thread_ts": asked.ts}
    recipient = {"recipient_team_id": workspace.team, "recipient_user_id": ada.id}
    assert refusal(client, "chat.startStream", **place) == "missing_recipient_team_id"
    ts = client.chat_startStream(**place, **recipient, markdown_text="One. ")["ts"]
    (message,) = workspace.visible(channel, asked)
    assert message.is_streaming
    assert refusal(client, "chat.update", channel=channel.id, ts=ts, text="x") == "streaming_state_conflict"
    client.chat_appendStream(channel=channel.id, ts=ts, markdown_text="**Two.**")
    client.chat_stopStream(channel=channel.id, ts=ts, blocks=[FEEDBACK])
    assert message.shown == "One. Two.\nGood\nBad"
    assert message.versions == ["One.", "One. Two.", "One. Two.\nGood\nBad"]
    for method in ("chat.appendStream", "chat.stopStream"):
        error = refusal(client, method, channel=channel.id, ts=ts, markdown_text="x")
        assert error == "message_not_in_streaming_state"


def test_a_stream_ends_by_itself_and_can_then_be_updated(client, workspace):
    workspace.stream_seconds = 0.0
    asked = (ada := workspace.person("Ada")).tells("How?")
    ts = client.chat_startStream(channel=ada.direct.id, thread_ts=asked.ts, markdown_text="One.")["ts"]
    error = refusal(client, "chat.appendStream", channel=ada.direct.id, ts=ts, markdown_text="Two.")
    assert error == "message_not_in_streaming_state"
    client.chat_update(channel=ada.direct.id, ts=ts, text="One. Two.", blocks=[section("One. Two."), FEEDBACK])
    assert workspace.reply(asked).shown == "One. Two.\nGood\nBad"


def test_the_sdks_own_stream_works(client, workspace):
    asked = (ada := workspace.person("Ada")).tells("How?")
    stream = client.chat_stream(channel=ada.direct.id, thread_ts=asked.ts, buffer_size=1)
    stream.append(markdown_text="One. ")
    stream.append(markdown_text="Two.")
    stream.stop(blocks=[FEEDBACK])
    assert workspace.reply(asked).shown == "One. Two.\nGood\nBad"


# What it remembers


def test_threads_come_back_with_metadata_for_whoever_asks_for_it(client, workspace):
    ada = workspace.person("Ada")
    asked = ada.writes("Five > three & less", channel := workspace.channel("general", ada))
    metadata = {"event_type": "answer", "event_payload": {"event": "Ev1"}}
    client.chat_postMessage(channel=channel.id, thread_ts=asked.ts, text="x", metadata=metadata)
    replies = client.conversations_replies(channel=channel.id, ts=asked.ts, include_all_metadata=True)["messages"]
    assert [each["text"] for each in replies] == ["Five &gt; three &amp; less", "x"]
    assert replies[1]["metadata"] == metadata
    assert "metadata" not in client.conversations_replies(channel=channel.id, ts=asked.ts)["messages"][1]
    assert [each["ts"] for each in client.conversations_history(channel=channel.id)["messages"]] == [asked.ts]
    pages = client.conversations_replies(channel=channel.id, ts=asked.ts, limit=1)
    assert [len(page["messages"]) for page in pages] == [1, 1]


def test_people_groups_and_shared_channels_are_known(client, workspace):
    ada, guest = workspace.person("Ada", email="ada@example.com"), workspace.person("Gil", guest=True)
    group = workspace.user_group("finance", ada)
    assert client.users_info(user=ada.id)["user"]["profile"]["email"] == "ada@example.com"
    assert client.users_info(user=guest.id)["user"]["is_restricted"]
    assert client.usergroups_list()["usergroups"][0]["id"] == group
    assert client.usergroups_users_list(usergroup=group)["users"] == [ada.id]
    assert client.conversations_info(channel=workspace.channel("c", shared=True).id)["channel"]["is_ext_shared"]
    opened = client.conversations_open(users=[ada.id])["channel"]["id"]
    assert opened == ada.direct.id


def test_what_is_for_one_person_is_seen_by_nobody_else(client, workspace):
    ada, bob = workspace.person("Ada"), workspace.person("Bob")
    channel = workspace.channel("general", ada, bob)
    client.chat_postEphemeral(channel=channel.id, user=ada.id, text="only you")
    assert [each.shown for each in workspace.visible(channel, to=ada)] == ["only you"]
    assert workspace.visible(channel, to=bob) == workspace.visible(channel) == []
    assert client.conversations_history(channel=channel.id)["messages"] == []


def test_what_is_for_one_person_is_shown_in_a_thread_only_where_somebody_has_answered(client, workspace):
    ada = workspace.person("Ada")
    asked = ada.writes("How?", channel := workspace.channel("general", ada))
    told = {"channel": channel.id, "user": ada.id, "thread_ts": asked.ts}
    client.chat_postEphemeral(**told, text="lost")
    assert workspace.notes(ada, asked) == []
    client.chat_postMessage(channel=channel.id, thread_ts=asked.ts, text="So.")
    client.chat_postEphemeral(**told, text="only you")
    assert [each.shown for each in workspace.notes(ada, asked)] == ["only you"]
    assert workspace.notes(ada) == []


def test_a_place_may_refuse_kinds_of_blocks(client, workspace):
    ada = workspace.person("Ada")
    channel = workspace.channel("general", ada)
    workspace.refused_privately, workspace.refused_blocks = frozenset({"context_actions"}), frozenset({"markdown"})
    told = {"channel": channel.id, "text": "x"}
    assert refusal(client, "chat.postEphemeral", **told, user=ada.id, blocks=[FEEDBACK]) == "invalid_blocks"
    assert refusal(client, "chat.postMessage", **told, blocks=[{"type": "markdown", "text": "x"}]) == "invalid_blocks"
    client.chat_postMessage(**told, blocks=[FEEDBACK])


# Sessions of agents


def test_a_session_stays_as_it_was_left_whatever_is_posted(client, workspace):
    asked = (ada := workspace.person("Ada")).tells("How?")
    place = {"channel_id": asked.channel, "thread_ts": asked.ts}
    answer = client.agents_sessions_setStatus(**place, status="processing", title="How?")
    assert (answer["status"], answer.get("warning")) == ("processing", None)
    client.chat_postMessage(channel=asked.channel, thread_ts=asked.ts, text="So.")
    assert workspace.stuck() == [(asked.channel, asked.ts, "processing")]
    client.agents_sessions_setStatus(**place, status="active", title="Another")
    assert workspace.stuck() == []
    assert workspace.sessions[asked.channel, asked.ts].title == "How?"
    client.agents_sessions_rename(**place, title="Another")
    assert workspace.sessions[asked.channel, asked.ts].title == "Another"
    client.agents_sessions_setStatus(**place, status="processing")
    ts = client.chat_startStream(channel=asked.channel, thread_ts=asked.ts, markdown_text="x")["ts"]
    client.chat_stopStream(channel=asked.channel, ts=ts, session_status="active")
    assert workspace.stuck() == []
    assert ada.errors == []


def test_a_session_has_one_of_four_states_in_a_thread_of_an_agent(client, workspace):
    asked = workspace.person("Ada").tells("How?")
    place = {"channel_id": asked.channel, "thread_ts": asked.ts}
    name = "agents.sessions.setStatus"
    for status in ("is thinking...", "", None):
        assert refusal(client, name, **place, status=status) == "invalid_arguments"
    assert refusal(client, name, **place, status="active", title="x" * 201) == "invalid_arguments"
    assert refusal(client, name, **place | {"thread_ts": "1.1"}, status="active") == "invalid_thread_ts"
    workspace.is_agent = False
    assert refusal(client, name, **place, status="active") == "not_an_agent"


def test_the_older_status_ends_with_a_reply(client, workspace):
    asked = workspace.person("Ada").tells("How?")
    client.assistant_threads_setStatus(channel_id=asked.channel, thread_ts=asked.ts, status="is thinking")
    assert workspace.stuck() == [(asked.channel, asked.ts, "is thinking")]
    client.chat_postMessage(channel=asked.channel, thread_ts=asked.ts, text="So.")
    assert workspace.stuck() == []


def test_whoever_did_not_subscribe_to_the_stop_button_is_warned(client, workspace):
    workspace.events = frozenset({"message.im"})
    asked = workspace.person("Ada").tells("How?")
    answer = client.agents_sessions_setStatus(channel_id=asked.channel, thread_ts=asked.ts, status="processing")
    assert answer["warning"] == "missing_agent_session_stopped_event_subscription"


def test_a_stop_ends_streams_and_leaves_the_session_to_the_app(client, workspace, slack):
    asked = (ada := workspace.person("Ada")).tells("How?")
    client.agents_sessions_setStatus(channel_id=asked.channel, thread_ts=asked.ts, status="processing")
    ts = client.chat_startStream(channel=asked.channel, thread_ts=asked.ts, markdown_text="One. ")["ts"]
    ada.stops(asked)
    event = slack.sending.sent[-1]["event"]
    assert (event["type"], event["thread_ts"], event["streaming_message_ts"]) == (
        "agent_session_stopped",
        asked.ts,
        [ts],
    )
    assert refusal(client, "chat.stopStream", channel=asked.channel, ts=ts) == "message_not_in_streaming_state"
    client.chat_update(channel=asked.channel, ts=ts, text="One. Stopped.")
    assert workspace.stuck() == [(asked.channel, asked.ts, "processing")]


def test_a_message_tells_what_it_calls_and_where_it_leads(client, workspace):
    channel = workspace.channel("general")
    hostile = "<!channel> <@U1> <https://evil.example|your bank> &lt;!here&gt; https://bare.example/x"
    client.chat_postMessage(channel=channel.id, text="x", blocks=[section(hostile)])
    client.chat_postMessage(channel=channel.id, markdown_text="[bank](https://evil.example) <!here> &lt;@U1&gt;")
    first, second = workspace.visible(channel)
    assert first.calls == ["!channel", "@U1"]
    assert first.links == [
        Link("your bank", "https://evil.example"),
        Link("https://bare.example/x", "https://bare.example/x"),
    ]
    assert first.shown == "@channel @U1 your bank <!here> https://bare.example/x"
    assert (second.calls, second.links) == (["!here"], [Link("bank", "https://evil.example")])


def test_suggestions_with_a_thread_are_lost_in_silence(client, workspace):
    asked = (ada := workspace.person("Ada")).tells("Hello")
    prompts = [{"title": "Leave", "message": "How much leave is there?"}]
    client.assistant_threads_setSuggestedPrompts(channel_id=ada.direct.id, thread_ts=asked.ts, prompts=prompts)
    assert ada.prompts == []
    client.api_call("assistant.threads.setSuggestedPrompts", json={"channel_id": ada.direct.id, "prompts": prompts})
    assert ada.prompts == prompts


# What it sends


class App(http.server.BaseHTTPRequestHandler):
    """The app's side: notes what came, verified as the SDK does, and answers what it is told to."""

    server: "Listening"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        genuine = SignatureVerifier(SIGNING_SECRET).is_valid_request(body, dict(self.headers))
        self.server.came.append((genuine, self.headers.get("X-Slack-Retry-Num", ""), body))
        status, slowly, answer = self.server.answers.pop(0) if self.server.answers else (200, 0.0, b"")
        time.sleep(slowly)
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - the library's name
        """Nothing on stderr."""


class Listening(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), App)
        self.came: list[tuple[bool, str, bytes]] = []
        self.answers: list[tuple[int, float, bytes]] = []

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Slack has gone away meanwhile."""


@contextmanager
def listening(slack: Slack) -> Iterator[Listening]:
    app = Listening()
    slack.sending.app_urls = [f"http://127.0.0.1:{app.server_address[1]}/slack/events"]
    threading.Thread(target=app.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield app
    finally:
        app.shutdown()
        app.server_close()


def test_an_event_is_signed_and_sent_again_until_it_is_acknowledged(slack, workspace):
    ada = workspace.person("Ada")
    slack.sending.ack_within, slack.sending.retries = 0.3, (0.0, 0.01, 0.02)
    with listening(slack) as app:
        app.answers = [(500, 0.0, b""), (200, 0.6, b"")]
        ada.tells("Hello")
        workspace.wait(lambda: len(slack.sending.deliveries) == 3)
    assert [(genuine, number) for genuine, number, _ in app.came] == [(True, ""), (True, "1"), (True, "2")]
    assert [each.status for each in slack.sending.deliveries] == [500, 0, 200]
    assert len({json.loads(body)["event_id"] for _, _, body in app.came}) == 1


def test_what_was_acknowledged_can_come_twice(slack, workspace):
    ada = workspace.person("Ada")
    slack.sending.redelivered = 1.0
    with listening(slack) as app:
        ada.tells("Hello")
        workspace.wait(lambda: len(slack.sending.deliveries) == 2)
    assert [number for _, number, _ in app.came] == ["", "1"]


def test_a_mention_is_told_as_a_message_and_as_a_mention(slack, workspace):
    ada = workspace.person("Ada")
    ada.mentions("Hello", workspace.channel("general", ada))
    kinds = [(each["event"]["type"], each["event_id"]) for each in slack.sending.sent]
    assert [kind for kind, _ in kinds] == ["message", "app_mention"]
    assert len({number for _, number in kinds}) == 2


def test_a_click_opens_a_modal_that_is_filled_and_sent(slack, client, workspace):
    asked = (ada := workspace.person("Ada")).tells("How?")
    client.chat_postMessage(channel=ada.direct.id, thread_ts=asked.ts, text="x", blocks=[section("x"), FEEDBACK])
    with listening(slack) as app:
        assert ada.clicks(workspace.reply(asked), "vote", "negative").status == 200
        payload = json.loads(form(app.came[-1][2])["payload"])
        assert payload["actions"][0]["value"] == "down"
        client.views_open(trigger_id=payload["trigger_id"], view=MODAL)
        assert refusal(client, "views.open", trigger_id=payload["trigger_id"], view=MODAL) == "exchanged_trigger_id"
        assert ada.modal is not None
        app.answers = [(200, 0.0, b'{"response_action": "errors", "errors": {"comment": "too short"}}')]
        ada.submits(ada.modal, comment="x")
        assert ada.modal is not None
        ada.submits(ada.modal, comment="It is four days")
        assert ada.modal is None
    sent = json.loads(form(app.came[-1][2])["payload"])
    assert sent["view"]["state"]["values"]["comment"]["text"]["value"] == "It is four days"


def test_a_trigger_is_good_for_a_moment_only(slack, client, workspace):
    workspace.trigger_seconds = 0.0
    trigger = workspace.trigger(workspace.person("Ada").id)
    assert refusal(client, "views.open", trigger_id=trigger, view=MODAL) == "expired_trigger_id"


def test_a_command_is_answered_to_whoever_typed_it(slack, workspace):
    ada, bob = workspace.person("Ada"), workspace.person("Bob")
    channel = workspace.channel("general", ada, bob)
    with listening(slack) as app:
        ada.commands("/ask", "How <much>?", channel)
    fields = form(app.came[0][2])
    assert fields["text"] == "How &lt;much&gt;?"
    for _ in range(5):
        reply(fields["response_url"], {"text": "so much"})
    with pytest.raises(AssertionError, match="used_url"):
        reply(fields["response_url"], {"text": "once more"})
    assert [each.shown for each in workspace.visible(channel, to=ada)] == ["so much"] * 5
    assert workspace.visible(channel, to=bob) == []


def test_what_comes_by_a_response_url_is_in_a_thread_only_for_all(slack, workspace):
    asked = (ada := workspace.person("Ada")).writes("How?", channel := workspace.channel("general", ada))
    url = workspace.response_url(ada.id, channel.id, None)
    reply(url, {"text": "only you", "thread_ts": asked.ts})
    reply(url, {"text": "all", "thread_ts": asked.ts, "response_type": "in_channel"})
    assert [each.shown for each in workspace.notes(ada)] == ["only you"]
    assert [each.shown for each in workspace.visible(channel, asked)] == ["all"]
    workspace.response_seconds = 0.0
    with pytest.raises(AssertionError, match="expired_url"):
        reply(url, {"text": "late"})


def form(body: bytes) -> dict[str, str]:
    from urllib.parse import parse_qsl

    return dict(parse_qsl(body.decode()))


def reply(url: str, body: dict[str, str]) -> None:
    from slack_sdk.webhook import WebhookClient

    answer = WebhookClient(url).send_dict(body)
    assert json.loads(answer.body)["ok"], answer.body


def test_socket_mode_carries_events_and_interactions(slack, workspace):
    ada = workspace.person("Ada")
    came: list[Any] = []
    socket = SocketModeClient(app_token=APP_TOKEN, web_client=WebClient(workspace.token, base_url=slack.url))

    def take(client: Any, request: Any) -> None:
        came.append(request)
        if len(came) > 1:  # the first is lost, and comes again
            client.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id))

    socket.socket_mode_request_listeners.append(take)
    slack.sending.ack_within, slack.sending.retries = 0.3, (0.0,)
    socket.connect()
    try:
        workspace.wait(lambda: slack.sending.sockets.is_open, seconds=5)
        ada.tells("Hello")
        workspace.wait(lambda: len(slack.sending.deliveries) == 2, seconds=5)
        assert [(each.type, each.retry_attempt) for each in came] == [("events_api", 0), ("events_api", 1)]
        assert [each.status for each in slack.sending.deliveries] == [0, 200]
        slack.sending.ack_within = 3.0
        assert ada.commands("/ask", "How?", ada.direct).status == 200
        assert came[-1].type == "slash_commands"
    finally:
        socket.close()


def test_socket_mode_needs_the_apps_own_token(slack):
    assert refusal(WebClient(slack.workspace.token, base_url=slack.url), "apps.connections.open") == (
        "not_allowed_token_type"
    )
