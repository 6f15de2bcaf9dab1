"""Settings in, ready objects out: the one place where implementations are chosen. Nothing is made before it is used."""

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from bot.access.pseudonyms import hashed, user_key
from bot.answering.answers import Answer, Citation, Event, Question
from bot.answering.pipeline import AnsweringPipeline
from bot.answering.understanding.condensing import QuestionCondenser
from bot.answering.writing.chat_generator import ChatGenerator
from bot.answering.writing.chat_model import ChatModel, Limits, Listener, open_model
from bot.answering.writing.extractive import EXTRACTIVE
from bot.answering.writing.generator import Generator
from bot.config.settings import Settings, revealed
from bot.errors import BotError
from bot.services.retention import Retention
from bot.services.votes import BatchVote, CurrentVote, VoteRequest, current_vote, records
from bot.state.protocol import StateStore, about
from feedback.errors import FeedbackUnavailable, UnknownExchange
from feedback.records import (
    AnswerSentence,
    Correction,
    Decision,
    Exchange,
    Forgotten,
    Record,
    RetrievedPassage,
    ReviewedExchange,
    StoredCitation,
    Vote,
    WriteResult,
)
from feedback.stores.protocol import FeedbackStore
from feedback.stores.sqlite.store import SqliteFeedback
from retrieval.embedding.sentence_transformers import Embedder, SentenceTransformerEmbedder, model_folder
from retrieval.index.local.index import open_index
from retrieval.index.protocols import Generation, SearchIndex
from retrieval.passages import Passage, Query, Turn, readable_audiences
from retrieval.ranking.analysis import Analyzer
from retrieval.ranking.calibration import keep, load, self_calibrated
from retrieval.ranking.confidence import Calibration
from retrieval.ranking.configuration import recipe_of, without
from retrieval.ranking.synonyms import SynonymFile
from retrieval.search import Results, Search
from retrieval.sync import Progress, Report, Source, rebuild, remove, rollback, sync

if TYPE_CHECKING:  # no question waits for what only measures
    from bot.channels.port import Channel
    from bot.server.metrics import Metrics
    from bot.services.evaluation.comparison import Candidate
    from bot.services.knowledge import KnowledgeAdapter
    from bot.services.reviews import ReviewDecision
    from feedback.export.values import ExportResult
    from retrieval.index.elastic.client import Connection

S = TypeVar("S", bound=Search)

# Earlier exchanges of a conversation that a follow-up is understood from.
REMEMBERED = 6


