"""Cuts token sequences to the model's window and groups them into batches of similar length (pure)."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def split_windows(ids: Sequence[int], window: int) -> list[Sequence[int]]:
    """Consecutive parts of at most `window` ids; one empty part for an empty text."""
    return [ids[start : start + window] for start in range(0, len(ids), window)] or [ids]


def batch_by_size(items: Sequence[T], *, size: Callable[[T], int], budget: int) -> Iterator[list[T]]:
    """Items by size, longest first, in batches whose padded area stays within `budget`.

    An item larger than the budget is a batch of its own.
    """
    batch: list[T] = []
    for item in sorted(items, key=size, reverse=True):
        if batch and size(batch[0]) * (len(batch) + 1) > budget:
            yield batch
            batch = []
        batch.append(item)
    if batch:
        yield batch
