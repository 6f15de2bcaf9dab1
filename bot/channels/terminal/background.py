"""Runs work in a thread of its own, so that a person may stop waiting for it."""

import threading
from collections.abc import Iterator
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TypeVar

T = TypeVar("T")


def in_background(work: Iterator[T]) -> Iterator[T]:
    """Yield the values of an iterator that runs in a thread of its own, each as soon as it is there.

    Where no more values are taken, the work ends by itself at its next value. So an interrupt never hits the middle of
    it: half an import of torch, say, could not be repaired in the same process. What the work raises is raised here,
    after the values before it.
    """
    results: SimpleQueue[tuple[T] | BaseException | None] = SimpleQueue()
    abandoned = threading.Event()
    threading.Thread(target=_run, args=(work, results, abandoned), daemon=True).start()
    try:
        while (item := _next(results)) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item[0]
    finally:
        abandoned.set()


def _next(results: "SimpleQueue[tuple[T] | BaseException | None]") -> tuple[T] | BaseException | None:
    while True:
        with suppress(Empty):
            return results.get(timeout=0.2)  # an interrupt that comes just before the wait is noticed after it


def _run(
    work: Iterator[T], results: "SimpleQueue[tuple[T] | BaseException | None]", abandoned: threading.Event
) -> None:
    try:
        for value in work:
            if abandoned.is_set():
                return
            results.put((value,))
        results.put(None)
    except BaseException as error:  # noqa: BLE001 - raised again where the work is waited for
        results.put(error)
