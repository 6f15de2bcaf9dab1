"""Brings the index up to date with its sources: changed documents in, vanished ones out, nothing else touched."""

import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass, field
from hashlib import sha256

from retrieval.embedding.protocol import Embedder
from retrieval.errors import SourceUnusable
from retrieval.index.protocols import SearchIndex, SkippedFile, StoredDocument
from retrieval.parsing.protocol import Parsed, Skipped
from retrieval.parsing.worker import ParserWorker
from retrieval.passage_vectors import BATCH_SIZE, embed_documents
from retrieval.passages import Document
from retrieval.progress import Progress, ignore_progress
from retrieval.rebuild import reembed
from retrieval.sources.documents import make_document
from retrieval.sources.files import File, Source, read_file

# Raised when parsers or sectioning change what they make of the same file, and when a format is added.
PARSER_VERSION = "3"
# A file that cannot be read now may be readable tomorrow; its document stays until then.
TRANSIENT = frozenset({"unreadable", "timed-out", "out-of-memory"})
# While a file takes longer than this to parse, what was read before it is written.
LONG_PARSE_SECONDS = 1.0

ReadFile = Callable[[File], bytes | Skipped]
ParseFile = Callable[[str, bytes], Parsed | Skipped]


@dataclass(slots=True)
class SyncReport:
    """What one sync did; every file is counted once, as added, changed, unchanged or skipped."""

    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    unchanged: int = 0
    skipped: list[tuple[str, Skipped]] = field(default_factory=list)
    passages: int = 0
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)


def sync(
    sources: Iterable[Source],
    index: SearchIndex,
    embedder: Embedder,
    *,
    allow_empty: bool = False,
    progress: Progress = ignore_progress,
    batch_size: int = BATCH_SIZE,
    read: ReadFile = read_file,
    parse: ParseFile | None = None,
) -> SyncReport:
    """Sync each source; one that is unusable deletes nothing, is named in `problems`, and the others go on.

    Files are parsed in a worker process with limits, unless `parse` is given. Another sync is waited for. An index made
    with another embedding model or analyzer is made anew first.
    """
    started = time.monotonic()
    report = SyncReport()
    with index.writer.lock(lambda: progress("waiting for another sync", 0, 0)), ExitStack() as stack:
        index.admin.renew(
            lambda documents: reembed(documents, index, embedder, batch_size=batch_size, progress=progress)
        )
        # The worker ends first, so that the thread that waits for it ends too.
        pool = stack.enter_context(ThreadPoolExecutor(1, thread_name_prefix="parsing"))
        parse = parse or stack.enter_context(ParserWorker()).parse
        for source in sources:
            one = _SourceSync(source, index, report, progress=progress, read=read, parse=parse, pool=pool)
            try:
                one.run(embedder, allow_empty=allow_empty, batch_size=batch_size)
            except SourceUnusable as error:
                report.problems.append(str(error))
        return _finish(report, index, started)


def remove(source: str, index: SearchIndex) -> SyncReport:
    """Forget a source and all its documents; raises `SourceUnusable` for an unknown one."""
    started = time.monotonic()
    with index.writer.lock():
        known, names = index.reader.stored(source), index.reader.sources()
        if not known and source not in names:
            raise SourceUnusable(f"no source is called {source!r}; known: {', '.join(sorted(names)) or 'none'}")
        index.writer.forget(source)
        return _finish(SyncReport(deleted=list(known)), index, started)


def _finish(report: SyncReport, index: SearchIndex, started: float) -> SyncReport:
    if report.changed or report.deleted:
        index.writer.prune()
    report.passages = index.reader.counts()[1]
    report.seconds = time.monotonic() - started
    return report


