"""The embedded store: one SQLite file, which only its owner may read, synced to disk at every record."""

import json
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from feedback.codec import from_bytes
from feedback.errors import FeedbackUnavailable, UnknownExchange
from feedback.records import (
    Correction,
    Decision,
    Exchange,
    Export,
    Forgotten,
    Held,
    R,
    Record,
    Registered,
    ReviewedExchange,
    Vote,
    WriteResult,
    decided,
    from_json,
    has_words,
    to_json,
    to_text,
    without_words,
)
from feedback.stores.sqlite import schema
from feedback.stores.sqlite.file import column, mapped, open_file, transaction
from feedback.stores.sqlite.schema import TABLES, UPGRADES

PAGE = 500
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# A text is never greater than bytes, so that a place of these begins behind all ids of its moment.
Place = tuple[int, str | bytes]
FIRST: Place = (-(2**63), "")
NEVER = 2**63 - 1


class SqliteFeedback:
    """A `FeedbackStore` in one file; processes may share it.

    What is erased is overwritten in the file, and in the log beside it as soon as nobody reads that; copies and
    backups of the file are the owner's to erase.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._connection = open_file(path, UPGRADES)

    def record(self, exchange: Exchange) -> None:
        """Remember an exchange; under an id that is known already nothing changes."""
        self._run(schema.RECORD_EXCHANGE, _exchange(exchange))

    def exchange(self, answer: str) -> Exchange:
        """The exchange of the answer with this id; raises `UnknownExchange`."""
        rows = self._run("SELECT record FROM exchanges WHERE id = ?", (column(answer),))
        if not rows:
            raise UnknownExchange(answer)
        return self._parsed(Exchange, rows[0][0])

    def conversation(self, name: str, *, limit: int) -> list[Exchange]:
        """The newest `limit` exchanges of a conversation, oldest first, ties by id."""
        if not name or limit < 1:
            return []
        newest = "SELECT record FROM exchanges WHERE conversation = ? ORDER BY at DESC, id DESC LIMIT ?"
        return [self._parsed(Exchange, record) for (record,) in reversed(self._run(newest, (column(name), limit)))]

    def exchanges(self) -> Iterator[Exchange]:
        """All exchanges, oldest first, ties by id, few in memory at a time."""
        for _, _, page in self._pages():
            yield from page

    def vote(self, vote: Vote) -> bool:
        """Remember a vote; False, and nothing changes, when its key is known already; raises `UnknownExchange`."""
        return self._opinion(vote)

    def votes(self, answer: str) -> list[Vote]:
        """The votes that count now, oldest first, ties by key: of each voter the latest, unless it withdraws."""
        return [self._parsed(Vote, record) for (record,) in self._run(schema.COUNTING_VOTES, (column(answer),))]

    def correct(self, correction: Correction) -> bool:
        """Remember a correction; False, and nothing changes, when its key is known; raises `UnknownExchange`."""
        return self._opinion(correction)

    def corrections(self, answer: str) -> list[Correction]:
        """All corrections of an answer, oldest first, ties by key, `accepted` as the latest decision says."""
        found = self._run("SELECT record FROM corrections WHERE answer = ? ORDER BY at, key", (column(answer),))
        return list(decided([self._parsed(Correction, record) for (record,) in found], self.decisions(answer)))

    def decide(self, decision: Decision) -> bool:
        """Remember a decision; False, and nothing changes, when its key is known; raises `UnknownExchange`."""
        return self._opinion(decision)

    def decisions(self, answer: str) -> list[Decision]:
        """All decisions about an answer, oldest first, ties by key."""
        found = self._run("SELECT record FROM decisions WHERE answer = ? ORDER BY at, key", (column(answer),))
        return [self._parsed(Decision, record) for (record,) in found]

    def take(self, records: Sequence[Record]) -> list[WriteResult]:
        """Remember several records in one transaction, and tell of each what became of it."""
        with self._writing():
            return [self._taken(each) for each in records]

    def judged(self, *, since: datetime | None = None, until: datetime | None = None) -> Iterator[ReviewedExchange]:
        """The exchanges of this time (`until` is not in it), each with what counts of it now."""
        for after, last, page in self._pages(since, until):
            votes = self._said(Vote, after, last, only=schema.COUNTS)
            corrections, decisions = self._said(Correction, after, last), self._said(Decision, after, last)
            for each in page:
                name = column(each.id)
                about = tuple(decisions.get(name, ()))
                yield ReviewedExchange(
                    each, tuple(votes.get(name, ())), decided(corrections.get(name, ()), about), about
                )

    def records(self) -> Iterator[Record]:
        """All that is kept: exchanges, what was said of them in the same order, registered exports."""
        yield from self.exchanges()
        for after, last, page in self._pages():
            said: list[dict[str, list[Any]]] = [self._said(kind, after, last) for kind in (Vote, Correction, Decision)]
            for each in page:
                for of_kind in said:
                    yield from of_kind.get(column(each.id), ())
        for export in self.exports():
            yield from self._registered(export)

    def register(self, export: Export, rows: Mapping[str, Iterable[str]]) -> None:
        """Remember an export, and by each person the sha256 of the rows that hold something of theirs."""
        with self._writing():
            self._register(export, rows)

    def exports(self) -> list[Export]:
        """All exports, oldest first, ties by id."""
        return [
            self._parsed(Export, record) for (record,) in self._run("SELECT record FROM exports ORDER BY at, id", ())
        ]

    def forget(self, person: str) -> Forgotten:
        """Erase all of a person at once, and tell which exports hold rows of theirs."""
        if not person:
            return Forgotten(0, 0, 0, 0)
        values = {"person": column(person)}
        with self._writing():
            gone = {kind: self._connection.execute(erase, values).rowcount for kind, erase in schema.FORGET.items()}
        self._empty_the_log()
        exports = tuple(
            Held(self._parsed(Export, record), tuple(json.loads(rows)))
            for record, rows in self._run(schema.HELD, (column(person),))
        )
        return Forgotten(gone[Exchange], gone[Vote], gone[Correction], gone[Decision], exports)

    def prune(self, *, words: datetime | None = None, all_of_it: datetime | None = None) -> tuple[int, int]:
        """Let go of what is older than a moment, few at a time, so that nobody waits long."""
        gone = sum(self._in_pages("at < ?", all_of_it, self._erase)) if all_of_it else 0
        bare = sum(self._in_pages("pruned = 0 AND at < ?", words, self._strip)) if words else 0
        if gone or bare:
            self._empty_the_log()
        return bare, gone

    def close(self) -> None:
        """Let go of the file; a second time changes nothing."""
        with self._lock, mapped(self.path):
            self._connection.close()

    def _run(self, statement: str, values: tuple[Any, ...] | dict[str, Any]) -> list[Any]:
        """One statement, which is a transaction of its own."""
        with self._lock, mapped(self.path):
            return self._connection.execute(statement, values).fetchall()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with self._lock, mapped(self.path), transaction(self._connection):
            yield

    def _opinion(self, given: Vote | Correction | Decision) -> bool:
        """Whether it was added, in a transaction of its own; raises `UnknownExchange`."""
        statement, values = _opinion(given)
        with self._lock, mapped(self.path):
            added = self._connection.execute(statement, values).rowcount > 0
        if not added and not self._run("SELECT 1 FROM exchanges WHERE id = ?", (values["answer"],)):
            raise UnknownExchange(given.answer)
        return added

    def _taken(self, record: Record) -> WriteResult:
        if isinstance(record, Export | Registered):
            export = record.export if isinstance(record, Registered) else record
            rows = {record.person: record.rows} if isinstance(record, Registered) and record.person else {}
            self._register(export, rows)
            return "added"
        if isinstance(record, Exchange):
            statement, values = schema.RECORD_EXCHANGE, _exchange(record)
        else:
            statement, values = _opinion(record)
        if self._connection.execute(statement, values).rowcount > 0:
            return "added"
        known = "SELECT 1 FROM exchanges WHERE id = ?"
        answer = values["id" if isinstance(record, Exchange) else "answer"]
        return "known" if self._connection.execute(known, (answer,)).fetchone() else "unknown-answer"

    def _register(self, export: Export, rows: Mapping[str, Iterable[str]]) -> None:
        name = column(export.id)
        self._connection.execute(schema.RECORD_EXPORT, (name, _microseconds(export.at), _json(export)))
        held = ((name, column(each), json.dumps(sorted(set(of)))) for each, of in rows.items())
        self._connection.executemany(schema.RECORD_ROWS, held)

    def _registered(self, export: Export) -> Iterator[Registered]:
        held = self._run(
            "SELECT person, rows FROM registered WHERE export = ? ORDER BY person", (column(export.id),)
        ) or [("", "[]")]
        for person, rows in held:
            yield Registered(export, person, tuple(json.loads(rows)))

    def _pages(
        self, since: datetime | None = None, until: datetime | None = None
    ) -> Iterator[tuple[Place, Place, list[Exchange]]]:
        """The exchanges of this time, some at once: behind which place they lie, up to which, and they themselves."""
        after: Place = (_microseconds(since) - 1, b"") if since else FIRST
        end = _microseconds(until) if until else NEVER
        while rows := self._run(schema.EXCHANGES, (*after, end, PAGE)):
            last = rows[-1][:2]
            yield after, last, [self._parsed(Exchange, record) for _, _, record in rows]
            after = last

    def _said(self, kind: type[R], after: Place, last: Place, *, only: str = "TRUE") -> dict[str, list[R]]:
        """What is kept about the exchanges between these places, by the answer's id as a column has it."""
        found: dict[str, list[R]] = {}
        for answer, record in self._run(schema.said(TABLES[kind], only=only), (*after, *last)):
            found.setdefault(answer, []).append(self._parsed(kind, record))
        return found

    def _in_pages(self, where: str, before: datetime, work: Any) -> Iterator[int]:
        """The number of exchanges for which this was done, each page a transaction."""
        page = f"SELECT id, record FROM exchanges WHERE {where} ORDER BY at, id LIMIT ?"  # noqa: S608 - our own words
        done = PAGE
        while done == PAGE:
            with self._writing():
                rows = self._connection.execute(page, (_microseconds(before), PAGE)).fetchall()
                for answer, record in rows:
                    work(answer, record)
                done = len(rows)
            yield done

    def _erase(self, answer: str, _: str) -> None:
        for table in ("votes", "corrections", "decisions"):
            self._connection.execute(f"DELETE FROM {table} WHERE answer = ?", (answer,))  # noqa: S608
        self._connection.execute("DELETE FROM exchanges WHERE id = ?", (answer,))

    def _strip(self, answer: str, record: str) -> None:
        bare = _json(without_words(self._parsed(Exchange, record)))
        self._connection.execute("UPDATE exchanges SET pruned = 1, record = ? WHERE id = ?", (bare, answer))
        self._strip_said(Vote, answer)
        self._strip_said(Correction, answer)
        self._strip_said(Decision, answer)

    def _strip_said(self, kind: type[R], answer: str) -> None:
        said = self._connection.execute(f"SELECT key, record FROM {TABLES[kind]} WHERE answer = ?", (answer,))  # noqa: S608
        stripped = [(_json(_bare(self._parsed(kind, record))), key) for key, record in said.fetchall()]
        self._connection.executemany(f"UPDATE {TABLES[kind]} SET record = ? WHERE key = ?", stripped)  # noqa: S608

    def _empty_the_log(self) -> None:
        """Write what was erased into the file itself now; where somebody is reading it, it is written later."""
        self._run("PRAGMA wal_checkpoint(TRUNCATE)", ())

    def _parsed(self, kind: type[R], record: str) -> R:
        try:
            return from_json(kind, from_bytes(record))
        except ValueError as error:
            message = f"a record in the feedback file {str(self.path)!r} cannot be read: {error}"
            raise FeedbackUnavailable(message) from error


