"""Generations of the index behind one alias: a new one takes the old one's place while searches go on."""

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing

import pytest
from elasticsearch import Elasticsearch

from retrieval.errors import IndexNotReady, SearchUnavailable
from retrieval.index.elastic.admin.generations import GenerationIndices
from retrieval.index.elastic.index import ElasticIndex
from retrieval.index.elastic.mapping import SCHEMA_VERSION
from retrieval.index.generations import IndexFingerprint
from retrieval.index.protocols import Indexable
from retrieval.passages import Document
from retrieval.rebuild import rebuild
from tests.fakes import FakeEmbedder
from tests.retrieval.conftest import elastic
from tests.retrieval.samples import (
    LEAVE,
    TRAVEL,
    cut,
    document,
    finished,
    lookup,
    process,
    put,
    reindexer,
    version,
)

pytestmark = [pytest.mark.server, pytest.mark.timeout(600)]

KILLED_REBUILD = """
import os, signal, sys
from retrieval.index.elastic.write.limits import WriteLimits
from tests.fakes import FakeEmbedder
from tests.retrieval.conftest import elastic
from tests.retrieval.samples import reindexer

embedder = FakeEmbedder("other/64")
# Every document is shown by itself.
index = elastic(*sys.argv[1:3], embedder, limits=WriteLimits(commit_bytes=1))

def dying(documents):
    for number, pair in enumerate(reindexer(embedder)(documents)):
        if number == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        yield pair

with index.writer.lock():
    index.admin.renew(dying)
"""


KILLED_BEFORE_THE_SWAP = """
import os, signal, sys
from retrieval.index.elastic.admin.generations import GenerationIndices
from tests.fakes import FakeEmbedder
from tests.retrieval.conftest import elastic
from tests.retrieval.samples import reindexer

embedder = FakeEmbedder("other/64")
index = elastic(*sys.argv[1:3], embedder)
GenerationIndices.promote = lambda self, name: os.kill(os.getpid(), signal.SIGKILL)
with index.writer.lock():
    index.admin.renew(reindexer(embedder))
"""


def put_documents(index: ElasticIndex, count: int = 6) -> list[Document]:
    documents = [document(f"docs/{number}", f"{LEAVE}\n\nIt is number {number}.") for number in range(count)]
    with index.writer.lock():
        put(index, *documents)
    return documents


def current(index: ElasticIndex) -> list[tuple[int, bool]]:
    """The complete generations by number, and which is current."""
    return [(int(each.name.rpartition("-")[2]), each.current) for each in index.admin.generations()]


def all_numbers(url: str, alias: str) -> list[int]:
    """The generations whose indices are there, complete or not."""
    with Elasticsearch(url) as client:
        return [
            each.number for each in GenerationIndices(client, alias, IndexFingerprint(SCHEMA_VERSION, "", "")).all()
        ]


def test_searches_during_a_rebuild_never_fail_and_never_mix_generations(elasticsearch_url, alias):
    with closing(elastic(elasticsearch_url, alias)) as index, closing(elastic(elasticsearch_url, alias)) as observer:
        documents = {each.id for each in put_documents(index)}
        done = threading.Event()
        failures: list[tuple[object, ...]] = []
        searches: list[str] = []

        def search() -> None:
            while not done.is_set():
                try:
                    found = observer.reader.lookup(lookup("days of leave")).found
                    passages = observer.reader.passages([each.key for each in found])
                    observer.admin.generations()  # while they come and go
                    searches.append(str(found[0].key).partition("/")[0])
                    if {each.document for each in found} != documents or len(passages) != len(found):
                        failures.append((len(found), len(passages)))
                    if len({str(each.key).partition("/")[0] for each in found}) != 1:
                        failures.append(("mixed",))
                except Exception as error:  # noqa: BLE001 - whatever goes wrong is what the test is about
                    failures.append((error,))

        threads = [threading.Thread(target=search) for _ in range(3)]
        for each in threads:
            each.start()
        with index.writer.lock():
            for _ in range(2):
                index.admin.rebuild(reindexer(FakeEmbedder()))
            index.admin.rollback(reindexer(FakeEmbedder(), index))
        done.set()
        for each in threads:
            each.join()
        assert failures == []
        assert len(set(searches)) > 1
        assert current(index) == [(2, True), (3, False)]


def test_a_rebuilt_index_can_be_rolled_back_and_forth(elasticsearch_url, alias):
    with closing(elastic(elasticsearch_url, alias)) as index:
        documents = put_documents(index)
        with index.writer.lock():
            index.admin.rebuild(reindexer(FakeEmbedder()))
            put(index, version(documents[0], TRAVEL))
        assert current(index) == [(1, False), (2, True)]
        assert index.admin.rollback(reindexer(FakeEmbedder(), index)) == f"{alias}-000001"
        assert index.admin.rollback(reindexer(FakeEmbedder(), index)) == f"{alias}-000002"
        assert index.reader.document(documents[0].id) == version(documents[0], TRAVEL)


def test_nothing_is_rebuilt_where_nothing_is(elasticsearch_url, alias):
    with closing(elastic(elasticsearch_url, alias)) as index, index.writer.lock():
        index.admin.renew(reindexer(FakeEmbedder()))
        index.admin.rebuild(reindexer(FakeEmbedder()))
        assert index.admin.generations() == []
        with pytest.raises(IndexNotReady, match=r"^nothing is indexed yet: `footnote sync FOLDER`"):
            rebuild(index, FakeEmbedder())


