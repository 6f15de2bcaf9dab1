"""Frozen dataclasses to JSON and back, by their annotations (pure).

An annotation may be text, number, truth value, datetime, Literal, another dataclass, one of these or None, and tuples,
frozen sets and mappings of them.
"""

import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, datetime
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, NoReturn, Union, get_args, get_origin, get_type_hints


def encode(value: Any) -> Any:
    """What `json.dumps` takes and `decode` turns back into an equal value; sets are sorted."""
    if is_dataclass(value):
        return {field.name: encode(getattr(value, field.name)) for field in fields(value)}
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
    if is_dataclass(kind):
        return _dataclass(kind, value, place)
    origin = get_origin(kind)
    if origin in {Union, UnionType}:
        return _optional(kind, value, place)
    if origin is Literal:
        return value if value in get_args(kind) else _refuse(place, f"one of {', '.join(get_args(kind))}")
    if origin in _COLLECTIONS:
        return _COLLECTIONS[origin](get_args(kind), value, place)
    return _SCALARS[kind](value, place)


@cache
def _hints(kind: type) -> dict[str, tuple[Any, bool]]:
    """Annotation of each field, and whether it may be left out."""
    hints = get_type_hints(kind)
    return {
        field.name: (hints[field.name], field.default is not MISSING or field.default_factory is not MISSING)
        for field in fields(kind)
    }


def _dataclass(kind: Any, value: Any, place: str) -> Any:
    if not isinstance(value, dict):
        _refuse(place, "an object")
    given = {}
    for name, (hint, optional) in _hints(kind).items():
        if name in value:
            given[name] = decode(hint, value[name], f"{place}.{name}")
        elif not optional:
            raise ValueError(f"`{place}.{name}` is missing")
    return kind(**given)


def _optional(kind: Any, value: Any, place: str) -> Any:
    (inner,) = (each for each in get_args(kind) if each is not NoneType)
    return None if value is None else decode(inner, value, place)


def _tuple(kinds: tuple[Any, ...], value: Any, place: str) -> tuple[Any, ...]:
    if not isinstance(value, list):
        _refuse(place, "a list")
    each = (kinds[0],) * len(value) if kinds[-1] is Ellipsis else kinds
    if len(each) != len(value):
        _refuse(place, f"a list of {len(each)}")
    return tuple(decode(kind, one, f"{place}[{n}]") for n, (kind, one) in enumerate(zip(each, value, strict=True)))


def _frozenset(kinds: tuple[Any, ...], value: Any, place: str) -> frozenset[Any]:
    return frozenset(_tuple((*kinds, Ellipsis), value, place))


def _mapping(kinds: tuple[Any, ...], value: Any, place: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        _refuse(place, "an object")
    return {key: decode(kinds[1], one, f"{place}.{key}") for key, one in value.items()}


def _text(value: Any, place: str) -> str:
    return value if isinstance(value, str) else _refuse(place, "a text")


def _truth(value: Any, place: str) -> bool:
    return value if isinstance(value, bool) else _refuse(place, "true or false")


def _whole(value: Any, place: str) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else _refuse(place, "a whole number")


def _number(value: Any, place: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        _refuse(place, "a number")
    return float(value)


def _time(value: Any, place: str) -> datetime:
    """In UTC, whatever the offset that was written."""
    with suppress(TypeError, ValueError, OverflowError):
        at = datetime.fromisoformat(value)
        if at.tzinfo:
            return at.astimezone(UTC)
    return _refuse(place, "a time in ISO 8601 with its offset from UTC")


def _refuse(place: str, form: str) -> NoReturn:
    raise ValueError(f"`{place}` must be {form}")


_SCALARS: dict[Any, Callable[[Any, str], Any]] = {
    str: _text,
    bool: _truth,
    int: _whole,
    float: _number,
    datetime: _time,
}
_COLLECTIONS: dict[Any, Callable[[tuple[Any, ...], Any, str], Any]] = {
    tuple: _tuple,
    frozenset: _frozenset,
    Mapping: _mapping,
}
