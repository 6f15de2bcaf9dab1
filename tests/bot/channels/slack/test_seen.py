"""What Slack has told of is known by kind, to all replicas, and holds nobody's id or words."""

from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from bot.app import App, bootstrap
from bot.channels.slack.install.scopes import EVENTS
from bot.channels.slack.seen import ANYTHING, COMMAND, KEPT, PRESSED, WRITTEN_AGAIN, SeenEvents, kind_of
from bot.config.settings import Settings
from tests.fakes import FakeEmbedder

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
MENTION = {"event": {"type": "app_mention", "user": "U0ADA", "text": "zanzibarine"}}


@pytest.fixture
def app(tmp_path):
    with closing(bootstrap(Settings(home=tmp_path), embedder=FakeEmbedder())) as opened:
        yield opened


def seen(app: App, at: datetime = NOON) -> SeenEvents:
    return SeenEvents(app.state, now=lambda: at)


@pytest.mark.parametrize(
    ("payload", "kind"),
    [
        (MENTION, "app_mention"),
        ({"event": {"type": "message", "channel_type": "mpim"}}, "message.mpim"),
        ({"event": {"type": "message", "channel_type": "app_home"}}, ""),
        ({"event": {"type": "message"}}, ""),
        ({"event": {"type": "whatever-comes-next"}}, ""),
        ({"command": "/ask"}, COMMAND),
        ({"type": "block_actions", "actions": [{}]}, PRESSED),
        ({"type": "url_verification"}, ""),
        ({"event": None}, ""),
    ],
)
def test_a_payload_is_called_as_it_is_subscribed_to(payload, kind):
    assert kind_of(payload) == kind
    assert kind in {*EVENTS, COMMAND, PRESSED, ""}


def test_what_one_replica_has_seen_every_other_knows(app):
    seen(app).saw_payload(MENTION)
    later = seen(app, NOON + timedelta(days=1))
    assert later.last("app_mention") == later.last(ANYTHING) == NOON
    assert later.last("reaction_added") is None
    assert later.last_here() == 0.0
    assert seen(app, NOON + KEPT + timedelta(seconds=1)).last(ANYTHING) is None


def test_nobody_and_no_word_is_remembered(app):
    seen(app).saw_payload(MENTION)
    kept = str(list(app.state.values("", now=NOON)))
    assert "U0ADA" not in kept
    assert "zanzibarine" not in kept


def test_the_same_kind_is_written_once_a_minute_and_known_here_at_once(app):
    moments = [NOON, NOON + timedelta(seconds=1), NOON + WRITTEN_AGAIN]
    written: list[datetime] = []
    clock = iter(moments)
    busy = SeenEvents(app.state, background=lambda _, kind, at, *, key: written.append(at), now=lambda: next(clock))
    for moment in moments:
        busy.saw(ANYTHING)
        assert busy.last_here() == moment.timestamp()
    assert written == [NOON, NOON + WRITTEN_AGAIN]
