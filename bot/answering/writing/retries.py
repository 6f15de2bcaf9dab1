"""Repeats a call to a chat model after a failure that may pass."""

import random
import time
from collections.abc import Callable, Iterator
from itertools import islice
from typing import TypeVar

from bot.answering.writing.chat_model import Deadline, Limits
from bot.errors import GenerationFailed

T = TypeVar("T")

FIRST_WAIT = 0.5


def with_retries(
    call: Callable[[Deadline], Iterator[T]],
    limits: Limits,
    *,
    sleep: Callable[[float], None] = time.sleep,
    jitter: Callable[[], float] = random.random,
) -> Iterator[T]:
    """Yield what a call yields; repeat it after a passing failure, as long as it has yielded nothing.

    The wait is what the server asks for, else it doubles, with jitter. The last failure is raised when the attempts of
    `limits` are used up, or when the wait would outlast the time within which the text must begin.
    """
    from tenacity import RetryCallState, Retrying, retry_if_exception

    deadline = Deadline(limits)

    def start() -> tuple[list[T], Iterator[T]]:
        """Call, and wait for the first piece."""
        pieces = call(deadline)
        return list(islice(pieces, 1)), pieces

    def may_pass(error: BaseException) -> bool:
        return isinstance(error, GenerationFailed) and error.again

    def wait(state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.wait if isinstance(error, GenerationFailed) else 0.0
        return asked or FIRST_WAIT * 2 ** (state.attempt_number - 1) * (0.5 + jitter() / 2)

    def is_over(state: RetryCallState) -> bool:
        is_too_late = state.upcoming_sleep >= deadline.left(begun=False)
        return state.attempt_number >= limits.attempts or is_too_late

    retrying = Retrying(retry=retry_if_exception(may_pass), wait=wait, stop=is_over, sleep=sleep, reraise=True)
    first, rest = retrying(start)
    yield from first
    yield from rest
