"""Changes of one generation's index, each document's whole or not at all."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from math import ceil
from typing import Any
from uuid import uuid4

from elastic_transport import TransportError
from elasticsearch import ApiError

from retrieval.index.elastic.client import to_json
from retrieval.index.elastic.documents import Change, document_key, past, source_mark
from retrieval.index.elastic.mapping import BLOCK, DOCUMENT, PASSAGE, SKIP, SOURCE, TEXT, VERSION, of_kind
from retrieval.index.elastic.store import VALUES_AT_ONCE, Record, Store
from retrieval.index.elastic.visibility import BATCH, Withheld
from retrieval.index.elastic.write.bulk import REQUEST_BYTES, Bulk, Line

VERSIONS_KEPT = 10
# A large load is shown in steps of this size; a reader waits so long for the first of it.
COMMIT_BYTES = 128_000_000
# After a load of this size segments are merged, into ones that are no larger than the server itself would make them.
LARGE_LOAD = COMMIT_BYTES
SEGMENT_BYTES = 4_000_000_000
# So many documents at most are looked up together, to learn what they replace, before they are sent.
RESOLVED_TOGETHER = 200
# A query that asked the ledger before an edition was replaced has long ended.
GRACE_MS = 30_000
# So many editions may be withheld before their deletion is waited for: every query carries them.
WITHHELD_AT_MOST = 20_000


class BatchWriter:
    """Collects changes and shows them together at `commit`; the client's errors are for the caller to map.

    `now` is the time in milliseconds; `fence` raises when somebody else may be writing by now.
    """

    def __init__(self, store: Store, *, now: Callable[[], int], fence: Callable[[], None] = lambda: None) -> None:
        self.store = store
        self._now, self._fence = now, fence
        self._bulk: Bulk | None = None
        self._batch = ""
        self._withheld = Withheld(frozenset(), {})
        self._waiting: list[tuple[Change, list[Line]]] = []
        self._seen: set[str] = set()
        self._replaced: set[str] = set()
        self._touched: dict[str, str] = {}
        self._bytes, self._unsent, self._loaded = 0, 0, 0

    @property
    def is_empty(self) -> bool:
        """Whether everything that was added is committed."""
        return not self._batch

    def add(self, change: Change) -> None:
        """Make this change at the next commit, which may be now if much has been collected."""
        if change.document in self._seen:
            self.commit()
        self._seen.add(change.document)
        self._batch = self._batch or f"{BATCH}{uuid4().hex[:16]}"
        lines = [
            _line(action, {**record, "marks": [*record["marks"], self._batch]}) for action, record in change.records
        ]
        self._waiting.append((change, lines))
        size = sum(len(action) + len(record or b"") for action, record in lines)
        self._bytes += size
        self._unsent += size
        if len(self._waiting) >= RESOLVED_TOGETHER or self._unsent >= REQUEST_BYTES:
            self._send()
        if self._bytes >= COMMIT_BYTES:
            self.commit()

    def touch(self, document: str, fingerprint: str) -> None:
        """Remember a new fingerprint at the next commit."""
        if document in self._seen:
            self.commit()
        self._touched[document] = fingerprint

    def commit(self) -> None:
        """Everything that was added is there and found from now on."""
        self._send()
        self._touch()
        if self._bulk is None:
            self._forget_all()
            return
        self._bulk.finish()
        self._bulk.close()
        self._bulk = None
        self._loaded += self._bytes
        self.store.refresh()
        self.store.ledger.change(show=[self._batch], replaced=self._replaced, at=self._now(), fence=self._fence)
        self.store.refresh()
        self._forget_all()
        self.clean(at_most=WITHHELD_AT_MOST)

    def close(self) -> None:
        """Let go of what was not committed; it stays withheld until `clear` removes it."""
        if self._bulk:
            self._bulk.close()
            self._bulk = None
        self._forget_all()

    def merge(self) -> None:
        """Have the many segments that a large load leaves merged, for every search goes through each; waits for none.

        It also frees the disk of what only the load needed. A server that refuses merges by itself, some day.
        """
        loaded, self._loaded = self._loaded, 0
        if loaded < LARGE_LOAD:
            return
        client, name = self.store.client, self.store.name
        with suppress(ApiError, TransportError):
            size = client.indices.stats(index=name, metric="store")["_all"]["primaries"]["store"]["size_in_bytes"]
            client.indices.forcemerge(
                index=name, max_num_segments=ceil(size / SEGMENT_BYTES) or 1, wait_for_completion=False
            )

    def _forget_all(self) -> None:
        self._waiting, self._batch, self._bytes, self._unsent = [], "", 0, 0
        self._seen.clear()
        self._replaced = set()

    def _send(self) -> None:
        """Send what is new of the collected changes, withheld for now."""
        waiting, self._waiting, self._unsent = self._waiting, [], 0
        current = self.store.current([change.document for change, _ in waiting]) if waiting else {}
        for change, lines in waiting:
            standing = current.get(change.document)
            if standing is None and not change.edition:
                continue
            if standing is not None and standing["edition"] == change.edition:
                if standing["fingerprint"] != change.fingerprint:
                    self._touched[change.document] = change.fingerprint
                continue
            sender = self._sender(change.edition)
            sender.add(lines)
            if standing is not None:
                self._replaced.add(standing["edition"])
                sender.add(self._past(standing, change))

    def _past(self, standing: Record, change: Change) -> list[Line]:
        """What keeps a version that a citation may have quoted, unless it is about to return."""
        if standing["kind"] != DOCUMENT or standing["version"] == change.version:
            return []
        return [self._marked(*past(standing, self._now()))]

    def _marked(self, action: Mapping[str, Any], record: Mapping[str, Any]) -> Line:
        return _line(action, {**record, "marks": [*record["marks"], self._batch]})

    def _sender(self, edition: str) -> Bulk:
        """What sends this batch, whose mark is withheld before anything carries it."""
        if self._bulk is None:
            self.store.ledger.change(withhold=[self._batch], fence=self._fence)
            self._bulk = Bulk(self.store.client, self.store.name, fence=self._fence)
            self._withheld = self.store.ledger.read()
        if edition in self._withheld.replaced:  # an edition that was replaced and now returns
            self._remove_editions([edition])
        return self._bulk

    def _touch(self) -> None:
        touched, self._touched = self._touched, {}
        if not touched:
            return
        current = self.store.current(list(touched))
        lines = [
            (
                to_json({"update": {"_id": record["_id"], "retry_on_conflict": 3}}),
                to_json({"doc": {"fingerprint": touched[document]}}),
            )
            for document, record in current.items()
        ]
        self._at_once(lines)

    def _at_once(self, lines: Sequence[Line]) -> None:
        """Do these and find them done."""
        if not lines:
            return
        bulk = Bulk(self.store.client, self.store.name, fence=self._fence)
        try:
            bulk.add(lines)
            bulk.finish()
        finally:
            bulk.close()
        self.store.refresh()

    def register(self, source: str, root: str) -> None:
        """Remember a source's folder."""
        if self.store.sources().get(source) != root:
            record = {"kind": SOURCE, "source": source, "marks": [source_mark(source)], "kept": {"root": root}}
            self._at_once([_line({"index": {"_id": f"s-{document_key(source)}"}}, record)])

    def forget(self, source: str) -> None:
        """Forget a source with everything that carries its mark: hidden in one step, then removed."""
        self.commit()
        mark = source_mark(source)
        self.store.ledger.change(withhold=[mark], fence=self._fence)
        self.store.refresh()
        self._remove({"term": {"marks": mark}})
        self.store.ledger.change(show=[mark], fence=self._fence)
        self.store.refresh()

    def clear(self) -> None:
        """Remove what writers that were killed have left; only with the sole right to write."""
        withheld = self.store.ledger.read()
        for mark in withheld.batches:
            self.store.refresh()
            self._remove({"term": {"marks": mark}})
            self.store.ledger.change(show=[mark], fence=self._fence)
        for mark in sorted(each for each in withheld.marks if each.startswith("source-")):
            self._remove({"term": {"marks": mark}})
            self.store.ledger.change(show=[mark], fence=self._fence)

    def clean(self, *, at_most: int = 0) -> None:
        """Remove replaced editions that nobody can be reading any more, if more than `at_most` are withheld."""
        withheld = self.store.ledger.read()
        if len(withheld.replaced) > at_most:
            self._remove_editions(withheld.replaced_before(self._now() - GRACE_MS))

    def _remove_editions(self, editions: Sequence[str]) -> None:
        """What was parsed stays, for past versions are read from it."""
        for start in range(0, len(editions), VALUES_AT_ONCE):
            some = list(editions[start : start + VALUES_AT_ONCE])
            wanted = [of_kind(PASSAGE, BLOCK, DOCUMENT, SKIP), {"terms": {"edition": some}}]
            self._remove({"bool": {"filter": wanted}})
            self.store.ledger.change(show=some, fence=self._fence)

    def empty(self, *kinds: str) -> None:
        """Remove all records of these kinds."""
        self._remove(of_kind(*kinds))

    def prune(self) -> None:
        """Forget the oldest of a document's past versions where there are too many."""
        answer = self.store.search(
            query=of_kind(VERSION),
            size=0,
            aggs={"many": {"terms": {"field": "document", "min_doc_count": VERSIONS_KEPT + 1, "size": VALUES_AT_ONCE}}},
        )
        for bucket in answer["aggregations"]["many"]["buckets"]:
            self._prune(bucket["key"])

    def _prune(self, document: str) -> None:
        versions = list(self.store.scan({"bool": {"filter": [of_kind(VERSION), {"term": {"document": document}}]}}))
        newest = sorted(versions, key=lambda record: int(record["at"]), reverse=True)
        current = self.store.current([document]).values()
        used = {record["edition"] for record in [*newest[:VERSIONS_KEPT], *current]}
        editions = [record["edition"] for record in newest[VERSIONS_KEPT:] if record["edition"] not in used]
        self._at_once([_deletion(record["_id"]) for record in newest[VERSIONS_KEPT:]])
        self._remove({"bool": {"filter": [of_kind(TEXT), {"terms": {"edition": editions}}]}})

    def _remove(self, query: Mapping[str, Any]) -> None:
        """Delete all records that match; killed half-way, the same again goes on."""
        while ids := self.store.ids(query):
            self._at_once([_deletion(id_) for id_ in ids])

    def copy(self, records: Iterable[Record]) -> None:
        """Take records of another generation as they are."""
        bulk = Bulk(self.store.client, self.store.name, fence=self._fence)
        try:
            for record in records:
                fields = {name: value for name, value in record.items() if name != "_id"}
                bulk.add([_line({"index": {"_id": record["_id"]}}, fields)])
            bulk.finish()
        finally:
            bulk.close()
        self.store.refresh()


def _line(action: Mapping[str, Any], record: Mapping[str, Any]) -> Line:
    return to_json(action), to_json(record)


def _deletion(id_: str) -> Line:
    return to_json({"delete": {"_id": id_}}), None
