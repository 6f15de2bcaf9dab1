"""Puts the folder of an export in its place whole or not at all: made beside it, synced, and moved in one step."""

import ctypes
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path

from feedback.errors import ExportRefused
from feedback.export.formats import FORMATS
from feedback.private_files import FILE_MODE, FOLDER_MODE

# What an export writes beside the folders of its formats.
MANIFEST = "manifest.json"
LINEAGE = "lineage.jsonl"
REJECTED = "rejected.jsonl"
CARD = "README.md"
RECIPES = "recipes"

# What the manifest says it is of.
KIND = "footnote-export"
# What an export puts into its folder; a desktop leaves the last one.
OWN_NAMES = frozenset({*FORMATS, MANIFEST, LINEAGE, REJECTED, CARD, RECIPES, ".DS_Store"})
_RENAME_EXCHANGE = 2
_AT_FDCWD = -100


@contextmanager
def replace_folder(place: Path, *, force: bool) -> Iterator[tuple[Path, Path, Callable[[], None]]]:
    """Give a new folder for the export, one for temporary files, and the function that puts the first in place.

    Without that call, after an error or a kill, what stood there still does. Raises `ExportRefused` for a place that
    holds something else, or an export when nothing is to be replaced.
    """
    place = place.absolute()
    try:
        target = place.resolve()
        check_destination(target, force=force)
        target.parent.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(target)
        aside = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent))
        lock = _lock(aside)
        try:
            new, work = aside / "new", aside / "work"
            new.mkdir()
            work.mkdir()
            yield new, work, lambda: _publish(new, target, aside, force=force)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
            if lock is not None:
                os.close(lock)
    except OSError as error:
        raise ExportRefused(
            f"the export to {str(place)!r} could not be written ({error.strerror or error}); see that this user may "
            "write beside it and that the disk has room"
        ) from error


def check_destination(place: Path, *, force: bool) -> None:
    """Raise `ExportRefused` when nothing may be written to this place."""
    if not place.exists() or (place.is_dir() and not any(place.iterdir())):
        return
    if not is_export(place):
        raise ExportRefused(f"{str(place)!r} is there already and is no export of Footnote's: name a new folder")
    if foreign := sorted({each.name for each in place.iterdir()} - OWN_NAMES):
        raise ExportRefused(
            f"{str(place)!r} holds an export, and {foreign[0]!r}, which is none of it: move that away, or name a new "
            "folder"
        )
    if not force:
        raise ExportRefused(f"{str(place)!r} holds an export already: name a new folder, or replace it with --force")


def is_export(place: Path) -> bool:
    """Return whether this folder was written by an export."""
    try:
        manifest = json.loads((place / MANIFEST).read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(manifest, dict) and manifest.get("kind") == KIND


def _publish(new: Path, place: Path, aside: Path, *, force: bool) -> None:
    """Sync all that was written, then put it in place; an export that stood there is gone after that.

    It is for whoever made it, until they say otherwise: it holds what people asked.
    """
    for path in [*sorted(new.rglob("*")), new]:
        path.chmod(FOLDER_MODE if path.is_dir() else FILE_MODE)
        _sync(path)
    check_destination(place, force=force)  # again: somebody may have been quicker
    if place.exists() and any(place.iterdir()):
        _swap(new, place, aside)
    else:
        new.replace(place)
    _sync(place.parent)


def _sync(path: Path) -> None:
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:
        if path.is_dir():  # Windows opens no folders
            return
        raise
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _swap(new: Path, place: Path, aside: Path) -> None:
    """Swap two folders: on Linux in one step, elsewhere the old one is out of its place for a moment."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        with suppress(AttributeError):  # a C library without it
            if not libc.renameat2(_AT_FDCWD, os.fsencode(new), _AT_FDCWD, os.fsencode(place), _RENAME_EXCHANGE):
                return
    old = aside / "old"
    place.replace(old)
    try:
        new.replace(place)
    except OSError:
        old.replace(place)
        raise


def _lock(aside: Path) -> int | None:
    """Lock the folder until the process ends, so that no other export takes it for a leftover."""
    if sys.platform == "win32":
        return None
    import fcntl

    handle = os.open(aside, os.O_RDONLY)
    with suppress(OSError):  # a file system without locks
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return handle


def _remove_leftovers(place: Path) -> None:
    """Remove what exports to this place left behind when they were killed."""
    if sys.platform == "win32":
        return
    import fcntl

    for left in place.parent.glob(f".{escape(place.name)}.*.part"):
        with suppress(OSError):  # somebody holds it, or it is not ours
            handle = os.open(left, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(left)
            finally:
                os.close(handle)
