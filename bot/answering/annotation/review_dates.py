"""Warns of documents whose review date has passed (pure)."""

from collections.abc import Mapping, Sequence
from datetime import date

from bot.answering.answers import AnswerWarning, Citation
from bot.answering.verification.amounts import MONTH_NAMES
from retrieval.passages import Document


def review_date_warnings(
    citations: Sequence[Citation], documents: Mapping[str, Document], *, today: date
) -> list[AnswerWarning]:
    """Return one warning for each cited document whose review was due before today, in the order of the citations."""
    overdue: dict[str, tuple[date, list[Citation]]] = {}
    for cited in citations:
        document = documents.get(cited.document)
        if document and document.review and document.review < today:
            overdue.setdefault(document.id, (document.review, []))[1].append(cited)
    return [
        AnswerWarning(
            "review-date",
            f"«{cited[0].title}» was due for review on {written_date(review)}.",
            tuple(each.number for each in cited),
        )
        for review, cited in overdue.values()
    ]


def written_date(day: date) -> str:
    """Return the day as in "31 March 2025"."""
    return f"{day.day} {MONTH_NAMES[day.month - 1].capitalize()} {day.year}"
