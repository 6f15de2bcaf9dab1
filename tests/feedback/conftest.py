"""The stores that tests of feedback try, and the servers behind them: one of each kind, started when asked for."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest

from feedback.stores.journal.store import JournaledFeedback
from feedback.stores.protocol import FeedbackStore
from feedback.stores.redis.store import RedisFeedback
from feedback.stores.sqlite.store import SqliteFeedback
from tests.feedback.samples import RIGHTS, exchange
from tests.servers.redis_servers import KINDS, OWN, remove, serving, serving_cluster, serving_tls, serving_user


@contextmanager
def plain(kind: str, folder: Path) -> Iterator[str]:
    with serving(kind, folder) as server:
        yield server.url


STARTERS: Mapping[str, Callable[[Path], AbstractContextManager[str]]] = {
    **{kind: partial(plain, kind) for kind in KINDS},
    "cluster": serving_cluster,
    "tls": serving_tls,
    "user": partial(serving_user, rights=("~footnote:{*}:*", *RIGHTS)),
}


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory) -> Iterator[Callable[[str], str]]:
    """The url of the server of a kind; `own` is what `FOOTNOTE_TEST_REDIS_URL` names."""
    urls = {"own": OWN}
    with ExitStack() as servers:

        def url(kind: str) -> str:
            if kind not in urls:
                urls[kind] = servers.enter_context(STARTERS[kind](tmp_path_factory.mktemp(kind)))
            return urls[kind]

        yield url


Opener = Callable[[], FeedbackStore]
SERVERS = [pytest.param(kind, marks=pytest.mark.server) for kind in (("own",) if OWN else KINDS)]
SPECIAL = [pytest.param(kind, marks=[pytest.mark.server, pytest.mark.full]) for kind in ("cluster", "tls", "user")]


@pytest.fixture(params=["sqlite", "journaled", *SERVERS, *SPECIAL])
def reopen(request, tmp_path, redis_url) -> Iterator[Opener]:
    """Opens the same store once more, as another process would."""
    if request.param == "sqlite":
        yield lambda: SqliteFeedback(tmp_path / "feedback.sqlite")
        return
    if request.param == "journaled":
        yield lambda: JournaledFeedback(
            SqliteFeedback(tmp_path / "feedback.sqlite"), tmp_path / "journal.sqlite", limit=1000, first_wait=0.01
        )
        return
    url, workspace = redis_url(request.param), uuid4().hex
    yield lambda: RedisFeedback(url, workspace=workspace)
    if request.param == "own":
        remove(url, workspace)


@pytest.fixture
def store(reopen) -> Iterator[FeedbackStore]:
    opened = reopen()
    yield opened
    opened.close()


@pytest.fixture
def answered(store) -> FeedbackStore:
    """A store with two answers that can be voted on."""
    store.record(exchange(0))
    store.record(exchange(1))
    opened: FeedbackStore = store
    return opened
