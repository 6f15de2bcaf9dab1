"""What of an index searches leave out: one record, changed in one step, which every query reads at its start.

Everything that is written carries marks: its batch, its document's edition, its source. A batch is hidden until all of
it is written; one change of the visibility record then shows it and hides the editions that it replaces. So a reader
sees a document's old edition whole or its new one whole, even when the writer is killed at any instant. What is hidden
for good is deleted later: a query that read the visibility record just before the change may still be running.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from elasticsearch import ConflictError, Elasticsearch

from retrieval.errors import SearchUnavailable
from retrieval.index.elastic.mapping import VISIBILITY, VISIBILITY_ID
from retrieval.index.elastic.retries import RETRIES, Retries

BATCH_MARK = "batch-"
SOURCE_MARK = "source-"
ATTEMPTS = 20


@dataclass(frozen=True, slots=True)
class Hidden:
    """All marks that are hidden, and when each edition among them was replaced, in milliseconds."""

    marks: frozenset[str]
    replaced: Mapping[str, int]

    @property
    def batches(self) -> list[str]:
        """Batches that are not complete, ascending."""
        return sorted(mark for mark in self.marks if mark.startswith(BATCH_MARK))

    @property
    def sources(self) -> list[str]:
        """Sources whose deletion is not complete, ascending."""
        return sorted(mark for mark in self.marks if mark.startswith(SOURCE_MARK))

    def replaced_before(self, at: int) -> list[str]:
        """Editions replaced at that time or earlier, ascending."""
        return sorted(edition for edition, since in self.replaced.items() if since <= at)


class VisibilityRecord:
    """The visibility record of one index; the client's errors are for the caller to map."""

    def __init__(self, client: Elasticsearch, index: str, *, retries: Retries = RETRIES) -> None:
        self._client, self._index, self._retries = client, index, retries

    @staticmethod
    def empty() -> tuple[str, dict[str, Any]]:
        """Id and content of the visibility record of a new index."""
        return VISIBILITY_ID, {"kind": VISIBILITY, "kept": {"marks": [], "replaced": {}}}

    def read(self) -> Hidden:
        """What is hidden at this moment."""
        return self._read()[0]

    def _read(self) -> tuple[Hidden, dict[str, Any]]:
        found = self._retries.read(lambda: self._client.get(index=self._index, id=VISIBILITY_ID))
        kept = found["_source"]["kept"]
        version: dict[str, Any] = {"if_seq_no": found["_seq_no"], "if_primary_term": found["_primary_term"]}
        return Hidden(frozenset(kept["marks"]), kept["replaced"]), version

    def _write(self, record: Mapping[str, Any], version: Mapping[str, Any]) -> None:
        self._client.index(index=self._index, id=VISIBILITY_ID, document=record, **version)

    def change(
        self,
        *,
        hide: Iterable[str] = (),
        replaced: Iterable[str] = (),
        show: Iterable[str] = (),
        at: int = 0,
        fence: Callable[[], None] = lambda: None,
    ) -> None:
        """Hide marks, hide editions that were `replaced` (at `at`, in milliseconds) and show marks, in one step.

        Raises what `fence` raises just before it, and `SearchUnavailable` when other writers come first all the time.
        """
        hide, replaced, show = set(hide), set(replaced), set(show)
        for _ in range(ATTEMPTS):
            now, version = self._read()
            times = {**now.replaced, **dict.fromkeys(replaced, at)}
            kept = {
                "marks": sorted((now.marks | hide | replaced) - show),
                "replaced": {edition: since for edition, since in times.items() if edition not in show},
            }
            record = {"kind": VISIBILITY, "kept": kept}
            try:
                self._retries.write(partial(self._write, record, version), fence=fence)
            except ConflictError:
                continue
            return
        raise SearchUnavailable("the index is being changed by others all the time: try again")
