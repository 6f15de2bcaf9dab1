"""Every state store gives an event to one worker at a time, in order, until it is finished, and keeps values."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from bot.errors import StateUnavailable, TooMany
from bot.state.protocol import Claim, Event, StateStore
from bot.state.redis.store import RedisState
from bot.state.sqlite.store import SqliteState
from tests.fakes import NOON
from tests.feedback.conftest import SERVERS, SPECIAL, redis_url
from tests.processes import start_python
from tests.servers.redis_servers import remove

__all__ = ["redis_url"]

LEASE = timedelta(seconds=30)
DAY = timedelta(hours=24)


@dataclass(frozen=True)
class Location:
    """Where a store keeps its state; a call opens the store once more, as another process would."""

    path: Path
    url: str = ""
    workspace: str = ""

    def __call__(self) -> StateStore:
        return RedisState(self.url, workspace=self.workspace) if self.url else SqliteState(self.path)

    @property
    def code(self) -> str:
        """Python code that opens the store as `store`."""
        if self.url:
            return (
                "from bot.state.redis.store import RedisState\n"
                f"store = RedisState({self.url!r}, workspace={self.workspace!r})\n"
            )
        return (
            "from pathlib import Path\n"
            "from bot.state.sqlite.store import SqliteState\n"
            f"store = SqliteState(Path({str(self.path)!r}))\n"
        )


@pytest.fixture(params=["sqlite", *SERVERS, *SPECIAL])
def reopen(request, tmp_path, redis_url: Callable[[str], str]) -> Iterator[Location]:
    if request.param == "sqlite":
        yield Location(tmp_path / "state.db")
        return
    location = Location(tmp_path, redis_url(request.param), uuid4().hex)
    yield location
    if request.param == "own":
        remove(location.url, location.workspace)


@pytest.fixture
def store(reopen) -> Iterator[StateStore]:
    opened = reopen()
    yield opened
    opened.close()


def event(number: int = 0, *, turn: str = "", platform: str = "slack", payload: str = '{"text": "Übrig?"}') -> Event:
    return Event(platform, f"Ev{number:05}", NOON, payload, turn)


def claim(store, worker: str = "one", *, now=NOON, lease: timedelta = LEASE) -> Claim | None:
    found: Claim | None = store.claim(worker, lease=lease, now=now)
    return found


def claimed(store, worker: str = "one", *, now=NOON) -> Claim:
    found = claim(store, worker, now=now)
    assert found is not None
    return found


def test_an_accepted_event_is_claimed_as_it_came(store):
    given = event(turn="slack:T1:C1:17.5", payload='{"text": "Ünïcode \\u0000 \'quoted\'"}')
    assert store.accept(given)
    found = claimed(store)
    assert found == Claim(given, "one", NOON + LEASE, 1)
    assert claim(store, "two") is None


def test_nothing_accepted_is_nothing_to_claim(store):
    assert claim(store) is None
    assert store.waiting() == 0


def test_a_known_event_is_not_accepted_again_before_during_and_after_the_work(store):
    assert store.accept(event())
    assert not store.accept(event(payload="{}"))
    work = claimed(store)
    assert not store.accept(event())
    assert store.finish(work, now=NOON)
    assert not store.accept(event())
    assert claim(store) is None


def test_the_same_id_on_another_platform_is_another_event(store):
    assert store.accept(event())
    assert store.accept(event(platform="teams"))
    assert [claimed(store).event.platform, claimed(store).event.platform] == ["slack", "teams"]


def test_events_are_claimed_in_the_order_in_which_they_were_accepted(store):
    for number in (3, 1, 2):
        store.accept(event(number))
    assert [claimed(store).event.id[-1] for _ in range(3)] == ["3", "1", "2"]


def test_a_turn_is_worked_on_one_after_the_other_and_holds_nobody_else_up(store):
    for number, turn in enumerate(["thread", "thread", "other", "thread", "", ""]):
        store.accept(event(number, turn=turn))
    first = claimed(store)
    assert [claimed(store).event.id[-1] for _ in range(3)] == ["2", "4", "5"]
    assert claim(store) is None
    assert store.finish(first, now=NOON)
    second = claimed(store)
    assert second.event.id[-1] == "1"
    assert claim(store) is None
    store.finish(second, now=NOON)
    assert claimed(store).event.id[-1] == "3"


def test_a_turn_goes_on_with_what_comes_after_its_end(store):
    store.accept(event(1, turn="thread"))
    store.finish(claimed(store), now=NOON)
    store.accept(event(2, turn="thread"))
    assert claimed(store).event.id == "Ev00002"


def test_a_lease_that_ends_is_taken_over_with_the_notes_and_the_first_worker_learns_it(store):
    store.accept(event())
    first = claimed(store)
    assert store.renew(first, lease=LEASE, now=NOON, notes="ts=17.5")
    assert claim(store, "two", now=NOON + LEASE - timedelta(seconds=1)) is None
    second = claimed(store, "two", now=NOON + LEASE)
    assert (second.attempt, second.notes, second.worker) == (2, "ts=17.5", "two")
    assert not store.renew(first, lease=LEASE, now=NOON + LEASE)
    assert not store.renew(first, lease=LEASE, now=NOON + LEASE, notes="mine")
    assert not store.finish(first, now=NOON + LEASE)
    assert store.waiting() == 1
    assert store.finish(second, now=NOON + LEASE)


def test_the_same_worker_that_claims_again_has_lost_its_first_claim(store):
    store.accept(event())
    first = claimed(store)
    second = claimed(store, now=NOON + LEASE)
    assert not store.finish(first, now=NOON + LEASE)
    assert store.finish(second, now=NOON + LEASE)


def test_a_lease_that_is_renewed_is_kept(store):
    store.accept(event())
    work = claimed(store)
    assert store.renew(work, lease=LEASE, now=NOON + timedelta(seconds=20))
    assert claim(store, "two", now=NOON + timedelta(seconds=40)) is None
    assert claim(store, "two", now=NOON + timedelta(seconds=50)) is not None


def test_a_lease_that_ended_can_be_renewed_and_finished_while_nobody_took_over(store):
    store.accept(event())
    work = claimed(store)
    late = NOON + 10 * LEASE
    assert store.renew(work, lease=LEASE, now=late)
    assert claim(store, "two", now=late) is None
    assert store.finish(work, now=late + 2 * LEASE)
    assert claim(store, "two", now=late + 3 * LEASE) is None


def test_a_claim_that_is_given_back_is_anybody_s_at_once(store):
    store.accept(event(1, turn="thread"))
    store.accept(event(2, turn="thread"))
    assert store.renew(claimed(store), lease=timedelta(0), now=NOON, notes="begun")
    again = claimed(store, "two")
    assert (again.event.id, again.attempt, again.notes) == ("Ev00001", 2, "begun")


def test_a_turn_whose_worker_died_is_taken_over_at_the_same_place(store):
    store.accept(event(1, turn="thread"))
    store.accept(event(2, turn="thread"))
    claimed(store)
    assert claimed(store, "two", now=NOON + LEASE).event.id == "Ev00001"
    assert claim(store, "three", now=NOON + LEASE) is None


def test_to_finish_twice_changes_nothing(store):
    store.accept(event(1, turn="thread"))
    store.accept(event(2, turn="thread"))
    work = claimed(store)
    assert store.finish(work, now=NOON)
    assert store.finish(work, now=NOON)
    assert not store.renew(work, lease=LEASE, now=NOON)
    assert claimed(store).event.id == "Ev00002"
    assert claim(store) is None


def test_finished_events_stay_known_for_a_day_and_then_go(store):
    store.accept(event(1))
    store.finish(claimed(store), now=NOON)
    claim(store, now=NOON + DAY - timedelta(seconds=1))
    assert not store.accept(event(1))
    claim(store, now=NOON + DAY)
    assert store.accept(event(1))
    assert claimed(store, now=NOON + DAY).attempt == 1


def test_what_waits_is_counted_until_it_is_finished(store):
    for number in range(3):
        store.accept(event(number, turn="thread"))
    work = claimed(store)
    assert store.waiting() == 3
    store.finish(work, now=NOON)
    assert store.waiting() == 2


def test_where_too_many_wait_a_new_event_is_refused_and_a_known_one_is_known(store):
    assert store.accept(event(1), limit=2)
    assert store.accept(event(2), limit=2)
    with pytest.raises(TooMany):
        store.accept(event(3), limit=2)
    assert not store.accept(event(1), limit=2)
    store.finish(claimed(store), now=NOON)
    assert store.accept(event(3), limit=2)
    assert store.waiting() == 2


def test_no_limit_may_be_nothing_at_all(store):
    with pytest.raises(TooMany):
        store.accept(event(1), limit=0)


def test_another_process_finds_what_was_accepted(store, reopen):
    store.accept(event(1))
    store.put("key", "value")
    other = reopen()
    assert not other.accept(event(1))
    assert claimed(other).event == event(1)
    assert other.get("key", now=NOON) == "value"
    other.close()


def test_a_value_is_kept_replaced_and_forgotten(store):
    assert store.get("a", now=NOON) is None
    store.put("a", "one")
    store.put("a", "zwölf\n two")
    assert store.get("a", now=NOON) == "zwölf\n two"
    store.remove("a")
    store.remove("a")
    assert store.get("a", now=NOON) is None
    assert store.keys("", now=NOON) == []


def test_many_values_are_kept_and_found_at_once(store):
    store.put("a", "old", expires=NOON + DAY)
    given = {"a": "1", "b": "", **{f"n{number}": str(number) for number in range(1_200)}}
    store.put_many(given, expires=NOON + LEASE)
    assert store.get_many([*given, "unknown"], now=NOON) == given
    assert store.keys("n1199", now=NOON) == ["n1199"]
    assert store.get_many(list(given), now=NOON + LEASE) == {}
    store.put_many({}, expires=NOON + LEASE)
    assert store.get_many([], now=NOON) == {}
    store.scrub(now=NOON + LEASE)
    assert store.keys("", now=NOON) == []


def test_a_value_may_be_empty(store):
    store.put("a", "")
    assert store.get("a", now=NOON) == ""


def test_a_value_expires(store):
    end = NOON + LEASE
    store.put("a", "1", expires=end)
    assert store.get("a", now=end - timedelta(microseconds=1)) == "1"
    assert store.get("a", now=end) is None
    assert store.keys("a", now=end) == []
    store.put("a", "2")
    assert store.get("a", now=end + DAY) == "2"


def test_expired_values_are_let_go_of_while_others_stay(store):
    for number in range(120):
        store.put(f"old-{number:03}", "x", expires=NOON)
    store.put("young", "x", expires=NOON + DAY)
    store.put("for-ever", "x")
    for _ in range(3):
        claim(store, now=NOON)
    assert store.keys("", now=NOON - DAY) == ["for-ever", "young"]


def test_a_value_is_added_only_where_none_stands(store):
    end = NOON + LEASE
    assert store.add("a", "1", expires=end, now=NOON)
    assert not store.add("a", "2", expires=end + DAY, now=NOON)
    assert store.get("a", now=NOON) == "1"
    assert store.add("a", "3", expires=end + DAY, now=end)
    assert store.get("a", now=end) == "3"
    store.put("b", "for ever")
    assert not store.add("b", "1", expires=end, now=NOON + DAY)


def test_keys_are_found_by_how_they_begin_in_order(store):
    for key in ("b:1", "a:2", "a:10", "a:1", "a", "ä:1", "A:1", "a:\U0010ffff"):
        store.put(key, "x")
    assert store.keys("a:", now=NOON) == ["a:1", "a:10", "a:2", "a:\U0010ffff"]
    assert store.keys("a%", now=NOON) == store.keys("c", now=NOON) == []
    assert store.keys("", now=NOON) == sorted(("b:1", "a:2", "a:10", "a:1", "a", "ä:1", "A:1", "a:\U0010ffff"))


def test_many_keys_are_all_found(store):
    for number in range(250):
        store.put(f"k{number:03}", "x", expires=NOON + (LEASE if number % 2 else -LEASE))
    assert store.keys("k", now=NOON) == [f"k{number:03}" for number in range(1, 250, 2)]


def test_a_text_that_is_not_utf_8_is_kept_somehow(store):
    assert store.accept(Event("slack", "Ev\udc80", NOON, "{}", "t\udc80"))
    assert not store.accept(Event("slack", "Ev\udc80", NOON, "{}", "t\udc80"))
    found = claimed(store)
    assert store.renew(found, lease=LEASE, now=NOON, notes="\udc80")
    assert store.finish(found, now=NOON)


def test_after_closing_it_is_unavailable(reopen):
    store = reopen()
    store.accept(event())
    store.close()
    store.close()
    with pytest.raises(StateUnavailable):
        store.accept(event())
    with pytest.raises(StateUnavailable):
        store.get("a", now=NOON)


def test_eight_threads_claim_each_event_once_and_keep_the_order_of_a_turn(store):
    for number in range(120):
        store.accept(event(number, turn=f"t{number % 7}" if number % 3 else ""))
    done: list[Claim] = []
    in_progress: Counter[str] = Counter()
    crossed = []
    lock = threading.Lock()

    def work(name: str) -> None:
        while store.waiting():
            found = claim(store, name)
            if found is None:
                continue
            turn = found.event.turn
            with lock:
                in_progress[turn] += 1
                if turn and in_progress[turn] > 1:
                    crossed.append(turn)
                done.append(found)
            time.sleep(0.001)
            with lock:
                in_progress[turn] -= 1
            assert store.finish(found, now=NOON)

    threads = [threading.Thread(target=work, args=(f"w{n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert crossed == []
    assert Counter(each.event.id for each in done) == Counter(f"Ev{number:05}" for number in range(120))
    for turn in {each.event.turn for each in done} - {""}:
        ids = [each.event.id for each in done if each.event.turn == turn]
        assert ids == sorted(ids)


HOLDER = """
import sys, time
from datetime import timedelta
from tests.fakes import NOON
for _ in range(3):
    held = store.claim(sys.argv[1], lease=timedelta(seconds=30), now=NOON)
    store.renew(held, lease=timedelta(seconds=30), now=NOON, notes=sys.argv[1])
    print(held.event.id, flush=True)
