"""Sends what waits in a journal's file to the store."""

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from filelock import FileLock, Timeout

from feedback.errors import FeedbackUnavailable, UnknownExchange
from feedback.private_files import FILE_MODE, make_private, make_private_folder
from feedback.records import Exchange, WriteResult, kind_of
from feedback.stores.journal.file import Entry, JournaledRecord, JournalFile
from feedback.stores.protocol import FeedbackWriter

logger = logging.getLogger(__name__)

PAGE = 100
# What one call sends of what waits, so that nobody waits long for others' votes.
MOST_AT_ONCE = 200


class JournalSender:
    """Moves records from the file to the store, in order; of all threads and processes one at a time.

    A record that the store refuses (its answer is unknown) is put aside in the file, written to the log and tried again
    for `retry_refused_seconds`: its answer may wait in another process' journal.
    """

    def __init__(self, store: FeedbackWriter, file: JournalFile, *, retry_refused_seconds: float) -> None:
        self._store, self._file = store, file
        self._retry_refused_seconds = retry_refused_seconds
        self._lock = threading.Lock()
        self._lock_path = file.path.with_name(file.path.name + ".lock")

    def send(self) -> bool:
        """Send some of what waits, then try again what was refused lately; to be called within `exclusive`.

        Returns whether refused records are left to be tried again. Raises `FeedbackUnavailable`.
        """
        left = MOST_AT_ONCE
        while left > 0 and (page := self._file.first(min(PAGE, left))):
            self._send_page(page)
            left -= PAGE
        return self._retry_refused() if left > 0 else True

    @contextmanager
    def exclusive(self, *, wait_seconds: float) -> Iterator[None]:
        """Keep all other threads and processes from sending; raises `Timeout` when they have not finished by then."""
        if not self._lock.acquire(timeout=wait_seconds):
            raise Timeout(str(self._lock_path))
        try:
            lock = self._acquire_file_lock(wait_seconds)
            try:
                yield
            finally:
                lock.release()
        finally:
            self._lock.release()

    def _acquire_file_lock(self, wait_seconds: float) -> FileLock:
        lock = FileLock(self._lock_path, timeout=wait_seconds, mode=FILE_MODE)
        try:
            make_private_folder(self._lock_path.parent)
            make_private(self._lock_path)
            lock.acquire()
        except Timeout:
            raise
        except OSError as error:
            raise FeedbackUnavailable(
                f"the journal's lock {str(self._lock_path)!r} cannot be used ({error}); see that this user may write it"
            ) from error
        return lock

    def _send_page(self, page: Sequence[Entry]) -> None:
        results = iter(self._store.write_many([each.record for each in page if each.record is not None]))
        sent, refused = [], {}
        for entry in page:
            reason = entry.error if entry.record is None else _refusal(next(results), entry.record)
            if reason:
                refused[entry.number] = reason
                logger.warning(
                    "a record that waited for the feedback store is put aside in %s: %s", self._file.path, reason
                )
            else:
                sent.append(entry.number)
        self._file.settle(sent, refused)

    def _retry_refused(self) -> bool:
        """Try again what was refused; returns whether some of it is young enough to be tried once more later."""
        behind, left = 0, False
        since = time.time() - self._retry_refused_seconds
        while page := self._file.refused(behind=behind, since=since, limit=PAGE):
            readable = [each for each in page if each.record is not None]
            results = self._store.write_many([each.record for each in readable if each.record is not None])
            accepted = [
                each.number for each, result in zip(readable, results, strict=True) if result != "unknown-answer"
            ]
            self._file.discard_refused(accepted)
            left = left or len(accepted) < len(page)
            behind = page[-1].number
        return left


def _refusal(result: WriteResult, record: JournaledRecord) -> str:
    """Return why the store did not take the record; empty where it did. A key is not told: it may name a person."""
    if result != "unknown-answer":
        return ""
    kind = kind_of(type(record))
    return f"{kind} {record.id!r}" if isinstance(record, Exchange) else f"{kind}, {UnknownExchange(record.answer)}"
