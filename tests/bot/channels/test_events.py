"""Accepted events are read after an upgrade as they were written before it, and places have one name."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.events import (
    IncomingEvent,
    Place,
    about_event,
    accept_event,
    content_hash,
    edited_into_question,
    erase_event,
    from_json,
    message_event,
    parse_thread_name,
    person_event,
    share_event,
)

# What the version before wrote, and the event that it means.
WRITTEN = [
    pytest.param(
        '{"kind": "question", "id": "T1:C1:18.0", "team": "T1", "channel": "C1", "user": "U1", '
        '"text": "Wie viele Tage? “so”", "ts": "18.0", "thread": "17.5", "place": "channel", "called": true, '
        '"others": true, "event": "Ev1", "response_url": "https://hooks.example/1", "value": "v", "enterprise": "E1", '
        '"home": "T2", "unasked": true}',
        IncomingEvent(
            "question",
            "T1:C1:18.0",
            Place("slack", "T1", "C1", "17.5", "18.0", "channel"),
            "U1",
            "Wie viele Tage? “so”",
            mentions_bot=True,
            mentions_other=True,
            auto_answered=True,
            value="v",
            reply_handle="https://hooks.example/1",
            organization="E1",
            user_workspace="T2",
        ),
        id="everything",
    ),
    pytest.param(
        '{"kind": "command", "id": "T1:C1:1.2.3", "team": "T1", "channel": "C1", "user": "U1", '
        '"text": "How many days?", "event": "1.2.3", "response_url": "https://hooks.example/1"}',
        IncomingEvent(
            "command",
            "T1:C1:1.2.3",
            Place("slack", "T1", "C1"),
            "U1",
            "How many days?",
            reply_handle="https://hooks.example/1",
        ),
        id="command",
    ),
    pytest.param(
        '{"kind": "question", "id": "T1:D1:18.0", "team": "T1", "channel": "D1", "user": "U1", "text": "Why?", '
        '"ts": "18.0", "place": "im", "event": "Ev2"}',
        IncomingEvent("question", "T1:D1:18.0", Place("slack", "T1", "D1", "", "18.0", "direct"), "U1", "Why?"),
        id="direct",
    ),
    pytest.param(
        '{"kind": "edit", "id": "T1:C1:18.0:edit:19.0", "team": "T1", "channel": "C1", "user": "U1", "text": "How?", '
        '"ts": "18.0", "place": "mpim"}',
        IncomingEvent("edit", "T1:C1:18.0:edit:19.0", Place("slack", "T1", "C1", "", "18.0", "group"), "U1", "How?"),
        id="edit",
    ),
    pytest.param(
        '{"kind": "delete", "id": "T1:G1:18.0:delete", "team": "T1", "channel": "G1", "user": "U1", "ts": "18.0", '
        '"thread": "17.5", "place": "group"}',
        IncomingEvent("delete", "T1:G1:18.0:delete", Place("slack", "T1", "G1", "17.5", "18.0", "private"), "U1"),
        id="delete",
    ),
    pytest.param(
        '{"kind": "share", "id": "share:T1:C1:a1", "team": "T1", "channel": "C1", "user": "U1", '
        '"response_url": "https://hooks.example/2", "value": "a1"}',
        share_event(
            IncomingEvent(
                "question", "", Place("slack", "T1", "C1", "17.5"), "U1", reply_handle="https://hooks.example/2"
            ),
            "a1",
        ),
        id="share",
    ),
    pytest.param(
        '{"kind": "person", "id": "person:T1:a1:20.1", "team": "T1", "channel": "C1", "user": "U1", "thread": "17.5", '
        '"response_url": "https://hooks.example/3", "value": "a1"}',
        person_event(
            IncomingEvent(
                "question", "", Place("slack", "T1", "C1", "17.5"), "U1", reply_handle="https://hooks.example/3"
            ),
            "a1",
            press="20.1",
        ),
        id="person",
    ),
    pytest.param(
        '{"kind": "accept", "id": "accept:T1:C9:21.0:22.0", "team": "T1", "channel": "C9", "user": "U9", '
        '"thread": "20.5", "value": "21.0"}',
        accept_event(IncomingEvent("question", "", Place("slack", "T1", "C9", "20.5"), "U9"), "21.0", press="22.0"),
        id="accept",
    ),
    pytest.param(
        '{"kind": "erase", "id": "erase:T1:23.0", "team": "T1", "channel": "U1", "user": "U1"}',
        erase_event(IncomingEvent("question", "", Place("slack", "T1", "C1"), "U1"), press="23.0"),
        id="erase",
    ),
]


@pytest.mark.parametrize(("text", "event"), WRITTEN)
def test_an_event_that_an_earlier_version_kept_is_read(text, event):
    assert from_json(text, platform="slack") == event


@pytest.mark.parametrize(("text", "event"), WRITTEN)
def test_an_event_is_still_written_so_that_an_earlier_version_reads_it(text, event):
    written = json.loads(text)
    written.pop("event", None)  # nobody ever read it
    assert json.loads(event.to_json()) == written


def test_a_kind_of_place_that_is_not_known_any_more_is_read_as_none():
    text = '{"kind": "question", "id": "1", "team": "T1", "channel": "C1", "user": "U1", "place": "app_home"}'
    assert from_json(text, platform="slack").place.kind == ""


def test_a_message_its_edit_and_its_deletion_have_ids_of_their_own():
    place = Place("slack", "T1", "C1", message="18.0")
    assert message_event("question", place, "U1").id == "T1:C1:18.0"
    edit = message_event("edit", place, "U1", edited="19.0")
    assert edit.id == "T1:C1:18.0:edit:19.0"
    assert message_event("delete", place, "U1").id == "T1:C1:18.0:delete"
    assert edited_into_question(edit).id == "T1:C1:18.0"


@pytest.mark.parametrize(
    "text",
    [
        "*How many* days may I “carry over”?",
        "How many  days\nmay I 'carry over'?",
        "> How many days may I `carry over`?",
        "• _How many days may I_ ~carry over~?",
        "How many days may I carry over?\u200b",
    ],
)
def test_formatting_alone_makes_no_other_text(text):
    assert content_hash(text) == content_hash("How many days may I carry over?")


@pytest.mark.parametrize(
    "text", ["How many days may we carry over?", "How many days may I carry", "5.5 days", "55 days"]
)
def test_other_words_make_another_text(text):
    others = {"How many days may I carry over?", "5.5 days", "55 days"} - {text}
    assert content_hash(text) not in {content_hash(each) for each in others}


def test_a_text_without_words_has_no_content():
    assert content_hash(" *  _ ") == content_hash("") == ""


def test_the_wish_for_an_answer_to_a_message_is_kept_with_whose_words_it_is():
    pressed = IncomingEvent(
        "question", "", Place("slack", "T1", "C1", "17.5"), "U1", reply_handle="https://hooks.example/1"
    )
    event = about_event(pressed, "Why?", message="18.0", author="U2", content="hash", press="20.1")
    assert (event.kind, event.id) == ("command", "about:T1:C1:18.0:20.1")
    assert (event.person, event.author_person) == ("slack:U1", "slack:U2")
    assert from_json(event.to_json(), platform="slack") == event


def test_a_thread_is_named_as_it_always_was():
    assert Place("slack", "T1", "C1", "17.5", "18.0").thread_name == "slack:T1:C1:17.5"
    assert Place("slack", "T1", "C1", message="18.0").thread_name == "slack:T1:C1:18.0"
    assert Place("slack", "T1", "U1").thread_name == "slack:T1:U1:"


@given(st.tuples(st.text(), st.text(), st.text()))
def test_a_thread_name_leads_back_to_its_thread_whatever_a_platform_s_ids_are(ids):
    workspace, channel, thread = ids
    place = Place("teams", workspace, channel, thread)
    assert parse_thread_name(place.thread_name) == place


def test_the_names_of_files_wait_with_their_event():
    event = IncomingEvent("question", "e1", Place("chat", "T1", "C1"), "U1", files=("policy.pdf", "“so”.md"))
    assert from_json(event.to_json(), platform="chat") == event
