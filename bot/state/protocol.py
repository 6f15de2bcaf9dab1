"""The port behind which replicas share their work: SQLite (embedded default) or Redis."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

# How long a finished event stays known: longer than any platform delivers one again.
KNOWN_FOR = timedelta(hours=24)


def person_prefix(person: str) -> str:
    """Return how the keys of all values begin that are kept about a person (keyed hash), so that all can be erased."""
    return f"person:{person}:"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that a platform told us and that somebody waits for; `id` is the platform's own, unique with it.

    `payload` is JSON. `turn` is what must be worked on one after the other (a thread); empty for no such thing.
    """

    platform: str
    id: str
    at: datetime
    payload: str
    turn: str = ""


@dataclass(frozen=True, slots=True)
class Claim:
    """An event that one worker works on until `until`; `attempt` counts from 1, `notes` are what earlier ones left."""

    event: Event
    worker: str
    until: datetime
    attempt: int
    notes: str = ""


class StateStore(Protocol):
    """Work that is accepted, claimed and finished, and values with an expiry. Threads and processes may share one.

    What a method has returned from is on disk (of a server: as its settings have it). All raise `StateUnavailable`
    when the store cannot be reached, and may then be called again.
    """

    def accept(self, event: Event, *, limit: int | None = None) -> bool:
        """Keep an event to be worked on; False, and nothing changes, when it is known (also when it is finished).

        Raises `TooMany`, and nothing changes, when it is not known and `limit` events or more are not finished.
        """
        ...

    def claim(self, worker: str, *, lease: timedelta, now: datetime) -> Claim | None:
        """The event accepted first of those that nobody holds, or whose lease has ended; None if there is none.

        Of events with the same turn only the one accepted first is given, until it is finished. Also lets go of some
        of what has expired.
        """
        ...

    def renew(self, claim: Claim, *, lease: timedelta, now: datetime, notes: str | None = None) -> bool:
        """Hold a claim until `now + lease`, and leave notes for whoever may take over (None leaves those there are).

        With no lease at all it is given back, with a lease it may be claimed again after that. False, and nothing
        changes, when another has taken over or the event is finished.
        """
        ...

    def finish(self, claim: Claim, *, now: datetime) -> bool:
        """The event needs nothing more: its payload and notes go, and it stays known for a day.

        False, and nothing changes, when another has taken over meanwhile; True once more for the same claim.
        """
        ...

    def waiting(self) -> int:
        """How many events are accepted and not finished."""
        ...

    def put(self, key: str, value: str, *, expires: datetime | None = None) -> None:
        """Keep a value under a key until it expires; None keeps it for ever."""
        ...

    def get(self, key: str, *, now: datetime) -> str | None:
        """The value under a key that has not expired, or None."""
        ...

    def add(self, key: str, value: str, *, expires: datetime, now: datetime) -> bool:
        """Keep a value only where none stands; False, and nothing changes, where one does."""
        ...

    def remove(self, key: str) -> None:
        """Forget a value; an unknown key is passed over."""
        ...

    def keys(self, prefix: str, *, now: datetime) -> Sequence[str]:
        """The keys that begin like this and have not expired, in order."""
        ...

    def close(self) -> None:
        """Let go of the store; a second time changes nothing."""
        ...
