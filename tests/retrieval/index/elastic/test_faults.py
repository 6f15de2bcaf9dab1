"""Servers that stop, hang, fill up and lose parts: searches answer or say why in time, and a sync loses nothing."""

import random
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from dataclasses import replace
from pathlib import Path
from shutil import rmtree
from typing import Any, Self
from uuid import uuid4

import pytest
from elastic_transport import ObjectApiResponse
from elasticsearch import Elasticsearch

from retrieval.embedding.vectors import Encoded
from retrieval.errors import RetrievalError, SearchUnavailable
from retrieval.index.elastic.admin.generations import GenerationIndices
from retrieval.index.elastic.client import Connection
from retrieval.index.elastic.index import ElasticIndex, open_elastic
from retrieval.index.elastic.mapping import SCHEMA_VERSION
from retrieval.index.elastic.retries import RETRIES, Retries
from retrieval.index.elastic.visibility import VisibilityRecord
from retrieval.index.elastic.write.limits import WRITE_LIMITS, WriteLimits
from retrieval.index.generations import IndexFingerprint
from retrieval.parsing.protocol import Parsed
from retrieval.parsing.registry import parse
from retrieval.passages import Query
from retrieval.ranking.analysis import Analyzer
from retrieval.search import Search
from retrieval.sources.files import Source
from retrieval.sync import sync
from tests.fakes import FakeEmbedder
from tests.retrieval.conftest import LEASE, elastic
from tests.retrieval.samples import LEAVE, TRAVEL, cut, document, finished, lookup, process, put, reindexer
from tests.servers.elastic.installation import best
from tests.servers.elastic.processes import Unavailable
from tests.servers.elastic.server import Server, serving

pytestmark = [pytest.mark.server, pytest.mark.timeout(900)]

DOCUMENTS, PARTS = 60, 6
READ_LIMIT = 3.0
# What a busy machine may add to a limit before a test calls it broken.
SLACK = 4.0
# A sync embeds few passages at once, sends and shows every few documents, so that what breaks it finds it half-way.
BATCH_SIZE = 12
SMALL_STEPS = WriteLimits(request_bytes=20_000, commit_bytes=60_000)

SYNC = """
import sys
from pathlib import Path
from retrieval import sync as syncing
from tests.fakes import FakeEmbedder
from tests.retrieval.conftest import elastic
from tests.retrieval.index.elastic.test_faults import BATCH_SIZE, SMALL_STEPS

url, alias, folder = sys.argv[1:]

def progress(stage, done, total):
    print(stage, flush=True)

index = elastic(url, alias, limits=SMALL_STEPS)
syncing.sync([syncing.Source("docs", Path(folder))], index, FakeEmbedder(), progress=progress, batch_size=BATCH_SIZE)
"""


def folder_of(folder: Path, word: str = "alpha", *, documents: int = DOCUMENTS) -> Path:
    """A folder of documents, each of several passages that all hold this word."""
    folder.mkdir(exist_ok=True)
    for number in range(documents):
        parts = (f"## Part {part}\n\nPassage {part} of number{number} speaks of {word} leave." for part in range(PARTS))
        (folder / f"{number:03}.md").write_text(f"# Document {number}\n\n" + "\n\n".join(parts))
    return folder


def assert_holds(index: ElasticIndex, folder: Path) -> None:
    """The index holds what the files say, every document whole, and nothing else."""
    expected = {f"docs/{path.name}": path for path in folder.iterdir()}
    assert set(index.reader.stored("docs")) == set(expected)
    passages = 0
    for id_, path in expected.items():
        document = index.reader.document(id_)
        assert document is not None
        parsed = parse(path.name, path.read_bytes())
        assert isinstance(parsed, Parsed)
        assert document.text == parsed.text
        assert index.reader.sections(id_) == cut(document)
        passages += len(cut(document))
    assert index.reader.counts() == (len(expected), passages)
    found = index.reader.lookup(lookup("leave", depth=1000)).found
    assert len(found) == passages
    assert len(index.reader.tokens([each.key for each in found])) == passages


