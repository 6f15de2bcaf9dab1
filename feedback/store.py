"""The port behind which feedback is kept: SQLite (embedded default) or Redis."""

from collections.abc import Iterator
from typing import Protocol

from feedback.records import Correction, Exchange, Vote


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
        """All corrections of an answer, oldest first, ties by key; empty for an unknown one."""
        ...

    def close(self) -> None:
        """Let go of the store; a second time changes nothing."""
        ...
