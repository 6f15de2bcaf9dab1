"""When a call to a chat model is repeated, and how long that waits."""

from collections.abc import Iterator
from typing import Any

import pytest

from bot.answering.writing.chat_model import Deadline, Limits
from bot.answering.writing.retries import with_retries
from bot.errors import GenerationFailed


class Attempts:
    """A call that fails as scripted, then yields."""

    def __init__(self, *failures: GenerationFailed, after: int = 0) -> None:
        self.failures = list(failures)
        self.after = after
        self.waits: list[float] = []

    def once(self, _: Deadline) -> Iterator[int]:
        yield from range(self.after)
        if self.failures:
            raise self.failures.pop(0)
        yield 7

    def run(self, **limits: Any) -> list[int]:
        return list(with_retries(self.once, Limits(**limits), sleep=self.waits.append, jitter=lambda: 1.0))


def transient(wait: float = 0.0) -> GenerationFailed:
    return GenerationFailed("unavailable", again=True, wait=wait)


def test_waits_grow_and_a_server_s_own_wish_comes_first():
    attempts = Attempts(transient(), transient())
    assert (attempts.run(), attempts.waits) == ([7], [0.5, 1.0])
    attempts = Attempts(transient(3.0))
    assert (attempts.run(), attempts.waits) == ([7], [3.0])


@pytest.mark.parametrize(
    ("attempts", "limits"),
    [
        pytest.param(Attempts(transient(), transient(), transient()), {}, id="three-are-enough"),
        pytest.param(Attempts(GenerationFailed("refused")), {}, id="a-lasting-failure"),
        pytest.param(Attempts(transient(), after=1), {}, id="something-was-given"),
        pytest.param(Attempts(transient(30.0)), {}, id="a-wait-longer-than-the-time-left"),
        pytest.param(Attempts(transient()), {"seconds": 0.1}, id="no-time-left"),
    ],
)
def test_what_is_not_repeated(attempts, limits):
    with pytest.raises(GenerationFailed):
        attempts.run(**limits)


def test_what_a_call_yields_comes_as_soon_as_it_is_there():
    yielded: list[int] = []

    def call(_: Deadline) -> Iterator[int]:
        for number in range(3):
            yielded.append(number)
            yield number

    pieces = with_retries(call, Limits())
    assert next(pieces) == 0
    assert yielded == [0]


def test_a_call_that_is_left_is_closed_at_once():
    closed: list[bool] = []

    def call(_: Deadline) -> Iterator[int]:
        try:
            yield 1
            yield 2
        finally:
            closed.append(True)

    for _ in with_retries(call, Limits()):
        break
    assert closed == [True]


def test_a_call_that_yields_nothing_yields_nothing():
    assert list(with_retries(lambda _: iter(()), Limits())) == []
