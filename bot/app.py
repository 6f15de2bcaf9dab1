"""The composition root: settings in, ready services out. The only file that chooses implementations.

Nothing is made before it is used. What is made is made once, behind a lock, and closed by `App.close`; what is handed
to `bootstrap` takes the place of what would be made, and is left to whoever handed it in.
"""

import getpass
import math
import threading
import uuid
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from bot.access.disclosure import DisclosureGate
from bot.access.pseudonyms import Pseudonyms
from bot.answering.answers import EXTRACTIVE
from bot.answering.deadline import QUESTION_SECONDS
from bot.answering.pipeline import AnsweringPipeline
from bot.answering.understanding.condensing import QuestionCondenser
from bot.answering.writing.chat_generator import ChatGenerator
from bot.answering.writing.chat_model import ChatModel, Limits, ReplyListener, open_model
from bot.answering.writing.generator import Generator
from bot.config.settings import Settings, reveal
from bot.errors import BotError
from bot.services.audit import AuditTrail
from bot.services.ingestion import IngestionService
from bot.services.privacy import PrivacyService
from bot.services.questions import QuestionService
from bot.services.retention import Retention
from bot.services.reviews import ReviewService
from bot.services.votes import VoteService
from bot.state.protocol import StateStore
from feedback.stores.protocol import FeedbackStore
from retrieval.embedding.model_files import model_folder
from retrieval.embedding.protocol import Embedder
from retrieval.embedding.sentence_transformers import SentenceTransformerEmbedder
from retrieval.index.local.index import open_index
from retrieval.index.protocols import SearchIndex
from retrieval.query_analyzer import no_synonyms
from retrieval.ranking.analysis import Analyzer
from retrieval.ranking.calibration import load_calibration
from retrieval.ranking.configuration import load_configuration, switch_off
from retrieval.ranking.reranker import Reranker
from retrieval.ranking.synonyms import EverydaySynonyms, SynonymFile
from retrieval.search import Search

if TYPE_CHECKING:  # a command that only asks must not wait for what serves, measures or exports
    from bot.answering.understanding.addressing import Scene
    from bot.channels.port import Channel
    from bot.server.health import Readiness
    from bot.server.lifecycle import Server
    from bot.server.metrics import Metrics
    from bot.services.diagnostics.check import Check
    from bot.services.diagnostics.service import DiagnosticsService
    from bot.services.escalation import EscalationService
    from bot.services.evaluation.candidates import Candidate
    from bot.services.evaluation.service import EvaluationService
    from bot.services.knowledge import KnowledgeAdapter
    from bot.services.overview import OverviewService
    from bot.services.personal_data import PersonalData
    from bot.services.training import TrainingService
    from bot.state.protocol import Event
    from retrieval.index.elastic.client import Connection

Clock = Callable[[], datetime]
PartT = TypeVar("PartT")
SearchT = TypeVar("SearchT", bound=Search)


class part(Generic[PartT]):  # noqa: N801 - used like `property`
    """A part of an app that is made when it is first asked for, once, behind the app's lock."""

    def __init__(self, make: Callable[[Any], PartT]) -> None:
        self._make = make
        self.__doc__ = make.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, app: None, owner: type) -> "part[PartT]": ...

    @overload
    def __get__(self, app: "Components", owner: type) -> PartT: ...

    def __get__(self, app: "Components | None", owner: type) -> "PartT | part[PartT]":
        if app is None:
            return self
        with app.lock:
            if self._name not in app.parts:
                app.parts[self._name] = self._make(app)
            made: PartT = app.parts[self._name]
            return made


def utc_now() -> datetime:
    return datetime.now(UTC)


def bootstrap(
    settings: Settings,
    *,
    embedder: Embedder | None = None,
    index: SearchIndex | None = None,
    feedback: FeedbackStore | None = None,
    state: StateStore | None = None,
    model: ChatModel | None = None,
    clock: Clock | None = None,
) -> "App":
    """Return the app for these settings; opens and connects to nothing yet."""
    given = {"embedder": embedder, "index": index, "feedback": feedback, "state": state, "model": model}
    return App(settings, {name: each for name, each in given.items() if each is not None}, clock=clock or utc_now)


