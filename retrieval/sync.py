"""Brings the index up to date with its sources: changed documents in, vanished ones out, nothing else touched."""

import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
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
PARSER_VERSION = "4"
# A file that cannot be read now may be readable tomorrow; its document stays until then. One whose content was read and
# takes too much is another: what it said before is no longer what it says, and perhaps not for everyone any more.
TRANSIENT = frozenset({"unreadable"})
# The next sync tries these again: they may be for want of what other programs took.
TRIED_AGAIN = frozenset({"timed-out", "out-of-memory"})
# While a file takes longer than this to parse, what was read before it is written.
LONG_PARSE_SECONDS = 1.0

# Of a file that is new while a restricted source inside is missing.
MAY_BELONG_ELSEWHERE = "it may belong to the source {!r} inside this one, which is missing: mend its path, or remove it"

ReadFile = Callable[[File], bytes | Skipped]
ParseFile = Callable[[str, bytes], Parsed | Skipped]


@dataclass(slots=True)
class SyncReport:
    """What one sync did; every file is counted once, as added, changed, unchanged or skipped.

    `notes` say what else an owner should know of a document or a folder, such as the source inside that it belongs to.
    """

    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    unchanged: int = 0
    skipped: list[tuple[str, Skipped]] = field(default_factory=list)
    passages: int = 0
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)
    notes: list[tuple[str, Skipped]] = field(default_factory=list)


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
        self._report.notes += [
            (part, Skipped("outside-source", f"it belongs to the source {inner!r}, which lies inside {source.name!r}"))
            for part, inner in source.inner_parts().items()
        ]
        settings = _settings_digest(source)
        fingerprints = {key: f"{file.fingerprint} {settings}" for key, file in files.items()}
        if not allow_empty:
            self._refuse_sudden_loss(files, fingerprints)
        if source.name not in index.reader.sources():
            index.writer.register(source.name, str(source.root))
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

    def _refuse_sudden_loss(self, files: Mapping[str, File], fingerprints: Mapping[str, str]) -> None:
        """Raise `SourceUnusable` when none of the documents that the source had would be left.

        A document is left when its file still gives one, or when another file now has its content. A file that cannot
        be read just now keeps its document, so it is neither lost nor left. What nobody may read any more, and what
        belongs to a source inside this one, goes in any case: to keep that would be to show it.
        """
        moved_in = [key for key in self._stored if self._belongs_to_inner(key)]
        lost = [key for key in self._stored.keys() - moved_in if key not in files]
        hidden: list[SkippedFile] = []
        known = [key for key in self._stored if key in files]
        for key in sorted(known, key=lambda key: self._stored[key].fingerprint != fingerprints[key]):
            result = self._look(files[key], self._stored[key], fingerprints[key])
            if result is None:
                return
            if result.restricted:
                hidden.append(SkippedFile(key, self._source.name, fingerprints[key], result))
            elif result.reason not in TRANSIENT:
                lost.append(key)
        if not lost or self._is_any_moved(lost, files):
            return
        for skip in hidden:
            self._skip(skip)
        self._delete(moved_in)
        raise SourceUnusable(self._loss_message(files))

    def _look(self, file: File, stored: StoredDocument, fingerprint: str) -> Skipped | None:
        """Why the file of a document gives none any more; None when it does."""
        if not file.skipped and stored.fingerprint == fingerprint:
            return None
        data = self._read(file)
        if isinstance(data, Skipped):
            return data
        result = None if _has_same_content(stored, data, fingerprint) else self._parse_file(file, data)
        return result if isinstance(result, Skipped) else None

    def _is_any_moved(self, lost: Iterable[str], files: Mapping[str, File]) -> bool:
        """Whether a file that is new gives a document with the content of a lost one."""
        versions = {self._stored[key].version for key in lost}
        new = (file for key, file in files.items() if key not in self._stored)
        contents = ((file, data) for file in new if isinstance(data := self._read(file), bytes))
        return any(
            sha256(data).hexdigest() in versions and isinstance(self._parse_file(file, data), Document)
            for file, data in contents
        )

    def _belongs_to_inner(self, document: str) -> bool:
        """Whether a document, indexed before, lies in a source inside this one."""
        return any(document == part or document.startswith(f"{part}/") for part in self._source.inner_parts())

    def _loss_message(self, files: Mapping[str, File]) -> str:
        place = self._source.only or self._source.root
        how = "is suddenly empty" if place.exists() else "is gone"
        if files:
            how = f"has none of its {len(self._stored)} documents any more"
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
        missing = self._source.missing_inner()
        for done, (key, file) in enumerate(files.items(), start=1):
            self._progress(f"reading {self._source.name}", done, len(files))
            if missing and key not in self._stored:  # not remembered: it is looked at again once that is there
                self._report.skipped.append((key, Skipped("outside-source", MAY_BELONG_ELSEWHERE.format(missing))))
                continue
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
        parsing = self._pool.submit(self._parse, file.relative, data)
        if not wait([parsing], timeout=LONG_PARSE_SECONDS).done:
            yield
        parsed = parsing.result()
        document = self._document(file, data, parsed)
        if isinstance(parsed, Parsed) and isinstance(document, Document):
            self._report.notes += [(document.id, note) for note in parsed.notes]
        return document

    def _parse_file(self, file: File, data: bytes) -> Document | Skipped:
        return self._document(file, data, self._parse(file.relative, data))

    def _document(self, file: File, data: bytes, parsed: Parsed | Skipped) -> Document | Skipped:
        return parsed if isinstance(parsed, Skipped) else make_document(self._source, file, parsed, data=data)

    def _skip(self, skip: SkippedFile) -> None:
        """Report a file that gives nothing; its document goes unless the reason is transient.

        The file is remembered, and tried again once it has changed, or with the next sync for want of memory or time.
        """
        self._report.skipped.append((skip.document, skip.skipped))
        if skip.skipped.reason in TRANSIENT or self._skips.get(skip.document) == skip:
            return
        known = [skip.document] if skip.document in self._stored else []
        if skip.skipped.reason in TRIED_AGAIN:
            self._delete(known)
            return
        self._index.writer.skip(skip)
        self._report.deleted += known

    def _delete_vanished(self, files: Mapping[str, File]) -> None:
        documents, skips = ([key for key in known if key not in files] for known in (self._stored, self._skips))
        self._delete(documents, skips)

    def _delete(self, documents: list[str], skips: Sequence[str] = ()) -> None:
        if documents or skips:
            self._index.writer.delete([*documents, *skips])
        self._report.deleted += documents


def _settings_digest(source: Source) -> str:
    """The part of a fingerprint that changes with the source's settings and with how files are parsed."""
    audience = ["left to documents"] if source.audience is None else sorted(source.audience)
    settings = "\n".join([PARSER_VERSION, str(source.trusts_documents), source.owner, *audience])
    return sha256(settings.encode()).hexdigest()[:12]


def _has_same_content(stored: StoredDocument, data: bytes, fingerprint: str) -> bool:
    """Whether the file was only touched: the same content under the same settings."""
    same_settings = stored.fingerprint.rpartition(" ")[2] == fingerprint.rpartition(" ")[2]
    return same_settings and stored.version == sha256(data).hexdigest()
