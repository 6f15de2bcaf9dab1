"""One generation's index as it is read: documents, passages, what is known of sources; never by a question's words."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, cast

from elastic_transport import TransportError
from elasticsearch import ApiError, Elasticsearch, NotFoundError

from retrieval.index.elastic.client import Gone, PartialAnswer
from retrieval.index.elastic.documents import document_of, text_ids, vectors_of
from retrieval.index.elastic.mapping import DOCUMENT, PASSAGE, SKIP, SOURCE, VERSION, of_kind, visible
from retrieval.index.elastic.retries import retry_read
from retrieval.index.elastic.visibility import VisibilityRecord
from retrieval.index.generations import IndexFingerprint
from retrieval.index.protocols import Encoded, Skip, Stored
from retrieval.parsing.protocol import Reason, Skipped
from retrieval.passages import Document

PAGE = 1000
# A passage's vectors and token vectors are some 30 KB.
VECTORS_AT_ONCE = 200
# Elasticsearch takes so many values in one filter, and more.
VALUES_AT_ONCE = 5000
VECTOR_FIELDS = ("heading_vector", "text_vector")
# The index gives vectors back to scripts alone, in an array that the next record's overwrites. One that has no
# direction is not there.
VECTOR = """
List copy = new ArrayList();
if (doc[params.field].size() > 0) { for (float value : doc[params.field].vectorValue) { copy.add(value) } }
return copy;
"""
KEPT_OPEN = "2m"
NOT_FOUND, TIMED_OUT, UNAVAILABLE = 404, 408, 503

Record = dict[str, Any]


class Store:
    """The index of one generation; the client's errors are for the caller to map."""

    def __init__(self, client: Elasticsearch, name: str, made: IndexFingerprint) -> None:
        self.client, self.name, self.made = client, name, made
        self.ledger = VisibilityRecord(client, name)

    def refresh(self) -> None:
        """What was written before is found from now on."""
        self.client.indices.refresh(index=self.name)

    def search(self, **wanted: Any) -> Mapping[str, Any]:
        """The answer to one search, whole: in this index, unless a point in time is given, which has its own."""
        where: dict[str, Any] = {} if "pit" in wanted else {"index": self.name}
        return retry_read(lambda: self.client.search(**where, allow_partial_search_results=False, **wanted).body)

    def scan(self, query: Mapping[str, Any], *, fields: Sequence[str] = ("*",), page: int = PAGE) -> Iterator[Record]:
        """All records that match, each with its `_id`, as of one moment."""
        wanted: dict[str, Any] = {
            "query": query,
            "size": page,
            "source_includes": list(fields),
            "track_total_hits": False,
        }
        # A point in time is lost with its node, so what fits one page is asked for without.
        hits = self.search(**wanted)["hits"]["hits"]
        if len(hits) < page:
            yield from ({"_id": hit["_id"], **hit["_source"]} for hit in hits)
        else:
            yield from self._paged(wanted)

    def _paged(self, wanted: dict[str, Any]) -> Iterator[Record]:
        pit = self.client.open_point_in_time(index=self.name, keep_alive=KEPT_OPEN)["id"]
        kept = {"id": pit, "keep_alive": KEPT_OPEN}
        after: list[Any] | None = None
        try:
            while True:
                answer = self.search(pit=kept, sort="_shard_doc", search_after=after, **wanted)
                hits = answer["hits"]["hits"]
                yield from ({"_id": hit["_id"], **hit["_source"]} for hit in hits)
                if len(hits) < wanted["size"]:
                    return
                after = hits[-1]["sort"]
        except NotFoundError as error:
            raise PartialAnswer(NOT_FOUND, "a node was lost while the index was read: try again") from error
        finally:
            with suppress(ApiError, TransportError):  # it ends by itself
                self.client.close_point_in_time(id=pit)

    def ids(self, query: Mapping[str, Any], *, size: int = VALUES_AT_ONCE) -> list[str]:
        """Ids of some records that match, as many as fit in one answer."""
        answer = self.search(query=query, size=size, source=False)
        return [hit["_id"] for hit in answer["hits"]["hits"]]

    def visible(self, *filters: Mapping[str, Any]) -> dict[str, Any]:
        """All that may be seen and meets these filters."""
        return visible(self.name, *filters)

    def current(self, documents: Sequence[str]) -> dict[str, Record]:
        """The records of these documents and skipped files that stand now, by id."""
        found: dict[str, Record] = {}
        for start in range(0, len(documents), VALUES_AT_ONCE):
            some = list(documents[start : start + VALUES_AT_ONCE])
            query = self.visible(of_kind(DOCUMENT, SKIP), {"terms": {"document": some}})
            found.update({record["document"]: record for record in self.scan(query)})
        return found

    def stored(self, source: str | None = None) -> dict[str, Stored]:
        """The documents of one source, or of all, by id."""
        query = self.visible(of_kind(DOCUMENT), *([{"term": {"source": source}}] if source is not None else []))
        found = self.scan(query, fields=("document", "version", "fingerprint"))
        rows = [Stored(each["document"], each["version"], each["fingerprint"]) for each in found]
        return {row.document: row for row in sorted(rows, key=lambda row: row.document)}

    def skips(self, source: str) -> dict[str, Skip]:
        """The skipped files of one source by id."""
        rows = self.scan(self.visible(of_kind(SKIP), {"term": {"source": source}}))
        return {
            row["document"]: Skip(
                row["document"],
                row["source"],
                row["fingerprint"],
                Skipped(cast(Reason, row["kept"]["reason"]), row["kept"]["detail"]),
            )
            for row in sorted(rows, key=lambda row: str(row["document"]))
        }

    def sources(self) -> dict[str, str]:
        """The folder of each known source."""
        rows = self.scan(self.visible(of_kind(SOURCE)))
        return {row["source"]: row["kept"]["root"] for row in sorted(rows, key=lambda row: str(row["source"]))}

    def counts(self) -> tuple[int, int]:
        """How many documents and passages there are."""
        answer = self.search(
            query=self.visible(of_kind(DOCUMENT, PASSAGE)),
            size=0,
            aggs={kind: {"filter": {"term": {"kind": kind}}} for kind in (DOCUMENT, PASSAGE)},
        )
        found = answer["aggregations"]
        return found[DOCUMENT]["doc_count"], found[PASSAGE]["doc_count"]

    def document(self, document: str, version: str | None = None) -> Document | None:
        """One document, the current version or a kept one; None when unknown or gone while it was read."""
        wanted = [{"term": {"document": document}}, *([{"term": {"version": version}}] if version is not None else [])]
        kinds = (DOCUMENT,) if version is None else (DOCUMENT, VERSION)
        found = list(self.scan(self.visible(of_kind(*kinds), *wanted)))
        if not found:
            return None
        record = min(found, key=lambda each: str(each["kind"]))  # "document" goes before "version"
        ids = text_ids(document, record["edition"], record["parts"])
        parts = {each["_id"]: each["_source"]["kept"]["part"] for each in self.records(ids) if each["found"]}
        return document_of(record, [parts[id_] for id_ in ids]) if len(parts) == len(ids) else None

    def records(self, ids: Sequence[str], *, fields: Sequence[str] = ("*",)) -> list[Record]:
        """Records by id, as they are at this moment, in this order."""
        if not ids:
            return []
        return retry_read(lambda: self._records(ids, fields))

    def _records(self, ids: Sequence[str], fields: Sequence[str]) -> list[Record]:
        answer = self.client.mget(index=self.name, ids=list(ids), source_includes=list(fields))
        for each in answer["docs"]:
            if "error" in each:
                gone = each["error"].get("type") == "index_not_found_exception"
                raise (Gone if gone else PartialAnswer)(NOT_FOUND if gone else UNAVAILABLE, _cause(each["error"]))
        return cast(list[Record], answer["docs"])

    def standing(self, ids: Sequence[str]) -> dict[str, Record]:
        """The passages among these ids that may be seen at this moment, with their token vectors."""
        if not ids:
            return {}
        body = {"query": self.visible({"ids": {"values": list(ids)}}), "size": len(ids), "track_total_hits": False}
        return {record["_id"]: record for record in self._read(body, "tokens")}

    def sections(self, document: str) -> list[Record]:
        """The records of one document's passages in reading order."""
        query = self.visible(of_kind(PASSAGE), {"term": {"document": document}})
        found = self.scan(query, fields=("document", "ordinal", "kept.passage", "kept.said"))
        return sorted(found, key=lambda record: int(record["ordinal"]))

    def vectors(self, keys: Sequence[bytes]) -> dict[bytes, Encoded]:
        """Vectors of those texts that are known."""
        found: dict[bytes, Encoded] = {}
        for start in range(0, len(keys), VECTORS_AT_ONCE):
            wanted = [key.hex() for key in keys[start : start + VECTORS_AT_ONCE]]
            found.update(pair for record in self._holding(wanted) for pair in vectors_of(record))
        return {key: found[key] for key in keys if key in found}

    def _holding(self, keys: Sequence[str]) -> Iterator[Record]:
        """One passage for each of these texts that is one's text, and for each that is one's heading."""
        for name in ("text_key", "heading_key"):
            query = self.visible({"terms": {name: list(keys)}})
            yield from self.with_vectors(query, size=len(keys), one_for_each=name)

    def with_vectors(self, query: Mapping[str, Any], *, size: int, one_for_each: str = "") -> list[Record]:
        """Passages that match, with their keys, vectors and token vectors."""
        body: Record = {"query": query, "size": size, "_source": ["text_key", "heading_key"], "track_total_hits": False}
        if one_for_each:
            body["collapse"] = {"field": one_for_each}
        body["script_fields"] = {
            name: {"script": {"source": VECTOR, "params": {"field": name}}} for name in VECTOR_FIELDS
        }
        return self._read(body, "tokens")

    def _read(self, body: Mapping[str, Any], outside: str) -> list[Record]:
        """The records that a search finds, each with its `_id` and this field, which lies outside of its source."""
        header = {"index": self.name, "allow_partial_search_results": False}
        whole = {**body, "docvalue_fields": [outside]}
        (answer,) = retry_read(lambda: responses(self.client.msearch(searches=[header, whole]).body))
        return [
            {"_id": hit["_id"], **hit["fields"], **hit["_source"], outside: hit["fields"][outside][0]}
            for hit in answer["hits"]["hits"]
        ]


def responses(answer: Mapping[str, Any]) -> list[Record]:
    """The answers of a multiple search; raises `PartialAnswer` when one of them is not whole."""
    for each in answer["responses"]:
        if "error" in each:
            status = int(each.get("status", 500))
            raise (Gone if status == NOT_FOUND else PartialAnswer)(status, _cause(each["error"]))
        if each.get("timed_out"):
            raise PartialAnswer(TIMED_OUT, "only a part of the index answered in time")
        if each["_shards"]["failed"]:
            raise PartialAnswer(UNAVAILABLE, "only a part of the index answered")
    return cast(list[Record], answer["responses"])


def _cause(error: Mapping[str, Any]) -> str:
    root = (error.get("root_cause") or [error])[0]
    return f"{root.get('type')}: {root.get('reason')}"
