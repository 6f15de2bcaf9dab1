"""Erases people and old records from the Redis store, in many small scripts.

A call that is killed in the middle leaves what is still to do where the next call finds it.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from feedback.codec import from_bytes, to_json, to_line
from feedback.errors import UnreadableRecord
from feedback.records import (
    RECORD_TYPES,
    Correction,
    Decision,
    ErasedTurns,
    ErasureResult,
    Exchange,
    ExportedRows,
    Record,
    Vote,
    kind_of,
    person_of,
    turns_of,
    without_turns,
    without_words,
)
from feedback.stores.redis.exports import exported_rows
from feedback.stores.redis.queries import exchange_pages, feedback_about, feedback_by_name, pages, records_by_name
from feedback.stores.redis.scripts import ERASE_EXCHANGE, ERASE_FEEDBACK, PRUNED
from feedback.stores.redis.server import PAGE, Call, Server, as_bytes, as_text
from feedback.stores.redis.values import moment, name_of
from feedback.stores.skipped import OnSkipped, log_skipped, parse_record

FEEDBACK = ("vote", "correction", "decision")
# What stays of an old record that cannot be read, whose words can be taken away in no other way.
EMPTIED = PRUNED + b"}"

# No person's hash.
NOBODY = b"-"
# More than any set has: as many of its members are all of them, each once.
ALL = 2**31 - 1
# Whose it is, as JSON names them.
PEOPLE = {"vote": "voter", "correction": "author", "decision": "reviewer"}

Erased = Counter[str]
"""How many records of each kind are gone."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What a key holds, with the id or key that it is stored under."""

    name: bytes
    value: bytes

    @property
    def line(self) -> bytes:
        """The record's JSON."""
        return self.value.partition(b"\n")[0]

    @property
    def entry(self) -> bytes:
        """Where the audit has it; empty for nowhere."""
        return self.value.partition(b"\n")[2]

    def parsed(self, kind: str) -> Any:
        """The record; None where it cannot be read."""
        try:
            return parse_record(RECORD_TYPES[kind], as_text(self.name), self.line)
        except UnreadableRecord:
            return None

    def loose(self, key: str) -> bytes:
        """What a damaged record seems to have under a key of its JSON; empty for nothing."""
        try:
            row = from_bytes(self.line)
        except ValueError:
            return b""
        found = row.get(key) if isinstance(row, dict) else None
        return as_bytes(found) if isinstance(found, str) else b""


class RedisEraser:
    """A `FeedbackEraser` on a server.

    The server returns nothing that was erased from then on. Its append-only file and its replicas' hold it until they
    are rewritten, which `BGREWRITEAOF` does at once and `auto-aof-rewrite-percentage` in time. Snapshots and backups
    are the owner's to erase.
    """

    def __init__(self, server: Server) -> None:
        self._server = server

    def of_person(self, person: str, *, skipped: OnSkipped = log_skipped) -> Iterator[Record]:
        """Yield what is stored of a person: exchanges, votes, corrections, decisions, each oldest first."""
        if not person:
            return
        (names,) = self._server.pipeline([("SRANDMEMBER", self._server.key("person", as_bytes(person)), ALL)])
        names = sorted(names)
        (exchanges,) = records_by_name(self._server, Exchange, [_names_of_kind(names, "exchange")], skipped)
        yield from sorted(exchanges, key=lambda each: (each.at, each.id))
        for kind in (Vote, Correction, Decision):
            given: list[list[Any]] = feedback_by_name(
                self._server, kind, [_names_of_kind(names, kind_of(kind))], skipped
            )
            yield from given[0]

    def exported(self, person: str) -> tuple[ExportedRows, ...]:
        """Return the past exports that hold rows of a person, oldest first."""
        return exported_rows(self._server, as_bytes(person)) if person else ()

    def forget(self, person: str) -> ErasureResult:
        """Erase everything of a person, little by little, and list the exports that hold rows of theirs."""
        if not person:
            return ErasureResult()
        histories = _forget_turns(self._server, as_bytes(person))
        erased = _forget(self._server, as_bytes(person))
        return ErasureResult(
            exchanges=erased["exchange"],
            votes=erased["vote"],
            corrections=erased["correction"],
            decisions=erased["decision"],
            exports=exported_rows(self._server, as_bytes(person)),
            histories=histories,
        )

    def prune(
        self, *, words_before: datetime | None = None, exchanges_before: datetime | None = None
    ) -> tuple[int, int]:
        """Erase what is older than these moments, little by little."""
        erased = stripped = 0
        if exchanges_before:
            for page in exchange_pages(self._server, until=exchanges_before):
                for stored in _present(self._server, "exchange", page):
                    _erase_its_turns(self._server, stored)
                    erased += _erase_exchange(self._server, stored)["exchange"]
        if words_before:
            for page in exchange_pages(self._server, until=words_before):
                stripped += _strip(self._server, page)
        return stripped, erased


