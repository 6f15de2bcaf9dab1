"""The state stores raise one-line errors of our own for files and servers that fail, and leave nothing behind."""

import sqlite3
import stat
import sys
from contextlib import closing
from datetime import timedelta
from uuid import uuid4

import pytest
from redis import Redis

from bot.errors import StateUnavailable
from bot.state.protocol import Event
from bot.state.redis.store import RedisState
from bot.state.sqlite.store import SqliteState
from tests.fakes import NOON
from tests.servers.redis_servers import KINDS, eventually, free_port, serving

LEASE = timedelta(seconds=30)
DAY = timedelta(hours=24)


def event(number: int, turn: str = "") -> Event:
    return Event("slack", f"Ev{number}", NOON, '{"text": "hunter2"}', turn)


def refused(make) -> str:
    with pytest.raises(StateUnavailable) as caught:
        make()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_file_is_its_owner_s_alone(tmp_path):
    with closing(SqliteState(tmp_path / "new" / "state.db")) as store:
        store.accept(event(1))
        modes = [stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "new").iterdir()]
    assert set(modes) == {0o600}


def test_a_file_that_is_none_of_ours_is_one_line(tmp_path):
    (tmp_path / "state.db").write_text("something else " * 100)
    assert refused(lambda: SqliteState(tmp_path / "state.db")).startswith("the state file '")


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path):
    (tmp_path / "taken").write_text("")
    assert "cannot be used" in refused(lambda: SqliteState(tmp_path / "taken" / "state.db"))


def test_a_file_of_a_newer_version_is_one_line(tmp_path):
    SqliteState(tmp_path / "state.db").close()
    with closing(sqlite3.connect(tmp_path / "state.db")) as other:
        other.execute("PRAGMA user_version=99")
    assert "newer Footnote" in refused(lambda: SqliteState(tmp_path / "state.db"))


def test_what_was_asked_does_not_stay_in_the_file(tmp_path):
    with closing(SqliteState(tmp_path / "state.db")) as store:
        store.accept(event(1))
        claim = store.claim("one", lease=LEASE, now=NOON)
        assert claim
        store.renew(claim, lease=LEASE, now=NOON, notes="hunter2")
        store.finish(claim, now=NOON)
    assert b"hunter2" not in b"".join(file.read_bytes() for file in tmp_path.iterdir())


@pytest.mark.parametrize("url", ["", "http://cache", "redis://:s3cret@cache:port"])
def test_a_url_that_is_none_is_one_line(url):
    message = refused(lambda: RedisState(url, workspace="default"))
    assert message.startswith("`redis_url` must be ")
    assert "s3cret" not in message


def test_without_the_client_it_says_how_to_have_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "redis", None)
    assert "footnote-bot[redis]" in refused(lambda: RedisState("redis://cache", workspace="default"))


def test_a_server_that_is_not_there_is_one_line_without_the_password():
    store = RedisState(f"redis://:s3cret@127.0.0.1:{free_port()}", workspace="default")
    for ask in (
        lambda: store.accept(event(1)),
        lambda: store.claim("one", lease=LEASE, now=NOON),
        store.waiting,
        lambda: store.put("a", "b"),
        lambda: store.get("a", now=NOON),
        lambda: store.keys("a", now=NOON),
    ):
        message = refused(ask)
        assert message.startswith("the state store at 127.0.0.1:")
        assert "s3cret" not in message
    store.close()


@pytest.mark.server
@pytest.mark.parametrize("kind", KINDS)
def test_what_a_server_acknowledged_outlives_it(kind, tmp_path):
    with (
        serving(kind, tmp_path, "--appendfsync", "always") as server,
        closing(RedisState(server.url, workspace="w")) as store,
    ):
        store.accept(event(1, "thread"))
        store.accept(event(2, "thread"))
        claim = store.claim("one", lease=LEASE, now=NOON)
        assert claim
        server.kill()
        refused(lambda: store.finish(claim, now=NOON))
        server.start()
        eventually(lambda: answers(store), "it answers again")
        assert not store.accept(event(1, "thread"))
        assert store.claim("two", lease=LEASE, now=NOON) is None
        assert store.finish(claim, now=NOON)
        second = store.claim("two", lease=LEASE, now=NOON)
        assert second
        assert second.event == event(2, "thread")


def answers(store: RedisState) -> bool:
    try:
        store.waiting()
    except StateUnavailable:
        return False
    return True


@pytest.mark.server
@pytest.mark.parametrize("kind", KINDS)
def test_after_a_day_nothing_is_left_on_a_server_but_how_many_there_were(kind, redis_url):
    workspace = uuid4().hex
    with (
        closing(RedisState(redis_url(kind), workspace=workspace)) as store,
        Redis.from_url(redis_url(kind), decode_responses=True) as admin,
    ):
        for number in range(60):
            store.accept(event(number, f"t{number % 4}"))
        store.put("expires", "x", expires=NOON + LEASE)
        store.put("goes", "x")
        store.remove("goes")
        while claim := store.claim("one", lease=LEASE, now=NOON):
            store.renew(claim, lease=LEASE, now=NOON, notes="hunter2")
            store.finish(claim, now=NOON)
        left = {key: admin.type(key) for key in admin.scan_iter(f"footnote:{{{workspace}}}:*")}
        assert {key.rsplit(":", 1)[1] for key in left} == {
            "standing",
            "claim",
            "count",
            "finished",
            "value",
            "keys",
            "expiring",
        }
        store.claim("one", lease=LEASE, now=NOON + DAY)
        store.claim("one", lease=LEASE, now=NOON + DAY)
        assert list(admin.scan_iter(f"footnote:{{{workspace}}}:*")) == [f"footnote:{{{workspace}}}:state:count"]