class Components:
    """What the services of one configuration share; may be used from any thread.

    A part raises `BotError`, `RetrievalError` or `FeedbackError`, in one line, for what is missing for it.
    """

    def __init__(self, settings: Settings, given: dict[str, Any], *, clock: Clock) -> None:
        self.settings = settings
        self.clock = clock
        self.parts = given
        self.lock = threading.RLock()
        self._closing = ExitStack()
        self.pseudonym = Pseudonyms(settings.home, key=reveal(settings.user_key), shared=settings.redis_url is not None)

    @part
    def embedder(self) -> Embedder:
        """The embedding model; its weights are loaded for the first vector."""
        return SentenceTransformerEmbedder(self.settings.embedding_model)

    @part
    def analyzer(self) -> Analyzer:
        """The language's analyzer."""
        return Analyzer(self.settings.language)

    @part
    def reranker(self) -> Reranker | None:
        """The cross-encoder that is configured, if one is; its weights are loaded for the first score."""
        return Reranker(self.settings.reranker) if self.settings.reranker != "none" else None

    @part
    def index(self) -> SearchIndex:
        """Elasticsearch where it is configured, else the index in the state folder."""
        if _has_elasticsearch(self.settings):
            return _elastic_index(self.settings, self.embedder, self.analyzer)
        return open_index(self.settings.home, self.embedder, self.analyzer)

    @part
    def feedback(self) -> FeedbackStore:
        """Exchanges and votes: in Redis where it is configured, with a journal in front, else in the state folder."""
        settings = self.settings
        if settings.redis_url is None:
            from feedback.stores.sqlite.store import SqliteFeedback

            return self._closing.enter_context(closing(SqliteFeedback(settings.home / "feedback.db")))
        from feedback.stores.journal.store import JournaledFeedback
        from feedback.stores.redis.store import RedisFeedback

        redis = RedisFeedback(reveal(settings.redis_url), workspace=settings.workspace)
        journaled = JournaledFeedback(redis, settings.home / "journal.db", limit=settings.journal_limit)
        return self._closing.enter_context(closing(journaled))

    @part
    def state(self) -> StateStore:
        """Accepted events and values with an expiry, which replicas share: kept where feedback is kept."""
        if self.settings.redis_url is None:
            from bot.state.sqlite.store import SqliteState

            return self._closing.enter_context(closing(SqliteState(self.settings.home / "state.db")))
        from bot.state.redis.store import RedisState

        redis = RedisState(reveal(self.settings.redis_url), workspace=self.settings.workspace)
        return self._closing.enter_context(closing(redis))

    @part
    def model(self) -> ChatModel | None:
        """The chat model that is configured, if one is."""
        return _chat_model(self.settings) if self.settings.model else None

    @part
    def search(self) -> Search:
        """The search over the index: `search(query, top=10)` gives hits and a confidence."""
        return _search(self, Search)

    @part
    def gate(self) -> DisclosureGate:
        """What may be shown to whom at this moment, which every service asks."""
        document = self.index.reader.document
        return DisclosureGate(
            self.index.reader.audiences, version=lambda name: found.version if (found := document(name)) else ""
        )

    @part
    def knowledge(self) -> "KnowledgeAdapter":
        """What training data is checked against and written with: the documents and the prompts as they are now."""
        from bot.services.knowledge import KnowledgeAdapter

        return KnowledgeAdapter(self.index.reader, self.search, language=self.settings.language)

    @part
    def retention(self) -> Retention:
        """How long feedback is kept."""
        return Retention(
            feedback=self.feedback,
            marker=self.settings.home / "pruned",
            word_days=self.settings.keep_words,
            exchange_days=self.settings.keep_exchanges,
            clock=self.clock,
        )

    def close(self) -> None:
        """Close the stores that were opened here; a second time changes nothing."""
        self._closing.close()


