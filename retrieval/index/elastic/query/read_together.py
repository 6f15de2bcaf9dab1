"""What was read with something else is handed over once, so that a search does not ask for the same records twice."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence

from retrieval.index.elastic.store import Record
from retrieval.index.protocols import Key

# A search wants its passages at once after their token vectors. Later they might be gone, so they are asked for.
AT_ONCE = 1.0


class ReadTogether(threading.local):
    """The records that this thread has just read."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._records: dict[Key, Record] = {}
        self._until = 0.0

    def keep(self, records: Mapping[Key, Record]) -> None:
        """Keep these, and nothing else, for a moment."""
        self._records, self._until = dict(records), self._clock() + AT_ONCE

    def taken(self, keys: Sequence[Key]) -> dict[Key, Record]:
        """Those of them that were just read; all are let go of."""
        records, self._records = self._records, {}
        if self._clock() > self._until:
            return {}
        return {key: records[key] for key in keys if key in records}
