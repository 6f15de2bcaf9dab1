"""State that an earlier version left is opened, read and worked on: see `fixtures/make.py` for what is in it."""

import json
import shutil
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from redis import Redis

from bot.state.protocol import Claim, Event, StateStore
from bot.state.redis.store import RedisState
from bot.state.sqlite.store import SqliteState
from tests.bot.state.fixtures.make import LEASE, NOON, NOTES, PAYLOADS, VALUES, WORKSPACE, dump, fill
from tests.feedback.conftest import SERVERS
from tests.servers.redis_servers import remove

FIXTURES = Path(__file__).parent / "fixtures"
FINISHED, CLAIMED, WAITING, EDIT, COMMAND, PERSON = (row["id"] for row in PAYLOADS)


def restore(url: str, workspace: str) -> None:
    """Write the keys that a server of the earlier version had."""
    rows = json.loads((FIXTURES / "redis.json").read_text(encoding="utf-8"))
    with Redis.from_url(url) as client:
        for key, items in rows.items():
            name = key.replace(WORKSPACE, workspace, 1)
            client.hset(name, mapping=items) if isinstance(items, dict) else client.zadd(name, dict(items))


@pytest.fixture(params=["sqlite", *SERVERS])
def store(request, tmp_path, redis_url) -> Iterator[StateStore]:
    if request.param == "sqlite":
        shutil.copy(FIXTURES / "state.db", tmp_path / "state.db")
        with closing(SqliteState(tmp_path / "state.db")) as opened:
            yield opened
        return
    url, workspace = redis_url(request.param), uuid4().hex
    restore(url, workspace)
    with closing(RedisState(url, workspace=workspace)) as opened:
        yield opened
    if request.param == "own":
        remove(url, workspace)


def claim(store: StateStore, *, later: timedelta = timedelta(0)) -> Claim:
    found = store.claim("replica-b", lease=LEASE, now=NOON + later)
    assert found
    return found


def test_what_waited_is_handled_in_order_after_an_upgrade(store):
    assert store.waiting() == 5
    assert [claim(store).event.id for _ in range(2)] == [COMMAND, PERSON]
    assert store.claim("replica-b", lease=LEASE, now=NOON) is None
    again = claim(store, later=LEASE)
    assert (again.event.id, again.attempt, again.notes) == (CLAIMED, 2, NOTES)
    assert again.event.at == NOON
    assert json.loads(again.event.payload)["text"] == "Übrig bleiben wie viele Tage?"
    assert store.finish(again, now=NOON + LEASE)
    left = {CLAIMED, WAITING, EDIT, COMMAND, PERSON} - {CLAIMED}
    while left:
        found = claim(store, later=LEASE)
        assert store.finish(found, now=NOON + LEASE)
        left.remove(found.event.id)
    assert store.waiting() == 0


def test_a_claim_of_before_the_upgrade_can_be_renewed_and_finished(store):
    event = Event("slack", CLAIMED, NOON, "", f"T0001:C0001:{PAYLOADS[1]['ts']}")
    before = Claim(event, "replica-a", NOON + LEASE, 1)
    assert store.renew(before, lease=LEASE, now=NOON)
    assert store.finish(before, now=NOON)
    assert claim(store).event.id == WAITING


def test_what_was_accepted_before_the_upgrade_is_known(store):
    for name in (FINISHED, CLAIMED, WAITING, EDIT, COMMAND, PERSON):
        assert not store.accept(Event("slack", name, NOON, "{}"))
    assert store.accept(Event("slack", "new", NOON, "{}"))
    assert [claim(store).event.id for _ in range(3)] == [COMMAND, PERSON, "new"]


def test_values_of_before_the_upgrade_are_read_and_replaced(store):
    assert {key: store.get(key, now=NOON) for key in VALUES} == VALUES
    assert store.keys("", now=NOON) == sorted(VALUES)
    assert store.get("lasting", now=NOON + timedelta(days=9999)) == "ohne Ablauf"
    assert store.get("expired", now=NOON) is None
    store.put("lasting", "new")
    assert store.get("lasting", now=NOON) == "new"


@pytest.mark.server
def test_the_keys_that_are_written_are_those_of_before(redis_url):
    url, workspace = redis_url(SERVERS[0].values[0]), uuid4().hex
    with closing(RedisState(url, workspace=workspace)) as store:
        fill(store, Event)
    with Redis.from_url(url, decode_responses=True) as client:
        written = dump(client, workspace)
    remove(url, workspace)
    rows = json.loads((FIXTURES / "redis.json").read_text(encoding="utf-8"))
    expected = {key.replace(WORKSPACE, workspace, 1): rows[key] for key in rows}
    assert json.loads(json.dumps(written)) == expected
