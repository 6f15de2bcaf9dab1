"""The least that Elasticsearch must allow: everything works with these roles, and nothing less is enough."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from retrieval.errors import SearchUnavailable
from retrieval.index.elastic.client import Connection
from retrieval.index.elastic.index import ALIAS, ElasticIndex, open_elastic
from retrieval.passages import Query
from retrieval.ranking.analysis import Analyzer
from retrieval.search import Search
from retrieval.sources.files import Source
from retrieval.sync import remove, sync
from tests import ROOT
from tests.fakes import FakeEmbedder
from tests.retrieval.conftest import LEASE
from tests.retrieval.index.elastic.test_faults import assert_holds, folder_of
from tests.retrieval.samples import LEAVE, TRAVEL, document, lookup, put, reindexer
from tests.servers.elastic.cluster import Cluster, key, serving_cluster
from tests.servers.elastic.installation import NEW, OLD
from tests.servers.elastic.processes import Unavailable

pytestmark = [pytest.mark.server, pytest.mark.full, pytest.mark.timeout(900)]

Role = dict[str, Any]

ROLES: dict[str, Role] = json.loads((ROOT / "deploy" / "elasticsearch-roles.json").read_text())
WRITER, READER = ROLES["footnote_writer"], ROLES["footnote_reader"]


def with_privileges(role: Role, privileges: list[str]) -> Role:
    """The role with these privileges of its indices, and none of the cluster."""
    (indices,) = role["indices"]
    return {"indices": [{**indices, "privileges": privileges}]}


def less(role: Role, privilege: str) -> Role:
    """The role without this privilege."""
    return with_privileges(role, [each for each in role["indices"][0]["privileges"] if each != privilege])


def test_the_roles_name_the_indices_of_the_default_alias():
    for role in ROLES.values():
        assert [each["names"] for each in role["indices"]] == [[ALIAS, f"{ALIAS}-*"]]


@pytest.fixture(scope="module", params=[NEW, OLD])
def secured(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """One node with TLS, passwords and API keys, of each line that is supported."""
    try:
        with serving_cluster(request.param, nodes=1) as cluster:
            yield cluster
    except Unavailable as reason:
        pytest.skip(str(reason))


@pytest.fixture
def cluster(secured: Cluster) -> Iterator[Cluster]:
    """That node without any index of ours."""
    yield secured
    for name in secured.call("GET", f"/{ALIAS}*?expand_wildcards=all")[1]:
        secured.call("DELETE", f"/{name}")


def opened(cluster: Cluster, **credentials: Any) -> closing[ElasticIndex]:
    assert cluster.nodes[0].authority is not None
    connection = Connection(tuple(cluster.urls), ca_certs=str(cluster.nodes[0].authority.shown), **credentials)
    return closing(open_elastic(connection, FakeEmbedder(), Analyzer(), lease=LEASE))


def with_key(cluster: Cluster, role: Role) -> closing[ElasticIndex]:
    return opened(cluster, api_key=cluster.add_key(role))


def whole_life(index: ElasticIndex, folder: Path) -> None:
    """Everything that is ever done with an index."""
    folder_of(folder, documents=6)
    sync([Source("docs", folder)], index, FakeEmbedder())
    folder_of(folder, "beta", documents=5)
    (folder / "005.md").unlink()
    sync([Source("docs", folder)], index, FakeEmbedder())
    assert_holds(index, folder)
    read(index)
    with index.writer.lock():
        index.admin.rebuild(reindexer(FakeEmbedder()))
        index.admin.rebuild(reindexer(FakeEmbedder()))
    assert_holds(index, folder)
    assert len(index.admin.generations()) == 2
    index.admin.rollback(reindexer(FakeEmbedder(), index))
    index.writer.prune()
    remove("docs", index)
    assert index.reader.counts() == (0, 0)


def read(index: ElasticIndex) -> None:
    """Everything that is done to answer a question."""
    hits = Search(index.reader, FakeEmbedder(), Analyzer())(Query("passage 2 of number3")).hits
    assert hits[0].passage.document == "docs/003.md"
    assert index.reader.document(hits[0].passage.document) is not None
    assert index.reader.sections(hits[0].passage.document)
    assert index.reader.counts()[0] > 0
    assert index.reader.stored("docs")
    assert index.reader.sources()


def test_the_role_of_the_readme_is_enough_for_a_user(cluster, tmp_path):
    cluster.add_role("footnote", WRITER)
    password = cluster.add_user("footnote-bot", "footnote")
    with opened(cluster, username="footnote-bot", password=password) as index:
        whole_life(index, tmp_path / "docs")


def test_the_role_of_the_readme_is_enough_for_an_api_key_and_opens_nothing_else(cluster, tmp_path):
    encoded = cluster.add_key(with_privileges(WRITER, WRITER["indices"][0]["privileges"]))
    with opened(cluster, api_key=encoded) as index:
        whole_life(index, tmp_path / "docs")
    assert cluster.call("PUT", "/footnote-payroll")[0] == 200
    try:
        for method, path, body in (
            ("GET", "/footnote-payroll/_search", None),
            ("PUT", "/footnote-payroll/_doc/1", {}),
            ("DELETE", "/footnote-payroll", None),
            ("PUT", "/another", None),
            ("GET", "/_security/role", None),
        ):
            assert cluster.call(method, path, body, authorization=key(encoded))[0] == 403, path
    finally:
        cluster.call("DELETE", "/footnote-payroll")


def test_what_only_answers_needs_no_right_to_change_anything(cluster, tmp_path):
    with with_key(cluster, WRITER) as index:
        sync([Source("docs", folder_of(tmp_path / "docs", documents=6))], index, FakeEmbedder())
        with with_key(cluster, READER) as limited:
            read(limited)
            for attempt in (
                lambda: put(limited, document("docs/leave", LEAVE)),
                lambda: limited.writer.delete(["docs/000.md"]),
                lambda: limited.writer.forget("docs"),
                lambda: limited.writer.lock().__enter__(),
                lambda: limited.admin.rebuild(reindexer(FakeEmbedder())),
            ):
                not_allowed(attempt)
        assert_holds(index, tmp_path / "docs")


@pytest.mark.parametrize("privilege", ["read", "write", "manage"])
def test_a_privilege_less_is_told_with_the_mend(cluster, tmp_path, privilege):
    with with_key(cluster, less(WRITER, privilege)) as index:
        not_allowed(lambda: whole_life(index, tmp_path / "docs"))


def test_narrower_privileges_do_not_stand_for_manage(cluster, tmp_path):
    """The alias is given and taken by `manage` alone, of all privileges that Elasticsearch documents."""
    narrow = ["read", "write", "create_index", "delete_index", "maintenance", "view_index_metadata"]
    with with_key(cluster, with_privileges(WRITER, narrow)) as index:
        not_allowed(lambda: whole_life(index, tmp_path / "docs"))
        assert [each.current for each in index.admin.generations()] == [False]


@pytest.mark.parametrize("privilege", ["read", "view_index_metadata"])
def test_a_privilege_less_of_what_answers_is_told_with_the_mend(cluster, privilege):
    with with_key(cluster, WRITER) as index:
        put(index, document("docs/travel", TRAVEL))
    with with_key(cluster, less(READER, privilege)) as index:
        not_allowed(lambda: index.reader.lookup(lookup("hotel")))


def not_allowed(attempt) -> None:
    with pytest.raises(SearchUnavailable, match=r"^[^\n]* does not allow this: give the key or user the privileges"):
        attempt()


def test_a_wrong_key_is_told_from_a_missing_privilege(cluster):
    for credentials in ({"api_key": "d3Jvbmc6a2V5"}, {"username": "elastic", "password": "wrong"}):
        with (
            opened(cluster, **credentials) as index,
            pytest.raises(SearchUnavailable, match=r"^[^\n]* refuses the key or the password: check [^\n]+$"),
        ):
            index.reader.lookup(lookup("leave"))
