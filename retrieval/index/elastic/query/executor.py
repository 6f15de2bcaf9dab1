"""Lookups over whatever generation the alias stands for, with statistics that are kept while nothing changes."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, cast

from elasticsearch import Elasticsearch

from retrieval.errors import SearchUnavailable
from retrieval.index.elastic.client import Gone
from retrieval.index.elastic.query.builder import (
    Body,
    Measured,
    has_vector,
    held_in,
    hits_of,
    measured_in,
    searches,
    state_of,
)
from retrieval.index.elastic.query.scoring import BLOCK_NUMBERS, PASSAGE_NUMBERS, candidates, in_order
from retrieval.index.elastic.retries import retry_read
from retrieval.index.elastic.store import Record, Store, responses
from retrieval.index.protocols import Candidates, Lookup

# Audiences whose statistics are kept, and for each of them how many terms.
AUDIENCES_KEPT = 32
TERMS_KEPT = 50_000
# A lookup that meets a change between two of its searches asks again.
ATTEMPTS = 6


class _Moved(Exception):
    """The alias stands for another index by now."""


class QueryExecutor:
    """Answers lookups; `opened` gives the current generation's store, checked, or raises `IndexNotReady`."""

    def __init__(self, client: Elasticsearch, alias: str, opened: Callable[[], Store], *, shards: int) -> None:
        self._client, self._alias, self._opened, self._shards = client, alias, opened, shards
        self._lock = threading.Lock()
        self._store: Store | None = None
        self._measured: OrderedDict[tuple[str, frozenset[str]], Measured] = OrderedDict()

    def __call__(self, lookup: Lookup) -> tuple[Store, Candidates]:
        """The candidates, and the store that they are of; the client's errors are for the caller to map."""
        for _ in range(ATTEMPTS):
            store = self._store = self._store or self._opened()
            try:
                found = self._asked(store, lookup)
            except _Moved:
                self._store = None
                continue
            if found is not None:
                return store, found
        raise SearchUnavailable("the index is being changed all the time just now: ask again")

    def _asked(self, store: Store, lookup: Lookup) -> Candidates | None:
        """None when a document was replaced between two of the searches."""
        known = self._measured.get((store.name, lookup.audiences))
        bodies = searches(lookup, store.name, self._alias, known=known.held if known else None, shards=self._shards)
        state, passages, *blocks = self._answers(bodies)
        index, number = state_of(state)
        if index != store.name:
            raise _Moved
        if known is not None and known.state != number:
            known = None
            (state,) = self._answers(searches(lookup, store.name, self._alias, known=None)[:2])
        measured = self._remembered(store.name, lookup, known, state)
        found = in_order(hits_of(passages, numbers=PASSAGE_NUMBERS, near=has_vector(lookup)))
        if found.is_torn:
            return None
        context = hits_of(blocks[0], numbers=BLOCK_NUMBERS) if blocks else None
        return candidates(lookup, measured, found, index=store.name, blocks=context)

    def _remembered(self, index: str, lookup: Lookup, known: Measured | None, state: Mapping[str, Any]) -> Measured:
        """The statistics of an audience with those of this lookup's terms."""
        if known is None:
            measured = measured_in(state, lookup)
        else:
            held = {**known.held, **held_in(state, lookup, known.held)}
            measured = replace(known, held=held)
        with self._lock:
            self._measured[index, lookup.audiences] = measured
            self._measured.move_to_end((index, lookup.audiences))
            if len(self._measured) > AUDIENCES_KEPT or len(measured.held) > TERMS_KEPT:
                self._measured.popitem(last=len(measured.held) > TERMS_KEPT)
        return measured

    def _answers(self, bodies: list[Body]) -> list[Record]:
        try:
            return retry_read(lambda: self._asked_once(bodies))
        except Gone as error:
            raise _Moved from error

    def _asked_once(self, bodies: list[Body]) -> list[Record]:
        answer = self._client.perform_request(
            "POST",
            "/_msearch",
            params={"include_named_queries_score": "true"},
            headers={"content-type": "application/x-ndjson", "accept": "application/json"},
            body=bodies,
        )
        return responses(cast(Mapping[str, Any], answer.body))
