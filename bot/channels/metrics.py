"""Counts of what happens in a channel."""

from collections.abc import Mapping
from typing import Protocol


class ChannelMetrics(Protocol):
    """Counts questions and votes of a channel. Threads may share one; nothing here raises."""

    def question_answered(self, platform: str, outcome: str, *, timings: Mapping[str, float] | None = None) -> None:
        """Count a question that is over: `answered`, `abstained`, `talk`, `refused`, `failed`, `stopped`, `unsaid`."""
        ...

    def vote_recorded(self, platform: str, vote: str, reason: str = "") -> None:
        """Count a vote: `up`, `down` or `none`."""
        ...


class NullMetrics:
    """`ChannelMetrics` that count nothing, for a channel outside the server."""

    def question_answered(self, platform: str, outcome: str, *, timings: Mapping[str, float] | None = None) -> None:
        """Count nothing."""

    def vote_recorded(self, platform: str, vote: str, reason: str = "") -> None:
        """Count nothing."""
