"""The embedded index's `IndexReader`."""

from collections.abc import Collection, Mapping, Sequence

from retrieval.errors import IndexNotReady
from retrieval.index.generations import NOTHING_YET
from retrieval.index.local.open_generations import OpenGenerations
from retrieval.index.local.ranking import rank, terms_of
from retrieval.index.protocols import StoredDocument
from retrieval.passages import Document, Passage
from retrieval.ranking.candidates import Candidates, Key, Lookup, PassageTokens


class LocalReader:
    """Searches the newest snapshot in memory; another process's writes are seen by the next lookup."""

    def __init__(self, generations: OpenGenerations) -> None:
        self._generations = generations

    def lookup(self, lookup: Lookup) -> Candidates:
        """Every candidate with all of its scores: nothing is cut off inside one process."""
        opened = self._generations.ready()
        snapshot = opened.snapshot()
        if not snapshot.documents and not opened.reader.sources():
            raise IndexNotReady(NOTHING_YET)
        ids = opened.reader.term_ids(terms_of(lookup))
        return rank(snapshot, lookup, ids, first_key=opened.first_key)

    def passages(self, keys: Sequence[Key]) -> Mapping[Key, Passage]:
        """The passages of these candidates; one that is gone by now is absent."""
        found: dict[Key, Passage] = {}
        for opened, ids in self._generations.of_keys(keys):
            found.update({opened.first_key + id_: passage for id_, passage in opened.reader.passages(ids).items()})
        return found

    def tokens(self, keys: Sequence[Key]) -> Mapping[Key, PassageTokens]:
        """Token vectors of these candidates; one that is gone by now is absent."""
        found: dict[Key, PassageTokens] = {}
        for opened, ids in self._generations.of_keys(keys):
            found.update({opened.first_key + id_: tokens for id_, tokens in opened.reader.tokens(ids).items()})
        return found

    def document(self, document: str, *, version: str | None = None) -> Document | None:
        """One document as it was parsed, the current version unless an older one is named."""
        return self._generations.current().reader.document(document, version)

    def audiences(self, documents: Collection[str]) -> Mapping[str, frozenset[str]]:
        """Who may read these documents at this moment."""
        return self._generations.current().reader.audiences(documents)

    def sections(self, document: str) -> list[Passage]:
        """The current passages of one document in reading order."""
        return self._generations.current().reader.sections(document)

    def sources(self) -> Mapping[str, str]:
        """The folder of each known source."""
        return self._generations.current().reader.sources()

    def stored(self, source: str) -> Mapping[str, StoredDocument]:
        """The documents of one source by id; empty for an unknown source."""
        return self._generations.current().reader.stored(source)

    def counts(self) -> tuple[int, int]:
        """How many documents and passages are indexed."""
        return self._generations.current().reader.counts()
