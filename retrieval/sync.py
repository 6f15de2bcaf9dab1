"""Brings the index up to date with a folder: changed in, vanished out, nothing else touched."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from retrieval.embedding import Embedder, text_key
from retrieval.errors import SourceUnusable
from retrieval.index import Encoded, Indexable, SearchIndex, Stored
from retrieval.loading import parse
from retrieval.loading.files import File, document, listing, read
from retrieval.loading.parsed import Skipped
from retrieval.passages import EVERYONE, Document, Passage
from retrieval.sections import passages

# Raised when parsers or sectioning change what they make of the same file.
PARSER_VERSION = "1"
# Passages embedded together: enough for full batches, few enough to lose little when the process is killed.
EMBEDDED_TOGETHER = 512
# A file that cannot be read just now may be well tomorrow; what it said before stays until then.
PASSING = frozenset({"unreadable", "timed-out", "out-of-memory"})

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done and how much there is."""


@dataclass(frozen=True, slots=True)
class Source:
    """A folder under a name; with `only` (a file or folder below `root`) nothing else of it is compared."""

    name: str
    root: Path
    only: Path | None = None
    audience: frozenset[str] = frozenset({EVERYONE})
    owner: str = ""


@dataclass(slots=True)
class Report:
    """What one sync did; every file is counted once, as added, changed, unchanged or skipped."""

    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    unchanged: int = 0
    skipped: list[tuple[str, Skipped]] = field(default_factory=list)
    passages: int = 0
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Fresh:
    """A document to be put in place, cut into passages."""

    document: Document
    passages: tuple[Passage, ...]
    fingerprint: str


def sync(
    sources: Iterable[Source],
    index: SearchIndex,
    embedder: Embedder,
    *,
    allow_empty: bool = False,
    progress: Progress = lambda stage, done, total: None,
) -> Report:
    """Sync each source; one that is unusable deletes nothing, is named in `problems`, and the others go on."""
    report, started = Report(), time.monotonic()
    for source in sources:
        try:
            _sync_one(source, index, embedder, report, allow_empty=allow_empty, progress=progress)
        except SourceUnusable as error:
            report.problems.append(str(error))
    index.tidy()
    report.passages = index.counts()[1]
    report.seconds = time.monotonic() - started
    return report


def remove(source: str, index: SearchIndex) -> Report:
    """Forget a source and all its documents; raises `SourceUnusable` for an unknown one."""
    started = time.monotonic()
    known = index.stored(source)
    if not known and source not in index.sources():
        names = ", ".join(sorted(index.sources())) or "none"
        raise SourceUnusable(f"no source is called {source!r}; known: {names}")
    index.delete(known)
    index.register(source, None)
    index.tidy()
    return Report(deleted=list(known), passages=index.counts()[1], seconds=time.monotonic() - started)


def _sync_one(
    source: Source,
    index: SearchIndex,
    embedder: Embedder,
    report: Report,
    *,
    allow_empty: bool,
    progress: Progress,
) -> None:
    _check_name(source, index)
    files = list(_listed(source))
    known = {key: stored for key, stored in index.stored(source.name).items() if _in_scope(key, source)}
    if known and not files and not allow_empty:
        raise SourceUnusable(
            f"the source {source.name!r} ({str(source.root)!r}) is suddenly empty; nothing was deleted. "
            "Say --allow-empty if that is meant"
        )
    index.register(source.name, str(source.root))
    fresh = _fresh(source, files, known, index, embedder, report, progress)
    for batch in _batches(fresh):
        _put(batch, index, embedder, known, report, progress)
    skipped = {key for key, reason in report.skipped if reason.reason not in PASSING}
    gone = [key for key in known if key in skipped or key not in {f"{source.name}/{file.relative}" for file in files}]
    index.delete(gone)
    report.deleted += gone


def _check_name(source: Source, index: SearchIndex) -> None:
    if not source.root.exists():
        raise SourceUnusable(f"the source {source.name!r} is missing: there is no {str(source.root)!r}; nothing was changed")
    folder = index.sources().get(source.name)
    if folder is not None and folder != str(source.root):
        raise SourceUnusable(
            f"the source name {source.name!r} already stands for {folder!r}; give another with --source NAME"
        )


