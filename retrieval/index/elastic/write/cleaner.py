"""Deletes records of one generation: hidden ones, what killed writers left, old versions."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from retrieval.index.elastic.documents import source_mark
from retrieval.index.elastic.index_client import VALUES_AT_ONCE
from retrieval.index.elastic.mapping import BLOCK, DOCUMENT, PASSAGE, SKIP, TEXT, VERSION, of_kind
from retrieval.index.elastic.store import Store
from retrieval.index.elastic.write.bulk import deletion, send_now
from retrieval.index.elastic.write.limits import WRITE_LIMITS, WriteLimits

VERSIONS_KEPT = 10


class Cleaner:
    """Deletes records; killed half-way, the next call goes on. `now` is the time in milliseconds."""

    def __init__(
        self,
        store: Store,
        *,
        now: Callable[[], int],
        fence: Callable[[], None],
        limits: WriteLimits = WRITE_LIMITS,
    ) -> None:
        self._store, self._now, self._fence, self._limits = store, now, fence, limits

    def clear(self) -> None:
        """Delete what killed writers left; only while the write lock is held."""
        hidden = self._store.visibility.read()
        for mark in hidden.batches:
            self._store.index.refresh()
            self._remove_marked(mark)
        for mark in hidden.sources:
            self._remove_marked(mark)

    def clean(self, *, at_most: int = 0) -> None:
        """Delete replaced editions that no query can be reading any more, if more than `at_most` are hidden."""
        hidden = self._store.visibility.read()
        if len(hidden.replaced) > at_most:
            self.remove_editions(hidden.replaced_before(self._now() - self._limits.grace_ms))

    def forget(self, source: str) -> None:
        """Delete everything that carries a source's mark: hidden in one step, then deleted."""
        mark = source_mark(source)
        self._store.visibility.change(hide=[mark], fence=self._fence)
        self._store.index.refresh()
        self._remove_marked(mark)
        self._store.index.refresh()

    def _remove_marked(self, mark: str) -> None:
        self._remove({"term": {"marks": mark}})
        self._store.visibility.change(show=[mark], fence=self._fence)

    def remove_editions(self, editions: Sequence[str]) -> None:
        """Delete the records of these editions, except their texts, from which past versions are read."""
        for start in range(0, len(editions), VALUES_AT_ONCE):
            some = list(editions[start : start + VALUES_AT_ONCE])
            wanted = [of_kind(PASSAGE, BLOCK, DOCUMENT, SKIP), {"terms": {"edition": some}}]
            self._remove({"bool": {"filter": wanted}})
            self._store.visibility.change(show=some, fence=self._fence)

    def empty(self, *kinds: str) -> None:
        """Delete all records of these kinds."""
        self._remove(of_kind(*kinds))

    def prune(self) -> None:
        """Delete the oldest of a document's past versions where there are more than `VERSIONS_KEPT`."""
        response = self._store.index.search(
            query=of_kind(VERSION),
            size=0,
            aggs={"many": {"terms": {"field": "document", "min_doc_count": VERSIONS_KEPT + 1, "size": VALUES_AT_ONCE}}},
        )
        for bucket in response["aggregations"]["many"]["buckets"]:
            self._prune(bucket["key"])

    def _prune(self, document: str) -> None:
        query = {"bool": {"filter": [of_kind(VERSION), {"term": {"document": document}}]}}
        newest = sorted(self._store.index.scan(query), key=lambda record: int(record["at"]), reverse=True)
        current = self._store.current([document]).values()
        used = {record["edition"] for record in [*newest[:VERSIONS_KEPT], *current]}
        editions = [record["edition"] for record in newest[VERSIONS_KEPT:] if record["edition"] not in used]
        self._delete([record["_id"] for record in newest[VERSIONS_KEPT:]])
        self._remove({"bool": {"filter": [of_kind(TEXT), {"terms": {"edition": editions}}]}})

    def _remove(self, query: Mapping[str, Any]) -> None:
        while ids := self._store.index.ids(query):
            self._delete(ids)

    def _delete(self, ids: Sequence[str]) -> None:
        lines = [deletion(id_) for id_ in ids]
        send_now(self._store.index, lines, fence=self._fence, request_bytes=self._limits.request_bytes)
