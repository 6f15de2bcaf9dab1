"""Where feedback waits while its store is down."""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from filelock import FileLock, Timeout

from feedback.errors import FeedbackUnavailable, UnknownExchange
from feedback.records import (
    Correction,
    Decision,
    Exchange,
    Export,
    Forgotten,
    Record,
    ReviewedExchange,
    Vote,
    WriteResult,
    decided,
)
from feedback.stores.journal.file import Counts, Entry, JournalFile, Waiting
from feedback.stores.protocol import FeedbackStore

logger = logging.getLogger(__name__)

T = TypeVar("T")
W = TypeVar("W", bound=Waiting)
Opinion = TypeVar("Opinion", Vote, Correction, Decision)

FIRST_WAIT, LONGEST_WAIT = 0.25, 5.0
PAGE = 100
# What one call sends of what waits, so that nobody waits long for others' votes.
AT_ONCE = 200
# How often a process looks for what others, which may be gone, have left to send.
LOOK_SECONDS = 60.0
# How long a record whose answer nobody knows is tried again: the answer may wait in another process' journal.
TRIED_AGAIN_SECONDS = 600.0
FORGETTING_SECONDS = 60.0


class JournaledFeedback:
    """A `FeedbackStore` whose votes, corrections, decisions and exchanges wait in a local file while it is down.

    What has waited is sent in order by the next calls that succeed and by a thread, which runs only while something
    waits. A record that is sent twice is known the second time, so that a kill loses and doubles nothing. Of what
    waits, True says that it was not waiting yet. Where the file is full or cannot be written the call raises
    `FeedbackUnavailable`. What can no longer be taken (its answer is unknown) is put aside in the file and told in the
    log. Reads tell what is in the store together with what waits here; what waits in other machines' journals is told
    as soon as it has been sent.
    """

    def __init__(
        self,
        store: FeedbackStore,
        path: Path,
        *,
        limit: int,
        first_wait: float = FIRST_WAIT,
        longest_wait: float = LONGEST_WAIT,
    ) -> None:
        self.store = store
        self._file = JournalFile(path, limit=limit)
        self._lock_path = path.with_name(path.name + ".lock")
        self._first_wait, self._longest_wait = first_wait, longest_wait
        self._wait = first_wait
        self._lock = threading.Lock()
        self._sending = threading.Lock()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self._failure: FeedbackUnavailable | None = None
        self._again_at = 0.0
        self._waits = self._unsettled = False
        self._look()

    def counts(self) -> Counts:
        """How many records wait here, and how many were refused in the end."""
        return self._file.counts()

    def record(self, exchange: Exchange) -> None:
        """Remember an exchange, here if need be; under an id that is known already nothing changes."""
        try:
            self._ask(lambda: self.store.record(exchange))
        except FeedbackUnavailable:
            self._keep(exchange)

    def exchange(self, answer: str) -> Exchange:
        """The exchange of the answer with this id, also one that waits; raises `UnknownExchange`."""
        try:
            return self._ask(lambda: self.store.exchange(answer))
        except (FeedbackUnavailable, UnknownExchange):
            for each in self._about(Exchange, answer):
                return each
            raise

    def conversation(self, name: str, *, limit: int) -> list[Exchange]:
        """The newest `limit` exchanges of a conversation, also those that wait, oldest first, ties by id."""
        self._send_first()
        waiting = self._file.conversation(name) if name and limit > 0 and self._waits else []
        found = self._merged(lambda: self.store.conversation(name, limit=limit), waiting)
        by_id = {each.id: each for each in found}
        return sorted(by_id.values(), key=lambda each: (each.at, each.id))[-limit:] if limit > 0 else []

    def exchanges(self) -> Iterator[Exchange]:
        """All exchanges, oldest first, ties by id; what waits is sent before."""
        self._settle()
        yield from self.store.exchanges()

    def vote(self, vote: Vote) -> bool:
        """Remember a vote, here if need be; False, and nothing changes, when its key is known."""
        return self._opinion(self.store.vote, vote)

    def votes(self, answer: str) -> list[Vote]:
        """The votes that count now, also those that wait, oldest first, ties by key."""
        self._send_first()
        found = self._merged(lambda: self.store.votes(answer), self._about(Vote, answer), answer=answer)
        ordered = sorted({each.key: each for each in found}.values(), key=lambda each: (each.at, each.key))
        last = {each.voter: each for each in ordered}
        return [each for each in ordered if last[each.voter] is each and each.vote != "none"]

    def correct(self, correction: Correction) -> bool:
        """Remember a correction, here if need be; False, and nothing changes, when its key is known."""
        return self._opinion(self.store.correct, correction)

    def corrections(self, answer: str) -> list[Correction]:
        """All corrections of an answer, also those that wait, oldest first, ties by key."""
        self._send_first()
        found = self._merged(lambda: self.store.corrections(answer), self._about(Correction, answer), answer=answer)
        return list(decided(_ordered(found), self._about(Decision, answer)))

    def decide(self, decision: Decision) -> bool:
        """Remember a decision, here if need be; False, and nothing changes, when its key is known."""
        return self._opinion(self.store.decide, decision)

    def decisions(self, answer: str) -> list[Decision]:
        """All decisions about an answer, also those that wait, oldest first, ties by key."""
        self._send_first()
        return _ordered(
            self._merged(lambda: self.store.decisions(answer), self._about(Decision, answer), answer=answer)
        )

    def take(self, records: Sequence[Record]) -> list[WriteResult]:
        """Remember several records at once in the store, behind what waits; nothing of them waits here."""
        self._settle()
        return self._ask(lambda: self.store.take(records))

    def judged(self, *, since: datetime | None = None, until: datetime | None = None) -> Iterator[ReviewedExchange]:
        """The exchanges of this time with what counts of each now; what waits is sent before."""
        self._settle()
        yield from self.store.judged(since=since, until=until)

    def records(self) -> Iterator[Record]:
        """All that is kept; what waits is sent before."""
        self._settle()
        yield from self.store.records()

    def register(self, export: Export, rows: Mapping[str, Iterable[str]]) -> None:
        """Remember an export in the store."""
        self._ask(lambda: self.store.register(export, rows))

    def exports(self) -> list[Export]:
        """All exports of the store, oldest first, ties by id."""
        return self._ask(self.store.exports)

    def forget(self, person: str) -> Forgotten:
        """Erase all of a person, in the store and here; what waits is sent before."""
        self._settle()
        try:
            with self._alone(seconds=FORGETTING_SECONDS):
                here = self._file.forget(person) if person else {}
                told = self._ask(lambda: self.store.forget(person))
        except Timeout as error:
            raise FeedbackUnavailable("others are just sending what waited for the store; try again soon") from error
        return Forgotten(
            told.exchanges + here.get("exchange", 0),
            told.votes + here.get("vote", 0),
            told.corrections + here.get("correction", 0),
            told.decisions + here.get("decision", 0),
            told.exports,
        )

    def prune(self, *, words: datetime | None = None, all_of_it: datetime | None = None) -> tuple[int, int]:
        """Let go in the store of what is older than a moment."""
        return self._ask(lambda: self.store.prune(words=words, all_of_it=all_of_it))

    def close(self) -> None:
        """Let go of the store and of the file; what waits is sent when the file is opened again."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join()
        self._file.close()
        self.store.close()

    def _ask(self, ask: Callable[[], T]) -> T:
        """What the store says; while it is known to be down it is not asked, so that nobody waits for a timeout."""
        if self._closing.is_set():
            raise FeedbackUnavailable("the feedback store has been closed")
        if self._failure is not None and time.monotonic() < self._again_at:
            raise FeedbackUnavailable(str(self._failure)) from self._failure
        try:
            said = ask()
        except FeedbackUnavailable as error:
            self._is_down(error)
            raise
        except UnknownExchange:
            self._is_up()
            raise
        self._is_up()
        if time.monotonic() > self._look_at:
            with suppress(FeedbackUnavailable):
                self._look()
        if self._waits:
            with suppress(FeedbackUnavailable):
                self._send(AT_ONCE)
        if self._unsettled:
            self._start()
        return said

    def _opinion(self, write: Callable[[Opinion], bool], given: Opinion) -> bool:
        waited = self._waits
        try:
            return self._ask(lambda: write(given))
        except FeedbackUnavailable:
            return self._keep(given)
        except UnknownExchange:
            if self._about(Exchange, given.answer):
                return self._keep(given)
            if not waited:
                raise
        return self._ask(lambda: write(given))  # its exchange may have been sent between the two looks

    def _keep(self, record: Waiting) -> bool:
        if self._closing.is_set():
            raise FeedbackUnavailable("the feedback store has been closed")
        with self._lock:
            added = self._file.add(record, since=time.time())
            self._waits = self._unsettled = True
        self._start()
        return added

    def _about(self, kind: type[W], answer: str) -> list[W]:
        return self._file.about(kind, answer) if self._waits else []

    def _merged(self, ask: Callable[[], list[T]], waiting: list[T], *, answer: str = "") -> list[T]:
        """What the store says and what waits.

        Where the store is down the latter alone, if anything waits that is about the answer.
        """
        try:
            return self._ask(ask) + waiting
        except FeedbackUnavailable:
            if not self._closing.is_set() and (waiting or (self._waits and self._file.holds(answer))):
                return waiting
            raise

    def _send_first(self) -> None:
        """Send some of what waits before it is asked for, where the store can be reached."""
        if self._waits:
            with suppress(FeedbackUnavailable):
                self._ask(lambda: self._send(AT_ONCE))

    def _settle(self) -> None:
        """Send all that waits; raises `FeedbackUnavailable` where that cannot be done."""
        while self._waits:
            self._ask(lambda: self._send(AT_ONCE, seconds=FORGETTING_SECONDS))

    def _is_down(self, error: FeedbackUnavailable) -> None:
        with self._lock:
            if self._failure is not None:
                self._wait = min(2 * self._wait, self._longest_wait)
            self._failure, self._again_at = error, time.monotonic() + self._wait

    def _is_up(self) -> None:
        if self._failure is not None:
            with self._lock:
                self._failure, self._wait = None, self._first_wait

    def _look(self) -> None:
        self._look_at = time.monotonic() + LOOK_SECONDS
        counts = self._file.counts()
        with self._lock:
            self._waits = self._waits or counts.waiting > 0
            self._unsettled = self._unsettled or self._waits or counts.refused > 0

    def _start(self) -> None:
        with self._lock:
            if self._thread is None and not self._closing.is_set():
                self._thread = threading.Thread(target=self._keep_sending, name="feedback journal", daemon=True)
                self._thread.start()

    def _keep_sending(self) -> None:
        """Try until nothing waits any more, less and less often."""
        wait = self._first_wait
        while not self._closing.wait(wait):
            try:
                self._send(AT_ONCE)
                self._is_up()
                wait = 0.0 if self._waits else self._longest_wait
            except FeedbackUnavailable as error:
                self._is_down(error)
                wait = self._wait
            except Exception:
                logger.exception("what waits for the feedback store could not be sent; it is tried again")
                wait = self._longest_wait
            with self._lock:
                if not self._unsettled:
                    self._thread = None
                    return

    def _send(self, most: int, *, seconds: float = 0.0) -> None:
        """Send some of what waits, in order, and then try once more what was refused lately."""
        with suppress(Timeout), self._alone(seconds=seconds):
            while most > 0 and (page := self._file.first(min(PAGE, most))):
                self._send_page(page)
                most -= PAGE
            self._note(refused=self._try_again() if most > 0 else True)

    def _send_page(self, page: Sequence[Entry]) -> None:
        records = [each.record for each in page if each.record is not None]
        told = iter(self.store.take(records))
        sent, refused = [], {}
        for each in page:
            why = each.why if each.record is None else _why(next(told), each.record)
            if why:
                refused[each.number] = why
                logger.warning(
                    "a record that waited for the feedback store is put aside in %s: %s", self._file.path, why
                )
            else:
                sent.append(each.number)
        self._file.sent(sent, refused)

    def _try_again(self) -> bool:
        """Whether some that were refused are young enough to be tried once more later."""
        behind, left = 0, False
        after = time.time() - TRIED_AGAIN_SECONDS
        while page := self._file.refused(behind=behind, after=after, limit=PAGE):
            known = [each for each in page if each.record is not None]
            told = self.store.take([each.record for each in known if each.record is not None])
            taken = [each.number for each, took in zip(known, told, strict=True) if took != "unknown-answer"]
            self._file.mended(taken)
            left = left or len(taken) < len(page)
            behind = page[-1].number
        return left

    def _note(self, *, refused: bool) -> None:
        """Remember whether something is left to do."""
        with self._lock:
            self._waits = self._file.counts().waiting > 0
            self._unsettled = self._waits or refused

    @contextmanager
    def _alone(self, *, seconds: float) -> Iterator[None]:
        """One at a time sends, of all threads and processes; raises `Timeout` for the others."""
        if not self._sending.acquire(timeout=seconds):
            raise Timeout(str(self._lock_path))
        try:
            lock = FileLock(self._lock_path, timeout=seconds)
            try:
                self._lock_path.parent.mkdir(parents=True, exist_ok=True)
                lock.acquire()
            except Timeout:
                raise
            except OSError as error:
                raise FeedbackUnavailable(
                    f"the journal's lock {str(self._lock_path)!r} cannot be used ({error}); see that this user may "
                    "write it"
                ) from error
            try:
                yield
            finally:
                lock.release()
        finally:
            self._sending.release()


def _why(took: WriteResult, record: Waiting) -> str:
    if took != "unknown-answer":
        return ""
    name = record.id if isinstance(record, Exchange) else record.key
    about = "" if isinstance(record, Exchange) else f", {UnknownExchange(record.answer)!s}"
    return f"{type(record).__name__.lower()} {name!r}{about}"


def _ordered(several: Iterable[Opinion]) -> list[Opinion]:
    """Each once, oldest first, ties by key."""
    return sorted({each.key: each for each in several}.values(), key=lambda each: (each.at, each.key))
