"""The port behind which feedback is kept: SQLite (embedded default) or Redis."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from feedback.records import (
    Correction,
    Decision,
    Exchange,
    Export,
    Forgotten,
    Record,
    ReviewedExchange,
    Vote,
    WriteResult,
)


class FeedbackStore(Protocol):
    """Remembers exchanges and what people say of them. Threads may share one.

    What a method has returned from is on disk (of a server: as its settings have it); all raise `FeedbackUnavailable`
    when the store cannot be reached. A call that has raised it may be made again, and changes nothing twice.
    """

    def record(self, exchange: Exchange) -> None:
        """Remember an exchange; under an id that is known already nothing changes."""
        ...

    def exchange(self, answer: str) -> Exchange:
        """The exchange of the answer with this id; raises `UnknownExchange`."""
        ...

    def conversation(self, name: str, *, limit: int) -> list[Exchange]:
        """The newest `limit` exchanges of a conversation, oldest first, ties by id.

        Empty for an unknown or empty name.
        """
        ...

    def exchanges(self) -> Iterator[Exchange]:
        """All exchanges, oldest first, ties by id, few in memory at a time.

        One that is recorded meanwhile may or may not be among them.
        """
        ...

    def vote(self, vote: Vote) -> bool:
        """Remember a vote; False, and nothing changes, when its key is known already.

        Votes may arrive in any order and any number of times. Raises `UnknownExchange`.
        """
        ...

    def votes(self, answer: str) -> list[Vote]:
        """The votes that count now, oldest first, ties by key: of each voter the latest, unless it withdraws.

        Of two at the same moment the one with the greater key is the later. Empty for an unknown answer.
        """
        ...

    def correct(self, correction: Correction) -> bool:
        """Remember a correction; False, and nothing changes, when its key is known. Raises `UnknownExchange`."""
        ...

    def corrections(self, answer: str) -> list[Correction]:
        """All corrections of an answer, oldest first, ties by key; empty for an unknown one.

        Each is `accepted` as the latest decision about it says.
        """
        ...

    def decide(self, decision: Decision) -> bool:
        """Remember a decision; False, and nothing changes, when its key is known. Raises `UnknownExchange`."""
        ...

    def decisions(self, answer: str) -> list[Decision]:
        """All decisions about an answer, oldest first, ties by key; empty for an unknown one."""
        ...

    def take(self, records: Sequence[Record]) -> list[WriteResult]:
        """Remember several records at once, in this order, and tell of each what became of it; none is half taken.

        When it raises, some may have been taken. An export's registration is always `added`.
        """
        ...

    def judged(self, *, since: datetime | None = None, until: datetime | None = None) -> Iterator[ReviewedExchange]:
        """The exchanges of this time (`until` is not in it) as `exchanges` has them, with what counts of each now."""
        ...

    def records(self) -> Iterator[Record]:
        """All that is kept: every exchange, oldest first; then for each in the same order all that was said of it,
        every vote (also what no longer counts), correction and decision, each oldest first; then what is registered.

        Few in memory at a time. Whatever is recorded meanwhile may or may not be among them. Taken by another store
        they make it equal. Corrections come as they were given; the decisions say what was accepted.
        """
        ...

    def register(self, export: Export, rows: Mapping[str, Iterable[str]]) -> None:
        """Remember an export, and by each person (keyed hash) the sha256 of the rows that hold something of theirs.

        Of a person whose rows in this export are known already the new ones count.
        """
        ...

    def exports(self) -> list[Export]:
        """All exports, oldest first, ties by id."""
        ...

    def forget(self, person: str) -> Forgotten:
        """Erase all exchanges, votes, corrections and decisions of a person (keyed hash), with their traces.

        What others said of a person's exchange goes with it. The exports that hold rows of theirs stay listed, also
        when asked again. For an unknown person nothing changes.
        """
        ...

    def prune(self, *, words: datetime | None = None, all_of_it: datetime | None = None) -> tuple[int, int]:
        """Let go of what is older than a moment, by the time of the exchange; None keeps it for ever.

        Older than `words`: an exchange loses its words and those said of it (question, answer, history, passages,
        quotes, comments, corrections), keeps what is counted (sections, versions, votes, reasons), and is `pruned`;
        what is said of it later is kept without words too.
        Older than `all_of_it`: it goes, with everything said of it. Gives how many exchanges each happened to.
        """
        ...

    def close(self) -> None:
        """Let go of the store; a second time changes nothing."""
        ...
