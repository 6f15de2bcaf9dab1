"""Reads pages of moments and the records of names from the server."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import zip_longest
from typing import TypeVar

from feedback.records import Correction, Decision, R, Vote, kind_of
from feedback.stores.redis.server import PAGE, Server, as_text
from feedback.stores.redis.values import arrival, effective, moment, name_of
from feedback.stores.skipped import OnSkipped, parse_or_skip

F = TypeVar("F", Vote, Correction, Decision)


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


def feedback_about(server: Server, kind: type[F], answers: Sequence[bytes], skipped: OnSkipped) -> list[list[F]]:
    """Return all records of this type about each of these answers, oldest first, ties as they came."""
    moments = server.pipeline([("ZRANGE", server.key(f"{kind_of(kind)}s", answer), 0, -1) for answer in answers])
    names = [list(map(name_of, each)) for each in moments]
    return feedback_by_name(server, kind, names, skipped, answers=answers)


def feedback_by_name(
    server: Server,
    kind: type[F],
    names: Sequence[Sequence[bytes]],
    skipped: OnSkipped,
    *,
    answers: Sequence[bytes] = (),
) -> list[list[F]]:
    """Return the records under each list of names, oldest first, ties as they came; one that is gone is left out.

    `answers` are what each list is about, empty where that is not known.
    """
    found = _found(server, kind, names, skipped, answers=answers)
    return [[record for record, _ in sorted(each, key=lambda pair: effective(pair[0].at, pair[1]))] for each in found]


def records_by_name(
    server: Server, record_type: type[R], names: Sequence[Sequence[bytes]], skipped: OnSkipped
) -> list[list[R]]:
    """Return the records under each list of names, in their order; one that is no longer there is left out."""
    return [[record for record, _ in each] for each in _found(server, record_type, names, skipped)]


def _found(
    server: Server,
    record_type: type[R],
    names: Sequence[Sequence[bytes]],
    skipped: OnSkipped,
    *,
    answers: Sequence[bytes] = (),
) -> list[list[tuple[R, tuple[int, int]]]]:
    """Return the records under each list of names, each with when it came."""
    kind = kind_of(record_type)
    keys = [server.key(kind, name) for each in names for name in each]
    stored = iter(server.get(keys) if keys else [])
    found = []
    for each, answer in zip_longest(names, map(as_text, answers)):
        records = []
        for name in each:
            if (text := next(stored)) is None:
                continue
            record = parse_or_skip(record_type, as_text(name), text.partition(b"\n")[0], skipped, answer=answer)
            if record is not None:
                records.append((record, arrival(text)))
        found.append(records)
    return found
