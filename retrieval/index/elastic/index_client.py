"""Reads of one Elasticsearch index: searches, scans, records by id; a response is whole or an error."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, cast

from elastic_transport import TransportError
from elasticsearch import ApiError, Elasticsearch, NotFoundError

from retrieval.index.elastic.client import IndexGone, PartialResponse
from retrieval.index.elastic.retries import RETRIES, Retries

PAGE = 1000
# Elasticsearch takes so many values in one filter, and more.
VALUES_AT_ONCE = 5000
KEPT_OPEN = "2m"
NOT_FOUND, TIMED_OUT, UNAVAILABLE = 404, 408, 503

Record = dict[str, Any]


class IndexClient:
    """The client of one index, whose reads are tried again; the client's errors are for the caller to map."""

    def __init__(self, client: Elasticsearch, name: str, *, retries: Retries = RETRIES) -> None:
        self.client, self.name, self.retries = client, name, retries

    def refresh(self) -> None:
        """Make everything that was written before searchable."""
        self.client.indices.refresh(index=self.name)

    def search(self, **body: Any) -> Mapping[str, Any]:
        """The response to one search in this index, or in the point in time that is given as `pit`."""
        where: dict[str, Any] = {} if "pit" in body else {"index": self.name}
        return self.retries.read(lambda: self.client.search(**where, allow_partial_search_results=False, **body).body)

    def scan(self, query: Mapping[str, Any], *, fields: Sequence[str] = ("*",), page: int = PAGE) -> Iterator[Record]:
        """All records that match, in no order, each with its `_id`, as of one moment."""
        body: dict[str, Any] = {
            "query": query,
            "size": page,
            "source_includes": list(fields),
            "track_total_hits": False,
        }
        # A point in time is lost with its node, so none is opened for what fits one page.
        hits = self.search(**body)["hits"]["hits"]
        if len(hits) < page:
            yield from ({"_id": hit["_id"], **hit["_source"]} for hit in hits)
        else:
            yield from self._paged(body)

    def _paged(self, body: dict[str, Any]) -> Iterator[Record]:
        pit = self.client.open_point_in_time(index=self.name, keep_alive=KEPT_OPEN)["id"]
        kept = {"id": pit, "keep_alive": KEPT_OPEN}
        after: list[Any] | None = None
        try:
            while True:
                hits = self.search(pit=kept, sort="_shard_doc", search_after=after, **body)["hits"]["hits"]
                yield from ({"_id": hit["_id"], **hit["_source"]} for hit in hits)
                if len(hits) < body["size"]:
                    return
                after = hits[-1]["sort"]
        except NotFoundError as error:
            raise PartialResponse(NOT_FOUND, "a node was lost while the index was read: try again") from error
        finally:
            with suppress(ApiError, TransportError):  # it ends by itself
                self.client.close_point_in_time(id=pit)

    def ids(self, query: Mapping[str, Any], *, size: int = VALUES_AT_ONCE) -> list[str]:
        """Ids of some records that match, `size` at most."""
        response = self.search(query=query, size=size, source=False)
        return [hit["_id"] for hit in response["hits"]["hits"]]

    def records(self, ids: Sequence[str], *, fields: Sequence[str] = ("*",)) -> list[Record]:
        """Records by id, as they are at this moment, in this order; `found` is whether one exists."""
        return self.retries.read(lambda: self._records(ids, fields)) if ids else []

    def _records(self, ids: Sequence[str], fields: Sequence[str]) -> list[Record]:
        response = self.client.mget(index=self.name, ids=list(ids), source_includes=list(fields))
        for each in response["docs"]:
            if "error" in each:
                gone = each["error"].get("type") == "index_not_found_exception"
                raise (IndexGone if gone else PartialResponse)(
                    NOT_FOUND if gone else UNAVAILABLE, _cause(each["error"])
                )
        return cast(list[Record], response["docs"])

    def search_with(self, body: Mapping[str, Any], *, doc_value: str) -> list[Record]:
        """The records that a search finds, each with its `_id` and a field that is not part of its source."""
        header = {"index": self.name, "allow_partial_search_results": False}
        whole = {**body, "docvalue_fields": [doc_value]}
        (response,) = self.retries.read(lambda: responses(self.client.msearch(searches=[header, whole]).body))
        return [
            {"_id": hit["_id"], **hit["fields"], **hit["_source"], doc_value: hit["fields"][doc_value][0]}
            for hit in response["hits"]["hits"]
        ]


def responses(body: Mapping[str, Any]) -> list[Record]:
    """The responses of a multiple search; raises `PartialResponse` when one of them is not whole."""
    for each in body["responses"]:
        if "error" in each:
            status = int(each.get("status", 500))
            raise (IndexGone if status == NOT_FOUND else PartialResponse)(status, _cause(each["error"]))
        if each.get("timed_out"):
            raise PartialResponse(TIMED_OUT, "only a part of the index answered in time")
        if each["_shards"]["failed"]:
            raise PartialResponse(UNAVAILABLE, "only a part of the index answered")
    return cast(list[Record], body["responses"])


def _cause(error: Mapping[str, Any]) -> str:
    root = (error.get("root_cause") or [error])[0]
    return str(root.get("type"))  # its reason may repeat what was asked
