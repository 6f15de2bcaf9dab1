"""What Slack needs of the house, of the process that serves it, and what it tells that one."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, Protocol

from bot.answering.answers import Answer, Event, Question
from bot.config.settings import Settings
from bot.services.votes import CurrentVote, VoteRequest
from feedback.records import Exchange, Forgotten, ReviewedExchange
from retrieval.index.protocols import Stored
from retrieval.passages import Document, Passage, Turn
from retrieval.sync import Progress


class Documents(Protocol):
    """The reading side of the index."""

    def sources(self) -> Mapping[str, str]: ...
    def stored(self, source: str) -> Mapping[str, Stored]: ...
    def document(self, document: str, *, version: str | None = None) -> Document | None: ...
    def sections(self, document: str) -> Sequence[Passage]: ...


class Exchanges(Protocol):
    """The reading side of the feedback store."""

    def exchange(self, answer: str) -> Exchange: ...


class AppPort(Protocol):
    """The answering service, as far as a platform uses it."""

    @property
    def settings(self) -> Settings: ...
    @property
    def index(self) -> Documents: ...
    @property
    def feedback(self) -> Exchanges: ...
    def stream(self, question: Question) -> Iterator[Event]: ...
    def history(self, conversation: str, *, user: str, groups: frozenset[str], shared: bool) -> tuple[Turn, ...]: ...
    def record(self, question: Question, answer: Answer, *, platform: str) -> None: ...
    def vote(self, opinion: VoteRequest, *, key: str | None = None) -> CurrentVote: ...
    def standing(self, answer: str, *, user: str) -> CurrentVote: ...
    def named(self, user: str) -> str: ...
    def correct(self, answer: str, text: str, *, user: str, key: str) -> bool: ...
    def decide(
        self, answer: str, verdict: Literal["accept"], *, user: str, correction: str, key: str | None
    ) -> bool: ...
    def forget(self, user: str) -> Forgotten: ...
    def waiting(self, *, min_agreement: float) -> Iterator[ReviewedExchange]: ...
    def report(
        self, *, since: datetime | None, until: datetime | None, min_askers: int, progress: Progress
    ) -> Mapping[str, Any]: ...


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
