"""The port behind which feedback is kept: SQLite (embedded default) or Redis."""

from collections.abc import Iterator
from typing import Protocol

from feedback.records import Exchange


class FeedbackStore(Protocol):
    """Remembers exchanges; what a method has returned from is on disk. Threads may share one.

    All methods raise `FeedbackUnavailable` when the store cannot be reached.
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

    def close(self) -> None:
        """Let go of the store; a second time changes nothing."""
        ...