class Load:
    """Threads that search one index until the block ends, and read the document of the best hit as citing does.

    Whoever gets no ten hits, hits of two generations or no document has failed.
    """

    def __init__(self, index: ElasticIndex, *, threads: int = 8) -> None:
        self.failures: list[str] = []
        self.slowest = 0.0
        self.done = 0
        self.generations: set[str] = set()
        self._index = index
        self._search = Search(index.reader, FakeEmbedder(), Analyzer())
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(each,)) for each in range(threads)]

    def __enter__(self) -> Self:
        for each in self._threads:
            each.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        for each in self._threads:
            each.join(120)
        assert not any(each.is_alive() for each in self._threads), "a search hangs"

    def searches(self, more: int, *, seconds: float = 120) -> None:
        """Returns when so many more searches have ended, well or not."""
        wanted, deadline = self.done + more, time.monotonic() + seconds
        while self.done < wanted:
            assert time.monotonic() < deadline, f"{self.done} searches of {wanted} ended in {seconds} s"
            time.sleep(0.02)

    def _run(self, number: int) -> None:
        rng = random.Random(number)
        while not self._ended.is_set():
            began, step = time.monotonic(), "search"
            try:
                hits = self._search(Query(f"passage {rng.randrange(PARTS)} of number{rng.randrange(DOCUMENTS)}")).hits
                prefixes = {str(hit.key).partition("/")[0] for hit in hits}
                self.generations |= prefixes
                if len(hits) != 10 or len(prefixes) != 1:
                    self.failures.append(f"{len(hits)} hits of {sorted(prefixes)}")
                step = "document"
                if hits and self._index.reader.document(hits[0].passage.document) is None:
                    self.failures.append(f"no document {hits[0].passage.document}")
            except Exception as error:  # noqa: BLE001 - whatever goes wrong is what the tests are about
                self.failures.append(f"{type(error).__name__}: {error} ({step}, {time.monotonic() - began:.1f} s)")
                self._ended.wait(0.1)  # a server that starts again needs the processor
            self.slowest = max(self.slowest, time.monotonic() - began)
            self.done += 1


class ActingEmbedder(FakeEmbedder):
    """Does something once, in the midst of a sync: before it embeds for this time."""

    def __init__(self, act: Callable[[], object], *, after: int, name: str = "fake/64") -> None:
        super().__init__(name)
        self.acted = False
        self._act, self._left = act, after

    def encode_passages(self, texts, **how) -> list[Encoded]:
        if self._left == 0:
            self._act()
            self.acted = True
        self._left -= 1
        return super().encode_passages(texts, **how)


@pytest.fixture
def server(elasticsearch_server: Server) -> Server:
    """A running server that this module may break."""
    if not elasticsearch_server.running:
        elasticsearch_server.start()
    return elasticsearch_server


@pytest.fixture
def name(server: Server) -> Iterator[str]:
    """An alias of the test's own on a server that the test may leave broken."""
    alias = f"test-{uuid4().hex[:12]}"
    yield alias
    with suppress(OSError):
        for index in server.call("GET", f"/{alias}*?expand_wildcards=all")[1]:
            server.call("DELETE", f"/{index}")


@pytest.fixture
def opener(server: Server, name: str) -> Iterator[Callable[..., ElasticIndex]]:
    """Opens the index again and again, as another process would; a read of it takes `READ_LIMIT` at most."""
    with ExitStack() as opened:

        def opener(
            embedding: str = "fake/64",
            *,
            shards: int = 1,
            limits: WriteLimits = WRITE_LIMITS,
            retries: Retries = RETRIES,
        ) -> ElasticIndex:
            return opened.enter_context(
                closing(
                    open_elastic(
                        Connection((server.url,), timeout=READ_LIMIT),
                        FakeEmbedder(embedding),
                        Analyzer(),
                        alias=name,
                        shards=shards,
                        lease=LEASE,
                        limits=limits,
                        retries=retries,
                    )
                )
            )

        yield opener


