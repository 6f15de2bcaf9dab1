"""The port through which feedback asks about documents and prompts, which it does not know; `bot` implements it."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from feedback.records import AnswerSentence, Exchange, RetrievedPassage, StoredCitation

# The same passages come with exchange after exchange: what is computed of a text is cached for so many of them.
TEXT_CACHE_SIZE = 32_768

Message = tuple[str, str]
"""A role (`system`, `user` or `assistant`) and its text."""


@dataclass(frozen=True, slots=True)
class CurrentSection:
    """A section as it stands in the documents now, and who may read it; `version` is that of its document.

    `passages` are the texts that a long section is cut into, as they are retrieved; empty means the text alone.
    """

    version: str
    text: str
    audience: frozenset[str]
    owner: str = ""
    passages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FoundSection:
    """A section that a search finds now; `score` is its own, `confidence` that of the whole search.

    `title` is its document's with the headings above it, on one line.
    """

    document: str
    anchor: str
    version: str
    text: str
    score: float
    confidence: float
    title: str = ""


MayName = Callable[[StoredCitation | RetrievedPassage, frozenset[str]], bool]
"""Tells whether the title, section and words of a citation may be shown, which was shown to these groups before."""


class AudiencePort(Protocol):
    """Tells what readers of some groups may see at this moment. Threads may share one."""

    def readable(self, documents: Collection[str], groups: frozenset[str]) -> frozenset[str]:
        """Return those of these documents that they may read; one that is gone nobody may."""
        ...

    def naming(self, documents: Collection[str], groups: frozenset[str]) -> MayName:
        """Return what tells whether they may see what was cited; of other than these documents they may not."""
        ...

    def may_hear(self, exchange: Exchange, groups: frozenset[str]) -> bool:
        """Tell whether they may see the question of an exchange: whether they have the groups that it was asked in."""
        ...

    def may_show(self, exchange: Exchange, groups: frozenset[str]) -> bool:
        """Tell whether they may see question and answer: they may read what these rest on besides."""
        ...


class KnowledgePort(Protocol):
    """Reads the documents, checks sentences against them and builds prompts. Threads may share one."""

    def current_section(self, document: str, anchor: str) -> CurrentSection | None:
        """Return the section with this anchor; None when the document or the anchor is gone."""
        ...

    def supports(self, sentence: str, texts: Sequence[str]) -> bool:
        """Tell whether these texts together support the sentence; no text supports nothing."""
        ...

    def cite_sentences(self, text: str, passages: Sequence[str]) -> Sequence[AnswerSentence]:
        """Cut a text into sentences, each with the number (from 1) of the passage that supports it, or with none."""
        ...

    def is_refusal(self, text: str) -> bool:
        """Tell whether a text says, in whatever words, only that the documents do not hold the answer."""
        ...

    def search(self, exchange: Exchange) -> Sequence[FoundSection]:
        """Return what the exchange's question finds now, with its history and groups, best first."""
        ...

    def sections_supporting(self, text: str, groups: frozenset[str]) -> Sequence[FoundSection]:
        """Return the sections that these groups may read and that support every sentence of a text, best first."""
        ...

    def prompt(self, exchange: Exchange, shown: Sequence[RetrievedPassage]) -> Sequence[Message]:
        """Build what a model is sent for this question over these passages; equal arguments give equal messages."""
        ...

    def completion(self, sentences: Sequence[AnswerSentence]) -> str:
        """Write the answer as a model must, citations as numbers of passages; without sentences the refusal."""
        ...
