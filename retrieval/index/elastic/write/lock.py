"""The write lock of an index, across processes and hosts, as a lease that its holder keeps renewing.

A waiting process takes the lock over when it has not seen the lease renewed for as long as it lasts, by its own clock:
hosts need not agree on the time. A holder that was too slow finds out at its next write.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from elastic_transport import TransportError
from elasticsearch import ApiError, BadRequestError, ConflictError, Elasticsearch, NotFoundError

from retrieval.errors import SearchUnavailable
from retrieval.index.elastic.client import reason
from retrieval.index.elastic.retries import RETRIES, Retries

WRITER = "writer"
LEASE = 20.0
# How often a waiting process reads the lock, and how often a holder renews, in each lease.
CHECKS, RENEWALS = 40, 5
# A renewal that failed is tried again sooner: a queue that is full has room for a moment only.
TRIES = 40


@dataclass(frozen=True, slots=True)
class LockRecord:
    """The lock as it was read or written: its owner, and the sequence number of that write."""

    seq_no: int
    primary_term: int
    owner: str


def _unchanged(record: LockRecord) -> dict[str, Any]:
    """The condition that the lock is still this record."""
    return {"if_seq_no": record.seq_no, "if_primary_term": record.primary_term}


class WriteLock:
    """The write lock of one alias, kept in a small index of its own; one thread holds it at a time, reentrantly."""

    def __init__(self, client: Elasticsearch, index: str, *, lease: float = LEASE, retries: Retries = RETRIES) -> None:
        self._client, self._index, self._lease, self._retries = client, index, lease, retries
        self._local = threading.RLock()
        self._depth = 0
        self._owner = ""
        self._holder: int | None = None
        self._record: LockRecord | None = None
        self._renewed = 0.0
        self._failure: ApiError | TransportError | None = None

    @property
    def is_mine(self) -> bool:
        """Whether this thread holds the lock."""
        return self._holder == threading.get_ident()

    def check(self) -> None:
        """Raise `SearchUnavailable` if the lock was taken and has been lost since."""
        if self._depth and (self._record is None or time.monotonic() - self._renewed > self._lease):
            failure = self._failure
            why = f"because Elasticsearch {reason(failure)}" if failure else "for it was not renewed in time"
            raise SearchUnavailable(f"the sole right to change the index was lost, {why}; run `footnote sync` again")

    @contextmanager
    def hold(self, on_wait: Callable[[], None] = lambda: None) -> Iterator[bool]:
        """Hold the lock, after `on_wait()` if another process has it; yields whether this call is the outermost."""
        with self._local:
            self._depth += 1
            try:
                if self._depth > 1:
                    yield False
                    return
                self._acquire(on_wait)
                self._holder = threading.get_ident()
                try:
                    with self._renewing():
                        yield True
                finally:
                    self._holder = None
            finally:
                self._depth -= 1
                if not self._depth:
                    self._release()

    def _acquire(self, on_wait: Callable[[], None]) -> None:
        self._owner = uuid4().hex
        if not self._client.indices.exists(index=self._index):
            self._create()
        waiting, seen, since = False, None, time.monotonic()
        while True:
            if self._retries.write(lambda: self._take({"op_type": "create"})):
                return
            if not waiting:
                on_wait()
                waiting = True
            found = self._read()
            if found != seen:
                seen, since = found, time.monotonic()
            elif seen and time.monotonic() - since > self._lease and self._take_over(seen):
                return
            time.sleep(self._lease / CHECKS)

    def _take_over(self, dead: LockRecord) -> bool:
        return self._retries.write(lambda: self._take(_unchanged(dead)))

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

    def _read(self) -> LockRecord | None:
        try:
            found = self._retries.read(lambda: self._client.get(index=self._index, id=WRITER))
        except NotFoundError:
            return None
        return LockRecord(found["_seq_no"], found["_primary_term"], found["_source"]["owner"])

    def _take(self, condition: Mapping[str, Any]) -> bool:
        """Write the lock on this condition; whether it is this object's, also by a try whose response was lost."""
        began = time.monotonic()
        try:
            taken = self._client.index(index=self._index, id=WRITER, document={"owner": self._owner}, **condition)
            record = LockRecord(taken["_seq_no"], taken["_primary_term"], self._owner)
        except ConflictError:
            found = self._read()
            if found is None or found.owner != self._owner:
                return False
            record = found
        self._record, self._renewed, self._failure = record, began, None
        return True

    @contextmanager
    def _renewing(self) -> Iterator[None]:
        """Renew the lease in the background."""
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
                if self._record and not self._take(_unchanged(self._record)):
                    self._record = self._failure = None
                pause = self._lease / RENEWALS
            except (ApiError, TransportError) as error:
                # The server may be back, or have room, before the lease ends; else `check` says why it was lost.
                self._failure = error
                pause = self._lease / TRIES

    def _release(self) -> None:
        record, self._record = self._record, None
        if record:
            with suppress(ApiError, TransportError):  # the lease ends by itself
                self._client.delete(index=self._index, id=WRITER, **_unchanged(record))
