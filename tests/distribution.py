"""Shares the tests out to several processes, a plugin of pytest's; without `-n` it changes nothing.

The tests of a module stay together, since they share what it has started; those of the one Elasticsearch for the whole
run stay together too, and begin first, as they take longest.
"""

from collections.abc import Iterable

import pytest

ON_ELASTICSEARCH = frozenset({"elasticsearch_url", "elasticsearch_8"})
FIRST = "elasticsearch"


@pytest.hookimpl(tryfirst=True)  # pytest-xdist reads the groups in the same hook
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("loadgroup", default=False):
        return
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_group(item)))
    items.sort(key=lambda item: _group(item) != FIRST)


def _group(item: pytest.Item) -> str:
    asked: Iterable[str] = getattr(item, "fixturenames", ())
    return item.nodeid.partition("::")[0] if ON_ELASTICSEARCH.isdisjoint(asked) else FIRST
