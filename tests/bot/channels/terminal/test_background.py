"""Work in a thread of its own: its values and its failure come through, and nobody has to wait for its end."""

import threading
from collections.abc import Iterator

import pytest

from bot.channels.terminal.background import in_background


def test_values_come_in_order_from_another_thread():
    assert list(in_background(iter([1, 2]))) == [1, 2]
    assert list(in_background(threading.get_ident() for _ in "a")) != [threading.get_ident()]


def test_each_value_comes_as_soon_as_it_is_there():
    more = threading.Event()

    def work() -> Iterator[int]:
        yield 1
        more.wait(30)
        yield 2

    values = in_background(work())
    assert next(values) == 1
    more.set()
    assert list(values) == [2]


def test_a_failure_comes_after_what_was_made_before_it():
    def work() -> Iterator[int]:
        yield 1
        raise KeyError("no")

    values = in_background(work())
    assert next(values) == 1
    with pytest.raises(KeyError, match="no"):
        next(values)


def test_abandoned_work_ends_at_its_next_value():
    more, closed = threading.Event(), threading.Event()

    def work() -> Iterator[int]:
        try:
            yield 1
            more.wait(30)
            yield 2
            pytest.fail("nobody asked for more")
        finally:
            closed.set()

    values = in_background(work())
    assert next(values) == 1
    values.close()  # type: ignore[attr-defined]  # what an interrupt in a loop over them does
    more.set()
    assert closed.wait(30)
