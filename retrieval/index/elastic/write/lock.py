"""The sole right to change the index, across processes and hosts, as a lease that its holder keeps renewing.

A waiting process takes the right over when it has not seen the lease renewed for as long as it lasts, by its own
clock: hosts need not agree on the time. A holder that was too slow finds out at its next write.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import uuid4

from elastic_transport import TransportError
from elasticsearch import ApiError, BadRequestError, ConflictError, Elasticsearch, NotFoundError

from retrieval.errors import SearchUnavailable
from retrieval.index.elastic.client import reason
from retrieval.index.elastic.retries import retry_read, retry_write

WRITER = "writer"
LEASE = 20.0
# How often a waiting process looks, and how often a holder renews, in each lease.
LOOKS, RENEWALS = 40, 5
# A renewal that failed is tried again sooner: a queue that is full has room for a moment only.
TRIES = 40


@dataclass(frozen=True, slots=True)
class Seen:
    """The lock as it was found or written: who holds it, and which write of it that was."""

    seq_no: int
    primary_term: int
    owner: str


def _at(seen: Seen) -> dict[str, Any]:
    """The condition that the lock is still as it was seen."""
    return {"if_seq_no": seen.seq_no, "if_primary_term": seen.primary_term}


class Lock:
    """The lock of one alias, kept in a small index of its own; one thread of one object holds it at a time."""

    def __init__(self, client: Elasticsearch, index: str, *, lease: float = LEASE) -> None:
        self._client, self._index, self._lease = client, index, lease
        self._local = threading.RLock()
        self._depth = 0
        self._owner = ""
        self._place: Seen | None = None
        self._renewed = 0.0
        self._failed: ApiError | TransportError | None = None

    @property
    def held(self) -> bool:
        """Whether this object has taken the right and not given it back."""
        return self._depth > 0

    def check(self) -> None:
        """Raise `SearchUnavailable` if the right was taken and has been lost since."""
        if self.held and (self._place is None or time.monotonic() - self._renewed > self._lease):
            failed = self._failed
            why = f"because Elasticsearch {reason(failed)}" if failed else "for it was not renewed in time"
            raise SearchUnavailable(f"the sole right to change the index was lost, {why}; run `footnote sync` again")

    @contextmanager
    def holding(self, waiting: Callable[[], None]) -> Iterator[bool]:
        """Hold the right, after `waiting()` if another has it; says whether this call is the outermost."""
        with self._local:
            self._depth += 1
            try:
                if self._depth > 1:
                    yield False
                    return
                self._acquire(waiting)
                with self._renewing():
                    yield True
            finally:
                self._depth -= 1
                if not self._depth:
                    self._release()

    def _acquire(self, waiting: Callable[[], None]) -> None:
        self._owner = uuid4().hex
        if not self._client.indices.exists(index=self._index):
            self._create()
        told, seen, since = False, None, time.monotonic()
        while True:
            if retry_write(partial(self._written, {"op_type": "create"})):
                return
            if not told:
                waiting()
                told = True
            found = self._found()
            if found != seen:
                seen, since = found, time.monotonic()
            elif seen and time.monotonic() - since > self._lease and retry_write(partial(self._written, _at(seen))):
                return
            time.sleep(self._lease / LOOKS)

    def _create(self) -> None:
        try:
            self._client.indices.create(
                index=self._index,
                settings={"number_of_shards": 1, "auto_expand_replicas": "0-1"},
                mappings={"dynamic": "strict", "properties": {"owner": {"type": "keyword"}}},
            )
        except BadRequestError as error:
            if error.error != "resource_already_exists_exception":
                raise

    def _found(self) -> Seen | None:
        try:
            found = retry_read(lambda: self._client.get(index=self._index, id=WRITER))
        except NotFoundError:
            return None
        return Seen(found["_seq_no"], found["_primary_term"], found["_source"]["owner"])

    def _written(self, condition: Mapping[str, Any]) -> bool:
        """Whether the lock is this object's, written now on this condition or by a try whose answer was lost."""
        began = time.monotonic()
        try:
            taken = self._client.index(index=self._index, id=WRITER, document={"owner": self._owner}, **condition)
            place = Seen(taken["_seq_no"], taken["_primary_term"], self._owner)
        except ConflictError:
            found = self._found()
            if found is None or found.owner != self._owner:
                return False
            place = found
        self._place, self._renewed, self._failed = place, began, None
        return True

    @contextmanager
    def _renewing(self) -> Iterator[None]:
        done = threading.Event()
        thread = threading.Thread(target=self._renew, args=(done,), name="lease", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def _renew(self, done: threading.Event) -> None:
        pause = self._lease / RENEWALS
        while not done.wait(pause):
            try:
                if self._place and not self._written(_at(self._place)):
                    self._place = self._failed = None
                pause = self._lease / RENEWALS
            except (ApiError, TransportError) as error:
                # The server may be back, or have room, before the lease ends; else `check` says why it was lost.
                self._failed = error
                pause = self._lease / TRIES

    def _release(self) -> None:
        place, self._place = self._place, None
        if place:
            with suppress(ApiError, TransportError):  # the lease ends by itself
                self._client.delete(index=self._index, id=WRITER, **_at(place))
