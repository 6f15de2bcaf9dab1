"""Adds records to a store, or to the journal while it is down."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from feedback.errors import FeedbackUnavailable, UnknownExchange
from feedback.records import Correction, Decision, Exchange, Record, Vote, WriteResult
from feedback.stores.journal.journal import Journal
from feedback.stores.protocol import FeedbackStore

F = TypeVar("F", Vote, Correction, Decision)


class JournaledWriter:
    """A `FeedbackWriter` in front of another.

    Of a record that waits, True says that it was not waiting yet. Where the journal is full or cannot be written a
    call raises `FeedbackUnavailable`.
    """

    def __init__(self, store: FeedbackStore, journal: Journal) -> None:
        self.store = store
        self._journal = journal

    def record(self, exchange: Exchange) -> None:
        """Add an exchange, to the journal if need be; an id that is known changes nothing."""
        try:
            self._journal.call(lambda: self.store.record(exchange))
        except FeedbackUnavailable:
            self._journal.keep(exchange)

    def vote(self, vote: Vote) -> bool:
        """Add a vote, to the journal if need be; False when its key is known; raises `UnknownExchange`."""
        return self._add(self.store.vote, vote)

    def correct(self, correction: Correction) -> bool:
        """Add a correction, to the journal if need be; False when its key is known; raises `UnknownExchange`."""
        return self._add(self.store.correct, correction)

    def decide(self, decision: Decision) -> bool:
        """Add a decision, to the journal if need be; False when its key is known; raises `UnknownExchange`."""
        return self._add(self.store.decide, decision)

    def write_many(self, records: Sequence[Record]) -> list[WriteResult]:
        """Add several records to the store, behind what waits; while it is down raise `FeedbackUnavailable`."""
        self._journal.send_all()
        return self._journal.call(lambda: self.store.write_many(records))

    def _add(self, write: Callable[[F], bool], feedback: F) -> bool:
        waited = self._journal.has_waiting
        try:
            return self._journal.call(lambda: write(feedback))
        except FeedbackUnavailable:
            return self._journal.keep(feedback)
        except UnknownExchange:
            if self._journal.waiting(Exchange, feedback.answer):
                return self._journal.keep(feedback)
            if not waited:
                raise
        return self._journal.call(lambda: write(feedback))  # its exchange may have been sent between the two looks
