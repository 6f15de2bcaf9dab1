"""Judged question files: questions and corpus as JSON lines, judgements as BEIR's or TREC's columns."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from retrieval.errors import RetrievalError
from retrieval.passages import Query, Turn


class UnreadableJudgements(RetrievalError):
    """A file of questions, judgements or sections holds a line that is none, or they do not fit together."""


@dataclass(frozen=True, slots=True)
class Question:
    """One question; `answerable` is None where the file leaves it to the judgements."""

    id: str
    query: Query
    answerable: bool | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """A gold section: the document that holds it, as the corpus calls it, and its text."""

    document: str
    text: str


def read_questions(path: Path) -> list[Question]:
    """The questions in order; keys that mean nothing here are ignored."""
    return [_question(path, number, row) for number, row in _objects(path)]


def read_corpus(path: Path) -> dict[str, Section]:
    """The sections by `_id`."""
    return {
        _text(path, number, row, "_id"): Section(
            _text(path, number, row, "doc_id"), _text(path, number, row, "text", empty=True)
        )
        for number, row in _objects(path)
    }


def read_qrels(path: Path) -> dict[str, tuple[str, ...]]:
    """What answers each question, in the file's order, once each; a score of 0 or less is left out.

    Columns are question, id, score (BEIR, with or without a header) or question, anything, id, score (TREC), parted
    by tabs or, where a line has none, by spaces.
    """
    judged: dict[str, dict[str, None]] = {}
    for number, line in _lines(path):
        columns = line.split("\t") if "\t" in line else line.split()
        if len(columns) not in {3, 4}:
            _refuse(path, number, "expected the columns question, id and score")
        score = _score(columns[-1])
        if score is None and number > 1:
            _refuse(path, number, f"the score must be a number, not {columns[-1]!r}")
        if score is not None and score > 0:
            judged.setdefault(columns[0].strip(), {})[columns[-2].strip()] = None
    return {question: tuple(ids) for question, ids in judged.items()}


def _question(path: Path, number: int, row: Mapping[str, Any]) -> Question:
    name = row.get("id", row.get("_id"))
    if isinstance(name, bool) or not isinstance(name, str | int):
        _refuse(path, number, "`id` (or `_id`) must be a text or a number")
    answerable = row.get("answerable")
    if answerable is not None and not isinstance(answerable, bool):
        _refuse(path, number, "`answerable` must be true or false")
    groups = row.get("groups") or []
    if not isinstance(groups, list) or not all(isinstance(group, str) for group in groups):
        _refuse(path, number, "`groups` must be a list of texts")
    query = Query(_text(path, number, row, "text"), _history(path, number, row), frozenset(groups))
    return Question(str(name), query, answerable)


def _history(path: Path, number: int, row: Mapping[str, Any]) -> tuple[Turn, ...]:
    turns = row.get("history") or []
    if not isinstance(turns, list) or not all(isinstance(turn, dict) for turn in turns):
        _refuse(path, number, '`history` must be a list of {"role", "text"}')
    return tuple(
        Turn(_text(path, number, turn, "role"), _text(path, number, turn, "text"))
        for turn in turns
        if turn.get("text") != ""  # a bot that said nothing adds nothing
    )


def _text(path: Path, number: int, row: Mapping[str, Any], key: str, *, empty: bool = False) -> str:
    value = row.get(key)
    if not isinstance(value, str) or not (empty or value.strip()):
        _refuse(path, number, f"`{key}` must be a text" + ("" if empty else " that is not empty"))
    return value


def _objects(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in _lines(path):
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            row = None
        if not isinstance(row, dict):
            _refuse(path, number, "expected a JSON object")
        yield number, row


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Lines that are not blank, with their numbers."""
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                text = _decoded(path, number, line).rstrip("\r\n")
                if text.strip():
                    yield number, text
    except OSError as error:
        raise UnreadableJudgements(f"{str(path)!r} cannot be read ({error.strerror})") from error


def _decoded(path: Path, number: int, line: bytes) -> str:
    try:
        return line.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError:
        _refuse(path, number, "expected UTF-8")


def _score(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _refuse(path: Path, number: int, why: str) -> NoReturn:
    raise UnreadableJudgements(f"{str(path)!r}, line {number}: {why}")
