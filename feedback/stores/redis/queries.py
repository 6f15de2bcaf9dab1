"""Reads pages of moments and the records of names from the server."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from feedback.records import R, kind_of
from feedback.stores.redis.server import PAGE, Server
from feedback.stores.redis.values import moment, name_of


def pages(server: Server, key: bytes, *, after: bytes = b"-", end: bytes = b"+") -> Iterator[list[bytes]]:
    """Yield the members of a sorted set in the order of their bytes, `PAGE` at a time, between two limits of ZRANGE."""
    while page := server.pipeline([("ZRANGE", key, after, end, "BYLEX", "LIMIT", 0, PAGE)])[0]:
        yield page
        after = b"(" + page[-1]


def exchange_pages(
    server: Server, *, since: datetime | None = None, until: datetime | None = None
) -> Iterator[list[bytes]]:
    """Yield the ids of the exchanges of this time (`until` is not in it), oldest first, `PAGE` at a time."""
    after = b"[" + moment(since, b"") if since else b"-"
    end = b"(" + moment(until, b"") if until else b"+"
    for page in pages(server, server.key("exchanges"), after=after, end=end):
        yield list(map(name_of, page))


def feedback_about(server: Server, kind: type[R], answers: Sequence[bytes]) -> list[list[R]]:
    """Return all records of this type about each of these answers, oldest first, ties by key."""
    moments = server.pipeline([("ZRANGE", server.key(f"{kind_of(kind)}s", answer), 0, -1) for answer in answers])
    return records_by_name(server, kind, [list(map(name_of, each)) for each in moments])


def records_by_name(server: Server, record_type: type[R], names: Sequence[Sequence[bytes]]) -> list[list[R]]:
    """Return the records under each list of names, in their order; one that is no longer there is left out."""
    keys = [server.key(kind_of(record_type), name) for each in names for name in each]
    found = iter(server.get(keys) if keys else [])
    return [[server.parse(record_type, record) for _ in each if (record := next(found)) is not None] for each in names]