def _forget_turns(server: Server, person: bytes) -> int:
    """Take the turns of a person from the exchanges of others in the same conversations; returns of how many."""
    (names,) = server.pipeline([("SRANDMEMBER", server.key("person", person), ALL)])
    erased: dict[bytes, ErasedTurns] = {}
    for stored in _present(server, "exchange", _names_of_kind(names, "exchange")):
        exchange = stored.parsed("exchange")
        conversation = as_bytes(exchange.conversation) if exchange else stored.loose("conversation")
        turns = turns_of(exchange) if exchange else ErasedTurns(frozenset({as_text(stored.name)}))
        erased[conversation] = erased.get(conversation, ErasedTurns(frozenset())) | turns
    changed = 0
    for conversation in erased.keys() - {b""}:
        for page in pages(server, server.key("conversation", conversation)):
            changed += _erase_turns(server, list(map(name_of, page)), erased[conversation], but_of=person)
    return changed


def _erase_its_turns(server: Server, stored: Stored) -> None:
    """Take the turns of an exchange from all others: they are as old, and later nobody knows whose they were."""
    exchange = stored.parsed("exchange")
    if exchange and exchange.conversation:
        for page in pages(server, server.key("conversation", as_bytes(exchange.conversation))):
            others = [each for each in map(name_of, page) if each != stored.name]
            _erase_turns(server, others, turns_of(exchange), but_of=NOBODY)


def _erase_turns(server: Server, names: Sequence[bytes], erased: ErasedTurns, *, but_of: bytes) -> int:
    commands: list[tuple[Any, ...]] = []
    for stored in _present(server, "exchange", names):
        exchange = stored.parsed("exchange")
        if exchange is None:  # whose words it holds is not known
            left = EMPTIED
        elif as_bytes(exchange.asker) == but_of or (rest := without_turns(exchange, erased)) is exchange:
            continue
        else:
            left = _line(rest)
        if left != stored.line:
            commands.append(("SET", server.key("exchange", stored.name), left, "XX"))
    server.pipeline(commands)
    return len(commands)


def _forget(server: Server, person: bytes) -> Erased:
    erased: Erased = Counter()
    index = server.key("person", person)
    while names := server.pipeline([("SRANDMEMBER", index, PAGE)])[0]:
        for kind in FEEDBACK:
            erased += _forget_feedback(server, index, kind, _names_of_kind(names, kind))
        for name in _names_of_kind(names, "exchange"):
            for stored in _present(server, "exchange", [name]):
                erased += _erase_exchange(server, stored)
            server.pipeline([("SREM", index, b"exchange:" + name)])
        # What an earlier version noted.
        for entry in _names_of_kind(names, "audit"):
            server.pipeline([("XDEL", server.key("audit"), entry), ("SREM", index, b"audit:" + entry)])
    return erased


def _forget_feedback(server: Server, index: bytes, kind: str, names: Sequence[bytes]) -> Erased:
    """Erase these records of a person, and decisions about their corrections."""
    found = _present(server, kind, names)
    erased: Erased = Counter()
    if kind == "correction":
        for stored in found:
            erased += _erase_feedback(server, "decision", _decisions_about(server, stored))
    erased += _erase_feedback(server, kind, found)
    if names:  # those whose record was gone already
        server.pipeline([("SREM", index, *(kind.encode() + b":" + name for name in names))])
    return erased


def _decisions_about(server: Server, correction: Stored) -> list[Stored]:
    read = correction.parsed("correction")
    answer = as_bytes(read.answer) if read else correction.loose("answer")
    (found,) = feedback_about(server, Decision, [answer], log_skipped)
    keys = [as_bytes(each.key) for each in found if as_bytes(each.correction) == correction.name]
    return _present(server, "decision", keys)


