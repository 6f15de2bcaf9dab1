"""What of an index is not to be seen: one record, changed in one step, that every query asks at its start.

Whatever is written carries marks: its batch, its document's edition, its source. A batch is withheld until all of it
is there; one write of the ledger then shows it and withholds the editions that it replaces. So a reader sees a
document's old edition whole or its new one whole, also when the writer is killed at any instant. What is withheld
for good is deleted later: a query that asked the ledger just before the change may still be reading it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from elasticsearch import ConflictError, Elasticsearch

from retrieval.errors import SearchUnavailable
from retrieval.index.elastic.mapping import LEDGER, WITHHELD
from retrieval.index.elastic.retries import retry_read, retry_write

BATCH = "batch-"
ATTEMPTS = 20


@dataclass(frozen=True, slots=True)
class Withheld:
    """The ledger as it was read: all marks, and when each edition among them was replaced, in milliseconds."""

    marks: frozenset[str]
    replaced: Mapping[str, int]

    @property
    def batches(self) -> list[str]:
        """Batches that are not complete."""
        return sorted(mark for mark in self.marks if mark.startswith(BATCH))

    def replaced_before(self, at: int) -> list[str]:
        """Editions that nobody can be reading any more."""
        return sorted(edition for edition, since in self.replaced.items() if since <= at)


class VisibilityRecord:
    """The ledger of one index; the client's errors are for the caller to map."""

    def __init__(self, client: Elasticsearch, index: str) -> None:
        self._client = client
        self._index = index

    @staticmethod
    def empty() -> tuple[str, dict[str, Any]]:
        """Id and record of the ledger of a new index."""
        return WITHHELD, {"kind": LEDGER, "kept": {"marks": [], "replaced": {}}}

    def read(self) -> Withheld:
        """What is withheld at this moment."""
        return self._read()[0]

    def _read(self) -> tuple[Withheld, dict[str, Any]]:
        found = retry_read(lambda: self._client.get(index=self._index, id=WITHHELD))
        kept = found["_source"]["kept"]
        version: dict[str, Any] = {"if_seq_no": found["_seq_no"], "if_primary_term": found["_primary_term"]}
        return Withheld(frozenset(kept["marks"]), kept["replaced"]), version

    def _write(self, record: Mapping[str, Any], version: Mapping[str, Any]) -> None:
        self._client.index(index=self._index, id=WITHHELD, document=record, **version)

    def change(
        self,
        *,
        withhold: Iterable[str] = (),
        replaced: Iterable[str] = (),
        show: Iterable[str] = (),
        at: int = 0,
        fence: Callable[[], None] = lambda: None,
    ) -> None:
        """Withhold these marks and editions, show those, in one step; `fence` may refuse just before it."""
        withhold, replaced, show = set(withhold), set(replaced), set(show)
        for _ in range(ATTEMPTS):
            now, version = self._read()
            times = {**now.replaced, **dict.fromkeys(replaced, at)}
            kept = {
                "marks": sorted((now.marks | withhold | replaced) - show),
                "replaced": {edition: since for edition, since in times.items() if edition not in show},
            }
            record = {"kind": LEDGER, "kept": kept}
            try:
                retry_write(partial(self._write, record, version), fence=fence)
            except ConflictError:
                continue
            return
        raise SearchUnavailable("the index is being changed by others all the time: try again")
