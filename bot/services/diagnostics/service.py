"""Runs all checks that the settings ask for, cheapest first."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from bot.answering.writing.chat_model import ChatModel
from bot.config.settings import FILE, Settings, load
from bot.errors import BotError, SettingsError
from bot.services.diagnostics import environment, model, stores
from bot.services.diagnostics.check import Check
from bot.state.protocol import StateStore
from feedback.errors import FeedbackError
from feedback.stores.protocol import FeedbackStore
from retrieval.errors import RetrievalError
from retrieval.index.protocols import IndexReader

Checks = Callable[[], Iterable[Check]]


class DiagnosticsService:
    """The checks of one configuration; stores, the model and servers are opened by their checks.

    `index_checks` are those of the server behind the index, `channel_checks` those of each configured channel;
    `verify` checks the weights of the embedding model by its name, else `retrieval.embedding` does.
    """

    def __init__(
        self,
        *,
        settings: Settings,
        index: Callable[[], IndexReader],
        feedback: Callable[[], FeedbackStore],
        state: Callable[[], StateStore],
        chat_model: Callable[[], ChatModel],
        index_checks: Checks,
        channel_checks: Sequence[Checks],
        verify: Callable[[str], str] | None = None,
    ) -> None:
        self._settings = settings
        self._index = index
        self._feedback = feedback
        self._state = state
        self._chat_model = chat_model
        self._index_checks = index_checks
        self._channel_checks = channel_checks
        self._verify = verify

    def checks(self) -> Iterator[Check]:
        """Yield what each check found."""
        settings = self._settings
        shared = settings.redis_url is not None
        yield environment.state_folder(settings.home)
        yield from (environment.source_folder(source) for source in settings.sources)
        yield environment.embedding(settings.embedding_model, verify=self._verify)
        if settings.synonyms:
            yield environment.synonyms(settings.synonyms)
        yield from self._index_checks()
        yield from self._store_checks(shared=shared)
        if settings.model:
            yield model.chat_model(settings.model, self._chat_model)
        for checks in self._channel_checks:
            yield from checks()

    def _store_checks(self, *, shared: bool) -> Iterator[Check]:
        try:
            index = self._index()
        except (BotError, RetrievalError, FeedbackError) as error:
            yield Check("wiring", ok=False, detail=str(error), mend="mend what stands above, then try again")
            return
        yield stores.index(index)
        yield from stores.language(index, self._settings.language)
        yield from stores.feedback_store(self._feedback, shared=shared)
        if self._channel_checks:
            yield stores.state_store(self._state, shared=shared)


class Diagnosable(Protocol):
    """An app, as far as its checks are concerned."""

    @property
    def diagnostics(self) -> DiagnosticsService: ...


AppT = TypeVar("AppT", bound=Diagnosable)


def examine(home: Path | None, *, bootstrap: Callable[[Settings], AppT]) -> Iterator[Check]:
    """Yield all checks, cheapest first; without readable settings only those that need none."""
    yield environment.python_version()
    yield environment.sqlite_version()
    yield environment.installation()
    try:
        settings = load(home)
    except SettingsError as error:
        for problem in error.problems:
            yield Check("settings", ok=False, detail=problem, mend=f"correct it in {FILE} or in the environment")
        return
    yield Check("settings", ok=True, detail=f"{FILE} is read" if FILE.is_file() else f"no {FILE}; defaults")
    yield from bootstrap(settings).diagnostics.checks()
