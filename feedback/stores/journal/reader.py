"""Reads what is in a store together with what waits in the journal."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import TypeVar

from feedback.errors import FeedbackUnavailable, UnknownExchange
from feedback.records import Correction, Decision, Exchange, Record, ReviewedExchange, Vote, apply_decisions
from feedback.stores.journal.journal import Journal
from feedback.stores.protocol import FeedbackStore
from feedback.stores.skipped import OnSkipped, log_skipped

F = TypeVar("F", Vote, Correction, Decision)


class JournaledReader:
    """A `FeedbackReader` in front of another; what waits in other machines' journals is seen when it has been sent.

    What is asked about one answer or conversation can be read while the store is down, as far as it waits here. What
    is asked about all of them sends what waits first, and raises `FeedbackUnavailable` while the store is down.
    """

    def __init__(self, store: FeedbackStore, journal: Journal) -> None:
        self.store = store
        self._journal = journal

    def exchange(self, answer: str) -> Exchange:
        """Return the exchange of the answer with this id, also one that waits; raises `UnknownExchange`."""
        try:
            return self._journal.call(lambda: self.store.exchange(answer))
        except (FeedbackUnavailable, UnknownExchange):
            for exchange in self._journal.waiting(Exchange, answer):
                return exchange
            raise

    def conversation(self, name: str, *, limit: int) -> list[Exchange]:
        """Return the newest `limit` exchanges of a conversation, also those that wait, oldest first, ties by id."""
        self._journal.try_to_send()
        waiting = self._journal.conversation(name) if name and limit > 0 else []
        found = self._journal.merge(lambda: self.store.conversation(name, limit=limit), waiting)
        by_id = {each.id: each for each in found}
        return sorted(by_id.values(), key=lambda each: (each.at, each.id))[-limit:] if limit > 0 else []

    def exchanges(self, *, skipped: OnSkipped = log_skipped) -> Iterator[Exchange]:
        """Yield all exchanges of the store, oldest first, ties by id."""
        self._journal.send_all()
        yield from self.store.exchanges(skipped=skipped)

    def votes(self, answer: str) -> list[Vote]:
        """Return the votes that count now, also those that wait, oldest first, ties as they came."""
        self._journal.try_to_send()
        waiting = self._journal.waiting(Vote, answer)
        votes = _in_order(self._journal.merge(lambda: self.store.votes(answer), waiting, answer=answer))
        latest = {each.voter: each for each in votes}
        return [each for each in votes if latest[each.voter] is each and each.vote != "none"]

    def corrections(self, answer: str) -> list[Correction]:
        """Return all corrections of an answer, also those that wait, `accepted` as the latest decision says."""
        self._journal.try_to_send()
        waiting = self._journal.waiting(Correction, answer)
        found = self._journal.merge(lambda: self.store.corrections(answer), waiting, answer=answer)
        return list(apply_decisions(_in_order(found), self._journal.waiting(Decision, answer)))

    def decisions(self, answer: str) -> list[Decision]:
        """Return all decisions about an answer, also those that wait, oldest first, ties as they came."""
        self._journal.try_to_send()
        waiting = self._journal.waiting(Decision, answer)
        return _in_order(self._journal.merge(lambda: self.store.decisions(answer), waiting, answer=answer))

    def reviewed_exchanges(
        self, *, since: datetime | None = None, until: datetime | None = None, skipped: OnSkipped = log_skipped
    ) -> Iterator[ReviewedExchange]:
        """Yield the exchanges of this time with what counts of each now."""
        self._journal.send_all()
        yield from self.store.reviewed_exchanges(since=since, until=until, skipped=skipped)

    def records(self, *, skipped: OnSkipped = log_skipped) -> Iterator[Record]:
        """Yield everything that the store holds."""
        self._journal.send_all()
        yield from self.store.records(skipped=skipped)


def _in_order(records: Iterable[F]) -> list[F]:
    """Return each once, oldest first, ties as they came; a time that has not come counts as now."""
    now = datetime.now(UTC)
    once: dict[str, F] = {}
    for each in records:
        once.setdefault(each.key, each)
    return sorted(once.values(), key=lambda each: min(each.at, now))
