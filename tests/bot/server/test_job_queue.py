"""Accepted events are handled once each, by any of several processes, whatever fails meanwhile."""

import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.channels.port import Accepted
from bot.errors import BotError, StateUnavailable
from bot.server.job_queue import LEASE, QUEUE_LIMIT, JobQueue
from bot.server.metrics import Metrics
from bot.server.workers import RetryPolicy, WorkerPool
from bot.state.protocol import Claim, Event
from bot.state.sqlite.store import SqliteState
from tests.bot.server.metric_samples import sample, samples
from tests.bot.server.scripted_channel import ScriptedChannel, event, wait_for
from tests.processes import start_python
from tests.servers.redis_servers import eventually

POLICY = RetryPolicy()


class RecordedStore:
    """A SQLite store that records the names of calls, and that cannot be reached while `down`."""

    def __init__(self, store: SqliteState) -> None:
        self._store = store
        self.down = False
        self.calls: list[str] = []
        self.refused: list[str] = []

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._store, name)

        def call(*arguments: Any, **named: Any) -> Any:
            if self.down:
                self.refused.append(name)
                raise StateUnavailable("the state store is down")
            self.calls.append(name)
            return method(*arguments, **named)

        return call


@dataclass(frozen=True)
class Replica:
    """A queue with its workers, as one process has them."""

    queue: JobQueue
    workers: WorkerPool
    metrics: Metrics

    def accept(self, given: Event) -> Accepted:
        return self.queue.accept(given)

    def stop(self, timeout: float) -> int:
        return self.workers.stop(timeout)

    def counted(self, name: str, **labels: str) -> float:
        return samples(self.metrics).get(sample(name, platform="scripted", **labels), 0.0)


def start_replica(
    store: Any,
    channel: ScriptedChannel,
    *,
    name: str = "one",
    workers: int = 4,
    limit: int = QUEUE_LIMIT,
    lease: timedelta = LEASE,
    poll: float = 0.05,
    give_up_pause: timedelta = POLICY.give_up_pause,
) -> Replica:
    metrics = Metrics()
    queue = JobQueue(store, name=name, metrics=metrics, limit=limit, lease=lease)
    retry = RetryPolicy(first_pause=timedelta(milliseconds=1), give_up_pause=give_up_pause)
    pool = WorkerPool(queue, {"scripted": channel}, metrics=metrics, workers=workers, poll=poll, retry=retry)
    pool.start()
    return Replica(queue, pool, metrics)


@pytest.fixture
def store(tmp_path) -> Iterator[SqliteState]:
    with closing(SqliteState(tmp_path / "state.db")) as opened:
        yield opened


@pytest.fixture
def start(store) -> Iterator[Callable[..., Replica]]:
    """Starts replicas, which stop with the test."""
    with ExitStack() as stack:

        def started(channel: ScriptedChannel, **options: Any) -> Replica:
            replica = start_replica(store, channel, **options)
            stack.callback(replica.stop, 5)
            return replica

        yield started


def ids(claims: list[Claim]) -> list[str]:
    return [each.event.id for each in claims]


def test_what_is_accepted_is_handled_once_and_finished(start, store):
    channel = ScriptedChannel()
    replica = start(channel)
    given = [event() for _ in range(30)]
    assert [replica.accept(each) for each in given] == ["new"] * 30
    assert replica.accept(given[0]) == "known"
    eventually(lambda: store.waiting() == 0, "all is finished")
    assert Counter(ids(channel.handled)) == Counter(each.id for each in given)
    assert replica.accept(given[0]) == "known"
    eventually(lambda: replica.counted("footnote_handling_seconds_count") == 30, "all is counted")


def test_an_event_is_begun_at_once_though_the_store_is_asked_rarely(store):
    recorded, channel = RecordedStore(store), ScriptedChannel()
    replica = start_replica(recorded, channel, poll=60)
    eventually(lambda: "claim" in recorded.calls, "a worker has looked for events")
    replica.accept(event())
    eventually(lambda: len(channel.handled) == 1, "it is handled")
    replica.stop(5)


def test_what_another_process_accepted_is_found(start, store):
    channel = ScriptedChannel()
    start(channel)
    store.accept(event())
    eventually(lambda: len(channel.handled) == 1, "it is handled")


