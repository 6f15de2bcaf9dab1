"""What is erased from the Redis store: a person, and what is old. Long work is done in many small scripts.

Whatever is killed in the middle leaves what is still to do where the next call finds it.
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from feedback.records import Correction, Decision, Exchange, Export, Held, Vote, without_words
from feedback.stores.redis.scripts import ERASE_EXCHANGE, ERASE_SAID, PRUNED
from feedback.stores.redis.server import PAGE, Call, Server, as_bytes, encoded, moment, name_in

Said = Vote | Correction | Decision
KINDS: dict[bytes, type[Any]] = {b"vote": Vote, b"correction": Correction, b"decision": Decision}


def forget(server: Server, person: bytes) -> Counter[type]:
    """Erase all of a person; tells how many records of each type are gone."""
    gone: Counter[type] = Counter()
    index = server.key("person", person)
    while names := server.all([("SRANDMEMBER", index, PAGE)])[0]:
        for kind in KINDS:
            gone += _forget_said(server, index, kind, _of_kind(names, kind))
        for name in _of_kind(names, b"exchange"):
            gone += _forget_exchange(server, index, name)
        # What an earlier version noted.
        for entry in _of_kind(names, b"audit"):
            server.all([("XDEL", server.key("audit"), entry), ("SREM", index, b"audit:" + entry)])
    return gone


def held(server: Server, person: bytes) -> tuple[Held, ...]:
    """The exports that hold rows of this person, oldest first."""
    found = server.all([("HGETALL", server.key("held", person))])[0]
    rows = found if isinstance(found, dict) else dict(zip(found[::2], found[1::2], strict=True))
    names = list(rows)
    records = server.get([server.key("export", name) for name in names]) if names else []
    several = [
        Held(server.parsed(Export, record), tuple(json.loads(rows[name])))
        for name, record in zip(names, records, strict=True)
        if record is not None
    ]
    return tuple(sorted(several, key=lambda each: (each.export.at, each.export.id)))


def prune(server: Server, *, words: datetime | None, all_of_it: datetime | None) -> tuple[int, int]:
    """Let go of what is older; tells how many exchanges lost their words, and how many are gone."""
    gone = 0
    for page in _older(server, all_of_it):
        gone += sum(_erase_exchange(server, record)[Exchange] for record in _present(server, b"exchange", page))
    bare = sum(_strip(server, page) for page in _older(server, words))
    return bare, gone


def _older(server: Server, before: datetime | None) -> Iterator[list[bytes]]:
    """The ids of the exchanges before a moment, some at once."""
    if before is None:
        return
    after, end = b"-", b"(" + moment(before, b"")
    key = server.key("exchanges")
    while page := server.all([("ZRANGE", key, after, end, "BYLEX", "LIMIT", 0, PAGE)])[0]:
        yield list(map(name_in, page))
        after = b"(" + page[-1]


def _of_kind(names: Sequence[bytes], kind: bytes) -> list[bytes]:
    return [rest for first, _, rest in (name.partition(b":") for name in names) if first == kind]


def _present(server: Server, kind: bytes, names: Sequence[bytes]) -> list[bytes]:
    found = server.get([server.key(kind.decode(), name) for name in names]) if names else []
    return [record for record in found if record is not None]


def _forget_said(server: Server, index: bytes, kind: bytes, names: Sequence[bytes]) -> Counter[type]:
    """Erase these records of a person, and decisions about their corrections."""
    records = _present(server, kind, names)
    gone: Counter[type] = Counter()
    if kind == b"correction":
        for each in (server.parsed(Correction, record) for record in records):
            gone += _erase_said(server, b"decision", _decisions_about(server, each))
    gone += _erase_said(server, kind, records)
    # Those whose record was gone already.
    if names:
        server.all([("SREM", index, *(kind + b":" + name for name in names))])
    return gone


def _forget_exchange(server: Server, index: bytes, name: bytes) -> Counter[type]:
    gone: Counter[type] = Counter()
    for record in _present(server, b"exchange", [name]):
        gone += _erase_exchange(server, record)
    server.all([("SREM", index, b"exchange:" + name)])
    return gone


def _decisions_about(server: Server, correction: Correction) -> list[bytes]:
    moments = server.all([("ZRANGE", server.key("decisions", as_bytes(correction.answer)), 0, -1)])[0]
    return [
        record
        for record in _present(server, b"decision", list(map(name_in, moments)))
        if server.parsed(Decision, record).correction == correction.key
    ]


def _erase_said(server: Server, kind: bytes, records: Sequence[bytes], *, which: bytes = b"some") -> Counter[type]:
    """Erase these records of one kind with all their traces; their moments stay where `all` of their answer go."""
    by_answer: dict[str, list[tuple[Any, bytes]]] = {}
    for record in records:
        said = server.parsed(KINDS[kind], record)
        by_answer.setdefault(said.answer, []).append((said, record.partition(b"\n")[2]))
    calls = [_erasing(server, kind, as_bytes(answer), several, which) for answer, several in by_answer.items()]
    return Counter({KINDS[kind]: sum(server.run_all(calls))}) if calls else Counter()


def _erasing(server: Server, kind: bytes, answer: bytes, several: Sequence[tuple[Any, bytes]], which: bytes) -> Call:
    keys = [server.key(f"{kind.decode()}s", answer), server.key("standing", answer), server.key("counts", answer)]
    keys.append(server.key("audit"))
    values = [which]
    for said, entry in several:
        key, person = as_bytes(said.key), as_bytes(_person(said))
        keys += [server.key(kind.decode(), key), server.key("person", person)]
        values += [moment(said.at, key), kind + b":" + key, person, entry]
    return Call(ERASE_SAID, tuple(keys), tuple(values))


def _erase_exchange(server: Server, record: bytes) -> Counter[type]:
    """Erase an exchange with everything that was said of it."""
    exchange = server.parsed(Exchange, record)
    name = as_bytes(exchange.id)
    said = [server.key(f"{kind.decode()}s", name) for kind in KINDS]
    keys = (
        server.key("exchange", name),
        server.key("exchanges"),
        server.key("conversation", as_bytes(exchange.conversation)),
        server.key("person", as_bytes(exchange.asker)),
        server.key("standing", name),
        server.key("counts", name),
        *said,
    )
    call = Call(ERASE_EXCHANGE, keys, (moment(exchange.at, name), b"exchange:" + name))
    gone: Counter[type] = Counter()
    while True:
        for kind in KINDS:
            gone += _erase_all_said(server, kind, name)
        if server.run(call):
            return gone + Counter({Exchange: 1})


def _erase_all_said(server: Server, kind: bytes, answer: bytes) -> Counter[type]:
    gone: Counter[type] = Counter()
    moments = server.key(f"{kind.decode()}s", answer)
    while page := server.all([("ZRANGE", moments, 0, PAGE - 1)])[0]:
        gone += _erase_said(server, kind, _present(server, kind, list(map(name_in, page))), which=b"all")
        server.all([("ZREM", moments, *page)])  # those without a record too
    return gone


def _strip(server: Server, names: Sequence[bytes]) -> int:
    """Take the words from these exchanges and from what was said of them; tells how many had words."""
    begins = server.all([("GETRANGE", server.key("exchange", name), 0, len(PRUNED) - 1) for name in names])
    worded = [name for name, begin in zip(names, begins, strict=True) if begin and begin != PRUNED]
    if not worded:
        return 0
    # First what was said, since the exchange says that all is done; then what was said meanwhile.
    _strip_said(server, worded)
    _strip_records(server, b"exchange", Exchange, worded)
    _strip_said(server, worded)
    return len(worded)


def _strip_said(server: Server, answers: Sequence[bytes]) -> None:
    for kind, of in KINDS.items():
        found = server.all([("ZRANGE", server.key(f"{kind.decode()}s", answer), 0, -1) for answer in answers])
        _strip_records(server, kind, of, [name_in(each) for moments in found for each in moments])


def _strip_records(server: Server, kind: bytes, of: type[Any], names: Sequence[bytes]) -> None:
    commands: list[tuple[Any, ...]] = []
    for name, record in zip(names, server.get([server.key(kind.decode(), each) for each in names]), strict=True):
        if record is None:
            continue
        full = server.parsed(of, record)
        bare = without_words(full)
        if bare != full:
            _, line, entry = record.partition(b"\n")
            # Only where it still is: somebody may have been forgotten meanwhile.
            commands.append(("SET", server.key(kind.decode(), name), encoded(bare).encode() + line + entry, "XX"))
    server.all(commands)


def _person(said: Said) -> str:
    if isinstance(said, Vote):
        return said.voter
    return said.author if isinstance(said, Correction) else said.reviewer
