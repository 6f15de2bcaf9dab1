"""Decides whether a message is for the bot, and as what (pure)."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from bot.answering.understanding.addressing import may_be_for_bot
from bot.channels.events import IncomingEvent, edited_into_question
from bot.channels.message_records import AcceptedMessage
from bot.channels.thread_state import ThreadStatus


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of the message's place, looked up only where it matters.

    `accepted`: the message was taken for a question; `status`: whether anybody has asked in its thread, and whether
    people have spoken to each other since; `is_escalation`: owners of documents were asked in its thread, or it is a
    reply of theirs; `auto_answer`: the channel is set to be answered unasked.
    """

    accepted: Callable[[], AcceptedMessage | None]
    status: Callable[[], ThreadStatus]
    is_escalation: Callable[[], bool]
    auto_answer: Callable[[], bool]


def route(event: IncomingEvent, facts: Facts) -> IncomingEvent | None:
    """Return what a written, edited or deleted message asks the bot to do; None where it is not for the bot.

    What nobody has addressed to the bot is `unaddressed` where it may be for it: `UnaddressedMessages` judges whether
    it is, and it is answered only where the documents hold the answer. The message is the question, however many events
    tell of it.
    """
    if event.kind == "question":
        return _route_question(event, facts)
    accepted = facts.accepted()
    if accepted:
        place = event.place if event.place.thread else replace(event.place, thread=accepted.thread)
        addressed = accepted.addressed or _is_addressed(event)
        return replace(event, place=place, unaddressed=not addressed)
    # A deletion may come without its thread.
    if (event.place.thread or event.kind == "delete") and facts.is_escalation():
        return replace(event, kind="expert_edit" if event.kind == "edit" else "expert_delete")
    return _route_question(edited_into_question(event), facts) if event.kind == "edit" else None


def _is_addressed(event: IncomingEvent) -> bool:
    return event.place.is_direct or event.mentions_bot


def _route_question(event: IncomingEvent, facts: Facts) -> IncomingEvent | None:
    if _is_addressed(event):
        return event
    if event.place.thread:
        if facts.is_escalation():
            return replace(event, kind="expert")
        return replace(event, unaddressed=True) if _continues(event, facts) else None
    if event.mentions_other or not may_be_for_bot(event.text):
        return None
    if event.place.kind == "group":
        return replace(event, unaddressed=True)
    return replace(event, unaddressed=True, auto_answered=True) if facts.auto_answer() else None


def _continues(event: IncomingEvent, facts: Facts) -> bool:
    """Whether a message may go on with a conversation with the bot."""
    return not event.mentions_other and may_be_for_bot(event.text) and bool(facts.status())
