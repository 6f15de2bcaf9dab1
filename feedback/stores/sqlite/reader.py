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
    Vote,
    apply_decisions,
)
from feedback.stores.sqlite import schema
from feedback.stores.sqlite.database import Database
from feedback.stores.sqlite.exports import registrations
from feedback.stores.sqlite.file import column
from feedback.stores.sqlite.rows import microseconds

PAGE = 500
# The time and id of an exchange. A text is never greater than bytes: (time, bytes) lies behind all ids of its moment.
Position = tuple[int, str | bytes]
BEGINNING: Position = (-(2**63), "")
NEVER = 2**63 - 1


class SqliteReader:
    """A `FeedbackReader` on a file."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def exchange(self, answer: str) -> Exchange:
        """Return the exchange of the answer with this id; raises `UnknownExchange`."""
        found = self._database.records(Exchange, schema.EXCHANGE, (column(answer),))
        if not found:
            raise UnknownExchange(answer)
        return found[0]

    def conversation(self, name: str, *, limit: int) -> list[Exchange]:
        """Return the newest `limit` exchanges of a conversation, oldest first, ties by id."""
        if not name or limit < 1:
            return []
        return self._database.records(Exchange, schema.CONVERSATION, (column(name), limit))[::-1]

    def exchanges(self) -> Iterator[Exchange]:
        """Yield all exchanges, oldest first, ties by id, few in memory at a time."""
        for _, _, page in self._pages():
            yield from page

    def votes(self, answer: str) -> list[Vote]:
        """Return the votes that count now, oldest first, ties by key."""
        return self._database.records(Vote, schema.COUNTING_VOTES, (column(answer),))

    def corrections(self, answer: str) -> list[Correction]:
        """Return all corrections of an answer, oldest first, ties by key, `accepted` as the latest decision says."""
        found = self._database.records(Correction, schema.CORRECTIONS, (column(answer),))
        return list(apply_decisions(found, self.decisions(answer)))

    def decisions(self, answer: str) -> list[Decision]:
        """Return all decisions about an answer, oldest first, ties by key."""
        return self._database.records(Decision, schema.DECISIONS, (column(answer),))

    def reviewed_exchanges(
        self, *, since: datetime | None = None, until: datetime | None = None
    ) -> Iterator[ReviewedExchange]:
        """Yield the exchanges of this time (`until` is not in it), each with what counts of it now."""
        for after, last, page in self._pages(since, until):
            votes = self._feedback_between(Vote, after, last, only=schema.COUNTS)
            corrections = self._feedback_between(Correction, after, last)
            decisions = self._feedback_between(Decision, after, last)
            for exchange in page:
                name = column(exchange.id)
                made = tuple(decisions.get(name, ()))
                proposed = apply_decisions(corrections.get(name, ()), made)
                yield ReviewedExchange(exchange, tuple(votes.get(name, ())), proposed, made)

    def records(self) -> Iterator[Record]:
        """Yield everything: exchanges, the feedback about them in the same order, registrations of exports."""
        yield from self.exchanges()
        for after, last, page in self._pages():
            by_kind: list[dict[str, list[Any]]] = [
                self._feedback_between(kind, after, last) for kind in (Vote, Correction, Decision)
            ]
            for exchange in page:
                for by_answer in by_kind:
                    yield from by_answer.get(column(exchange.id), ())
        yield from registrations(self._database)

    def _pages(
        self, since: datetime | None = None, until: datetime | None = None
    ) -> Iterator[tuple[Position, Position, list[Exchange]]]:
        """Yield the exchanges of this time in pages, each with the position it begins behind and that of its last."""
        after: Position = (microseconds(since) - 1, b"") if since else BEGINNING
        end = microseconds(until) if until else NEVER
        while rows := self._database.run(schema.EXCHANGES, (*after, end, PAGE)):
            last = rows[-1][:2]
            yield after, last, [self._database.parse(Exchange, record) for _, _, record in rows]
            after = last

    def _feedback_between(
        self, kind: type[R], after: Position, last: Position, *, only: str = "TRUE"
    ) -> dict[str, list[R]]:
        """Return the feedback about the exchanges between two positions, by the id of the answer as a column has it."""
        found: dict[str, list[R]] = {}
        query = schema.feedback_between(schema.TABLES[kind], only=only)
        for answer, record in self._database.run(query, (*after, *last)):
            found.setdefault(answer, []).append(self._database.parse(kind, record))
        return found
