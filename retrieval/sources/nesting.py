"""Which of several sources a file belongs to, when their folders lie in each other: the innermost.

Folders are compared by what they are, not by how they are written: links, `..`, other spellings of a name where the
file system does not tell them apart, and a second mount lead to the same folder.
"""

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from retrieval.sources.folders import Identity, Names, identity, walk


@dataclass(frozen=True, slots=True)
class Inner:
    """Another source, by its name and its folder or single file; `restricted` where only named groups may read it."""

    name: str
    path: Path
    restricted: bool = False


@dataclass(frozen=True, slots=True)
class InnerPlaces:
    """The places of other sources below a root, by their names on the way from it and by what they are.

    Both, because a place that is missing when the listing begins may be there before it ends. `linked` are the files in
    them that have another name somewhere.
    """

    root: Path
    names: frozenset[Names]
    identities: frozenset[Identity]
    linked: frozenset[Identity]

    @classmethod
    def of(cls, inner: Iterable[Inner], root: Path) -> "InnerPlaces":
        """The places of `inner`, of which those outside `root` count for nothing."""
        paths = [each.path.resolve() for each in inner]
        names = {path.relative_to(root).parts for path in paths if path.is_relative_to(root)}
        found = {_identity(path) for path in paths}
        linked = frozenset(each for path in paths for each in _linked_files(path))
        return cls(root, frozenset(names), frozenset(each for each in found if each is not None), linked)

    def begins(self, names: Names, status: os.stat_result) -> bool:
        """Whether one of the places is what these names lead to."""
        return names in self.names or identity(status) in self.identities

    def contain(self, path: Path) -> bool:
        """Whether a path below the root, without links, lies in one of the places."""
        if not self.names and not self.identities:
            return False
        on_the_way = [path, *path.parents]
        return any(
            each.relative_to(self.root).parts in self.names or _identity(each) in self.identities
            for each in on_the_way[: on_the_way.index(self.root)]
        )


def _linked_files(place: Path) -> Iterator[Identity]:
    """The files below a folder that have more than one name; none where it is a file itself or cannot be listed."""
    with suppress(OSError):
        for _, status in walk(place, enter=lambda *_: True, ignore=lambda _: False):
            if status is not None and stat.S_ISREG(status.st_mode) and status.st_nlink > 1:
                yield identity(status)


def is_inside(path: Path, folder: Path) -> bool:
    """Whether a file or folder lies in another folder, or is the same."""
    path, folder = path.resolve(), folder.resolve()
    if path.is_relative_to(folder):
        return True
    found = _identity(folder)
    return found is not None and any(_identity(each) == found for each in (path, *path.parents))


def relative_names(path: Path, folder: Path) -> Names:
    """The names on the way from a folder to what lies in it; empty for the folder itself."""
    path, folder = path.resolve(), folder.resolve()
    if path.is_relative_to(folder):
        return path.relative_to(folder).parts
    found = _identity(folder)
    return path.relative_to(next(each for each in (path, *path.parents) if _identity(each) == found)).parts


def _identity(path: Path) -> Identity | None:
    try:
        return identity(path.stat())
    except (OSError, ValueError):
        return None
