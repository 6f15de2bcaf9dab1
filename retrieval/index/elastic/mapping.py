"""How a generation's index is laid out, and what it says of itself (pure).

One index holds a whole generation, told apart by `kind`. A passage carries its vectors and, analysed beforehand, its
terms: the index then has exactly the terms that a question is asked in, in every language.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from retrieval.index.generations import IndexFingerprint
from retrieval.ranking.bm25 import K1

# Raised with every change of the layout. A rebuild reads documents, versions, skips and sources of an older one.
SCHEMA_VERSION = 2
OWNER = "footnote"

PASSAGE, BLOCK, DOCUMENT, SKIP = "passage", "block", "document", "skip"
TEXT, VERSION, SOURCE, LEDGER = "text", "version", "source", "ledger"

# The id of the record of what is not to be seen, see `retrieval.index.elastic.visibility`.
WITHHELD = "withheld"

KEYWORD = {"type": "keyword"}
ONLY_SHOWN = {"type": "keyword", "index": False}
ONLY_COUNTED = {"type": "long", "index": False}
ONLY_READ = {"type": "binary", "doc_values": True}
TERMS = {"type": "text", "analyzer": "analysed", "similarity": "passages", "index_options": "freqs"}

# What a passage or a block has in another form already: what is read back must not be dug out from among it.
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


def meta(made: IndexFingerprint, dimensions: int, *, complete: bool) -> dict[str, Any]:
    """What a generation says of itself; one that is not complete is being filled, or was when its writer died."""
    said = {"schema": made.schema, "embedding": made.embedding, "analyzer": made.analyzer}
    return {OWNER: {**said, "dimensions": dimensions, "complete": complete}}


def mappings(made: IndexFingerprint, dimensions: int, *, complete: bool) -> dict[str, Any]:
    """Fields of a generation's index; `kept`, `place` and `tokens` are only read back, never searched."""
    return {
        "dynamic": "strict",
        "_source": {"excludes": list(OUTSIDE_SOURCE)},
        "_meta": meta(made, dimensions, complete=complete),
        "properties": {
            "kind": KEYWORD,
            "marks": KEYWORD,
            "source": KEYWORD,
            "document": KEYWORD,
            "edition": KEYWORD,
            "version": KEYWORD,
            "audience": KEYWORD,
            "fingerprint": ONLY_SHOWN,
            "place": ONLY_READ,
            "ordinal": ONLY_COUNTED,
            "parts": ONLY_COUNTED,
            "at": ONLY_COUNTED,
            "terms": TERMS,
            "context": TERMS,
            "counts": ONLY_COUNTED,
            "length": {"properties": dict.fromkeys(("text", "title", "headings"), ONLY_COUNTED)},
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
            "tokens": ONLY_READ,
            "kept": {"type": "object", "enabled": False},
        },
    }


def made_from(mappings: Mapping[str, Any]) -> IndexFingerprint | None:
    """What an index was made with; None for one that is not ours."""
    said = mappings.get("_meta", {}).get(OWNER)
    try:
        return IndexFingerprint(int(said["schema"]), str(said["embedding"]), str(said["analyzer"]))
    except (KeyError, TypeError, ValueError):
        return None


def of_kind(*kinds: str) -> dict[str, Any]:
    """Records of these kinds."""
    return {"terms": {"kind": list(kinds)}}


def withheld(index: str) -> dict[str, Any]:
    """What is not to be seen just now, as the ledger says at the moment of asking."""
    return {"terms": {"marks": {"index": index, "id": WITHHELD, "path": "kept.marks"}}}


def visible(index: str, *filters: Mapping[str, Any]) -> dict[str, Any]:
    """All that may be seen and meets these filters."""
    return {"bool": {"filter": list(filters), "must_not": [withheld(index)]}}


def readable(index: str, audiences: Sequence[str], *filters: Mapping[str, Any]) -> dict[str, Any]:
    """All that these audience words open."""
    return visible(index, {"terms": {"audience": list(audiences)}}, *filters)