def _erase_feedback(server: Server, kind: str, found: Sequence[Stored], *, scope: bytes = b"some") -> Erased:
    """Erase these records of one kind with all their traces; their moments stay where `all` of their answer go."""
    by_answer: dict[bytes, list[tuple[bytes, bytes, Stored]]] = {}
    for stored in found:
        record = stored.parsed(kind)
        if record:
            answer, person, at = as_bytes(record.answer), as_bytes(person_of(record)), moment(record.at, stored.name)
        else:
            answer, person = stored.loose("answer"), stored.loose(PEOPLE[kind])
            at = _find_moment(server, server.key(f"{kind}s", answer), stored.name)
        by_answer.setdefault(answer, []).append((person, at, stored))
    calls = [_erase_call(server, kind, answer, given, scope) for answer, given in by_answer.items()]
    return Counter({kind: sum(server.run_all(calls))}) if calls else Counter()


def _erase_call(
    server: Server, kind: str, answer: bytes, given: Sequence[tuple[bytes, bytes, Stored]], scope: bytes
) -> Call:
    """Return the call that erases this feedback about one answer; each comes with its person and its moment."""
    keys = [server.key(f"{kind}s", answer), server.key("standing", answer), server.key("counts", answer)]
    keys.append(server.key("audit"))
    values = [scope]
    for person, at, stored in given:
        keys += [server.key(kind, stored.name), server.key("person", person)]
        values += [at, kind.encode() + b":" + stored.name, person, stored.entry]
    return Call(ERASE_FEEDBACK, tuple(keys), tuple(values))


def _erase_exchange(server: Server, stored: Stored) -> Erased:
    """Erase an exchange with all feedback about it."""
    exchange, name = stored.parsed("exchange"), stored.name
    if exchange:
        conversation, asker, at = as_bytes(exchange.conversation), as_bytes(exchange.asker), moment(exchange.at, name)
    else:
        conversation, asker = stored.loose("conversation"), stored.loose("asker")
        at = _find_moment(server, server.key("exchanges"), name)
    keys = (
        server.key("exchange", name),
        server.key("exchanges"),
        server.key("conversation", conversation),
        server.key("person", asker),
        server.key("standing", name),
        server.key("counts", name),
        *(server.key(f"{kind}s", name) for kind in FEEDBACK),
    )
    call = Call(ERASE_EXCHANGE, keys, (at, b"exchange:" + name))
    erased: Erased = Counter()
    while True:
        for kind in FEEDBACK:
            erased += _erase_feedback_about(server, kind, name)
        if server.run(call):
            return erased + Counter({"exchange": 1})


def _find_moment(server: Server, key: bytes, name: bytes) -> bytes:
    """Return the moment of a name, whose record does not tell it; empty for none."""
    return next((each for page in pages(server, key) for each in page if name_of(each) == name), b"")


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
    # The exchange comes last, since it says that all is done; then feedback that came meanwhile.
    for stored in _present(server, "exchange", with_words):
        _erase_its_turns(server, stored)
    _strip_feedback(server, with_words)
    _strip_records(server, "exchange", with_words)
    _strip_feedback(server, with_words)
    return len(with_words)


def _strip_feedback(server: Server, answers: Sequence[bytes]) -> None:
    for kind in FEEDBACK:
        moments = server.key(f"{kind}s", b"")
        found = server.pipeline([("ZRANGE", moments + answer, 0, -1) for answer in answers])
        _strip_records(server, kind, [name_of(each) for page in found for each in page])


def _strip_records(server: Server, kind: str, names: Sequence[bytes]) -> None:
    commands: list[tuple[Any, ...]] = []
    for stored in _present(server, kind, names):
        full = stored.parsed(kind)
        bare = without_words(full) if full else None
        if full is None or bare != full:
            line = EMPTIED if bare is None else _line(bare)
            end = b"\n" + stored.entry if stored.entry else b""
            # Only where it still is: somebody may have been forgotten meanwhile.
            commands.append(("SET", server.key(kind, stored.name), line + end, "XX"))
    server.pipeline(commands)


def _line(record: Record) -> bytes:
    """Return the JSON of a record that was read; that of a pruned exchange begins with saying so."""
    row = to_json(record)
    return to_line({"pruned": True, **row} if row.get("pruned") else row).encode()


def _names_of_kind(names: Sequence[bytes], kind: str) -> list[bytes]:
    return [rest for first, _, rest in (name.partition(b":") for name in names) if first == kind.encode()]


def _present(server: Server, kind: str, names: Sequence[bytes]) -> list[Stored]:
    found = server.get([server.key(kind, name) for name in names]) if names else []
    return [Stored(name, value) for name, value in zip(names, found, strict=True) if value is not None]