class _SourceSync:
    """The sync of one source: lists its files, compares them with the index, and writes what is new."""

    def __init__(
        self,
        source: Source,
        index: SearchIndex,
        report: SyncReport,
        *,
        progress: Progress,
        read: ReadFile,
        parse: ParseFile,
        pool: Executor,
    ) -> None:
        self._source = source
        self._index = index
        self._report = report
        self._progress = progress
        self._read = read
        self._parse = parse
        self._pool = pool
        self._stored: Mapping[str, StoredDocument] = {}
        self._skips: Mapping[str, SkippedFile] = {}

    def run(self, embedder: Embedder, *, allow_empty: bool, batch_size: int) -> None:
        """Raise `SourceUnusable`, with nothing changed, when the source is missing, unreadable or suddenly empty."""
        source, index = self._source, self._index
        self._check_place()
        files = source.files()
        self._stored = {key: each for key, each in index.reader.stored(source.name).items() if source.contains(key)}
        self._skips = {key: each for key, each in index.writer.skips(source.name).items() if source.contains(key)}
        if self._stored and not files and not allow_empty:
            raise SourceUnusable(self._empty_message())
        if source.name not in index.reader.sources():
            index.writer.register(source.name, str(source.root))
        settings = _settings_digest(source)
        fingerprints = {key: f"{file.fingerprint} {settings}" for key, file in files.items()}
        documents = self._changed_documents(files, fingerprints)
        for document, passages in embed_documents(
            documents, index.writer, embedder, batch_size=batch_size, progress=self._progress
        ):
            index.writer.replace(document, passages, fingerprint=fingerprints[document.id])
            (self._report.changed if document.id in self._stored else self._report.added).append(document.id)
        self._delete_vanished(files)

    def _check_place(self) -> None:
        source = self._source
        if not source.root.exists():
            raise SourceUnusable(
                f"the source {source.name!r} is missing: there is no {str(source.root)!r}; nothing was changed"
            )
        folder = self._index.reader.sources().get(source.name)
        if folder is not None and folder != str(source.root):
            raise SourceUnusable(
                f"the source name {source.name!r} already stands for {folder!r}; give another with --source NAME"
            )

    def _empty_message(self) -> str:
        place = self._source.only or self._source.root
        how = "is suddenly empty" if place.exists() else "is gone"
        return (
            f"{str(place)!r} of the source {self._source.name!r} {how}; nothing was deleted. "
            "Say --allow-empty if that is meant"
        )

    def _changed_documents(
        self, files: Mapping[str, File], fingerprints: Mapping[str, str]
    ) -> Iterator[Document | None]:
        """Documents that are new or changed; counts the others as unchanged or skipped.

        None comes between them while a file takes long: what came before can be written meanwhile.
        """
        for done, (key, file) in enumerate(files.items(), start=1):
            self._progress(f"reading {self._source.name}", done, len(files))
            fingerprint, stored, skip = fingerprints[key], self._stored.get(key), self._skips.get(key)
            skipped = file.skipped or (skip.skipped if skip and skip.fingerprint == fingerprint else None)
            if not skipped and stored and stored.fingerprint == fingerprint:
                self._report.unchanged += 1
                continue
            result = skipped or (yield from self._read_document(file, stored, fingerprint))
            if isinstance(result, Document):
                yield result
            elif result is not None:
                self._skip(SkippedFile(key, self._source.name, fingerprint, result))

    def _read_document(
        self, file: File, stored: StoredDocument | None, fingerprint: str
    ) -> Generator[None, None, Document | Skipped | None]:
        """Return the file as a document, or why there is none; None when its content is unchanged.

        Yields once while it takes long.
        """
        data = self._read(file)
        if isinstance(data, Skipped):
            return data
        if stored and _has_same_content(stored, data, fingerprint):
            self._index.writer.touch(stored.document, fingerprint=fingerprint)
            self._report.unchanged += 1
            return None
        parsing = self._pool.submit(self._parse_file, file, data)
        if not wait([parsing], timeout=LONG_PARSE_SECONDS).done:
            yield
        return parsing.result()

    def _parse_file(self, file: File, data: bytes) -> Document | Skipped:
        parsed = self._parse(file.relative, data)
        return parsed if isinstance(parsed, Skipped) else make_document(self._source, file, parsed, data=data)

    def _skip(self, skip: SkippedFile) -> None:
        """Report a file that gives nothing; unless the reason is transient, its document goes and it is remembered."""
        self._report.skipped.append((skip.document, skip.skipped))
        if skip.skipped.reason in TRANSIENT or self._skips.get(skip.document) == skip:
            return
        self._index.writer.skip(skip)
        if skip.document in self._stored:
            self._report.deleted.append(skip.document)

    def _delete_vanished(self, files: Mapping[str, File]) -> None:
        documents = [key for key in self._stored if key not in files]
        skips = [key for key in self._skips if key not in files]
        if documents or skips:
            self._index.writer.delete([*documents, *skips])
        self._report.deleted += documents


def _settings_digest(source: Source) -> str:
    """The part of a fingerprint that changes with the source's settings and with how files are parsed."""
    settings = "\n".join([PARSER_VERSION, source.owner, *sorted(source.audience)])
    return sha256(settings.encode()).hexdigest()[:12]


def _has_same_content(stored: StoredDocument, data: bytes, fingerprint: str) -> bool:
    """Whether the file was only touched: the same content under the same settings."""
    same_settings = stored.fingerprint.rpartition(" ")[2] == fingerprint.rpartition(" ")[2]
    return same_settings and stored.version == sha256(data).hexdigest()
