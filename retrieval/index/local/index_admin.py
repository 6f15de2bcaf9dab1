"""The embedded index's `IndexAdmin`."""

from contextlib import closing

from retrieval.errors import IndexNotReady
from retrieval.index.generations import NONE_KEPT, refusal, rollback_refusal
from retrieval.index.local.database import Database
from retrieval.index.local.generations import GenerationFiles
from retrieval.index.local.open_generations import OpenGenerations
from retrieval.index.local.schema import SCHEMA_VERSION
from retrieval.index.local.store_reader import StoreReader
from retrieval.index.local.store_writer import StoreWriter
from retrieval.index.protocols import Generation, Reindexer
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
            terms = [passage_terms(self._analyzer, indexable.passage) for indexable in passages]
            writer.replace(document, passages, terms=terms, fingerprint=wanted[document.id].fingerprint)
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

    def rollback(self) -> str:
        """Make the kept generation the current one and give its name."""
        kept = self._files.kept()
        if kept is None:
            raise IndexNotReady(NONE_KEPT)
        with closing(Database(self._files.path(kept))) as database:
            reason = rollback_refusal(database.built, self._files.wanted)
        if reason:
            raise IndexNotReady(reason)
        self._files.promote(kept)
        return str(kept)


def _described(number: int, database: Database, *, current: bool) -> Generation:
    documents, passages = StoreReader(database).counts()
    return Generation(str(number), database.built.embedding, database.built.analyzer, documents, passages, current)
