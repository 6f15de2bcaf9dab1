"""Elasticsearch's `IndexReader`."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress

from retrieval.errors import IndexNotReady
from retrieval.index.elastic.client import IndexGone, map_errors
from retrieval.index.elastic.current_generation import CurrentGeneration
from retrieval.index.elastic.documents import passage_of, tokens_of
from retrieval.index.elastic.index_client import Record
from retrieval.index.elastic.query.executor import QueryExecutor
from retrieval.index.elastic.query.recent_records import RecentRecords
from retrieval.index.elastic.store import Store
from retrieval.index.elastic.write.coordinator import WriteCoordinator
from retrieval.index.generations import NOTHING_YET, IndexFingerprint
from retrieval.index.protocols import StoredDocument
from retrieval.passages import Document, Passage
from retrieval.ranking.candidates import Candidates, Key, Lookup, PassageTokens

# The current generation, and the one before it for searches that were under way when it was replaced.
GENERATIONS_KNOWN = 2


class ElasticReader:
    """Reads the generation behind the alias, which a search follows when it moves; `place` names the server."""

    def __init__(
        self,
        executor: QueryExecutor,
        coordinator: WriteCoordinator,
        current: CurrentGeneration,
        *,
        place: str,
    ) -> None:
        self._executor, self._coordinator, self._current, self._place = executor, coordinator, current, place
        self._recent = RecentRecords()
        self._known: list[tuple[str, IndexFingerprint]] = []

    def lookup(self, lookup: Lookup) -> Candidates:
        """The ranked lists of one query, each filtered by audience inside.

        Statistics are of what the audience may read; only which passages the lists hold at their far end depends on
        Lucene's, which count everything.
        """
        self._coordinator.flush()
        with map_errors(self._place):
            store, found = self._executor.run(lookup)
            if not found.found and store.counts() == (0, 0) and not store.sources():
                raise IndexNotReady(NOTHING_YET)
        generation = store.name, store.built
        if generation not in self._known:
            self._known = [*self._known, generation][-GENERATIONS_KNOWN:]
        return found

    def passages(self, keys: Sequence[Key]) -> Mapping[Key, Passage]:
        """The passages of these candidates; one that is gone by now is absent."""
        recent = self._recent.take(keys)
        missing = [key for key in keys if key not in recent]
        return {key: passage_of(record) for key, record in [*recent.items(), *self._records(missing)]}

    def tokens(self, keys: Sequence[Key]) -> Mapping[Key, PassageTokens]:
        """Token vectors of these candidates; one that is gone by now is absent."""
        found = dict(self._records(keys))
        self._recent.keep(found)
        return {key: tokens_of(record) for key, record in found.items()}

    def _records(self, keys: Sequence[Key]) -> Iterator[tuple[Key, Record]]:
        """The records of these candidates, whichever generation this process found them in."""
        self._coordinator.flush()
        for name, built in self._known:
            ids = {str(key).removeprefix(f"{name}/"): key for key in keys if str(key).startswith(f"{name}/")}
            if ids:
                store = self._current.open(name, built)
                with map_errors(self._place), suppress(IndexGone):  # a generation that was deleted meanwhile
                    yield from ((ids[id_], record) for id_, record in store.passages(list(ids)).items())

    def document(self, document: str, *, version: str | None = None) -> Document | None:
        """One document as it was parsed, the current version unless an older one is named."""
        return self._coordinator.read(lambda store: store.document(document, version), default=None)

    def audiences(self, documents: Collection[str]) -> Mapping[str, frozenset[str]]:
        """Who may read these documents at this moment."""
        if not documents:
            return {}
        return self._coordinator.read(lambda store: store.audiences(list(documents)), default={})

    def sections(self, document: str) -> list[Passage]:
        """The current passages of one document in reading order."""
        return self._coordinator.read(lambda store: [passage_of(each) for each in store.sections(document)], default=[])

    def sources(self) -> Mapping[str, str]:
        """The folder of each known source."""
        return self._coordinator.read(Store.sources, default={})

    def stored(self, source: str) -> Mapping[str, StoredDocument]:
        """The documents of one source by id; empty for an unknown source."""
        return self._coordinator.read(lambda store: store.stored(source), default={})

    def counts(self) -> tuple[int, int]:
        """How many documents and passages are indexed."""
        return self._coordinator.read(Store.counts, default=(0, 0))
