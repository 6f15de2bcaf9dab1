"""The index files of a state folder: which is current, the write lock, and how a new one takes its place.

`index-N.db` holds one generation; the small file `index` names the current one and the one before it. Names differ,
because a file that is replaced under SQLite would be read together with the old file's write-ahead log.
"""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from retrieval.errors import SearchUnavailable
from retrieval.index.generations import IndexFingerprint
from retrieval.index.local.database import POINTER, Database
from retrieval.private_files import FILE_MODE, make_private, make_private_file, make_private_folder

LOCK = "index.lock"
FILE = re.compile(r"index-([0-9]+)\.db(?:-wal|-shm)?")


class GenerationFiles:
    """The index files of one state folder; `wanted` is what a generation must be built with for this process.

    Raises `SearchUnavailable` when the folder cannot be used.
    """

    def __init__(self, home: Path, wanted: IndexFingerprint) -> None:
        self.home = home
        self.wanted = wanted
        self._lock = FileLock(home / LOCK, mode=FILE_MODE)

    def mend(self) -> None:
        """Keep from others the folder and the files that are there; an older version left them readable."""
        with self._map_errors():
            if self.home.exists():
                make_private_folder(self.home)
                for path in self.home.iterdir():
                    if path.name in {POINTER, LOCK} or FILE.fullmatch(path.name):
                        make_private(path)

    def path(self, number: int) -> Path:
        """The file of a generation."""
        return self.home / f"index-{number}.db"

    def current(self) -> int:
        """The number of the current generation; the first one is made when there is none."""
        return (self._pointer() or self._create_first())[0]

    def _pointer(self) -> list[int]:
        """The current number and the one before it, if any; cheap, because every lookup reads it."""
        with self._map_errors():
            try:
                return [int(line) for line in (self.home / POINTER).read_text(encoding="ascii").split()]
            except FileNotFoundError:
                return []
            except ValueError as error:
                raise SearchUnavailable(
                    f"{str(self.home / POINTER)!r} is damaged: it should hold the number of the current "
                    "`index-N.db`; write it there, or remove the file and run `footnote sync`"
                ) from error

    def _create_first(self) -> list[int]:
        with self.write_lock():
            if not self._pointer():  # another process may have been quicker
                number = self._unused()
                Database.create(self.path(number), self.wanted).close()
                self._point_to(number)
            return self._pointer()

    @contextmanager
    def write_lock(self, on_wait: Callable[[], None] = lambda: None) -> Iterator[None]:
        """Hold the lock of the folder, after `on_wait()` if another has it; the kernel frees it when a process dies."""
        with self._map_errors():
            make_private_folder(self.home)
            try:
                self._lock.acquire(blocking=False)
            except Timeout:
                on_wait()
                self._lock.acquire()
        try:
            yield
        finally:
            self._lock.release()

    def successor(self, current: int) -> tuple[int, Database]:
        """A generation of the wanted kind beside the current one: what a killed rebuild left, or an empty one."""
        for number in sorted(self._numbers(), reverse=True):
            if number > current and number not in self._pointer():
                with suppress(SearchUnavailable):
                    database = Database(self.path(number))
                    if database.built == self.wanted:
                        return number, database
                    database.close()
        number = self._unused()
        return number, Database.create(self.path(number), self.wanted)

    def promote(self, number: int) -> None:
        """Make a complete generation the current one, in one step; the one before it stays."""
        with self._map_errors():
            self._point_to(number, self.current())
        self.sweep()

    def kept(self) -> int | None:
        """The number of the generation that is kept beside the current one; None when there is none."""
        return next(iter(self._pointer()[1:]), None)

    def sweep(self) -> None:
        """Delete the files of generations that are neither current nor the one before."""
        kept = self._pointer()
        with self._map_errors():
            for path in list(self.home.iterdir()):
                found = FILE.fullmatch(path.name)
                if found and int(found[1]) not in kept:
                    path.unlink(missing_ok=True)

    def _numbers(self) -> set[int]:
        with self._map_errors():
            return {int(found[1]) for path in self.home.iterdir() if (found := FILE.fullmatch(path.name))}

    def _unused(self) -> int:
        """Above every number in use, so that no running process takes a new file for one that it knows."""
        return max(self._numbers(), default=0) + 1

    def _point_to(self, *numbers: int) -> None:
        """Replace the pointer so that a crash or a power cut leaves the old or the new one, never half of it."""
        new = self.home / f"{POINTER}.new"
        make_private_file(new)
        with new.open("w", encoding="ascii") as file:
            file.write("".join(f"{number}\n" for number in numbers))
            file.flush()
            os.fsync(file.fileno())
        new.replace(self.home / POINTER)
        _sync_folder(self.home)

    @contextmanager
    def _map_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise SearchUnavailable(f"the state folder {str(self.home)!r} cannot be used: {reason}") from error


def _sync_folder(folder: Path) -> None:
    """Make a rename in the folder outlast a power cut, where folders can be opened at all."""
    if hasattr(os, "O_DIRECTORY"):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
