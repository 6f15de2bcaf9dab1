"""Decides whether a message is for the bot, and as what (pure)."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from bot.channels.events import IncomingEvent, edited_into_question

_QUESTION_WORD = re.compile(
    r"(?:who|whom|whose|what|when|where|why|which|how|can|could|may|might|must|should|shall|is|are|am|was|were|do|does|"
    r"did|will|would|has|have|had)\b(?:'s|'re|’s|’re)?",
    re.IGNORECASE,
)
_QUESTION_MARK = re.compile(r"[?？؟](?:\s|$|[\"')\]])")
_NOT_WORDS = re.compile(r"`[^`]*`|\bhttps?://\S+")
FEWEST_WORDS = 3


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of the message's place, looked up only where it matters.

    `was_accepted`: the message was taken for a question; `has_asked`: its author was answered in its thread;
    `has_answers`: anybody was; `is_escalation`: owners of documents were asked in its thread, or it is a reply of
    theirs; `auto_answer`: the channel is set to be answered unasked.
    """

    was_accepted: Callable[[], bool]
    has_asked: Callable[[], bool]
    has_answers: Callable[[], bool]
    is_escalation: Callable[[], bool]
    auto_answer: Callable[[], bool]


def route(event: IncomingEvent, facts: Facts) -> IncomingEvent | None:
    """Return what a written, edited or deleted message asks the bot to do; None where it is not for the bot."""
    if event.kind == "question":
        return _route_question(event, facts)
    if facts.was_accepted():
        return event
    # A deletion may come without its thread.
    if (event.place.thread or event.kind == "delete") and facts.is_escalation():
        return replace(event, kind="expert_edit" if event.kind == "edit" else "expert_delete")
    return edited_into_question(event) if event.kind == "edit" and event.mentions_bot else None


def is_question(text: str) -> bool:
    """Whether somebody seems to ask something: three words or more, a question mark or a question word first."""
    words = _NOT_WORDS.sub(" ", text)
    if len(re.findall(r"\w+", words)) < FEWEST_WORDS:
        return False
    return bool(_QUESTION_MARK.search(words)) or bool(_QUESTION_WORD.match(words.strip()))


def _route_question(event: IncomingEvent, facts: Facts) -> IncomingEvent | None:
    if event.place.is_direct or event.mentions_bot:
        return event
    if event.place.thread:
        if facts.is_escalation():
            return replace(event, kind="expert")
        return event if _is_follow_up(event, facts) else None
    if event.mentions_other or not is_question(event.text):
        return None
    if event.place.kind == "group":
        return event
    return replace(event, auto_answered=True) if facts.auto_answer() else None


def _is_follow_up(event: IncomingEvent, facts: Facts) -> bool:
    """Whether a message goes on with an answer in its thread: one of its asker, or a question of anybody else."""
    if event.mentions_other or not event.text:
        return False
    return facts.has_asked() or (is_question(event.text) and facts.has_answers())
