"""Look-ups are begun once, keep nobody waiting, and end with the process."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import closing

import pytest

from bot.channels.lookups import SLOW_THREADS, Lookups
from bot.errors import BotError

PATIENCE = 10.0


@pytest.fixture
def lookups() -> Iterator[Lookups]:
    with closing(Lookups(threads=4, delay=0.0)) as opened:
        yield opened


def test_what_is_under_way_is_not_begun_again(lookups):
    go, begun = threading.Event(), list[int]()

    def look_up() -> int:
        begun.append(1)
        assert go.wait(PATIENCE)
        return len(begun)

    first = [lookups.start("a", look_up) for _ in range(20)]
    go.set()
    assert [each.result(PATIENCE) for each in first] == [1] * 20
    assert lookups.start("a", look_up).result(PATIENCE) == 2


def test_what_is_slow_keeps_nothing_else_from_its_turn(lookups):
    go = threading.Event()
    slow = [lookups.start(f"slow {n}", lambda: go.wait(PATIENCE), slow=True) for n in range(3 * SLOW_THREADS)]
    assert lookups.start("quick", lambda: "found").result(PATIENCE) == "found"
    assert not any(each.done() for each in slow)
    go.set()
    assert all(each.result(PATIENCE) for each in slow)


@pytest.mark.parametrize("threads", [0, 4])
def test_whoever_waits_gets_the_error_and_the_next_one_looks_again(threads, caplog):
    def fail() -> None:
        raise BotError("there is nothing")

    with closing(Lookups(threads, delay=0.0)) as lookups:
        for _ in range(2):
            with pytest.raises(BotError, match="nothing"):
                lookups.start("a", fail).result(PATIENCE)
        assert lookups.start("a", lambda: "found").result(PATIENCE) == "found"
    assert [each.levelname for each in caplog.records if each.levelname in {"WARNING", "ERROR"}] == []


def test_the_end_of_the_process_ends_what_is_slow():
    lookups, paused = Lookups(threads=1), list[bool]()
    began = threading.Event()

    def wait() -> None:
        began.set()
        paused.append(lookups.pause(3600))

    later = [lookups.start(f"late {n}", wait, slow=True) for n in range(3 * SLOW_THREADS)]  # after their delay
    ends = time.monotonic() + PATIENCE
    lookups.close()
    lookups.close()
    assert time.monotonic() < ends
    assert set(paused) <= {False}
    for each in later:
        try:
            each.result(0)
        except CancelledError:
            continue
    assert lookups.start("afterwards", lambda: "at once").done()
