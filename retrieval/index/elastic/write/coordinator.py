"""Who changes the index: the sole right to, the writer that collects changes, and the generations' succession."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress

from elasticsearch import Elasticsearch, NotFoundError

from retrieval.embedding.sentence_transformers import text_key
from retrieval.errors import IndexNotReady, RetrievalError, SearchUnavailable
from retrieval.index.elastic.admin.generations import Described, Generations
from retrieval.index.elastic.client import WRITE_TIMEOUT, mapped
from retrieval.index.elastic.mapping import SCHEMA_VERSION
from retrieval.index.elastic.store import Store
from retrieval.index.elastic.write.batch_writer import BatchWriter
from retrieval.index.elastic.write.lock import Lock
from retrieval.index.generations import NONE_KEPT, NOTHING_YET, refusal, rollback_refusal
from retrieval.index.protocols import Encoded, Generation, Indexable

Filling = Callable[[BatchWriter, Store], None]
"""Fills the writer's generation from another's store."""


class WriteCoordinator:
    """The writing side of an index; outside `writing` every change is shown by itself, inside together.

    Raises `SearchUnavailable` when the index cannot be reached.
    """

    def __init__(
        self,
        client: Elasticsearch,
        generations: Generations,
        *,
        place: str,
        dimensions: Callable[[], int],
        lease: float,
    ) -> None:
        self._client, self._writing_client = client, client.options(request_timeout=WRITE_TIMEOUT)
        self._generations, self._dimensions, self._place = generations, dimensions, place
        self._lock = Lock(client, generations.lock, lease=lease)
        self._one_at_a_time = threading.RLock()
        self._holder: int | None = None
        self._writer: BatchWriter | None = None
        self._fresh: dict[bytes, Encoded] = {}

    @property
    def _holds(self) -> bool:
        """Whether this thread holds the sole right to write."""
        return self._holder == threading.get_ident()

    def current(self) -> Store | None:
        """The current generation; None when nothing was ever written."""
        found = self._generations.current()
        return Store(self._writing_client if self._holds else self._client, *found) if found else None

    def ready(self) -> Store:
        """The current generation, if this process's embedding model and analyzer made it; else `IndexNotReady`."""
        store = self.current()
        if store is None:
            raise IndexNotReady(NOTHING_YET)
        self.refuse(store)
        return store

    def refuse(self, store: Store) -> None:
        """Raise `IndexNotReady` for a generation that another model or analyzer made."""
        why = refusal(store.made, self._generations.wanted)
        if why:
            raise IndexNotReady(why)

    def made(self) -> Store:
        """The current generation for writing, made if there is none."""
        return Store(self._writing_client, *self._generations.first(self._dimensions()))

    def generations(self) -> list[Generation]:
        """Every complete generation, oldest first."""
        with mapped(self._place):
            counted = [self._counted(each) for each in self._generations.all() if each.complete]
        return [each for each in counted if each]

    def _counted(self, each: Described) -> Generation | None:
        """A generation with what it holds; None for one that another process has just deleted."""
        try:
            documents, passages = Store(self._client, each.name, each.made).counts()
        except NotFoundError:
            return None
        return Generation(each.name, each.made.embedding, each.made.analyzer, documents, passages, each.current)

    @contextmanager
    def writing(self, waiting: Callable[[], None]) -> Iterator[None]:
        """The sole right to change the index, across hosts; changes are shown together, at the latest at its end."""
        with ExitStack() as held:
            with mapped(self._place):
                outermost = held.enter_context(self._lock.holding(waiting))
            if not outermost:
                yield
                return
            self._holder = threading.get_ident()
            try:
                self._clear()
                yield
                self.settle(clean=True)
            except SearchUnavailable:
                raise  # what is collected could not be written either; the next sync does it again
            except BaseException:
                with suppress(RetrievalError):  # what failed first is what is told
                    self.settle()
                raise
            finally:
                self._let_go()
                self._holder = None

    def _clear(self) -> None:
        """Remove what a writer that was killed has left."""
        with mapped(self._place):
            store = self.current()
            if store:
                self._writer_of(store).clear()

    def settle(self, *, clean: bool = False) -> None:
        """What this thread has written is found from now on; `clean` removes what it replaced a while ago."""
        if not self._holds or self._writer is None:
            return
        with mapped(self._place):
            self._writer.commit()
            self._fresh.clear()
            if clean:
                self._writer.clean()
                self._writer.merge()

    def _let_go(self) -> None:
        if self._writer:
            self._writer.close()
        self._writer = None
        self._fresh.clear()

    def _writer_of(self, store: Store) -> BatchWriter:
        fence = self._lock.check if self._holds else _unfenced
        return BatchWriter(store, now=lambda: time.time_ns() // 1_000_000, fence=fence)

    @contextmanager
    def writer(self, store: Store | None) -> Iterator[BatchWriter]:
        """A writer whose changes are shown when this ends, or with the others of `writing`."""
        if self._holds and self._writer:
            yield self._writer
            return
        writer = self._writer_of(store or self.made())
        if self._holds:
            self._writer = writer
            yield writer
            return
        try:
            yield writer
            writer.commit()
        finally:
            writer.close()

    @contextmanager
    def making(self) -> Iterator[BatchWriter]:
        """A writer; the first generation is made if there is none."""
        with self._one_at_a_time, mapped(self._place), self.writer(None) as writer:
            yield writer

    @contextmanager
    def changing(self) -> Iterator[BatchWriter | None]:
        """A writer, or None when there is nothing to change."""
        with self._one_at_a_time, mapped(self._place):
            store = self.current()
            if store is None:
                yield None
                return
            with self.writer(store) as writer:
                yield writer

    def remember(self, passages: Sequence[Indexable], writer: BatchWriter) -> None:
        """Know the vectors of passages that are not found yet."""
        if not self._holds:
            return
        if writer.is_empty:
            self._fresh.clear()
            return
        for each in passages:
            self._fresh[text_key(each.passage.embedded_text)] = each.text
            self._fresh[text_key(each.passage.embedded_heading)] = each.heading

    def fresh(self, keys: Sequence[bytes]) -> Mapping[bytes, Encoded]:
        """Those of the remembered vectors that are wanted."""
        return {key: self._fresh[key] for key in keys if key in self._fresh} if self._holds else {}

    def renew(self, fill: Filling) -> None:
        """Put a new generation in the current one's place if that was made otherwise."""
        self.settle()
        with mapped(self._place):
            old = self.current()
            if old is None:
                return
            if old.made == self._generations.wanted:
                self._generations.sweep()
                return
            self._rebuilt(old, fill)

    def rebuild(self, fill: Filling) -> None:
        """Put a new generation in the current one's place, if there is one."""
        self.settle()
        with mapped(self._place):
            old = self.current()
            if old is not None:
                self._rebuilt(old, fill)

    def _rebuilt(self, old: Store, fill: Filling) -> None:
        if old.made.schema > SCHEMA_VERSION:
            self.refuse(old)
        name = self._generations.successor(old.name, self._dimensions())
        writer = self._writer_of(Store(self._writing_client, name, self._generations.wanted))
        try:
            fill(writer, old)
        finally:
            writer.close()
        self._lock.check()
        self._generations.finish(name)
        self._generations.promote(name)
        writer.merge()
        self._generations.sweep()
        self._let_go()

    def rollback(self) -> str:
        """Make the kept generation the current one."""
        self.settle()
        with mapped(self._place):
            kept = self._generations.kept()
            if kept is None:
                raise IndexNotReady(NONE_KEPT)
            if why := rollback_refusal(kept.made, self._generations.wanted):
                raise IndexNotReady(why)
            self._lock.check()
            self._generations.promote(kept.name)
            self._generations.sweep()
            self._let_go()
            return kept.name


def _unfenced() -> None:
    """Whoever changes the index without the sole right to is not kept from it."""
