"""Hands records over from one read to the next, so that a search does not read the same ones twice."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence

from retrieval.index.elastic.index_client import Record
from retrieval.ranking.candidates import Key

# Seconds. A search reads its passages right after their token vectors; later they might be gone, so they are read.
FRESH = 1.0


class RecentRecords(threading.local):
    """The records that this thread has just read, by candidate key."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._records: dict[Key, Record] = {}
        self._until = 0.0

    def keep(self, records: Mapping[Key, Record]) -> None:
        """Keep these records, and no others, for `FRESH` seconds."""
        self._records, self._until = dict(records), self._clock() + FRESH

    def take(self, keys: Sequence[Key]) -> dict[Key, Record]:
        """The kept records of these keys; none is kept any more."""
        records, self._records = self._records, {}
        if self._clock() > self._until:
            return {}
        return {key: records[key] for key in keys if key in records}
