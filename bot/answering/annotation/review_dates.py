"""Documents whose review date has passed (pure)."""

from collections.abc import Mapping, Sequence
from datetime import date

from bot.answering.answers import AnswerWarning, Citation
from bot.answering.verification.amounts import MONTH_NAMES
from retrieval.passages import Document


def overdue(citations: Sequence[Citation], documents: Mapping[str, Document], *, today: date) -> list[AnswerWarning]:
    """One caution for each cited document that was to be reviewed before today, in the order of the citations."""
    late: dict[str, tuple[date, list[Citation]]] = {}
    for cited in citations:
        document = documents.get(cited.document)
        if document and document.review and document.review < today:
            late.setdefault(document.id, (document.review, []))[1].append(cited)
    return [
        AnswerWarning(
            "review-date",
            f"«{marks[0].title}» was due for review on {as_people_write(review)}.",
            tuple(each.number for each in marks),
        )
        for review, marks in late.values()
    ]


def as_people_write(day: date) -> str:
    """The day as in "31 March 2025"."""
    return f"{day.day} {MONTH_NAMES[day.month - 1].capitalize()} {day.year}"
