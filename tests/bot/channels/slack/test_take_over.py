"""Whoever takes over from a worker that died finds what that one began, and finishes it in its place."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.app import App
from bot.channels.events import IncomingEvent, Place, message_event, stop_event
from bot.channels.presentation import STOPPED
from bot.channels.slack.channel import SlackChannel
from bot.channels.slack.client import SlackClient
from bot.channels.slack.install.workspaces import web_client
from bot.channels.slack.rendering import line
from bot.channels.slack.transport import SlackTransport
from bot.errors import StateUnavailable
from bot.server.metrics import Metrics
from bot.state.protocol import Claim, Event
from tests.bot.channels.slack.harness import peopled, settings
from tests.conversations.conversations import LEAVE_SAID
from tests.conversations.harness import synced_app, write_documents
from tests.scripted_app import QUESTION
from tests.servers.slack.workspace import Message, Person
from tests.servers.slack_server import Slack, serving

NO_TIME = timedelta(0)
LONG = timedelta(minutes=5)


@dataclass
class Bench:
    """Slack, a app and a platform that nobody serves; a question that one worker has claimed and died over."""

    slack: Slack
    app: App
    platform: SlackChannel
    calls: SlackClient
    asked: Message
    event: IncomingEvent
    dead: Claim

    def leave(self, notes: str) -> None:
        """What the dead one had noted."""
        assert self.app.state.renew(self.dead, lease=NO_TIME, now=datetime.now(UTC), notes=notes)

    def begin_session(self) -> None:
        """The sign of the dead one that it is at work."""
        place: dict[str, Any] = {"channel_id": self.asked.channel, "thread_ts": self.asked.ts}
        self.calls("agents.sessions.setStatus", **place, status="processing")

    def post(self, event: str) -> str:
        """A first message of the dead one, about this event."""
        transport = SlackTransport(self.calls, team=self.slack.workspace.team, bot=self.slack.workspace.bot)
        return transport.post(self.event.place, line("Looking …"), event=event)

    def take_over(self) -> Claim:
        self.app.state.renew(self.dead, lease=NO_TIME, now=datetime.now(UTC))
        claim = self.app.state.claim("another", lease=LONG, now=datetime.now(UTC) + timedelta(seconds=1))
        assert claim
        assert claim.attempt == 2
        return claim

    def seen(self) -> list[str]:
        workspace = self.slack.workspace
        return [each.shown for each in workspace.visible(workspace.channels[self.asked.channel], self.asked)]


def claimed(app: App, slack: Slack, person: Person, channel: str) -> tuple[Message, IncomingEvent, Claim]:
    asked = Message(channel, slack.workspace.next_ts(), person.id, QUESTION)
    slack.workspace.keep(asked)
    place = Place("slack", slack.workspace.team, channel, message=asked.ts, kind="channel")
    event = message_event("question", place, person.id, QUESTION)
    assert app.state.accept(Event("slack", event.id, datetime.now(UTC), event.to_json(), place.root))
    claim = app.state.claim("dead", lease=LONG, now=datetime.now(UTC))
    assert claim
    return asked, event, claim


@pytest.fixture
def bench(tmp_path) -> Iterator[Bench]:
    with opened(tmp_path) as made:
        yield made


@contextmanager
def opened(folder) -> Iterator[Bench]:
    with serving() as slack:
        people, channels = peopled(slack)
        write_documents(folder)
        app = synced_app(settings(folder, slack))
        (platform,) = app.channels(Metrics())
        assert isinstance(platform, SlackChannel)
        calls = SlackClient(web_client(app.settings, slack.workspace.token))
        asked, event, dead = claimed(app, slack, people["Ada"], channels["general"].id)
        try:
            yield Bench(slack, app, platform, calls, asked, event, dead)
        finally:
            platform.stop()
            app.close()


def only_answer(bench: Bench) -> None:
    bench.platform.handle(bench.take_over())
    (shown,) = bench.seen()
    assert shown.count(LEAVE_SAID) == 1
    assert "Good answer" in shown
    assert bench.slack.workspace.stuck() == []


def test_nothing_begun_is_answered_as_if_nobody_had_died(bench):
    only_answer(bench)


@pytest.mark.parametrize("posted", [True, False], ids=["with-a-message", "alone"])
def test_a_session_that_is_shown_at_work_is_moved_on(bench, posted):
    bench.begin_session()
    if posted:
        bench.post(bench.event.id)
    only_answer(bench)


def test_a_session_is_moved_on_when_the_answer_is_given_up(bench):
    bench.begin_session()
    bench.platform.give_up(bench.take_over())
    assert bench.slack.workspace.stuck() == []


def test_what_was_stopped_while_nobody_was_at_work_is_not_answered(bench):
    bench.begin_session()
    bench.post(bench.event.id)
    pressed = IncomingEvent("question", "", bench.event.place, bench.asked.user)
    stopped = stop_event(pressed, press="1")
    assert bench.app.state.accept(Event("slack", stopped.id, datetime.now(UTC), stopped.to_json()))
    claim = bench.app.state.claim("another", lease=LONG, now=datetime.now(UTC))
    assert claim
    bench.platform.handle(claim)
    assert bench.slack.workspace.stuck() == []
    bench.platform.handle(bench.take_over())
    assert bench.seen() == [STOPPED]
    assert bench.slack.workspace.stuck() == []


def test_whoever_cannot_ask_whether_it_was_stopped_goes_on(bench, monkeypatch):
    kept: Any = bench.app.state.get

    def get(key: str, *, now: datetime) -> str | None:
        if ":stop:" in key:
            raise StateUnavailable("the store cannot be reached")
        found: str | None = kept(key, now=now)
        return found

    monkeypatch.setattr(bench.app.state, "get", get)
    only_answer(bench)


def test_a_first_message_is_finished(bench):
    bench.post(bench.event.id)
    only_answer(bench)


def test_a_noted_message_is_finished(bench):
    ts = bench.post("lost")
    bench.leave(json.dumps({"ts": ts, "streams": False}))
    only_answer(bench)


@pytest.mark.parametrize("noted", [True, False], ids=["noted", "died-before-it-was-noted"])
def test_a_stream_is_closed_and_finished(bench, noted):
    workspace = bench.slack.workspace
    ts = bench.calls(
        "chat.startStream",
        channel=bench.asked.channel,
        thread_ts=bench.asked.ts,
        recipient_team_id=workspace.team,
        recipient_user_id=bench.asked.user,
        markdown_text="Five days",
    )["ts"]
    bench.leave(json.dumps({"ts": ts, "streams": True}) if noted else '{"streams": true}')
    only_answer(bench)


def test_an_answer_that_stands_there_whole_is_not_said_again(bench):
    bench.platform.handle(bench.dead)
    only_answer(bench)
    assert len(list(bench.app.feedback.reviewed_exchanges())) == 1


def test_whoever_was_taken_over_says_nothing_more(bench):
    claim = bench.take_over()
    with pytest.raises(Exception, match="taken this over"):
        bench.platform.handle(bench.dead)
    bench.platform.handle(claim)
    assert len([each for each in bench.seen() if "Good answer" in each]) == 1


def test_giving_up_is_told_where_the_answer_would_stand(bench):
    ts = bench.post(bench.event.id)
    bench.leave(json.dumps({"ts": ts, "streams": False}))
    bench.platform.give_up(bench.take_over())
    (shown,) = bench.seen()
    assert "ask again" in shown


def test_a_bot_that_was_put_out_of_the_channel_does_not_try_for_ever(bench):
    bench.slack.workspace.channels[bench.asked.channel].with_bot = False
    bench.platform.handle(bench.take_over())
    assert bench.seen() == []