def test_a_killed_rebuild_leaves_the_old_generation_and_is_gone_on_with(elasticsearch_url, alias):
    with closing(elastic(elasticsearch_url, alias)) as index:
        documents = put_documents(index)
        rebuild = process(KILLED_REBUILD, elasticsearch_url, alias)
        with pytest.raises(AssertionError):
            finished(rebuild)
        assert current(index) == [(1, True)]
        assert all_numbers(elasticsearch_url, alias) == [1, 2]
        assert len(index.reader.lookup(lookup("days of leave")).found) == index.reader.counts()[1]
        embedder = FakeEmbedder("other/64")
        with closing(elastic(elasticsearch_url, alias, embedder)) as other:
            with other.writer.lock():
                other.admin.renew(reindexer(embedder))
            assert current(other) == [(1, False), (2, True)]
            assert all_numbers(elasticsearch_url, alias) == [1, 2]
            assert other.reader.counts() == (len(documents), sum(len(cut(each)) for each in documents))
            embedded = {text for each in documents for text in (p.embedded_text for p in cut(each))}
            assert 0 < len(embedded & set(embedder.passage_texts)) < len(embedded), "what was done is not done again"


def test_a_rebuild_killed_before_the_swap_is_not_done_again(elasticsearch_url, alias):
    with closing(elastic(elasticsearch_url, alias)) as index:
        put_documents(index)
        with pytest.raises(AssertionError):
            finished(process(KILLED_BEFORE_THE_SWAP, elasticsearch_url, alias))
        assert [is_current for _, is_current in current(index)] == [True, False]
        embedder = FakeEmbedder("other/64")
        with closing(elastic(elasticsearch_url, alias, embedder)) as other, other.writer.lock():
            other.admin.renew(reindexer(embedder))
            assert current(other) == [(1, False), (2, True)]
        assert embedder.passage_texts == []


def test_a_rebuild_that_loses_documents_does_not_take_the_place(elasticsearch_url, alias):
    def forgetful(documents: Iterable[Document]) -> Iterator[tuple[Document, Sequence[Indexable]]]:
        yield from list(reindexer(FakeEmbedder())(documents))[1:]

    with closing(elastic(elasticsearch_url, alias)) as index:
        documents = put_documents(index)
        with (
            pytest.raises(SearchUnavailable, match=r"the new index holds 5 of 6 documents .* the old one stays"),
            index.writer.lock(),
        ):
            index.admin.rebuild(forgetful)
        assert [number for number, is_current in current(index) if is_current] == [1]
        assert set(index.reader.stored("docs")) == {each.id for each in documents}


def test_an_index_of_others_behind_the_name_is_left_alone(elasticsearch_url, alias):
    with Elasticsearch(elasticsearch_url) as client, closing(elastic(elasticsearch_url, alias)) as index:
        client.indices.create(index=f"{alias}-theirs", aliases={alias: {}}, settings={"number_of_replicas": 0})
        for attempt in (
            lambda: index.reader.lookup(lookup("leave")),
            lambda: put(index, document("docs/leave", LEAVE)),
            lambda: index.writer.delete(["docs/leave"]),
            lambda: index.writer.lock().__enter__(),
        ):
            with pytest.raises(IndexNotReady, match=rf"^the index behind '{alias}' was not made by Footnote"):
                attempt()
        assert client.count(index=alias)["count"] == 0


def test_what_a_rollback_leaves_is_what_the_next_rebuild_keeps(elasticsearch_url, alias):
    with closing(elastic(elasticsearch_url, alias)) as index:
        documents = put_documents(index)
        with index.writer.lock():
            index.admin.rebuild(reindexer(FakeEmbedder()))
            put(index, version(documents[0], TRAVEL))
        with index.writer.lock():
            index.admin.rollback(reindexer(FakeEmbedder(), index))
            index.admin.rebuild(reindexer(FakeEmbedder()))
            assert current(index) == [(1, False), (3, True)]
            index.admin.rollback(reindexer(FakeEmbedder(), index))
        assert all_numbers(elasticsearch_url, alias) == [1, 3]
        assert index.reader.document(documents[0].id) == documents[0]


def test_an_alias_of_several_indices_is_refused(elasticsearch_url, alias):
    with Elasticsearch(elasticsearch_url) as client, closing(elastic(elasticsearch_url, alias)) as index:
        put_documents(index)
        client.indices.create(index=f"{alias}-more", aliases={alias: {}}, settings={"number_of_replicas": 0})
        with pytest.raises(IndexNotReady, match="stands for several indices"):
            index.reader.stored("docs")


def test_an_index_of_a_newer_version_is_left_alone(elasticsearch_url, alias):
    with Elasticsearch(elasticsearch_url) as client, closing(elastic(elasticsearch_url, alias)) as index:
        newer = IndexFingerprint(SCHEMA_VERSION + 1, "fake/64", "english-1")
        GenerationIndices(client, alias, newer).first(64)
        with pytest.raises(IndexNotReady, match="made by a newer version of Footnote: install that version"):
            index.reader.lookup(lookup("leave"))
        with pytest.raises(IndexNotReady, match="newer version"), index.writer.lock():
            index.admin.renew(reindexer(FakeEmbedder()))


def test_two_processes_that_begin_at_once_make_one_index(elasticsearch_url, alias):
    with closing(elastic(elasticsearch_url, alias)) as index:
        code = """
import sys
from tests.retrieval.conftest import elastic
from tests.retrieval.samples import LEAVE, document, put
put(elastic(*sys.argv[1:3]), document(sys.argv[3], LEAVE))
"""
        for each in [process(code, elasticsearch_url, alias, f"docs/{number}") for number in range(3)]:
            finished(each)
        assert current(index) == [(1, True)]
        assert len(index.reader.stored("docs")) == 3
