"""The protocols behind which feedback is stored: SQLite (embedded default), Redis, or a journal in front of either.

Callers take the narrowest one that they need; a `FeedbackStore` implements them all. Threads may share one. What a
method has returned from is on disk (of a server: as its settings have it). All methods raise `FeedbackUnavailable`
when the store cannot be reached; a call that has raised it may be made again, and changes nothing twice.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from feedback.records import (
    Correction,
    Decision,
    ErasureResult,
    Exchange,
    Export,
    ExportedRows,
    Record,
    ReviewedExchange,
    Vote,
    WriteResult,
)
from feedback.stores.skipped import OnSkipped, log_skipped


class FeedbackWriter(Protocol):
    """Adds records. An id or key that is known already changes nothing.

    All raise `RecordRefused`, and nothing changes, for a record that holds what no record may hold.
    """

    def record(self, exchange: Exchange) -> None:
        """Add an exchange."""
        ...

    def vote(self, vote: Vote) -> bool:
        """Add a vote; False when its key is known. Raises `UnknownExchange`.

        Votes may arrive in any order and any number of times.
        """
        ...

    def correct(self, correction: Correction) -> bool:
        """Add a correction; False when its key is known. Raises `UnknownExchange`."""
        ...

    def decide(self, decision: Decision) -> bool:
        """Add a decision; False when its key is known. Raises `UnknownExchange`."""
        ...

    def write_many(self, records: Sequence[Record]) -> list[WriteResult]:
        """Add several records in this order and return what became of each; no record is half written.

        When it raises, some may have been written. The registration of an export is always `added`.
        """
        ...


class FeedbackReader(Protocol):
    """Reads records. What is older comes first; ties of exchanges by id, of what is said of them as it came.

    A stored record that is damaged, or of another version, is left out and costs nothing else; `skipped` is called with
    each (by default it is written to the log).
    """

    def exchange(self, answer: str) -> Exchange:
        """Return the exchange of the answer with this id; raises `UnknownExchange` and `UnreadableRecord`."""
        ...

    def conversation(self, name: str, *, limit: int) -> list[Exchange]:
        """Return the newest `limit` exchanges of a conversation; none for an unknown or empty name."""
        ...

    def exchanges(self, *, skipped: OnSkipped = log_skipped) -> Iterator[Exchange]:
        """Yield all exchanges, few in memory at a time. Those recorded meanwhile may or may not be among them."""
        ...

    def votes(self, answer: str) -> list[Vote]:
        """Return the votes that count now: of each voter the latest, unless it withdraws. None for an unknown answer.

        Of two votes of the same moment the one that came last is the later. One whose time has not come when the
        person votes again gives way to the new one: a clock was wrong.
        """
        ...

    def corrections(self, answer: str) -> list[Correction]:
        """Return all corrections of an answer, each `accepted` as the latest decision about it says."""
        ...

    def decisions(self, answer: str) -> list[Decision]:
        """Return all decisions about an answer."""
        ...

    def reviewed_exchanges(
        self, *, since: datetime | None = None, until: datetime | None = None, skipped: OnSkipped = log_skipped
    ) -> Iterator[ReviewedExchange]:
        """Yield the exchanges of this time (`until` is not in it) as `exchanges` does, with what counts of each now."""
        ...

    def records(self, *, skipped: OnSkipped = log_skipped) -> Iterator[Record]:
        """Yield everything that is stored, few records in memory at a time; `write_many` makes another store equal.

        Exchanges come first; then, in the same order, all votes (also those that no longer count), corrections and
        decisions about each; then the registrations of exports. Corrections are as they were given; the decisions say
        what was accepted. Records written meanwhile may or may not be among them.
        """
        ...


class ExportRegistry(Protocol):
    """Knows which exports were made and whose rows are in them."""

    def register_export(self, export: Export, rows: Mapping[str, Iterable[str]]) -> None:
        """Add an export, and by person (keyed hash) the sha256 of the rows that hold something of theirs.

        Rows of a person that were registered for this export before are replaced.
        """
        ...


class FeedbackEraser(Protocol):
    """Erases what a person or a time limit asks for."""

    def of_person(self, person: str, *, skipped: OnSkipped = log_skipped) -> Iterator[Record]:
        """Yield the exchanges, votes, corrections and decisions of a person (keyed hash), each kind oldest first."""
        ...

    def exported(self, person: str) -> tuple[ExportedRows, ...]:
        """Return the past exports that hold rows of a person (keyed hash), oldest first."""
        ...

    def forget(self, person: str) -> ErasureResult:
        """Erase all exchanges, votes, corrections and decisions of a person (keyed hash), with their traces.

        Feedback of others about the person's exchanges goes with them, and so do the turns of these exchanges in the
        histories of others in the same conversation. The exports that hold rows of theirs stay
        listed, also when asked again. For an unknown person nothing changes.
        """
        ...

    def prune(
        self, *, words_before: datetime | None = None, exchanges_before: datetime | None = None
    ) -> tuple[int, int]:
        """Erase by the time of the exchange; None keeps everything. Returns how many exchanges each happened to.

        Before `words_before` an exchange and the feedback about it lose their text (question, answer, history,
        passages, quotes, comments, corrections) and keep what is counted (sections, versions, votes, reasons). The
        exchange is `pruned`; feedback that is given later is stored without its text too. What cannot be read is
        emptied.
        Before `exchanges_before` an exchange goes with everything that was said of it, and with its turns in the
        histories of its conversation.
        """
        ...


class FeedbackStore(FeedbackWriter, FeedbackReader, ExportRegistry, FeedbackEraser, Protocol):
    """Stores exchanges and what people say of them."""

    def close(self) -> None:
        """Close the store; a second time changes nothing."""
        ...
