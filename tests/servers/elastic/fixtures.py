"""The servers as fixtures, a plugin of pytest's: each is started when the first test asks for it.

`elasticsearch_url` is one server for the whole run; a test makes indexes of its own there, under names of its own, and
leaves none behind. Tests that stop or break servers take `elasticsearch_server` or `elasticsearch_cluster`.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import TypeVar
from urllib.request import ProxyHandler, build_opener

import pytest

from tests.servers.elastic.cluster import Cluster, serving_cluster
from tests.servers.elastic.installation import NEW, OLD, best, folder, installed, is_installed, java
from tests.servers.elastic.processes import Unavailable, setting
from tests.servers.elastic.server import Server, serving

# Seconds for a test and the servers that it may be the first to ask for, on a busy machine.
LIMITS = {
    "elasticsearch_url": 300,
    "elasticsearch_8": 300,
    "elasticsearch_server": 300,
    "elasticsearch_cluster": 600,
}

T = TypeVar("T")


def pytest_report_header() -> str:
    return f"elasticsearch: {_chosen()}"


def pytest_collection_finish(session: pytest.Session) -> None:
    """Fetches what the chosen tests need before the first of them runs, and its time limit with it."""
    if session.config.option.collectonly:
        return
    wanted = set()
    for item in session.items:
        if asked := LIMITS.keys() & set(getattr(item, "fixturenames", ())):
            wanted |= {version for name in asked for version in _needed(name)}
            if item.get_closest_marker("timeout") is None:
                item.add_marker(pytest.mark.timeout(max(LIMITS[name] for name in asked)))
    for version in sorted(wanted):
        _fetch(version, session.config)


@pytest.fixture(scope="session")
def elasticsearch_url() -> Iterator[str]:
    """One server for the whole run, open to everyone: one's own, or the newest that runs here."""
    if own := _own():
        _must_answer(own)
        yield own
        return
    with _started(serving(best(), heap="1g")) as server:
        yield server.url


@pytest.fixture(scope="session")
def elasticsearch_8(request: pytest.FixtureRequest) -> Iterator[str]:
    """One server of the oldest line that is supported, for the whole run; the same as the other where it is that."""
    if best() == OLD and not _own():
        yield request.getfixturevalue("elasticsearch_url")
        return
    with _started(serving(OLD)) as server:
        yield server.url


@pytest.fixture(scope="module")
def elasticsearch_server() -> Iterator[Server]:
    """A server of the module's own, which its tests may stop, kill and pause."""
    with _started(serving(best())) as server:
        yield server


@pytest.fixture(scope="module")
def elasticsearch_cluster() -> Iterator[Cluster]:
    """Three nodes of the module's own, with TLS, passwords and API keys."""
    with _started(serving_cluster(best())) as cluster:
        yield cluster


@contextmanager
def _started(made: AbstractContextManager[T]) -> Iterator[T]:
    """Enters it; skips the test where what it needs cannot be had."""
    with ExitStack() as entered:
        try:
            server = entered.enter_context(made)
        except Unavailable as reason:
            pytest.skip(str(reason))
        yield server


def _own() -> str:
    return setting("ELASTICSEARCH_URL").rstrip("/")


def _must_answer(url: str) -> None:
    try:
        build_opener(ProxyHandler({})).open(f"{url}/_cluster/health", timeout=10).close()
    except (OSError, ValueError) as error:
        pytest.fail(f"FOOTNOTE_TEST_ELASTICSEARCH_URL={url} gives no answer ({error}): start it or unset the variable")


def _chosen() -> str:
    if own := _own():
        return f"{own}, by FOOTNOTE_TEST_ELASTICSEARCH_URL"
    if best() == NEW:
        return f"{NEW} on {java(NEW)}"
    return f"{OLD}, because no full JDK of 21 or newer was found for {NEW}"


def _needed(fixture: str) -> set[str]:
    """The versions that a fixture starts."""
    if fixture == "elasticsearch_url":
        return set() if _own() else {best()}
    return {OLD if fixture == "elasticsearch_8" else best()}


def _fetch(version: str, config: pytest.Config) -> None:
    """Says that it fetches; whether that succeeds is for the tests to say."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None and not is_installed(version):
        reporter.write_line(f"fetching Elasticsearch {version} (1 GB, once) into {folder()} ...")
    try:
        installed(version)
    except Unavailable:
        return
