"""What every `IndexAdmin` promises: generations are rebuilt, replaced and rolled back while searches go on."""

import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import pytest

from retrieval.errors import IndexNotReady
from retrieval.index.protocols import Indexable, SearchIndex, SkippedFile
from retrieval.parsing.protocol import Skipped
from retrieval.passages import Document
from tests.fakes import FakeEmbedder
from tests.retrieval.conftest import Opener
from tests.retrieval.samples import (
    LEAVE,
    TRAVEL,
    cut,
    document,
    found,
    lookup,
    put,
    reindexer,
    shown,
    version,
)

QUESTION = "How many days of leave may be carried over?"


def test_an_index_of_another_model_or_language_refuses_until_it_is_renewed(opener: Opener):
    leave = document("docs/leave", LEAVE)
    put(opener(), leave)
    for other, what in (
        (opener("other/64"), r"with the embedding model 'fake/64' instead of 'other/64'"),
        (opener(language="german"), r"with the text analysis '.+' instead of '.+'"),
    ):
        with pytest.raises(IndexNotReady, match=rf"^the index was made {what}: `footnote sync` rebuilds it"):
            other.reader.lookup(lookup(QUESTION))
        with pytest.raises(IndexNotReady):
            other.writer.replace(leave, [], fingerprint="f")
        assert other.reader.document("docs/leave") == leave
        assert other.reader.counts()[0] == 1


def test_a_renewed_index_keeps_everything_but_the_vectors(opener: Opener):
    old = document("docs/leave", LEAVE)
    skip = SkippedFile("docs/x.pdf", "docs", "f", Skipped("no-text", "there is no text"))
    first = opener()
    put(first, old, document("docs/travel", TRAVEL), fingerprint="kept")
    put(first, version(old, LEAVE.replace("Five", "Six")), fingerprint="newer")
    first.writer.skip(skip)
    embedder = FakeEmbedder("other/64")
    other = opener("other/64")
    with other.writer.lock():
        other.admin.renew(reindexer(embedder, other))
    assert found(other, "leave train") == {"docs/leave", "docs/travel"}
    assert {each.fingerprint for each in other.reader.stored("docs").values()} == {"kept", "newer"}
    assert other.writer.skips("docs") == {"docs/x.pdf": skip}
    assert other.reader.sources() == {"docs": "/folders/docs"}
    assert other.reader.document("docs/leave", version=old.version) is not None
    assert embedder.passage_texts


def test_a_running_process_sees_the_renewal_and_never_mixes_models(opener: Opener):
    first, other = opener(), opener("other/64")
    put(first, document("docs/leave", LEAVE))
    keys = [each.key for each in first.reader.lookup(lookup(QUESTION)).found]
    with other.writer.lock():
        other.admin.renew(reindexer(FakeEmbedder("other/64"), other))
    assert len(first.reader.passages(keys)) == len(keys), "a search that was under way goes on"
    with pytest.raises(IndexNotReady, match="with the embedding model 'other/64' instead of 'fake/64'"):
        first.reader.lookup(lookup(QUESTION))
    assert found(other, QUESTION) == {"docs/leave"}
    assert opener("other/64").reader.passages(keys) == {}, "a key of the old generation names nothing in the new one"


def test_renewing_a_fitting_index_does_nothing(opener: Opener):
    index = opener()
    put(index, document("docs/leave", LEAVE))
    embedder = FakeEmbedder()
    with index.writer.lock():
        index.admin.renew(reindexer(embedder, index))
    assert embedder.passage_texts == []
    assert found(index, QUESTION) == {"docs/leave"}


def listed(index: SearchIndex) -> list[tuple[int, int, bool]]:
    return [(each.documents, each.passages, each.current) for each in index.admin.generations()]


