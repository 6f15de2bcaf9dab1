"""Settings in, ready objects out: the one place where implementations are chosen. Nothing is made before it is used."""

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from bot.answering import Answering
from bot.answers import Answer, Citation, Event, Question
from bot.errors import BotError
from bot.generation.chat import Chat
from bot.generation.client import ChatModel, Limits, Listener, open_model
from bot.generation.generator import Generator
from bot.generation.quoting import EXTRACTIVE
from bot.generation.rewriting import Rewriter
from bot.retention import Retention
from bot.settings import Settings, revealed
from bot.state.store import StateStore, about
from bot.voting import Ballot, Opinion, Standing, records, standing
from feedback.errors import FeedbackUnavailable, UnknownExchange
from feedback.people import hashed, user_key
from feedback.records import Cited, Correction, Decision, Exchange, Forgotten, Judged, Record, Said, Shown, Took, Vote
from feedback.sqlite_store import SqliteFeedback
from feedback.store import FeedbackStore
from retrieval.analysis import Analyzer
from retrieval.calibration import keep, load, self_calibrated
from retrieval.confidence import Calibration
from retrieval.embedding import Embedder, SentenceTransformerEmbedder, model_folder
from retrieval.index import Generation, SearchIndex
from retrieval.local.index import open_index
from retrieval.passages import Passage, Query, Turn, readable_audiences
from retrieval.recipe import recipe_of, without
from retrieval.search import Results, Search
from retrieval.sync import Progress, Report, Source, rebuild, remove, rollback, sync
from retrieval.synonyms import SynonymFile

if TYPE_CHECKING:  # no question waits for what only measures
    from bot.evaluation import Contestant
    from bot.reviewing import Ruling
    from bot.serving.figures import Figures
    from bot.serving.platform import Platform
    from bot.training import Library
    from feedback.export.values import Made
    from retrieval.elastic.client import Connection

S = TypeVar("S", bound=Search)

# Earlier exchanges of a conversation that a follow-up is understood from.
REMEMBERED = 6


