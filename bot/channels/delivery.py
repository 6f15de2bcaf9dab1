"""How a question from any platform is answered there: the platform shows, this decides what (knows no platform)."""

import logging
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from bot.answering.answers import (
    SMALL_TALK,
    Answer,
    Citation,
    Done,
    Event,
    Question,
    Sentence,
    SentenceReady,
    Status,
)
from bot.answering.understanding.small_talk import REPLIES, small_talk
from bot.errors import BotError
from bot.services.questions import QuestionService
from feedback.errors import FeedbackError
from retrieval.errors import EmbeddingUnavailable, IndexNotReady, RetrievalError
from retrieval.passages import Turn

logger = logging.getLogger(__name__)

# More than anybody asks; less than what makes a search slow.
MOST_CHARACTERS = 10_000

DOING = {"searching": "Looking in the documents …", "writing": "Writing the answer …"}
NO_SEARCH = "I cannot search the documents just now. Please ask again in a few minutes."
NOT_READY = "There are no documents to look in yet. Whoever runs me has to index them first; please ask again then."
UNEXPECTED = "Something went wrong on my side (incident {incident}), so there is no answer. Please ask again."


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """A question as a platform heard it, with who asks and where, in the platform's own names (`slack:U0123`).

    `groups` are those of the place and, in private, of the person. `conversation` is the thread. `event` is the id of
    what arrived, so that a successor finds what was begun.
    """

    text: str
    user: str
    groups: frozenset[str]
    conversation: str
    platform: str
    event: str
    private: bool = False


class Reply(Protocol):
    """What one person sees while their question is answered. Each method may be slow.

    Called in this order: `begun` once, `sentence` any number of times, then exactly one of `done` and `failed`. What
    cannot be shown at all, however often it is tried, raises `NotDelivered`.
    """

    def begun(self, status: str) -> None:
        """Something is visible at once: that the question was heard and what happens now."""
        ...

    def sentence(self, sentence: Sentence, citations: Sequence[Citation]) -> None:
        """A checked sentence, with the citations that are new with it."""
        ...

    def done(self, answer: Answer) -> None:
        """The whole answer, with buttons; also an abstention. One without an id cannot be voted on."""
        ...

    def failed(self, text: str) -> None:
        """One line that says what went wrong and what to do."""
        ...


class NotDelivered(BotError):
    """The platform cannot be reached or takes nothing, so that the event is still to be answered."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a question: `failed` has no answer; `talk` is small talk."""

    kind: Literal["answered", "abstained", "talk", "refused", "failed"]
    answer: Answer | None = None
    recorded: bool = False


def answer(questions: QuestionService, asked: AskedQuestion, reply: Reply) -> Outcome:
    """Answer a question, and show it; whatever fails is told in one line. Raises `NotDelivered` alone.

    The exchange is recorded before its buttons are shown, under an id that is the same when a successor answers the
    same event again.
    """
    text = asked.text.strip()
    if len(text) > MOST_CHARACTERS:
        reply.failed(
            f"Your question has {len(text):,} characters, and I read at most {MOST_CHARACTERS:,}. "
            "Please ask in fewer words."
        )
        return Outcome("refused")
    said = small_talk(text)
    if said:
        given = Answer("", REPLIES[said], generator=SMALL_TALK)
        reply.done(given)
        return Outcome("talk", given)
    reply.begun(DOING["searching"])
    question = Question(text, _history(questions, asked), asked.groups, asked.user, asked.conversation)
    try:
        given = _shown(questions.stream(question), reply)
    except NotDelivered:
        raise
    except Exception as error:  # noqa: BLE001 - the person is told, whatever it is
        reply.failed(_told(error))
        return Outcome("failed")
    return _finish(questions, asked, question, given, reply)


def answer_id(event: str) -> str:
    """The id of the answer to an event: the same for every replica that answers it."""
    return uuid.uuid5(uuid.NAMESPACE_URL, f"footnote:{event}").hex


def _shown(events: Iterator[Event], reply: Reply) -> Answer:
    """Pass the sentences on as they come; gives the whole answer."""
    given: Answer | None = None
    for event in events:
        match event:
            case SentenceReady(sentence, citations):
                reply.sentence(sentence, citations)
            case Done(whole):
                given = whole
            case Status():
                pass
    assert given is not None, "an answer ends with `Done`"
    return given


def _finish(
    questions: QuestionService, asked: AskedQuestion, question: Question, given: Answer, reply: Reply
) -> Outcome:
    given = replace(given, id=answer_id(f"{asked.platform}:{asked.event}"))
    recorded = True
    try:
        questions.record(question, given, platform=asked.platform)
    except (FeedbackError, BotError) as error:
        logger.warning("an answer could not be recorded, so nobody can vote on it: %s", error)
        recorded = False
    reply.done(given if recorded else replace(given, id=""))
    return Outcome("abstained" if given.abstained else "answered", given, recorded)


def _history(questions: QuestionService, asked: AskedQuestion) -> tuple[Turn, ...]:
    """The conversation so far; without the store a follow-up is understood as it stands."""
    try:
        return questions.history(asked.conversation, user=asked.user, groups=asked.groups, shared=not asked.private)
    except (FeedbackError, BotError) as error:
        logger.warning("a conversation could not be recalled: %s", error)
        return ()


def _told(error: Exception) -> str:
    """One line for whoever asked: neither addresses nor what a server said, which are in the log."""
    if isinstance(error, IndexNotReady | EmbeddingUnavailable):
        logger.error("nothing can be searched: %s", error)
        return NOT_READY if isinstance(error, IndexNotReady) else NO_SEARCH
    if isinstance(error, RetrievalError):
        logger.error("a search failed: %s", error)
        return NO_SEARCH
    incident = uuid.uuid4().hex[:8]
    logger.error("incident %s", incident, exc_info=error)
    return UNEXPECTED.format(incident=incident)
