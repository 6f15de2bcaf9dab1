"""Records as rows of the embedded store (pure)."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from feedback.codec import record_line
from feedback.records import AnswerFeedback, Correction, Exchange, Vote, has_words, without_words
from feedback.stores.sqlite import schema
from feedback.stores.sqlite.file import column

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def exchange_row(exchange: Exchange) -> dict[str, Any]:
    """Return the values of `RECORD_EXCHANGE`; raises `RecordRefused`."""
    return {
        "id": column(exchange.id),
        "at": microseconds(exchange.at),
        "conversation": column(exchange.conversation),
        "asker": column(exchange.asker),
        "pruned": int(exchange.pruned),
        "record": record_line(exchange),
    }


def feedback_row(feedback: AnswerFeedback) -> tuple[str, dict[str, Any]]:
    """Return the statement that adds a vote, correction or decision, and its values; raises `RecordRefused`."""
    record = record_line(feedback)
    values = {
        "key": column(feedback.key),
        "answer": column(feedback.answer),
        "at": microseconds(feedback.at),
        "record": record,
        "bare": record_line(without_words(feedback)) if has_words(feedback) else record,
    }
    if isinstance(feedback, Vote):
        now = {"now": time.time_ns() // 1000}
        return schema.RECORD_VOTE, {**values, **now, "voter": column(feedback.voter), "vote": feedback.vote}
    if isinstance(feedback, Correction):
        return schema.RECORD_CORRECTION, {**values, "author": column(feedback.author)}
    correction = column(feedback.correction) if feedback.verdict in {"accept", "reject"} else ""
    return schema.RECORD_DECISION, {**values, "reviewer": column(feedback.reviewer), "correction": correction}


def microseconds(at: datetime) -> int:
    """Return the time as its column holds it."""
    return (at - EPOCH) // timedelta(microseconds=1)
