"""`LocalIndex`: lookups in memory over the newest snapshot of the store, writes straight through to it."""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field
from pathlib import Path

from retrieval.embedding.sentence_transformers import Embedder
from retrieval.errors import IndexNotReady
from retrieval.index.generations import NONE_KEPT, NOTHING_YET, IndexFingerprint, rollback_refusal
from retrieval.index.local.generations import Generations
from retrieval.index.local.ranking import ranked, words_of
from retrieval.index.local.schema import SCHEMA_VERSION
from retrieval.index.local.snapshot import Snapshot, empty, load
from retrieval.index.local.store import Store
from retrieval.index.protocols import (
    Candidates,
    Encoded,
    Generation,
    Indexable,
    Key,
    Lookup,
    PassageTokens,
    Remade,
    Skip,
    Stored,
)
from retrieval.passages import Document, Passage
from retrieval.ranking.analysis import Analyzer
from retrieval.ranking.bm25 import passage_terms

# A key is a generation's number above so many bits, and below them a passage's id in its file.
ID_BITS = 40
# The current generation, and the one before it for searches that were under way when it was replaced.
OPEN_AT_ONCE = 2


def open_index(home: Path, embedder: Embedder, analyzer: Analyzer) -> "LocalIndex":
    """The index in a state folder, made when there is none; the embedding model is not loaded for it."""
    wanted = IndexFingerprint(SCHEMA_VERSION, embedder.name, analyzer.name)
    return LocalIndex(Generations(home, wanted), analyzer)


@dataclass(slots=True)
class Opened:
    """One generation's file and what was last read of it."""

    number: int
    store: Store
    snapshot: Snapshot = field(default_factory=empty)


