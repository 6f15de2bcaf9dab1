"""Writers on one index of Elasticsearch: whole documents, one writer at a time, and nothing lost to `kill -9`."""

import json
import subprocess
import threading
import time
from contextlib import closing

import pytest
from elasticsearch import Elasticsearch

from retrieval.errors import SearchUnavailable
from retrieval.index.elastic.index import ElasticIndex
from retrieval.index.elastic.index_client import IndexClient
from retrieval.index.elastic.retries import Retries
from retrieval.index.elastic.visibility import VisibilityRecord
from retrieval.index.elastic.write.bulk import BulkSender, refused
from retrieval.index.elastic.write.limits import WriteLimits
from retrieval.index.elastic.write.lock import WriteLock
from tests.retrieval.conftest import LEASE, elastic
from tests.retrieval.samples import (
    LEAVE,
    REWRITE_A_DOCUMENT,
    TRAVEL,
    cut,
    document,
    finished,
    line,
    lookup,
    process,
    put,
    version,
    words_seen_whole,
)

pytestmark = [pytest.mark.server, pytest.mark.timeout(600)]

OPEN = """
import sys, time
from tests.retrieval.conftest import elastic
from tests.retrieval.samples import LEAVE, TRAVEL, document, put, version

index = elastic(*sys.argv[1:3])
"""

WRITE = OPEN + REWRITE_A_DOCUMENT

STOP_BEFORE_SHOWING = f"""{OPEN}
from retrieval.index.elastic.visibility import VisibilityRecord

change = VisibilityRecord.change

def stopping(self, **how):
    if how.get("show"):
        print("everything is sent", flush=True)
        time.sleep(600)
    change(self, **how)

with index.writer.lock():
    VisibilityRecord.change = stopping
    put(index, version(document("docs/leave", LEAVE), TRAVEL), document("docs/new", LEAVE))
"""

HOLD = f"""{OPEN}
with index.writer.lock():
    print("held", flush=True)
    time.sleep(600)
"""

ADD = f"""{OPEN}
name = sys.argv[3]
with index.writer.lock(lambda: print("waiting", flush=True)):
    put(index, *(document(f"docs/{{name}}-{{number}}", LEAVE) for number in range(5)))
"""


def killed(started: subprocess.Popen[str]) -> None:
    started.kill()
    started.communicate()


def texts(index: ElasticIndex, text: str) -> set[str]:
    found = index.reader.lookup(lookup(text)).found
    return {passage.text for passage in index.reader.passages([each.key for each in found]).values()}


def test_a_reader_sees_a_document_whole_while_it_is_written_again_and_again(elasticsearch_url, alias):
    with closing(elastic(elasticsearch_url, alias)) as index:
        put(index, document("docs/still", "# Still\n\nThis one never changes."))
        with process(WRITE, elasticsearch_url, alias) as writer:
            try:
                assert line(writer) == "ready"
                seen = words_seen_whole(index, lookups=100, seconds=60)
            finally:
                killed(writer)
    assert seen == {"alpha", "beta"}


def test_a_writer_killed_before_its_changes_are_shown_changes_nothing(elasticsearch_url, alias):
    leave = document("docs/leave", LEAVE)
    with closing(elastic(elasticsearch_url, alias)) as index, Elasticsearch(elasticsearch_url) as client:
        put(index, leave)
        before = texts(index, "leave manager train hotel")
        with process(STOP_BEFORE_SHOWING, elasticsearch_url, alias) as writer:
            assert line(writer) == "everything is sent"
            killed(writer)
        client.indices.refresh(index=alias)
        assert texts(index, "leave manager train hotel") == before
        assert index.reader.document("docs/leave") == leave
        assert index.reader.sections("docs/leave") == cut(leave)
        assert index.reader.document("docs/leave", version=version(leave, TRAVEL).version) is None
        assert set(index.reader.stored("docs")) == {"docs/leave"}
        assert index.reader.counts() == (1, len(cut(leave)))
        with index.writer.lock():
            assert index.reader.counts() == (1, len(cut(leave)))
        left = client.search(index=alias, query={"term": {"document": "docs/new"}}, size=0)
        assert left["hits"]["total"]["value"] == 0, "the next writer removes what is left"
        assert not VisibilityRecord(client, f"{alias}-000001").read().batches
        put(index, version(leave, TRAVEL))
        assert texts(index, "train hotel") == {passage.text for passage in cut(version(leave, TRAVEL))}


def test_a_right_that_cannot_be_renewed_is_lost_for_the_reason_that_the_server_gives(elasticsearch_url, alias):
    with Elasticsearch(elasticsearch_url) as client:
        lock = WriteLock(client, f"{alias}-lock", lease=5.0)
        with lock.hold():
            client.indices.put_settings(index=f"{alias}-lock", settings={"index.blocks.write": True})
            time.sleep(6)
            with pytest.raises(SearchUnavailable, match="was lost, because Elasticsearch does not allow this"):
                lock.check()


def test_the_right_to_write_ends_with_the_process_that_held_it(elasticsearch_url, alias):
    with closing(elastic(elasticsearch_url, alias)) as index:
        with process(HOLD, elasticsearch_url, alias) as holder:
            assert line(holder) == "held"
            killed(holder)
        waited: list[str] = []
        began = time.monotonic()
        with index.writer.lock(lambda: waited.append("waiting")):
            assert waited == ["waiting"]
            put(index, document("docs/leave", LEAVE))
        assert time.monotonic() - began > LEASE / 2
        assert index.reader.counts()[0] == 1


