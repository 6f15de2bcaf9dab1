"""The embedded index's `IndexAdmin`."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace

from retrieval.errors import IndexNotReady
from retrieval.index.generations import NONE_KEPT, refusal, restrictions, rollback_refusal
from retrieval.index.local.database import Database
from retrieval.index.local.generations import GenerationFiles
from retrieval.index.local.open_generations import OpenGenerations
from retrieval.index.local.schema import SCHEMA_VERSION
from retrieval.index.local.store_reader import StoreReader
from retrieval.index.local.store_writer import StoreWriter
from retrieval.index.protocols import Generation, Indexable, Reindexer
from retrieval.passages import Document
from retrieval.ranking.analysis import Analyzer
from retrieval.ranking.bm25 import passage_terms


class LocalAdmin:
    """Builds generations as files of the state folder and points it to the current one."""

    def __init__(self, files: GenerationFiles, generations: OpenGenerations, analyzer: Analyzer) -> None:
        self._files, self._generations, self._analyzer = files, generations, analyzer

    def renew(self, reindex: Reindexer) -> None:
        """Rebuild the index if another embedding model or analyzer built it; else delete what a rebuild left."""
        if self._generations.current().database.built == self._files.wanted:
            self._files.sweep()
            return
        self.rebuild(reindex)

    def rebuild(self, reindex: Reindexer) -> None:
        """Fill a new generation beside the current one and put it in its place."""
        old = self._generations.current()
        if old.database.built.schema > SCHEMA_VERSION:
            raise IndexNotReady(refusal(old.database.built, self._files.wanted))
        number, new = self._files.successor(old.number)
        try:
            self._fill(new, old.database, reindex)
            new.checkpoint()
        finally:
            new.close()
        self._files.promote(number)

    def _fill(self, new: Database, old: Database, reindex: Reindexer) -> None:
        """Bring a new generation to what the old one holds; what a killed rebuild filled in stays if still true."""
        source, target, writer = StoreReader(old), StoreReader(new), StoreWriter(new)
        wanted, done = source.stored(), target.stored()
        writer.delete(done.keys() - wanted.keys())
        missing = [document for document, stored in wanted.items() if done.get(document) != stored]
        for document, passages in reindex(found for each in missing if (found := source.document(each))):
            self._store(writer, document, passages, fingerprint=wanted[document.id].fingerprint)
        writer.carry_over(old)
        writer.prune()

    def generations(self) -> list[Generation]:
        """Every complete generation, oldest first."""
        current, kept = self._generations.current(), self._files.kept()
        described = {current.number: _described(current.number, current.database, current=True)}
        if kept is not None:
            with closing(Database(self._files.path(kept))) as database:
                described[kept] = _described(kept, database, current=False)
        return [described[number] for number in sorted(described)]

    def rollback(self, reindex: Reindexer) -> str:
        """Restrict the kept generation as the current one is, and make it the current one."""
        kept, current = self._files.kept(), self._generations.current()
        if kept is None:
            raise IndexNotReady(NONE_KEPT)
        with closing(Database(self._files.path(kept))) as database:
            if reason := rollback_refusal(database.built, self._files.wanted):
                raise IndexNotReady(reason)
            self._restrict(database, current.database, reindex)
        self._files.promote(kept)
        return str(kept)

    def _restrict(self, kept: Database, current: Database, reindex: Reindexer) -> None:
        """Take out of the kept generation what the current one does not show to everybody who would see it there."""
        ours, theirs, writer = StoreReader(kept), StoreReader(current), StoreWriter(kept)
        for source in ours.sources().keys() - theirs.sources().keys():
            writer.forget(source)
        changes = restrictions(ours.audiences(ours.stored()), theirs.audiences(theirs.stored()))
        writer.delete(document for document, audience in changes.items() if audience is None)
        narrowed = (
            replace(found, audience=audience)
            for document, audience in changes.items()
            if audience is not None and (found := ours.document(document))
        )
        for document, passages in reindex(narrowed):
            self._store(writer, document, passages, fingerprint="")  # so that the next sync reads it again

    def _store(
        self, writer: StoreWriter, document: Document, passages: Sequence[Indexable], *, fingerprint: str
    ) -> None:
        terms = [passage_terms(self._analyzer, indexable.passage) for indexable in passages]
        writer.replace(document, passages, terms=terms, fingerprint=fingerprint)


def _described(number: int, database: Database, *, current: bool) -> Generation:
    documents, passages = StoreReader(database).counts()
    return Generation(str(number), database.built.embedding, database.built.analyzer, documents, passages, current)
