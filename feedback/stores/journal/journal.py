"""Calls a store, and keeps records in a file while it is down."""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from filelock import Timeout

from feedback.errors import FeedbackUnavailable
from feedback.records import Exchange
from feedback.stores.journal.circuit_breaker import CircuitBreaker
from feedback.stores.journal.file import JournaledRecord, JournalFile
from feedback.stores.journal.sender import JournalSender

logger = logging.getLogger(__name__)

T = TypeVar("T")
W = TypeVar("W", bound=JournaledRecord)

# How often a process looks for what others, which may be gone, have left to send.
LOOK_SECONDS = 60.0
# How long a reader of everything, or somebody who erases, waits for others who are just sending.
EXCLUSIVE_SECONDS = 60.0


class Journal:
    """Sends what waits in the file with the next calls that succeed, and in a thread, which runs only while it must.

    A record that is sent twice is known to the store the second time, so that a kill neither loses nor doubles one.
    """

    def __init__(
        self,
        file: JournalFile,
        sender: JournalSender,
        breaker: CircuitBreaker,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.file = file
        self._sender, self._breaker = sender, breaker
        self._clock = clock
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        # Whether records wait, and whether the thread has anything to do: these, or refused ones to be tried again.
        self._has_waiting = self._has_work = False
        self._look()

    @property
    def has_waiting(self) -> bool:
        """Whether records wait, as far as this process knows."""
        return self._has_waiting

    def call(self, ask: Callable[[], T]) -> T:
        """Return what the store returns, and send some of what waits; while it is down raise `FeedbackUnavailable`."""
        if self._closing.is_set():
            raise FeedbackUnavailable("the feedback store has been closed")
        answer = self._breaker.call(ask)
        if self._clock() > self._next_look:
            with suppress(FeedbackUnavailable):
                self._look()
        if self._has_waiting:
            with suppress(FeedbackUnavailable):
                self._send()
        if self._has_work:
            self._start_thread()
        return answer

    def keep(self, record: JournaledRecord) -> bool:
        """Put a record behind those that wait; False, and nothing changes, when it waits already.

        Raises `FeedbackUnavailable` where the file is full or cannot be written.
        """
        if self._closing.is_set():
            raise FeedbackUnavailable("the feedback store has been closed")
        with self._lock:
            added = self.file.add(record, since=time.time())
            self._has_waiting = self._has_work = True
        self._start_thread()
        return added

    def waiting(self, record_type: type[W], answer: str) -> list[W]:
        """Return the records of this type about an answer that wait, in the order in which they came."""
        return self.file.about(record_type, answer) if self._has_waiting else []

    def conversation(self, name: str) -> list[Exchange]:
        """Return the exchanges of a conversation that wait."""
        return self.file.conversation(name) if self._has_waiting else []

    def merge(self, ask: Callable[[], list[T]], waiting: list[T], *, answer: str = "") -> list[T]:
        """Return what the store returns and what waits.

        Where the store is down the latter alone, if anything waits that is about the answer; else raises
        `FeedbackUnavailable`.
        """
        try:
            return self.call(ask) + waiting
        except FeedbackUnavailable:
            if not self._closing.is_set() and (waiting or (self._has_waiting and self.file.holds(answer))):
                return waiting
            raise

    def try_to_send(self) -> None:
        """Send some of what waits, where the store can be reached."""
        if self._has_waiting:
            with suppress(FeedbackUnavailable):
                self.call(self._send)

    def send_all(self) -> None:
        """Send everything that waits; raises `FeedbackUnavailable` where that cannot be done."""
        while self._has_waiting:
            self.call(lambda: self._send(wait_seconds=EXCLUSIVE_SECONDS))

    def exclusively(self, work: Callable[[], T]) -> T:
        """Do this while nobody sends; raises `FeedbackUnavailable` where others do not finish."""
        try:
            with self._sender.exclusive(wait_seconds=EXCLUSIVE_SECONDS):
                return work()
        except Timeout as error:
            raise FeedbackUnavailable("others are just sending what waited for the store; try again soon") from error

    def close(self) -> None:
        """Stop sending and close the file; what waits is sent when it is opened again."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join()
        self.file.close()

    def _look(self) -> None:
        """See what others have left in the file."""
        self._next_look = self._clock() + LOOK_SECONDS
        counts = self.file.counts()
        with self._lock:
            self._has_waiting = self._has_waiting or counts.waiting > 0
            self._has_work = self._has_work or self._has_waiting or counts.refused > 0

    def _send(self, *, wait_seconds: float = 0.0) -> None:
        """Send some of what waits, unless others send for so many seconds and longer."""
        with suppress(Timeout), self._sender.exclusive(wait_seconds=wait_seconds):
            refused_left = self._sender.send()
            with self._lock:
                self._has_waiting = self.file.counts().waiting > 0
                self._has_work = self._has_waiting or refused_left

    def _start_thread(self) -> None:
        with self._lock:
            if self._thread is None and not self._closing.is_set():
                self._thread = threading.Thread(target=self._send_until_done, name="feedback journal", daemon=True)
                self._thread.start()

    def _send_until_done(self) -> None:
        wait = self._breaker.first_wait
        while not self._closing.wait(wait):
            try:
                self._send()
                self._breaker.close()
                wait = 0.0 if self._has_waiting else self._breaker.longest_wait
            except FeedbackUnavailable as error:
                self._breaker.open(error)
                wait = self._breaker.wait
            except Exception:
                logger.exception("what waits for the feedback store could not be sent; it is tried again")
                wait = self._breaker.longest_wait
            with self._lock:
                if not self._has_work:
                    self._thread = None
                    return
