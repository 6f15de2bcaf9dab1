"""`LocalIndex`: lookups in memory over the newest snapshot of the store, writes straight through to it."""

import threading
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from retrieval.analysis import BIGRAM, Analyzer
from retrieval.index import Candidate, Candidates, Encoded, Indexable, Key, Lookup, Stored, TokenVectors
from retrieval.local import lexicon
from retrieval.local.lexicon import Floats
from retrieval.local.snapshot import Readable, Snapshot, load
from retrieval.local.store import Store
from retrieval.passages import Document, Passage


class LocalIndex:
    """The embedded `SearchIndex`; another process's writes are seen by the next lookup."""

    def __init__(self, store: Store, analyzer: Analyzer, *, dimensions: int) -> None:
        self.store = store
        self._analyzer = analyzer
        self._dimensions = dimensions
        self._lock = threading.Lock()
        self._snapshot: Snapshot | None = None
        self._seen: tuple[int, int] | None = None
        self._writes = 0

    def snapshot(self) -> Snapshot:
        """The newest committed state, loaded again only after a write."""
        with self._lock:
            now = self.store.data_version(), self._writes
            if self._snapshot is None or now != self._seen:
                self._snapshot, self._seen = load(self.store, self._dimensions), now
            return self._snapshot

    def stored(self, source: str) -> Mapping[str, Stored]:
        """The documents of one source by id; empty for an unknown source."""
        return self.store.stored(source)

    def replace(self, document: Document, passages: Sequence[Indexable], *, fingerprint: str) -> None:
        """Put a document in place of its old self, whole, in one transaction."""
        terms = [passage_terms(self._analyzer, indexable.passage) for indexable in passages]
        self.store.replace(document, passages, terms, fingerprint)
        self._writes += 1

    def delete(self, documents: Iterable[str]) -> None:
        """Forget these documents; unknown ids are passed over."""
        self.store.delete(documents)
        self._writes += 1

    def lookup(self, lookup: Lookup) -> Candidates:
        """Every candidate with all of its scores: nothing is cut off inside one process."""
        snapshot = self.snapshot()
        readable = snapshot.readable(lookup.audiences, lookup.recipe)
        if not readable.mask.any():
            return Candidates((), idf={term: 0.0 for term in lookup.terms})
        lexical, idf, holders = self._lexical(snapshot, readable, lookup)
        cosine, dense = _dense(snapshot, readable, lookup)
        context = self._context(snapshot, readable, lookup) if readable.crowded else np.zeros(len(lexical))
        rows = np.union1d(lexicon.best(lexical, lookup.depth), _top(dense, readable.mask, lookup.depth)).astype(int)
        matched = _matched(holders, rows)
        found = [
            Candidate(
                key=int(snapshot.ids[row]),
                document=snapshot.documents[snapshot.document[row]],
                lexical=float(lexical[row]),
                dense=float(dense[row]) if dense is not None else None,
                context=float(context[row]),
                cosine=float(cosine[row]) if cosine is not None else None,
                matched=matched[row],
            )
            for row in rows
        ]
        return Candidates(found, idf=idf, crowded=readable.crowded)

    def _lexical(
        self, snapshot: Snapshot, readable: Readable, lookup: Lookup
    ) -> tuple[Floats, dict[str, float], dict[str, lexicon.Ints]]:
        pairs = {pair: tuple(pair.split(BIGRAM)) for pair in lookup.bigrams}
        ids = self.store.known_ids({*lookup.terms, *(term for pair in pairs.values() for term in pair)})
        single = {term: snapshot.lexicon.owners_of(ids.get(term)) for term in lookup.terms}
        result, idf, holders = lexicon.scores(single, lookup.terms, readable.passages)
        if lookup.recipe.bigrams:
            double = {
                pair: snapshot.lexicon.owners_of_pair(ids.get(first), ids.get(second))
                for pair, (first, second) in pairs.items()
            }
            result = result + lookup.recipe.bigrams * lexicon.scores(double, lookup.bigrams, readable.passages)[0]
        return result, idf, holders

    def _context(self, snapshot: Snapshot, readable: Readable, lookup: Lookup) -> Floats:
        ids = self.store.known_ids(lookup.terms)
        postings = {term: snapshot.lexicon.owners_of(ids.get(term)) for term in lookup.terms}
        return lexicon.scores(postings, lookup.terms, readable.blocks)[0][snapshot.block_of]

    def passages(self, keys: Sequence[Key]) -> list[Passage]:
        """The passages of these candidates, in the order asked; one that is gone by now is left out."""
        found = self.store.passages([int(key) for key in keys])
        return [found[int(key)] for key in keys if int(key) in found]

    def tokens(self, keys: Sequence[Key]) -> Mapping[Key, TokenVectors]:
        """Token vectors of these candidates; one without any is absent."""
        return self.store.tokens([int(key) for key in keys])

    def sources(self) -> Mapping[str, str]:
        """The folder that each known source stands for."""
        prefix = "source:"
        return {key.removeprefix(prefix): value for key, value in self.store.meta().items() if key.startswith(prefix)}

    def register(self, source: str, root: str | None) -> None:
        """Remember which folder a source stands for; None forgets the source's name."""
        if root is None:
            self.store.forget_meta(f"source:{source}")
        else:
            self.store.set_meta(**{f"source:{source}": root})

    def touch(self, document: str, *, fingerprint: str) -> None:
        """Remember a new fingerprint for unchanged content."""
        self.store.set_fingerprint(document, fingerprint)

    def vectors(self, keys: Sequence[bytes]) -> Mapping[bytes, Encoded]:
        """Vectors that are known already, by `text_key`."""
        return self.store.vectors(keys)

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


def passage_terms(analyzer: Analyzer, passage: Passage) -> list[list[str]]:
    """Terms of a passage by field: text, title, heading path."""
    return [analyzer.terms(passage.embedded_text), analyzer.terms(passage.title), analyzer.terms(" ".join(passage.headings))]


def _dense(
    snapshot: Snapshot, readable: Readable, lookup: Lookup
) -> tuple[NDArray[np.float32] | None, NDArray[np.float32] | None]:
    """Cosines with the text, and those plus the weighted ones with the heading."""
    if lookup.vector is None:
        return None, None
    cosine = snapshot.text @ lookup.vector
    if not lookup.recipe.heading_vector:
        return cosine, cosine
    return cosine, cosine + np.float32(lookup.recipe.heading_vector) * (snapshot.headings @ lookup.vector)[snapshot.heading]


def _top(dense: NDArray[np.float32] | None, mask: NDArray[np.bool_], depth: int) -> NDArray[np.intp]:
    if dense is None:
        return np.zeros(0, np.intp)
    rows = np.flatnonzero(mask)
    if len(rows) > depth:
        rows = rows[np.argpartition(-dense[rows], depth)[:depth]]
    return rows


def _matched(holders: Mapping[str, lexicon.Ints], rows: NDArray[np.intp]) -> dict[int, frozenset[str]]:
    found: dict[int, set[str]] = {int(row): set() for row in rows}
    for term, units in holders.items():
        for row in np.intersect1d(units, rows, assume_unique=True):
            found[int(row)].add(term)
    return {row: frozenset(terms) for row, terms in found.items()}
