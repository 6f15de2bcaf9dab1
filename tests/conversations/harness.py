"""What every platform's conversations need: the documents, an app over them, and parts of it that can be broken."""

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bot.app import App, bootstrap
from bot.config.settings import Settings
from bot.errors import StateUnavailable
from bot.state.protocol import Event
from bot.state.schedule import accept_due
from bot.state.sqlite.store import SqliteState
from feedback.errors import FeedbackUnavailable
from feedback.records import Correction, Exchange, Vote
from feedback.stores.sqlite.store import SqliteFeedback
from retrieval.errors import SearchUnavailable
from tests.conversations.conversations import DOCUMENTS, Part
from tests.fakes import FakeEmbedder
from tests.scripted_app import RIGHT, numbered
from tests.servers import openai_server


class BreakableEmbedder(FakeEmbedder):
    """An embedder over a search that fails while it is `down`."""

    down = False

    def __init__(self) -> None:
        super().__init__()
        self.goes_on = threading.Event()
        self.goes_on.set()

    def encode_query(self, text: str) -> Any:
        """Return what the fake gives, unless search is down; not before it is let go on."""
        self.goes_on.wait()
        if self.down:
            raise SearchUnavailable("the index at http://10.0.0.7:9200 cannot be reached")
        return super().encode_query(text)


class BreakableFeedback:
    """A feedback store that cannot be reached while it is `down`."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.down = False

    def __getattr__(self, name: str) -> Any:
        if self.down and name != "close":
            raise FeedbackUnavailable("the feedback store at redis://10.0.0.8:6379 cannot be reached")
        return getattr(self._store, name)


def write_documents(folder: Path) -> None:
    """Write the documents of the conversations."""
    for name, text in DOCUMENTS.items():
        path = folder / "docs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


class BreakableState:
    """A state store that keeps no event the next `failing` times that it is asked to."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.failing = 0

    def accept(self, event: Any, **how: Any) -> bool:
        """Keep an event, unless it is time to fail."""
        if self.failing > 0:
            self.failing -= 1
            raise StateUnavailable("the store cannot be reached")
        return bool(self._store.accept(event, **how))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def synced_app(settings: Settings, *, sync: bool = True, feedback: Any = None, state: Any = None) -> App:
    """Return the app of these settings, its documents synced; its search can be broken."""
    app = bootstrap(settings, embedder=BreakableEmbedder(), feedback=feedback, state=state)
    if sync:
        app.ingestion.sync()
    return app


@contextmanager
def breakable_app(settings: Settings) -> Iterator[App]:
    """Open a synced app whose search and stores can be broken."""
    with (
        closing(SqliteFeedback(settings.home / "feedback.db")) as feedback,
        closing(SqliteState(settings.home / "state.db")) as state,
    ):
        app = synced_app(settings, feedback=BreakableFeedback(feedback), state=BreakableState(state))
        with closing(app):
            yield app


class AppStage:
    """What a stage has of the app behind it, whatever the platform."""

    def __init__(self, app: App, model: openai_server.Server) -> None:
        self.app = app
        self.model = model
        self.released = threading.Event()
        self.is_held = False

    def settle(self) -> None:
        """Wait until the app has nothing more to do."""
        raise NotImplementedError

    def a_working_day_passes(self) -> None:
        """Bring what was scheduled into the queue, as the server does once its time has come."""
        self.settle()

        def accept(event: Event) -> bool:
            self.app.state.accept(event)
            return True

        accept_due(self.app.state, accept, now=datetime.now(UTC) + timedelta(days=4))
        self.settle()

    def corrections(self) -> list[Correction]:
        self.settle()
        return [each for judged in self.app.feedback.reviewed_exchanges() for each in judged.corrections]

    def exchanges(self) -> list[Exchange]:
        self.settle()
        return [each.exchange for each in self.app.feedback.reviewed_exchanges()]

    def counted(self) -> list[Vote]:
        self.settle()
        return [vote for each in self.app.feedback.reviewed_exchanges() for vote in each.votes]

    def model_writes(self, text: str) -> None:
        self.model.replies = [openai_server.Reply(numbered(text))]

    @contextmanager
    def writing_slowly(self) -> Iterator[None]:
        """Hold the model's second sentence back while the block runs."""
        self.released = threading.Event()
        held = openai_server.Reply(numbered(RIGHT), held_after="They must", released=self.released)
        self.model.replies = [held]
        try:
            yield
        finally:
            self.released.set()
            self.model.replies = [openai_server.Reply(numbered(RIGHT))]

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let no question be answered while the block runs; what was begun goes on after it."""
        embedder: Any = self.app.embedder
        embedder.goes_on.clear()
        self.is_held = True
        try:
            yield
        finally:
            self.is_held = False
            embedder.goes_on.set()

    @contextmanager
    def down(self, part: Part) -> Iterator[None]:
        """Break a part while the block runs."""
        embedder: Any = self.app.embedder
        store: Any = self.app.feedback
        if part == "model":
            self.model.replies = [openai_server.Reply(status=503)]
        embedder.down, store.down = part == "search", part == "store"
        try:
            yield
            self.settle()
        finally:
            embedder.down = store.down = False
            self.model.replies = [openai_server.Reply(numbered(RIGHT))]
