"""Fixtures that open each implementation of `SearchIndex` in turn."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from uuid import uuid4

import pytest
from elasticsearch import Elasticsearch

from retrieval.index.elastic.client import Connection
from retrieval.index.elastic.index import ElasticIndex, open_elastic
from retrieval.index.elastic.retries import RETRIES, Retries
from retrieval.index.elastic.write.limits import WRITE_LIMITS, WriteLimits
from retrieval.index.local.index import LocalIndex, open_index
from retrieval.index.protocols import SearchIndex
from retrieval.ranking.analysis import Analyzer
from tests.fakes import FakeEmbedder

Opener = Callable[..., SearchIndex]
# How long a writer that died keeps the others waiting.
LEASE = 4.0

ELASTIC = pytest.param("elastic", marks=[pytest.mark.server, pytest.mark.timeout(600)])


@pytest.fixture(params=["local", ELASTIC])
def opener(request: pytest.FixtureRequest) -> Iterator[Opener]:
    """Opens the same index again and again, as another process would: with this embedding model and language."""
    with ExitStack() as opened:
        open_one = opened.enter_context(OPENERS[request.param](request))

        def opener(embedding: str = "fake/64", language: str = "english") -> SearchIndex:
            return opened.enter_context(closing(open_one(FakeEmbedder(embedding), Analyzer(language))))

        yield opener


@contextmanager
def _local(request: pytest.FixtureRequest):
    home = request.getfixturevalue("tmp_path") / "state"
    yield lambda embedder, analyzer: open_index(home, embedder, analyzer)


@contextmanager
def _elastic(request: pytest.FixtureRequest):
    url = request.getfixturevalue("elasticsearch_url")
    with own_alias(url) as alias:
        yield lambda embedder, analyzer: elastic(url, alias, embedder, analyzer)


OPENERS: dict[
    str, Callable[[pytest.FixtureRequest], AbstractContextManager[Callable[..., LocalIndex | ElasticIndex]]]
] = {
    "local": _local,
    "elastic": _elastic,
}


def elastic(
    url: str,
    alias: str,
    embedder: FakeEmbedder | None = None,
    analyzer: Analyzer | None = None,
    *,
    lease: float = LEASE,
    limits: WriteLimits = WRITE_LIMITS,
    retries: Retries = RETRIES,
) -> ElasticIndex:
    """The index behind an alias, as one process opens it."""
    return open_elastic(
        Connection((url,)),
        embedder or FakeEmbedder(),
        analyzer or Analyzer(),
        alias=alias,
        lease=lease,
        limits=limits,
        retries=retries,
    )


@contextmanager
def own_alias(url: str) -> Iterator[str]:
    """A name that nobody else uses on this server; nothing of it is left behind."""
    alias = f"test-{uuid4().hex[:12]}"
    try:
        yield alias
    finally:
        with Elasticsearch(url) as client:
            found = client.indices.get(index=f"{alias}*", features="aliases", expand_wildcards="all")
            if names := list(found):
                client.indices.delete(index=names)


@pytest.fixture
def index(opener: Opener) -> SearchIndex:
    """An index without documents."""
    return opener()


@pytest.fixture
def alias(elasticsearch_url: str) -> Iterator[str]:
    """An alias of the test's own."""
    with own_alias(elasticsearch_url) as name:
        yield name
