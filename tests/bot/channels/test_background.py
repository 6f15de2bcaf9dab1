"""What may be lost is done in the background: bounded, the newest of a kind, never two of a kind at a time."""

import threading
from collections.abc import Iterator

import pytest

from bot.channels.background import BackgroundWorkers
from bot.channels.port import Refused

PATIENCE = 20


class Gate:
    """Work that waits until it is let through, and notes what it was called with."""

    def __init__(self) -> None:
        self.began, self.go = threading.Semaphore(0), threading.Semaphore(0)
        self.done: list[str] = []

    def __call__(self, name: str) -> None:
        self.began.release()
        assert self.go.acquire(timeout=PATIENCE)
        self.done.append(name)

    def wait(self) -> None:
        """Return once one more has begun."""
        assert self.began.acquire(timeout=PATIENCE)


@pytest.fixture
def workers() -> Iterator[BackgroundWorkers]:
    made = BackgroundWorkers("test", threads=2, most_waiting=2)
    yield made
    made.stop()


def test_of_those_that_wait_only_the_newest_is_done_and_not_beside_the_one_before(workers):
    gate = Gate()
    workers(gate, "first", key="home")
    gate.wait()
    for name in ("second", "third", "fourth"):
        workers(gate, name, key="home")
    other = threading.Event()
    workers(other.set)
    assert other.wait(PATIENCE), "another thread is free"
    assert not gate.began.acquire(blocking=False), "no second one has begun"
    gate.go.release()
    gate.wait()
    assert gate.done == ["first"]
    gate.go.release()
    workers(gate, "fifth", key="home")
    gate.wait()
    gate.go.release()
    workers.stop()
    assert gate.done == ["first", "fourth", "fifth"]


def test_what_is_too_much_is_dropped_and_said(workers, caplog):
    gate = Gate()
    for name in ("a", "b"):
        workers(gate, name)
        gate.wait()
    for name in ("c", "d", "e"):
        workers(gate, name)
    assert "something that may be lost is dropped" in caplog.text
    for _ in range(4):
        gate.go.release()
    for _ in range(2):
        gate.wait()
    workers.stop()
    assert sorted(gate.done) == ["a", "b", "c", "d"]


def test_what_fails_costs_nothing_else(workers, caplog):
    def fail(error: Exception) -> None:
        raise error

    done, later = threading.Event(), threading.Event()
    workers(fail, Refused("views.publish", "not_enabled"))
    workers(fail, ValueError("what nobody thought of"))
    workers(later.set)
    assert later.wait(PATIENCE)
    workers.stop()
    assert "views.publish: not_enabled" in caplog.text
    workers(done.set)
    assert not done.is_set(), "after the end nothing is begun"
