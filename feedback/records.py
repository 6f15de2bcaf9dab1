"""What is remembered: exchanges, votes and corrections, and the versioned JSON that each of them is kept as.

In JSON every record says its `kind` and its `schema`, MAJOR.MINOR. A newer minor version only adds keys, which are
ignored here; a newer major version is refused. A key that an older one lacks takes its default.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, TypeVar

from feedback import codec

SCHEMA = (1, 0)

Reason = Literal["", "wrong", "outdated", "incomplete", "wrong-source", "unclear", "tone"]


@dataclass(frozen=True, slots=True)
class Shown:
    """A passage as the generator saw it, in the version that was current then."""

    document: str
    anchor: str
    section: str
    title: str
    version: str
    text: str
    score: float


@dataclass(frozen=True, slots=True)
class Said:
    """One sentence of an answer, with the numbers of what it cites."""

    text: str
    citations: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Cited:
    """The section behind a number; `quote` stands verbatim in this version of the document."""

    number: int
    document: str
    title: str
    section: str
    anchor: str
    url: str
    quote: str
    version: str


@dataclass(frozen=True, slots=True)
class Exchange:
    """One question and its answer, with what is needed to judge it later.

    `id` is the answer's, `at` is in UTC, `history` holds earlier (role, text) pairs, oldest first. `asker` is a keyed
    hash (`feedback.people`), empty when nobody was named; so is `conversation` for a question that stands alone.
    `fallback` says why another generator than the configured one answered. `timings` are seconds by step.
    """

    id: str
    at: datetime
    question: str
    answer: str
    history: tuple[tuple[str, str], ...] = ()
    groups: frozenset[str] = frozenset()
    asker: str = ""
    conversation: str = ""
    platform: str = ""
    shown: tuple[Shown, ...] = ()
    sentences: tuple[Said, ...] = ()
    citations: tuple[Cited, ...] = ()
    abstained: bool = False
    confidence: float = 0.0
    generator: str = ""
    prompt_version: str = ""
    index_version: str = ""
    fallback: str | None = None
    timings: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _in_utc(self.at)


@dataclass(frozen=True, slots=True)
class Vote:
    """What somebody thinks of an answer; `none` withdraws. `key` names the click: the same key is the same vote."""

    key: str
    answer: str
    voter: str
    at: datetime
    vote: Literal["up", "down", "none"]
    reason: Reason = ""
    comment: str = ""

    def __post_init__(self) -> None:
        _in_utc(self.at)


@dataclass(frozen=True, slots=True)
class Correction:
    """The answer that somebody says is right; `accepted` is None until an owner has decided."""

    key: str
    answer: str
    author: str
    at: datetime
    text: str
    accepted: bool | None = None

    def __post_init__(self) -> None:
        _in_utc(self.at)


Record = Exchange | Vote | Correction
R = TypeVar("R", Exchange, Vote, Correction)


def to_json(record: Record) -> dict[str, Any]:
    """The record as JSON keeps it; `from_json` gives back an equal one."""
    return {"kind": _name(type(record)), "schema": ".".join(map(str, SCHEMA)), **codec.encode(record)}


def from_json(kind: type[R], row: Any) -> R:
    """The record of this kind that the JSON stands for; raises ValueError, which names what is wrong."""
    name = _name(kind)
    if not isinstance(row, dict) or row.get("kind") != name:
        raise ValueError(f"this is no {name}: `kind` must be {name!r}")
    _check_schema(row.get("schema"))
    record: R = codec.decode(kind, row, name)
    return record


def _name(kind: type) -> str:
    return kind.__name__.lower()


def _check_schema(schema: Any) -> None:
    if not isinstance(schema, str) or not re.fullmatch(r"[0-9]{1,9}\.[0-9]{1,9}", schema):
        raise ValueError("`schema` must be MAJOR.MINOR")
    if int(schema.split(".")[0]) > SCHEMA[0]:
        raise ValueError(f"schema {schema} is of a newer Footnote than this one; upgrade it")


def _in_utc(at: datetime) -> None:
    if at.utcoffset() != timedelta(0):
        raise ValueError("`at` must be in UTC")