def sync_folder(index: ElasticIndex, folder: Path, embedder: FakeEmbedder | None = None) -> None:
    """Sync in batches so small that what breaks it finds it half-way."""
    sync([Source("docs", folder)], index, embedder or FakeEmbedder(), batch_size=BATCH_SIZE)


def refused(attempt: Callable[[], object], *, limit: float, match: str = r"^Elasticsearch at [^\n]+: [^\n]+$") -> str:
    """The message that a person gets when this fails, in one line and within the limit."""
    began = time.monotonic()
    with pytest.raises(SearchUnavailable, match=match) as raised:
        attempt()
    assert time.monotonic() - began < limit + SLACK
    return str(raised.value)


@pytest.mark.full
def test_a_server_stopped_before_a_search_is_named_and_found_again(server, opener, tmp_path):
    folder, index = folder_of(tmp_path / "docs"), opener()
    sync_folder(index, folder)
    server.stop()
    for attempt in (
        lambda: index.reader.lookup(lookup("leave")),
        lambda: opener().reader.lookup(lookup("leave")),
        lambda: index.reader.document("docs/000.md"),
        index.reader.counts,
    ):
        assert "check that it runs" in refused(attempt, limit=READ_LIMIT)
    server.start()
    assert_holds(index, folder)


@pytest.mark.full
def test_a_server_killed_during_searches_ends_each_of_them_in_time(server, opener, tmp_path):
    folder, index = folder_of(tmp_path / "docs"), opener()
    sync_folder(index, folder)
    with Load(index) as load:
        load.searches(100)
        server.kill()
        load.searches(100)
        assert load.failures
        assert all(each.startswith("SearchUnavailable: Elasticsearch at ") for each in load.failures), load.failures
        assert not any("\n" in each for each in load.failures)
        server.start()
        load.searches(16)  # those that began before it was back
        load.failures.clear()
        load.searches(200)
        assert load.failures == []
    assert load.slowest < READ_LIMIT + SLACK


@pytest.mark.full
@pytest.mark.parametrize("after", [0, 7, 20])
def test_a_sync_whose_server_is_killed_says_so_and_the_next_one_completes_it(server, opener, tmp_path, after):
    folder = folder_of(tmp_path / "docs")
    index = opener(limits=SMALL_STEPS, retries=Retries(longest_pause=0.5))
    sync_folder(index, folder)
    folder_of(folder, "beta")
    (folder / "000.md").unlink()
    embedder = ActingEmbedder(server.kill, after=after)
    refused(lambda: sync_folder(index, folder, embedder), limit=60, match=r"^[^\n]+$")
    assert embedder.acted
    server.start()
    with Elasticsearch(server.url) as client:
        client.cluster.health(wait_for_status="yellow")
    for each in index.reader.stored("docs"):
        words = {word for passage in index.reader.sections(each) for word in passage.text.split()} & {"alpha", "beta"}
        assert len(index.reader.sections(each)) == len(cut(index.reader.document(each)))
        assert len(words) == 1, "half of a document was replaced"
    sync_folder(index, folder)
    assert_holds(index, folder)
    with Elasticsearch(server.url) as client:
        assert not VisibilityRecord(client, index.admin.generations()[0].name).read().batches


def killed_before(server: Server, call: Callable[[], None]) -> None:
    server.kill()
    call()


def killed_during(server: Server, call: Callable[[], None]) -> None:
    server.pause()
    killing = threading.Timer(0.3, server.kill)
    killing.start()
    try:
        call()
    finally:
        killing.join()


def killed_after(server: Server, call: Callable[[], None]) -> None:
    call()
    server.kill()


