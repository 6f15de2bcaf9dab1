"""The versioned JSON of records, and quick JSON of any other value.

In JSON every record says its `kind` and its `schema`, MAJOR.MINOR. A newer minor version only adds keys, which are
ignored; a newer major version is refused. A key that an older version lacks takes its default.
"""

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec
import orjson

from feedback.records import Exchange, ExportRegistration, R, Record, kind_of

SCHEMA = (1, 1)
SCHEMA_TEXT = ".".join(map(str, SCHEMA))

TIME = "a time in ISO 8601 with its offset from UTC"
# What people read in place of a type's name in the messages of msgspec.
EXPECTED = {
    "str": "a text",
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "array": "a list",
    "object": "an object",
}
# Made once: `json.dumps` makes another for each text. Not msgspec's: half a character must be written, and the lines
# of a dump stay as they have been, in ASCII and with a space behind each comma.
_ENCODE = json.JSONEncoder(allow_nan=False).encode


class NewerSchema(ValueError):
    """The JSON was written by a newer Footnote and cannot be read by this one."""


def to_json(record: Record) -> dict[str, Any]:
    """The record as JSON keeps it: `kind`, `schema`, then its fields in their order; `from_json` gives an equal one."""
    row = msgspec.to_builtins(record, builtin_types=(datetime,), enc_hook=_plain)
    if isinstance(record, ExportRegistration):
        row["export"]["at"] = record.export.at.isoformat()
    else:
        row["at"] = record.at.isoformat()
    if isinstance(record, Exchange):
        row["groups"] = sorted(record.groups)
    return {"kind": kind_of(type(record)), "schema": SCHEMA_TEXT, **row}


def to_line(row: Mapping[str, Any]) -> str:
    """The JSON object as one line of text; raises ValueError for a number that JSON does not know."""
    return _ENCODE(row)


def from_json(record_type: type[R], row: Any) -> R:
    """The record of this type that the JSON stands for; raises ValueError, which names the place that is wrong."""
    kind = kind_of(record_type)
    if not isinstance(row, dict) or row.get("kind") != kind:
        raise ValueError(f"this is no {kind}: `kind` must be {kind!r}")
    check_schema(row.get("schema"))
    try:
        record = msgspec.convert(_with_times(row, kind), record_type)
    except msgspec.ValidationError as error:
        raise ValueError(_message(str(error), record_type, row)) from error
    if isinstance(record, Exchange):
        for place, number in _numbers(record):
            if not math.isfinite(number):
                raise ValueError(f"`{kind}.{place}` must be a number")
    return record


def check_schema(schema: Any) -> None:
    """Raise ValueError for what is no version, and `NewerSchema` for one that this Footnote cannot read."""
    if not isinstance(schema, str) or not re.fullmatch(r"[0-9]{1,9}\.[0-9]{1,9}", schema):
        raise ValueError("`schema` must be MAJOR.MINOR")
    if int(schema.split(".")[0]) > SCHEMA[0]:
        raise NewerSchema(f"schema {schema} is of a newer Footnote than this one; upgrade it")


def to_bytes(value: Any, plain: Callable[[Any], Any] | None = None) -> bytes:
    """The value as JSON with sorted keys, dataclasses as objects; half a character is escaped.

    `plain` converts what JSON does not know.
    """
    try:
        return orjson.dumps(value, default=plain, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        return json.dumps(value, default=plain, sort_keys=True).encode()


def from_bytes(text: str | bytes) -> Any:
    """The value that the JSON stands for; raises ValueError."""
    try:
        return orjson.loads(text)
    except ValueError:  # it is stricter: half a character, numbers that are none
        return json.loads(text)


def _plain(value: Any) -> Any:
    """A number of another library, or a mapping that is no dict, as msgspec takes it."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, float):
        return float(value)
    raise TypeError(f"no record holds a {type(value).__name__}")


def _with_times(row: Mapping[str, Any], place: str) -> dict[str, Any]:
    """The same row with its times parsed and in UTC, whatever the offset that was written."""
    row = dict(row)
    if "at" in row:
        row["at"] = _time(row["at"], f"{place}.at")
    if isinstance(row.get("export"), dict):
        row["export"] = _with_times(row["export"], f"{place}.export")
    return row


def _time(value: Any, place: str) -> datetime:
    with suppress(TypeError, ValueError, OverflowError):
        at = datetime.fromisoformat(value)
        if at.tzinfo:
            return at.astimezone(UTC)
    raise ValueError(f"`{place}` must be {TIME}")


def _numbers(exchange: Exchange) -> Iterator[tuple[str, float]]:
    """The numbers of an exchange, of which JSON parsers let through some that are none, each with its place."""
    yield "confidence", exchange.confidence
    for number, passage in enumerate(exchange.shown):
        yield f"shown[{number}].score", passage.score
    for step, seconds in exchange.timings.items():
        yield f"timings.{step}", seconds


def _message(error: str, record_type: type[Any], row: Mapping[str, Any]) -> str:
    """What is wrong with the row in words for people, from the message of msgspec."""
    what, _, path = error.partition(" - at `$")
    path = path.rstrip("`")
    if path.endswith("[...]"):  # msgspec does not name the key of a mapping: `timings` is the only one
        key = next((key for key, each in row["timings"].items() if type(each) not in {int, float}), "...")
        path = path.replace("[...]", f".{key}")
    place = kind_of(record_type) + path
    if missing := re.match(r"Object missing required field `(\w+)`", what):
        return f"`{place}.{missing[1]}` is missing"
    field_type = get_type_hints(record_type).get(path.removeprefix("."))
    if get_origin(field_type) is Literal:
        return f"`{place}` must be one of {', '.join(get_args(field_type))}"
    expected = re.match(r"Expected `(\w+)[^`]*`(?: of length (\d+))?", what)
    form = EXPECTED.get(expected[1], expected[1]) if expected else "a number"
    return f"`{place}` must be {form}" + (f" of {expected[2]}" if expected and expected[2] else "")
