"""What is too much for memory, in a temporary file: drafts by their position, and rows in the order they are read."""

import sqlite3
import zlib
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from feedback.codec import from_bytes, to_bytes
from feedback.curation.candidates import Draft
from feedback.curation.values import Rejected, Section
from feedback.records import Exchange

NEVER = datetime(1970, 1, 1, tzinfo=UTC)
SCHEMA = """
    CREATE TABLE drafts (position INTEGER PRIMARY KEY, prompt BLOB, chosen TEXT, rejected TEXT, sections BLOB);
    CREATE TABLE rejected (position INTEGER PRIMARY KEY, exchange TEXT, stage TEXT, reason TEXT);
    CREATE TABLE retrievals (position INTEGER PRIMARY KEY, draft INTEGER, positive INTEGER, negatives BLOB);
"""


class ScratchDb:
    """One temporary file, which holds nothing that outlives the process."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "curation.db"
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.executescript(f"PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; {SCHEMA} BEGIN;")

    def keep(self, position: int, exchange: Exchange, draft: Draft) -> None:
        """Remember the long parts of a draft, and what was asked."""
        sections = (
            draft.standalone,
            draft.positives,
            draft.blamed,
            (exchange.id, exchange.question, exchange.history, sorted(exchange.groups)),
        )
        # Prompts are by far the most of all: to make them smaller takes longer than to write them.
        self._connection.execute(
            "INSERT INTO drafts VALUES (?, ?, ?, ?, ?)",
            (position, to_bytes(draft.prompt), _text(draft.chosen), _text(draft.rejected), _packed(sections)),
        )

    def reject(self, position: int, rejected: Rejected) -> None:
        """Remember that an exchange gives no row."""
        row = (position, _text(rejected.exchange), rejected.stage, rejected.reason)
        self._connection.execute("INSERT INTO rejected VALUES (?, ?, ?, ?)", row)

    def retrieval(self, draft: int, positive: int, negatives: list[Section]) -> None:
        """Remember a retrieval row of a draft, with the place of the positive among the draft's."""
        self._connection.execute(
            "INSERT INTO retrievals (draft, positive, negatives) VALUES (?, ?, ?)",
            (draft, positive, _packed(negatives)),
        )

    def prompt(self, position: int) -> tuple[tuple[str, str], ...]:
        """The prompt of a draft."""
        return tuple((role, text) for role, text in from_bytes(self._one("prompt", position)))

    def chosen(self, position: int) -> str:
        """The answer to write of a draft that has one."""
        return str(_untext(self._one("chosen", position)))

    def rejected(self, position: int) -> str:
        """The answer not to write of a draft that has one."""
        return str(_untext(self._one("rejected", position)))

    def sections(self, position: int) -> tuple[str, list[Section], list[Section]]:
        """The question of a draft as it stands alone, the sections that answer it, and those that were blamed."""
        standalone, positives, blamed, _ = _unpacked(self._one("sections", position))
        return standalone, [Section(**each) for each in positives], [Section(**each) for each in blamed]

    def asked(self, position: int) -> Exchange:
        """What was asked in the exchange of a draft, in which conversation and by whose leave, and nothing else."""
        name, question, history, groups = _unpacked(self._one("sections", position))[3]
        said = tuple((role, text) for role, text in history)
        return Exchange(name, NEVER, question, "", history=said, groups=frozenset(groups))

    def rejections(self) -> Iterator[Rejected]:
        """What gave no row, oldest first."""
        for exchange, stage, reason in self._read("SELECT exchange, stage, reason FROM rejected ORDER BY position"):
            yield Rejected(_untext(exchange), stage, reason)

    def retrievals(self) -> Iterator[tuple[int, int, list[Section]]]:
        """The retrieval rows as they were remembered."""
        for draft, positive, negatives in self._read(
            "SELECT draft, positive, negatives FROM retrievals ORDER BY position"
        ):
            yield draft, positive, [Section(**each) for each in _unpacked(negatives)]

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def _one(self, column: str, position: int) -> Any:
        (found,) = self._connection.execute(
            f"SELECT {column} FROM drafts WHERE position = ?",  # noqa: S608 - one of our own columns
            (position,),
        ).fetchone()
        return found

    def _read(self, statement: str) -> Iterator[Any]:
        yield from self._connection.cursor().execute(statement)


def _packed(value: Any) -> bytes:
    return zlib.compress(to_bytes(value, asdict), 1)


def _unpacked(packed: bytes) -> Any:
    return from_bytes(zlib.decompress(packed))


def _text(text: str | None) -> bytes | None:
    """Half a character is no text to SQLite."""
    return None if text is None else text.encode("utf-8", "surrogatepass")


def _untext(kept: bytes) -> str:
    return kept.decode("utf-8", "surrogatepass")
