"""The state store on a Redis or Valkey server or cluster, 6.2 or later, which replicas on several machines share."""

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.errors import StateUnavailable, TooMany
from bot.state.protocol import KNOWN_FOR, Claim, Event
from bot.state.redis import scripts
from feedback.errors import FeedbackUnavailable
from feedback.stores.redis.connection import TIMEOUT_SECONDS, unknown_script
from feedback.stores.redis.server import PAGE, Call, Server, as_bytes, as_text

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# How many expired events, and how many expired values, one claim deletes.
PURGE_LIMIT = 50


class RedisValues:
    """Values on a server, which replicas share; it connects when it is first used."""

    def __init__(self, url: str, *, workspace: str, timeout: float = TIMEOUT_SECONDS) -> None:
        """Raise `StateUnavailable` for a malformed URL, or when the client is not installed."""
        try:
            self._server = Server(url, workspace=workspace, timeout=timeout)
        except FeedbackUnavailable as error:
            raise StateUnavailable(str(error)) from error
        self._value_keys = self._keys(scripts.VALUE_KEYS)

    def put(self, key: str, value: str, *, expires: datetime | None = None) -> None:
        """Set a value, in place of any other under its key."""
        self._run_on_values(scripts.PUT, as_bytes(key), _expiry(expires), as_bytes(value))

    def put_many(self, values: Mapping[str, str], *, expires: datetime) -> None:
        """Set all of these values, a page at a time."""
        pairs = list(values.items())
        for begin in range(0, len(pairs), PAGE):
            page = [as_bytes(each) for pair in pairs[begin : begin + PAGE] for each in pair]
            self._run_on_values(scripts.PUT_MANY, _expiry(expires), *page)

    def get_many(self, keys: Collection[str], *, now: datetime) -> dict[str, str]:
        """The values under these keys, by key; what is unknown or has expired is left out."""
        names = list(keys)
        found: dict[str, str | None] = {}
        with self._mapped(), self._server.client() as client:
            for begin in range(0, len(names), PAGE):
                page = names[begin : begin + PAGE]
                stored = client.hmget(self._value_keys[0], [as_bytes(key) for key in page])
                found |= {key: _current(each, now) for key, each in zip(page, stored, strict=True)}
        return {key: value for key, value in found.items() if value is not None}

    def get(self, key: str, *, now: datetime) -> str | None:
        """The value under a key; None for an unknown key or an expired value."""
        with self._mapped(), self._server.client() as client:
            return _current(client.hget(self._value_keys[0], as_bytes(key)), now)

    def add(self, key: str, value: str, *, expires: datetime, now: datetime) -> bool:
        """Set a value unless there is one that has not expired."""
        values = (as_bytes(key), _expiry(expires), as_bytes(value), _microseconds(now))
        return self._run_on_values(scripts.ADD, *values) == 1

    def remove(self, key: str) -> None:
        """Delete a value; an unknown key is passed over."""
        self._run_on_values(scripts.REMOVE, as_bytes(key))

    def keys(self, prefix: str, *, now: datetime) -> list[str]:
        """The keys with this prefix whose values have not expired, in order."""
        return [key for key, _ in self.values(prefix, now=now)]

    def values(self, prefix: str, *, now: datetime) -> Iterator[tuple[str, str]]:
        """Yield the keys with this prefix whose values have not expired, each with its value, in order."""
        with self._mapped():
            for page in self._pages(as_bytes(prefix)):
                found = self._server.pipeline([("HGET", self._value_keys[0], key) for key in page])
                for key, stored in zip(page, found, strict=True):
                    value = _current(stored, now)
                    if value is not None:
                        yield as_text(key), value

    def scrub(self, *, now: datetime) -> None:
        """Delete all values that have expired; what was deleted the server returns no more."""
        with self._mapped():
            while True:
                before = self._server.pipeline([("ZCARD", self._value_keys[2])])[0]
                self._server.run(Call(scripts.PURGE, self._value_keys, (_microseconds(now), PURGE_LIMIT)))
                if self._server.pipeline([("ZCARD", self._value_keys[2])])[0] in {before, 0}:
                    return

    def close(self) -> None:
        """Close the connection; idempotent."""
        with self._mapped():
            self._server.close()

    def _pages(self, prefix: bytes) -> Iterator[list[bytes]]:
        """All keys with this prefix, expired ones included, a page at a time."""
        after, end = b"[" + prefix, b"(" + prefix + b"\xff"  # a byte that UTF-8 never has
        while True:
            with self._server.client() as client:
                page: list[bytes] = client.zrange(self._value_keys[1], after, end, bylex=True, offset=0, num=PAGE)
            if not page:
                return
            yield page
            after = b"(" + page[-1]

    def _keys(self, kinds: Sequence[str]) -> tuple[bytes, ...]:
        return tuple(self._server.key("state", kind.encode()) for kind in kinds)

    def _run_on_values(self, script: str, *values: Any) -> int:
        with self._mapped():
            return self._server.run(Call(script, self._value_keys, values))

    @contextmanager
    def _mapped(self) -> Iterator[None]:
        """Raise every error of the server as `StateUnavailable`."""
        try:
            yield
        except FeedbackUnavailable as error:
            raise StateUnavailable(
                f"the state store at {self._server.address.place} cannot be used ({_reason(error)}); see that it runs "
                "and has room, and that `redis_url` names it and a user who may write"
            ) from error


