"""Reads judged question files: questions and corpus as JSON lines, judgements as BEIR's or TREC's columns.

Every function raises `UnreadableJudgements` with file and line for what cannot be read.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from retrieval.errors import UnreadableJudgements
from retrieval.evaluation.phrases import MAX_WORDS, visible_words
from retrieval.evaluation.question_lines import InvalidQuestion, parse_id, parse_object, parse_query
from retrieval.passages import Query


@dataclass(frozen=True, slots=True)
class Question:
    """One question; `answerable` is None where the file does not say.

    `references` are right answers, as people wrote them. `phrases` holds, for each thing that a right answer must show,
    the phrases of which one shows it. `kind` is what the file calls this kind of question, empty for none.
    """

    id: str
    query: Query
    answerable: bool | None = None
    references: tuple[str, ...] = ()
    phrases: tuple[tuple[str, ...], ...] = ()
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A gold section: the document that holds it, as the corpus calls it, and its text."""

    document: str
    text: str


def read_questions(path: Path) -> list[Question]:
    """The questions in order; unknown keys are ignored."""
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
    """The ids that answer each question, in the file's order, once each; those with a score of 0 or less are left out.

    Columns are question, id, score (BEIR, with or without a header) or question, anything, id, score (TREC), separated
    by tabs or, in a line without one, by spaces.
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
    answerable = row.get("answerable")
    if answerable is not None and not isinstance(answerable, bool):
        _refuse(path, number, "`answerable` must be true or false")
    try:
        return Question(
            str(parse_id(row)),
            parse_query(row),
            answerable,
            _references(path, number, row),
            _phrases(path, number, row),
            _kind(path, number, row),
        )
    except InvalidQuestion as reason:
        _refuse(path, number, str(reason))


def _references(path: Path, number: int, row: Mapping[str, Any]) -> tuple[str, ...]:
    """The texts under `answers`, else the one under `answer`; empty ones are left out."""
    given = row.get("answers") or [row.get("answer") or ""]
    if not isinstance(given, list) or not all(isinstance(each, str) for each in given):
        _refuse(path, number, "`answer` must be a text, `answers` a list of texts")
    return tuple(each for each in given if each.strip())


def _phrases(path: Path, number: int, row: Mapping[str, Any]) -> tuple[tuple[str, ...], ...]:
    """The alternatives for each thing that must be shown; none where the line does not say."""
    things = row.get("phrases") or []
    if not isinstance(things, list) or not all(isinstance(thing, list) and thing for thing in things):
        _refuse(path, number, "`phrases` must be a list with a list of alternatives for each thing to be shown")
    for phrase in (phrase for thing in things for phrase in thing):
        if not isinstance(phrase, str) or not 1 <= len(visible_words(phrase)) <= MAX_WORDS:
            _refuse(path, number, f"each alternative in `phrases` must be a text of 1 to {MAX_WORDS} words")
    return tuple(tuple(thing) for thing in things)


def _kind(path: Path, number: int, row: Mapping[str, Any]) -> str:
    kind = row.get("kind")
    if kind is not None and not isinstance(kind, str):
        _refuse(path, number, "`kind` must be a text")
    return " ".join((kind or "").split())


def _text(path: Path, number: int, row: Mapping[str, Any], key: str, *, empty: bool = False) -> str:
    value = row.get(key)
    if not isinstance(value, str) or not (empty or value.strip()):
        _refuse(path, number, f"`{key}` must be a text" + ("" if empty else " that is not empty"))
    return value


def _objects(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in _lines(path):
        try:
            yield number, parse_object(line)
        except InvalidQuestion as reason:
            _refuse(path, number, str(reason))


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