def test_a_rebuilt_index_holds_the_same_and_the_one_before_it_is_kept(opener: Opener):
    index, watching = opener(), opener()
    old = document("docs/leave", LEAVE)
    skip = SkippedFile("docs/x.pdf", "docs", "f", Skipped("no-text", "there is no text"))
    put(index, old, document("docs/travel", TRAVEL), version(old, LEAVE.replace("Five", "Six")))
    index.writer.skip(skip)
    before, stored = shown(index, index.reader.lookup(lookup(QUESTION))), index.reader.stored("docs")
    (first,) = index.admin.generations()
    with index.writer.lock():
        index.admin.rebuild(reindexer(FakeEmbedder(), index))
    kept, current = index.admin.generations()
    assert (kept.name, kept.current, current.current) == (first.name, False, True)
    assert (current.embedding, current.analyzer) == (first.embedding, first.analyzer)
    assert (current.documents, current.passages) == (first.documents, first.passages) == index.reader.counts()
    for each in (index, watching):
        assert shown(each, each.reader.lookup(lookup(QUESTION))) == before
        assert each.reader.stored("docs") == stored
        assert (each.writer.skips("docs"), each.reader.sources()) == ({skip.document: skip}, {"docs": "/folders/docs"})
        assert each.reader.document("docs/leave", version=old.version) is not None


def test_searches_go_on_while_the_index_is_made_anew(opener: Opener):
    index, observer = opener(), opener()
    put(index, document("docs/leave", LEAVE), document("docs/travel", TRAVEL))
    seen: list[set[str]] = []

    def watched(documents: Iterable[Document]) -> Iterator[tuple[Document, Sequence[Indexable]]]:
        for pair in reindexer(FakeEmbedder(), index)(documents):
            yield pair
            seen.append(found(observer, "leave train"))

    with index.writer.lock():
        index.admin.rebuild(watched)
    assert seen == [{"docs/leave", "docs/travel"}] * 2


def test_a_rollback_brings_back_what_was_there_and_can_be_rolled_back(opener: Opener):
    index, watching = opener(), opener()
    old, travel = document("docs/leave", LEAVE), document("docs/travel", TRAVEL)
    put(index, old)
    with index.writer.lock():
        index.admin.rebuild(reindexer(FakeEmbedder(), index))
        put(index, version(old, LEAVE.replace("Five", "Six")), travel)
    names = [each.name for each in index.admin.generations()]
    with index.writer.lock():
        assert index.admin.rollback(reindexer(FakeEmbedder(), index)) == names[0]
    for each in (index, watching):
        assert each.reader.document("docs/leave") == old
        assert found(each, "leave train") == {"docs/leave"}
    assert listed(index) == [(1, len(cut(old)), True), (2, len(cut(old)) + len(cut(travel)), False)]
    with watching.writer.lock():
        assert watching.admin.rollback(reindexer(FakeEmbedder(), watching)) == names[1]
    # What the other one has never held may have been deleted: it comes back with a sync.
    assert found(index, "leave train") == {"docs/leave"}
    assert [each.name for each in index.admin.generations() if each.current] == names[1:]


def test_what_was_restricted_deleted_or_forgotten_since_is_not_brought_back(opener: Opener):
    index = opener()
    leave, travel, pay = (document(f"docs/{name}", LEAVE) for name in ("leave", "travel", "pay"))
    other = document("it/phones", LEAVE)
    skipped, same = document("docs/skipped", LEAVE), document("docs/same", LEAVE)
    put(index, leave, travel, pay, other, skipped, same)
    with index.writer.lock():
        index.admin.rebuild(reindexer(FakeEmbedder(), index))
        put(index, replace(leave, audience=frozenset({"hr"})))
        put(index, replace(version(pay, TRAVEL), audience=frozenset({"hr", "managers"})))
        index.writer.delete([travel.id])
        index.writer.skip(SkippedFile(skipped.id, "docs", "f", Skipped("no-text", "there is no text")))
        index.writer.forget("it")
    with index.writer.lock():
        index.admin.rollback(reindexer(FakeEmbedder(), index))
    assert found(index, QUESTION) == {same.id}
    assert found(index, QUESTION, "hr") == {same.id, leave.id, pay.id}
    assert index.reader.document(pay.id) == replace(pay, audience=frozenset({"hr", "managers"}))
    assert set(index.reader.sources()) == {"docs"}
    assert index.reader.stored("it") == {}
    assert index.reader.audiences([leave.id, travel.id, same.id]) == {leave.id: {"hr"}, same.id: {"everyone"}}
    fingerprints = {each.document: each.fingerprint for each in index.reader.stored("docs").values()}
    assert fingerprints == {leave.id: "", pay.id: "", same.id: "f"}, "the next sync reads these two again"


