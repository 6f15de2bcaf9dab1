"""What is wrong between Slack and us shows in `/readyz`, `/metrics` and doctor, by name and without a secret."""

import json
from contextlib import closing, contextmanager
from datetime import timedelta

import pytest

from bot.app import bootstrap
from bot.channels.lookups import Lookups
from bot.channels.port import ChannelHealth, PartHealth
from bot.channels.slack import monitor
from bot.channels.slack.install.manifest import manifest
from bot.channels.slack.install.scopes import bot_scopes
from bot.channels.slack.install.workspaces import Workspaces
from bot.channels.slack.monitor import PATIENCE, SlackMonitor
from bot.channels.slack.seen import SeenEvents
from tests.bot.channels.slack.harness import settings
from tests.bot.channels.slack.test_conversations import staged
from tests.bot.channels.slack.test_install import get, install, looked_at, several_served
from tests.conversations.conversations import LEAVE_SAID, only
from tests.scripted_app import QUESTION
from tests.servers.redis_servers import eventually
from tests.servers.slack_server import Slack, serving

SECRETS = ("xoxb", "xapp", "stand-in-signing-secret")


@pytest.fixture(autouse=True)
def fast(monkeypatch):
    """Rounds follow each other at once: what counts is what they find."""
    monkeypatch.setattr(monitor, "ROUND_SECONDS", 0.02)
    monkeypatch.setattr(monitor, "SOCKET_DUE", timedelta(0))
    monkeypatch.setattr(monitor, "WORKSPACE_DUE", timedelta(0))
    monkeypatch.setattr(monitor, "OFF_HOLDS", timedelta(0))


@contextmanager
def served(folder, **how):
    """A stage, and the address of its health."""
    with staged(folder, **how) as stage:
        yield stage, stage.server.inside.url


def readyz(base: str) -> tuple[int, dict[str, dict[str, object]]]:
    status, text, _ = get(base, "/readyz")
    assert not any(secret in text for secret in SECRETS)
    return status, json.loads(text)["checks"]


def metric(base: str, name: str) -> float | None:
    _, text, _ = get(base, "/metrics")
    found = [line.rpartition(" ")[2] for line in text.splitlines() if line.startswith(name)]
    return float(found[0]) if found else None


def part_ok(part: str, workspace: str = "") -> str:
    return f'footnote_channel_ok{{part="{part}",platform="slack",workspace="{workspace}"}}'


def becomes(base: str, name: str, *, ok: bool, status: int) -> str:
    """Wait until a check says so; its words."""

    def is_so() -> bool:
        found, checks = readyz(base)
        return checks.get(name, {}).get("ok") is ok and found == status

    eventually(is_so, f"{name} {ok} with {status}")
    return str(readyz(base)[1][name]["detail"])


@pytest.mark.parametrize("error", ["token_revoked", "account_inactive", "invalid_auth"])
def test_a_token_that_is_not_taken_any_more_makes_it_unready_at_once(tmp_path, error):
    with served(tmp_path) as (stage, base):
        becomes(base, "slack token", ok=True, status=200)
        assert metric(base, part_ok("token")) == 1
        stage.slack.revoke(stage.slack.workspace, error)
        assert error in becomes(base, "slack token", ok=False, status=503)
        assert metric(base, part_ok("token")) == 0
        stage.slack.revoked.clear()
        stage.slack.workspace.token = "xoxb-T0ONE-secret"
        becomes(base, "slack token", ok=True, status=200)


def test_one_revoked_workspace_of_several_is_named_and_costs_nothing_else(tmp_path):
    with several_served(tmp_path) as (slack, app, server):
        public, base = server.public.url, server.inside.url
        two, six = slack.another("T0TWO", "Two"), slack.another("T0SIX", "Six")
        for team in ("T0TWO", "T0SIX"):
            assert install(slack, public, team) == 200
        becomes(base, "slack token T0SIX", ok=True, status=200)
        slack.revoke(two)
        assert "token_revoked" in becomes(base, "slack token T0TWO", ok=False, status=200)
        assert metric(base, part_ok("token", "T0TWO")) == 0
        assert metric(base, part_ok("token", "T0SIX")) == 1
        wrong = [each.check for each in looked_at(app.settings) if not each.ok]
        assert wrong == ["slack token T0TWO"]
        slack.revoke(six)
        assert "0 of 2" in becomes(base, "slack workspaces", ok=False, status=503)


