"""Makes the client of Elasticsearch from settings, and turns its errors into `SearchUnavailable`."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson
from elastic_transport import ConnectionError as Unreachable
from elastic_transport import ConnectionTimeout, JsonSerializer, NdjsonSerializer, TlsError, TransportError
from elasticsearch import ApiError, Elasticsearch

from retrieval.errors import SearchUnavailable

# Seconds; a question waits no longer for an answer, while a write, a bulk request above all, may take its time.
READ_TIMEOUT = 10.0
WRITE_TIMEOUT = 120.0
# A second node is tried while the question still waits, a third if there is one.
NODES_TRIED = 3
DEFAULT_PORTS = {"http": 9200, "https": 443}

REFUSALS = {
    401: "refuses the key or the password: check `elasticsearch_api_key`, or `elasticsearch_username` and `_password`",
    403: "does not allow this: give the key or user the privileges that the README lists",
    413: "refuses a request as too large: raise its `http.max_content_length`",
    429: "is overloaded: add memory or nodes, or try again later",
    503: "is not ready: it has no elected master, or a part of the index is missing",
}
DISK_FULL = (
    "does not write any more, for its disk is full: free space or add a node; it then takes up writing by itself"
)


@dataclass(frozen=True, slots=True)
class Connection:
    """Addresses and credentials of Elasticsearch; empty means not given. `timeout` bounds a read, in seconds."""

    urls: tuple[str, ...] = ()
    cloud_id: str = ""
    api_key: str = ""
    username: str = ""
    password: str = ""
    ca_certs: str = ""
    fingerprint: str = ""
    timeout: float = READ_TIMEOUT

    @property
    def place(self) -> str:
        """The addresses for messages, without the secrets of a url."""
        return ", ".join(_without_secrets(url) for url in self.urls) or "Elastic Cloud"


def _without_secrets(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


def connect(connection: Connection) -> Elasticsearch:
    """A client that connects when it is first used; raises `SearchUnavailable` for values that cannot be meant."""
    if connection.ca_certs and not Path(connection.ca_certs).is_file():
        raise SearchUnavailable(
            f"`elasticsearch_ca_certs` names no file: {connection.ca_certs!r}; give the certificate that signed the "
            "server's"
        )
    nodes = min(NODES_TRIED, max(1, len(connection.urls)))
    options: dict[str, Any] = {
        "api_key": connection.api_key or None,
        "basic_auth": (connection.username, connection.password) if connection.username else None,
        "ca_certs": connection.ca_certs or None,
        "ssl_assert_fingerprint": connection.fingerprint or None,
        # All tries together stay within the limit, so that a server that never answers ends in an error.
        "request_timeout": connection.timeout / nodes,
        "max_retries": max(1, nodes - 1),
        "retry_on_timeout": nodes > 1,
        "retry_on_status": (502, 503, 504) if nodes > 1 else (),
        "serializers": SERIALIZERS,
    }
    where: dict[str, Any] = (
        {"cloud_id": connection.cloud_id}
        if connection.cloud_id
        else {"hosts": [_with_port(u) for u in connection.urls]}
    )
    try:
        return Elasticsearch(**where, **{key: value for key, value in options.items() if value is not None})
    except (ValueError, TypeError, OSError) as error:
        raise SearchUnavailable(
            f"the connection to Elasticsearch at {connection.place} cannot be set up: {_one_line(error)}"
        ) from error


def _with_port(url: str) -> str:
    parts = urlsplit(url)
    if parts.port or parts.scheme not in DEFAULT_PORTS:
        return url
    return parts._replace(netloc=f"{parts.netloc}:{DEFAULT_PORTS[parts.scheme]}").geturl()


def to_json(value: Any) -> bytes:
    """Encode a value as JSON, arrays of numbers too; a lone surrogate is escaped."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY)
    except TypeError:
        return json.dumps(value, separators=(",", ":"), default=lambda array: array.tolist()).encode("ascii")


class _FastJson(JsonSerializer):
    """Serializes vectors and long responses in a fraction of the usual time."""

    def json_dumps(self, data: Any) -> bytes:
        return to_json(data)

    def json_loads(self, data: bytes) -> Any:
        try:
            return orjson.loads(data)
        except orjson.JSONDecodeError:  # it is stricter
            return super().json_loads(data)


class _FastNdjson(_FastJson, NdjsonSerializer):
    """Serializes lines of JSON."""


SERIALIZERS = {kind.mimetype: kind() for kind in (_FastJson, _FastNdjson)}


class PartialResponse(Exception):
    """A response of a part of the index, or of none: it would pass for whole with fewer hits than there are."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status_code = status


class IndexGone(PartialResponse):
    """The index does not exist any more."""


@contextmanager
def map_errors(place: str) -> Iterator[None]:
    """Turn every error of the client into `SearchUnavailable`, in one line with its remedy."""
    try:
        yield
    except (ApiError, TransportError, PartialResponse) as error:
        raise SearchUnavailable(f"Elasticsearch at {place} {reason(error)}") from error


def reason(error: ApiError | TransportError | PartialResponse) -> str:
    """Describe an error as the rest of a sentence that begins with the server."""
    if isinstance(error, PartialResponse):
        return REFUSALS.get(error.status_code) or f"could not answer whole: {_one_line(error)}"
    if isinstance(error, ApiError):
        return _describe(error)
    if isinstance(error, ConnectionTimeout):
        return "did not answer in time: see whether it is overloaded, then try again"
    if isinstance(error, TlsError):
        mend = "set `elasticsearch_ca_certs` or `_fingerprint`"
        return f"has a certificate that is not trusted: {mend} ({_one_line(error)})"
    if isinstance(error, Unreachable):
        return "cannot be reached: check that it runs and that `elasticsearch_url` is right"
    return f"gave an answer that cannot be understood: {_one_line(error)}"


def _describe(error: ApiError) -> str:
    if error.error == "cluster_block_exception" and "disk" in str(error):
        return DISK_FULL
    return REFUSALS.get(error.status_code) or f"answered {error.status_code}: {_one_line(error)}"


def _one_line(error: Exception) -> str:
    text = " ".join(str(getattr(error, "message", "") or error).split())
    return text[:200]
