"""Fills a new generation from the stored documents of another, and checks it before it takes its place."""

from collections.abc import Iterator
from dataclasses import replace

from retrieval.errors import SearchUnavailable
from retrieval.index.elastic.documents import DocumentChange, replacement, text_ids, vectors_of
from retrieval.index.elastic.index_client import Record
from retrieval.index.elastic.mapping import PASSAGE, SKIP, SOURCE, VERSION, of_kind
from retrieval.index.elastic.store import Store
from retrieval.index.elastic.write.batch_writer import BatchWriter
from retrieval.index.generations import restrictions
from retrieval.index.protocols import Reindexer
from retrieval.ranking.analysis import Analyzer

# Parts of stored documents are up to a megabyte each.
PARTS_AT_ONCE = 20


def fill(writer: BatchWriter, old: Store, reindex: Reindexer, *, analyzer: Analyzer) -> None:
    """Bring the writer's generation to what the old one holds; what a killed rebuild filled in stays if still true.

    Raises `SearchUnavailable` when the result is not whole.
    """
    new = writer.store
    writer.cleaner.clear()
    wanted, done = old.stored(), new.stored()
    for gone in done.keys() - wanted.keys():
        writer.add(DocumentChange(gone))
    missing = [document for document, stored in wanted.items() if done.get(document) != stored]
    for document, passages in reindex(found for each in missing if (found := old.document(each))):
        writer.add(replacement(document, passages, analyzer=analyzer, fingerprint=wanted[document.id].fingerprint))
    writer.commit()
    writer.cleaner.empty(SOURCE, SKIP, VERSION)
    writer.copy(_carried_over(old))
    _check(new, old)


def restrict(writer: BatchWriter, current: Store, reindex: Reindexer, *, analyzer: Analyzer) -> None:
    """Take out of the writer's generation what the current one does not show to everybody who would see it there."""
    kept = writer.store
    writer.cleaner.clear()
    for source in kept.sources().keys() - current.sources().keys():
        writer.forget(source)
    changes = restrictions(kept.audiences(list(kept.stored())), current.audiences(list(current.stored())))
    for gone in (document for document, audience in changes.items() if audience is None):
        writer.add(DocumentChange(gone))
    narrowed = (
        replace(found, audience=audience)
        for document, audience in changes.items()
        if audience is not None and (found := kept.document(document))
    )
    for document, passages in reindex(narrowed):  # without a fingerprint the next sync reads it again
        writer.add(replacement(document, passages, analyzer=analyzer, fingerprint=""))
    writer.commit()


def _carried_over(old: Store) -> Iterator[Record]:
    """The records of sources, skipped files and past versions, these with their texts."""
    for record in old.index.scan(old.visible(of_kind(SOURCE, SKIP, VERSION))):
        yield record
        if record["kind"] == VERSION:
            ids = text_ids(record["document"], record["edition"], record["parts"])
            for start in range(0, len(ids), PARTS_AT_ONCE):
                found = old.index.records(ids[start : start + PARTS_AT_ONCE])
                yield from ({"_id": each["_id"], **each["_source"]} for each in found if each["found"])


def _check(new: Store, old: Store) -> None:
    wanted, found = old.stored(), new.stored()
    if found != wanted:
        raise SearchUnavailable(
            f"the new index holds {len(found)} of {len(wanted)} documents as they should be; the old one stays: "
            "run `footnote sync` again"
        )
    if new.counts()[1] and not _finds_itself(new):
        raise SearchUnavailable("the new index does not find its own passages; the old one stays")


def _finds_itself(store: Store) -> bool:
    """Whether a passage is found by its own vector."""
    vector = {"exists": {"field": "text_vector"}}
    some = store.with_vectors(store.visible(of_kind(PASSAGE), vector), size=1)
    if not some:
        return True  # passages without words have no direction
    *_, (_, text) = vectors_of(some[0])
    nearest = {"field": "text_vector", "query_vector": text.vector.tolist(), "k": 1, "num_candidates": 10}
    return bool(store.index.search(knn=nearest, size=1, source=False)["hits"]["hits"])
