"""The Web API is called as often as Slack wants it, by all who call it for a workspace together."""

from collections.abc import Iterator

import pytest

from bot.channels.slack.client import SlackClient, Unreachable
from bot.channels.slack.install.workspaces import web_client
from bot.config.settings import Settings
from tests.servers.slack_server import Slack, serving


class Bench:
    """A client whose clock stands still unless somebody waits."""

    def __init__(self, slack: Slack) -> None:
        self.slack = slack
        self.now = 100.0
        settings = Settings(slack_api_url=slack.url)
        client = web_client(settings, slack.workspace.token)
        self.call = SlackClient(client, clock=lambda: self.now, sleep=self.sleep)
        ada = slack.workspace.person("Ada")
        self.places = [slack.workspace.channel(name, ada).id for name in ("general", "random")]

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def post(self, number: int = 0, *, attempts: int = 4) -> None:
        self.call("chat.postMessage", attempts=attempts, channel=self.places[number], text="x")

    def limited(self, method: str) -> None:
        self.slack.troubled(method, status=429, retry_after=7)


@pytest.fixture
def bench() -> Iterator[Bench]:
    with serving() as slack:
        yield Bench(slack)


def test_a_method_that_is_called_too_often_is_called_by_nobody_before_its_time(bench):
    bench.limited("chat.update")
    for wait in (7.0, 7.0, 4.0):
        bench.now += 7.0 - wait
        with pytest.raises(Unreachable) as raised:
            bench.call("chat.update", attempts=1, channel=bench.places[0], ts="1.1", text="x")
        assert raised.value.wait == wait
        assert not raised.value.unsure
    assert bench.slack.counted()["chat.update"] == 1
    bench.post()  # another method has a budget of its own


def test_what_may_wait_waits_as_long_as_is_left_and_arrives(bench):
    bench.limited("chat.postMessage")
    with pytest.raises(Unreachable):
        bench.post(attempts=1)
    bench.now += 3
    bench.post()
    assert bench.now == 107.0
    assert bench.slack.counted()["chat.postMessage"] == 2


def test_posts_are_counted_by_channel(bench):
    bench.limited("chat.postMessage")
    with pytest.raises(Unreachable):
        bench.post(0, attempts=1)
    bench.post(1, attempts=1)
    assert bench.now == 100.0


def test_nobody_waits_longer_than_a_minute(bench):
    bench.slack.troubled("chat.postMessage", status=429, retry_after=61)
    with pytest.raises(Unreachable):
        bench.post()
    assert bench.now == 100.0
