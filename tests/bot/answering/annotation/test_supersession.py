"""A document that cannot be looked up costs a warning and not the answer."""

from datetime import date

from bot.answering.annotation.annotator import AnswerAnnotator
from bot.answering.annotation.document_metadata import DocumentMetadataCache
from bot.answering.annotation.supersession import SupersessionResolver
from retrieval.errors import SearchUnavailable
from retrieval.passages import Document, Hit, Query
from tests.bot.answering.annotation.samples import citation_of, passage

TODAY = date(2026, 11, 21)


def test_an_index_that_is_gone_costs_the_warning_and_not_the_answer() -> None:
    def gone(_: str) -> Document | None:
        raise SearchUnavailable("the index is gone")

    source, query = passage("hr/a.md", "Invoices are kept for 7 years."), Query("invoices")
    hits = [Hit(source, 1.0)]
    resolver = SupersessionResolver(query, hits, documents=DocumentMetadataCache(gone), today=TODAY)
    assert resolver.ordered_hits == tuple(hits)
    assert (resolver.document("hr/a.md"), resolver.successor("hr/a.md")) == (None, None)
    annotator = AnswerAnnotator(query, hits, supersession=resolver)
    assert annotator.warnings([citation_of(1, source)], today=TODAY) == ()
