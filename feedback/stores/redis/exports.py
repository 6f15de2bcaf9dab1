"""Which exports were made and whose rows are in them, in the Redis store."""

import json
from collections.abc import Iterable, Iterator, Mapping

from feedback.records import Export, ExportedRows, ExportRegistration, SkippedRecord
from feedback.stores.redis.queries import pages, records_by_name
from feedback.stores.redis.server import PAGE, Server, as_bytes, as_text
from feedback.stores.redis.values import moment, name_of, record_text
from feedback.stores.skipped import OnSkipped, log_skipped, parse_or_skip, parse_rows


class RedisExportRegistry:
    """An `ExportRegistry` on a server."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def register_export(self, export: Export, rows: Mapping[str, Iterable[str]]) -> None:
        """Add an export, and by person the sha256 of the rows that hold something of theirs."""
        register_export(self._server, export, rows)


def register_export(server: Server, export: Export, rows: Mapping[str, Iterable[str]]) -> None:
    """Add an export and replace the rows of these persons; the export comes last, when its rows are there."""
    name, people = as_bytes(export.id), sorted(rows)
    for begin in range(0, len(people), PAGE):
        page = people[begin : begin + PAGE]
        hashes = [(as_bytes(person), json.dumps(sorted(set(rows[person])))) for person in page]
        server.pipeline([("ZADD", server.key("people", name), 0, person) for person, _ in hashes])
        server.pipeline([("HSET", server.key("held", person), name, of) for person, of in hashes])
    server.pipeline(
        [
            ("ZADD", server.key("exports"), 0, moment(export.at, name)),
            ("SET", server.key("export", name), record_text(export)),
        ]
    )


def registrations(server: Server, skipped: OnSkipped) -> Iterator[ExportRegistration]:
    """Yield the registrations of all exports, oldest first, ties by id, each by person.

    An export that holds nobody's rows has one without a person.
    """
    (moments,) = server.pipeline([("ZRANGE", server.key("exports"), 0, -1)])
    (exports,) = records_by_name(server, Export, [list(map(name_of, moments))], skipped)
    for export in exports:
        name, is_empty = as_bytes(export.id), True
        for people in pages(server, server.key("people", name)):
            found = server.pipeline([("HGET", server.key("held", person), name) for person in people])
            for person, rows in zip(people, found, strict=True):
                hashes = parse_rows(rows or b"[]")
                if hashes is None:
                    skipped(SkippedRecord("registered", export.id, "its list of rows is damaged"))
                else:
                    yield ExportRegistration(export, as_text(person), hashes)
            is_empty = False
        if is_empty:
            yield ExportRegistration(export)


def exported_rows(server: Server, person: bytes) -> tuple[ExportedRows, ...]:
    """Return the exports that hold rows of this person, oldest first."""
    (found,) = server.pipeline([("HGETALL", server.key("held", person))])
    rows = found if isinstance(found, dict) else dict(zip(found[::2], found[1::2], strict=True))
    names = list(rows)
    records = server.get([server.key("export", name) for name in names]) if names else []
    several = [
        ExportedRows(export, parse_rows(rows[name]) or ())
        for name, record in zip(names, records, strict=True)
        if record is not None and (export := parse_or_skip(Export, as_text(name), record, log_skipped))
    ]
    return tuple(sorted(several, key=lambda each: (each.export.at, each.export.id)))
