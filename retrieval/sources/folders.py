"""Lists and opens by descriptor, each name inside the folder that was opened before, and follows no link on the way.

What a path led to when it was listed may have been replaced by a link when it is opened. A name that is opened inside
an open folder, and not followed, leads nowhere else.
"""

import errno
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# A pipe or a device must not hang the reader, and a terminal must not become the process's own.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC

# Device and inode: which folder or file it is, by whatever path.
Identity = tuple[int, int]
# The names on the way from the root, the last of them its own.
Names = tuple[str, ...]


def identity(status: os.stat_result) -> Identity:
    """Which folder or file this is."""
    return status.st_dev, status.st_ino


def walk(
    root: Path, *, enter: Callable[[Names, os.stat_result], bool], ignore: Callable[[str], bool]
) -> Iterator[tuple[Names, os.stat_result | None]]:
    """Everything below `root` that is no folder, in the order of relative paths, with its status.

    The status is that of a link itself, and None for what vanished meanwhile. Folders are gone into where `enter` says
    so; names to `ignore` are passed over. One descriptor is open, however deep it goes. Raises `OSError` when a folder
    cannot be listed or is moved meanwhile.
    """
    here = os.open(root, _FOLDER)
    try:
        path: list[str] = []
        open_folders = [(identity(os.fstat(here)), iter(_sorted(here, ignore)))]
        while open_folders:
            found = next(open_folders[-1][1], None)
            if found is None:
                open_folders.pop()
                if open_folders:
                    here = _go(here, "..")
                    path.pop()
                    if identity(os.fstat(here)) != open_folders[-1][0]:
                        raise OSError(errno.ESTALE, "a folder was moved while it was listed")
                continue
            name, status = found
            if status is None or not stat.S_ISDIR(status.st_mode):
                yield (*path, name), status
            elif enter((*path, name), status):
                here = _go(here, name)
                path.append(name)
                open_folders.append((identity(os.fstat(here)), iter(_sorted(here, ignore))))
    finally:
        os.close(here)


def open_file(root: Path, root_identity: Identity, names: Names) -> int:
    """A descriptor of a file below `root`, which must still be the folder that it was.

    Raises `OSError`, also for a link, as the file itself or on the way.
    """
    here = os.open(root, _FOLDER)
    try:
        if identity(os.fstat(here)) != root_identity:
            raise OSError(errno.ESTALE, "the folder of its source was replaced")
        for name in names[:-1]:
            here = _go(here, name)
        return os.open(names[-1], _FILE, dir_fd=here)
    finally:
        os.close(here)


def _go(here: int, name: str) -> int:
    """Open a folder in the open one, which is closed."""
    there = os.open(name, _FOLDER, dir_fd=here)
    os.close(here)
    return there


def _sorted(folder: int, ignore: Callable[[str], bool]) -> list[tuple[str, os.stat_result | None]]:
    """The names in a folder so that the paths below them are in order, each with its status."""
    found: list[tuple[str, os.stat_result | None]] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if not ignore(entry.name):
                try:
                    found.append((entry.name, entry.stat(follow_symlinks=False)))
                except FileNotFoundError:
                    found.append((entry.name, None))
    return sorted(found, key=lambda each: each[0] + "/" * (each[1] is not None and stat.S_ISDIR(each[1].st_mode)))