def test_a_turn_keeps_its_order_while_others_go_on(start, store):
    begun, go = threading.Event(), threading.Event()

    def handle(claim: Claim) -> None:
        if claim.event.id == "first":
            begun.set()
            assert go.wait(20)

    channel = ScriptedChannel(on_handle=handle)
    replica = start(channel)
    replica.accept(event(name="first", turn="thread"))
    assert begun.wait(20)
    replica.accept(event(name="second", turn="thread"))
    replica.accept(event(name="elsewhere", turn="other"))
    eventually(lambda: "elsewhere" in ids(channel.handled), "the other turn is handled")
    assert "second" not in ids(channel.handled)
    go.set()
    eventually(lambda: store.waiting() == 0, "all is finished")
    assert ids(channel.handled) == ["first", "elsewhere", "second"]


def test_beyond_the_limit_it_is_busy_and_nothing_grows(start, store):
    go = threading.Event()
    channel = ScriptedChannel(on_handle=wait_for(go))
    replica = start(channel, limit=5, workers=2)
    first = [event() for _ in range(5)]
    assert [replica.accept(each) for each in first] == ["new"] * 5
    late = event()
    assert replica.accept(late) == "busy"
    assert replica.accept(first[0]) == "known"
    assert store.waiting() == 5
    go.set()
    eventually(lambda: store.waiting() == 0, "all is finished")
    assert replica.accept(late) == "new"
    assert replica.counted("footnote_busy_total") == 1


@pytest.mark.parametrize(
    ("error", "attempts"),
    [
        pytest.param(BotError("Slack takes nothing"), POLICY.attempts, id="may-pass"),
        pytest.param(RuntimeError("hunter2"), POLICY.unexpected_attempts, id="nobody-expected"),
    ],
)
def test_what_fails_is_tried_again_and_then_given_up_once(start, store, error, attempts):
    def handle(_: Claim) -> None:
        raise error

    channel = ScriptedChannel(on_handle=handle)
    replica = start(channel)
    replica.accept(event(turn="thread"))
    eventually(lambda: store.waiting() == 0, "it is finished")
    assert [each.attempt for each in channel.handled] == list(range(1, attempts + 1))
    assert len(channel.given_up) == 1
    assert replica.counted("footnote_errors_total", kind=type(error).__name__) == attempts


def test_giving_up_is_tried_again_later_and_not_for_ever(start, store):
    def handle(_: Claim) -> None:
        raise BotError("Slack takes nothing")

    channel = ScriptedChannel(on_handle=handle, on_give_up=handle)
    start(channel, give_up_pause=timedelta(milliseconds=1)).accept(event())
    eventually(lambda: store.waiting() == 0, "it is finished")
    assert [each.attempt for each in channel.given_up] == list(range(POLICY.attempts, POLICY.last_attempt + 1))


def test_what_fails_once_is_handled_the_second_time(start, store):
    def handle(claim: Claim) -> None:
        if claim.attempt == 1:
            raise ValueError

    channel = ScriptedChannel(on_handle=handle)
    start(channel).accept(event())
    eventually(lambda: store.waiting() == 0, "it is finished")
    assert [each.attempt for each in channel.handled] == [1, 2]
    assert channel.given_up == []


def test_what_killed_every_process_that_began_it_is_given_up_without_being_begun_again(start, store):
    store.accept(event())
    for _ in range(POLICY.attempts):
        assert store.claim("killed", lease=timedelta(0), now=datetime.now(UTC))
    channel = ScriptedChannel()
    start(channel)
    eventually(lambda: store.waiting() == 0, "it is finished")
    assert channel.handled == []
    assert [each.attempt for each in channel.given_up] == [POLICY.attempts + 1]


def test_a_lease_is_renewed_while_the_work_goes_on(start, store):
    go = threading.Event()
    channel, other = ScriptedChannel(on_handle=wait_for(go)), ScriptedChannel()
    start(channel, lease=timedelta(seconds=0.3)).accept(event())
    eventually(lambda: len(channel.handled) == 1, "it is begun")
    start(other, name="two", lease=timedelta(seconds=0.3))
    first = channel.handled[0]
    eventually(lambda: datetime.now(UTC) > first.until + timedelta(seconds=0.6), "two leases are over")
    assert other.handled == []
    go.set()
    eventually(lambda: store.waiting() == 0, "it is finished")
    assert len(channel.handled) + len(other.handled) == 1


