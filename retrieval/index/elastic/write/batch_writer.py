"""Writes changes of one generation's index in batches; each document's change is shown whole or not at all."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from math import ceil
from typing import Any
from uuid import uuid4

from elastic_transport import TransportError
from elasticsearch import ApiError

from retrieval.index.elastic.client import to_json
from retrieval.index.elastic.documents import DocumentChange, document_key, past_version, source_mark
from retrieval.index.elastic.index_client import Record
from retrieval.index.elastic.mapping import DOCUMENT, SOURCE
from retrieval.index.elastic.store import Store
from retrieval.index.elastic.visibility import BATCH_MARK, Hidden
from retrieval.index.elastic.write.bulk import BulkSender, Line, line, send_now
from retrieval.index.elastic.write.cleaner import Cleaner
from retrieval.index.elastic.write.limits import WRITE_LIMITS, WriteLimits

# Merged segments are no larger than the server itself would make them.
SEGMENT_BYTES = 4_000_000_000
# So many documents at most are read together, to learn what they replace, before they are sent.
RESOLVED_TOGETHER = 200
# So many editions may be hidden before their deletion is waited for: every query carries them.
HIDDEN_AT_MOST = 20_000


class BatchWriter:
    """Collects changes and shows them together at `commit`; the client's errors are for the caller to map.

    `now` is the time in milliseconds; `fence` raises when another process may be writing by now.
    """

    def __init__(
        self,
        store: Store,
        *,
        now: Callable[[], int],
        fence: Callable[[], None] = lambda: None,
        limits: WriteLimits = WRITE_LIMITS,
    ) -> None:
        self.store = store
        self.cleaner = Cleaner(store, now=now, fence=fence, limits=limits)
        self._now, self._fence, self._limits = now, fence, limits
        self._bulk: BulkSender | None = None
        self._batch = ""
        self._hidden = Hidden(frozenset(), {})
        self._unsent: list[tuple[DocumentChange, list[Line]]] = []
        self._documents: set[str] = set()
        self._replaced: set[str] = set()
        self._fingerprints: dict[str, str] = {}
        self._bytes, self._unsent_bytes, self._loaded_bytes = 0, 0, 0

    @property
    def is_empty(self) -> bool:
        """Whether everything that was added is committed."""
        return not self._batch

    def add(self, change: DocumentChange) -> None:
        """Make this change at the next commit, which may be now if much has been collected."""
        if change.document in self._documents:
            self.commit()
        self._documents.add(change.document)
        self._batch = self._batch or f"{BATCH_MARK}{uuid4().hex[:16]}"
        lines = [self._marked(action, record) for action, record in change.records]
        self._unsent.append((change, lines))
        size = sum(len(action) + len(record or b"") for action, record in lines)
        self._bytes += size
        self._unsent_bytes += size
        if len(self._unsent) >= RESOLVED_TOGETHER or self._unsent_bytes >= self._limits.request_bytes:
            self._send()
        if self._bytes >= self._limits.commit_bytes:
            self.commit()

    def touch(self, document: str, fingerprint: str) -> None:
        """Store a new fingerprint at the next commit."""
        if document in self._documents:
            self.commit()
        self._fingerprints[document] = fingerprint

    def commit(self) -> None:
        """Write everything that was added, then show it in one step."""
        self._send()
        self._send_fingerprints()
        if self._bulk is None:
            self._reset()
            return
        self._bulk.finish()
        self._bulk.close()
        self._bulk = None
        self._loaded_bytes += self._bytes
        self.store.index.refresh()
        self.store.visibility.change(show=[self._batch], replaced=self._replaced, at=self._now(), fence=self._fence)
        self.store.index.refresh()
        self._reset()
        self.cleaner.clean(at_most=HIDDEN_AT_MOST)

    def close(self) -> None:
        """Give up what was not committed; it stays hidden until `Cleaner.clear` deletes it."""
        if self._bulk:
            self._bulk.close()
            self._bulk = None
        self._reset()

    def merge(self) -> None:
        """Start to merge the many segments of a large load, because every search reads each; waits for nothing.

        It also frees the disk of what only the load needed. A server that refuses merges by itself, some day.
        """
        loaded, self._loaded_bytes = self._loaded_bytes, 0
        if loaded < self._limits.merge_bytes:
            return
        client, name = self.store.index.client, self.store.name
        with suppress(ApiError, TransportError):
            size = client.indices.stats(index=name, metric="store")["_all"]["primaries"]["store"]["size_in_bytes"]
            client.indices.forcemerge(
                index=name, max_num_segments=ceil(size / SEGMENT_BYTES) or 1, wait_for_completion=False
            )

    def _reset(self) -> None:
        self._unsent, self._batch, self._bytes, self._unsent_bytes = [], "", 0, 0
        self._documents.clear()
        self._replaced = set()

    def _send(self) -> None:
        """Send the collected changes that change something, hidden for now."""
        unsent, self._unsent, self._unsent_bytes = self._unsent, [], 0
        current = self.store.current([change.document for change, _ in unsent]) if unsent else {}
        for change, lines in unsent:
            replaced = current.get(change.document)
            if replaced is None and not change.edition:
                continue
            if replaced is not None and replaced["edition"] == change.edition:
                if replaced["fingerprint"] != change.fingerprint:
                    self._fingerprints[change.document] = change.fingerprint
                continue
            sender = self._sender(change.edition)
            sender.add(lines)
            if replaced is not None:
                self._replaced.add(replaced["edition"])
                # A version that a citation may have quoted is kept, unless it is about to return.
                if replaced["kind"] == DOCUMENT and replaced["version"] != change.version:
                    sender.add([self._marked(*past_version(replaced, self._now()))])

    def _marked(self, action: Mapping[str, Any], record: Mapping[str, Any]) -> Line:
        return line(action, {**record, "marks": [*record["marks"], self._batch]})

    def _sender(self, edition: str) -> BulkSender:
        """The sender of this batch, whose mark is hidden before any record carries it."""
        if self._bulk is None:
            self.store.visibility.change(hide=[self._batch], fence=self._fence)
            self._bulk = BulkSender(self.store.index, fence=self._fence, request_bytes=self._limits.request_bytes)
            self._hidden = self.store.visibility.read()
        if edition in self._hidden.replaced:  # an edition that was replaced and now returns
            self.cleaner.remove_editions([edition])
        return self._bulk

    def _send_fingerprints(self) -> None:
        fingerprints, self._fingerprints = self._fingerprints, {}
        if not fingerprints:
            return
        lines = [
            (
                to_json({"update": {"_id": record["_id"], "retry_on_conflict": 3}}),
                to_json({"doc": {"fingerprint": fingerprints[document]}}),
            )
            for document, record in self.store.current(list(fingerprints)).items()
        ]
        send_now(self.store.index, lines, fence=self._fence, request_bytes=self._limits.request_bytes)

    def register(self, source: str, root: str) -> None:
        """Store a source's folder, at once."""
        if self.store.sources().get(source) != root:
            record = {"kind": SOURCE, "source": source, "marks": [source_mark(source)], "kept": {"root": root}}
            send_now(
                self.store.index,
                [line({"index": {"_id": f"s-{document_key(source)}"}}, record)],
                fence=self._fence,
                request_bytes=self._limits.request_bytes,
            )

    def forget(self, source: str) -> None:
        """Commit, then delete a source with everything that came from it."""
        self.commit()
        self.cleaner.forget(source)

    def copy(self, records: Iterable[Record]) -> None:
        """Store records of another generation as they are, each under its `_id`."""
        sender = BulkSender(self.store.index, fence=self._fence, request_bytes=self._limits.request_bytes)
        try:
            for record in records:
                fields = {name: value for name, value in record.items() if name != "_id"}
                sender.add([line({"index": {"_id": record["_id"]}}, fields)])
            sender.finish()
        finally:
            sender.close()
        self.store.index.refresh()