def test_socket_mode_that_is_switched_off_makes_it_unready_until_it_is_on_again(tmp_path):
    with served(tmp_path, socket=True) as (stage, base):
        becomes(base, "slack socket", ok=True, status=200)
        stage.slack.sending.sockets.switch_off()
        assert "Socket Mode" in becomes(base, "slack socket", ok=False, status=503)
        stage.slack.sending.sockets.switch_off(off=False)
        becomes(base, "slack socket", ok=True, status=200)


def test_an_app_token_that_is_not_taken_any_more_makes_it_unready(tmp_path):
    with served(tmp_path, socket=True) as (stage, base):
        becomes(base, "slack socket", ok=True, status=200)
        stage.slack.app_token = "xapp-another"
        stage.slack.sending.sockets.disconnect()
        assert "invalid_auth" in becomes(base, "slack socket", ok=False, status=503)


def test_scopes_without_which_nothing_is_answered_make_it_unready_and_others_are_named(tmp_path):
    with served(tmp_path) as (stage, base):
        becomes(base, "slack scopes", ok=True, status=200)
        stage.slack.workspace.scopes = frozenset(bot_scopes()) - {"reactions:read"}
        assert "reactions:read" in becomes(base, "slack scopes", ok=False, status=200)
        stage.slack.workspace.scopes = frozenset(bot_scopes()) - {"chat:write"}
        assert "chat:write" in becomes(base, "slack scopes", ok=False, status=503)


def test_an_address_that_slack_has_not_reached_is_named_until_it_has(tmp_path):
    with served(tmp_path) as (stage, base):
        assert "Event Subscriptions" in becomes(base, "slack address", ok=False, status=200)
        assert metric(base, part_ok("address")) == 0
        assert metric(base, 'footnote_last_event_timestamp_seconds{platform="slack"}') == 0
        assert stage.slack.sending.verify(stage.slack.sending.app_urls[0])
        assert "last signed request" in becomes(base, "slack address", ok=True, status=200)
        assert metric(base, 'footnote_last_event_timestamp_seconds{platform="slack"}') == 0, "that was no event"
        assert LEAVE_SAID in only(stage.asks(QUESTION).seen()).text
        eventually(lambda: "last one at" in str(readyz(base)[1]["slack events"]["detail"]), "an event is told of")
        assert metric(base, 'footnote_last_event_timestamp_seconds{platform="slack"}')
        assert "app_home_opened" in next(
            each.detail for each in looked_at(stage.app.settings) if "events" in each.check
        )


# The rules, one round after the other


@contextmanager
def looking(folder, slack: Slack, **more):
    """A monitor that looks when it is told to."""
    slack.workspace.install(manifest(socket=False, several=False))
    given = settings(folder, slack, **more)
    with closing(bootstrap(given)) as app:
        yield SlackMonitor(
            given, Workspaces(given, app.state, lookups=Lookups(0), pseudonym=str), SeenEvents(app.state)
        )


def part(found: ChannelHealth, name: str) -> PartHealth:
    return next(each for each in found.parts if each.part == name)


def test_a_short_outage_changes_nothing_and_a_long_one_counts(tmp_path):
    with serving() as slack, looking(tmp_path, slack) as made:
        made.check()
        slack.troubled("auth.test", status=503, times=PATIENCE)
        for _ in range(PATIENCE - 1):
            made.check()
            assert part(made.health(), "token").ok
        made.check()
        assert not part(made.health(), "token").ok
        made.check()
        assert part(made.health(), "token").ok


def test_socket_mode_that_is_off_stays_so_though_each_connection_begins_well(tmp_path, monkeypatch):
    monkeypatch.setattr(monitor, "OFF_HOLDS", timedelta(hours=1))
    with serving() as slack, looking(tmp_path, slack, socket=True) as made:
        for message in ('{"type": "hello"}', '{"type": "disconnect", "reason": "link_disabled"}', '{"type": "hello"}'):
            made._socket_said(message)
        made.check()
        assert "switched off" in part(made.health(), "socket").detail
        assert not part(made.health(), "socket").ok


def test_an_outage_at_the_start_is_no_refusal(tmp_path):
    with serving() as slack, looking(tmp_path, slack) as made:
        slack.troubled("auth.test", status=429, retry_after=30, times=1)
        made.check()
        assert part(made.health(), "token").ok


def test_an_outage_after_a_refusal_does_not_hide_it(tmp_path):
    with serving() as slack, looking(tmp_path, slack) as made:
        slack.troubled("auth.test", error="token_revoked", times=1)
        made.check()
        slack.troubled("auth.test", status=503, times=PATIENCE + 1)
        for _ in range(PATIENCE + 1):
            made.check()
        assert "token_revoked" in part(made.health(), "token").detail
