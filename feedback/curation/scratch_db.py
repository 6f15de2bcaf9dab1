"""Keeps what is too much for memory in a temporary SQLite file: texts of candidates, and rows as they are read."""

import sqlite3
import zlib
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from feedback.codec import from_bytes, to_bytes
from feedback.curation.candidates import Candidate
from feedback.curation.dataset import EmbeddedSection, RejectedExchange
from feedback.records import Exchange

# The time of an exchange that is read back, which is not kept.
NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)
SCHEMA = """
    CREATE TABLE candidates (
        position INTEGER PRIMARY KEY,
        prompt BLOB, chosen TEXT, rejected TEXT, question TEXT, positives BLOB, blamed BLOB, asked BLOB
    );
    CREATE TABLE rejected (position INTEGER PRIMARY KEY, exchange TEXT, stage TEXT, reason TEXT);
    CREATE TABLE retrieval_rows (id INTEGER PRIMARY KEY, position INTEGER, positive INTEGER, negatives BLOB);
"""


class ScratchDb:
    """A file that holds nothing that outlives the process; candidates are known by the position of their exchange.

    Nothing is read of a position at which no candidate was added.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "curation.db"
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.executescript(f"PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; {SCHEMA} BEGIN;")

    def add_candidate(self, position: int, exchange: Exchange, candidate: Candidate) -> None:
        """Keep the texts and sections of a candidate, and what was asked."""
        # Prompts are by far the most of all: to make them smaller takes longer than to write them.
        self._connection.execute(
            "INSERT INTO candidates VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                position,
                to_bytes(candidate.prompt),
                _to_blob(candidate.chosen),
                _to_blob(candidate.rejected),
                _to_blob(candidate.standalone_question),
                _pack(candidate.positives),
                _pack(candidate.blamed),
                _pack((exchange.id, exchange.question, exchange.history, sorted(exchange.groups))),
            ),
        )

    def add_rejected_exchange(self, position: int, rejected: RejectedExchange) -> None:
        """Keep an exchange that gives no row."""
        row = (position, _to_blob(rejected.exchange), rejected.stage, rejected.reason)
        self._connection.execute("INSERT INTO rejected VALUES (?, ?, ?, ?)", row)

    def add_retrieval_row(self, position: int, positive: int, negatives: list[EmbeddedSection]) -> None:
        """Keep a retrieval row of a candidate, with the place (from 0) of its positive among the candidate's."""
        self._connection.execute(
            "INSERT INTO retrieval_rows (position, positive, negatives) VALUES (?, ?, ?)",
            (position, positive, _pack(negatives)),
        )

    def prompt(self, position: int) -> tuple[tuple[str, str], ...]:
        """Return the prompt of a candidate."""
        return tuple((role, text) for role, text in from_bytes(self._read_candidate("prompt", position)))

    def chosen_answer(self, position: int) -> str:
        """Return the answer to write of a candidate that has one."""
        return _to_text(self._read_candidate("chosen", position))

    def rejected_answer(self, position: int) -> str:
        """Return the answer not to write of a candidate that has one."""
        return _to_text(self._read_candidate("rejected", position))

    def standalone_question(self, position: int) -> str:
        """Return the question of a candidate as it stands alone."""
        return _to_text(self._read_candidate("question", position))

    def positives(self, position: int) -> list[EmbeddedSection]:
        """Return the sections that answer the question of a candidate."""
        return _unpack_sections(self._read_candidate("positives", position))

    def blamed(self, position: int) -> list[EmbeddedSection]:
        """Return the cited sections of a candidate that somebody said were the wrong ones."""
        return _unpack_sections(self._read_candidate("blamed", position))

    def asked(self, position: int) -> Exchange:
        """Return an exchange that holds what was asked, in which conversation and for which groups, and no more."""
        exchange, question, turns, groups = _unpack(self._read_candidate("asked", position))
        history = tuple((role, text) for role, text in turns)
        return Exchange(exchange, NO_TIME, question, "", history=history, groups=frozenset(groups))

    def rejected_exchanges(self) -> Iterator[RejectedExchange]:
        """Yield the exchanges that give no row, oldest first."""
        for exchange, stage, reason in self._connection.cursor().execute(
            "SELECT exchange, stage, reason FROM rejected ORDER BY position"
        ):
            yield RejectedExchange(_to_text(exchange), stage, reason)

    def retrieval_rows(self) -> Iterator[tuple[int, int, list[EmbeddedSection]]]:
        """Yield position, place of the positive and negatives of the retrieval rows, as they were added."""
        for position, positive, negatives in self._connection.cursor().execute(
            "SELECT position, positive, negatives FROM retrieval_rows ORDER BY id"
        ):
            yield position, positive, _unpack_sections(negatives)

    def _read_candidate(self, column: str, position: int) -> Any:
        (value,) = self._connection.execute(
            f"SELECT {column} FROM candidates WHERE position = ?",  # noqa: S608 - one of our own columns
            (position,),
        ).fetchone()
        return value


def _pack(value: Any) -> bytes:
    return zlib.compress(to_bytes(value, asdict), 1)


def _unpack(packed: bytes) -> Any:
    return from_bytes(zlib.decompress(packed))


def _unpack_sections(packed: bytes) -> list[EmbeddedSection]:
    return [EmbeddedSection(**each) for each in _unpack(packed)]


def _to_blob(text: str | None) -> bytes | None:
    """Return the text in UTF-8; SQLite refuses half a character as text."""
    return None if text is None else text.encode("utf-8", "surrogatepass")


def _to_text(blob: bytes) -> str:
    return blob.decode("utf-8", "surrogatepass")