class App(Components):
    """The services of one configuration, on the components that they share."""

    @part
    def questions(self) -> QuestionService:
        """Answering and recording."""
        seconds = QUESTION_SECONDS + (self.settings.model_timeout if self.model else 0.0)
        return QuestionService(
            pipeline=_pipeline(self, self.search, self.model, seconds=seconds),
            feedback=self.feedback,
            gate=self.gate,
            retention=self.retention,
            pseudonym=self.pseudonym,
            embedding=self.embedder.name,
            clock=self.clock,
            is_chatter=_is_chatter(self.embedder),
        )

    @part
    def votes(self) -> VoteService:
        """Votes and corrections."""
        return VoteService(feedback=self.feedback, retention=self.retention, pseudonym=self.pseudonym, clock=self.clock)

    @part
    def reviews(self) -> ReviewService:
        """The review queue and its decisions."""
        return ReviewService(
            feedback=self.feedback,
            gate=self.gate,
            pseudonym=self.pseudonym,
            clock=self.clock,
            audit=self.audit.record,
        )

    @part
    def audit(self) -> AuditTrail:
        """Who reviewed, accepted, exported, forgot, dumped, loaded or changed what."""
        return AuditTrail(lambda: self.state, pseudonym=self.pseudonym, operator=_operator, clock=self.clock)

    @part
    def escalation(self) -> "EscalationService":
        """Questions that are passed on to people."""
        from bot.services.escalation import EscalationService

        return EscalationService(
            feedback=self.feedback,
            state=self.state,
            gate=self.gate,
            sources=self.settings.sources,
            default_channel=self.settings.owner_channel,
            language=self.settings.language,
            pseudonym=self.pseudonym,
            clock=self.clock,
            audit=self.audit.record,
        )

    @part
    def privacy(self) -> PrivacyService:
        """Erasing a person, pruning what is old."""
        return PrivacyService(
            feedback=self.feedback,
            state=self.state,
            elsewhere=_personal_data(self),
            audit=self.audit,
            retention=self.retention,
            pseudonym=self.pseudonym,
            clock=self.clock,
        )

    @part
    def ingestion(self) -> IngestionService:
        """Changes of the index."""
        return IngestionService(
            index=self.index, embedder=self.embedder, sources=self.settings.sources, audit=self.audit.record
        )

    @part
    def overview(self) -> "OverviewService":
        """Sources, prompts, failing sections, the report."""
        from bot.services.overview import OverviewService

        return OverviewService(
            index=self.index.reader,
            feedback=self.feedback,
            reviews=self.reviews,
            gate=self.gate,
            knowledge=self.knowledge,
            sources=self.settings.sources,
            threshold=self.settings.confidence_threshold,
            terms=self.analyzer.question_terms,
            clock=self.clock,
        )

    @part
    def training(self) -> "TrainingService":
        """Exports of curated feedback."""
        from bot.services.training import TrainingService

        return TrainingService(
            feedback=self.feedback,
            knowledge=self.knowledge,
            gate=self.gate,
            language=self.settings.language,
            clock=self.clock,
            audit=self.audit.record,
        )

    @part
    def evaluation(self) -> "EvaluationService":
        """Figures on judged question files."""
        from bot.services.evaluation.candidates import ReplaySearch
        from bot.services.evaluation.service import EvaluationService

        return EvaluationService(
            index=self.index.reader,
            search=self.search,
            replay_search=lambda left_out: _search(self, ReplaySearch, left_out=left_out),
            candidate=partial(_candidate, self),
            model=self.settings.model,
            threshold=self.settings.confidence_threshold,
            calibration=self.settings.home / "calibration.json",
        )

    @part
    def diagnostics(self) -> "DiagnosticsService":
        """The checks of `footnote doctor`."""
        from bot.services.diagnostics.service import DiagnosticsService

        return DiagnosticsService(
            settings=self.settings,
            index=lambda: self.index.reader,
            writer=lambda: self.index.writer,
            feedback=lambda: self.feedback,
            state=lambda: self.state,
            chat_model=lambda: self.model or _chat_model(self.settings),
            reranker=lambda: self.reranker,
            index_checks=lambda: _index_checks(self.settings),
            channel_checks=[partial(_slack_checks, self)] if self.settings.has_slack else [],
        )

    def channels(self, metrics: "Metrics") -> "Sequence[Channel]":
        """Return the chat platforms that are configured, ready to be served; raises `BotError` for what is missing."""
        return [_slack(self, metrics)] if self.settings.has_slack else []


