"""What `footnote doctor` tells of an Elasticsearch, each trouble apart from the others and with its mend."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from elasticsearch import Elasticsearch

from retrieval.index.elastic.admin.health import HealthCheck, examine
from retrieval.index.elastic.client import Connection
from retrieval.index.elastic.index import ALIAS
from tests import ROOT
from tests.retrieval.conftest import elastic, own_alias
from tests.retrieval.samples import LEAVE, document, put
from tests.servers.elastic.cluster import Cluster, serving_cluster
from tests.servers.elastic.installation import best
from tests.servers.elastic.processes import Unavailable
from tests.servers.elastic.server import free_port

ROLES = json.loads((ROOT / "deploy" / "elasticsearch-roles.json").read_text(encoding="utf-8"))


def looked(connection: Connection, alias: str = ALIAS) -> dict[str, HealthCheck]:
    return {finding.what: finding for finding in examine(connection, alias)}


def wrong(connection: Connection, alias: str = ALIAS) -> HealthCheck:
    """The one finding that is not well."""
    (only,) = (finding for finding in examine(connection, alias) if not finding.ok)
    return only


def test_a_server_that_is_not_there_is_one_finding_with_what_to_look_at():
    found = wrong(Connection((f"http://127.0.0.1:{free_port()}",)))
    assert (found.what, found.mend) == ("server", "check that it runs and that `elasticsearch_url` is right")
    assert "cannot be reached" in found.detail


class Old(BaseHTTPRequestHandler):
    """What the line before the oldest that is supported says of itself; its archives are no longer to be had."""

    def do_GET(self) -> None:
        body = json.dumps({"version": {"number": "7.17.29"}, "tagline": "You Know, for Search"}).encode()
        self.send_response(200 if self.path == "/" else 404)
        self.send_header("X-Elastic-Product", "Elasticsearch")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Nothing on stderr."""


def test_a_version_that_is_too_old_is_named_with_the_one_that_is_needed():
    with HTTPServer(("127.0.0.1", 0), Old) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        found = looked(Connection((f"http://127.0.0.1:{server.server_port}",)))["server"]
        server.shutdown()
    assert not found.ok
    assert "7.17.29, which is too old" in found.detail
    assert found.mend == "upgrade it to 8.16 or newer"


@pytest.mark.server
def test_an_index_that_does_well_is_green(elasticsearch_url):
    with own_alias(elasticsearch_url) as alias:
        put(elastic(elasticsearch_url, alias), document("docs/leave", LEAVE))
        found = looked(Connection((elasticsearch_url,)), alias)
    assert all(each.ok and not each.mend for each in found.values()), found
    assert found["health"].detail == f"{alias}-000001 is green"


@pytest.mark.server
def test_before_the_first_sync_only_the_server_is_told(elasticsearch_url):
    assert set(looked(Connection((elasticsearch_url,)), "test-none")) == {"server"}


@pytest.mark.server
def test_an_index_of_somebody_else_behind_the_alias_is_left_alone_and_named(elasticsearch_url):
    with own_alias(elasticsearch_url) as alias, Elasticsearch(elasticsearch_url) as client:
        client.indices.create(index=f"{alias}-logs", aliases={alias: {}})
        found = wrong(Connection((elasticsearch_url,)), alias)
    assert found.what == "alias"
    assert "was not made by Footnote" in found.detail
    assert "elasticsearch_alias" in found.mend


@pytest.mark.server
def test_a_disk_that_is_full_is_told_as_that(elasticsearch_url):
    with own_alias(elasticsearch_url) as alias, Elasticsearch(elasticsearch_url) as client:
        put(elastic(elasticsearch_url, alias), document("docs/leave", LEAVE))
        client.indices.put_settings(index=f"{alias}-000001", settings={"index.blocks.read_only_allow_delete": True})
        found = wrong(Connection((elasticsearch_url,)), alias)
    assert found.what == "disk"
    assert "flood-stage watermark" in found.detail
    assert "free space" in found.mend


@pytest.mark.server
def test_copies_without_a_place_are_a_note_and_a_lost_part_is_an_error(elasticsearch_url):
    with own_alias(elasticsearch_url) as alias, Elasticsearch(elasticsearch_url) as client:
        put(elastic(elasticsearch_url, alias), document("docs/leave", LEAVE))
        settings = {"index.auto_expand_replicas": False, "index.number_of_replicas": 1}
        client.indices.put_settings(index=f"{alias}-000001", settings=settings)
        yellow = looked(Connection((elasticsearch_url,)), alias)["health"]
        client.indices.close(index=f"{alias}-000001", wait_for_active_shards=0)
        client.indices.put_settings(
            index=f"{alias}-000001", settings={"index.routing.allocation.require._name": "nobody"}
        )
        client.options(request_timeout=30).indices.open(index=f"{alias}-000001", wait_for_active_shards=0, timeout="1s")
        red = looked(Connection((elasticsearch_url,)), alias)["health"]
    assert (yellow.ok, "yellow: 1 copies have no place" in yellow.detail) == (True, True)
    assert "start a node" in yellow.mend
    assert (red.ok, "is red" in red.detail) == (False, True)


@pytest.fixture(scope="module")
def secured() -> Iterator[Cluster]:
    """One node with TLS, passwords and API keys."""
    try:
        with serving_cluster(best(), nodes=1) as cluster:
            yield cluster
    except Unavailable as reason:
        pytest.skip(str(reason))


def to(cluster: Cluster, *, known: bool = True, api_key: str = "") -> Connection:
    authority = cluster.nodes[0].authority
    assert authority is not None
    return Connection(tuple(cluster.urls), ca_certs=str(authority.shown) if known else "", api_key=api_key)


@pytest.mark.server
@pytest.mark.full
@pytest.mark.timeout(600)
class TestSecured:
    def test_a_wrong_key_is_told_as_that(self, secured):
        found = wrong(to(secured, api_key="bm90OmFrZXk="))
        assert "refuses the key or the password" in found.detail
        assert "elasticsearch_api_key" in found.mend

    def test_a_certificate_that_nobody_knows_is_told_as_that(self, secured):
        found = wrong(to(secured, known=False, api_key=secured.add_key(ROLES["footnote_writer"])))
        assert "certificate that is not trusted" in found.detail
        assert "elasticsearch_ca_certs" in found.detail + found.mend

    def test_the_documented_roles_are_enough_and_told_apart(self, secured):
        writing = looked(to(secured, api_key=secured.add_key(ROLES["footnote_writer"])))
        assert all(each.ok and not each.mend for each in writing.values()), writing
        assert writing["privileges"].detail == "it may search and sync"
        reading = looked(to(secured, api_key=secured.add_key(ROLES["footnote_reader"])))["privileges"]
        assert (reading.ok, reading.detail) == (True, "it may search and not sync")
        assert "`manage` and `write`" in reading.mend or "`write` and `manage`" in reading.mend

    def test_a_missing_privilege_is_named(self, secured):
        role = {"cluster": ["monitor"], "indices": [{"names": [f"{ALIAS}*"], "privileges": ["view_index_metadata"]}]}
        found = looked(to(secured, api_key=secured.add_key(role)))["privileges"]
        assert (found.ok, found.detail) == (False, "it may not search")
        assert "give the key or user `read`" in found.mend

    def test_without_the_right_to_monitor_it_says_what_it_cannot_tell(self, secured):
        role = {"indices": ROLES["footnote_reader"]["indices"]}
        found = looked(to(secured, api_key=secured.add_key(role)))
        assert "does not tell its version" in found["server"].detail
        assert "cluster privilege `monitor`" in found["server"].mend
