"""Parses a line of a question file: a JSON object with an id, a text, and optionally a history and groups."""

import json
from collections.abc import Mapping
from typing import Any

from retrieval.passages import Query, Turn


class InvalidQuestion(Exception):
    """A line is no question; the text says why."""


def parse_object(line: str) -> dict[str, Any]:
    """The JSON object in a line; raises `InvalidQuestion` for anything else."""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        row = None
    if not isinstance(row, dict):
        raise InvalidQuestion("expected a JSON object")
    return row


def parse_id(row: Mapping[str, Any]) -> str | int:
    """The `id`, else the `_id`; raises `InvalidQuestion` when there is neither."""
    name = row.get("id", row.get("_id"))
    if isinstance(name, bool) or not isinstance(name, str | int):
        raise InvalidQuestion("`id` (or `_id`) must be a text or a number")
    return name


def parse_query(row: Mapping[str, Any], *, groups: frozenset[str] = frozenset()) -> Query:
    """The query in a line, with `groups` where it names none; raises `InvalidQuestion`."""
    return Query(_text(row.get("text"), "text"), _history(row), _groups(row, groups))


def _history(row: Mapping[str, Any]) -> tuple[Turn, ...]:
    turns = row.get("history") or []
    if not isinstance(turns, list) or not all(isinstance(turn, dict) for turn in turns):
        raise InvalidQuestion('`history` must be a list of {"role", "text"}')
    return tuple(
        Turn(_text(turn.get("role"), "history.role"), _text(turn.get("text"), "history.text"))
        for turn in turns
        if turn.get("text") != ""  # an empty reply of the bot adds nothing
    )


def _groups(row: Mapping[str, Any], default: frozenset[str]) -> frozenset[str]:
    groups = row.get("groups")
    if groups is None:
        return default
    if not isinstance(groups, list):
        raise InvalidQuestion("`groups` must be a list of texts")
    return frozenset(_text(group, "groups") for group in groups)


def _text(value: Any, key: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise InvalidQuestion(f"`{key}` must be a text that is not empty")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InvalidQuestion(f"`{key}` holds half a character") from None
    return value
