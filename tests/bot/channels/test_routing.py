"""Of all messages, which are for the bot, and as what."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bot.channels.events import IncomingEvent, Place, message_event
from bot.channels.routing import Facts, is_question, route

QUESTION = "How many days may I carry over?"
ROOT = Place("chat", "W", "general", message="2", kind="channel")
REPLY = replace(ROOT, thread="1")


def never() -> bool:
    raise AssertionError("this need not be known")


def facts(**known: bool) -> Facts:
    """Facts of which only these may be looked up."""

    def fact(name: str) -> Callable[[], bool]:
        return (lambda: known[name]) if name in known else never

    names = ("was_accepted", "has_asked", "has_answers", "is_escalation", "auto_answer")
    return Facts(**{name: fact(name) for name in names})


def written(place: Place = ROOT, text: str = QUESTION, **changes: Any) -> IncomingEvent:
    return replace(message_event("question", place, "ada", text), **changes)


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(written(replace(ROOT, kind="direct"), "Thanks"), id="in-private"),
        pytest.param(written(text="Thanks", mentions_bot=True), id="mentioned"),
        pytest.param(written(replace(ROOT, kind="group")), id="a-question-in-a-group"),
    ],
)
def test_who_addresses_the_bot_is_answered_and_nothing_is_looked_up(event):
    assert route(event, facts()) == event


@pytest.mark.parametrize(
    ("event", "known"),
    [
        pytest.param(written(text="Lunch is here!"), {}, id="no-question"),
        pytest.param(written(mentions_other=True), {}, id="to-somebody-else"),
        pytest.param(written(), {"auto_answer": False}, id="channel-is-not-set-to-be-answered"),
        pytest.param(written(replace(ROOT, kind="group"), "Lunch is here!"), {}, id="no-question-in-a-group"),
        pytest.param(written(REPLY, ""), {"is_escalation": False}, id="no-words-in-a-thread"),
        pytest.param(written(REPLY, mentions_other=True), {"is_escalation": False}, id="to-somebody-else-in-a-thread"),
        pytest.param(
            written(REPLY, "I see, thanks"), {"is_escalation": False, "has_asked": False}, id="no-question-of-another"
        ),
        pytest.param(
            written(REPLY), {"is_escalation": False, "has_asked": False, "has_answers": False}, id="a-thread-of-others"
        ),
    ],
)
def test_what_is_not_for_the_bot_is_left_alone(event, known):
    assert route(event, facts(**known)) is None


def test_a_question_is_answered_unasked_where_the_channel_is_set_to_be():
    assert route(written(), facts(auto_answer=True)) == written(auto_answered=True)


def test_a_thread_goes_on_with_its_asker_s_words_and_with_questions_of_others():
    thanks = written(REPLY, "I see, thanks")
    assert route(thanks, facts(is_escalation=False, has_asked=True)) == thanks
    other = written(REPLY)
    assert route(other, facts(is_escalation=False, has_asked=False, has_answers=True)) == other


def test_what_is_written_where_owners_were_asked_is_a_reply_of_theirs():
    routed = route(written(REPLY, "Six days."), facts(is_escalation=True))
    assert routed
    assert routed.kind == "expert"


@pytest.mark.parametrize("kind", ["edit", "delete"])
def test_an_edit_and_a_deletion_count_where_the_message_was_a_question(kind):
    event = message_event(kind, ROOT, "ada", QUESTION)
    assert route(event, facts(was_accepted=True)) == event
    assert route(event, facts(was_accepted=False, is_escalation=False)) is None


@pytest.mark.parametrize("place", [ROOT, REPLY])
def test_what_owners_change_or_delete_where_they_were_asked_is_about_their_reply(place):
    known = facts(was_accepted=False, is_escalation=True)
    deleted = route(message_event("delete", place, ""), known)
    assert deleted
    assert deleted.kind == "expert_delete"
    if place is REPLY:  # a deletion alone may come without its thread
        edited = route(message_event("edit", place, "eve", "Seven days."), known)
        assert edited
        assert edited.kind == "expert_edit"


def test_a_message_that_mentions_the_bot_since_it_was_edited_is_a_question():
    event = replace(message_event("edit", ROOT, "ada", QUESTION, edited="3"), mentions_bot=True)
    routed = route(event, facts(was_accepted=False))
    assert routed == written(mentions_bot=True)


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("How many days may I carry over", True),
        ("We have five days left, right?", True),
        ("can somebody tell me about leave", True),
        ("Wie viele Tage habe ich?", True),
        ("Thanks everybody, see you on Monday.", False),
        ("Lunch is here!", False),
        ("Really?", False),
        ("look https://example.com/?q=1 is nice", False),
        ("The build is green again", False),
        ("", False),
    ],
)
def test_only_real_questions_are_questions(text, asks):
    assert is_question(text) is asks