def test_an_older_text_is_not_opened_by_what_is_said_of_the_newer_one(opener: Opener):
    index = opener()
    closed = document("docs/leave", LEAVE, audience=["hr", "leeds"])
    put(index, closed)
    with index.writer.lock():
        index.admin.rebuild(reindexer(FakeEmbedder(), index))
        put(index, version(replace(closed, audience=frozenset({"everyone"})), TRAVEL))
    with index.writer.lock():
        index.admin.rollback(reindexer(FakeEmbedder(), index))
    assert index.reader.audiences([closed.id]) == {closed.id: {"hr", "leeds"}}
    assert found(index, QUESTION) == set()


def test_only_one_other_generation_is_kept(index):
    put(index, document("docs/leave", LEAVE))
    for _ in range(3):
        with index.writer.lock():
            index.admin.rebuild(reindexer(FakeEmbedder(), index))
    assert [each.current for each in index.admin.generations()] == [False, True]


def test_there_is_no_going_back_to_what_is_not_kept(index):
    for _ in range(2):
        with pytest.raises(
            IndexNotReady, match="no other generation of the index is kept; `footnote index rebuild` makes one"
        ):
            index.admin.rollback(reindexer(FakeEmbedder(), index))
        put(index, document("docs/leave", LEAVE))
    assert found(index, QUESTION) == {"docs/leave"}


def test_there_is_no_going_back_to_another_model(opener: Opener):
    leave = document("docs/leave", LEAVE)
    put(opener(), leave)
    other = opener("other/64")
    with other.writer.lock():
        other.admin.renew(reindexer(FakeEmbedder("other/64"), other))
        with pytest.raises(IndexNotReady, match=r"was made with the embedding model 'fake/64' .*: set these again"):
            other.admin.rollback(reindexer(FakeEmbedder("other/64"), other))
    assert found(other, QUESTION) == {"docs/leave"}
    first = opener()
    with first.writer.lock():
        first.admin.rollback(reindexer(FakeEmbedder(), first))
    assert found(first, QUESTION) == {"docs/leave"}
    assert {each.embedding: each.current for each in first.admin.generations()} == {"fake/64": True, "other/64": False}


def test_what_arrives_during_a_rebuild_waits_and_is_not_lost(opener: Opener):
    index, late = opener(), opener()
    put(index, document("docs/leave", LEAVE))
    waiting = threading.Event()

    def write() -> None:
        with late.writer.lock(waiting.set):
            put(late, document("docs/travel", TRAVEL))

    writer = threading.Thread(target=write)

    def interrupted(documents: Iterable[Document]) -> Iterator[tuple[Document, Sequence[Indexable]]]:
        writer.start()
        assert waiting.wait(timeout=30)
        yield from reindexer(FakeEmbedder(), index)(documents)

    with index.writer.lock():
        index.admin.rebuild(interrupted)
        assert set(index.reader.stored("docs")) == {"docs/leave"}
    writer.join(timeout=30)
    assert set(index.reader.stored("docs")) == {"docs/leave", "docs/travel"}
    assert found(index, "leave train") == {"docs/leave", "docs/travel"}
    assert [each.current for each in index.admin.generations()] == [False, True]
