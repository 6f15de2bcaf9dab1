"""Elasticsearch's failures reach people as one clear line with what mends it, and within the time limit."""

import inspect
import socket
import time
from collections.abc import Iterator
from contextlib import closing

import elastic_transport
import elasticsearch
import pytest

from retrieval.errors import SearchUnavailable
from retrieval.index.elastic.client import Connection, PartialResponse, connect, map_errors
from retrieval.index.elastic.index import open_elastic
from retrieval.index.elastic.index_client import responses
from retrieval.ranking.analysis import Analyzer
from tests.fakes import FakeEmbedder
from tests.retrieval.samples import LEAVE, document, lookup, put


@pytest.fixture
def silent() -> Iterator[str]:
    """The url of a server that accepts and never answers."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def nobody(silent: str) -> str:
    """A url behind which nothing listens."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        return f"http://127.0.0.1:{server.getsockname()[1]}"


def opened(connection: Connection):
    return closing(open_elastic(connection, FakeEmbedder(), Analyzer(), alias="test-nowhere"))


def test_opening_asks_nothing(nobody):
    with opened(Connection((nobody,))):
        pass


def test_a_server_that_is_not_there_is_named_with_the_mend(nobody):
    with opened(Connection((nobody,))) as index:
        expected = rf"^Elasticsearch at {nobody} cannot be reached: check that it runs and that `elasticsearch_url`"
        for attempt in (
            lambda: index.reader.lookup(lookup("leave")),
            lambda: index.reader.stored("docs"),
            lambda: put(index, document("docs/leave", LEAVE)),
            lambda: index.writer.lock().__enter__(),
        ):
            with pytest.raises(SearchUnavailable, match=expected):
                attempt()


def test_a_server_that_never_answers_is_given_up_within_the_limit(silent):
    with opened(Connection((silent, silent.replace("127.0.0.1", "localhost")), timeout=1.0)) as index:
        began = time.monotonic()
        with pytest.raises(SearchUnavailable, match="did not answer in time"):
            index.reader.lookup(lookup("leave"))
        assert time.monotonic() - began < 10


def test_no_secret_of_a_url_is_shown(nobody):
    secret = nobody.replace("//", "//ada:s3cret@")
    with opened(Connection((secret,))) as index, pytest.raises(SearchUnavailable) as raised:
        index.reader.counts()
    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize(
    "connection",
    [
        pytest.param(Connection(("not a url",)), id="no-url"),
        pytest.param(Connection(cloud_id="nonsense"), id="cloud"),
    ],
)
def test_values_that_cannot_be_meant_are_refused_in_one_line(connection):
    with pytest.raises(SearchUnavailable, match=r"^the connection to Elasticsearch at .* cannot be set up: [^\n]+$"):
        connect(connection)


def test_a_certificate_that_is_not_there_is_named():
    with pytest.raises(SearchUnavailable, match=r"^`elasticsearch_ca_certs` names no file: '/nowhere/ca.pem'"):
        connect(Connection(("https://127.0.0.1:9200",), ca_certs="/nowhere/ca.pem"))


def errors(module, root: type[Exception]) -> list[type[Exception]]:
    found = [each for _, each in inspect.getmembers(module, inspect.isclass) if issubclass(each, root)]
    assert found
    return found


def made(error: type[Exception], said: str = "said\nso", *, status: int = 418, body: object = None) -> Exception:
    if issubclass(error, elasticsearch.ApiError):
        meta = elastic_transport.ApiResponseMeta(
            status, "1.1", elastic_transport.HttpHeaders(), 0.1, elastic_transport.NodeConfig("http", "h", 9200)
        )
        return error(said, meta, body or {})
    return error(said)


@pytest.mark.parametrize(
    "error",
    [
        *errors(elasticsearch, elasticsearch.ApiError),
        *errors(elasticsearch, elasticsearch.TransportError),
        *errors(elastic_transport, elastic_transport.TransportError),
    ],
)
def test_none_of_the_clients_errors_escapes(error):
    with pytest.raises(SearchUnavailable, match=r"^Elasticsearch at somewhere [^\n]+$"), map_errors("somewhere"):
        raise made(error)


WHOLE = {"hits": {"hits": []}, "timed_out": False, "_shards": {"failed": 0}}


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param({**WHOLE, "timed_out": True}, id="timed-out"),
        pytest.param({**WHOLE, "_shards": {"failed": 1}}, id="shard-failed"),
        pytest.param({"error": {"type": "no_shard", "reason": "gone"}, "status": 503}, id="error"),
    ],
)
def test_an_answer_of_a_part_of_the_index_is_none(answer):
    assert responses({"responses": [WHOLE]}) == [WHOLE]
    with pytest.raises(PartialResponse):
        responses({"responses": [WHOLE, answer]})


def test_a_full_disk_is_told_from_a_busy_server():
    reason = "index [x] blocked by: [TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage watermark];"
    body = {"error": {"root_cause": [{"type": "cluster_block_exception", "reason": reason}]}}
    full = made(elasticsearch.ApiError, "cluster_block_exception", status=429, body=body)
    with pytest.raises(SearchUnavailable, match="its disk is full: free space"), map_errors("somewhere"):
        raise full
    with pytest.raises(SearchUnavailable, match="is overloaded: add memory or nodes"), map_errors("somewhere"):
        raise made(elasticsearch.ApiError, "es_rejected_execution_exception", status=429)
