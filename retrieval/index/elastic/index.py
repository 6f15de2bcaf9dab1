"""`ElasticIndex`: every replica reads and writes the generation that the alias stands for."""

from dataclasses import dataclass

from elasticsearch import Elasticsearch

from retrieval.embedding.protocol import Embedder
from retrieval.index.elastic.admin.generations import GenerationIndices
from retrieval.index.elastic.admin.index_admin import ElasticAdmin
from retrieval.index.elastic.client import Connection, connect
from retrieval.index.elastic.current_generation import CurrentGeneration
from retrieval.index.elastic.mapping import SCHEMA_VERSION
from retrieval.index.elastic.query.executor import QueryExecutor
from retrieval.index.elastic.query.index_reader import ElasticReader
from retrieval.index.elastic.retries import RETRIES, Retries
from retrieval.index.elastic.write.coordinator import WriteCoordinator
from retrieval.index.elastic.write.index_writer import ElasticWriter
from retrieval.index.elastic.write.limits import WRITE_LIMITS, WriteLimits
from retrieval.index.elastic.write.lock import LEASE, WriteLock
from retrieval.index.generations import IndexFingerprint
from retrieval.ranking.analysis import Analyzer

ALIAS = "footnote-passages"


@dataclass(frozen=True, slots=True)
class ElasticIndex:
    """The `SearchIndex` of production; another process's writes, and a new generation, are seen by the next call."""

    reader: ElasticReader
    writer: ElasticWriter
    admin: ElasticAdmin
    client: Elasticsearch

    def close(self) -> None:
        """Close all connections."""
        self.client.close()


def open_elastic(
    connection: Connection,
    embedder: Embedder,
    analyzer: Analyzer,
    *,
    alias: str = ALIAS,
    shards: int = 1,
    lease: float = LEASE,
    limits: WriteLimits = WRITE_LIMITS,
    retries: Retries = RETRIES,
) -> ElasticIndex:
    """Open the index behind an alias; nothing is requested or made, and no embedding model loaded, before it is used.

    Raises `SearchUnavailable` for an impossible connection. `lease` is how many seconds a writer that died keeps the
    others waiting.
    """
    client, place = connect(connection), connection.place
    wanted = IndexFingerprint(SCHEMA_VERSION, embedder.name, analyzer.name)
    indices = GenerationIndices(client, alias, wanted, shards=shards, retries=retries)
    lock = WriteLock(client, indices.lock, lease=lease, retries=retries)
    current = CurrentGeneration(
        client,
        indices,
        lock,
        dimensions=lambda: embedder.dimensions,
        write_timeout=limits.timeout,
        retries=retries,
    )
    coordinator = WriteCoordinator(current, lock, place=place, limits=limits)
    executor = QueryExecutor(client, alias, current.ready, shards=shards, retries=retries)
    return ElasticIndex(
        reader=ElasticReader(executor, coordinator, current, place=place),
        writer=ElasticWriter(coordinator, current, analyzer=analyzer, embedding=embedder.name, place=place),
        admin=ElasticAdmin(indices, current, coordinator, lock, analyzer=analyzer, place=place),
        client=client,
    )
