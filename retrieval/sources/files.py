"""Files in a folder: listed with a fingerprint, read within limits, and made into documents."""

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from retrieval.errors import SourceUnusable
from retrieval.parsing.protocol import Parsed, Skipped
from retrieval.parsing.registry import LARGEST_FILE, too_large
from retrieval.passages import Document

_JUNK = frozenset({"__macosx", "thumbs.db", "desktop.ini", "node_modules", "__pycache__"})
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
# A FIFO or a device must not hang the reader, and a terminal must not become ours.
_OPENING = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)


@dataclass(frozen=True, slots=True)
class File:
    """One file below a source's root.

    `relative` is fit to print and to store, `path` opens it. `fingerprint` changes whenever the content may have
    changed. `skipped` says why it is not to be read.
    """

    relative: str
    path: Path
    fingerprint: str = ""
    modified: datetime | None = None
    skipped: Skipped | None = None


def listing(root: Path) -> Iterator[File]:
    """Every file below `root` in the order of its names, or the single file that `root` is.

    Raises `SourceUnusable` when a folder cannot be listed: what was not seen is not gone. Hidden files and the
    droppings of office programs are left out. Links to files are followed inside `root`, links to folders never
    (the folder itself is listed anyway, or lies outside).
    """
    try:
        base = root.resolve(strict=True)
        if base.is_file():
            yield _file(base.parent, base)
            return
        yield from _below(base, base)
    except (OSError, RuntimeError, ValueError) as error:
        raise SourceUnusable(f"cannot list {printable(str(root))!r}: {_reason(error)}; nothing was changed") from error


def read(file: File) -> bytes | Skipped:
    """The file's content; the reason when it is too large, no regular file (any more) or cannot be opened."""
    if file.skipped:
        return file.skipped
    try:
        descriptor = os.open(file.path, _OPENING)
        with os.fdopen(descriptor, "rb") as stream:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                return Skipped("unreadable", "it is no regular file")
            data = stream.read(LARGEST_FILE + 1) if status.st_size <= LARGEST_FILE else b""
            return too_large(status.st_size) if max(len(data), status.st_size) > LARGEST_FILE else data
    except (OSError, ValueError) as error:
        return _unreadable(error)


def document(source: str, file: File, parsed: Parsed, *, data: bytes, audience: frozenset[str], owner: str) -> Document:
    """The file as a document; what it says of itself goes before what its source says."""
    said = parsed.metadata
    return Document(
        id=f"{source}/{file.relative}",
        source=source,
        title=said.title or _first_heading(parsed) or _readable_stem(file.relative),
        url=said.url or file.path.as_uri(),
        version=sha256(data).hexdigest(),
        text=parsed.text,
        blocks=parsed.blocks,
        audience=audience if said.audience is None else said.audience,
        owner=said.owner or owner,
        review=said.review,
        modified=file.modified,
        superseded_by=said.superseded_by,
    )


def printable(name: str) -> str:
    """The name with `%0A` and the like for control characters and for bytes that are no UTF-8."""
    return _UNSAFE.sub(lambda found: quote(os.fsencode(found[0])), name)


def _below(base: Path, folder: Path) -> Iterator[File]:
    with os.scandir(folder) as entries:
        wanted = sorted((entry for entry in entries if not _is_junk(entry.name)), key=_place)
    for entry in wanted:
        path = Path(entry.path)
        if entry.is_symlink():
            yield from _linked(base, path)
        elif entry.is_dir(follow_symlinks=False):
            yield from _below(base, path)
        elif entry.is_file(follow_symlinks=False):
            yield _file(base, path)


def _place(entry: os.DirEntry[str]) -> str:
    """Where the relative paths below this entry sort."""
    return f"{entry.name}/" if entry.is_dir(follow_symlinks=False) else entry.name


def _is_junk(name: str) -> bool:
    return name.startswith((".", "~$")) or name.lower() in _JUNK


def _linked(base: Path, link: Path) -> Iterator[File]:
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
    return File(relative, path, fingerprint, _moment(status.st_mtime))


def _relative(base: Path, path: Path) -> str:
    return printable(path.relative_to(base).as_posix())


def _moment(seconds: float) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def _unreadable(error: Exception) -> Skipped:
    return Skipped("unreadable", f"it cannot be opened: {_reason(error)}")


def _reason(error: Exception) -> str:
    return error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__


def _first_heading(parsed: Parsed) -> str:
    headings = [block for block in parsed.blocks if block.kind == "heading"]
    first = next((block for block in headings if block.level == 1), headings[0] if headings else None)
    return parsed.text[first.start : first.end] if first else ""


def _readable_stem(relative: str) -> str:
    stem = PurePosixPath(relative).stem
    words = re.sub(r"[-_.\s]+", " ", stem).strip() or stem
    return words[:1].upper() + words[1:]
