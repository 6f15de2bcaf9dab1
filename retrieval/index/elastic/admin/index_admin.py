"""Elasticsearch's `IndexAdmin`."""

from elasticsearch import NotFoundError

from retrieval.errors import IndexNotReady
from retrieval.index.elastic.admin.generations import GenerationIndex, GenerationIndices
from retrieval.index.elastic.admin.rebuild import fill, restrict
from retrieval.index.elastic.client import map_errors
from retrieval.index.elastic.current_generation import CurrentGeneration
from retrieval.index.elastic.mapping import SCHEMA_VERSION
from retrieval.index.elastic.store import Store
from retrieval.index.elastic.write.coordinator import WriteCoordinator
from retrieval.index.elastic.write.lock import WriteLock
from retrieval.index.generations import NONE_KEPT, rollback_refusal
from retrieval.index.protocols import Generation, Reindexer
from retrieval.ranking.analysis import Analyzer


class ElasticAdmin:
    """Builds generations as indices and moves the alias; `place` names the server in messages."""

    def __init__(
        self,
        indices: GenerationIndices,
        current: CurrentGeneration,
        coordinator: WriteCoordinator,
        lock: WriteLock,
        *,
        analyzer: Analyzer,
        place: str,
    ) -> None:
        self._indices, self._current, self._coordinator, self._lock = indices, current, coordinator, lock
        self._analyzer, self._place = analyzer, place

    def renew(self, reindex: Reindexer) -> None:
        """Rebuild the index if another embedding model or analyzer built it; else delete what a rebuild left."""
        self._coordinator.flush()
        with map_errors(self._place):
            old = self._current.store()
            if old is None:
                return
            if old.built == self._indices.wanted:
                self._indices.sweep()
                return
            self._build(old, reindex)

    def rebuild(self, reindex: Reindexer) -> None:
        """Fill a new generation beside the current one and put it in its place; nothing happens while there is none."""
        self._coordinator.flush()
        with map_errors(self._place):
            old = self._current.store()
            if old is not None:
                self._build(old, reindex)

    def _build(self, old: Store, reindex: Reindexer) -> None:
        if old.built.schema > SCHEMA_VERSION:
            self._current.check(old)
        new = self._current.create_successor(old)
        writer = self._coordinator.open_writer(new)
        try:
            fill(writer, old, reindex, analyzer=self._analyzer)
        finally:
            writer.close()
        self._lock.check()
        self._indices.finish(new.name)
        self._indices.promote(new.name)
        writer.merge()
        self._indices.sweep()
        self._coordinator.discard()

    def generations(self) -> list[Generation]:
        """Every complete generation, oldest first."""
        self._coordinator.flush()
        with map_errors(self._place):
            counted = [self._counted(each) for each in self._indices.all() if each.complete]
        return [each for each in counted if each]

    def _counted(self, each: GenerationIndex) -> Generation | None:
        """A generation with its counts; None for one that another process has just deleted."""
        try:
            documents, passages = self._current.open(each.name, each.built).counts()
        except NotFoundError:
            return None
        return Generation(each.name, each.built.embedding, each.built.analyzer, documents, passages, each.current)

    def rollback(self, reindex: Reindexer) -> str:
        """Restrict the kept generation as the current one is, and make it the current one."""
        self._coordinator.flush()
        with map_errors(self._place):
            kept, current = self._indices.kept(), self._current.store()
            if kept is None or current is None:
                raise IndexNotReady(NONE_KEPT)
            if reason := rollback_refusal(kept.built, self._indices.wanted):
                raise IndexNotReady(reason)
            writer = self._coordinator.open_writer(self._current.open_for_writing(kept.name, kept.built))
            try:
                restrict(writer, current, reindex, analyzer=self._analyzer)
            finally:
                writer.close()
            self._lock.check()
            self._indices.promote(kept.name)
            self._indices.sweep()
            self._coordinator.discard()
            return kept.name