@dataclass(frozen=True)
class App:
    """Everything that a command or a server works with, made from settings when it is first asked for."""

    settings: Settings

    @cached_property
    def embedder(self) -> SentenceTransformerEmbedder:
        """The embedding model; its weights are loaded for the first vector."""
        return SentenceTransformerEmbedder(self.settings.embedding_model)

    @cached_property
    def analyzer(self) -> Analyzer:
        """The language's analyzer."""
        return Analyzer(self.settings.language)

    @cached_property
    def index(self) -> SearchIndex:
        """Elasticsearch where it is configured, else the index in the state folder."""
        if self.settings.elasticsearch_url or self.settings.elasticsearch_cloud_id:
            return elastic_index(self.settings, self.embedder, self.analyzer)
        return open_index(self.settings.home, self.embedder, self.analyzer)

    @cached_property
    def feedback(self) -> FeedbackStore:
        """Where exchanges are remembered: Redis where it is configured, else the state folder.

        What is said while Redis is down waits in the state folder.
        """
        if self.settings.redis_url:
            from feedback.stores.journal.store import JournaledFeedback
            from feedback.stores.redis.store import RedisFeedback

            redis = RedisFeedback(revealed(self.settings.redis_url), workspace=self.settings.workspace)
            return JournaledFeedback(redis, self.settings.home / "journal.db", limit=self.settings.journal_limit)
        return SqliteFeedback(self.settings.home / "feedback.db")

    @cached_property
    def state(self) -> StateStore:
        """What replicas share besides: accepted events and values with an expiry, where feedback is kept too."""
        if self.settings.redis_url:
            from bot.state.redis.store import RedisState

            return RedisState(revealed(self.settings.redis_url), workspace=self.settings.workspace)
        from bot.state.sqlite.store import SqliteState

        return SqliteState(self.settings.home / "state.db")

    @cached_property
    def sources(self) -> "KnowledgeAdapter":
        """What training data is checked against and written with: the documents and the prompts as they are now."""
        from bot.services.knowledge import KnowledgeAdapter

        return KnowledgeAdapter(self.index, self.search, language=self.settings.language)

    @cached_property
    def _search(self) -> Search:
        return self._searching(Search)

    def _searching(self, kind: type[S], *, left_out: frozenset[str] = frozenset()) -> S:
        calibration = load(self._calibration)
        recipe = recipe_of(model_folder(self.settings.embedding_model))
        return kind(
            self.index,
            self.embedder,
            self.analyzer,
            recipe=without(recipe, *sorted(left_out)),
            calibration=calibration,
            spell_out=SynonymFile(self.settings.synonyms) if self.settings.synonyms else str,
        )

    @property
    def _calibration(self) -> Path:
        return self.settings.home / "calibration.json"

    @cached_property
    def _answering(self) -> AnsweringPipeline:
        return self._answering_by(self._generator, self._search, self._rewriter)

    def _answering_by(
        self, generator: Generator | None, search: Search, rewriter: QuestionCondenser | None = None
    ) -> AnsweringPipeline:
        return AnsweringPipeline(
            search,
            threshold=self.settings.confidence_threshold,
            new_id=lambda: uuid.uuid4().hex,
            generator=generator,
            rewriter=rewriter,
            language=self.settings.language,
            document=self.index.document,
        )

    @cached_property
    def _model(self) -> ChatModel | None:
        return chat_model(self.settings) if self.settings.model else None

    @property
    def _generator(self) -> Generator | None:
        """The chat model that is configured, if one is; raises `BotError` with what is missing for it."""
        return ChatGenerator(self._model) if self._model else None

    @property
    def _rewriter(self) -> QuestionCondenser | None:
        """The same model, for follow-ups."""
        return QuestionCondenser(self._model, self.analyzer) if self._model else None

    def search(self, query: Query, *, top: int = 10) -> Results:
        """The best passages for a query."""
        return self._search(query, top=top)

    def ask(self, question: Question) -> Answer:
        """A cited answer, or an abstention."""
        return self._answering(question)

    def stream(self, question: Question) -> Iterator[Event]:
        """The same while it comes about: each sentence as soon as it has been checked, the whole answer last."""
        return self._answering.stream(question)

    def sync(self, sources: Iterable[Source], *, allow_empty: bool, progress: Progress) -> Report:
        """Bring the index up to date with these sources."""
        return sync(sources, self.index, self.embedder, allow_empty=allow_empty, progress=progress)

    def remove(self, source: str) -> Report:
        """Forget a source."""
        return remove(source, self.index)

    def rebuild(self, *, progress: Progress) -> Generation:
        """Make the index anew beside the current one, and put it in its place."""
        return rebuild(self.index, self.embedder, progress=progress)

    def rollback(self) -> Generation:
        """Go back to the generation of the index that is kept."""
        return rollback(self.index)

    def record(self, question: Question, answer: Answer, *, platform: str = "terminal") -> None:
        """Remember an exchange, so that it can be voted on; raises `FeedbackError`."""
        asker = self.named(question.user)
        self.feedback.record(
            exchange(question, answer, asker=asker, index_version=self.embedder.name, platform=platform)
        )
        self._retention.look()

    def vote(self, opinion: VoteRequest, *, key: str | None = None) -> CurrentVote:
        """Remember what somebody thinks of an answer, and tell what of theirs counts now.

        `key` names the click: one that is delivered again changes nothing. Raises `UsageProblem` for an opinion that
        makes no sense, and `FeedbackError`.
        """
        voter = self.named(opinion.user)
        vote, correction = records(opinion, voter=voter, key=key or uuid.uuid4().hex, at=datetime.now(UTC))
        self.feedback.vote(vote)
        if correction:
            self.feedback.correct(correction)
        self._retention.look()
        return current_vote(vote, self.feedback.votes(opinion.answer), self.feedback.corrections(opinion.answer))

    def standing(self, answer: str, *, user: str) -> CurrentVote:
        """What counts of a person about an answer; raises `FeedbackError`."""
        none = Vote("", answer, self.named(user), datetime.now(UTC), "none")
        return current_vote(none, self.feedback.votes(answer), self.feedback.corrections(answer))

    def vote_all(self, ballots: Sequence[BatchVote]) -> list[WriteResult]:
        """Remember several opinions at once, and tell of each vote what became of it; raises `FeedbackError`."""
        now = datetime.now(UTC)
        given = [
            records(each.opinion, voter=self.named(each.opinion.user), key=each.key, at=each.at or now)
            for each in ballots
        ]
        several: list[Record] = [record for pair in given for record in pair if record is not None]
        try:
            told = self.feedback.take(several)
        except FeedbackUnavailable:  # one by one they may wait in the journal
            told = [self._took(record) for record in several]
        self._retention.look()
        return [took for record, took in zip(several, told, strict=True) if isinstance(record, Vote)]

    def _took(self, record: Any) -> WriteResult:
        keep = self.feedback.vote if isinstance(record, Vote) else self.feedback.correct
        try:
            return "added" if keep(record) else "known"
        except UnknownExchange:
            return "unknown-answer"

    def decide(
        self,
        answer: str,
        verdict: Literal["approve", "drop", "accept", "reject"],
        *,
        user: str,
        correction: str = "",
        comment: str = "",
        key: str | None = None,
    ) -> bool:
        """Remember what an owner or reviewer decides about an answer, or about a correction of it by its key.

        False, and nothing changes, when the decision's own `key` is known; raises `FeedbackError`.
        """
        reviewer, name = self.named(user), key or uuid.uuid4().hex
        return self.feedback.decide(
            Decision(name, answer, reviewer, datetime.now(UTC), verdict, correction, comment.strip())
        )

    def waiting(self, *, min_agreement: float) -> Iterator[ReviewedExchange]:
        """The answers that somebody should look at, oldest first; raises `FeedbackError`."""
        from feedback.curation.judgements import waiting

        return (each for each in self.feedback.judged() if waiting(each, min_agreement=min_agreement))

    def judged(self, answer: str) -> ReviewedExchange:
        """An answer with what counts of it now; raises `UnknownExchange`."""
        votes, corrections = self.feedback.votes(answer), self.feedback.corrections(answer)
        decisions = self.feedback.decisions(answer)
        return ReviewedExchange(self.feedback.exchange(answer), tuple(votes), tuple(corrections), tuple(decisions))

    def rule(self, ruling: "ReviewDecision") -> Decision:
        """Remember what a reviewer rules, with the correction that they typed, if any.

        Raises `UsageProblem` for a ruling that makes no sense, and `FeedbackError`.
        """
        from bot.services.reviews import ruled

        corrections = self.feedback.corrections(ruling.answer)
        self.feedback.exchange(ruling.answer)
        reviewer, key = self.named(ruling.user), uuid.uuid4().hex
        decision, typed = ruled(ruling, corrections, reviewer=reviewer, key=key, at=datetime.now(UTC))
        if typed:
            self.feedback.correct(typed)
        self.feedback.decide(decision)
        return decision

    def forget(self, user: str) -> Forgotten:
        """Erase what is recorded of a person, and tell which exports hold rows of theirs.

        Raises `FeedbackError` and `StateUnavailable`; then call it again.
        """
        person = self.named(user)
        for key in self.state.keys(about(person), now=datetime.now(UTC)):
            self.state.remove(key)
        return self.feedback.forget(person)

    def prune(self) -> tuple[int, int]:
        """Let go of what is older than the settings keep it; how many exchanges lost their words, how many went.

        It is done once a day by itself, beside a question or a vote.
        """
        return self._retention.prune()

    @cached_property
    def _retention(self) -> Retention:
        return Retention(
            lambda: self.feedback,
            self.settings.home / "pruned",
            words=self.settings.keep_words,
            exchanges=self.settings.keep_exchanges,
        )

    def history(
        self, conversation: str, *, user: str, groups: frozenset[str], shared: bool = False
    ) -> tuple[Turn, ...]:
        """The turns of a conversation so far that this person may know of, oldest first.

        A `shared` one was held where all who go on with it have seen it.
        """
        exchanges = self.feedback.conversation(conversation, limit=REMEMBERED)
        return turns(exchanges, asker=None if shared else self.named(user), groups=groups) if exchanges else ()

    def prepare(self) -> None:
        """Make now all that a question or a vote needs, so that threads do not make it twice; asks no server anything.

        Raises `BotError`, `RetrievalError` or `FeedbackError`, in one line, for what is missing.
        """
        self.named("anybody")
        _ = self.state, self.feedback, self._answering, self._retention

    def check_model(self) -> None:
        """Raise `BotError` with what is missing for the model that is configured; asks it nothing."""
        _ = self._model

    def correct(self, answer: str, text: str, *, user: str, key: str) -> bool:
        """Remember what somebody says is right in place of an answer, without a vote.

        False, and nothing changes, when `key` is known; raises `FeedbackError`.
        """
        correction = Correction(key, answer, self.named(user), datetime.now(UTC), text.strip())
        return self.feedback.correct(correction)

    def close(self) -> None:
        """Let go of the stores that were opened."""
        for name in ("state", "feedback"):
            if name in self.__dict__:
                self.__dict__[name].close()

    def named(self, user: str) -> str:
        """The name under which a person is remembered; empty for nobody.

        Raises `BotError` where replicas share the records and would each give another name.
        """
        if user and self.settings.redis_url and not self.settings.user_key:
            raise BotError(
                "with `redis_url` people need one name everywhere: give `user_key`, the same long random text for "
                "every replica"
            )
        return hashed(user, key=self._user_key)

    @cached_property
    def _user_key(self) -> str:
        return revealed(self.settings.user_key) or user_key(self.settings.home)

    def report(
        self, *, since: datetime | None, until: datetime | None, min_askers: int, progress: Progress
    ) -> Mapping[str, Any]:
        """What people say of the answers of this time (`until` is not in it), what fails, and what would repair it."""
        from feedback.report.report import report

        return report(
            self.feedback.judged(since=since, until=until),
            self.sources if self.index.sources() else None,
            threshold=self.settings.confidence_threshold,
            min_askers=min_askers,
            terms=self.analyzer.question_terms,
            progress=progress,
        )

    def calibrate(self, questions: Path, *, qrels: Path, corpus: Path | None) -> Calibration:
        """Learn from judged questions what a confidence means on these documents, and keep it for every later one."""
        from retrieval.evaluation.judgements import read_corpus, read_qrels, read_questions
        from retrieval.evaluation.metrics import called, gold

        judgements, sections = read_qrels(qrels), read_corpus(corpus) if corpus else {}
        known = called(document for source in self.index.sources() for document in self.index.stored(source))
        learned = self_calibrated(
            self._search,
            [
                (question.query, any_of([gold(name, sections, known) for name in judgements[question.id]]))
                for question in read_questions(questions)
                if question.id in judgements
            ],
        )
        keep(learned, self._calibration)
        return learned

    def evaluate(
        self,
        questions: Path,
        *,
        qrels: Path | None,
        corpus: Path | None,
        without: frozenset[str],
        models: Sequence[str] | None,
        progress: Progress,
    ) -> Mapping[str, Any]:
        """Figures for retrieval, abstention and the answers of these models on a judged question file.

        `extractive` names the answers without a model; no models means the one that is configured, None no answers.
        """
        from bot.services.evaluation.comparison import Candidate, ReplaySearch, evaluated
        from retrieval.evaluation.judgements import read_corpus, read_qrels, read_questions

        search = self._searching(ReplaySearch, left_out=without)
        names = None if models is None else tuple(models) or (self.settings.model or EXTRACTIVE,)
        contestants: list[Candidate] = [self._contestant(name, search) for name in names or ()]
        return evaluated(
            read_questions(questions),
            read_qrels(qrels) if qrels else {},
            read_corpus(corpus) if corpus else {},
            search,
            contestants,
            threshold=self.settings.confidence_threshold,
            text_of=self._text_of,
            progress=progress,
        )

    def export(
        self,
        formats: Sequence[str],
        out: Path,
        *,
        force: bool,
        since: datetime | None,
        until: datetime | None,
        min_agreement: float,
        groups: frozenset[str],
        evaluation: Path | None,
        tokenizer: Path | None,
        progress: Progress,
    ) -> "ExportResult":
        """Write curated training data into this folder; raises `FeedbackError` with what is missing.

        Rows are for `groups` and for everyone; nothing near the questions of `evaluation` is trained on.
        """
        from bot.services.training import wanted
        from feedback.curation.options import Options
        from feedback.curation.pipeline import curate
        from feedback.export.exporter import make
        from retrieval.evaluation.judgements import read_questions

        readers = readable_audiences(groups)
        asked = tuple(each.query.text for each in read_questions(evaluation)) if evaluation else ()
        options = Options(since=since, min_agreement=min_agreement, groups=readers, evaluation=asked)
        now = datetime.now(UTC)
        return make(
            lambda work: curate(
                lambda: self.feedback.judged(until=until or now), self.sources, options, work, progress
            ),
            wanted(formats, options, until=until, language=self.settings.language, tokenizer=tokenizer),
            out,
            store=self.feedback,
            name=uuid.uuid4().hex,
            at=now,
            force=force,
            progress=progress,
        )

    def _contestant(self, name: str, search: Search) -> "Candidate":
        from bot.services.evaluation.comparison import Candidate, InstrumentedGenerator

        if name == EXTRACTIVE:
            return Candidate(name, self._answering_by(None, search))
        watched = InstrumentedGenerator(
            lambda listener: ChatGenerator(chat_model(self.settings, name=name, listener=listener))
        )
        return Candidate(name, self._answering_by(watched, search), watched)

    def _text_of(self, citation: Citation) -> str:
        """The text of the version that is cited; empty when it is gone."""
        document = self.index.document(citation.document, version=citation.version)
        return document.text if document else ""


