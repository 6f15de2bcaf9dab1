"""How Elasticsearch is reached: a connection's values become a client, its errors become ours."""

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

# A question waits no longer for an answer; changing the index may take its time, a bulk request above all.
READ_TIMEOUT = 10.0
WRITE_TIMEOUT = 120.0
# A second node is asked while the question still waits, a third if there is one.
NODES_ASKED = 3
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
    """Where Elasticsearch is and how it knows us; empty means not given. `timeout` bounds a read, in seconds."""

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
        """Where it is, for people: without what is secret in a url."""
        return ", ".join(_shown(url) for url in self.urls) or "Elastic Cloud"


def _shown(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def connect(connection: Connection) -> Elasticsearch:
    """A client that connects when it is first used; raises `SearchUnavailable` for values that cannot be meant."""
    if connection.ca_certs and not Path(connection.ca_certs).is_file():
        raise SearchUnavailable(
            f"`elasticsearch_ca_certs` names no file: {connection.ca_certs!r}; give the certificate that signed the "
            "server's"
        )
    asked = min(NODES_ASKED, max(1, len(connection.urls)))
    options: dict[str, Any] = {
        "api_key": connection.api_key or None,
        "basic_auth": (connection.username, connection.password) if connection.username else None,
        "ca_certs": connection.ca_certs or None,
        "ssl_assert_fingerprint": connection.fingerprint or None,
        # All tries together stay within the limit, so a server that says nothing ends in an honest error.
        "request_timeout": connection.timeout / asked,
        "max_retries": max(1, asked - 1),
        "retry_on_timeout": asked > 1,
        "retry_on_status": (502, 503, 504) if asked > 1 else (),
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
            f"the connection to Elasticsearch at {connection.place} cannot be set up: {_line(error)}"
        ) from error


def _with_port(url: str) -> str:
    parts = urlsplit(url)
    if parts.port or parts.scheme not in DEFAULT_PORTS:
        return url
    return parts._replace(netloc=f"{parts.netloc}:{DEFAULT_PORTS[parts.scheme]}").geturl()


def to_json(value: Any) -> bytes:
    """The value as JSON, with arrays of numbers; half a character is escaped."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY)
    except TypeError:
        return json.dumps(value, separators=(",", ":"), default=lambda array: array.tolist()).encode("ascii")


class _Quick(JsonSerializer):
    """JSON of vectors and of long answers in a fraction of the usual time."""

    def json_dumps(self, data: Any) -> bytes:
        return to_json(data)

    def json_loads(self, data: bytes) -> Any:
        try:
            return orjson.loads(data)
        except orjson.JSONDecodeError:  # it is stricter
            return super().json_loads(data)


class _QuickLines(_Quick, NdjsonSerializer):
    """The same for lines of JSON."""


SERIALIZERS = {kind.mimetype: kind() for kind in (_Quick, _QuickLines)}


class PartialAnswer(Exception):
    """A search that a part of the index answered, or none: fewer hits than there are would pass for the truth."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status_code = status


class Gone(PartialAnswer):
    """The index that was asked does not exist any more."""


@contextmanager
def mapped(place: str) -> Iterator[None]:
    """The client's errors as ours, each in one line with what mends it."""
    try:
        yield
    except (ApiError, TransportError, PartialAnswer) as error:
        raise SearchUnavailable(f"Elasticsearch at {place} {reason(error)}") from error


def reason(error: ApiError | TransportError | PartialAnswer) -> str:
    """What went wrong, as the rest of a sentence that begins with the server."""
    if isinstance(error, PartialAnswer):
        return REFUSALS.get(error.status_code) or f"could not answer whole: {_line(error)}"
    if isinstance(error, ApiError):
        return _refusal(error)
    if isinstance(error, ConnectionTimeout):
        return "did not answer in time: see whether it is overloaded, then try again"
    if isinstance(error, TlsError):
        return f"has a certificate that is not trusted: set `elasticsearch_ca_certs` or `_fingerprint` ({_line(error)})"
    if isinstance(error, Unreachable):
        return "cannot be reached: check that it runs and that `elasticsearch_url` is right"
    return f"gave an answer that cannot be understood: {_line(error)}"


def _refusal(error: ApiError) -> str:
    if error.error == "cluster_block_exception" and "disk" in str(error):
        return DISK_FULL
    return REFUSALS.get(error.status_code) or f"answered {error.status_code}: {_line(error)}"


def _line(error: Exception) -> str:
    text = " ".join(str(getattr(error, "message", "") or error).split())
    return text[:200]