print("holding", flush=True)
time.sleep(60)
"""


def test_what_killed_processes_held_is_taken_over_when_their_leases_end(store, reopen):
    for number in range(6):
        store.accept(event(number, turn=f"t{number}"))
    holders = [start_python(reopen.code + HOLDER, name) for name in ("killed-1", "killed-2")]
    received = []
    for holder in holders:
        assert holder.stdout is not None
        while (line := holder.stdout.readline().strip()) and line != "holding":
            received.append(line)
        holder.kill()
        holder.stdout.close()
        holder.wait()
    assert sorted(received) == [f"Ev{number:05}" for number in range(6)]
    assert claim(store, "successor") is None
    again = [claimed(store, "successor", now=NOON + LEASE) for _ in range(6)]
    assert sorted(each.event.id for each in again) == sorted(received)
    assert {each.attempt for each in again} == {2}
    assert {each.notes for each in again} == {"killed-1", "killed-2"}
    assert all(store.finish(each, now=NOON + LEASE) for each in again)
    assert store.waiting() == 0


def test_values_come_with_their_keys_in_order(store):
    for number in range(250):
        store.put(f"a:{number:03}", f"value {number}", expires=NOON + DAY)
    store.put("a:gone", "old", expires=NOON)
    store.put("b", "other")
    assert list(store.values("a:", now=NOON)) == [(f"a:{number:03}", f"value {number}") for number in range(250)]
    assert list(store.values("c", now=NOON)) == []


def test_an_event_is_discarded_whoever_has_it_and_stays_known(store):
    first, second = event(0, turn="t"), event(1, turn="t")
    store.accept(first)
    store.accept(second)
    work = claimed(store)
    assert sorted(each.id for each in store.unfinished()) == [first.id, second.id]
    assert store.discard(first, now=NOON)
    assert store.unfinished() == [second]
    assert not store.discard(first, now=NOON)
    assert not store.discard(event(9), now=NOON)
    assert not store.renew(work, lease=LEASE, now=NOON)
    assert store.finish(work, now=NOON)
    assert not store.accept(first)
    other = claimed(store)
    assert other.event == second
    assert store.finish(other, now=NOON)
    assert [store.was_discarded(each) for each in (first, second, event(9))] == [True, False, False]


def test_scrubbing_deletes_all_that_has_expired_and_nothing_else(store):
    for number in range(120):
        store.put(f"old:{number}", "words", expires=NOON)
    store.put("young", "words", expires=NOON + DAY)
    store.put("lasting", "words")
    store.scrub(now=NOON)
    assert store.keys("", now=NOON - DAY) == ["lasting", "young"]
    store.scrub(now=NOON)


def test_a_store_that_is_closed_cannot_be_searched_or_scrubbed(store):
    store.close()
    uses = (
        lambda: list(store.values("", now=NOON)),
        store.unfinished,
        lambda: store.discard(event(), now=NOON),
        lambda: store.was_discarded(event()),
        lambda: store.scrub(now=NOON),
    )
    for use in uses:
        with pytest.raises(StateUnavailable):
            use()