@dataclass(frozen=True)
class House:
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
            from feedback.journal import Journaled
            from feedback.redis_store import RedisFeedback

            redis = RedisFeedback(revealed(self.settings.redis_url), workspace=self.settings.workspace)
            return Journaled(redis, self.settings.home / "journal.db", limit=self.settings.journal_limit)
        return SqliteFeedback(self.settings.home / "feedback.db")

    @cached_property
    def state(self) -> StateStore:
        """What replicas share besides: accepted events and values with an expiry, where feedback is kept too."""
        if self.settings.redis_url:
            from bot.state.redis_state import RedisState

            return RedisState(revealed(self.settings.redis_url), workspace=self.settings.workspace)
        from bot.state.sqlite_state import SqliteState

        return SqliteState(self.settings.home / "state.db")

    @cached_property
    def sources(self) -> "Library":
        """What training data is checked against and written with: the documents and the prompts as they are now."""
        from bot.training import Library

        return Library(self.index, self.search, language=self.settings.language)

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
    def _answering(self) -> Answering:
        return self._answering_by(self._generator, self._search, self._rewriter)

    def _answering_by(self, generator: Generator | None, search: Search, rewriter: Rewriter | None = None) -> Answering:
        return Answering(
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
        return Chat(self._model) if self._model else None

    @property
    def _rewriter(self) -> Rewriter | None:
        """The same model, for follow-ups."""
        return Rewriter(self._model, self.analyzer) if self._model else None

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

    def vote(self, opinion: Opinion, *, key: str | None = None) -> Standing:
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
        return standing(vote, self.feedback.votes(opinion.answer), self.feedback.corrections(opinion.answer))

    def standing(self, answer: str, *, user: str) -> Standing:
        """What counts of a person about an answer; raises `FeedbackError`."""
        none = Vote("", answer, self.named(user), datetime.now(UTC), "none")
        return standing(none, self.feedback.votes(answer), self.feedback.corrections(answer))

    def vote_all(self, ballots: Sequence[Ballot]) -> list[Took]:
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

    def _took(self, record: Any) -> Took:
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

    def waiting(self, *, min_agreement: float) -> Iterator[Judged]:
        """The answers that somebody should look at, oldest first; raises `FeedbackError`."""
        from feedback.curation.judging import waiting

        return (each for each in self.feedback.judged() if waiting(each, min_agreement=min_agreement))

    def judged(self, answer: str) -> Judged:
        """An answer with what counts of it now; raises `UnknownExchange`."""
        votes, corrections = self.feedback.votes(answer), self.feedback.corrections(answer)
        decisions = self.feedback.decisions(answer)
        return Judged(self.feedback.exchange(answer), tuple(votes), tuple(corrections), tuple(decisions))

    def rule(self, ruling: "Ruling") -> Decision:
        """Remember what a reviewer rules, with the correction that they typed, if any.

        Raises `UsageProblem` for a ruling that makes no sense, and `FeedbackError`.
        """
        from bot.reviewing import ruled

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
        from retrieval.evaluation import called, gold
        from retrieval.judgements import read_corpus, read_qrels, read_questions

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
        from bot.evaluation import Contestant, Looking, evaluated
        from retrieval.judgements import read_corpus, read_qrels, read_questions

        search = self._searching(Looking, left_out=without)
        names = None if models is None else tuple(models) or (self.settings.model or EXTRACTIVE,)
        contestants: list[Contestant] = [self._contestant(name, search) for name in names or ()]
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
    ) -> "Made":
        """Write curated training data into this folder; raises `FeedbackError` with what is missing.

        Rows are for `groups` and for everyone; nothing near the questions of `evaluation` is trained on.
        """
        from bot.exporting import wanted
        from feedback.curation.curating import curate
        from feedback.curation.options import Options
        from feedback.export.making import make
        from retrieval.judgements import read_questions

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

    def _contestant(self, name: str, search: Search) -> "Contestant":
        from bot.evaluation import Contestant, Watched

        if name == EXTRACTIVE:
            return Contestant(name, self._answering_by(None, search))
        watched = Watched(lambda listener: Chat(chat_model(self.settings, name=name, listener=listener)))
        return Contestant(name, self._answering_by(watched, search), watched)

    def _text_of(self, citation: Citation) -> str:
        """The text of the version that is cited; empty when it is gone."""
        document = self.index.document(citation.document, version=citation.version)
        return document.text if document else ""


def elastic_index(settings: Settings, embedder: Embedder, analyzer: Analyzer) -> SearchIndex:
    """The index in Elasticsearch; raises `BotError` when its client is not installed. Connects to nothing."""
    try:
        from retrieval.elastic.index import open_elastic
    except ImportError as error:
        raise BotError(
            "`elasticsearch_url` needs a package that is not installed: pip install 'footnote-bot[elasticsearch]'"
        ) from error

    return open_elastic(elastic_connection(settings), embedder, analyzer, alias=settings.elasticsearch_alias)


def elastic_connection(settings: Settings) -> "Connection":
    """Where Elasticsearch is and how it knows us."""
    from retrieval.elastic.client import Connection

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


def build(settings: Settings) -> House:
    """The house for these settings."""
    return House(settings)


def platforms(house: House, figures: "Figures") -> "list[Platform]":
    """The platforms that are configured, ready to be served; `figures` is told what is asked and voted there.

    Raises `BotError` with what is missing for one of them.
    """
    return [slack(house, figures)] if house.settings.has_slack else []


def slack(house: House, figures: "Figures") -> "Platform":
    """Slack; raises `BotError` with what is missing for it."""
    try:
        from bot.slack.platform import Slack
    except ImportError as error:
        raise BotError("Slack needs packages that are not installed: pip install 'footnote-bot[slack]'") from error

    return Slack(house, house.state, figures)


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
            Shown(p.document, p.anchor, p.section, p.title, p.version, p.embedded_text, hit.score)
            for hit in answer.shown
            for p in [hit.passage]
        ),
        sentences=tuple(Said(sentence.text, sentence.citations) for sentence in answer.sentences),
        citations=tuple(
            Cited(c.number, c.document, c.title, c.section, c.anchor, c.url, c.quote, c.version)
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
