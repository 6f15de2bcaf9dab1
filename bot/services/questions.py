"""Answers questions, records what was answered, and recalls earlier turns of a conversation."""

from collections.abc import Callable, Collection
from datetime import datetime

from bot.access.conversations import visible_turns
from bot.access.disclosure import DisclosureGate
from bot.answering.answers import Answer, EventStream, Question
from bot.answering.deadline import CheckWanted, always_wanted
from bot.answering.pipeline import AnsweringPipeline
from bot.answering.understanding.addressing import Scene
from bot.errors import BotError
from bot.services.retention import Retention
from feedback.records import AnswerSentence, Exchange, RetrievedPassage, StoredCitation
from feedback.stores.protocol import FeedbackStore
from retrieval.passages import Turn

# Exchanges of a conversation that a follow-up is understood from.
MAX_HISTORY = 6


class NotDisclosed(BotError):
    """Raised where what was recorded may not be shown to whoever would see it."""


class QuestionService:
    """Answers and records questions; may be used from any thread.

    `pseudonym` maps a person's name to the one under which records are kept; `embedding` names the model whose vectors
    the answers were found with. `is_chatter` tells what people say to each other, and not to the bot.
    """

    def __init__(
        self,
        *,
        pipeline: AnsweringPipeline,
        feedback: FeedbackStore,
        gate: DisclosureGate,
        retention: Retention,
        pseudonym: Callable[[str], str],
        embedding: str,
        clock: Callable[[], datetime],
        is_chatter: Callable[[str, Scene], bool] = lambda text, scene: False,
    ) -> None:
        self._pipeline = pipeline
        self._feedback = feedback
        self._gate = gate
        self._retention = retention
        self._pseudonym = pseudonym
        self._embedding = embedding
        self._clock = clock
        self._is_chatter = is_chatter

    def answer(self, question: Question) -> Answer:
        """Return a cited answer, or an abstention; raises `RetrievalError` when search fails."""
        return self._pipeline.answer(question)

    def stream(
        self,
        question: Question,
        *,
        prepare: Callable[[Question], Question] | None = None,
        check: CheckWanted = always_wanted,
    ) -> EventStream:
        """Yield the events of an answer: each sentence as soon as it has been checked, the whole answer last.

        `prepare` completes the question once `Status("searching")` was yielded; it is never called for small talk. What
        `check` raises while something is written ends the stream; nothing more is written once it is closed.
        """
        return self._pipeline.stream(question, prepare=prepare, check=check)

    def sounds_like_chatter(self, text: str, scene: Scene) -> bool:
        """Tell whether a message that nobody has addressed to the bot is people talking to each other."""
        return self._is_chatter(text, scene)

    def record(self, question: Question, answer: Answer, *, platform: str = "terminal") -> None:
        """Record an exchange, so that it can be voted on; raises `FeedbackError`."""
        asker = self._pseudonym(question.user)
        at = self._clock()
        self._feedback.record(
            exchange_record(question, answer, asker=asker, at=at, index_version=self._embedding, platform=platform)
        )
        self._retention.prune_if_due()

    def exchange(self, answer: str, *, groups: frozenset[str]) -> Exchange:
        """Return what was recorded of an answer, for readers of these groups at this moment.

        Raises `NotDisclosed` where they may not see it (any more), `UnknownExchange`, `FeedbackUnavailable`, and
        `RetrievalError` while it cannot be told.
        """
        exchange = self._feedback.exchange(answer)
        if not self._gate.may_show(exchange, groups):
            raise NotDisclosed("who reads this may not read all that the answer rests on")
        return exchange

    def may_read(self, documents: Collection[str], *, groups: frozenset[str]) -> bool:
        """Tell whether readers of these groups may read all of these documents now; raises `RetrievalError`."""
        return self._gate.may_read(documents, groups)

    def history(
        self, conversation: str, *, user: str, groups: frozenset[str], shared: bool = False
    ) -> tuple[Turn, ...]:
        """Return the last turns of a conversation that this person may know of, oldest first; none of an unknown one.

        `shared` means that all who take part have seen the whole conversation. Raises `FeedbackError`, and
        `RetrievalError` while it cannot be told who may read what.
        """
        exchanges = self._feedback.conversation(conversation, limit=MAX_HISTORY)
        if not exchanges:
            return ()
        asker = None if shared else self._pseudonym(user)
        return visible_turns(exchanges, asker=asker, may_show=lambda each: self._gate.may_show(each, groups))


def exchange_record(
    question: Question, answer: Answer, *, asker: str, at: datetime, index_version: str, platform: str = "terminal"
) -> Exchange:
    """Return the record of a question and its answer (pure)."""
    return Exchange(
        id=answer.id,
        at=at,
        question=question.text,
        answer=answer.text,
        history=tuple((turn.role, turn.text) for turn in question.history),
        history_exchanges=tuple(turn.exchange for turn in question.history),
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
