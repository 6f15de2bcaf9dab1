"""Brings the index up to date with a folder: changed in, vanished out, nothing else touched."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from retrieval.embedding.sentence_transformers import Embedder, text_key
from retrieval.errors import IndexNotReady, SourceUnusable
from retrieval.index.generations import NOTHING_YET
from retrieval.index.protocols import (
    Encoded,
    Generation,
    Indexable,
    IndexWriter,
    SearchIndex,
    SkippedFile,
    StoredDocument,
)
from retrieval.parsing.protocol import Skipped
from retrieval.parsing.registry import parse
from retrieval.passages import EVERYONE, Document, Passage
from retrieval.sectioning.sections import passages
from retrieval.sources.files import File, document, listing, printable, read

# Raised when parsers or sectioning change what they make of the same file, and when a format is added.
PARSER_VERSION = "1"
# Passages embedded together: enough for full batches, few enough to lose little when the process is killed.
EMBEDDED_TOGETHER = 512
# A file that cannot be read just now may be well tomorrow; what it said before stays until then.
PASSING = frozenset({"unreadable", "timed-out", "out-of-memory"})

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done and how much there is."""


def unheard(stage: str, done: int, total: int) -> None:
    """The `Progress` that nobody looks at."""


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
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """One sync under way."""

    index: SearchIndex
    embedder: Embedder
    progress: Progress
    allow_empty: bool = False
    report: Report = field(default_factory=Report)


@dataclass(frozen=True, slots=True)
class Remembered:
    """What the index knows of a source's files that this sync is about."""

    documents: Mapping[str, StoredDocument]
    skips: Mapping[str, SkippedFile]

    def is_unchanged(self, key: str, fingerprint: str) -> bool:
        """Whether the document stands there as this file gave it."""
        stored = self.documents.get(key)
        return stored is not None and stored.fingerprint == fingerprint

    def skipped(self, key: str, fingerprint: str) -> Skipped | None:
        """Why this very file gave nothing when it was last parsed."""
        skip = self.skips.get(key)
        return skip.skipped if skip and skip.fingerprint == fingerprint else None


def sync(
    sources: Iterable[Source],
    index: SearchIndex,
    embedder: Embedder,
    *,
    allow_empty: bool = False,
    progress: Progress = unheard,
) -> Report:
    """Sync each source; one that is unusable deletes nothing, is named in `problems`, and the others go on.

    Another sync is waited for. An index made with another embedding model or analyzer is made anew first.
    """
    started = time.monotonic()
    run = Run(index, embedder, progress, allow_empty)
    with index.writer.lock(lambda: progress("waiting for another sync", 0, 0)):
        index.admin.renew(lambda documents: _remade(documents, run))
        for source in sources:
            try:
                _sync_one(source, run)
            except SourceUnusable as error:
                run.report.problems.append(str(error))
        return _finished(run.report, index, started)


def remove(source: str, index: SearchIndex) -> Report:
    """Forget a source and all its documents; raises `SourceUnusable` for an unknown one."""
    started = time.monotonic()
    with index.writer.lock():
        known, names = index.reader.stored(source), index.reader.sources()
        if not known and source not in names:
            raise SourceUnusable(f"no source is called {source!r}; known: {', '.join(sorted(names)) or 'none'}")
        index.writer.forget(source)
        return _finished(Report(deleted=list(known)), index, started)


def rebuild(index: SearchIndex, embedder: Embedder, *, progress: Progress = unheard) -> Generation:
    """Make the index anew from the documents that it holds; searches go on meanwhile, a sync is waited for."""
    with index.writer.lock(lambda: progress("waiting for a sync", 0, 0)):
        index.admin.rebuild(lambda documents: _remade(documents, Run(index, embedder, progress)))
        return current(index)


def rollback(index: SearchIndex) -> Generation:
    """Go back to the generation that is kept; raises `IndexNotReady` when there is none that can be used."""
    with index.writer.lock():
        index.admin.rollback()
        return current(index)


def current(index: SearchIndex) -> Generation:
    """The generation that searches read; raises `IndexNotReady` while nothing was ever indexed."""
    found = next((each for each in index.admin.generations() if each.current), None)
    if found is None:
        raise IndexNotReady(NOTHING_YET)
    return found


def _finished(report: Report, index: SearchIndex, started: float) -> Report:
    if report.changed or report.deleted:
        index.writer.prune()
    report.passages = index.reader.counts()[1]
    report.seconds = time.monotonic() - started
    return report


def _remade(documents: Iterable[Document], run: Run) -> Iterator[tuple[Document, list[Indexable]]]:
    """Documents that are in the index already, cut and embedded again."""
    done, total = 0, run.index.reader.counts()[0]
    for batch in _batches(_cut(each, run) for each in documents):
        yield from _embedded(batch, run)
        done += len(batch)
        run.progress("rebuilding the index", done, total)


def _sync_one(source: Source, run: Run) -> None:
    _check_place(source, run.index)
    files = {f"{source.name}/{file.relative}": file for file in _listed(source)}
    remembered = Remembered(
        {key: stored for key, stored in run.index.reader.stored(source.name).items() if _in_scope(key, source)},
        {key: skip for key, skip in run.index.writer.skips(source.name).items() if _in_scope(key, source)},
    )
    if remembered.documents and not files and not run.allow_empty:
        raise SourceUnusable(_suddenly_empty(source))
    if source.name not in run.index.reader.sources():
        run.index.writer.register(source.name, str(source.root))
    for batch in _batches(_fresh(source, files, remembered, run)):
        _put(batch, remembered, run)
    gone = [key for key in remembered.documents if key not in files]
    gone_skips = [key for key in remembered.skips if key not in files]
    if gone or gone_skips:
        run.index.writer.delete([*gone, *gone_skips])
    run.report.deleted += gone