class LocalIndex:
    """The embedded `SearchIndex`; another process's writes, and a new generation, are seen by the next lookup."""

    def __init__(self, generations: Generations, analyzer: Analyzer) -> None:
        self._generations = generations
        self._analyzer = analyzer
        self._lock = threading.RLock()
        self._opened: list[Opened] = []
        self._current()

    def close(self) -> None:
        """Let go of all files; the next use opens them again."""
        with self._lock:
            while self._opened:
                self._opened.pop().store.close()

    def _current(self) -> Opened:
        with self._lock:
            number = self._generations.current()
            if not self._opened or self._opened[-1].number != number:
                self._open(number)
            return self._opened[-1]

    def _open(self, number: int) -> None:
        known = [opened for opened in self._opened if opened.number == number]
        opened = known[0] if known else Opened(number, Store(self._generations.path(number)))
        self._opened = [*(other for other in self._opened if other is not opened), opened]
        while len(self._opened) > OPEN_AT_ONCE:
            self._opened.pop(0).store.close()

    @property
    def store(self) -> Store:
        """The current generation's store."""
        return self._current().store

    def _ready(self) -> Opened:
        """The current generation, if this process's embedding model and analyzer made it."""
        opened = self._current()
        refusal = self._generations.refusal(opened.store.made)
        if refusal:
            raise IndexNotReady(refusal)
        return opened

    def writing(self, waiting: Callable[[], None] = lambda: None) -> AbstractContextManager[None]:
        """The sole right to change the index, across processes; it ends with the process that held it."""
        return self._generations.writing(waiting)

    def renew(self, remade: Remade) -> None:
        """Fill a new generation beside the current one if that was made otherwise, and put it in its place."""
        if self._current().store.made == self._generations.wanted:
            self._generations.sweep()
            return
        self.rebuild(remade)

    def rebuild(self, remade: Remade) -> None:
        """The same, whatever the current one was made with."""
        old = self._current()
        if old.store.made.schema > SCHEMA_VERSION:
            raise IndexNotReady(self._generations.refusal(old.store.made))
        number, new = self._generations.successor(old.number)
        try:
            self._fill(new, old.store, remade)
            new.settle()
        finally:
            new.close()
        self._generations.promote(number)

    def generations(self) -> list[Generation]:
        """Every complete generation, oldest first."""
        current, kept = self._current(), self._generations.kept()
        described = {current.number: _described(current.number, current.store, current=True)}
        if kept is not None:
            with closing(Store(self._generations.path(kept))) as store:
                described[kept] = _described(kept, store, current=False)
        return [described[number] for number in sorted(described)]

    def rollback(self) -> str:
        """Make the kept generation the current one and give its name."""
        kept = self._generations.kept()
        if kept is None:
            raise IndexNotReady(NONE_KEPT)
        with closing(Store(self._generations.path(kept))) as store:
            why = rollback_refusal(store.made, self._generations.wanted)
        if why:
            raise IndexNotReady(why)
        self._generations.promote(kept)
        return str(kept)

    def _fill(self, new: Store, old: Store, remade: Remade) -> None:
        """What a killed rebuild has filled in already stays, so far as it is still true."""
        wanted, done = old.stored(), new.stored()
        new.delete(done.keys() - wanted.keys())
        missing = [document for document, stored in wanted.items() if done.get(document) != stored]
        for document, passages in remade(found for each in missing if (found := old.document(each))):
            self._put(new, document, passages, wanted[document.id].fingerprint)
        new.carry_over(old)
        new.prune()

    def _put(self, store: Store, document: Document, passages: Sequence[Indexable], fingerprint: str) -> None:
        terms = [passage_terms(self._analyzer, indexable.passage) for indexable in passages]
        store.replace(document, passages, terms, fingerprint)

    def stored(self, source: str) -> Mapping[str, Stored]:
        """The documents of one source by id; empty for an unknown source."""
        return self.store.stored(source)

    def skips(self, source: str) -> Mapping[str, Skip]:
        """The files of one source that gave nothing."""
        return self.store.skips(source)

    def replace(self, document: Document, passages: Sequence[Indexable], *, fingerprint: str) -> None:
        """Put a document in place of its old self, whole, in one transaction."""
        self._put(self._ready().store, document, passages, fingerprint)

    def skip(self, skip: Skip) -> None:
        """Remember that a file gives nothing, in place of its document."""
        self.store.skip(skip)

    def delete(self, documents: Iterable[str]) -> None:
        """Forget these documents or skipped files; unknown ids are passed over."""
        self.store.delete(documents)

    def forget(self, source: str) -> None:
        """Forget a source with everything that came from it."""
        self.store.forget(source)

    def snapshot(self) -> Snapshot:
        """The newest committed state, read again only so far as it changed."""
        return self._snapshot(self._ready())

    def _snapshot(self, opened: Opened) -> Snapshot:
        with self._lock:
            if opened.snapshot.edition != opened.store.edition():
                opened.snapshot = load(opened.store, opened.snapshot)
            return opened.snapshot

    def lookup(self, lookup: Lookup) -> Candidates:
        """Every candidate with all of its scores: nothing is cut off inside one process."""
        opened = self._ready()
        snapshot = self._snapshot(opened)
        if not snapshot.documents and not opened.store.sources():
            raise IndexNotReady(NOTHING_YET)
        ids = opened.store.known_ids(words_of(lookup))
        return ranked(snapshot, lookup, ids, first_key=opened.number << ID_BITS)

    def passages(self, keys: Sequence[Key]) -> Mapping[Key, Passage]:
        """The passages of these candidates; one that is gone by now is absent."""
        found: dict[Key, Passage] = {}
        for store, first, ids in self._by_store(keys):
            found.update({first + key: passage for key, passage in store.passages(ids).items()})
        return found

    def tokens(self, keys: Sequence[Key]) -> Mapping[Key, PassageTokens]:
        """Token vectors of these candidates; one that is gone by now is absent."""
        found: dict[Key, PassageTokens] = {}
        for store, first, ids in self._by_store(keys):
            found.update({first + key: tokens for key, tokens in store.tokens(ids).items()})
        return found

    def _by_store(self, keys: Sequence[Key]) -> Iterator[tuple[Store, int, list[int]]]:
        """The ids of each generation that is still open, with what makes them keys."""
        with self._lock:
            opened = list(self._opened)
        for each in opened:
            ids = [int(key) & ((1 << ID_BITS) - 1) for key in keys if int(key) >> ID_BITS == each.number]
            if ids:
                yield each.store, each.number << ID_BITS, ids

    def sources(self) -> Mapping[str, str]:
        """The folder that each known source stands for."""
        return self.store.sources()

    def register(self, source: str, root: str) -> None:
        """Remember which folder a source stands for."""
        self.store.register(source, root)

    def touch(self, document: str, *, fingerprint: str) -> None:
        """Remember a new fingerprint for unchanged content."""
        self.store.set_fingerprint(document, fingerprint)

    def vectors(self, keys: Sequence[bytes]) -> Mapping[bytes, Encoded]:
        """Vectors that the embedding model in use has made before, by `text_key`."""
        store = self.store
        return store.vectors(keys) if store.made.embedding == self._generations.wanted.embedding else {}

    def counts(self) -> tuple[int, int]:
        """How many documents and passages there are."""
        return self.store.counts()

    def tidy(self) -> None:
        """Drop what nothing refers to any more."""
        self.store.prune()

    def document(self, document: str, *, version: str | None = None) -> Document | None:
        """One document as it was parsed, the current version unless an older one is named."""
        return self.store.document(document, version)

    def sections(self, document: str) -> list[Passage]:
        """The current passages of one document in reading order."""
        return self.store.sections(document)


def _described(number: int, store: Store, *, current: bool) -> Generation:
    documents, passages = store.counts()
    return Generation(str(number), store.made.embedding, store.made.analyzer, documents, passages, current)
