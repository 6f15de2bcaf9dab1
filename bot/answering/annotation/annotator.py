"""Annotates an answer: adds sentences of other sections that conflict with it, and warns of what is out of date."""

from collections.abc import Iterator, Sequence
from datetime import date

from bot.answering.annotation.comparison import Difference
from bot.answering.annotation.conflicts import cited_statements, find_differences
from bot.answering.annotation.messages import difference_warnings
from bot.answering.annotation.review_dates import review_date_warnings
from bot.answering.annotation.supersession import SupersessionResolver, conversation_text, supersession_warnings
from bot.answering.answers import AnswerWarning, Citation, Sentence
from bot.answering.writing.generator import Draft
from retrieval.passages import Hit, Query


class AnswerAnnotator:
    """Annotates one answer to a query, made from these hits; first `conflicting_sentences`, then `warnings`."""

    def __init__(
        self, query: Query, hits: Sequence[Hit], *, supersession: SupersessionResolver, language: str = "english"
    ) -> None:
        self._asked = conversation_text(query)
        self._passages = [hit.passage for hit in hits]
        self._supersession = supersession
        self._language = language
        self._differences: list[Difference] = []

    def conflicting_sentences(self, sentences: Sequence[Sentence], citations: Sequence[Citation]) -> Iterator[Draft]:
        """Yield sentences of other sections that differ from these, as quotes; also those that are shown already."""
        statements = cited_statements(sentences, citations, self._passages, language=self._language)
        self._differences = find_differences(
            statements,
            self._passages,
            self._asked,
            language=self._language,
            may_conflict=self._supersession.may_conflict,
        )
        for each in self._differences:
            yield Draft(each.other.text, (each.other.place.passage,), (each.other.place,))

    def warnings(self, citations: Sequence[Citation], *, today: date) -> tuple[AnswerWarning, ...]:
        """Return the warnings for an answer with these citations, those of conflicting sentences included."""
        names = dict.fromkeys(cited.document for cited in citations)
        documents = {name: document for name in names if (document := self._supersession.document(name))}
        successors = {name: successor for name in names if (successor := self._supersession.successor(name))}
        unresolved = [each for each in self._differences if not self._is_resolved(each)]
        return (
            *supersession_warnings(citations, successors),
            *difference_warnings(unresolved, self._passages, citations),
            *review_date_warnings(citations, documents, today=today),
        )

    def _is_resolved(self, difference: Difference) -> bool:
        """Whether the two only differ because one document replaced the other."""
        one, other = (self._passages[each.place.passage].document for each in (difference.one, difference.other))
        return self._supersession.is_replaced_by(one, other)
