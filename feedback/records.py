"""What is remembered: exchanges, votes and corrections, and the versioned JSON that each of them is kept as.

In JSON every record says its `kind` and its `schema`, MAJOR.MINOR. A newer minor version only adds keys, which are
ignored here; a newer major version is refused. A key that an older one lacks takes its default.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal, TypeVar

from feedback import codec

SCHEMA = (1, 0)
WRITTEN = ".".join(map(str, SCHEMA))

Reason = Literal["", "wrong", "outdated", "incomplete", "wrong-source", "unclear", "tone"]


class NewerSchema(ValueError):
    """What was written by a newer Footnote, and cannot be read by this one."""


@dataclass(frozen=True, slots=True)
class RetrievedPassage:
    """A passage as the generator saw it, in the version that was current then."""

    document: str
    anchor: str
    section: str
    title: str
    version: str
    text: str
    score: float


@dataclass(frozen=True, slots=True)
class AnswerSentence:
    """One sentence of an answer, with the numbers of what it cites."""

    text: str
    citations: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredCitation:
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
    hash (`bot.access.pseudonyms`), empty when nobody was named; so is `conversation` for a question that stands alone.
    `fallback` says why another generator than the configured one answered. `timings` are seconds by step. One that is
    `pruned` has lost its words and those of its passages by age.
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
    shown: tuple[RetrievedPassage, ...] = ()
    sentences: tuple[AnswerSentence, ...] = ()
    citations: tuple[StoredCitation, ...] = ()
    abstained: bool = False
    confidence: float = 0.0
    generator: str = ""
    prompt_version: str = ""
    index_version: str = ""
    fallback: str | None = None
    timings: Mapping[str, float] = field(default_factory=dict)
    pruned: bool = False

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


@dataclass(frozen=True, slots=True)
class Decision:
    """What somebody who reviews an answer decides; it outranks votes, and the latest of an answer counts.

    `approve` says that the answer is right, `drop` that nothing is to be learned from it. `accept` and `reject` are
    about the correction with the key `correction`, which then has it in its `accepted`.
    """

    key: str
    answer: str
    reviewer: str
    at: datetime
    verdict: Literal["approve", "drop", "accept", "reject"]
    correction: str = ""
    comment: str = ""

    def __post_init__(self) -> None:
        _in_utc(self.at)


@dataclass(frozen=True, slots=True)
class Export:
    """An export that was made: where it was written, of how many rows, from what had happened until then."""

    id: str
    at: datetime
    place: str
    rows: int

    def __post_init__(self) -> None:
        _in_utc(self.at)


@dataclass(frozen=True, slots=True)
class Registered:
    """The rows of an export that hold something of a person (keyed hash), by their sha256; nobody's are empty."""

    export: Export
    person: str = ""
    rows: tuple[str, ...] = ()


Record = Exchange | Vote | Correction | Decision | Export | Registered
R = TypeVar("R", Exchange, Vote, Correction, Decision, Export, Registered)
Kept = TypeVar("Kept", bound=Exchange | Vote | Correction | Decision)

WriteResult = Literal["added", "known", "unknown-answer"]
"""What became of a record that was to be remembered."""


@dataclass(frozen=True, slots=True)
class ReviewedExchange:
    """An exchange with all that counts of what was said of it, each list oldest first."""

    exchange: Exchange
    votes: tuple[Vote, ...] = ()
    corrections: tuple[Correction, ...] = ()
    decisions: tuple[Decision, ...] = ()


@dataclass(frozen=True, slots=True)
class Held:
    """A past export that holds rows of a person, by the sha256 of their lines."""

    export: Export
    rows: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was erased with a person, and the exports that were made before and hold rows of theirs.

    What others said of the person's exchanges is counted with it.
    """

    exchanges: int
    votes: int
    corrections: int
    decisions: int
    exports: tuple[Held, ...] = ()


def decided(corrections: Sequence[Correction], decisions: Sequence[Decision]) -> tuple[Correction, ...]:
    """The corrections of an answer, each `accepted` as the latest decision about it says; decisions oldest first."""
    latest = {each.correction: each.verdict == "accept" for each in decisions if each.verdict in {"accept", "reject"}}
    return tuple(replace(each, accepted=latest[each.key]) if each.key in latest else each for each in corrections)


def without_words(record: Kept) -> Kept:
    """What is left of a record by age: what is counted, and nothing that anybody wrote or read."""
    given: Any = record
    if isinstance(given, Exchange):
        bare: Any = replace(
            given,
            question="",
            answer="",
            history=(),
            shown=tuple(replace(each, text="") for each in given.shown),
            sentences=tuple(replace(each, text="") for each in given.sentences),
            citations=tuple(replace(each, quote="") for each in given.citations),
            pruned=True,
        )
    else:
        bare = replace(given, text="") if isinstance(given, Correction) else replace(given, comment="")
    kept: Kept = bare
    return kept


def has_words(record: Exchange | Vote | Correction | Decision) -> bool:
    """Whether there is something that `without_words` takes away."""
    if isinstance(record, Exchange):
        return not record.pruned
    return bool(record.text if isinstance(record, Correction) else record.comment)


def to_text(row: Mapping[str, Any]) -> str:
    """The one line of text in which a record's JSON is kept."""
    return _ENCODE(row)


def to_json(record: Record) -> dict[str, Any]:
    """The record as JSON keeps it; `from_json` gives back an equal one."""
    return {"kind": _name(type(record)), "schema": WRITTEN, **codec.encode(record)}


def from_json(kind: type[R], row: Any) -> R:
    """The record of this kind that the JSON stands for; raises ValueError, which names what is wrong."""
    name = _name(kind)
    if not isinstance(row, dict) or row.get("kind") != name:
        raise ValueError(f"this is no {name}: `kind` must be {name!r}")
    check_schema(row.get("schema"))
    record: R = codec.decode(kind, row, name)
    return record


# Made once: `json.dumps` makes another for each text.
_ENCODE = json.JSONEncoder(allow_nan=False).encode


def _name(kind: type) -> str:
    return kind.__name__.lower()


def check_schema(schema: Any) -> None:
    """Raise ValueError for what is no version, and `NewerSchema` for one that this Footnote cannot read."""
    if not isinstance(schema, str) or not re.fullmatch(r"[0-9]{1,9}\.[0-9]{1,9}", schema):
        raise ValueError("`schema` must be MAJOR.MINOR")
    if int(schema.split(".")[0]) > SCHEMA[0]:
        raise NewerSchema(f"schema {schema} is of a newer Footnote than this one; upgrade it")


def _in_utc(at: datetime) -> None:
    if at.utcoffset() != timedelta(0):
        raise ValueError("`at` must be in UTC")
