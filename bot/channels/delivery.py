"""Answers a question and shows the answer through a `Reply`; what fails is said in one line."""

import logging
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Literal

from bot.access.audience import Audience
from bot.answering.answers import Answer, Citation, Done, EventStream, Question, Sentence, SentenceReady, Status
from bot.answering.readership import withheld
from bot.channels import presentation
from bot.channels.events import IncomingEvent
from bot.channels.port import NotDelivered, Reply
from bot.channels.reference import Asked, own_words
from bot.errors import BotError, TookTooLong
from bot.services.questions import QuestionService
from feedback.errors import FeedbackError
from retrieval.errors import EmbeddingUnavailable, IndexNotReady, RetrievalError
from retrieval.passages import Turn, readable_audiences

logger = logging.getLogger(__name__)

# More than anybody asks; less than what makes a search slow.
MOST_CHARACTERS = 10_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a question: `talk` is small talk; `refused`, `failed` and `stopped` have no answer.

    `unsaid` is what was found for a message that nobody addressed to the bot, and that was not good enough to speak up.
    """

    kind: Literal["answered", "abstained", "talk", "refused", "failed", "stopped", "unsaid"]
    answer: Answer | None = None
    recorded: bool = False


class _Stopped(Exception):
    """Somebody has stopped the work at an answer."""


class QuietReply:
    """A `Reply` to a message that nobody addressed to the bot: nothing is visible of it until there is an answer.

    That is a sentence of it where the sections are surely right (`is_sure`), or the whole. What fails or is stopped
    before stays unsaid.
    """

    def __init__(self, reply: Reply) -> None:
        self._reply = reply
        self._status = ""
        self.is_sure = False
        self.is_visible = False

    def begun(self, status: str) -> None:
        """Keep the status until there is something to show."""
        self._status = status

    def sentence(self, sentence: Sentence, citations: Sequence[Citation]) -> None:
        """Show a sentence where the answer is sure, the status before the first."""
        if self.is_sure:
            if not self.is_visible:
                self.is_visible = True
                self._reply.begun(self._status)
            self._reply.sentence(sentence, citations)

    def done(self, answer: Answer) -> None:
        """Show the whole answer."""
        self.is_visible = True
        self._reply.done(answer)

    def failed(self, text: str) -> None:
        """Say what went wrong where something of the answer is visible already."""
        if self.is_visible:
            self._reply.failed(text)

    def stopped(self, *, keep: Callable[[], bool]) -> None:
        """Say that it was stopped where something of the answer is visible already."""
        if self.is_visible:
            self._reply.stopped(keep=keep)


def answer_question(
    questions: QuestionService,
    event: IncomingEvent,
    reply: Reply,
    *,
    audience: Callable[[], Audience],
    asked: Asked | None = None,
    is_stopped: Callable[[], bool] = lambda: False,
    is_withdrawn: Callable[[str], bool] = lambda _: False,
) -> Outcome:
    """Answer an event's question, and show the answer; raises `NotDelivered` alone.

    The exchange is recorded before its buttons are shown, under an id that is the same when another worker answers the
    event again. `audience` is called once something is visible, and not for small talk; then again before anything of
    the answer is shown, as somebody may have come to read along. `asked` is what is asked where that is not the event's
    own text. Where the `reply` is quiet, nothing is shown or recorded unless the answer is found, surely. `is_stopped`
    is asked before each step: nothing is recorded of what somebody has stopped, and what can be read by then stays.
    `is_withdrawn` tells which answers (by id) stand nowhere any more; no question is understood from them.
    """
    asked = asked or own_words(event)
    if refused := _refusal(event, asked.text):
        reply.failed(refused)
        return Outcome("refused")
    question = Question(asked.text, user=asked.author, conversation=event.conversation)

    def prepare(given: Question) -> Question:
        nonlocal question
        readers = audience()
        question = replace(given, history=_history(questions, event, readers, is_withdrawn), groups=readers.groups)
        return replace(question, history=(*asked.context, *question.history))

    def is_open() -> bool:
        return readable_audiences(question.groups) <= readable_audiences(audience().groups)

    check = _raising(is_stopped)
    try:
        events = questions.stream(question, prepare=prepare, check=_every_second(check))
        answer = _show_events(events, reply, is_open, check)
    except NotDelivered:
        raise
    except _Stopped:
        reply.stopped(keep=is_open)
        return Outcome("stopped")
    except Exception as error:  # noqa: BLE001 - the person is told, whatever it is
        reply.failed(_error_text(error))
        return Outcome("failed")
    if answer.is_small_talk:
        reply.done(answer)
        return Outcome("talk", answer)
    if isinstance(reply, QuietReply) and not reply.is_visible and (answer.abstained or not reply.is_sure):
        return Outcome("unsaid")
    return _record_and_show(questions, event, question, answer, reply)


def answer_id(platform: str, event: str) -> str:
    """Return the id of the answer to an event: the same for every replica that answers it."""
    return uuid.uuid5(uuid.NAMESPACE_URL, f"footnote:{platform}:{event}").hex


def _refusal(event: IncomingEvent, text: str) -> str:
    """Return why a question is not looked up, for its person; empty where it is."""
    if event.files and not text:
        return f"{presentation.files_note(event.files)} {presentation.ASK_IN_WORDS}"
    if len(text) > MOST_CHARACTERS:
        return presentation.TOO_LONG.format(characters=len(text), limit=MOST_CHARACTERS)
    return ""


def _show_events(events: EventStream, reply: Reply, is_open: Callable[[], bool], check: Callable[[], None]) -> Answer:
    """Show the status and the sentences as they come, and return the whole answer.

    `is_open` tells whether whoever reads along by now has the groups that it is made for; else it is withheld. Raises
    what `check` raises, which is called before each event; what would be written then is not read any further.
    """
    answer: Answer | None = None
    with closing(events):
        for event in events:
            check()
            match event:
                case Status("searching"):
                    reply.begun(presentation.STATUS_TEXTS["searching"])
                case Status("writing", is_sure) if isinstance(reply, QuietReply):
                    reply.is_sure = is_sure
                case SentenceReady(sentence, citations) if is_open():
                    reply.sentence(sentence, citations)
                case Done(whole):
                    answer = whole if whole.is_small_talk or is_open() else withheld(whole)
                case SentenceReady() | Status():
                    pass
    assert answer is not None, "an answer ends with `Done`"
    return answer


def _raising(is_stopped: Callable[[], bool]) -> Callable[[], None]:
    """Return a call that raises `_Stopped` once somebody has stopped the work."""

    def check() -> None:
        if is_stopped():
            raise _Stopped

    return check


def _every_second(check: Callable[[], None]) -> Callable[[], None]:
    """Return a call that asks no more often than once a second, whatever asks it."""
    asked_at = time.monotonic()

    def check_sometimes() -> None:
        nonlocal asked_at
        if time.monotonic() - asked_at >= 1.0:
            asked_at = time.monotonic()
            check()

    return check_sometimes


def _record_and_show(
    questions: QuestionService, event: IncomingEvent, question: Question, answer: Answer, reply: Reply
) -> Outcome:
    platform = event.place.platform
    answer = replace(answer, id=answer_id(platform, event.id))
    recorded = True
    try:
        questions.record(question, answer, platform=platform)
    except (FeedbackError, BotError) as error:
        logger.warning("an answer could not be recorded, so nobody can vote on it: %s", error)
        recorded = False
    reply.done(answer if recorded else replace(answer, id=""))
    return Outcome("abstained" if answer.abstained else "answered", answer, recorded)


def _history(
    questions: QuestionService, event: IncomingEvent, readers: Audience, is_withdrawn: Callable[[str], bool]
) -> tuple[Turn, ...]:
    """Return the conversation so far; without the store a follow-up is understood as it stands.

    Commands of one channel are of one conversation, but each person has seen no more of it than their own.
    """
    shared = not readers.private and event.kind != "command"
    try:
        turns = questions.history(event.place.thread_name, user=event.person, groups=readers.groups, shared=shared)
        withdrawn = {answer for answer in {turn.exchange for turn in turns} if is_withdrawn(answer)}
        return tuple(turn for turn in turns if turn.exchange not in withdrawn)
    except (FeedbackError, BotError) as error:
        logger.warning("a conversation could not be recalled: %s", error)
        return ()


def _error_text(error: Exception) -> str:
    """Return one line for whoever asked: neither addresses nor what a server said, which are in the log."""
    if isinstance(error, IndexNotReady | EmbeddingUnavailable):
        logger.error("nothing can be searched: %s", error)
        return presentation.NOT_READY if isinstance(error, IndexNotReady) else presentation.NO_SEARCH
    if isinstance(error, RetrievalError):
        logger.error("a search failed: %s", error)
        return presentation.NO_SEARCH
    if isinstance(error, TookTooLong):
        logger.warning("an answer took too long")
        return presentation.TOOK_TOO_LONG
    incident = uuid.uuid4().hex[:8]
    logger.error("incident %s", incident, exc_info=error)
    return presentation.UNEXPECTED.format(incident=incident)
