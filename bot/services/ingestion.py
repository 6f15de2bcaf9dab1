"""Brings the index up to date with sources of documents, and manages its generations."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

from bot.config import settings
from bot.errors import UsageProblem
from bot.services.audit import no_audit
from retrieval.embedding.protocol import Embedder
from retrieval.index.protocols import Generation, SearchIndex
from retrieval.parsing.protocol import Skipped
from retrieval.passages import EVERYONE, PUBLIC
from retrieval.progress import Progress, ignore_progress
from retrieval.rebuild import rebuild, rollback
from retrieval.sources.files import Source
from retrieval.sources.names import printable
from retrieval.sources.nesting import Inner, is_inside, relative_names
from retrieval.sync import SyncReport, remove, sync


class IngestionService:
    """Changes the index; one process at a time may, the index makes others wait or refuses them.

    `audit` is told of what is done by hand; a sync changes what the documents have changed.
    """

    def __init__(
        self,
        *,
        index: SearchIndex,
        embedder: Embedder,
        sources: Sequence[settings.Source],
        audit: Callable[..., None] = no_audit,
    ) -> None:
        self._audit = audit
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
        with self._index.writer.lock(lambda: progress("waiting for another sync", 0, 0)):
            indexed = self._index.reader.sources()
            chosen = select_sources(self._sources, paths, name=name, indexed=indexed)
            report = sync(chosen, self._index, self._embedder, allow_empty=allow_empty, progress=progress)
            _remove_wrongly_indexed(chosen, _places(self._sources, chosen, indexed), self._index, report)
        return report

    def remove(self, source: str) -> SyncReport:
        """Remove a source with all its documents from the index."""
        report = remove(source, self._index)
        self._audit("removed a source", about=source)
        return report

    def generations(self) -> Sequence[Generation]:
        """Return the generations of the index, oldest first."""
        return self._index.admin.generations()

    def rebuild(self, *, progress: Progress = ignore_progress) -> Generation:
        """Build a new generation of the index from the current one, and switch to it."""
        made = rebuild(self._index, self._embedder, progress=progress)
        self._audit("rebuilt the index", about=made.name)
        return made

    def rollback(self) -> Generation:
        """Switch back to the previous generation of the index, in which nothing is opened that is closed now."""
        current = rollback(self._index, self._embedder)
        self._audit("rolled the index back", about=current.name)
        return current


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a source lies, whether footnote.toml says so, and whether only named groups may read it."""

    name: str
    path: Path
    configured: bool = False
    restricted: bool = False


def select_sources(
    configured: Sequence[settings.Source],
    paths: Sequence[Path] = (),
    *,
    name: str | None = None,
    indexed: Mapping[str, str] | None = None,
) -> list[Source]:
    """Return what to sync: `paths`, or without any the configured sources, or the one of them called `name`.

    A path that lies in a configured source belongs to the innermost of them, with its audience; any other is a source
    of its own, called `name` or else like its folder. What lies in a source inside, whether that is configured, synced
    along or `indexed` before (folders by name), is left to it, see `_takes_over`. Raises `UsageProblem` when that
    leaves nothing or is ambiguous.
    """
    if name and len(paths) > 1:
        raise UsageProblem("--source names one path; sync the others in runs of their own")
    if paths:
        selected = list(dict.fromkeys(_source_of_path(configured, path, name) for path in paths))
    else:
        selected = _configured_sources(configured, name)
    _refuse_same_name([*map(_whole, configured), *selected])
    places = _places(configured, selected, indexed or {})
    _refuse_same_folder(configured, selected, places)
    return [replace(source, inner=tuple(_inner(source, places))) for source in selected]


def _places(
    configured: Sequence[settings.Source], selected: Sequence[Source], indexed: Mapping[str, str]
) -> dict[str, _Place]:
    """Return where each source lies that is configured, selected or indexed, by its name."""
    places = {name: _Place(name, Path(root)) for name, root in indexed.items() if Path(root).is_absolute()}
    places |= {each.name: _Place(each.name, each.only or each.root) for each in selected}
    for source in configured:
        restricted = source.audience is not None and not source.audience & {EVERYONE, PUBLIC}
        places[source.name] = _Place(source.name, source.path, configured=True, restricted=restricted)
    return places