@pytest.mark.full
@pytest.mark.parametrize("kill", [killed_before, killed_during, killed_after])
def test_a_server_killed_around_the_swap_of_the_alias_leaves_one_whole_generation(
    server, opener, tmp_path, monkeypatch, kill
):
    folder, index = folder_of(tmp_path / "docs"), opener()
    sync_folder(index, folder)
    promote, renewed = GenerationIndices.promote, opener("other/64")
    with monkeypatch.context() as patched:
        patched.setattr(GenerationIndices, "promote", lambda self, name: kill(server, lambda: promote(self, name)))
        refused(lambda: sync_folder(renewed, folder, FakeEmbedder("other/64")), limit=60)
    server.start()
    assert len([each for each in index.admin.generations() if each.current]) == 1
    assert_sections(index, folder)
    sync_folder(renewed, folder, FakeEmbedder("other/64"))
    assert [each.embedding for each in renewed.admin.generations() if each.current] == ["other/64"]
    assert_holds(renewed, folder)


def assert_sections(index: ElasticIndex, folder: Path) -> None:
    """The documents can be read, whatever model they were indexed with."""
    for path in folder.iterdir():
        found = index.reader.document(f"docs/{path.name}")
        assert found is not None
        assert index.reader.sections(found.id) == cut(found)


@pytest.mark.full
def test_a_server_that_accepts_and_never_answers_is_given_up_in_time(server, opener, tmp_path):
    folder, index = folder_of(tmp_path / "docs"), opener()
    sync_folder(index, folder)
    server.pause()
    try:
        for attempt in (
            lambda: index.reader.lookup(lookup("leave")),
            lambda: opener().reader.lookup(lookup("leave")),
            lambda: index.reader.passages([each.key for each in index.reader.lookup(lookup("leave")).found]),
            lambda: sync_folder(index, folder),
        ):
            assert "did not answer in time" in refused(attempt, limit=READ_LIMIT)
    finally:
        server.resume()
    assert_holds(index, folder)
    sync_folder(index, folder)


@pytest.mark.full
@pytest.mark.parametrize("hanging", ["between", "bulk"])
def test_a_writer_whose_server_hangs_gives_up_and_the_next_one_completes_its_work(
    server, opener, tmp_path, monkeypatch, hanging
):
    folder, index = folder_of(tmp_path / "docs"), opener(limits=replace(SMALL_STEPS, timeout=READ_LIMIT))
    with monkeypatch.context() as patched:
        embedder = ActingEmbedder(
            server.pause if hanging == "between" else lambda: hang_in_bulk(server, patched), after=5
        )
        try:
            message = refused(lambda: sync_folder(index, folder, embedder), limit=4 * READ_LIMIT, match=r"^[^\n]+$")
        finally:
            server.resume()
    assert embedder.acted
    assert "in time" in message
    sync_folder(index, folder)
    assert_holds(index, folder)


