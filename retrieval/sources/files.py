"""Folders as sources: lists their files, each with a fingerprint, and reads them within limits."""

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from retrieval.errors import SourceUnusable
from retrieval.parsing.protocol import Skipped
from retrieval.parsing.registry import LARGEST_FILE, too_large
from retrieval.sources.folders import Identity, Names, identity, open_file, walk
from retrieval.sources.names import printable
from retrieval.sources.nesting import Inner, InnerPlaces, relative_names

# Left behind by operating systems and programs.
_JUNK = frozenset({"__macosx", "thumbs.db", "desktop.ini", "node_modules", "__pycache__"})
_KINDS = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFDIR: "a folder",
}


@dataclass(frozen=True, slots=True)
class Root:
    """The folder that files were listed in, without links in its path."""

    path: Path
    identity: Identity


@dataclass(frozen=True, slots=True)
class File:
    """One file below a source's root.

    `relative` can be printed and stored, `url` opens the file in a browser. `path` lies below `root` and has no link on
    its way: of a link it is what that led to when it was listed. `fingerprint` changes whenever the content may have
    changed. `skipped` is why the file is not to be read.
    """

    relative: str
    url: str
    path: Path
    root: Root
    fingerprint: str = ""
    modified: datetime | None = None
    skipped: Skipped | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """A folder under a name; with `only` (a file or folder below `root`) nothing else of it is compared.

    `owner` holds for every document that names none itself. `audience` may be narrowed by a document, and is left to it
    when it is None; with `trusts_documents` a document's own audience counts alone. The files of `inner`, sources that
    lie inside this one, are theirs.
    """

    name: str
    root: Path
    only: Path | None = None
    audience: frozenset[str] | None = None
    owner: str = ""
    trusts_documents: bool = False
    inner: tuple[Inner, ...] = ()

    def contains(self, document: str) -> bool:
        """Whether a document id of this source lies within `only`."""
        if self.only is None:
            return True
        part = f"{self.name}/{printable(self.only.relative_to(self.root).as_posix())}"
        return document == part or document.startswith(f"{part}/")

    def inner_parts(self) -> dict[str, str]:
        """The sources inside this one by the id that their folder or file would have here, as far as `only` goes."""
        parts = {
            f"{self.name}/{printable('/'.join(relative_names(each.path, self.root)))}": each.name for each in self.inner
        }
        return {part: name for part, name in parts.items() if self.contains(part)}

    def missing_inner(self) -> str:
        """The first source inside this one that only named groups may read and that is not there; empty for none.

        Its files may have another name by now, under which they would be this source's.
        """
        restricted = (each for each in self.inner if each.restricted)
        exists = os.path.exists  # unlike that of a path, it is False where it cannot be told
        return next((each.name for each in restricted if not exists(each.path)), "")

    def files(self) -> dict[str, File]:
        """The files within `only` by document id, in order; raises `SourceUnusable` like `list_files`."""
        files = {f"{self.name}/{file.relative}": file for file in list_files(self.root, inner=self.inner)}
        return {document: file for document, file in files.items() if self.contains(document)}


def list_files(root: Path, *, inner: Iterable[Inner] = ()) -> Iterator[File]:
    """Every file below `root` in the order of their relative paths, or the single file that `root` is.

    Hidden files and the temporary files of office programs are left out, as is what lies in `inner`. Links to files are
    followed inside `root`, links to folders never (the folder itself is listed anyway, or lies outside). Raises
    `SourceUnusable` when a folder cannot be listed, since files that were not seen must not count as deleted.
    """
    try:
        base = root.resolve(strict=True)
        if base.is_file():
            found = Root(base.parent, identity(base.parent.stat()))
            yield _file(found, (base.name,), base.lstat())
            return
        yield from _files_below(Root(base, identity(base.stat())), InnerPlaces.of(inner, base))
    except (OSError, RuntimeError, ValueError) as error:
        raise SourceUnusable(f"cannot list {printable(str(root))!r}: {_reason(error)}; nothing was changed") from error


def read_file(file: File, *, largest: int = LARGEST_FILE) -> bytes | Skipped:
    """The file's content; the reason when it is above `largest` bytes, no regular file (any more) or not readable.

    It is opened inside its root, and not where a link has taken its place, or that of a folder on the way.
    """
    if file.skipped:
        return file.skipped
    try:
        names = file.path.relative_to(file.root.path).parts
        descriptor = open_file(file.root.path, file.root.identity, names)
        with os.fdopen(descriptor, "rb") as stream:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                return _special(status)
            data = stream.read(largest + 1) if status.st_size <= largest else b""
            return too_large(status.st_size, largest=largest) if max(len(data), status.st_size) > largest else data
    except (OSError, ValueError) as error:
        return _unreadable(error)


def _files_below(root: Root, inner: InnerPlaces) -> Iterator[File]:
    def enter(names: Names, status: os.stat_result) -> bool:
        return not inner.begins(names, status)

    for names, status in walk(root.path, enter=enter, ignore=_is_junk):
        if status is not None and stat.S_ISLNK(status.st_mode):
            yield from _follow_link(root, names, inner)
        elif status is not None and identity(status) in inner.linked:
            why = "it is another name of a file of a source inside this one"
            yield _skipped(root, names, Skipped("outside-source", why))
        elif status is None or not inner.begins(names, status):
            yield _file(root, names, status)


def _is_junk(name: str) -> bool:
    return name.startswith((".", "~$")) or name.lower() in _JUNK


def _follow_link(root: Root, names: Names, inner: InnerPlaces) -> Iterator[File]:
    """The file that a link leads to, or why it is not read; nothing for a folder in the source."""
    try:
        target = root.path.joinpath(*names).resolve(strict=True)
        status = target.lstat()
    except (OSError, RuntimeError) as error:
        yield _skipped(root, names, _unreadable(error))
        return
    if not target.is_relative_to(root.path):
        yield _skipped(root, names, Skipped("outside-source", "it is a link to a place outside the source"))
    elif inner.contain(target):
        yield _skipped(root, names, Skipped("outside-source", "it is a link into another source inside this one"))
    elif not stat.S_ISDIR(status.st_mode):
        yield _file(root, names, status, target)


def _file(root: Root, names: Names, status: os.stat_result | None, target: Path | None = None) -> File:
    """The file at these names; `target` is where it lies when that is a link."""
    if status is None:
        return _skipped(root, names, Skipped("unreadable", "it vanished while the source was listed"))
    if not stat.S_ISREG(status.st_mode):
        return _skipped(root, names, _special(status))
    path = root.path.joinpath(*names)
    return File(
        printable("/".join(names)),
        path.as_uri(),
        target or path,
        root,
        f"{status.st_size}-{status.st_mtime_ns}-{status.st_ctime_ns}-{status.st_ino}",
        _timestamp(status.st_mtime),
    )


def _skipped(root: Root, names: Names, why: Skipped) -> File:
    path = root.path.joinpath(*names)
    return File(printable("/".join(names)), path.as_uri(), path, root, skipped=why)


def _special(status: os.stat_result) -> Skipped:
    return Skipped("unreadable", f"it is {_KINDS.get(stat.S_IFMT(status.st_mode), 'no regular file')}")


def _timestamp(seconds: float) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def _unreadable(error: Exception) -> Skipped:
    return Skipped("unreadable", f"it cannot be opened: {_reason(error)}")


def _reason(error: Exception) -> str:
    return error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
