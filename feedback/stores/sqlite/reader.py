"""Reads records from the embedded store."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from feedback.errors import UnknownExchange
from feedback.records import (
    Correction,
    Decision,
    Exchange,
    R,
    Record,
    ReviewedExchange,
    SkippedRecord,
    Vote,
    apply_decisions,
    kind_of,
)
from feedback.stores.skipped import OnSkipped, log_skipped, parse_or_skip, parse_record
from feedback.stores.sqlite import schema
from feedback.stores.sqlite.database import Database, bytes_of
from feedback.stores.sqlite.exports import registrations
from feedback.stores.sqlite.file import column
from feedback.stores.sqlite.rows import microseconds

PAGE = 500
# The time and id of an exchange. No text of UTF-8 has a byte so great: it lies behind all ids of its moment.
Position = tuple[int, bytes]
LAST = b"\xff" * 4
BEGINNING: Position = (-(2**63), b"")
NEVER = 2**63 - 1


class SqliteReader:
    """A `FeedbackReader` on a file."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def exchange(self, answer: str) -> Exchange:
        """Return the exchange of the answer with this id; raises `UnknownExchange` and `UnreadableRecord`."""
        for name, record in self._database.run(schema.EXCHANGE, (column(answer),)):
            return parse_record(Exchange, name, record)
        raise UnknownExchange(answer)

    def conversation(self, name: str, *, limit: int) -> list[Exchange]:
        """Return the newest `limit` exchanges of a conversation, oldest first, ties by id."""
        if not name or limit < 1:
            return []
        return self._database.records(Exchange, schema.CONVERSATION, (column(name), limit))[::-1]

    def exchanges(self, *, skipped: OnSkipped = log_skipped) -> Iterator[Exchange]:
        """Yield all exchanges, oldest first, ties by id, few in memory at a time."""
        self._name_unsound(skipped, only=Exchange)
        for _, _, page in self._pages(skipped):
            yield from (exchange for _, exchange in page if exchange)

    def votes(self, answer: str) -> list[Vote]:
        """Return the votes that count now, oldest first, ties as they came."""
        return self._database.records(Vote, schema.COUNTING_VOTES, (column(answer),))

    def corrections(self, answer: str) -> list[Correction]:
        """Return all corrections of an answer, oldest first, ties as they came, `accepted` as decided last."""
        found = self._database.records(Correction, schema.CORRECTIONS, (column(answer),))
        return list(apply_decisions(found, self.decisions(answer)))

    def decisions(self, answer: str) -> list[Decision]:
        """Return all decisions about an answer, oldest first, ties as they came."""
        return self._database.records(Decision, schema.DECISIONS, (column(answer),))

    def reviewed_exchanges(
        self, *, since: datetime | None = None, until: datetime | None = None, skipped: OnSkipped = log_skipped
    ) -> Iterator[ReviewedExchange]:
        """Yield the exchanges of this time (`until` is not in it), each with what counts of it now."""
        self._name_unsound(skipped)
        for after, last, page in self._pages(skipped, since, until):
            votes = self._feedback_between(Vote, after, last, skipped, only=schema.COUNTS)
            corrections = self._feedback_between(Correction, after, last, skipped)
            decisions = self._feedback_between(Decision, after, last, skipped)
            for name, exchange in page:
                made = tuple(decisions.get(name, ()))
                proposed = apply_decisions(corrections.get(name, ()), made)
                if exchange:
                    yield ReviewedExchange(exchange, tuple(votes.get(name, ())), proposed, made)

    def records(self, *, skipped: OnSkipped = log_skipped) -> Iterator[Record]:
        """Yield everything: exchanges, the feedback about them in the same order, registrations of exports."""
        self._name_unsound(skipped)
        for _, _, page in self._pages(skipped):
            yield from (exchange for _, exchange in page if exchange)
        for after, last, page in self._pages(lambda _: None):
            by_kind: list[dict[str, list[Any]]] = [
                self._feedback_between(kind, after, last, skipped) for kind in (Vote, Correction, Decision)
            ]
            for name, _ in page:
                for by_answer in by_kind:
                    yield from by_answer.get(name, ())
        yield from registrations(self._database, skipped)

    def _name_unsound(self, skipped: OnSkipped, *, only: type[Any] | None = None) -> None:
        """Name the rows that no other query finds."""
        for kind, name, row in self._database.run(schema.UNSOUND):
            if only is None or kind == kind_of(only):
                skipped(SkippedRecord(kind, name if isinstance(name, str) else f"row {row}", "its row is damaged"))

    def _pages(
        self, skipped: OnSkipped, since: datetime | None = None, until: datetime | None = None
    ) -> Iterator[tuple[Position, Position, list[tuple[str, Exchange | None]]]]:
        """Yield the exchanges of this time in pages, each with the position it begins behind and that of its last.

        An exchange comes with its id; it is None where it cannot be read.
        """
        after: Position = (microseconds(since) - 1, LAST) if since else BEGINNING
        end = microseconds(until) if until else NEVER
        while rows := self._database.run(schema.EXCHANGES, (*after, end, PAGE)):
            last = (rows[-1][0], bytes_of(rows[-1][1]))
            page = [(name, parse_or_skip(Exchange, name, record, skipped)) for _, name, record in rows]
            yield after, last, page
            after = last

    def _feedback_between(
        self, kind: type[R], after: Position, last: Position, skipped: OnSkipped, *, only: str = "TRUE"
    ) -> dict[str, list[R]]:
        """Return the feedback about the exchanges between two positions, by the id of the answer."""
        found: dict[str, list[R]] = {}
        query = schema.feedback_between(schema.TABLES[kind], only=only)
        for answer, key, text in self._database.run(query, (*after, *last)):
            record = parse_or_skip(kind, str(key), text, skipped, answer=answer)
            if record is not None:
                found.setdefault(answer, []).append(record)
        return found
