"""Folders as sources: lists their files, each with a fingerprint, and reads them within limits."""

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from retrieval.characters import CONTROLS, LINE_SEPARATORS, SURROGATES
from retrieval.errors import SourceUnusable
from retrieval.parsing.protocol import Skipped
from retrieval.parsing.registry import LARGEST_FILE, too_large
from retrieval.passages import EVERYONE

# Left behind by operating systems and programs.
_JUNK = frozenset({"__macosx", "thumbs.db", "desktop.ini", "node_modules", "__pycache__"})
_UNSAFE = re.compile(f"[{CONTROLS}{LINE_SEPARATORS}{SURROGATES}]")
# A FIFO or a device must not hang the reader, and a terminal must not become the process's own.
_OPEN_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)


@dataclass(frozen=True, slots=True)
class File:
    """One file below a source's root.

    `relative` can be printed and stored, `path` opens the file. `fingerprint` changes whenever the content may have
    changed. `skipped` is why the file is not to be read.
    """

    relative: str
    path: Path
    fingerprint: str = ""
    modified: datetime | None = None
    skipped: Skipped | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """A folder under a name; with `only` (a file or folder below `root`) nothing else of it is compared.

    `audience` and `owner` hold for every document that names none itself.
    """

    name: str
    root: Path
    only: Path | None = None
    audience: frozenset[str] = frozenset({EVERYONE})
    owner: str = ""

    def contains(self, document: str) -> bool:
        """Whether a document id of this source lies within `only`."""
        if self.only is None:
            return True
        part = f"{self.name}/{printable(self.only.relative_to(self.root).as_posix())}"
        return document == part or document.startswith(f"{part}/")

    def files(self) -> dict[str, File]:
        """The files within `only` by document id, in order; raises `SourceUnusable` like `list_files`."""
        files = {f"{self.name}/{file.relative}": file for file in list_files(self.root)}
        return {document: file for document, file in files.items() if self.contains(document)}


def list_files(root: Path) -> Iterator[File]:
    """Every file below `root` in the order of their relative paths, or the single file that `root` is.

    Hidden files and the temporary files of office programs are left out. Links to files are followed inside `root`,
    links to folders never (the folder itself is listed anyway, or lies outside). Raises `SourceUnusable` when a folder
    cannot be listed, since files that were not seen must not count as deleted.
    """
    try:
        base = root.resolve(strict=True)
        if base.is_file():
            yield _file(base.parent, base)
            return
        yield from _files_below(base, base)
    except (OSError, RuntimeError, ValueError) as error:
        raise SourceUnusable(f"cannot list {printable(str(root))!r}: {_reason(error)}; nothing was changed") from error


def read_file(file: File, *, largest: int = LARGEST_FILE) -> bytes | Skipped:
    """The file's content; the reason when it is above `largest` bytes, no regular file (any more) or not readable."""
    if file.skipped:
        return file.skipped
    try:
        descriptor = os.open(file.path, _OPEN_FLAGS)
        with os.fdopen(descriptor, "rb") as stream:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                return Skipped("unreadable", "it is no regular file")
            data = stream.read(largest + 1) if status.st_size <= largest else b""
            return too_large(status.st_size, largest=largest) if max(len(data), status.st_size) > largest else data
    except (OSError, ValueError) as error:
        return _unreadable(error)


def printable(name: str) -> str:
    """The name with control characters and bytes that are no UTF-8 percent-encoded."""
    return _UNSAFE.sub(lambda found: quote(os.fsencode(found[0])), name)


def _files_below(base: Path, folder: Path) -> Iterator[File]:
    with os.scandir(folder) as entries:
        wanted = sorted((entry for entry in entries if not _is_junk(entry.name)), key=_sort_key)
    for entry in wanted:
        path = Path(entry.path)
        if entry.is_symlink():
            yield from _follow_link(base, path)
        elif entry.is_dir(follow_symlinks=False):
            yield from _files_below(base, path)
        elif entry.is_file(follow_symlinks=False):
            yield _file(base, path)


def _sort_key(entry: os.DirEntry[str]) -> str:
    """A key that puts the relative paths below this entry in their own order."""
    return f"{entry.name}/" if entry.is_dir(follow_symlinks=False) else entry.name


def _is_junk(name: str) -> bool:
    return name.startswith((".", "~$")) or name.lower() in _JUNK


def _follow_link(base: Path, link: Path) -> Iterator[File]:
    try:
        target = link.resolve(strict=True)
    except (OSError, RuntimeError) as error:
        yield File(_relative(base, link), link, skipped=_unreadable(error))
        return
    if not target.is_relative_to(base):
        skipped = Skipped("outside-source", "it is a link to a place outside the source")
        yield File(_relative(base, link), link, skipped=skipped)
    elif target.is_file():
        yield _file(base, link)


def _file(base: Path, path: Path) -> File:
    relative = _relative(base, path)
    try:
        status = path.stat()
    except OSError as error:
        return File(relative, path, skipped=_unreadable(error))
    fingerprint = f"{status.st_size}-{status.st_mtime_ns}-{status.st_ctime_ns}-{status.st_ino}"
    return File(relative, path, fingerprint, _timestamp(status.st_mtime))


def _relative(base: Path, path: Path) -> str:
    return printable(path.relative_to(base).as_posix())


def _timestamp(seconds: float) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def _unreadable(error: Exception) -> Skipped:
    return Skipped("unreadable", f"it cannot be opened: {_reason(error)}")


def _reason(error: Exception) -> str:
    return error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
