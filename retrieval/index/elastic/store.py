"""The documents, passages and sources of one generation's index."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from elasticsearch import Elasticsearch

from retrieval.embedding.vectors import Encoded
from retrieval.index.elastic.documents import document_of, text_ids, vectors_of
from retrieval.index.elastic.index_client import VALUES_AT_ONCE, IndexClient, Record
from retrieval.index.elastic.mapping import DOCUMENT, PASSAGE, SKIP, SOURCE, VERSION, of_kind, visible
from retrieval.index.elastic.retries import RETRIES, Retries
from retrieval.index.elastic.visibility import VisibilityRecord
from retrieval.index.generations import IndexFingerprint
from retrieval.index.protocols import SkippedFile, StoredDocument
from retrieval.parsing.protocol import Reason, Skipped
from retrieval.passages import Document

# A passage's vectors and token vectors are some 30 KB.
VECTORS_AT_ONCE = 200
VECTOR_FIELDS = ("heading_vector", "text_vector")
# The index gives vectors back to scripts alone, in an array that the next record's overwrites. A vector without
# direction is not stored.
VECTOR = """
List copy = new ArrayList();
if (doc[params.field].size() > 0) { for (float value : doc[params.field].vectorValue) { copy.add(value) } }
return copy;
"""


class Store:
    """Reads one generation, which was built with `built`; the client's errors are for the caller to map."""

    def __init__(
        self, client: Elasticsearch, name: str, built: IndexFingerprint, *, retries: Retries = RETRIES
    ) -> None:
        self.index, self.name, self.built = IndexClient(client, name, retries=retries), name, built
        self.visibility = VisibilityRecord(client, name, retries=retries)

    def visible(self, *filters: Mapping[str, Any]) -> dict[str, Any]:
        """The query for everything visible that meets these filters."""
        return visible(self.name, *filters)

    def current(self, documents: Sequence[str]) -> dict[str, Record]:
        """The current records of these documents and skipped files, by document id."""
        found: dict[str, Record] = {}
        for start in range(0, len(documents), VALUES_AT_ONCE):
            some = list(documents[start : start + VALUES_AT_ONCE])
            query = self.visible(of_kind(DOCUMENT, SKIP), {"terms": {"document": some}})
            found.update({record["document"]: record for record in self.index.scan(query)})
        return found

    def stored(self, source: str | None = None) -> dict[str, StoredDocument]:
        """The documents of one source, or of all, by id, ascending."""
        query = self.visible(of_kind(DOCUMENT), *([{"term": {"source": source}}] if source is not None else []))
        found = self.index.scan(query, fields=("document", "version", "fingerprint"))
        rows = [StoredDocument(each["document"], each["version"], each["fingerprint"]) for each in found]
        return {row.document: row for row in sorted(rows, key=lambda row: row.document)}

    def skips(self, source: str) -> dict[str, SkippedFile]:
        """The skipped files of one source by id, ascending."""
        rows = self.index.scan(self.visible(of_kind(SKIP), {"term": {"source": source}}))
        return {
            row["document"]: SkippedFile(
                row["document"],
                row["source"],
                row["fingerprint"],
                Skipped(cast(Reason, row["kept"]["reason"]), row["kept"]["detail"]),
            )
            for row in sorted(rows, key=lambda row: str(row["document"]))
        }

    def sources(self) -> dict[str, str]:
        """The folder of each known source, by name, ascending."""
        rows = self.index.scan(self.visible(of_kind(SOURCE)))
        return {row["source"]: row["kept"]["root"] for row in sorted(rows, key=lambda row: str(row["source"]))}

    def counts(self) -> tuple[int, int]:
        """How many documents and passages there are."""
        response = self.index.search(
            query=self.visible(of_kind(DOCUMENT, PASSAGE)),
            size=0,
            aggs={kind: {"filter": {"term": {"kind": kind}}} for kind in (DOCUMENT, PASSAGE)},
        )
        found = response["aggregations"]
        return found[DOCUMENT]["doc_count"], found[PASSAGE]["doc_count"]

    def document(self, document: str, version: str | None = None) -> Document | None:
        """One document, the current version or a kept one; None when unknown or deleted while it was read."""
        wanted = [{"term": {"document": document}}, *([{"term": {"version": version}}] if version is not None else [])]
        kinds = (DOCUMENT,) if version is None else (DOCUMENT, VERSION)
        found = list(self.index.scan(self.visible(of_kind(*kinds), *wanted)))
        if not found:
            return None
        record = min(found, key=lambda each: str(each["kind"]))  # "document" goes before "version"
        ids = text_ids(document, record["edition"], record["parts"])
        parts = {each["_id"]: each["_source"]["kept"]["part"] for each in self.index.records(ids) if each["found"]}
        return document_of(record, [parts[id_] for id_ in ids]) if len(parts) == len(ids) else None

    def audiences(self, documents: Sequence[str]) -> dict[str, frozenset[str]]:
        """The audience of each of these documents by id; an unknown one is absent."""
        found: dict[str, frozenset[str]] = {}
        for start in range(0, len(documents), VALUES_AT_ONCE):
            some = list(documents[start : start + VALUES_AT_ONCE])
            query = self.visible(of_kind(DOCUMENT), {"terms": {"document": some}})
            rows = self.index.scan(query, fields=("document", "audience"))
            found.update({row["document"]: frozenset(row["audience"]) for row in rows})
        return found

    def passages(self, ids: Sequence[str]) -> dict[str, Record]:
        """The records of those of these passages that are visible at this moment, with their token vectors, by id."""
        if not ids:
            return {}
        body = {"query": self.visible({"ids": {"values": list(ids)}}), "size": len(ids), "track_total_hits": False}
        return {record["_id"]: record for record in self.index.search_with(body, doc_value="tokens")}

    def sections(self, document: str) -> list[Record]:
        """The records of one document's passages in reading order; empty when unknown."""
        query = self.visible(of_kind(PASSAGE), {"term": {"document": document}})
        found = self.index.scan(query, fields=("document", "ordinal", "kept.passage", "kept.said"))
        return sorted(found, key=lambda record: int(record["ordinal"]))

    def vectors(self, keys: Sequence[bytes]) -> dict[bytes, Encoded]:
        """Vectors of those texts that are known, by `text_key`."""
        found: dict[bytes, Encoded] = {}
        for start in range(0, len(keys), VECTORS_AT_ONCE):
            wanted = [key.hex() for key in keys[start : start + VECTORS_AT_ONCE]]
            for field in ("text_key", "heading_key"):
                query = self.visible({"terms": {field: wanted}})
                for record in self.with_vectors(query, size=len(wanted), one_for_each=field):
                    found.update(vectors_of(record))
        return {key: found[key] for key in keys if key in found}

    def with_vectors(self, query: Mapping[str, Any], *, size: int, one_for_each: str = "") -> list[Record]:
        """Passages that match, with their keys, vectors and token vectors."""
        source = ["text_key", "heading_key", "kept.blocks"]
        body: Record = {"query": query, "size": size, "_source": source, "track_total_hits": False}
        if one_for_each:
            body["collapse"] = {"field": one_for_each}
        body["script_fields"] = {
            name: {"script": {"source": VECTOR, "params": {"field": name}}} for name in VECTOR_FIELDS
        }
        return self.index.search_with(body, doc_value="tokens")