def hang_in_bulk(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on the server hangs as soon as it is to get a bulk request."""
    bulk = Elasticsearch.bulk

    def hanging(self: Elasticsearch, **request: Any) -> ObjectApiResponse[Any]:
        server.pause()
        return bulk(self, **request)

    monkeypatch.setattr(Elasticsearch, "bulk", hanging)


@pytest.mark.full
@pytest.mark.parametrize("shard", [0, 1])
def test_an_index_that_lost_a_part_is_an_error_and_never_fewer_hits(server, opener, name, tmp_path, shard):
    folder, index = folder_of(tmp_path / "docs"), opener(shards=2)
    sync_folder(index, folder)
    found = [each.key for each in index.reader.lookup(lookup("leave")).found]
    uuid = server.call("GET", f"/{name}-000001/_settings")[1][f"{name}-000001"]["settings"]["index"]["uuid"]
    server.stop()
    rmtree(server.folder / "data" / "indices" / uuid / str(shard))
    server.launch()
    server.wait(status="red")
    until_half_is_there(server, f"{name}-000001")
    try:
        for attempt in (
            lambda: index.reader.lookup(lookup("leave")),
            lambda: opener().reader.lookup(lookup("leave")),
            lambda: index.reader.passages(found),
            lambda: index.reader.tokens(found),
            lambda: [index.reader.document(f"docs/{path.name}") for path in folder.iterdir()],
            index.reader.counts,
            lambda: index.reader.stored("docs"),
            lambda: sync_folder(opener(), folder),
        ):
            refused(attempt, limit=30)
    finally:
        server.call("DELETE", f"/{name}-000001")


def until_half_is_there(server: Server, index: str) -> None:
    """Returns when the shard that was not lost answers."""
    deadline = time.monotonic() + 60
    while server.call("GET", f"/_cluster/health/{index}?timeout=1s")[1].get("active_primary_shards") != 1:
        assert time.monotonic() < deadline, "the shard that is left did not start"
        time.sleep(0.2)


def test_a_shard_that_cannot_answer_a_search_is_an_error(elasticsearch_url, alias):
    with closing(elastic(elasticsearch_url, alias)) as index, Elasticsearch(elasticsearch_url) as client:
        put(index, document("docs/leave", LEAVE))
        name = index.admin.generations()[0].name
        index.reader.lookup(lookup("leave"))
        client.indices.close(index=name)
        message = refused(lambda: index.reader.lookup(lookup("days of leave")), limit=30)
        assert "closed" in message
        client.indices.open(index=name)
        client.cluster.health(index=name, wait_for_status="yellow")
        assert index.reader.lookup(lookup("leave")).found


def test_a_generation_that_is_gone_gives_no_passages_and_no_error(elasticsearch_url, alias):
    with closing(elastic(elasticsearch_url, alias)) as index, closing(elastic(elasticsearch_url, alias)) as observer:
        put(index, document("docs/leave", LEAVE))
        keys = [each.key for each in observer.reader.lookup(lookup("leave")).found]
        with index.writer.lock():
            for _ in range(2):
                index.admin.rebuild(reindexer(FakeEmbedder()))
        assert keys
        assert observer.reader.passages(keys) == {}
        assert observer.reader.tokens(keys) == {}
        assert observer.reader.lookup(lookup("leave")).found


def test_a_record_that_is_refused_for_good_is_told_with_the_reason(elasticsearch_url, alias):
    with Elasticsearch(elasticsearch_url) as client, closing(elastic(elasticsearch_url, alias)) as index:
        GenerationIndices(client, alias, IndexFingerprint(SCHEMA_VERSION, "fake/64", Analyzer().name)).first(32)
        message = refused(lambda: put(index, document("docs/leave", LEAVE)), limit=30, match=r"^[^\n]+$")
        assert "dimension" in message
        assert index.reader.stored("docs") == {}
        assert index.reader.counts() == (0, 0)


@pytest.fixture
def crowded() -> Iterator[Server]:
    """A server that lets one write wait and turns the others away."""
    try:
        with serving(best(), settings={"thread_pool.write.queue_size": 1, "node.processors": 1}) as server:
            yield server
    except Unavailable as reason:
        pytest.skip(str(reason))


@pytest.mark.full
def test_writes_that_are_turned_away_for_now_are_tried_again(crowded, tmp_path):
    folder = folder_of(tmp_path / "docs")
    messages: list[str] = []

    def sync_one(index: ElasticIndex) -> None:
        try:
            sync_folder(index, folder)
        except SearchUnavailable as error:
            messages.append(str(error))

    with ExitStack() as opened:
        connection = Connection((crowded.url,))
        indices = [
            opened.enter_context(
                closing(open_elastic(connection, FakeEmbedder(), Analyzer(), alias=f"crowd-{each}", limits=SMALL_STEPS))
            )
            for each in range(6)
        ]
        threads = [threading.Thread(target=sync_one, args=(each,)) for each in indices]
        for each in threads:
            each.start()
        for each in threads:
            each.join(300)
        nodes = crowded.call("GET", "/_nodes/stats/thread_pool")[1]["nodes"]
        assert sum(node["thread_pool"]["write"]["rejected"] for node in nodes.values()) > 0
        # A write that was turned away is no reason to give up, a lease that could not be renewed is.
        assert not [line for line in messages if "the sole right to change the index was lost" not in line]
        assert len(messages) < len(indices)
        for index in indices:
            sync_folder(index, folder)
            assert_holds(index, folder)


@pytest.mark.full
def test_a_disk_that_fills_up_during_a_sync_is_told_and_the_next_one_completes_it(elasticsearch_url, alias, tmp_path):
    folder = folder_of(tmp_path / "docs")
    # Nothing is sent before its batch is hidden, so the first write that the full disk refuses is that of the mark.
    limits, retries = WriteLimits(commit_bytes=60_000), Retries(longest_pause=0.05)
    with (
        # The next one waits for its end: a full disk does not let the lock go either.
        closing(elastic(elasticsearch_url, alias, lease=8.0, limits=limits, retries=retries)) as index,
        Elasticsearch(elasticsearch_url) as client,
    ):

        def block(value: bool | None) -> None:
            # The server looks every so often whether the disk has room again, and lifts the block.
            client.cluster.put_settings(persistent={"cluster.info.update.interval": "1h" if value else None})
            client.indices.put_settings(index=f"{alias}-*", settings={"index.blocks.read_only_allow_delete": value})

        embedder = ActingEmbedder(lambda: block(True), after=7)
        message = refused(lambda: sync_folder(index, folder, embedder), limit=60, match=r"^[^\n]+$")
        assert "disk is full: free space" in message
        assert 0 < len(index.reader.stored("docs")) < DOCUMENTS
        assert index.reader.lookup(lookup("leave")).found
        block(None)
        sync_folder(index, folder)
        assert_holds(index, folder)


@pytest.mark.full
def test_the_flood_stage_of_a_disk_is_told_with_the_mend_and_passes(server, opener, name, tmp_path):
    folder, index = folder_of(tmp_path / "docs"), opener()
    sync_folder(index, folder)
    disk = "cluster.routing.allocation.disk"
    sizes = {"low": "3000tb", "high": "2000tb", "flood_stage": "1000tb"}  # so much has to be free
    full = {f"{disk}.watermark.{stage}": size for stage, size in sizes.items()}
    settings = {f"{disk}.threshold_enabled": True, "cluster.info.update.interval": "10s", **full}
    try:
        status, answer = server.call("PUT", "/_cluster/settings", {"persistent": settings})
        assert status == 200, answer
        until_blocked(server, name, blocked=True)
        (folder / "000.md").unlink()
        message = refused(lambda: sync_folder(index, folder), limit=60)
        assert "free space" in message
        assert len(index.reader.lookup(lookup("leave", depth=1000)).found) == index.reader.counts()[1]
    finally:
        server.call("PUT", "/_cluster/settings", {"persistent": dict.fromkeys(full)})
    until_blocked(server, name, blocked=False)
    server.call("PUT", "/_cluster/settings", {"persistent": dict.fromkeys(settings)})
    sync_folder(index, folder)
    assert_holds(index, folder)


def until_blocked(server: Server, name: str, *, blocked: bool) -> None:
    """Returns when the server has seen how full its disk is."""
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        _, found = server.call("GET", f"/{name}-*/_settings/index.blocks.*")
        held = [each for each in found.values() if "blocks" in each["settings"].get("index", {})]
        if bool(held) == blocked:
            return
        time.sleep(0.3)
    raise AssertionError(f"the index did not become {'blocked' if blocked else 'free'}")


@pytest.mark.parametrize("kills", [4, pytest.param(12, marks=pytest.mark.full)])
def test_a_sync_killed_again_and_again_shows_no_half_document_and_is_completed(
    elasticsearch_url, alias, tmp_path, kills
):
    folder, rng = folder_of(tmp_path / "docs"), random.Random(5)
    with closing(elastic(elasticsearch_url, alias)) as index, closing(elastic(elasticsearch_url, alias)) as observer:
        sync_folder(index, folder)
        watcher = DocumentWatcher(observer)
        reached = []
        with watcher:
            for number in range(kills):
                folder_of(folder, ("beta", "alpha")[number % 2])
                killed(process(SYNC, elasticsearch_url, alias, folder), rng)
                reached.append(watcher.count("beta"))
                assert len(index.reader.stored("docs")) == DOCUMENTS
        assert watcher.failures == []
        assert set(reached) - {0, DOCUMENTS}, reached
        (folder / "007.md").unlink()
        finished(process(SYNC, elasticsearch_url, alias, folder))
        assert_holds(index, folder)


def killed(started: subprocess.Popen[str], rng: random.Random) -> None:
    """Kills a process after some of the lines that it prints, if it has not ended before."""
    with started:
        assert started.stdout is not None
        for _ in range(rng.randrange(2 * DOCUMENTS)):
            started.stdout.readline()
        with suppress(subprocess.TimeoutExpired):
            started.wait(timeout=rng.uniform(0.0, 0.05))
        started.kill()
        started.communicate()


class DocumentWatcher:
    """A thread that reads every document again and again, and notes one that it does not find whole."""

    def __init__(self, index: ElasticIndex) -> None:
        self.failures: list[str] = []
        self._index = index
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._thread.join(120)

    def count(self, word: str) -> int:
        """How many documents say this word now."""
        found = self._index.reader.lookup(lookup(word, depth=1000)).found
        return len({each.document for each in found if each.matched})

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                self._read()
            except RetrievalError as error:
                self.failures.append(str(error))

    def _read(self) -> None:
        passages: dict[str, list[frozenset[str]]] = {}
        for each in self._index.reader.lookup(lookup("alpha beta leave", depth=1000)).found:
            passages.setdefault(each.document, []).append(each.matched - {"leav"})
        if len(passages) != DOCUMENTS:
            self.failures.append(f"{len(passages)} documents")
        for found, said in passages.items():
            if len(said) != PARTS or len(set(said)) != 1:
                self.failures.append(f"{found}: {said}")


@pytest.mark.parametrize(
    "documents",
    [pytest.param(100, id="600"), pytest.param(2400, id="14400", marks=[pytest.mark.full, pytest.mark.timeout(1800)])],
)
def test_no_search_fails_while_the_index_is_rebuilt_under_load(elasticsearch_url, alias, tmp_path, documents):
    folder = folder_of(tmp_path / "docs", documents=documents)
    with closing(elastic(elasticsearch_url, alias)) as index, closing(elastic(elasticsearch_url, alias)) as observer:
        sync_folder(index, folder)
        with Load(observer) as load:
            load.searches(20)
            with index.writer.lock():
                index.admin.rebuild(reindexer(FakeEmbedder()))
            load.searches(20)
        assert load.failures == []
        assert load.generations == {f"{alias}-000001", f"{alias}-000002"}
        assert index.reader.counts() == (documents, documents * PARTS)


@pytest.mark.parametrize("made", ["first", "second"])
def test_a_writer_killed_while_it_made_an_index_is_no_hindrance(elasticsearch_url, alias, made):
    with closing(elastic(elasticsearch_url, alias)) as index:
        if made == "second":
            put(index, document("docs/travel", TRAVEL))
        dying = process(DIES_WHILE_IT_MAKES, elasticsearch_url, alias, "fake/64" if made == "first" else "other/64")
        dying.communicate(timeout=60)
        assert dying.returncode < 0
        embedder = FakeEmbedder("fake/64" if made == "first" else "other/64")
        with closing(elastic(elasticsearch_url, alias, embedder)) as other:
            with other.writer.lock():
                other.admin.renew(reindexer(embedder))
                put(other, document("docs/leave", LEAVE))
            assert other.reader.lookup(lookup("leave")).found
            assert "docs/leave" in other.reader.stored("docs")


DIES_WHILE_IT_MAKES = """
import os, signal, sys
from retrieval.index.elastic.visibility import VisibilityRecord
from tests.fakes import FakeEmbedder
from tests.retrieval.conftest import elastic
from tests.retrieval.samples import LEAVE, document, put
from tests.retrieval.samples import reindexer

url, alias, model = sys.argv[1:]
embedder = FakeEmbedder(model)
index = elastic(url, alias, embedder)
VisibilityRecord.empty = staticmethod(lambda: os.kill(os.getpid(), signal.SIGKILL))
with index.writer.lock():
    index.admin.renew(reindexer(embedder))
    put(index, document("docs/leave", LEAVE), embedder=embedder)
"""
