"""Accepted events are handled once each, by any of several processes, whatever fails meanwhile."""

import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.errors import BotError, StateUnavailable
from bot.server.job_queue import ATTEMPTS, LAST_ATTEMPT, UNEXPECTED_ATTEMPTS, JobQueue
from bot.state.protocol import Claim
from bot.state.sqlite.store import SqliteState
from tests.bot.server.play import Playing, Watching, event, until
from tests.feedback.samples import python
from tests.servers.redis_servers import eventually

Opened = Callable[..., JobQueue]


@pytest.fixture
def store(tmp_path) -> Iterator[SqliteState]:
    with closing(SqliteState(tmp_path / "state.db")) as opened:
        yield opened


@pytest.fixture
def begin(store) -> Iterator[Opened]:
    """Begins workshops, and ends them with the test."""
    with ExitStack() as ending:

        def started(platform: Playing, *, watcher: Watching | None = None, **options) -> JobQueue:
            given = {"name": "one", "workers": 4, "poll": 0.05, "first_pause": timedelta(milliseconds=1), **options}
            shop = JobQueue(store, {"playing": platform}, watcher=watcher or Watching(), **given)
            shop.start()
            ending.callback(shop.stop, 5)
            return shop

        yield started


def ids(claims: list[Claim]) -> list[str]:
    return [each.event.id for each in claims]


def test_what_is_accepted_is_handled_once_and_finished(begin, store):
    platform, watcher = Playing(), Watching()
    shop = begin(platform, watcher=watcher)
    given = [event() for _ in range(30)]
    assert [shop.accept(each) for each in given] == ["new"] * 30
    assert shop.accept(given[0]) == "known"
    eventually(lambda: store.waiting() == 0, "all is finished")
    assert Counter(ids(platform.handled)) == Counter(each.id for each in given)
    assert shop.accept(given[0]) == "known"
    eventually(lambda: watcher.told == [("handled", "playing")] * 30, "all is told")


def test_an_event_is_begun_at_once_though_the_store_is_asked_rarely(begin):
    platform = Playing()
    shop = begin(platform, poll=60)
    eventually(shop._looking.locked, "a worker waits")
    shop.accept(event())
    eventually(lambda: len(platform.handled) == 1, "it is handled")


def test_what_another_process_accepted_is_found(begin, store):
    platform = Playing()
    begin(platform)
    store.accept(event())
    eventually(lambda: len(platform.handled) == 1, "it is handled")


def test_a_turn_keeps_its_order_while_others_go_on(begin, store):
    begun, go = threading.Event(), threading.Event()

    def play(claim: Claim) -> None:
        if claim.event.id == "first":
            begun.set()
            assert go.wait(20)

    platform = Playing(play=play)
    shop = begin(platform)
    shop.accept(event(name="first", turn="thread"))
    assert begun.wait(20)
    shop.accept(event(name="second", turn="thread"))
    shop.accept(event(name="elsewhere", turn="other"))
    eventually(lambda: "elsewhere" in ids(platform.handled), "the other turn is handled")
    assert "second" not in ids(platform.handled)
    go.set()
    eventually(lambda: store.waiting() == 0, "all is finished")
    assert ids(platform.handled) == ["first", "elsewhere", "second"]


def test_beyond_the_limit_it_is_busy_and_nothing_grows(begin, store):
    go = threading.Event()
    platform, watcher = Playing(play=until(go)), Watching()
    shop = begin(platform, watcher=watcher, queue_limit=5, workers=2)
    first = [event() for _ in range(5)]
    assert [shop.accept(each) for each in first] == ["new"] * 5
    late = event()
    assert shop.accept(late) == "busy"
    assert shop.accept(first[0]) == "known"
    assert store.waiting() == 5
    go.set()
    eventually(lambda: store.waiting() == 0, "all is finished")
    assert shop.accept(late) == "new"
    assert ("refused", "playing") in watcher.told


