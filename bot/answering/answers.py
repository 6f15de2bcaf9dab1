"""The values that answering gives out: a question, an answer and its parts, and what is told while it comes about."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from bot.answering.writing.extractive import EXTRACTIVE
from retrieval.passages import Hit, Turn


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody asks, the conversation before it and the groups of whoever asks; none means everyone."""

    text: str
    history: tuple[Turn, ...] = ()
    groups: frozenset[str] = frozenset()
    user: str = ""
    conversation: str = ""


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of an answer with the numbers of its citations; never without any."""

    text: str
    citations: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Citation:
    """The section behind a number; `quote` is a slice of that version of the document's text."""

    number: int
    document: str
    title: str
    section: str
    anchor: str
    url: str
    quote: str
    version: str


@dataclass(frozen=True, slots=True)
class AnswerWarning:
    """What a careful colleague would add to an answer."""

    kind: Literal["review-date", "superseded", "conflict", "condition"]
    text: str
    citations: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What is shown. An abstention has no sentences and no citations, but the nearest sections; small talk has none.

    `shown` are the sections that the answer was made from; `fallback` says why another generator than the
    configured one answered; `timings` are seconds by step.
    """

    id: str
    text: str
    sentences: tuple[Sentence, ...] = ()
    citations: tuple[Citation, ...] = ()
    abstained: bool = False
    confidence: float = 0.0
    warnings: tuple[AnswerWarning, ...] = ()
    nearest: tuple[Hit, ...] = ()
    shown: tuple[Hit, ...] = ()
    generator: str = EXTRACTIVE
    prompt_version: str = ""
    fallback: str | None = None
    timings: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Status:
    """What is being done until the first sentence stands there."""

    step: Literal["searching", "writing"]


@dataclass(frozen=True, slots=True)
class SentenceReady:
    """A sentence that may be shown: it has been checked and is never taken back; `citations` are those new with it."""

    sentence: Sentence
    citations: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class Done:
    """The whole answer; its sentences are those that were ready, in that order. Always the last event."""

    answer: Answer


Event = Status | SentenceReady | Done
