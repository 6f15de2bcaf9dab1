"""The loss of a node: the elected master of three, killed under load, costs no search and no document."""

import time
from contextlib import closing, suppress

import pytest

from retrieval.errors import SearchUnavailable
from retrieval.index.elastic.client import Connection
from retrieval.index.elastic.index import ElasticIndex, open_elastic
from retrieval.ranking.analysis import Analyzer
from retrieval.sources.files import Source
from retrieval.sync import sync
from tests.fakes import FakeEmbedder
from tests.retrieval.conftest import LEASE
from tests.retrieval.index.elastic.test_faults import ActingEmbedder, Load, assert_holds, folder_of, sync_folder
from tests.servers.elastic.cluster import Cluster, name
from tests.servers.elastic.server import Server

pytestmark = [pytest.mark.server, pytest.mark.full, pytest.mark.timeout(900)]

OWN = {
    "cluster": ["monitor"],
    "indices": [{"names": ["fault-*"], "privileges": ["all"]}],
}


def opened(
    cluster: Cluster, alias: str, *, key: str, first: Server | None = None, embedder: FakeEmbedder | None = None
) -> ElasticIndex:
    """The index as a process opens it that knows all three nodes, this one first."""
    assert cluster.nodes[0].authority is not None
    nodes = sorted(cluster.nodes, key=lambda node: node is not first)
    connection = Connection(
        tuple(node.url for node in nodes), api_key=key, ca_certs=str(cluster.nodes[0].authority.shown)
    )
    return open_elastic(connection, embedder or FakeEmbedder(), Analyzer(), alias=alias, lease=LEASE)


def node_name(cluster: Cluster, node: Server) -> str:
    return name(cluster.nodes.index(node))


def places(cluster: Cluster, index: str) -> dict[str, str]:
    """The node of each copy of the index that can be searched, and whether it is the primary (`p` or `r`)."""
    _, rows = cluster.call("GET", f"/_cat/shards/{index}?format=json&h=node,prirep,state")
    return {row["node"]: row["prirep"] for row in rows if row["state"] == "STARTED"}


def until(true, what: str, *, seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


def move_to(cluster: Cluster, index: str, node: Server) -> None:
    """This node holds a copy of the index, and another one too."""
    until(lambda: len(places(cluster, index)) == 2, "the index has no second copy")
    wanted, there = node_name(cluster, node), places(cluster, index)
    if wanted not in there:
        primary = next(place for place, kind in there.items() if kind == "p")
        move = {"index": index, "shard": 0, "from_node": primary, "to_node": wanted}
        status, answer = cluster.call("POST", "/_cluster/reroute", {"commands": [{"move": move}]})
        assert status == 200, answer
    until(lambda: wanted in places(cluster, index) and len(places(cluster, index)) == 2, "the copy did not move")


@pytest.fixture
def key(elasticsearch_cluster: Cluster) -> str:
    elasticsearch_cluster.start()
    return elasticsearch_cluster.add_key(OWN)


def test_no_search_fails_when_the_elected_master_is_killed(elasticsearch_cluster, key, tmp_path):
    cluster, folder = elasticsearch_cluster, folder_of(tmp_path / "docs")
    with closing(opened(cluster, "fault-search", key=key)) as index:
        sync([Source("docs", folder)], index, FakeEmbedder())
        for _ in range(3):
            move_to(cluster, "fault-search-000001", cluster.elected())
            with Load(index) as load:
                load.searches(200)
                killed = cluster.kill_elected()
                load.searches(400)
                assert cluster.elected() is not killed
                load.searches(200)
            assert load.failures == []
            cluster.start()
        assert_holds(index, folder)


def test_a_process_that_starts_while_a_node_is_down_finds_the_others(elasticsearch_cluster, key, tmp_path):
    cluster, folder = elasticsearch_cluster, folder_of(tmp_path / "docs")
    with closing(opened(cluster, "fault-fresh", key=key)) as index:
        sync([Source("docs", folder)], index, FakeEmbedder())
    until(lambda: len(places(cluster, "fault-fresh-000001")) == 2, "the index has no second copy")
    killed = cluster.kill_elected()
    with closing(opened(cluster, "fault-fresh", key=key, first=killed)) as index:
        assert_holds(index, folder)


@pytest.mark.parametrize("after", [1, 4, 9])
def test_a_sync_outlives_the_master_or_says_that_it_did_not(elasticsearch_cluster, key, tmp_path, after):
    cluster, folder, alias = elasticsearch_cluster, folder_of(tmp_path / "docs"), f"fault-sync-{after}"
    with closing(opened(cluster, alias, key=key)) as index:
        sync([Source("docs", folder, only=folder / "000.md")], index, FakeEmbedder())
        until(lambda: len(places(cluster, f"{alias}-000001")) == 2, "the index has no second copy")
        embedder = ActingEmbedder(cluster.kill_elected, after=after)
        with suppress(SearchUnavailable):  # either is right, as long as the next one completes it
            sync_folder(index, folder, embedder)
        assert embedder.acted
        sync_folder(index, folder)
        assert_holds(index, folder)


def test_two_of_three_nodes_lost_is_told_and_mended_by_their_return(elasticsearch_cluster, key, tmp_path):
    cluster, folder = elasticsearch_cluster, folder_of(tmp_path / "docs")
    with closing(opened(cluster, "fault-quorum", key=key)) as index:
        sync([Source("docs", folder)], index, FakeEmbedder())
        for node in cluster.nodes[1:]:
            node.kill()
        began = time.monotonic()
        with pytest.raises(SearchUnavailable, match=r"^Elasticsearch at [^\n]+$"), index.writer.lock():
            sync([Source("docs", folder)], index, FakeEmbedder())
        assert time.monotonic() - began < 60
        cluster.start()
        sync([Source("docs", folder)], index, FakeEmbedder())
        assert_holds(index, folder)