def test_it_ends_when_what_has_begun_is_done_and_leaves_the_rest_to_others(start, store):
    go, channel = threading.Event(), ScriptedChannel()
    channel.on_handle = wait_for(go)
    replica = start(channel, workers=1)
    replica.accept(event())
    replica.accept(event())
    eventually(lambda: len(replica.queue.held()) == 1, "one is begun")
    threading.Timer(0.2, go.set).start()
    assert replica.stop(20) == 0
    assert (len(channel.handled), store.waiting()) == (1, 1)
    successor = ScriptedChannel()
    start(successor, name="two")
    eventually(lambda: store.waiting() == 0, "the rest is finished")
    assert [each.attempt for each in successor.handled] == [1]


def test_what_takes_too_long_to_end_is_handed_over_at_once(start, store):
    go, channel = threading.Event(), ScriptedChannel()
    channel.on_handle = wait_for(go)
    replica = start(channel, lease=timedelta(hours=1))
    replica.accept(event())
    eventually(lambda: len(replica.queue.held()) == 1, "it is begun")
    assert replica.stop(0.05) == 1
    successor = ScriptedChannel()
    start(successor, name="two")
    eventually(lambda: store.waiting() == 0, "it is taken over and finished")
    assert [each.attempt for each in successor.handled] == [2]
    go.set()


def test_while_the_store_is_down_nothing_is_accepted_and_what_was_done_is_finished_later(store):
    unreliable = RecordedStore(store)

    def handle(_: Claim) -> None:
        unreliable.down = True

    channel = ScriptedChannel(on_handle=handle)
    replica = start_replica(unreliable, channel, poll=0.02)
    replica.accept(event())
    eventually(lambda: "finish" in unreliable.refused, "it cannot be finished")
    with pytest.raises(StateUnavailable):
        replica.accept(event())
    eventually(lambda: "claim" in unreliable.refused, "nothing can be claimed")
    unreliable.down = False
    eventually(lambda: store.waiting() == 0, "it is finished")
    assert len(channel.handled) == 1
    assert replica.stop(5) == 0


def test_what_is_another_process_s_channel_is_left_to_it(start, store, caplog):
    start(ScriptedChannel(), workers=1)
    store.accept(event(platform="elsewhere"))
    eventually(lambda: "nobody here handles what elsewhere" in caplog.text, "it is logged")
    assert store.waiting() == 1


def test_no_line_of_the_log_holds_what_was_asked(start, store, caplog):
    def handle(_: Claim) -> None:
        raise RuntimeError("hunter2")

    start(ScriptedChannel(on_handle=handle)).accept(event())
    eventually(lambda: store.waiting() == 0, "it is given up")
    assert caplog.messages
    assert not [message for message in caplog.messages if "hunter2" in message]


REPLICA = """
import sys, time
from datetime import timedelta
from pathlib import Path
from bot.state.sqlite.store import SqliteState
from tests.bot.server.scripted_channel import ScriptedChannel
from tests.bot.server.test_job_queue import start_replica
out = Path(sys.argv[2])

def handle(claim):
    with out.open("a") as file: file.write(f"begun {claim.event.id} {claim.attempt}\\n")
    time.sleep(0.02)
    with out.open("a") as file: file.write(f"done {claim.event.id} {claim.attempt}\\n")

store = SqliteState(Path(sys.argv[1]))
start_replica(store, ScriptedChannel(on_handle=handle), name=sys.argv[3], workers=8, lease=timedelta(seconds=1))
print("begun", flush=True)
time.sleep(120)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="processes are killed as POSIX does; run it on Linux or macOS")
def test_a_killed_replica_loses_nothing_and_repeats_only_what_it_had_begun(store, tmp_path):
    logs = [tmp_path / f"replica-{n}" for n in range(2)]
    given = [event(turn=f"t{n % 9}") for n in range(120)]
    for each in given:
        store.accept(each)
    replicas = [start_python(REPLICA, str(store.path), str(log), log.name) for log in logs]
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