def elastic_index(settings: Settings, embedder: Embedder, analyzer: Analyzer) -> SearchIndex:
    """The index in Elasticsearch; raises `BotError` when its client is not installed. Connects to nothing."""
    try:
        from retrieval.index.elastic.index import open_elastic
    except ImportError as error:
        raise BotError(
            "`elasticsearch_url` needs a package that is not installed: pip install 'footnote-bot[elasticsearch]'"
        ) from error

    return open_elastic(elastic_connection(settings), embedder, analyzer, alias=settings.elasticsearch_alias)


def elastic_connection(settings: Settings) -> "Connection":
    """Where Elasticsearch is and how it knows us."""
    from retrieval.index.elastic.client import Connection

    return Connection(
        urls=settings.elasticsearch_url,
        cloud_id=settings.elasticsearch_cloud_id,
        api_key=revealed(settings.elasticsearch_api_key),
        username=settings.elasticsearch_username,
        password=revealed(settings.elasticsearch_password),
        ca_certs=str(settings.elasticsearch_ca_certs or ""),
        fingerprint=settings.elasticsearch_fingerprint,
        timeout=settings.elasticsearch_timeout,
    )


def build(settings: Settings) -> App:
    """The house for these settings."""
    return App(settings)


def platforms(house: App, figures: "Metrics") -> "list[Channel]":
    """The platforms that are configured, ready to be served; `figures` is told what is asked and voted there.

    Raises `BotError` with what is missing for one of them.
    """
    return [slack(house, figures)] if house.settings.has_slack else []


