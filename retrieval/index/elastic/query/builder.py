"""Builds the searches of one lookup and reads their responses (pure).

The index only chooses candidates: in one search the nearest by their vectors and, behind them, the best by Lucene's
BM25 over one field (title and headings repeated by their weight), in another the best blocks by BM25 for document
context. Each hit brings along the frequencies of the question's terms and both cosines, so that
`retrieval.index.elastic.query.scoring` scores it exactly, with statistics of what the asker may read alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrieval.embedding.vectors import Vector
from retrieval.index.elastic.client import PartialResponse
from retrieval.index.elastic.documents import decode_places
from retrieval.index.elastic.mapping import BLOCK, DOCUMENT, PASSAGE, VISIBILITY_ID, readable
from retrieval.index.elastic.query.term_stats import COUNT_BITS, index_term, term_hash
from retrieval.ranking.bm25 import Floats
from retrieval.ranking.candidates import Lookup

# So many nearest passages at least, and half as many again for their words, which many of the nearest hold too.
CHOSEN_AT_LEAST = 100
FOR_WORDS = 0.5
BLOCKS_CHOSEN = 50
CANDIDATES_PER_SHARD = 1.5
# A boost above any BM25 score, so that the nearest come first.
NEAREST_BOOST = 1000.0
# A question with a long history has more words than one query may; those of the least weight are left out.
TERMS_AT_MOST = 400

# For each of the question's terms, by binary search in the record's ascending counts: its place above its counts.
# A runtime field is read like a stored one, without opening the record as a script field would; it may hold so many
# values and no more.
VALUES_AT_MOST = 100
COUNTED = "found"
COUNTS = """
def counts = doc['counts'];
List hashes = params.hashes;
int size = counts.size();
int terms = hashes.size();
int bits = params.bits;
int first = params.first;
long mask = (1L << bits) - 1;
for (int i = 0; i < terms; ++i) {
  long hash = ((Number) hashes.get(i)).longValue();
  int low = 0;
  int high = size;
  while (low < high) {
    int middle = (low + high) >>> 1;
    long there = (long) counts.get(middle);
    if ((there >> bits) < hash) { low = middle + 1 } else { high = middle }
  }
  if (low < size) {
    long there = (long) counts.get(low);
    if ((there >> bits) == hash) { emit(((long) (first + i) << bits) | (there & mask)) }
  }
}
"""
# Both cosines as one score, the only number that costs nothing to bring along: each in so many bits, from 1 for -1
# upwards, 0 for a missing vector. The text's is the upper half of the bits of the float.
COSINE_BITS = 15
STEPS = (1 << COSINE_BITS - 1) - 1
NEARNESS = """
int level(double cosine, int steps) { return 1 + (int) Math.round((Math.max(-1, Math.min(1, cosine)) + 1) * steps) }
int text = doc['text_vector'].size() == 0 ? 0 : level(dotProduct(params.vector, 'text_vector'), params.steps);
int heading = doc['heading_vector'].size() == 0 ? 0 : level(dotProduct(params.vector, 'heading_vector'), params.steps);
return Float.intBitsToFloat((text << params.bits) | heading);
"""

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Hits:
    """The n records that a search chose: the numbers and labels of their places, and each one's packed counts.

    `numbers` has shape (n, k). `text` and `heading` are cosines, shape (n,), 0 without a vector; None if not requested.
    """

    numbers: NDArray[np.int32]
    labels: Sequence[str]
    counts: Sequence[Sequence[int]]
    text: Floats | None = None
    heading: Floats | None = None


@dataclass(frozen=True, slots=True)
class AudienceStatistics:
    """Statistics of what an audience may read, as of one state of the visibility record.

    `passages` and `blocks` hold how many there are and the sums of their fields' lengths; `holders` holds how many
    passages hold a term or pair, and under `#term` how many blocks hold the term.
    """

    state: int
    documents: int
    passages: tuple[float, ...]
    blocks: tuple[float, ...]
    holders: dict[str, int]


def query_terms(lookup: Lookup) -> list[str]:
    """Terms and pairs that the searches look for, in a fixed order."""
    return [*_heaviest(lookup.terms), *(_heaviest(lookup.bigrams) if lookup.configuration.bigrams else [])]


def _heaviest(weights: Mapping[str, float]) -> list[str]:
    if len(weights) <= TERMS_AT_MOST:
        return list(weights)
    return sorted(weights, key=lambda term: -weights[term])[:TERMS_AT_MOST]


def searches(lookup: Lookup, index: str, alias: str, *, known: Mapping[str, int] | None, shards: int = 1) -> list[Body]:
    """Headers and bodies of one multiple search: state, passages, and blocks if context is configured.

    `shards` is how many the index has, each of which gives as many nearest passages. `known` are the terms whose
    holders need not be counted; None when nothing is known of this audience.
    """
    audiences = sorted(lookup.audiences)
    bodies = [_state(lookup, index, audiences, known), _passages(lookup, index, audiences, shards)]
    if lookup.configuration.context:
        bodies.append(_context(lookup, index, audiences))
    header = {"index": index, "allow_partial_search_results": False}
    # The first searches the alias, and so tells whether that still stands for this index.
    return [part for body in bodies for part in ({**header, "index": alias} if body is bodies[0] else header, body)]


def _state(lookup: Lookup, index: str, audiences: Sequence[str], known: Mapping[str, int] | None) -> Body:
    """The state of the visibility record and, of the same moment, the statistics that are not known yet."""
    record = {"ids": {"values": [VISIBILITY_ID]}}
    body: Body = {"size": 1, "_source": False, "seq_no_primary_term": True, "track_total_hits": False}
    wanted = {name: query for name, query in counted_terms(lookup).items() if known is None or name not in known}
    aggregations: Body = {}
    if wanted:
        aggregations["holders"] = {"filters": {"filters": dict(zip(_places(wanted), wanted.values(), strict=True))}}
    if known is None:
        aggregations |= {kind: _sums(kind) for kind in (PASSAGE, BLOCK, DOCUMENT)}
    if not aggregations:
        return {**body, "query": record}
    either = {"bool": {"should": [record, readable(index, audiences)], "minimum_should_match": 1}}
    return {**body, "query": either, "post_filter": record, "aggs": aggregations}


def counted_terms(lookup: Lookup) -> dict[str, Body]:
    """The queries that count the passages, or blocks, with a term, by its key in `AudienceStatistics.holders`."""
    found = {term: {"term": {"terms": index_term(term)}} for term in query_terms(lookup)}
    if lookup.configuration.context:
        found |= {f"#{term}": {"term": {"context": index_term(term)}} for term in _heaviest(lookup.terms)}
    return found


def _places(names: Iterable[str]) -> list[str]:
    return [str(place) for place, _ in enumerate(names)]


def _sums(kind: str) -> Body:
    fields = ("text", "title", "headings") if kind != DOCUMENT else ()
    sums = {field: {"sum": {"field": f"length.{field}"}} for field in fields}
    return {"filter": {"term": {"kind": kind}}, **({"aggs": sums} if sums else {})}


def has_vector(lookup: Lookup) -> bool:
    """Whether the lookup has a vector with a direction."""
    return lookup.vector is not None and bool(lookup.vector.any())


def _passages(lookup: Lookup, index: str, audiences: Sequence[str], shards: int) -> Body:
    """The search for the nearest passages of each shard and, behind them all, the best by their words."""
    terms = query_terms(lookup)
    weights = {
        **lookup.terms,
        **{pair: weight * lookup.configuration.bigrams for pair, weight in lookup.bigrams.items()},
    }
    wanted = [_term("terms", term, weights[term]) for term in terms if weights[term] > 0]
    size = count = max(lookup.depth, CHOSEN_AT_LEAST)
    rescore: Body = {}
    if lookup.vector is not None and has_vector(lookup):
        wanted.append({"knn": _nearest(lookup.vector, count, readable(index, audiences))})
        size = shards * count + int(count * FOR_WORDS)
        rescore = {"rescore": _near(lookup.vector, size)}
    query = readable(index, audiences)
    query["bool"] |= {"should": wanted, "minimum_should_match": 1}
    return _hits(size, terms) | {"query": query if wanted else {"match_none": {}}} | rescore


def _nearest(vector: Vector, count: int, readable: Body) -> Body:
    return {
        "field": "text_vector",
        "query_vector": vector,
        "k": count,
        "num_candidates": int(count * CANDIDATES_PER_SHARD),
        "filter": readable,
        "boost": NEAREST_BOOST,
    }


def _context(lookup: Lookup, index: str, audiences: Sequence[str]) -> Body:
    terms = _heaviest(lookup.terms)
    query = readable(index, audiences)
    query["bool"] |= {
        "should": [_term("context", term, lookup.terms[term]) for term in terms],
        "minimum_should_match": 1,
    }
    return _hits(BLOCKS_CHOSEN, terms) | {"query": query if terms else {"match_none": {}}}


def _term(field: str, term: str, weight: float) -> Body:
    return {"term": {field: {"value": index_term(term), "boost": weight}}}


def _hits(size: int, terms: Sequence[str]) -> Body:
    found = {
        f"{COUNTED}{first}": {"type": "long", "script": {"source": COUNTS, "params": _params(terms, first)}}
        for first in range(0, len(terms), VALUES_AT_MOST)
    }
    return {
        "size": size,
        "_source": False,
        "stored_fields": "_none_",  # not even the id, which lies among kilobytes of what is kept
        "docvalue_fields": ["place", *found],
        "runtime_mappings": found,
        "track_total_hits": False,
    }


def _params(terms: Sequence[str], first: int) -> Body:
    some = terms[first : first + VALUES_AT_MOST]
    return {"hashes": list(map(term_hash, some)), "first": first, "bits": COUNT_BITS}


def _near(vector: Vector, size: int) -> Body:
    """The rescoring of every hit that packs both cosines into its score and orders nothing."""
    script = {"source": NEARNESS, "params": {"vector": vector, "bits": COSINE_BITS, "steps": STEPS}}
    scored = {"rescore_query": {"script_score": {"query": {"match_all": {}}, "script": script}}}
    return {"window_size": size, "query": {**scored, "query_weight": 0, "rescore_query_weight": 1}}


def hits_of(response: Mapping[str, Any], *, numbers: int, near: bool = False) -> Hits:
    """The hits of one response, whose places hold so many numbers; `near` where scores hold their cosines."""
    hits = response["hits"]["hits"]
    at, labels = decode_places((hit["fields"]["place"][0] for hit in hits), numbers)
    counts = [_counts(hit["fields"]) for hit in hits]
    if not near:
        return Hits(at, labels, counts)
    levels = np.array([hit["_score"] for hit in hits], np.float32).view(np.int32)
    return Hits(at, labels, counts, _cosines(levels >> COSINE_BITS), _cosines(levels & ((1 << COSINE_BITS) - 1)))


def _counts(fields: Mapping[str, list[int]]) -> Sequence[int]:
    return [number for name, numbers in fields.items() if name.startswith(COUNTED) for number in numbers]


def _cosines(levels: NDArray[np.int32]) -> Floats:
    return np.where(levels > 0, (levels - 1) / STEPS - 1, 0.0)


def state_of(response: Mapping[str, Any]) -> tuple[str, int]:
    """The index that the alias stands for, and the sequence number of its visibility record."""
    found = response["hits"]["hits"]
    if not found:
        raise PartialResponse(500, "the index has lost its record of what is withheld: `footnote sync` mends it")
    (record,) = found
    return record["_index"], record["_seq_no"]


def holders_in(response: Mapping[str, Any], lookup: Lookup, known: Mapping[str, int] | None) -> dict[str, int]:
    """How many passages or blocks hold each term that was not known."""
    names = [name for name in counted_terms(lookup) if known is None or name not in known]
    buckets = response.get("aggregations", {}).get("holders", {}).get("buckets", {})
    return {name: buckets[place]["doc_count"] for place, name in zip(_places(names), names, strict=True)}


def statistics_in(response: Mapping[str, Any], lookup: Lookup) -> AudienceStatistics:
    """All statistics of an audience, from the response to a search with nothing known."""
    found = response["aggregations"]
    sums = {
        kind: (found[kind]["doc_count"], *(found[kind][field]["value"] for field in ("text", "title", "headings")))
        for kind in (PASSAGE, BLOCK)
    }
    return AudienceStatistics(
        state_of(response)[1],
        found[DOCUMENT]["doc_count"],
        sums[PASSAGE],
        sums[BLOCK],
        holders_in(response, lookup, None),
    )
