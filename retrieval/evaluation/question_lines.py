"""What a line of a question file must be: a JSON object with an id, a text, and perhaps a history and groups."""

import json
from collections.abc import Mapping
from typing import Any

from retrieval.passages import Query, Turn


class NotAQuestion(Exception):
    """Why a line is not a question."""


def object_of(line: str) -> dict[str, Any]:
    """The JSON object that the line is; raises `NotAQuestion`."""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        row = None
    if not isinstance(row, dict):
        raise NotAQuestion("expected a JSON object")
    return row


def id_of(row: Mapping[str, Any]) -> str | int:
    """Its `id` or `_id`; raises `NotAQuestion`."""
    name = row.get("id", row.get("_id"))
    if isinstance(name, bool) or not isinstance(name, str | int):
        raise NotAQuestion("`id` (or `_id`) must be a text or a number")
    return name


def query_of(row: Mapping[str, Any], *, groups: frozenset[str] = frozenset()) -> Query:
    """What is asked; `groups` are for a line that names none. Raises `NotAQuestion`."""
    return Query(_text(row.get("text"), "text"), _history(row), _groups(row, groups))


def _history(row: Mapping[str, Any]) -> tuple[Turn, ...]:
    turns = row.get("history") or []
    if not isinstance(turns, list) or not all(isinstance(turn, dict) for turn in turns):
        raise NotAQuestion('`history` must be a list of {"role", "text"}')
    return tuple(
        Turn(_text(turn.get("role"), "history.role"), _text(turn.get("text"), "history.text"))
        for turn in turns
        if turn.get("text") != ""  # a bot that said nothing adds nothing
    )


def _groups(row: Mapping[str, Any], default: frozenset[str]) -> frozenset[str]:
    groups = row.get("groups")
    if groups is None:
        return default
    if not isinstance(groups, list):
        raise NotAQuestion("`groups` must be a list of texts")
    return frozenset(_text(group, "groups") for group in groups)


def _text(value: Any, key: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise NotAQuestion(f"`{key}` must be a text that is not empty")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise NotAQuestion(f"`{key}` holds half a character") from None
    return value
