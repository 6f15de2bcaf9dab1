"""The state stores that tests try: in a file, and on the servers that tests of feedback start."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

from bot.state.protocol import StateStore
from bot.state.redis.store import RedisState
from bot.state.sqlite.store import SqliteState
from tests.feedback.conftest import SERVERS, SPECIAL, redis_url
from tests.servers.redis_servers import remove

__all__ = ["redis_url"]


@dataclass(frozen=True)
class Kept:
    """Where a store's state lies: opens it once more, as another process would."""

    path: Path
    url: str = ""
    workspace: str = ""

    def __call__(self) -> StateStore:
        return RedisState(self.url, workspace=self.workspace) if self.url else SqliteState(self.path)

    @property
    def code(self) -> str:
        """The same for a process of its own."""
        if self.url:
            return (
                "from bot.state.redis.store import RedisState\n"
                f"store = RedisState({self.url!r}, workspace={self.workspace!r})\n"
            )
        return (
            "from pathlib import Path\n"
            "from bot.state.sqlite.store import SqliteState\n"
            f"store = SqliteState(Path({str(self.path)!r}))\n"
        )


@pytest.fixture(params=["sqlite", *SERVERS, *SPECIAL])
def reopen(request, tmp_path, redis_url: Callable[[str], str]) -> Iterator[Kept]:
    if request.param == "sqlite":
        yield Kept(tmp_path / "state.db")
        return
    kept = Kept(tmp_path, redis_url(request.param), uuid4().hex)
    yield kept
    if request.param == "own":
        remove(kept.url, kept.workspace)


@pytest.fixture
def store(reopen) -> Iterator[StateStore]:
    opened = reopen()
    yield opened
    opened.close()
