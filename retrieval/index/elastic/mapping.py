"""Settings, mappings and metadata of a generation's index, and the filters over it (pure).

One index holds a whole generation, whose records differ by `kind`. A passage has its vectors and, analysed by us, its
terms: the index then has exactly the terms of an analysed question, in every language.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from retrieval.index.generations import IndexFingerprint
from retrieval.ranking.bm25 import K1

# Raised with every change of the layout. A rebuild reads documents, versions, skips and sources of an older one.
SCHEMA_VERSION = 2
OWNER = "footnote"

PASSAGE, BLOCK, DOCUMENT, SKIP = "passage", "block", "document", "skip"
TEXT, VERSION, SOURCE, VISIBILITY = "text", "version", "source", "ledger"

# The id of the record of what searches leave out, see `retrieval.index.elastic.visibility`.
VISIBILITY_ID = "withheld"

KEYWORD = {"type": "keyword"}
NOT_INDEXED = {"type": "keyword", "index": False}
DOC_VALUE_LONG = {"type": "long", "index": False}
DOC_VALUE_BINARY = {"type": "binary", "doc_values": True}
TERMS = {"type": "text", "analyzer": "analysed", "similarity": "passages", "index_options": "freqs"}

# Fields that a passage or a block has in another form already, left out of what is read back with every record.
OUTSIDE_SOURCE = ("terms", "context", "counts", "length", "text_vector", "heading_vector", "tokens", "place")


def settings(*, shards: int) -> dict[str, Any]:
    """Settings of a generation's index."""
    return {
        "number_of_shards": shards,
        "auto_expand_replicas": "0-1",  # green on one node, and safe from the loss of one of several
        "refresh_interval": "30s",  # every change that must be seen refreshes by itself
        "analysis": {"analyzer": {"analysed": {"type": "custom", "tokenizer": "whitespace"}}},
        "similarity": {"passages": {"type": "BM25", "k1": K1, "b": 0.5}},
    }


def meta(built: IndexFingerprint, dimensions: int, *, complete: bool) -> dict[str, Any]:
    """The metadata of a generation; one that is not complete is being filled, or was when its writer died."""
    fingerprint = {"schema": built.schema, "embedding": built.embedding, "analyzer": built.analyzer}
    return {OWNER: {**fingerprint, "dimensions": dimensions, "complete": complete}}


def mappings(built: IndexFingerprint, dimensions: int, *, complete: bool) -> dict[str, Any]:
    """Fields of a generation's index; `kept`, `place` and `tokens` are only read back, never searched."""
    return {
        "dynamic": "strict",
        "_source": {"excludes": list(OUTSIDE_SOURCE)},
        "_meta": meta(built, dimensions, complete=complete),
        "properties": {
            "kind": KEYWORD,
            "marks": KEYWORD,
            "source": KEYWORD,
            "document": KEYWORD,
            "edition": KEYWORD,
            "version": KEYWORD,
            "audience": KEYWORD,
            "fingerprint": NOT_INDEXED,
            "place": DOC_VALUE_BINARY,
            "ordinal": DOC_VALUE_LONG,
            "parts": DOC_VALUE_LONG,
            "at": DOC_VALUE_LONG,
            "terms": TERMS,
            "context": TERMS,
            "counts": DOC_VALUE_LONG,
            "length": {"properties": dict.fromkeys(("text", "title", "headings"), DOC_VALUE_LONG)},
            "text_key": KEYWORD,
            "heading_key": KEYWORD,
            "text_vector": {
                "type": "dense_vector",
                "dims": dimensions,
                "index": True,
                "similarity": "dot_product",
                "index_options": {"type": "int8_hnsw"},
            },
            "heading_vector": {"type": "dense_vector", "dims": dimensions, "index": False},
            "tokens": DOC_VALUE_BINARY,
            "kept": {"type": "object", "enabled": False},
        },
    }


def fingerprint_of(mappings: Mapping[str, Any]) -> IndexFingerprint | None:
    """What an index was built with; None for one that is not ours."""
    found = mappings.get("_meta", {}).get(OWNER)
    try:
        return IndexFingerprint(int(found["schema"]), str(found["embedding"]), str(found["analyzer"]))
    except (KeyError, TypeError, ValueError):
        return None


def of_kind(*kinds: str) -> dict[str, Any]:
    """The filter for records of these kinds."""
    return {"terms": {"kind": list(kinds)}}


def hidden(index: str) -> dict[str, Any]:
    """The filter for what is hidden, which reads the visibility record when the query starts."""
    return {"terms": {"marks": {"index": index, "id": VISIBILITY_ID, "path": "kept.marks"}}}


def visible(index: str, *filters: Mapping[str, Any]) -> dict[str, Any]:
    """The query for everything visible that meets these filters."""
    return {"bool": {"filter": list(filters), "must_not": [hidden(index)]}}


def readable(index: str, audiences: Sequence[str], *filters: Mapping[str, Any]) -> dict[str, Any]:
    """The query for everything visible that these audience words open and that meets these filters."""
    return visible(index, {"terms": {"audience": list(audiences)}}, *filters)
