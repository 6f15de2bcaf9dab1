"""The servers behind the stores that tests of feedback try: one of each kind, started when asked for."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from pathlib import Path

import pytest

from tests.feedback.samples import RIGHTS
from tests.servers.redis_servers import KINDS, OWN, serving, serving_cluster, serving_tls, serving_user


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


SERVERS = [pytest.param(kind, marks=pytest.mark.server) for kind in (("own",) if OWN else KINDS)]
SPECIAL = [pytest.param(kind, marks=[pytest.mark.server, pytest.mark.full]) for kind in ("cluster", "tls", "user")]