@pytest.mark.parametrize(
    ("error", "attempts"),
    [
        pytest.param(BotError("Slack takes nothing"), ATTEMPTS, id="may-pass"),
        pytest.param(RuntimeError("hunter2"), UNEXPECTED_ATTEMPTS, id="nobody-expected"),
    ],
)
def test_what_fails_is_tried_again_and_then_given_up_once(begin, store, error, attempts):
    def play(_: Claim) -> None:
        raise error

    platform, watcher = Playing(play=play), Watching()
    begin(platform, watcher=watcher).accept(event(turn="thread"))
    eventually(lambda: store.waiting() == 0, "it is finished")
    assert [each.attempt for each in platform.handled] == list(range(1, attempts + 1))
    assert len(platform.given_up) == 1
    assert watcher.told.count(("failed", "playing", type(error).__name__)) == attempts


def test_whoever_cannot_be_told_is_told_later_and_nothing_is_tried_for_ever(begin, store):
    def play(_: Claim) -> None:
        raise BotError("Slack takes nothing")

    platform = Playing(play=play, telling=play)
    begin(platform, last_pause=timedelta(milliseconds=1)).accept(event())
    eventually(lambda: store.waiting() == 0, "it is finished")
    assert [each.attempt for each in platform.given_up] == list(range(ATTEMPTS, LAST_ATTEMPT + 1))


def test_what_fails_once_is_handled_the_second_time(begin, store):
    def play(claim: Claim) -> None:
        if claim.attempt == 1:
            raise ValueError

    platform = Playing(play=play)
    begin(platform).accept(event())
    eventually(lambda: store.waiting() == 0, "it is finished")
    assert [each.attempt for each in platform.handled] == [1, 2]
    assert platform.given_up == []


def test_what_killed_every_process_that_began_it_is_given_up_without_being_begun_again(begin, store):
    store.accept(event())
    for _ in range(ATTEMPTS):
        assert store.claim("killed", lease=timedelta(0), now=datetime.now(UTC))
    platform = Playing()
    begin(platform)
    eventually(lambda: store.waiting() == 0, "it is finished")
    assert platform.handled == []
    assert [each.attempt for each in platform.given_up] == [ATTEMPTS + 1]


def test_a_lease_is_renewed_while_the_work_goes_on(begin, store):
    go = threading.Event()
    platform, other = Playing(play=until(go)), Playing()
    begin(platform, lease=timedelta(seconds=0.3)).accept(event())
    eventually(lambda: len(platform.handled) == 1, "it is begun")
    begin(other, name="two", lease=timedelta(seconds=0.3))
    first = platform.handled[0]
    eventually(lambda: datetime.now(UTC) > first.until + timedelta(seconds=0.6), "two leases are over")
    assert other.handled == []
    go.set()
    eventually(lambda: store.waiting() == 0, "it is finished")
    assert len(platform.handled) + len(other.handled) == 1


def test_it_ends_when_what_has_begun_is_done_and_leaves_the_rest_to_others(begin, store):
    go, platform = threading.Event(), Playing()
    platform.play = until(go)
    shop = begin(platform, workers=1)
    shop.accept(event())
    shop.accept(event())
    eventually(lambda: shop.at_work == 1, "one is begun")
    threading.Timer(0.2, go.set).start()
    assert shop.stop(20) == 0
    assert (len(platform.handled), store.waiting()) == (1, 1)
    successor = Playing()
    begin(successor, name="two")
    eventually(lambda: store.waiting() == 0, "the rest is finished")
    assert [each.attempt for each in successor.handled] == [1]


def test_what_takes_too_long_to_end_is_handed_over_at_once(begin, store):
    go, platform = threading.Event(), Playing()
    platform.play = until(go)
    shop = begin(platform, lease=timedelta(hours=1))
    shop.accept(event())
    eventually(lambda: shop.at_work == 1, "it is begun")
    assert shop.stop(0.05) == 1
    successor = Playing()
    begin(successor, name="two")
    eventually(lambda: store.waiting() == 0, "it is taken over and finished")
    assert [each.attempt for each in successor.handled] == [2]
    go.set()


