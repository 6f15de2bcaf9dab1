"""What Slack tells of what happens, to be counted."""

from typing import Protocol

from bot.answering.answers import Answer


class Metrics(Protocol):
    """Who counts what happens."""

    def asked(self, platform: str, outcome: str, answer: Answer | None = None) -> None: ...

    def voted(self, platform: str, vote: str, reason: str = "") -> None: ...


class NullMetrics:
    """Where nobody counts."""

    def asked(self, platform: str, outcome: str, answer: Answer | None = None) -> None:
        """Nothing is counted."""

    def voted(self, platform: str, vote: str, reason: str = "") -> None:
        """Nothing is counted."""