def build_server(app: App, *, workers: int, queue_limit: int, stop_timeout: float) -> "Server":
    """Return the long-running process that serves what is configured, not started yet.

    Raises `BotError`, `RetrievalError` or `FeedbackError` for what is missing for a question or a vote.
    """
    from bot.server.lifecycle import Addresses, Server
    from bot.server.metrics import Metrics

    app.pseudonym("anybody")
    _ = app.questions, app.votes
    settings, state = app.settings, app.state
    metrics = Metrics(waiting=state.waiting)
    return Server(
        state,
        app.channels(metrics),
        addresses=Addresses(settings.host, settings.port, settings.public_host, settings.public_port),
        readiness=build_readiness(app),
        metrics=metrics,
        workers=workers,
        queue_limit=queue_limit,
        stop_timeout=stop_timeout,
    )


def build_readiness(app: App) -> "Readiness":
    """Return the checks behind `/readyz`; opens every part that they look at."""
    from bot.server.health import Readiness
    from bot.services.diagnostics.readiness import OPTIONAL, readiness_checks
    from feedback.stores.journal.store import JournaledFeedback

    feedback = app.feedback
    checks = readiness_checks(
        index_counts=app.index.reader.counts,
        embedder=app.embedder,
        reranker=app.reranker,
        feedback=feedback.store if isinstance(feedback, JournaledFeedback) else feedback,
        state=app.state,
        model=app.settings.model,
        model_base_url=app.settings.model_base_url,
    )
    return Readiness(checks, optional=OPTIONAL)


def _personal_data(app: App) -> "Sequence[PersonalData]":
    """Return every place but the feedback store that can hold a person's words or id: `forget` erases them there."""
    from bot.services.personal_data import AuditData, DirectoryData, EventData, SharedData

    return (
        EventData(app.state, people=partial(_people, app.pseudonym), clock=app.clock),
        SharedData(app.state, clock=app.clock),
        DirectoryData(app.state, clock=app.clock),
        AuditData(app.state, clock=app.clock),
    )


def _is_chatter(embedder: Embedder) -> "Callable[[str, Scene], bool]":
    """Return what tells people talking to each other; it learns from its examples when it is asked first."""
    from bot.answering.understanding.addressing import examples
    from bot.services.chatter import ChatterClassifier

    return ChatterClassifier(embedder, examples).is_chatter


def _people(pseudonym: Callable[[str], str], event: "Event") -> frozenset[str]:
    """Return who asks and who wrote the words of an event (keyed hashes).

    Nobody where it is a wish to be forgotten, or cannot be read.
    """
    from bot.channels.events import from_json

    try:
        incoming = from_json(event.payload, platform=event.platform)
    except (ValueError, KeyError, TypeError, AttributeError):
        return frozenset()
    if incoming.kind == "erase":
        return frozenset()
    return frozenset(map(pseudonym, (incoming.person, incoming.author_person)))