class Faulty:
    """A store that cannot be reached while `down`; the rest is SQLite's."""

    def __init__(self, store: SqliteState) -> None:
        self._store = store
        self.down = False
        self.refused: list[str] = []

    def __getattr__(self, name):
        asked = getattr(self._store, name)

        def ask(*given, **named):
            if self.down:
                self.refused.append(name)
                raise StateUnavailable("the state store is down")
            return asked(*given, **named)

        return ask


def test_while_the_store_is_down_nothing_is_accepted_and_what_was_done_is_finished_later(store):
    faulty = Faulty(store)

    def play(_: Claim) -> None:
        faulty.down = True

    platform = Playing(play=play)
    shop = JobQueue(faulty, {"playing": platform}, name="one", watcher=Watching(), poll=0.02)
    shop.start()
    shop.accept(event())
    eventually(lambda: "finish" in faulty.refused, "it cannot be finished")
    with pytest.raises(StateUnavailable):
        shop.accept(event())
    eventually(lambda: "claim" in faulty.refused, "nothing can be claimed")
    faulty.down = False
    eventually(lambda: store.waiting() == 0, "it is finished")
    assert len(platform.handled) == 1
    assert shop.stop(5) == 0


def test_what_is_another_process_s_platform_is_left_to_it(begin, store, caplog):
    begin(Playing(), workers=1)
    store.accept(event(platform="elsewhere"))
    eventually(lambda: "nobody here handles what elsewhere" in caplog.text, "it is told")
    assert store.waiting() == 1


def test_no_line_of_the_log_holds_what_was_asked(begin, store, caplog):
    def play(_: Claim) -> None:
        raise RuntimeError("hunter2")

    begin(Playing(play=play)).accept(event())
    eventually(lambda: store.waiting() == 0, "it is given up")
    assert caplog.messages
    assert not [message for message in caplog.messages if "hunter2" in message]


REPLICA = """
import sys, threading, time
from datetime import timedelta
from pathlib import Path
from bot.server.job_queue import JobQueue
from bot.state.sqlite.store import SqliteState
from tests.bot.server.play import Playing, Watching
out = Path(sys.argv[2])

def play(claim):
    with out.open("a") as file: file.write(f"begun {claim.event.id} {claim.attempt}\\n")
    time.sleep(0.02)
    with out.open("a") as file: file.write(f"done {claim.event.id} {claim.attempt}\\n")

store = SqliteState(Path(sys.argv[1]))
shop = JobQueue(store, {"playing": Playing(play=play)}, name=sys.argv[3], watcher=Watching(), poll=0.05,
                lease=timedelta(seconds=1))
shop.start()
print("begun", flush=True)
time.sleep(120)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="processes are killed as POSIX does; run it on Linux or macOS")
def test_a_killed_replica_loses_nothing_and_repeats_only_what_it_had_begun(store, tmp_path):
    logs = [tmp_path / f"replica-{n}" for n in range(2)]
    given = [event(turn=f"t{n % 9}") for n in range(120)]
    for each in given:
        store.accept(each)
    replicas = [python(REPLICA, str(store.path), str(log), log.name) for log in logs]
    eventually(lambda: _written(logs[0], "done") > 5, "the first works")
    replicas[0].kill()
    eventually(lambda: store.waiting() == 0, "all is finished")
    replicas[1].kill()
    for replica in replicas:
        assert replica.stdout is not None
        replica.stdout.close()
        replica.wait()
    done = Counter(line.split()[1] for log in logs for line in log.read_text().splitlines() if line.startswith("done"))
    assert set(done) == {each.id for each in given}
    begun, ended = _written(logs[0], "begun"), _written(logs[0], "done")
    assert sum(done.values()) - len(given) <= max(8, begun - ended)


def _written(log: Path, word: str) -> int:
    return sum(line.startswith(word) for line in log.read_text().splitlines()) if log.exists() else 0
