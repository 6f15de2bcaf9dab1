"""One look at an answer by somebody who knows the documents: what stands elsewhere, and what is out of date."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date

from bot.answering.annotation.conflicts import Difference, behind, differences
from bot.answering.annotation.document_metadata import DocumentMetadataCache
from bot.answering.annotation.messages import told
from bot.answering.annotation.review_dates import overdue
from bot.answering.annotation.supersession import Successor, asks_for, newer_edition, replaced, superseded
from bot.answering.answers import AnswerWarning, Citation, Question, Sentence
from bot.answering.writing.generator import Draft
from retrieval.errors import RetrievalError
from retrieval.passages import Document, Hit

logger = logging.getLogger(__name__)

# What a section's score loses when its document has been replaced by another one that was found too.
OUTDATED = 0.4


class AnswerAnnotator:
    """Looks at one answer; `lookup` gives a document by id, and is asked once for each that matters.

    `hits` are those given, with what is out of date behind what took its place.
    """

    def __init__(
        self,
        question: Question,
        hits: Sequence[Hit],
        *,
        lookup: DocumentMetadataCache,
        today: date,
        language: str = "english",
    ) -> None:
        self._question = question
        self._asked = " ".join([*(turn.text for turn in question.history if turn.role == "user"), question.text])
        self._passages = [hit.passage for hit in hits]
        self._versions = {passage.document: passage.version for passage in self._passages}
        self._lookup = lookup
        self._today = today
        self._language = language
        self._documents: dict[str, Document | None] = {}
        self._differences: list[Difference] = []
        self.hits = self._current_first(hits)
        self._passages = [hit.passage for hit in self.hits]

    def _current_first(self, hits: Sequence[Hit]) -> tuple[Hit, ...]:
        """The hits anew in order, those of a document that another of them took the place of further down."""
        found = {hit.passage.document for hit in hits}
        old = {name for name in found if (successor := self._successor(name)) and successor.document in found}
        lowered = [replace(hit, score=hit.score - OUTDATED * (hit.passage.document in old)) for hit in hits]
        return tuple(sorted(lowered, key=lambda hit: -hit.score))

    def beside(self, sentences: Sequence[Sentence], citations: Sequence[Citation]) -> Iterator[Draft]:
        """Sentences of other sections that belong beside these, word for word; also those that stand there already."""
        stated = behind(sentences, citations, self._passages, language=self._language)
        self._differences = differences(
            stated, self._passages, self._asked, language=self._language, comparable=self._comparable
        )
        for each in self._differences:
            yield Draft(each.other.text, (each.other.place.passage,), (each.other.place,))

    def cautions(self, citations: Sequence[Citation]) -> tuple[AnswerWarning, ...]:
        """What is to be said of the answer with these citations, `beside` included."""
        documents = dict.fromkeys(cited.document for cited in citations)
        known = {name: document for name in documents if (document := self._document(name))}
        successors = {name: successor for name in documents if (successor := self._successor(name))}
        apart = [each for each in self._differences if not self._is_replaced(each)]
        return (
            *superseded(citations, successors),
            *told(apart, self._passages, citations),
            *overdue(citations, known, today=self._today),
        )

    def _comparable(self, one: str, other: str) -> bool:
        """Whether neither is out of date, or the second took the first's place; a document agrees with itself then."""
        if one == other:
            return True
        successor = self._successor(one)
        if successor:
            return successor.document == other
        return self._successor(other) is None and not self._is_asked_for(one, other)

    def _is_asked_for(self, one: str, other: str) -> bool:
        """Whether the second is an edition of the first that the question, which names a year, is not about."""
        here, there = (next(each for each in self._passages if each.document == name) for name in (one, other))
        return any(
            newer_edition(old.document, old.title, [new], today=self._today) is not None
            for old, new in ((here, there), (there, here))
        )

    def _is_replaced(self, difference: Difference) -> bool:
        here, there = (self._passages[each.place.passage].document for each in (difference.one, difference.other))
        successor = self._successor(here) if here != there else None
        return successor is not None and successor.document == there

    def _successor(self, document: str) -> Successor | None:
        known = self._document(document)
        if known and known.superseded_by:
            return replaced(known, self._passages, groups=self._question.groups, lookup=self._document)
        passage = next((each for each in self._passages if each.document == document), None)
        if passage is None or asks_for(document, passage.title, self._asked):
            return None
        newer = newer_edition(document, passage.title, self._passages, today=self._today)
        return Successor(newer.document, newer.title, by_name=True) if newer else None

    def _document(self, name: str) -> Document | None:
        if name not in self._documents:
            try:
                self._documents[name] = self._lookup(name, self._versions.get(name, ""))
            except RetrievalError as error:
                # The answer stands without it, and part of it has been shown.
                logger.warning("%r could not be looked up: %s", name, error)
                self._documents[name] = None
        return self._documents[name]