def _listed(source: Source) -> Iterator[File]:
    """Files of the source, or of the part of it that this sync is about."""
    for file in listing(source.root):
        if _in_scope(f"{source.name}/{file.relative}", source):
            yield file


def _in_scope(key: str, source: Source) -> bool:
    if source.only is None:
        return True
    part = f"{source.name}/{source.only.relative_to(source.root).as_posix()}"
    return key == part or key.startswith(f"{part}/")


def _fresh(
    source: Source,
    files: Sequence[File],
    known: Mapping[str, Stored],
    index: SearchIndex,
    embedder: Embedder,
    report: Report,
    progress: Progress,
) -> Iterator[Fresh]:
    """Documents that are new or changed; the others are counted as unchanged or skipped."""
    for done, file in enumerate(files, start=1):
        progress(f"reading {source.name}", done, len(files))
        key, fingerprint = f"{source.name}/{file.relative}", _fingerprint(file, source)
        stored = known.get(key)
        if stored and stored.fingerprint == fingerprint and not file.skipped:
            report.unchanged += 1
            continue
        data = read(file)
        if isinstance(data, Skipped):
            report.skipped.append((key, data))
            continue
        if stored and _same(stored, data, fingerprint):
            index.touch(key, fingerprint=fingerprint)
            report.unchanged += 1
            continue
        parsed = parse(file.relative, data)
        if isinstance(parsed, Skipped):
            report.skipped.append((key, parsed))
            continue
        made = document(source.name, file, parsed, data=data, audience=source.audience, owner=source.owner)
        yield Fresh(made, tuple(passages(made, count=embedder.count, window=embedder.window)), fingerprint)


def _fingerprint(file: File, source: Source) -> str:
    """Changes with the file, with what the settings say of its source, and with how files are read."""
    said = "\n".join([PARSER_VERSION, source.owner, *sorted(source.audience)])
    return f"{file.fingerprint} {sha256(said.encode()).hexdigest()[:12]}"


def _same(stored: Stored, data: bytes, fingerprint: str) -> bool:
    """The same content under the same settings, in a file that was only touched."""
    same_settings = stored.fingerprint.rpartition(" ")[2] == fingerprint.rpartition(" ")[2]
    return same_settings and stored.version == sha256(data).hexdigest()


def _batches(fresh: Iterable[Fresh]) -> Iterator[list[Fresh]]:
    batch: list[Fresh] = []
    for one in fresh:
        batch.append(one)
        if sum(len(each.passages) for each in batch) >= EMBEDDED_TOGETHER:
            yield batch
            batch = []
    if batch:
        yield batch


def _put(
    batch: Sequence[Fresh],
    index: SearchIndex,
    embedder: Embedder,
    known: Mapping[str, Stored],
    report: Report,
    progress: Progress,
) -> None:
    texts = [text for one in batch for passage in one.passages for text in (passage.embedded_text, passage.embedded_heading)]
    vectors = encoded(texts, index, embedder, progress)
    for one in batch:
        index.replace(one.document, [indexable(passage, vectors) for passage in one.passages], fingerprint=one.fingerprint)
        (report.changed if one.document.id in known else report.added).append(one.document.id)


def encoded(
    texts: Iterable[str], index: SearchIndex, embedder: Embedder, progress: Progress = lambda stage, done, total: None
) -> Mapping[bytes, Encoded]:
    """Vectors of all these texts by `text_key`; only those that the index does not know are computed."""
    wanted = {text_key(text): text for text in texts}
    vectors = dict(index.vectors(list(wanted)))
    missing = {key: text for key, text in wanted.items() if key not in vectors}
    if missing:
        done = 0

        def report(texts: int) -> None:
            nonlocal done
            done += texts
            progress("embedding", done, len(missing))

        vectors.update(zip(missing, embedder.passages(list(missing.values()), progress=report), strict=True))
    return vectors


def indexable(passage: Passage, vectors: Mapping[bytes, Encoded]) -> Indexable:
    """The passage with its vectors."""
    text, heading = vectors[text_key(passage.embedded_text)], vectors[text_key(passage.embedded_heading)]
    return Indexable(passage, text.vector, heading.vector, text.tokens)