def _exchange(given: Exchange) -> dict[str, Any]:
    return {
        "id": column(given.id),
        "at": _microseconds(given.at),
        "conversation": column(given.conversation),
        "asker": column(given.asker),
        "pruned": int(given.pruned),
        "record": _json(given),
    }


def _opinion(given: Vote | Correction | Decision) -> tuple[str, dict[str, Any]]:
    """The statement that records it, and its values."""
    record = _json(given)
    values = {
        "key": column(given.key),
        "answer": column(given.answer),
        "at": _microseconds(given.at),
        "record": record,
        "bare": _json(without_words(given)) if has_words(given) else record,
    }
    if isinstance(given, Vote):
        return schema.RECORD_VOTE, {**values, "voter": column(given.voter), "vote": given.vote}
    if isinstance(given, Correction):
        return schema.RECORD_CORRECTION, {**values, "author": column(given.author)}
    about = column(given.correction) if given.verdict in {"accept", "reject"} else ""
    return schema.RECORD_DECISION, {**values, "reviewer": column(given.reviewer), "correction": about}


def _bare(record: Any) -> Any:
    return without_words(record)


def _microseconds(at: datetime) -> int:
    return (at - EPOCH) // timedelta(microseconds=1)


def _json(record: Record) -> str:
    return to_text(to_json(record))
