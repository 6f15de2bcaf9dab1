"""The store of the generation that the alias stands for."""

from collections.abc import Callable

from elasticsearch import Elasticsearch

from retrieval.errors import IndexNotReady
from retrieval.index.elastic.admin.generations import GenerationIndices
from retrieval.index.elastic.retries import RETRIES, Retries
from retrieval.index.elastic.store import Store
from retrieval.index.elastic.write.lock import WriteLock
from retrieval.index.generations import NOTHING_YET, IndexFingerprint, refusal


class CurrentGeneration:
    """Opens stores; the requests of the lock holder's, and of one for writing, may take `write_timeout` seconds."""

    def __init__(
        self,
        client: Elasticsearch,
        indices: GenerationIndices,
        lock: WriteLock,
        *,
        dimensions: Callable[[], int],
        write_timeout: float,
        retries: Retries = RETRIES,
    ) -> None:
        self._client, self._write_client = client, client.options(request_timeout=write_timeout)
        self._indices, self._lock, self._dimensions, self._retries = indices, lock, dimensions, retries

    def store(self) -> Store | None:
        """The current generation; None when nothing was ever written."""
        found = self._indices.current()
        if found is None:
            return None
        return self.open_for_writing(*found) if self._lock.is_mine else self.open(*found)

    def ready(self) -> Store:
        """The current generation; raises `IndexNotReady` when there is none, or as `check` does."""
        store = self.store()
        if store is None:
            raise IndexNotReady(NOTHING_YET)
        self.check(store)
        return store

    def check(self, store: Store) -> None:
        """Raise `IndexNotReady` for a generation that another embedding model or analyzer built."""
        reason = refusal(store.built, self._indices.wanted)
        if reason:
            raise IndexNotReady(reason)

    def create(self) -> Store:
        """The current generation for writing, made if there is none."""
        return self.open_for_writing(*self._indices.first(self._dimensions()))

    def create_successor(self, current: Store) -> Store:
        """A generation of the wanted kind beside the current one, for writing."""
        name = self._indices.successor(current.name, self._dimensions())
        return self.open_for_writing(name, self._indices.wanted)

    def open(self, name: str, built: IndexFingerprint) -> Store:
        """A generation by name, for reading."""
        return Store(self._client, name, built, retries=self._retries)

    def open_for_writing(self, name: str, built: IndexFingerprint) -> Store:
        """A generation by name, for writing."""
        return Store(self._write_client, name, built, retries=self._retries)
