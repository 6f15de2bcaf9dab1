"""Every implementation of `SearchIndex`; a contract test runs over each of them."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from retrieval.analysis import Analyzer
from retrieval.index import SearchIndex
from retrieval.local.index import open_index
from tests.fakes import FakeEmbedder

Opening = Callable[..., SearchIndex]


@pytest.fixture(params=["local"])
def opening(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opening]:
    """Opens the same index again and again, as another process would: with this embedding model and language."""
    assert request.param == "local"
    with ExitStack() as opened:

        def opening(embedding: str = "fake/64", language: str = "english") -> SearchIndex:
            index = open_index(tmp_path / "state", FakeEmbedder(embedding), Analyzer(language))
            return opened.enter_context(closing(index))

        yield opening


@pytest.fixture
def index(opening: Opening) -> SearchIndex:
    """An index without documents."""
    return opening()
