"""Question lines: JSON lines in, queries out; a line that cannot be read costs itself and nothing else."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from retrieval.passages import Query, Turn

BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that could be read, under the id that its line gave it."""

    id: str | int
    query: Query


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A line that could not be read, and why; `id` is None when not even that could be."""

    id: str | int | None
    error: str


class _NotAQuestion(Exception):
    """Why a line is not a question."""


def read(lines: Iterable[bytes], *, groups: frozenset[str] = frozenset()) -> Iterator[Asked | Unreadable]:
    """One value for each line, in order; blank lines are passed over. `groups` are for lines that name none."""
    for number, line in enumerate(lines):
        stripped = (line.removeprefix(BOM) if number == 0 else line).strip()
        if stripped:
            yield _read_one(stripped, groups)


def _read_one(line: bytes, groups: frozenset[str]) -> Asked | Unreadable:
    name = None
    try:
        row = _object(line)
        name = _id(row)
        return Asked(name, Query(_text(row.get("text"), "text"), _history(row), _groups(row, groups)))
    except _NotAQuestion as reason:
        return Unreadable(name, str(reason))


def _object(line: bytes) -> dict[str, Any]:
    try:
        row = json.loads(line.decode())
    except UnicodeDecodeError:
        raise _NotAQuestion("the line is not UTF-8") from None
    except (ValueError, RecursionError):
        raise _NotAQuestion("the line is not JSON") from None
    if not isinstance(row, dict):
        raise _NotAQuestion("the line is not a JSON object")
    return row


def _id(row: dict[str, Any]) -> str | int:
    name = row.get("id", row.get("_id"))
    if isinstance(name, bool) or not isinstance(name, str | int):
        raise _NotAQuestion("`id` (or `_id`) must be a text or a number")
    return name


def _text(value: Any, key: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _NotAQuestion(f"`{key}` must be a text that is not empty")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise _NotAQuestion(f"`{key}` holds half a character") from None
    return value


def _history(row: dict[str, Any]) -> tuple[Turn, ...]:
    turns = row.get("history") or []
    if not isinstance(turns, list) or not all(isinstance(turn, dict) for turn in turns):
        raise _NotAQuestion('`history` must be a list of {"role", "text"}')
    return tuple(
        Turn(_text(turn.get("role"), "history.role"), _text(turn.get("text"), "history.text"))
        for turn in turns
        if turn.get("text") != ""  # a bot that said nothing adds nothing
    )


def _groups(row: dict[str, Any], default: frozenset[str]) -> frozenset[str]:
    groups = row.get("groups")
    if groups is None:
        return default
    if not isinstance(groups, list):
        raise _NotAQuestion("`groups` must be a list of texts")
    return frozenset(_text(group, "groups") for group in groups)
