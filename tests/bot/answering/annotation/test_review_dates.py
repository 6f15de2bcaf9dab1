"""Which documents an answer warns of because their review is overdue."""

from datetime import date

from bot.answering.annotation.review_dates import review_date_warnings
from retrieval.passages import Document
from tests.bot.answering.annotation.samples import citation_of, passage

TODAY = date(2026, 11, 21)


def test_a_review_date_of_today_is_not_past() -> None:
    source = passage("hr/leave.md", "Text.", title="Leave policy")
    for review, expected in [
        (TODAY, []),
        (date(2026, 11, 20), ["«Leave policy» was due for review on 20 November 2026."]),
    ]:
        document = Document("hr/leave.md", "hr", "Leave policy", "", "v1", "Text.", (), review=review)
        found = review_date_warnings(
            [citation_of(1, source), citation_of(2, source)], {document.id: document}, today=TODAY
        )
        assert [each.text for each in found] == expected
        assert all(each.citations == (1, 2) for each in found)
