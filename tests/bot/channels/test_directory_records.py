"""What is kept of people and channels holds for the time that it is from, whatever comes late or twice."""

import random
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from bot.access.directory import ChannelInfo, Person
from bot.channels.directory_records import MARGIN, PLACES_KEPT, DirectoryRecords, MembersRecord
from bot.state.sqlite.store import SqliteState

NOW = datetime(2026, 3, 2, 12, 30, tzinfo=UTC)
SECOND = timedelta(seconds=1)
STAFF = ("ada", "bob", "eve")


@dataclass
class Clock:
    at: datetime = NOW

    def __call__(self) -> datetime:
        return self.at


@dataclass
class Bench:
    state: SqliteState
    now: Clock = field(default_factory=Clock)

    @property
    def records(self) -> DirectoryRecords:
        return DirectoryRecords(self.state, "chat", "T1", pseudonym=lambda name: f"hash of {name}", now=self.now)

    def learn(self, *guests: str, members: tuple[str, ...] = STAFF, at: datetime = NOW) -> None:
        """Look everybody up, then who is in the channel."""
        self.records.people.save([Person(each, guest=each in guests) for each in {*STAFF, *members, *guests}], at=at)
        self.records.channels.save_members("c", members, large=False, at=at)

    def members(self) -> MembersRecord:
        found = self.records.channels.members("c")
        assert found
        return found

    def guests(self) -> set[str]:
        return {each.removeprefix("hash of chat:") for each in self.members().guests}

    def turn(self, user: str, *, guest: bool, at: datetime) -> None:
        self.records.people.note(Person(user, guest=guest), at=at)

    def move(self, user: str, *, joined: bool, at: datetime) -> None:
        self.records.channels.note_member("c", user, joined=joined, at=at)


@pytest.fixture
def bench(tmp_path) -> Iterator[Bench]:
    with closing(SqliteState(tmp_path / "state.db")) as state:
        yield Bench(state)


def test_events_of_one_person_may_come_in_any_order(bench):
    """Whatever order they are delivered in, and however often, the last one holds."""
    chance = random.Random(3)
    for round_ in range(30):
        start = NOW + timedelta(hours=round_ * 0.1)
        bench.now.at = start + timedelta(minutes=5)
        bench.learn(at=start)
        steps = [start + number * SECOND for number in range(1, 6)]
        turned, moved = ([chance.random() < 0.5 for _ in steps] for _ in "ab")
        events = [("turn", at, value) for at, value in zip(steps, turned, strict=True)]
        events += [("move", at, value) for at, value in zip(steps, moved, strict=True)]
        events += chance.choices(events, k=5)
        chance.shuffle(events)
        for kind, at, value in events:
            if kind == "turn":
                bench.turn("bob", guest=value, at=at)
            else:
                bench.move("bob", joined=value, at=at)
        assert bench.guests() == ({"bob"} if turned[-1] and moved[-1] else set()), (turned, moved, events)


def test_somebody_of_the_staff_who_has_come_since_and_becomes_a_guest_is_seen(bench):
    bench.learn(members=("ada",))
    bench.now.at += timedelta(minutes=5)
    bench.move("bob", joined=True, at=bench.now.at)
    assert bench.members().is_settled
    assert bench.guests() == set()
    bench.turn("bob", guest=True, at=bench.now.at)
    bench.turn("eve", guest=True, at=bench.now.at)
    assert bench.guests() == {"bob"}


def test_of_whom_nothing_is_known_the_channel_is_not_settled_until_they_are_looked_up(bench):
    bench.learn()
    bench.now.at += timedelta(minutes=5)
    bench.move("new", joined=True, at=bench.now.at)
    assert not bench.members().is_settled
    bench.records.people.save([Person("new", guest=False)], at=bench.now.at)
    assert bench.members().is_settled
    assert bench.guests() == set()
    bench.records.people.save([Person("new", guest=True)], at=bench.now.at + SECOND)
    assert bench.guests() == {"new"}


@pytest.mark.parametrize("skew", [-MARGIN / 2, timedelta(0), MARGIN / 2])
def test_at_about_the_time_of_a_look_up_whoever_may_be_a_guest_is_one(bench, skew):
    """Clocks differ; so may what two of the platform's machines know."""
    bench.learn("gil", members=(*STAFF, "gil"))
    bench.now.at += timedelta(minutes=5)
    bench.turn("bob", guest=True, at=NOW + skew)
    assert "bob" in bench.guests()
    if skew <= timedelta(0):
        bench.move("gil", joined=False, at=NOW + skew)
        assert "gil" in bench.guests(), "the list that was read since has them"


def test_what_was_told_long_before_a_look_up_does_not_count(bench):
    bench.learn()
    before = NOW - 2 * MARGIN
    bench.turn("bob", guest=True, at=before)
    bench.move("gil", joined=True, at=before)
    assert bench.members().is_settled
    assert bench.guests() == set()


def test_who_turned_out_to_be_a_guest_when_looked_up_again_is_one_in_lists_of_before(bench):
    bench.learn()
    bench.now.at += timedelta(minutes=30)
    bench.records.people.save([Person("bob", guest=True)], at=bench.now.at)
    assert bench.guests() == {"bob"}
    bench.now.at += timedelta(minutes=20)
    bench.records.people.save([Person("bob", guest=False)], at=bench.now.at)
    assert bench.guests() == set()


def test_a_list_that_is_gone_makes_nobody_known(bench):
    bench.learn()
    bench.now.at += timedelta(minutes=5)
    bench.state.remove("directory:chat:T1:members:c:list")
    assert bench.members().is_settled
    bench.turn("gil", guest=True, at=bench.now.at)
    assert bench.records.channels.members("c") is None


def test_a_channel_shared_at_about_the_time_of_a_look_up_is_shared(bench):
    channels = bench.records.channels
    channels.note_shared("c", external=True, at=NOW - MARGIN / 2)
    channels.save("c", ChannelInfo(), at=NOW)
    found = channels.get("c")
    assert found
    assert found.external
    bench.now.at += PLACES_KEPT
    assert channels.get("c") is None


def test_one_replica_at_a_time_does_what_is_slow(bench):
    rows = bench.records.rows
    assert rows.take("people")
    assert not bench.records.rows.take("people")
    assert rows.is_taken("people")
    bench.now.at += timedelta(seconds=100)
    rows.hold("people")
    bench.now.at += timedelta(seconds=100)
    assert rows.is_taken("people"), "it is held on to"
    bench.now.at += timedelta(seconds=100)
    assert rows.take("people"), "whoever held it has died"
    rows.release("people")
    assert not rows.is_taken("people")
