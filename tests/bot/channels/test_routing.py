"""Of all messages, which are for the bot, and as what."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bot.channels.events import IncomingEvent, Place, message_event
from bot.channels.message_records import AcceptedMessage
from bot.channels.routing import Facts, route

QUESTION = "How many days may I carry over?"
ROOT = Place("chat", "W", "general", message="2", kind="channel")
REPLY = replace(ROOT, thread="1")
THREAD: dict[str, Any] = {"is_escalation": False, "status": "asked"}


def never() -> Any:
    raise AssertionError("this need not be known")


def facts(**known: Any) -> Facts:
    """Facts of which only these may be looked up."""

    def fact(name: str) -> Callable[[], Any]:
        return (lambda: known[name]) if name in known else never

    names = ("accepted", "status", "is_escalation", "auto_answer")
    return Facts(**{name: fact(name) for name in names})


def written(place: Place = ROOT, text: str = QUESTION, **changes: Any) -> IncomingEvent:
    return replace(message_event("question", place, "ada", text), **changes)


def edited(place: Place = ROOT, text: str = QUESTION, **changes: Any) -> IncomingEvent:
    return replace(message_event("edit", place, "ada", text, edited="3"), **changes)


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(written(replace(ROOT, kind="direct"), "Thanks"), id="in-private"),
        pytest.param(written(text="Thanks", mentions_bot=True), id="mentioned"),
    ],
)
def test_who_addresses_the_bot_is_answered_and_nothing_is_looked_up(event):
    assert route(event, facts()) == event


@pytest.mark.parametrize(
    ("event", "known"),
    [
        pytest.param(written(text="👍"), {}, id="no-words"),
        pytest.param(written(mentions_other=True), {}, id="to-somebody-else"),
        pytest.param(written(), {"auto_answer": False}, id="channel-is-not-set-to-be-answered"),
        pytest.param(written(replace(ROOT, kind="group"), "Shall we go, @Bob?"), {}, id="to-a-person-in-a-group"),
        pytest.param(written(REPLY, ""), {"is_escalation": False}, id="no-words-in-a-thread"),
        pytest.param(written(REPLY, mentions_other=True), {"is_escalation": False}, id="to-somebody-else-in-a-thread"),
        pytest.param(written(REPLY), THREAD | {"status": ""}, id="a-thread-of-others"),
    ],
)
def test_what_is_not_for_the_bot_is_left_alone(event, known):
    assert route(event, facts(**known)) is None


def test_a_question_is_answered_unasked_where_the_channel_is_set_to_be():
    assert route(written(), facts(auto_answer=True)) == written(auto_answered=True, unaddressed=True)
    in_group = written(replace(ROOT, kind="group"))
    assert route(in_group, facts()) == replace(in_group, unaddressed=True)


@pytest.mark.parametrize("text", [QUESTION, "And part-time staff?", "in Germany, I mean", "Thank you!", "see you at 5"])
def test_whatever_may_go_on_with_a_thread_is_judged_later(text):
    event = written(REPLY, text)
    assert route(event, facts(**THREAD)) == replace(event, unaddressed=True)


def test_what_is_written_where_owners_were_asked_is_a_reply_of_theirs():
    routed = route(written(REPLY, "Six days."), facts(is_escalation=True))
    assert routed
    assert routed.kind == "expert"


@pytest.mark.parametrize("kind", ["edit", "delete"])
def test_an_edit_and_a_deletion_count_where_the_message_was_a_question(kind):
    event = message_event(kind, ROOT, "ada", "Never mind")
    assert route(event, facts(accepted=AcceptedMessage())) == event
    unaddressed = route(event, facts(accepted=AcceptedMessage(addressed=False)))
    assert unaddressed == replace(event, unaddressed=True)
    assert route(event, facts(accepted=None, is_escalation=False, auto_answer=False)) is None


def test_a_deletion_that_does_not_tell_its_thread_belongs_to_that_of_its_message():
    routed = route(message_event("delete", ROOT, ""), facts(accepted=AcceptedMessage(thread="1")))
    assert routed
    assert routed.place.root == "1"


@pytest.mark.parametrize("place", [ROOT, REPLY])
def test_what_owners_change_or_delete_where_they_were_asked_is_about_their_reply(place):
    known = facts(accepted=None, is_escalation=True)
    deleted = route(message_event("delete", place, ""), known)
    assert deleted
    assert deleted.kind == "expert_delete"
    if place is REPLY:  # a deletion alone may come without its thread
        edited = route(message_event("edit", place, "eve", "Seven days."), known)
        assert edited
        assert edited.kind == "expert_edit"


def test_a_message_that_mentions_the_bot_since_it_was_edited_is_a_question():
    routed = route(edited(mentions_bot=True), facts(accepted=None))
    assert routed == written(mentions_bot=True, version="3")


def test_a_message_that_has_become_a_question_is_one():
    routed = route(edited(REPLY), facts(accepted=None, is_escalation=False, status="asked"))
    assert routed
    assert (routed.kind, routed.unaddressed) == ("question", True)