def test_writers_take_turns_and_lose_nothing(elasticsearch_url, alias):
    with closing(elastic(elasticsearch_url, alias)) as index:
        with index.writer.lock():
            started = [process(ADD, elasticsearch_url, alias, name) for name in ("a", "b")]
            assert [line(each) for each in started] == ["waiting", "waiting"]
            put(index, document("docs/c", TRAVEL))
            assert set(index.reader.stored("docs")) == {"docs/c"}
        for each in started:
            finished(each)
        assert len(index.reader.stored("docs")) == 11


def test_a_writer_that_lost_the_right_shows_nothing(elasticsearch_url, alias):
    with closing(elastic(elasticsearch_url, alias)) as index, Elasticsearch(elasticsearch_url) as client:
        put(index, document("docs/leave", LEAVE))

        def robbed() -> None:
            with index.writer.lock():
                client.index(index=f"{alias}-lock", id="writer", document={"owner": "another"})
                put(index, document("docs/travel", TRAVEL))
                time.sleep(LEASE)  # until the lease has been found lost or has ended

        with pytest.raises(SearchUnavailable, match="the sole right to change the index was lost"):
            robbed()
        client.delete(index=f"{alias}-lock", id="writer")
        assert set(index.reader.stored("docs")) == {"docs/leave"}


def test_what_was_replaced_is_removed_when_nobody_can_be_reading_it(elasticsearch_url, alias):
    leave = document("docs/leave", LEAVE)
    with closing(elastic(elasticsearch_url, alias)) as index, Elasticsearch(elasticsearch_url) as client:
        put(index, leave, version(leave, TRAVEL))
        query = {"bool": {"filter": [{"term": {"kind": "passage"}}]}}
        index.writer.prune()
        assert len(client.search(index=alias, query=query)["hits"]["hits"]) > index.reader.counts()[1]
        with closing(elastic(elasticsearch_url, alias, limits=WriteLimits(grace_ms=0))) as later:
            later.writer.prune()
        assert len(client.search(index=alias, query=query)["hits"]["hits"]) == index.reader.counts()[1]
        assert not VisibilityRecord(client, f"{alias}-000001").read().marks
        assert index.reader.document("docs/leave", version=leave.version) is not None


def test_a_large_load_is_sent_and_shown_in_steps(elasticsearch_url, alias):
    limits = WriteLimits(commit_bytes=30_000, request_bytes=5_000)
    with (
        closing(elastic(elasticsearch_url, alias, limits=limits)) as index,
        closing(elastic(elasticsearch_url, alias)) as observer,
    ):
        seen = set()
        with index.writer.lock():
            for number in range(30):
                put(index, document(f"docs/{number}", LEAVE))
                seen.add(observer.reader.counts()[0])
        assert index.reader.counts() == (30, 30 * len(cut(document("docs/x", LEAVE))))
        assert 2 < len(seen) < 30


def lines(count: int):
    return [(json.dumps({"index": {"_id": str(number)}}).encode(), b"{}") for number in range(count)]


def test_records_that_are_refused_for_now_are_told_from_those_refused_for_good():
    busy = {"index": {"_id": "1", "status": 429, "error": {"type": "rejected", "reason": "queue full"}}}
    fine = {"index": {"_id": "0", "status": 201}}
    assert refused(lines(2), [fine, busy]) == (lines(2)[1:], "queue full")
    settled = [{"create": {"_id": "0", "status": 409, "error": {}}}, {"delete": {"_id": "1", "status": 404}}]
    assert refused(lines(2), settled) == ([], "")
    bad = {"index": {"_id": "1", "status": 400, "error": {"type": "mapper", "reason": "no such field"}}}
    with pytest.raises(SearchUnavailable, match="refused the record '1': mapper: no such field"):
        refused(lines(2), [fine, bad])


def test_a_full_disk_is_waited_for_and_then_told(elasticsearch_url, alias):
    pauses: list[float] = []
    with Elasticsearch(elasticsearch_url) as client:
        client.indices.create(
            index=f"{alias}-full", settings={"index.blocks.read_only_allow_delete": True, "number_of_replicas": 0}
        )
        retries = Retries(sleep=pauses.append, jitter=lambda: 0.5)
        bulk = BulkSender(IndexClient(client, f"{alias}-full", retries=retries))
        bulk.add(lines(3))
        with closing(bulk), pytest.raises(SearchUnavailable, match=r"would not take 3 records after 8 tries: .*disk"):
            bulk.finish()
    assert pauses == sorted(pauses)
    assert len(pauses) == 7


def test_a_reader_in_the_writing_process_does_not_wait(elasticsearch_url, alias):
    with closing(elastic(elasticsearch_url, alias)) as index:
        put(index, document("docs/leave", LEAVE))
        found: list[int] = []
        with index.writer.lock():
            put(index, document("docs/travel", TRAVEL))
            counting = threading.Thread(target=lambda: found.append(index.reader.counts()[0]))
            counting.start()
            counting.join(30)
            assert found == [1]
        assert index.reader.counts()[0] == 2


def test_what_a_large_load_leaves_is_merged_by_and_by(elasticsearch_url, alias):
    limits = WriteLimits(merge_bytes=1)
    with (
        closing(elastic(elasticsearch_url, alias, limits=limits)) as index,
        Elasticsearch(elasticsearch_url) as client,
    ):
        with index.writer.lock():
            for number in range(6):
                put(index, document(f"docs/{number}", LEAVE))
                index.reader.counts()  # shown step by step
            assert segments(client, alias) > 1
        deadline = time.monotonic() + 60
        while segments(client, alias) > 1:
            assert time.monotonic() < deadline, "never merged"
            time.sleep(0.1)
        assert index.reader.counts()[0] == 6


def segments(client: Elasticsearch, alias: str) -> int:
    """How many segments every search goes through."""
    stats = client.indices.stats(index=f"{alias}-000001", metric="segments")
    return int(stats["_all"]["primaries"]["segments"]["count"])
