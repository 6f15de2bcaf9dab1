"""The state store: what replicas share besides feedback, in SQLite (embedded default) or Redis."""

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

# How long a finished event stays known: longer than any platform delivers one again.
KNOWN_FOR = timedelta(hours=24)


def person_prefix(person: str) -> str:
    """The prefix of every key that is kept about a person (keyed hash), so that all of them can be erased."""
    return f"person:{person}:"


def unkeyed_name(user: str) -> str:
    """How earlier versions named a person in keys: whoever guesses the id can compute it, so no key is written so."""
    return hashlib.sha256(user.encode("utf-8", "replace")).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Event:
    """A platform's event that somebody waits for; `id` is the platform's own, unique within `platform`.

    `payload` is JSON. Events with the same `turn` (a thread) are handled one after the other; an event with an empty
    one waits for no other.
    """

    platform: str
    id: str
    at: datetime
    payload: str
    turn: str = ""


@dataclass(frozen=True, slots=True)
class Claim:
    """A worker's lease of an event until `until`; `attempt` counts from 1, `notes` are what earlier attempts left."""

    event: Event
    worker: str
    until: datetime
    attempt: int
    notes: str = ""


class StateStore(Protocol):
    """Keeps events that are accepted, claimed and finished, and values that expire; threads and processes may share it.

    What a method has returned from is on disk (of a server: as its settings have it). All raise `StateUnavailable`
    when the store cannot be reached, and may then be called again.
    """

    def accept(self, event: Event, *, limit: int | None = None) -> bool:
        """Keep an event to be handled; False, and nothing changes, when it is known, finished ones included.

        Raises `TooMany`, and nothing changes, when it is not known and `limit` or more events are not finished.
        """
        ...

    def claim(self, worker: str, *, lease: timedelta, now: datetime) -> Claim | None:
        """Claim the event accepted first of those that are unclaimed or whose lease has ended; None for none.

        Of the events of a turn only the one accepted first can be claimed, until it is finished. Also deletes some of
        what has expired.
        """
        ...

    def renew(self, claim: Claim, *, lease: timedelta, now: datetime, notes: str | None = None) -> bool:
        """Extend a claim until `now + lease`, and leave notes for a later attempt (None keeps those there are).

        When that time has come anybody may claim the event again: at once with a lease of zero. False, and nothing
        changes, when somebody has claimed it since or it is finished.
        """
        ...

    def finish(self, claim: Claim, *, now: datetime) -> bool:
        """Mark the event as handled: its payload and notes are deleted, and it stays known for `KNOWN_FOR`.

        False, and nothing changes, when somebody has claimed it since; True again for a repeated call.
        """
        ...

    def waiting(self) -> int:
        """Count the events that are accepted and not finished."""
        ...

    def put(self, key: str, value: str, *, expires: datetime | None = None) -> None:
        """Set a value, in place of any other under its key; None for `expires` keeps it for ever."""
        ...

    def put_many(self, values: Mapping[str, str], *, expires: datetime) -> None:
        """Set all of these values, each in place of any other under its key; none for none.

        What has been set when the store fails stays.
        """
        ...

    def get(self, key: str, *, now: datetime) -> str | None:
        """The value under a key; None for an unknown key or an expired value."""
        ...

    def get_many(self, keys: Collection[str], *, now: datetime) -> Mapping[str, str]:
        """The values under these keys, by key; an unknown key, or one whose value has expired, is left out."""
        ...

    def add(self, key: str, value: str, *, expires: datetime, now: datetime) -> bool:
        """Set a value unless there is one that has not expired; False, and nothing changes, where there is."""
        ...

    def remove(self, key: str) -> None:
        """Delete a value; an unknown key is passed over."""
        ...

    def keys(self, prefix: str, *, now: datetime) -> Sequence[str]:
        """The keys with this prefix whose values have not expired, in the order of their UTF-8 bytes."""
        ...

    def values(self, prefix: str, *, now: datetime) -> Iterator[tuple[str, str]]:
        """Yield the keys with this prefix whose values have not expired, each with its value, few at a time."""
        ...

    def unfinished(self) -> Sequence[Event]:
        """The events that are accepted and not finished."""
        ...

    def discard(self, event: Event, *, now: datetime) -> bool:
        """Mark an event as handled whoever has claimed it, as `finish` does; False when it is unknown or finished."""
        ...

    def was_discarded(self, event: Event) -> bool:
        """Whether an event was discarded; False for any other, and for one that is not known any more."""
        ...

    def scrub(self, *, now: datetime) -> None:
        """Delete everything that has expired, and overwrite in files what was deleted before.

        Events that are being handled now are overwritten as they finish.
        """
        ...

    def close(self) -> None:
        """Close the connection; idempotent. Every later call raises `StateUnavailable`."""
        ...
