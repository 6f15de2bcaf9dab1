"""Erases people and old records from the Redis store, in many small scripts.

A call that is killed in the middle leaves what is still to do where the next call finds it.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from feedback.records import (
    RECORD_TYPES,
    AnswerFeedback,
    Correction,
    Decision,
    ErasureResult,
    Exchange,
    Vote,
    kind_of,
    person_of,
    without_words,
)
from feedback.stores.redis.exports import exported_rows
from feedback.stores.redis.queries import exchange_pages, feedback_about
from feedback.stores.redis.scripts import ERASE_EXCHANGE, ERASE_FEEDBACK, PRUNED
from feedback.stores.redis.server import PAGE, Call, Server, as_bytes
from feedback.stores.redis.values import moment, name_of, record_text
from feedback.stores.redis.writer import exchange_keys

FEEDBACK = ("vote", "correction", "decision")
Erased = Counter[str]
"""How many records of each kind are gone."""


class RedisEraser:
    """A `FeedbackEraser` on a server.

    The server returns nothing that was erased from then on. Its append-only file and its replicas' hold it until they
    are rewritten, which `BGREWRITEAOF` does at once and `auto-aof-rewrite-percentage` in time. Snapshots and backups
    are the owner's to erase.
    """

    def __init__(self, server: Server) -> None:
        self._server = server

    def forget(self, person: str) -> ErasureResult:
        """Erase everything of a person, little by little, and list the exports that hold rows of theirs."""
        if not person:
            return ErasureResult()
        erased = _forget(self._server, as_bytes(person))
        return ErasureResult(
            exchanges=erased["exchange"],
            votes=erased["vote"],
            corrections=erased["correction"],
            decisions=erased["decision"],
            exports=exported_rows(self._server, as_bytes(person)),
        )

    def prune(
        self, *, words_before: datetime | None = None, exchanges_before: datetime | None = None
    ) -> tuple[int, int]:
        """Erase what is older than these moments, little by little."""
        erased = stripped = 0
        if exchanges_before:
            for page in exchange_pages(self._server, until=exchanges_before):
                for record in _present(self._server, "exchange", page):
                    erased += _erase_exchange(self._server, record)["exchange"]
        if words_before:
            for page in exchange_pages(self._server, until=words_before):
                stripped += _strip(self._server, page)
        return stripped, erased


def _forget(server: Server, person: bytes) -> Erased:
    erased: Erased = Counter()
    index = server.key("person", person)
    while names := server.pipeline([("SRANDMEMBER", index, PAGE)])[0]:
        for kind in FEEDBACK:
            erased += _forget_feedback(server, index, kind, _names_of_kind(names, kind))
        for name in _names_of_kind(names, "exchange"):
            for record in _present(server, "exchange", [name]):
                erased += _erase_exchange(server, record)
            server.pipeline([("SREM", index, b"exchange:" + name)])
        # What an earlier version noted.
        for entry in _names_of_kind(names, "audit"):
            server.pipeline([("XDEL", server.key("audit"), entry), ("SREM", index, b"audit:" + entry)])
    return erased


def _forget_feedback(server: Server, index: bytes, kind: str, names: Sequence[bytes]) -> Erased:
    """Erase these records of a person, and decisions about their corrections."""
    records = _present(server, kind, names)
    erased: Erased = Counter()
    if kind == "correction":
        for record in records:
            erased += _erase_feedback(server, "decision", _decisions_about(server, server.parse(Correction, record)))
    erased += _erase_feedback(server, kind, records)
    if names:  # those whose record was gone already
        server.pipeline([("SREM", index, *(kind.encode() + b":" + name for name in names))])
    return erased


def _decisions_about(server: Server, correction: Correction) -> list[bytes]:
    (found,) = feedback_about(server, Decision, [as_bytes(correction.answer)])
    return _present(server, "decision", [as_bytes(each.key) for each in found if each.correction == correction.key])


def _erase_feedback(server: Server, kind: str, records: Sequence[bytes], *, scope: bytes = b"some") -> Erased:
    """Erase these records of one kind with all their traces; their moments stay where `all` of their answer go."""
    by_answer: dict[str, list[tuple[AnswerFeedback, bytes]]] = {}
    for record in records:
        feedback = server.parse(RECORD_TYPES[kind], record)
        by_answer.setdefault(feedback.answer, []).append((feedback, record.partition(b"\n")[2]))
    calls = [_erase_call(server, kind, as_bytes(answer), given, scope) for answer, given in by_answer.items()]
    return Counter({kind: sum(server.run_all(calls))}) if calls else Counter()


def _erase_call(
    server: Server, kind: str, answer: bytes, given: Sequence[tuple[AnswerFeedback, bytes]], scope: bytes
) -> Call:
    """Return the call that erases this feedback about one answer; each comes with its entry in the audit."""
    keys = [server.key(f"{kind}s", answer), server.key("standing", answer), server.key("counts", answer)]
    keys.append(server.key("audit"))
    values = [scope]
    for feedback, entry in given:
        key, person = as_bytes(feedback.key), as_bytes(person_of(feedback))
        keys += [server.key(kind, key), server.key("person", person)]
        values += [moment(feedback.at, key), kind.encode() + b":" + key, person, entry]
    return Call(ERASE_FEEDBACK, tuple(keys), tuple(values))


def _erase_exchange(server: Server, record: bytes) -> Erased:
    """Erase an exchange with all feedback about it."""
    exchange = server.parse(Exchange, record)
    name = as_bytes(exchange.id)
    keys = (
        *exchange_keys(server, exchange),
        server.key("standing", name),
        server.key("counts", name),
        *(server.key(f"{kind}s", name) for kind in FEEDBACK),
    )
    call = Call(ERASE_EXCHANGE, keys, (moment(exchange.at, name), b"exchange:" + name))
    erased: Erased = Counter()
    while True:
        for kind in FEEDBACK:
            erased += _erase_feedback_about(server, kind, name)
        if server.run(call):
            return erased + Counter({"exchange": 1})


def _erase_feedback_about(server: Server, kind: str, answer: bytes) -> Erased:
    erased: Erased = Counter()
    moments = server.key(f"{kind}s", answer)
    while page := server.pipeline([("ZRANGE", moments, 0, PAGE - 1)])[0]:
        erased += _erase_feedback(server, kind, _present(server, kind, list(map(name_of, page))), scope=b"all")
        server.pipeline([("ZREM", moments, *page)])  # those without a record too
    return erased


def _strip(server: Server, names: Sequence[bytes]) -> int:
    """Take the text from these exchanges and from the feedback about them; returns how many had text."""
    begins = server.pipeline([("GETRANGE", server.key("exchange", name), 0, len(PRUNED) - 1) for name in names])
    with_words = [name for name, begin in zip(names, begins, strict=True) if begin and begin != PRUNED]
    if not with_words:
        return 0
    # First the feedback, since the exchange says that all is done; then feedback that came meanwhile.
    _strip_feedback(server, with_words)
    _strip_records(server, Exchange, with_words)
    _strip_feedback(server, with_words)
    return len(with_words)


def _strip_feedback(server: Server, answers: Sequence[bytes]) -> None:
    for kind in (Vote, Correction, Decision):
        moments = server.key(f"{kind_of(kind)}s", b"")
        found = server.pipeline([("ZRANGE", moments + answer, 0, -1) for answer in answers])
        _strip_records(server, kind, [name_of(each) for page in found for each in page])


def _strip_records(server: Server, record_type: type[Any], names: Sequence[bytes]) -> None:
    commands: list[tuple[Any, ...]] = []
    keys = [server.key(kind_of(record_type), name) for name in names]
    for key, record in zip(keys, server.get(keys), strict=True):
        if record is None:
            continue
        full = server.parse(record_type, record)
        bare = without_words(full)
        if bare != full:
            _, line_end, entry = record.partition(b"\n")
            # Only where it still is: somebody may have been forgotten meanwhile.
            commands.append(("SET", key, record_text(bare).encode() + line_end + entry, "XX"))
    server.pipeline(commands)


def _names_of_kind(names: Sequence[bytes], kind: str) -> list[bytes]:
    return [rest for first, _, rest in (name.partition(b":") for name in names) if first == kind.encode()]


def _present(server: Server, kind: str, names: Sequence[bytes]) -> list[bytes]:
    found = server.get([server.key(kind, name) for name in names]) if names else []
    return [record for record in found if record is not None]