def _inner(source: Source, places: Mapping[str, _Place]) -> Iterator[Inner]:
    """Yield the sources inside a source, whose files are not its own."""
    own = places[source.name]
    for place in places.values():
        if place.name != source.name and is_inside(place.path, own.path) and not _takes_over(own, place):
            yield Inner(place.name, place.path, place.restricted)


def _takes_over(own: _Place, other: _Place) -> bool:
    """Whether a configured source owns the files of one that only the index remembers.

    It does so where that is the same folder, or lies inside and this one is for named groups: what was once synced by
    hand must not stay open to everyone there. Otherwise the one inside is left alone, since it may be restricted.
    """
    if not own.configured or other.configured or not is_inside(other.path, own.path):
        return False
    return own.restricted or is_inside(own.path, other.path)


def _remove_wrongly_indexed(
    selected: Sequence[Source], places: Mapping[str, _Place], index: SearchIndex, report: SyncReport
) -> None:
    """Remove what other sources have indexed of the files of these; the report names it."""
    removed: list[str] = []
    for own in (places[source.name] for source in selected):
        for name, root in index.reader.sources().items():
            other = places.get(name)
            if other is None or other.name == own.name:
                continue
            part = name
            if _takes_over(own, other):
                documents = list(index.reader.stored(name))
                index.writer.forget(name)
            elif is_inside(own.path, Path(root)):
                part = f"{name}/{printable('/'.join(relative_names(own.path, Path(root))))}"
                documents = [key for key in index.reader.stored(name) if key == part or key.startswith(f"{part}/")]
                index.writer.delete(documents)
            else:
                continue
            if documents or part == name:
                report.notes.append((part, Skipped("outside-source", f"it belongs to the source {own.name!r}")))
            removed += documents
    if removed:
        index.writer.prune()
        report.deleted += removed
        report.passages = index.reader.counts()[1]


def _refuse_same_folder(
    configured: Sequence[settings.Source], selected: Sequence[Source], places: Mapping[str, _Place]
) -> None:
    """Raise `UsageProblem` for two sources of one folder: which audience holds for its files would be left open."""
    names = dict.fromkeys([*(source.name for source in configured), *(source.name for source in selected)])
    for first, second in combinations([places[name] for name in names], 2):
        if _is_same(first, second):
            raise UsageProblem(
                f"the sources {first.name!r} and {second.name!r} are the same, {str(first.path)!r}: keep one of them"
            )
    for source in selected:
        own = places[source.name]
        for other in places.values():
            if not own.configured and other.name not in names and source.only is None and _is_same(own, other):
                raise UsageProblem(
                    f"{str(own.path)!r} is indexed already as the source {other.name!r}: sync it with --source "
                    f"{other.name}, or forget that with `footnote sync --remove {other.name}`"
                )


def _is_same(first: _Place, second: _Place) -> bool:
    return is_inside(first.path, second.path) and is_inside(second.path, first.path)


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
    trusts_documents = source.audience_from == "front-matter"
    return Source(source.name, root, only, source.audience, source.owner, trusts_documents)


def _source_of_path(configured: Sequence[settings.Source], path: Path, name: str | None) -> Source:
    """Return the part of the innermost configured source that a path lies in, else a source of its own."""
    absolute = Path(os.path.abspath(path.expanduser()))  # noqa: PTH100 - absolute() keeps `..`, resolve() follows links
    around = [source for source in configured if is_inside(absolute, source.path)]
    if around:
        source = max(around, key=lambda each: len(each.path.resolve().parts))
        if name not in {None, source.name}:
            raise UsageProblem(f"{str(path)!r} lies in the source {source.name!r}; sync it under that name")
        return _part(source, absolute)
    root, only = (absolute.parent, absolute) if absolute.is_file() else (absolute, None)
    return Source(_valid_name(name or root.name), root, only)


def _part(source: settings.Source, path: Path) -> Source:
    """Return the part of a configured source that lies at this absolute path."""
    whole = _whole(source)
    inside = relative_names(path, source.path)
    return replace(whole, only=whole.root.joinpath(*inside)) if inside else whole


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
