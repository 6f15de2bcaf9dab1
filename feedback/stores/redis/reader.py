"""Reads records from the Redis store."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from feedback.errors import UnknownExchange
from feedback.records import Correction, Decision, Exchange, Record, ReviewedExchange, Vote, apply_decisions
from feedback.stores.redis.exports import registrations
from feedback.stores.redis.queries import exchange_pages, feedback_about, feedback_by_name, records_by_name
from feedback.stores.redis.server import Server, as_bytes, as_text
from feedback.stores.redis.values import name_of
from feedback.stores.skipped import OnSkipped, log_skipped, parse_record


class RedisReader:
    """A `FeedbackReader` on a server."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def exchange(self, answer: str) -> Exchange:
        """Return the exchange of the answer with this id; raises `UnknownExchange` and `UnreadableRecord`."""
        name = as_bytes(answer)
        (stored,) = self._server.get([self._server.key("exchange", name)])
        if stored is None:
            raise UnknownExchange(answer)
        return parse_record(Exchange, as_text(name), stored)

    def conversation(self, name: str, *, limit: int) -> list[Exchange]:
        """Return the newest `limit` exchanges of a conversation, oldest first, ties by id."""
        if not name or limit < 1:
            return []
        (newest,) = self._server.pipeline([("ZRANGE", self._server.key("conversation", as_bytes(name)), -limit, -1)])
        (found,) = records_by_name(self._server, Exchange, [list(map(name_of, newest))], log_skipped)
        return found

    def exchanges(self, *, skipped: OnSkipped = log_skipped) -> Iterator[Exchange]:
        """Yield all exchanges, oldest first, ties by id, few in memory at a time."""
        for page in exchange_pages(self._server):
            (found,) = records_by_name(self._server, Exchange, [page], skipped)
            yield from found

    def votes(self, answer: str) -> list[Vote]:
        """Return the votes that count now, oldest first, ties as they came."""
        (choices,) = self._server.pipeline([("HVALS", self._server.key("standing", as_bytes(answer)))])
        (found,) = feedback_by_name(self._server, Vote, [_counting(choices)], log_skipped, answers=[as_bytes(answer)])
        return found

    def corrections(self, answer: str) -> list[Correction]:
        """Return all corrections of an answer, oldest first, ties as they came, `accepted` as decided last."""
        (found,) = feedback_about(self._server, Correction, [as_bytes(answer)], log_skipped)
        return list(apply_decisions(found, self.decisions(answer)))

    def decisions(self, answer: str) -> list[Decision]:
        """Return all decisions about an answer, oldest first, ties as they came."""
        (found,) = feedback_about(self._server, Decision, [as_bytes(answer)], log_skipped)
        return found

    def reviewed_exchanges(
        self, *, since: datetime | None = None, until: datetime | None = None, skipped: OnSkipped = log_skipped
    ) -> Iterator[ReviewedExchange]:
        """Yield the exchanges of this time (`until` is not in it), each with what counts of it now."""
        for page in exchange_pages(self._server, since=since, until=until):
            choices = self._server.pipeline([("HVALS", self._server.key("standing", name)) for name in page])
            votes = feedback_by_name(self._server, Vote, [_counting(each) for each in choices], skipped, answers=page)
            corrections = feedback_about(self._server, Correction, page, skipped)
            decisions = feedback_about(self._server, Decision, page, skipped)
            exchanges = records_by_name(self._server, Exchange, [[name] for name in page], skipped)
            for found, cast, proposed, made in zip(exchanges, votes, corrections, decisions, strict=True):
                for exchange in found:
                    yield ReviewedExchange(exchange, tuple(cast), apply_decisions(proposed, made), tuple(made))

    def records(self, *, skipped: OnSkipped = log_skipped) -> Iterator[Record]:
        """Yield everything: exchanges, the feedback about them in the same order, registrations of exports."""
        yield from self.exchanges(skipped=skipped)
        for page in exchange_pages(self._server):
            by_kind: list[list[list[Any]]] = [
                feedback_about(self._server, kind, page, skipped) for kind in (Vote, Correction, Decision)
            ]
            for of_answer in zip(*by_kind, strict=True):
                for found in of_answer:
                    yield from found
        yield from registrations(self._server, skipped)


def _counting(choices: Iterable[bytes]) -> list[bytes]:
    """Return the keys of the votes that count, from the latest choice of each voter and its moment."""
    latest = [each.partition(b" ") for each in choices]
    return [name_of(moment) for choice, _, moment in latest if choice != b"none"]
