"""Coordinates the writes of a process: the write lock, and the one batch that is shown together while it is held."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import TypeVar

from retrieval.embedding.vectors import Encoded, text_key
from retrieval.errors import RetrievalError, SearchUnavailable
from retrieval.index.elastic.client import map_errors
from retrieval.index.elastic.current_generation import CurrentGeneration
from retrieval.index.elastic.store import Store
from retrieval.index.elastic.write.batch_writer import BatchWriter
from retrieval.index.elastic.write.limits import WRITE_LIMITS, WriteLimits
from retrieval.index.elastic.write.lock import WriteLock
from retrieval.index.protocols import Indexable

Found = TypeVar("Found")


class WriteCoordinator:
    """Hands out writers; without the write lock every change is shown by itself, while it is held all together.

    Raises `SearchUnavailable` when the index cannot be reached; `place` names it there.
    """

    def __init__(
        self,
        current: CurrentGeneration,
        lock: WriteLock,
        *,
        place: str,
        limits: WriteLimits = WRITE_LIMITS,
    ) -> None:
        self._current, self._lock, self._place, self._limits = current, lock, place, limits
        self._one_at_a_time = threading.RLock()
        self._writer: BatchWriter | None = None
        self._uncommitted: dict[bytes, Encoded] = {}

    @contextmanager
    def lock(self, on_wait: Callable[[], None]) -> Iterator[None]:
        """Hold the write lock; changes are shown together, at the latest at its end."""
        with ExitStack() as held:
            with map_errors(self._place):
                outermost = held.enter_context(self._lock.hold(on_wait))
            if not outermost:
                yield
                return
            try:
                self._clear()
                yield
                self.flush(clean=True)
            except SearchUnavailable:
                raise  # what is collected could not be written either; the next sync does it again
            except BaseException:
                with suppress(RetrievalError):  # the first failure is the one to report
                    self.flush()
                raise
            finally:
                self.discard()

    def _clear(self) -> None:
        """Delete what a killed writer left."""
        with map_errors(self._place):
            store = self._current.store()
            if store:
                self.open_writer(store).cleaner.clear()

    def flush(self, *, clean: bool = False) -> None:
        """Show what this thread has written; with `clean` also delete what it replaced a while ago."""
        if not self._lock.is_mine or self._writer is None:
            return
        with map_errors(self._place):
            self._writer.commit()
            self._uncommitted.clear()
            if clean:
                self._writer.cleaner.clean()
                self._writer.merge()

    def discard(self) -> None:
        """Give up the writer and what it has not committed."""
        if self._writer:
            self._writer.close()
        self._writer = None
        self._uncommitted.clear()

    def open_writer(self, store: Store) -> BatchWriter:
        """A writer of its own; it is fenced by the write lock if this thread holds it."""
        fence = self._lock.check if self._lock.is_mine else _no_fence
        return BatchWriter(store, now=lambda: time.time_ns() // 1_000_000, fence=fence, limits=self._limits)

    @contextmanager
    def writer(self) -> Iterator[BatchWriter]:
        """A writer of the current generation, which is made if there is none."""
        with self._one_at_a_time, map_errors(self._place), self._writer_of(None) as writer:
            yield writer

    @contextmanager
    def existing_writer(self) -> Iterator[BatchWriter | None]:
        """A writer of the current generation, or None when there is none and so nothing to change."""
        with self._one_at_a_time, map_errors(self._place):
            store = self._current.store()
            if store is None:
                yield None
                return
            with self._writer_of(store) as writer:
                yield writer

    @contextmanager
    def _writer_of(self, store: Store | None) -> Iterator[BatchWriter]:
        """The lock holder's writer, or one whose changes are shown when this ends."""
        if self._lock.is_mine and self._writer:
            yield self._writer
            return
        writer = self.open_writer(store or self._current.create())
        if self._lock.is_mine:
            self._writer = writer
            yield writer
            return
        try:
            yield writer
            writer.commit()
        finally:
            writer.close()

    def remember(self, passages: Sequence[Indexable], writer: BatchWriter) -> None:
        """Keep the vectors of passages that are not searchable yet, for `uncommitted_vectors`."""
        if not self._lock.is_mine:
            return
        if writer.is_empty:
            self._uncommitted.clear()
            return
        for each in passages:
            self._uncommitted[text_key(each.passage.embedded_text)] = each.text
            self._uncommitted[text_key(each.passage.embedded_heading)] = each.heading

    def uncommitted_vectors(self, keys: Sequence[bytes]) -> dict[bytes, Encoded]:
        """Those of these vectors that this thread has written and not shown yet."""
        return {key: self._uncommitted[key] for key in keys if key in self._uncommitted} if self._lock.is_mine else {}

    def read(self, read: Callable[[Store], Found], *, default: Found) -> Found:
        """What the current generation holds, this thread's changes with it; `default` when there is none."""
        self.flush()
        with map_errors(self._place):
            store = self._current.store()
            return read(store) if store else default


def _no_fence() -> None:
    """Let every write pass that is made without the write lock."""
