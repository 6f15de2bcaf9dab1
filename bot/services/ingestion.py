"""Brings the index up to date with sources of documents, and manages its generations."""

import os
from collections.abc import Sequence
from pathlib import Path

from bot.config import settings
from bot.errors import UsageProblem
from retrieval.embedding.protocol import Embedder
from retrieval.index.protocols import Generation, SearchIndex
from retrieval.progress import Progress, ignore_progress
from retrieval.rebuild import rebuild, rollback
from retrieval.sources.files import Source
from retrieval.sync import SyncReport, remove, sync


class IngestionService:
    """Changes the index; one process at a time may, the index makes others wait or refuses them."""

    def __init__(self, *, index: SearchIndex, embedder: Embedder, sources: Sequence[settings.Source]) -> None:
        self._index = index
        self._embedder = embedder
        self._sources = sources

    def sync(
        self,
        paths: Sequence[Path] = (),
        *,
        name: str | None = None,
        allow_empty: bool = False,
        progress: Progress = ignore_progress,
    ) -> SyncReport:
        """Bring the index up to date with these paths, or without any with the configured sources.

        `name` chooses one configured source, or names the one path. Raises `UsageProblem` and `RetrievalError`.
        """
        chosen = select_sources(self._sources, paths, name=name)
        return sync(chosen, self._index, self._embedder, allow_empty=allow_empty, progress=progress)

    def remove(self, source: str) -> SyncReport:
        """Remove a source with all its documents from the index."""
        return remove(source, self._index)

    def generations(self) -> Sequence[Generation]:
        """Return the generations of the index, oldest first."""
        return self._index.admin.generations()

    def rebuild(self, *, progress: Progress = ignore_progress) -> Generation:
        """Build a new generation of the index from the current one, and switch to it."""
        return rebuild(self._index, self._embedder, progress=progress)

    def rollback(self) -> Generation:
        """Switch back to the previous generation of the index, in which nothing is opened that is closed now."""
        return rollback(self._index, self._embedder)


def select_sources(
    configured: Sequence[settings.Source], paths: Sequence[Path] = (), *, name: str | None = None
) -> list[Source]:
    """Return what to sync: `paths`, or without any the configured sources, or the one of them called `name`.

    A path that lies in a configured source belongs to it, with its audience; any other is a source of its own,
    called `name` or else like its folder. Raises `UsageProblem` when that leaves nothing or is ambiguous.
    """
    if name and len(paths) > 1:
        raise UsageProblem("--source names one path; sync the others in runs of their own")
    if paths:
        selected = list(dict.fromkeys(_source_of_path(configured, path, name) for path in paths))
    else:
        selected = _configured_sources(configured, name)
    _refuse_same_name([*map(_whole, configured), *selected])
    return selected


def _configured_sources(configured: Sequence[settings.Source], name: str | None) -> list[Source]:
    """Return the configured sources, or the one called `name`; raises `UsageProblem` where there is none."""
    selected = [_whole(source) for source in configured if name in {None, source.name}]
    if not selected and name is None:
        raise UsageProblem("nothing to sync: name a folder, or put [[sources]] into footnote.toml")
    if not selected:
        known = ", ".join(repr(source.name) for source in configured) or "none"
        raise UsageProblem(f"no source is called {name!r} in footnote.toml (there: {known}); name its folder too")
    return selected


def _whole(source: settings.Source) -> Source:
    """Return the whole of a configured source; its path may be a single file."""
    root, only = (source.path.parent, source.path) if source.path.is_file() else (source.path, None)
    return Source(source.name, root, only, source.audience, source.owner)


def _source_of_path(configured: Sequence[settings.Source], path: Path, name: str | None) -> Source:
    """Return the part of a configured source that a path lies in, else a source of its own."""
    absolute = Path(os.path.abspath(path.expanduser()))  # noqa: PTH100 - absolute() keeps `..`, resolve() follows links
    for source in configured:
        if absolute.resolve().is_relative_to(source.path.resolve()):
            if name not in {None, source.name}:
                raise UsageProblem(f"{str(path)!r} lies in the source {source.name!r}; sync it under that name")
            return _part(source, absolute)
    root, only = (absolute.parent, absolute) if absolute.is_file() else (absolute, None)
    return Source(_valid_name(name or root.name), root, only)


def _part(source: settings.Source, path: Path) -> Source:
    """Return the part of a configured source that lies at this absolute path."""
    whole = _whole(source)
    inside = path.resolve().relative_to(source.path.resolve())
    return (
        whole if inside == Path() else Source(whole.name, whole.root, whole.root / inside, whole.audience, whole.owner)
    )


def _valid_name(name: str) -> str:
    if not name.strip() or not name.isprintable() or any(char in name for char in "/\\#"):
        raise UsageProblem(f"{name!r} cannot name a source (no `/`, `\\`, `#`, control characters); use --source NAME")
    return name


def _refuse_same_name(sources: Sequence[Source]) -> None:
    """Raise `UsageProblem` for two folders of one name, which would overwrite each other."""
    roots: dict[str, Path] = {}
    for source in sources:
        if roots.setdefault(source.name, source.root) != source.root:
            raise UsageProblem(
                f"the source name {source.name!r} already stands for {str(roots[source.name])!r}; "
                "give another with --source NAME"
            )
