"""Writes a line for each answer of an evaluation, as it is given, so that a run that breaks off keeps what it has."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from bot.errors import BotError
from bot.services.evaluation.candidates import CandidateAnswer

AnswerLog = Callable[[Mapping[str, Any]], None]
"""Takes what `answer_line` makes of an answer."""


@contextmanager
def open_answer_log(path: Path | None) -> Iterator[AnswerLog]:
    """Open a file for JSON lines, in place of what it held, and yield what writes a line; None writes nowhere.

    Raises `BotError` where the file cannot be opened, or not be written on.
    """
    if path is None:
        yield lambda _: None
        return
    with _named_errors(path):
        # Half a character of a document has no UTF-8, and JSON has the same escape for it as Python.
        path.touch(mode=0o600)
        file = path.open("w", encoding="utf-8", errors="backslashreplace", newline="\n", buffering=1)

    def write(line: Mapping[str, Any]) -> None:
        with _named_errors(path):
            file.write(json.dumps(line, ensure_ascii=False) + "\n")

    try:
        yield write
    finally:
        with suppress(OSError):  # every line has been written, or its error been raised
            file.close()


@contextmanager
def _named_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise BotError(f"{str(path)!r} cannot be written ({error.strerror}); name another with --out") from error


def answer_line(name: str, given: CandidateAnswer, *, answerable: bool | None) -> dict[str, Any]:
    """Return what is kept of an answer; None for what its question does not ask, or its line does not say."""
    question, answer, check = given.outcome.question, given.answer, given.check
    return {
        "id": question.id,
        "text": question.query.text,
        "kind": question.kind or None,
        "model": name,
        "answerable": answerable,
        "answered": bool(answer.sentences),
        "abstained": answer.abstained,
        "confidence": float(answer.confidence),
        "whole": check.whole,
        "first": check.first,
        "right_kind": check.right_kind,
        "missing": [list(alternatives) for alternatives in check.missing],
        "citations": [
            {"document": each.document, "section": each.section, "anchor": each.anchor} for each in answer.citations
        ],
        "words": check.words,
    }
