"""Adds records to the Redis store."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from feedback.errors import UnknownExchange
from feedback.records import (
    AnswerFeedback,
    Correction,
    Decision,
    Exchange,
    Export,
    ExportRegistration,
    Record,
    Vote,
    WriteResult,
    has_words,
    kind_of,
    person_of,
    without_words,
)
from feedback.stores.redis.exports import register_export
from feedback.stores.redis.scripts import KNOWN, NEW, NO_EXCHANGE, RECORD_EXCHANGE, RECORD_FEEDBACK, RECORD_VOTE
from feedback.stores.redis.server import PAGE, Call, Server, as_bytes
from feedback.stores.redis.values import moment, record_text

RESULTS: Mapping[int, WriteResult] = {NEW: "added", KNOWN: "known", NO_EXCHANGE: "unknown-answer"}


class RedisWriter:
    """A `FeedbackWriter` on a server.

    After a lost reply the call is made again, so that a vote, correction or decision which the first try has recorded
    is reported as known.
    """

    def __init__(self, server: Server) -> None:
        self._server = server

    def record(self, exchange: Exchange) -> None:
        """Add an exchange; an id that is known changes nothing."""
        self._server.run(exchange_call(self._server, exchange))

    def vote(self, vote: Vote) -> bool:
        """Add a vote; False when its key is known; raises `UnknownExchange`."""
        return self._add(vote)

    def correct(self, correction: Correction) -> bool:
        """Add a correction; False when its key is known; raises `UnknownExchange`."""
        return self._add(correction)

    def decide(self, decision: Decision) -> bool:
        """Add a decision; False when its key is known; raises `UnknownExchange`."""
        return self._add(decision)

    def write_many(self, records: Sequence[Record]) -> list[WriteResult]:
        """Add several records in few round trips and return what became of each."""
        results: list[WriteResult] = []
        for are_exports, group in groupby(records, lambda each: isinstance(each, Export | ExportRegistration)):
            for chunk in _chunks(list(group)):
                results += map(self._register, chunk) if are_exports else self._write(chunk)
        return results

    def _add(self, feedback: AnswerFeedback) -> bool:
        reply = self._server.run(feedback_call(self._server, feedback))
        if reply == NO_EXCHANGE:
            raise UnknownExchange(feedback.answer)
        return reply == NEW

    def _write(self, records: Sequence[Any]) -> list[WriteResult]:
        calls = [
            exchange_call(self._server, each) if isinstance(each, Exchange) else feedback_call(self._server, each)
            for each in records
        ]
        return [RESULTS[reply] for reply in self._server.run_all(calls)]

    def _register(self, record: Any) -> WriteResult:
        if isinstance(record, Export):
            register_export(self._server, record, {})
        else:
            register_export(self._server, record.export, record.rows_by_person)
        return "added"


def exchange_keys(server: Server, exchange: Exchange) -> tuple[bytes, ...]:
    """Return the keys of an exchange's record and of the indexes that it stands in, in the scripts' order."""
    return (
        server.key("exchange", as_bytes(exchange.id)),
        server.key("exchanges"),
        server.key("conversation", as_bytes(exchange.conversation)),
        server.key("person", as_bytes(exchange.asker)),
    )


def exchange_call(server: Server, exchange: Exchange) -> Call:
    """Return the call of the script that adds an exchange."""
    name = as_bytes(exchange.id)
    flags = (int(bool(exchange.conversation)), int(bool(exchange.asker)))
    values = (record_text(exchange), moment(exchange.at, name), name, *flags)
    return Call(RECORD_EXCHANGE, exchange_keys(server, exchange), values)


def feedback_call(server: Server, feedback: AnswerFeedback) -> Call:
    """Return the call of the script that adds a vote, correction or decision."""
    answer, key = as_bytes(feedback.answer), as_bytes(feedback.key)
    kind, person = kind_of(type(feedback)), as_bytes(person_of(feedback))
    bare = record_text(without_words(feedback)) if has_words(feedback) else ""
    values = (record_text(feedback), bare, moment(feedback.at, key), key, answer, person, feedback.at.isoformat())
    keys = (server.key("exchange", answer), server.key(kind, key), server.key(f"{kind}s", answer))
    audit, index = server.key("audit"), server.key("person", person)
    if isinstance(feedback, Vote):
        counted = server.key("standing", answer), server.key("counts", answer)
        now = moment(datetime.now(UTC), b"")
        return Call(RECORD_VOTE, (*keys, *counted, audit, index), (*values, feedback.vote, now))
    return Call(RECORD_FEEDBACK, (*keys, audit, index), (*values, kind))


def _chunks(records: Sequence[Record]) -> Iterator[Sequence[Record]]:
    for begin in range(0, len(records), PAGE):
        yield records[begin : begin + PAGE]