def _check_place(source: Source, index: SearchIndex) -> None:
    if not source.root.exists():
        raise SourceUnusable(
            f"the source {source.name!r} is missing: there is no {str(source.root)!r}; nothing was changed"
        )
    folder = index.reader.sources().get(source.name)
    if folder is not None and folder != str(source.root):
        raise SourceUnusable(
            f"the source name {source.name!r} already stands for {folder!r}; give another with --source NAME"
        )


def _suddenly_empty(source: Source) -> str:
    place = source.only or source.root
    how = "is suddenly empty" if place.exists() else "is gone"
    return (
        f"{str(place)!r} of the source {source.name!r} {how}; nothing was deleted. Say --allow-empty if that is meant"
    )


def _listed(source: Source) -> Iterator[File]:
    """Files of the source, or of the part of it that this sync is about."""
    for file in listing(source.root):
        if _in_scope(f"{source.name}/{file.relative}", source):
            yield file


def _in_scope(key: str, source: Source) -> bool:
    if source.only is None:
        return True
    part = f"{source.name}/{printable(source.only.relative_to(source.root).as_posix())}"
    return key == part or key.startswith(f"{part}/")


def _fresh(source: Source, files: Mapping[str, File], remembered: Remembered, run: Run) -> Iterator[Fresh]:
    """Documents that are new or changed; the others are counted as unchanged or skipped."""
    for done, (key, file) in enumerate(files.items(), start=1):
        run.progress(f"reading {source.name}", done, len(files))
        fingerprint = _fingerprint(file, source)
        found = file.skipped or remembered.skipped(key, fingerprint)
        if found is None and remembered.is_unchanged(key, fingerprint):
            run.report.unchanged += 1
            continue
        made = found or _read(key, file, source, remembered, run)
        if isinstance(made, Document):
            yield _cut(made, run, fingerprint)
        elif made is not None:
            _skip(SkippedFile(key, source.name, fingerprint, made), remembered, run)


def _read(key: str, file: File, source: Source, remembered: Remembered, run: Run) -> Document | Skipped | None:
    """What a file says, or why it says nothing; None when it was only touched."""
    data = read(file)
    if isinstance(data, Skipped):
        return data
    fingerprint, stored = _fingerprint(file, source), remembered.documents.get(key)
    if stored and _same(stored, data, fingerprint):
        run.index.writer.touch(key, fingerprint=fingerprint)
        run.report.unchanged += 1
        return None
    parsed = parse(file.relative, data)
    if isinstance(parsed, Skipped):
        return parsed
    return document(source.name, file, parsed, data=data, audience=source.audience, owner=source.owner)


def _skip(skip: SkippedFile, remembered: Remembered, run: Run) -> None:
    """Report a file that gives nothing; unless that may pass, its document goes and the reason is remembered."""
    run.report.skipped.append((skip.document, skip.skipped))
    if skip.skipped.reason in PASSING or remembered.skips.get(skip.document) == skip:
        return
    run.index.writer.skip(skip)
    if skip.document in remembered.documents:
        run.report.deleted.append(skip.document)


def _fingerprint(file: File, source: Source) -> str:
    """Changes with the file, with what the settings say of its source, and with how files are read."""
    said = "\n".join([PARSER_VERSION, source.owner, *sorted(source.audience)])
    return f"{file.fingerprint} {sha256(said.encode()).hexdigest()[:12]}"


def _same(stored: StoredDocument, data: bytes, fingerprint: str) -> bool:
    """The same content under the same settings, in a file that was only touched."""
    same_settings = stored.fingerprint.rpartition(" ")[2] == fingerprint.rpartition(" ")[2]
    return same_settings and stored.version == sha256(data).hexdigest()


def _cut(document: Document, run: Run, fingerprint: str = "") -> Fresh:
    found = passages(document, count=run.embedder.count, window=run.embedder.window)
    return Fresh(document, tuple(found), fingerprint)


def _batches(fresh: Iterable[Fresh]) -> Iterator[list[Fresh]]:
    batch: list[Fresh] = []
    for one in fresh:
        batch.append(one)
        if sum(len(each.passages) for each in batch) >= EMBEDDED_TOGETHER:
            yield batch
            batch = []
    if batch:
        yield batch


def _put(batch: Sequence[Fresh], remembered: Remembered, run: Run) -> None:
    fingerprints = {one.document.id: one.fingerprint for one in batch}
    for each, found in _embedded(batch, run):
        run.index.writer.replace(each, found, fingerprint=fingerprints[each.id])
        (run.report.changed if each.id in remembered.documents else run.report.added).append(each.id)


def _embedded(batch: Sequence[Fresh], run: Run) -> Iterator[tuple[Document, list[Indexable]]]:
    texts = (text for one in batch for each in one.passages for text in (each.embedded_text, each.embedded_heading))
    vectors = encoded(texts, run.index.writer, run.embedder, run.progress)
    for one in batch:
        yield one.document, [indexable(passage, vectors) for passage in one.passages]


def encoded(
    texts: Iterable[str], writer: IndexWriter, embedder: Embedder, progress: Progress = unheard
) -> Mapping[bytes, Encoded]:
    """Vectors of all these texts by `text_key`; only those that the index does not know are computed."""
    wanted = {text_key(text): text for text in texts}
    vectors = dict(writer.vectors(list(wanted)))
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
    return Indexable(passage, vectors[text_key(passage.embedded_text)], vectors[text_key(passage.embedded_heading)])