class RedisState(RedisValues):
    """A `StateStore` on a server. The clocks of the processes that share it agree to a small part of a lease.

    It connects when it is first used. A call whose reply is lost is made again: then `accept` may return False for an
    event that it has just kept, and a claim that nobody holds lasts until its lease ends.
    """

    def __init__(self, url: str, *, workspace: str, timeout: float = TIMEOUT_SECONDS) -> None:
        """Raise `StateUnavailable` for a malformed URL, or when the client is not installed."""
        super().__init__(url, workspace=workspace, timeout=timeout)
        self._event_keys = self._keys(scripts.EVENT_KEYS)

    def accept(self, event: Event, *, limit: int | None = None) -> bool:
        """Keep an event; False when it is known; raises `TooMany` when `limit` events are not finished."""
        outcome = self._run_on_events(
            scripts.ACCEPT, _name(event), _json(event), _turn(event), "" if limit is None else limit
        )
        if outcome < 0:
            raise TooMany(f"{limit} questions wait already")
        return outcome == 1

    def claim(self, worker: str, *, lease: timedelta, now: datetime) -> Claim | None:
        """Claim the event accepted first of those that are unclaimed or whose lease has ended; None for none."""
        until, forgotten = now + lease, _microseconds(now - KNOWN_FOR)
        values = (as_bytes(worker), _microseconds(now), _microseconds(until), forgotten, PURGE_LIMIT)
        with self._mapped():
            self._server.run(Call(scripts.PURGE, self._value_keys, (_microseconds(now), PURGE_LIMIT)))
            found = self._run_for_list(Call(scripts.CLAIM, self._event_keys, values))
        if found is None:
            return None
        event, attempt, notes = found
        return Claim(self._parsed(event), worker, until, int(attempt), notes.decode())

    def renew(self, claim: Claim, *, lease: timedelta, now: datetime, notes: str | None = None) -> bool:
        """Extend a claim until `now + lease`; False when somebody has claimed since or the event is finished."""
        kept = (0, b"") if notes is None else (1, as_bytes(notes))
        until = _microseconds(now + lease)
        return self._run_on_events(scripts.RENEW, _name(claim.event), _holder(claim), until, *kept) == 1

    def finish(self, claim: Claim, *, now: datetime) -> bool:
        """Mark the event as handled; False when somebody has claimed it since."""
        name, turn = _name(claim.event), _turn(claim.event)
        return self._run_on_events(scripts.FINISH, name, _holder(claim), turn, _microseconds(now)) == 1

    def waiting(self) -> int:
        """Count the events that are accepted and not finished."""
        with self._mapped(), self._server.client() as client:
            return int(client.zcard(self._server.key("state", b"turns")))

    def unfinished(self) -> list[Event]:
        """The events that are accepted and not finished."""
        with self._mapped(), self._server.client() as client:
            stored = list(client.hgetall(self._event_keys[1]).values())
        events = []
        for each in stored:
            with suppress(StateUnavailable):  # one that is damaged is nobody's
                events.append(self._parsed(each))
        return events

    def discard(self, event: Event, *, now: datetime) -> bool:
        """Mark an event as handled whoever has claimed it; False when it is unknown or finished."""
        return self._run_on_events(scripts.DISCARD, _name(event), _turn(event), _microseconds(now)) == 1

    def was_discarded(self, event: Event) -> bool:
        """Whether an event was discarded; False for one that is not known any more."""
        with self._mapped(), self._server.client() as client:
            return bool(client.hget(self._event_keys[0], _name(event)) == b"discarded")

    def _run_on_events(self, script: str, *values: Any) -> int:
        with self._mapped():
            return self._server.run(Call(script, self._event_keys, values))

    def _run_for_list(self, call: Call) -> Any:
        """Run a script that returns a list or nothing; `Server.run` takes those that return a number."""
        with self._server.client() as client:
            try:
                return client.execute_command(*call.command(known=True))
            except unknown_script():
                return client.execute_command(*call.command(known=False))

    def _parsed(self, text: bytes) -> Event:
        try:
            row = json.loads(text)
            at = datetime.fromisoformat(row["at"])
            return Event(row["platform"], row["id"], at, row["payload"], row["turn"])
        except (ValueError, KeyError, TypeError) as error:
            place = self._server.address.place
            raise StateUnavailable(f"an event in the state store at {place} cannot be read") from error


def _reason(error: FeedbackUnavailable) -> str:
    """The client's message in one line, without the arguments of commands that the server does not know."""
    cause = error.__cause__
    message = " ".join(str(cause).partition(", with args")[0].split())
    return (message or type(cause).__name__) if cause else "it has been closed"


def _name(event: Event) -> bytes:
    return as_bytes(f"{event.platform} {event.id}")


def _turn(event: Event) -> str:
    """A digest of the event's turn; an event without one has a turn of its own."""
    of = f"turn {event.turn}" if event.turn else f"event {event.platform} {event.id}"
    return hashlib.sha1(as_bytes(of), usedforsecurity=False).hexdigest()


def _holder(claim: Claim) -> bytes:
    return as_bytes(f"{claim.attempt} {claim.worker}")


def _json(event: Event) -> str:
    row = {"platform": event.platform, "id": event.id, "at": event.at.isoformat()}
    return json.dumps({**row, "payload": event.payload, "turn": event.turn})


def _expiry(expires: datetime | None) -> int:
    return 0 if expires is None else max(1, _microseconds(expires))


def _current(found: bytes | None, now: datetime) -> str | None:
    """The value in what is stored under a key; None for nothing stored, for what is damaged, or when it has expired."""
    expires, _, value = (found or b"").partition(b" ")
    is_current = expires.isdigit() and len(expires) < 20 and (expires == b"0" or int(expires) > _microseconds(now))
    return as_text(value) if is_current else None


def _microseconds(at: datetime) -> int:
    return (at - EPOCH) // timedelta(microseconds=1)
