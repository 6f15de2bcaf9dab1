"""What feedback must ask of the documents and of the prompts; `bot` fills it in, feedback knows neither."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from feedback.records import AnswerSentence, Exchange, RetrievedPassage

# Passages come again and again, from exchange to exchange; whatever is told of their texts is kept for so many, since
# with fewer most would be read anew.
REMEMBERED = 32_768

Message = tuple[str, str]
"""A role (`system`, `user` or `assistant`) and what is said."""


@dataclass(frozen=True, slots=True)
class CurrentSection:
    """A section as the documents have it now, and who may read it; `version` is that of its document.

    `pieces` are the passages that a long section is cut into, as they are shown; empty stands for the text alone.
    """

    version: str
    text: str
    audience: frozenset[str]
    owner: str = ""
    pieces: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FoundSection:
    """A section that is retrieved now, best first; `confidence` is that of the whole search.

    `title` is its document's, with the headings above it, on one line.
    """

    document: str
    anchor: str
    version: str
    text: str
    score: float
    confidence: float
    title: str = ""


class KnowledgePort(Protocol):
    """The documents, the check and the prompt that answers are made with. Threads may share one."""

    def current(self, document: str, anchor: str) -> CurrentSection | None:
        """The section with this anchor; None when the document or the anchor is gone."""
        ...

    def supports(self, sentence: str, texts: Sequence[str]) -> bool:
        """Whether these texts together support the sentence; no text supports nothing."""
        ...

    def attributed(self, text: str, passages: Sequence[str]) -> Sequence[AnswerSentence]:
        """The sentences of a text, each with the number (from 1) of the passage that supports it, or with none."""
        ...

    def search(self, exchange: Exchange) -> Sequence[FoundSection]:
        """What the question of this exchange finds now, with its history and for the groups that asked it."""
        ...

    def holding(self, text: str, groups: frozenset[str]) -> Sequence[FoundSection]:
        """The sections that these groups may read and that hold every sentence of a text now, best first."""
        ...

    def prompt(self, exchange: Exchange, shown: Sequence[RetrievedPassage]) -> Sequence[Message]:
        """What a model is sent for this question over these passages; equal arguments give equal messages."""
        ...

    def completion(self, sentences: Sequence[AnswerSentence]) -> str:
        """The answer as a model must write it, citations in numbers of passages; of no sentences the refusal."""
        ...
