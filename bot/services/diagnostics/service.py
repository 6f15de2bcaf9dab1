"""Runs all checks that the settings call for, cheapest first."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from bot.answering.writing.chat_model import ChatModel
from bot.config.settings import FILE, Settings, load
from bot.errors import BotError, SettingsError
from bot.services.diagnostics import environment, model, stores
from bot.services.diagnostics.check import Check
from bot.state.protocol import StateStore
from feedback.errors import FeedbackError
from feedback.stores.protocol import FeedbackStore
from retrieval.index.protocols import IndexReader, IndexWriter
from retrieval.ranking.reranker import Reranker

Checks = Callable[[], Iterable[Check]]


class DiagnosticsService:
    """Checks one configuration; stores, the model and servers are opened by their checks.

    `index_checks` are those of the server behind the index, `channel_checks` those of each configured channel;
    `verify` checks the weights of the embedding model by its name, else `retrieval.embedding` does.
    """

    def __init__(
        self,
        *,
        settings: Settings,
        index: Callable[[], IndexReader],
        writer: Callable[[], IndexWriter],
        feedback: Callable[[], FeedbackStore],
        state: Callable[[], StateStore],
        chat_model: Callable[[], ChatModel],
        reranker: Callable[[], Reranker | None],
        index_checks: Checks,
        channel_checks: Sequence[Checks],
        verify: Callable[[str], str] | None = None,
    ) -> None:
        self._settings = settings
        self._index = index
        self._writer = writer
        self._feedback = feedback
        self._state = state
        self._chat_model = chat_model
        self._reranker = reranker
        self._index_checks = index_checks
        self._channel_checks = channel_checks
        self._verify = verify

    def checks(self) -> Iterator[Check]:
        """Run the checks, and yield the result of each."""
        settings = self._settings
        shared = settings.redis_url is not None
        yield environment.check_state_folder(settings.home)
        yield from (environment.check_source(source, settings.sources) for source in settings.sources)
        yield environment.check_embedding(settings.embedding_model, verify=self._verify)
        if reranker := self._reranker():
            yield environment.check_reranker(reranker)
        if settings.synonyms:
            yield environment.check_synonyms(settings.synonyms)
        if settings.everyday_synonyms:
            yield environment.check_everyday_synonyms(settings.language)
        yield from self._index_checks()
        yield from self._store_checks(shared=shared)
        if settings.model:
            yield model.check_chat_model(settings.model, self._chat_model)
        for checks in self._channel_checks:
            yield from checks()

    def _store_checks(self, *, shared: bool) -> Iterator[Check]:
        try:
            yield stores.check_index(self._index)
            yield from stores.check_hidden(self._index, self._writer)
            yield from stores.check_language(self._index, self._settings.language)
        except (BotError, FeedbackError) as error:
            yield Check("wiring", ok=False, detail=str(error), mend="mend what stands above, then try again")
            return
        yield from stores.check_feedback_store(self._feedback, shared=shared)
        if self._channel_checks:
            yield stores.check_state_store(self._state, shared=shared)


def examine(home: Path | None, *, service: Callable[[Settings], DiagnosticsService]) -> Iterator[Check]:
    """Run all checks, cheapest first, and yield their results; with wrong settings only those that need none."""
    yield environment.check_python()
    yield environment.check_sqlite()
    yield environment.check_installation()
    try:
        settings = load(home)
    except SettingsError as error:
        for problem in error.problems:
            yield Check("settings", ok=False, detail=problem, mend=f"correct it in {FILE} or in the environment")
        return
    yield Check("settings", ok=True, detail=f"{FILE} is read" if FILE.is_file() else f"no {FILE}; defaults")
    yield from service(settings).checks()
