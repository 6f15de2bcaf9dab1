"""A store behind a journal: a local file in which feedback waits while the store is down."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path

from feedback.records import ErasureResult, Export, ExportedRows, Record
from feedback.stores.journal.circuit_breaker import CircuitBreaker
from feedback.stores.journal.file import JournalCounts, JournalFile
from feedback.stores.journal.journal import Journal
from feedback.stores.journal.reader import JournaledReader
from feedback.stores.journal.sender import JournalSender
from feedback.stores.journal.writer import JournaledWriter
from feedback.stores.protocol import FeedbackStore
from feedback.stores.skipped import OnSkipped, log_skipped

FIRST_WAIT, LONGEST_WAIT = 0.25, 5.0
RETRY_REFUSED_SECONDS = 600.0


class JournaledFeedback(JournaledWriter, JournaledReader):
    """A `FeedbackStore` in front of another, whose exchanges, votes, corrections and decisions wait while it is down.

    What waits is sent in order by the next calls that succeed and by a thread. What the store refuses in the end (its
    answer is unknown) is put aside in the file and written to the log. Registrations and erasures never wait.
    """

    def __init__(
        self,
        store: FeedbackStore,
        path: Path,
        *,
        limit: int,
        first_wait: float = FIRST_WAIT,
        longest_wait: float = LONGEST_WAIT,
        retry_refused_seconds: float = RETRY_REFUSED_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Keep at most `limit` records in the file; while the store is down it is tried after growing waits (seconds).

        Raises `FeedbackUnavailable` for a file that is there and cannot be read.
        """
        file = JournalFile(path, limit=limit)
        sender = JournalSender(store, file, retry_refused_seconds=retry_refused_seconds)
        breaker = CircuitBreaker(first_wait=first_wait, longest_wait=longest_wait, clock=clock)
        super().__init__(store, Journal(file, sender, breaker, clock=clock))

    def counts(self) -> JournalCounts:
        """Count the records that wait here and those that were refused."""
        return self._journal.file.counts()

    def register_export(self, export: Export, rows: Mapping[str, Iterable[str]]) -> None:
        """Add an export to the store."""
        self._journal.call(lambda: self.store.register_export(export, rows))

    def of_person(self, person: str, *, skipped: OnSkipped = log_skipped) -> Iterator[Record]:
        """Yield what is stored of a person, and what waits and was refused here."""
        self._journal.try_to_send()
        yield from self._journal.call(lambda: list(self.store.of_person(person, skipped=skipped)))
        yield from self._journal.file.of_person(person) if person else ()

    def exported(self, person: str) -> tuple[ExportedRows, ...]:
        """Return the past exports that hold rows of a person."""
        return self._journal.call(lambda: self.store.exported(person))

    def forget(self, person: str) -> ErasureResult:
        """Erase everything of a person, in the store and here; what waits is sent before."""

        def erase() -> ErasureResult:
            here = self._journal.file.forget(person) if person else {}
            erased = self._journal.call(lambda: self.store.forget(person))
            return ErasureResult(
                exchanges=erased.exchanges + here.get("exchange", 0),
                votes=erased.votes + here.get("vote", 0),
                corrections=erased.corrections + here.get("correction", 0),
                decisions=erased.decisions + here.get("decision", 0),
                exports=erased.exports,
                histories=erased.histories,
            )

        self._journal.send_all()
        return self._journal.exclusively(erase)

    def prune(
        self, *, words_before: datetime | None = None, exchanges_before: datetime | None = None
    ) -> tuple[int, int]:
        """Erase in the store what is older than these moments."""
        return self._journal.call(
            lambda: self.store.prune(words_before=words_before, exchanges_before=exchanges_before)
        )

    def close(self) -> None:
        """Close the file and the store; what waits is sent when the file is opened again."""
        self._journal.close()
        self.store.close()
