"""Frozen dataclasses to JSON and back, by their annotations (pure).

An annotation may be text, number, truth value, datetime, Literal, another dataclass, one of these or None, and tuples,
frozen sets and mappings of them.
"""

import json
import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, datetime
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, NoReturn, Union, get_args, get_origin, get_type_hints

import orjson


def encode(value: Any) -> Any:
    """What `json.dumps` takes and `decode` turns back into an equal value; sets are sorted."""
    kind: Any = type(value)
    if names := _names(kind):
        given = ((name, getattr(value, name)) for name in names)
        return {name: each if type(each) is str else encode(each) for name, each in given}  # most are texts
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {key: encode(each) for key, each in value.items()}
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, tuple):
        return [encode(each) for each in value]
    return value


def decode(kind: Any, value: Any, place: str) -> Any:
    """The value of this type that `value` stands for; unknown keys are ignored, absent ones take their default.

    Raises ValueError, which names the place, for anything else.
    """
    return _decoder(kind)(value, place)


# Where a value stands: the outermost name, or a place and what follows it there; it is spelled out only in an error.
Place = Any
Decoder = Callable[[Any, Place], Any]


@cache
def _names(kind: Any) -> tuple[str, ...]:
    """The fields of a dataclass; none of any other type."""
    return tuple(field.name for field in fields(kind)) if is_dataclass(kind) else ()


@cache
def _decoder(kind: Any) -> Decoder:
    """What decodes values of this type, made once."""
    if is_dataclass(kind):
        return _dataclass(kind)
    origin = get_origin(kind)
    if origin in {Union, UnionType}:
        return _optional(kind)
    if origin is Literal:
        return _choice(get_args(kind))
    if origin in _COLLECTIONS:
        return _COLLECTIONS[origin](get_args(kind))
    return _SCALARS[kind]


def _dataclass(kind: Any) -> Decoder:
    hints = get_type_hints(kind)
    members = [
        (field.name, f".{field.name}", _decoder(hints[field.name]), _as_it_is(hints[field.name]), _may_lack(field))
        for field in fields(kind)
    ]

    def decoded(value: Any, place: Place) -> Any:
        if not isinstance(value, dict):
            _refuse(place, "an object")
        given = {}
        for name, step, decoder, same, optional in members:
            if name in value:
                one = value[name]
                given[name] = one if type(one) is same else decoder(one, (place, step))
            elif not optional:
                raise ValueError(f"`{_spelled((place, step))}` is missing")
        return kind(**given)

    return decoded


def to_bytes(value: Any, plain: Callable[[Any], Any] | None = None) -> bytes:
    """The value as JSON, records and all, quicker than by the standard library; half a character is escaped.

    `plain` gives what JSON knows in place of what it does not.
    """
    try:
        return orjson.dumps(value, default=plain, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        return json.dumps(value, default=plain, sort_keys=True).encode()


def from_bytes(text: str | bytes) -> Any:
    """What the JSON says, as quickly; raises ValueError."""
    try:
        return orjson.loads(text)
    except ValueError:  # it is stricter: half a character, numbers that are none
        return json.loads(text)


def _as_it_is(kind: Any) -> Any:
    """The type whose values are taken without a look, which most are; None where there is more to see to."""
    return kind if kind in {str, bool, int} else None


def _may_lack(field: Any) -> bool:
    return field.default is not MISSING or field.default_factory is not MISSING


def _optional(kind: Any) -> Decoder:
    (inner,) = (each for each in get_args(kind) if each is not NoneType)
    decoder = _decoder(inner)
    return lambda value, place: None if value is None else decoder(value, place)


def _choice(several: tuple[str, ...]) -> Decoder:
    form = f"one of {', '.join(several)}"
    return lambda value, place: value if value in several else _refuse(place, form)


def _tuple(kinds: tuple[Any, ...]) -> Decoder:
    decoders = [_decoder(kind) for kind in kinds if kind is not Ellipsis]
    endless = kinds[-1] is Ellipsis

    def decoded(value: Any, place: Place) -> tuple[Any, ...]:
        if not isinstance(value, list):
            _refuse(place, "a list")
        each = decoders * len(value) if endless else decoders
        if len(each) != len(value):
            _refuse(place, f"a list of {len(each)}")
        return tuple(
            [decoder(one, (place, f"[{n}]")) for n, (decoder, one) in enumerate(zip(each, value, strict=True))]
        )

    return decoded


def _frozenset(kinds: tuple[Any, ...]) -> Decoder:
    several = _tuple((*kinds, Ellipsis))
    return lambda value, place: frozenset(several(value, place))


def _mapping(kinds: tuple[Any, ...]) -> Decoder:
    decoder = _decoder(kinds[1])

    def decoded(value: Any, place: Place) -> dict[str, Any]:
        if not isinstance(value, dict):
            _refuse(place, "an object")
        return {key: decoder(one, (place, f".{key}")) for key, one in value.items()}

    return decoded


def _text(value: Any, place: Place) -> str:
    return value if isinstance(value, str) else _refuse(place, "a text")


def _truth(value: Any, place: Place) -> bool:
    return value if isinstance(value, bool) else _refuse(place, "true or false")


def _whole(value: Any, place: Place) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else _refuse(place, "a whole number")


def _number(value: Any, place: Place) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        _refuse(place, "a number")
    return float(value)


def _time(value: Any, place: Place) -> datetime:
    """In UTC, whatever the offset that was written."""
    with suppress(TypeError, ValueError, OverflowError):
        at = datetime.fromisoformat(value)
        if at.tzinfo:
            return at.astimezone(UTC)
    return _refuse(place, "a time in ISO 8601 with its offset from UTC")


def _refuse(place: Place, form: str) -> NoReturn:
    raise ValueError(f"`{_spelled(place)}` must be {form}")


def _spelled(place: Place) -> str:
    return place if isinstance(place, str) else _spelled(place[0]) + place[1]


_SCALARS: dict[Any, Decoder] = {
    str: _text,
    bool: _truth,
    int: _whole,
    float: _number,
    datetime: _time,
}
_COLLECTIONS: dict[Any, Callable[[tuple[Any, ...]], Decoder]] = {
    tuple: _tuple,
    frozenset: _frozenset,
    Mapping: _mapping,
}
