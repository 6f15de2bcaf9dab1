"""The generations whose files this process holds open."""

import threading
from collections.abc import Iterator, Sequence

from retrieval.errors import IndexNotReady
from retrieval.index.generations import refusal
from retrieval.index.local.database import Database
from retrieval.index.local.generations import GenerationFiles
from retrieval.index.local.snapshot import Snapshot, empty, load
from retrieval.index.local.store_reader import StoreReader
from retrieval.index.local.store_writer import StoreWriter
from retrieval.ranking.candidates import Key

# A key is a generation's number above so many bits, and below them a passage's id in its file.
ID_BITS = 40
# The current generation, and the one before it for searches that were under way when it was replaced.
OPEN_AT_ONCE = 2


class OpenGeneration:
    """One generation's open file with its reader, its writer and the snapshot last loaded of it."""

    def __init__(self, number: int, database: Database) -> None:
        self.number, self.database = number, database
        self.reader, self.writer = StoreReader(database), StoreWriter(database)
        self.first_key = number << ID_BITS
        self._lock = threading.Lock()
        self._snapshot = empty()

    def snapshot(self) -> Snapshot:
        """The newest committed state; only what changed since the last call is read."""
        with self._lock:
            if self._snapshot.edition != self.database.edition():
                self._snapshot = load(self.database, self._snapshot)
            return self._snapshot


class OpenGenerations:
    """Opens the current generation at its first use, and keeps the one before it open."""

    def __init__(self, files: GenerationFiles) -> None:
        self._files = files
        self._lock = threading.RLock()
        self._opened: list[OpenGeneration] = []

    @property
    def numbers(self) -> list[int]:
        """The numbers of the open generations, the newest in use last."""
        return [opened.number for opened in self._opened]

    def close(self) -> None:
        """Close all files; the next use opens them again."""
        with self._lock:
            while self._opened:
                self._opened.pop().database.close()

    def current(self) -> OpenGeneration:
        """The current generation, as the state folder names it at this moment."""
        with self._lock:
            number = self._files.current()
            if not self._opened or self._opened[-1].number != number:
                self._open(number)
            return self._opened[-1]

    def _open(self, number: int) -> None:
        known = [opened for opened in self._opened if opened.number == number]
        opened = known[0] if known else OpenGeneration(number, Database(self._files.path(number)))
        self._opened = [*(other for other in self._opened if other is not opened), opened]
        while len(self._opened) > OPEN_AT_ONCE:
            self._opened.pop(0).database.close()

    def ready(self) -> OpenGeneration:
        """The current generation; raises `IndexNotReady` when another embedding model or analyzer built it."""
        opened = self.current()
        reason = refusal(opened.database.built, self._files.wanted)
        if reason:
            raise IndexNotReady(reason)
        return opened

    def of_keys(self, keys: Sequence[Key]) -> Iterator[tuple[OpenGeneration, list[int]]]:
        """The open generations that these keys belong to, each with the ids of its passages."""
        with self._lock:
            opened = list(self._opened)
        for each in opened:
            ids = [int(key) & ((1 << ID_BITS) - 1) for key in keys if int(key) >> ID_BITS == each.number]
            if ids:
                yield each, ids
