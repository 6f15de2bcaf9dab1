"""Keeps events for a later time in the state store, for whichever replica looks first once that time has come."""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

from bot.state.protocol import Event, StateStore

SCHEDULED = "scheduled:"
# After its time an event waits so long for a replica that runs.
OVERDUE = timedelta(days=7)
_TIME = "%Y-%m-%dT%H:%M:%S"


def schedule(store: StateStore, event: Event, at: datetime) -> None:
    """Keep an event until `at`; one with the same platform, id and time is replaced. Raises `StateUnavailable`."""
    row = asdict(event) | {"at": event.at.isoformat()}
    name = f"{SCHEDULED}{at.astimezone(UTC):{_TIME}}:{event.platform}:{event.id}"
    store.put(name, json.dumps(row), expires=at + OVERDUE)


def accept_due(store: StateStore, accept: Callable[[Event], bool], *, now: datetime) -> None:
    """Give `accept` every event whose time has come, oldest first, and keep it no longer, but where it returns False.

    Several replicas may do so at once, as may one that was killed before it had removed an event: `accept` must keep an
    event that is known once. Raises what it raises.
    """
    for key, event in list(_due(store, now)):
        if event is None or accept(event):
            store.remove(key)


def _due(store: StateStore, now: datetime) -> Iterator[tuple[str, Event | None]]:
    """Yield the keys whose time has come with their events; None for one that cannot be read."""
    latest = f"{SCHEDULED}{now.astimezone(UTC):{_TIME}}~"
    for key in store.keys(SCHEDULED, now=now):
        if key > latest:
            return
        value = store.get(key, now=now)
        try:
            row = json.loads(value or "")
            yield key, Event(**row | {"at": datetime.fromisoformat(row["at"])})
        except (ValueError, TypeError, KeyError):
            yield key, None
