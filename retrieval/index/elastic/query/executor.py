"""Runs lookups over the generation that the alias stands for, and caches statistics until something changes."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, cast

from elasticsearch import Elasticsearch

from retrieval.errors import SearchUnavailable
from retrieval.index.elastic.client import IndexGone
from retrieval.index.elastic.index_client import Record, responses
from retrieval.index.elastic.query.builder import (
    AudienceStatistics,
    Body,
    has_vector,
    hits_of,
    holders_in,
    searches,
    state_of,
    statistics_in,
)
from retrieval.index.elastic.query.scoring import BLOCK_NUMBERS, PASSAGE_NUMBERS, candidates, passage_hits
from retrieval.index.elastic.retries import RETRIES, Retries
from retrieval.index.elastic.store import Store
from retrieval.ranking.candidates import Candidates, Lookup

# Audiences whose statistics are kept, and for each of them how many terms.
AUDIENCES_KEPT = 32
TERMS_KEPT = 50_000
# A lookup that meets a change between two of its searches starts again.
ATTEMPTS = 6


class _AliasMoved(Exception):
    """The alias stands for another index by now."""


class QueryExecutor:
    """Answers lookups; `open_store` gives the current generation's store, or raises `IndexNotReady`."""

    def __init__(
        self,
        client: Elasticsearch,
        alias: str,
        open_store: Callable[[], Store],
        *,
        shards: int,
        retries: Retries = RETRIES,
    ) -> None:
        self._client, self._alias, self._open_store = client, alias, open_store
        self._shards, self._retries = shards, retries
        self._lock = threading.Lock()
        self._store: Store | None = None
        self._statistics: OrderedDict[tuple[str, frozenset[str]], AudienceStatistics] = OrderedDict()

    def run(self, lookup: Lookup) -> tuple[Store, Candidates]:
        """The candidates and the store that they are of; the client's errors are for the caller to map."""
        for _ in range(ATTEMPTS):
            store = self._store = self._store or self._open_store()
            try:
                found = self._searched(store, lookup)
            except _AliasMoved:
                self._store = None
                continue
            if found is not None:
                return store, found
        raise SearchUnavailable("the index is being changed all the time just now: ask again")

    def _searched(self, store: Store, lookup: Lookup) -> Candidates | None:
        """The candidates; None when a document was replaced between two of the searches."""
        known = self._statistics.get((store.name, lookup.audiences))
        bodies = searches(lookup, store.name, self._alias, known=known.holders if known else None, shards=self._shards)
        state, passages, *blocks = self._responses(bodies)
        index, number = state_of(state)
        if index != store.name:
            raise _AliasMoved
        if known is not None and known.state != number:
            known = None
            (state,) = self._responses(searches(lookup, store.name, self._alias, known=None)[:2])
        statistics = self._cached(store.name, lookup, known, state)
        found = passage_hits(hits_of(passages, numbers=PASSAGE_NUMBERS, near=has_vector(lookup)))
        if found.is_torn:
            return None
        context = hits_of(blocks[0], numbers=BLOCK_NUMBERS) if blocks else None
        return candidates(lookup, statistics, found, index=store.name, blocks=context)

    def _cached(
        self, index: str, lookup: Lookup, known: AudienceStatistics | None, state: Mapping[str, Any]
    ) -> AudienceStatistics:
        """The statistics of an audience with those of this lookup's terms, kept for the next one."""
        if known is None:
            statistics = statistics_in(state, lookup)
        else:
            holders = {**known.holders, **holders_in(state, lookup, known.holders)}
            statistics = replace(known, holders=holders)
        with self._lock:
            self._statistics[index, lookup.audiences] = statistics
            self._statistics.move_to_end((index, lookup.audiences))
            if len(self._statistics) > AUDIENCES_KEPT or len(statistics.holders) > TERMS_KEPT:
                self._statistics.popitem(last=len(statistics.holders) > TERMS_KEPT)
        return statistics

    def _responses(self, bodies: list[Body]) -> list[Record]:
        try:
            return self._retries.read(lambda: self._request(bodies))
        except IndexGone as error:
            raise _AliasMoved from error

    def _request(self, bodies: list[Body]) -> list[Record]:
        response = self._client.perform_request(
            "POST",
            "/_msearch",
            params={"include_named_queries_score": "true"},
            headers={"content-type": "application/x-ndjson", "accept": "application/json"},
            body=bodies,
        )
        return responses(cast(Mapping[str, Any], response.body))