def slack(house: App, figures: "Metrics") -> "Channel":
    """Slack; raises `BotError` with what is missing for it."""
    try:
        from bot.channels.slack.channel import SlackChannel
    except ImportError as error:
        raise BotError("Slack needs packages that are not installed: pip install 'footnote-bot[slack]'") from error

    return SlackChannel(house, house.state, figures)


def chat_model(settings: Settings, *, name: str = "", listener: Listener | None = None) -> ChatModel:
    """The chat model that is configured, or another one in the same place; connects to nothing.

    Raises `BotError` with what is missing for it.
    """
    return open_model(
        name or settings.model,
        base_url=settings.model_base_url,
        api_key=revealed(settings.model_api_key),
        limits=Limits(seconds=settings.model_timeout),
        listener=listener,
    )


def any_of(golds: Sequence[Callable[[Passage], bool]]) -> Callable[[Passage], bool]:
    """Tells whether a passage is one of several gold sections."""
    return lambda passage: any(each(passage) for each in golds)


def turns(exchanges: Sequence[Exchange], *, asker: str | None, groups: frozenset[str]) -> tuple[Turn, ...]:
    """What was said, as far as whoever asks now may know of it (pure).

    A conversation's name is no secret. So of its exchanges only those are told that the same person had, or nobody
    by name (None for whoever it was), and that were answered from nothing but what the groups of now may read too.
    """
    readable = readable_audiences(groups)
    theirs = [each for each in exchanges if asker is None or each.asker in {"", asker}]
    return tuple(
        turn
        for each in theirs
        if not each.pruned and readable_audiences(each.groups) <= readable
        for turn in (Turn("user", each.question), Turn("bot", each.answer))
    )


def exchange(
    question: Question, answer: Answer, *, asker: str, index_version: str, platform: str = "terminal"
) -> Exchange:
    """What is remembered of a question and its answer."""
    return Exchange(
        id=answer.id,
        at=datetime.now(UTC),
        question=question.text,
        answer=answer.text,
        history=tuple((turn.role, turn.text) for turn in question.history),
        groups=question.groups,
        asker=asker,
        conversation=question.conversation,
        platform=platform,
        shown=tuple(
            RetrievedPassage(p.document, p.anchor, p.section, p.title, p.version, p.embedded_text, hit.score)
            for hit in answer.shown
            for p in [hit.passage]
        ),
        sentences=tuple(AnswerSentence(sentence.text, sentence.citations) for sentence in answer.sentences),
        citations=tuple(
            StoredCitation(c.number, c.document, c.title, c.section, c.anchor, c.url, c.quote, c.version)
            for c in answer.citations
        ),
        abstained=answer.abstained,
        confidence=answer.confidence,
        generator=answer.generator,
        prompt_version=answer.prompt_version,
        index_version=index_version,
        fallback=answer.fallback,
        timings=answer.timings,
    )