def _operator() -> str:
    """Return whom the system knows to be at the keyboard; empty for nobody."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container may run under a number that has no name
        return ""


def _has_elasticsearch(settings: Settings) -> bool:
    return bool(settings.elasticsearch_url or settings.elasticsearch_cloud_id)


def _elastic_index(settings: Settings, embedder: Embedder, analyzer: Analyzer) -> SearchIndex:
    try:
        from retrieval.index.elastic.index import open_elastic
    except ImportError as error:
        raise BotError(
            "`elasticsearch_url` needs a package that is not installed: pip install 'footnote-bot[elasticsearch]'"
        ) from error
    return open_elastic(_elastic_connection(settings), embedder, analyzer, alias=settings.elasticsearch_alias)


def _elastic_connection(settings: Settings) -> "Connection":
    from retrieval.index.elastic.client import Connection

    return Connection(
        urls=settings.elasticsearch_url,
        cloud_id=settings.elasticsearch_cloud_id,
        api_key=reveal(settings.elasticsearch_api_key),
        username=settings.elasticsearch_username,
        password=reveal(settings.elasticsearch_password),
        ca_certs=str(settings.elasticsearch_ca_certs or ""),
        fingerprint=settings.elasticsearch_fingerprint,
        timeout=settings.elasticsearch_timeout,
    )


def _chat_model(settings: Settings, *, name: str = "", listener: ReplyListener | None = None) -> ChatModel:
    """Return the chat model that is configured, or another one in the same place; connects to nothing."""
    return open_model(
        name or settings.model,
        base_url=settings.model_base_url,
        api_key=reveal(settings.model_api_key),
        limits=Limits(seconds=settings.model_timeout),
        listener=listener,
    )


def _slack(app: App, metrics: "Metrics") -> "Channel":
    try:
        from bot.channels.slack.channel import SlackChannel
    except ImportError as error:
        raise BotError("Slack needs packages that are not installed: pip install 'footnote-bot[slack]'") from error
    return SlackChannel(
        settings=app.settings,
        state=app.state,
        questions=app.questions,
        votes=app.votes,
        escalation=app.escalation,
        privacy=app.privacy,
        overview=app.overview,
        pseudonym=app.pseudonym,
        metrics=metrics,
    )


def _index_checks(settings: Settings) -> "Iterable[Check]":
    """Yield what the server behind the index says of itself; nothing for the embedded index."""
    from bot.services.diagnostics.check import Check

    if not _has_elasticsearch(settings):
        return
    try:
        from retrieval.index.elastic.admin.health import examine
    except ImportError:
        mend = "pip install 'footnote-bot[elasticsearch]'"
        yield Check("elasticsearch", ok=False, detail="its client is not installed", mend=mend)
        return
    for found in examine(_elastic_connection(settings), settings.elasticsearch_alias):
        yield Check(f"elasticsearch {found.what}", ok=found.ok, detail=found.detail, mend=found.mend)


def _slack_checks(app: App) -> "Iterable[Check]":
    """Yield what Slack says of tokens, scopes and the socket, and what it has told us of."""
    from bot.services.diagnostics.check import Check

    try:
        from bot.channels.slack.checks import examine
    except ImportError:
        mend = "pip install 'footnote-bot[slack]'"
        yield Check("slack", ok=False, detail="its packages are not installed", mend=mend)
        return
    yield from examine(app.settings, lambda: app.state)


def _search(app: Components, kind: type[SearchT], *, left_out: Iterable[str] = ()) -> SearchT:
    settings = app.settings
    own = SynonymFile(settings.synonyms) if settings.synonyms else None
    everyday = EverydaySynonyms(settings.language, defined=own.known if own else tuple)
    return kind(
        app.index.reader,
        app.embedder,
        app.analyzer,
        configuration=switch_off(load_configuration(model_folder(settings.embedding_model)), *sorted(left_out)),
        calibration=load_calibration(settings.home / "calibration.json"),
        expand=own or str,
        related=everyday if settings.everyday_synonyms else no_synonyms,
        reranker=app.reranker,
    )


def _pipeline(
    app: Components,
    search: Search,
    model: ChatModel | None,
    generator: Generator | None = None,
    *,
    seconds: float = math.inf,  # for a comparison, which nobody waits for
) -> AnsweringPipeline:
    return AnsweringPipeline(
        search,
        threshold=app.settings.confidence_threshold,
        new_id=lambda: uuid.uuid4().hex,
        generator=ChatGenerator(model) if model else generator,
        condenser=QuestionCondenser(model, app.analyzer) if model else None,
        language=app.settings.language,
        document=app.index.reader.document,
        seconds=seconds,
        readable=app.gate.readable,
        today=lambda: app.clock().date(),
    )


def _candidate(app: Components, name: str, search: Search) -> "Candidate":
    """Return a way to answer for a comparison: `extractive`, or a chat model by its name."""
    from bot.services.evaluation.candidates import Candidate, InstrumentedGenerator

    if name == EXTRACTIVE:
        return Candidate(name, _pipeline(app, search, None))
    generator = InstrumentedGenerator(
        lambda listener: ChatGenerator(_chat_model(app.settings, name=name, listener=listener))
    )
    return Candidate(name, _pipeline(app, search, None, generator), generator)
