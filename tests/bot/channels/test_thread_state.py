"""What is remembered of threads is found again, also what the version before has written."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.channels.events import Place
from bot.channels.message_records import AcceptedMessage
from bot.channels.thread_state import AnswerLocation, ThreadState
from bot.state.sqlite.store import SqliteState

NOW = datetime(2026, 3, 2, 12, 30, tzinfo=UTC)
QUESTION = Place("slack", "T1", "C1", "17.5", "18.0")
LOCATION = AnswerLocation("17.5", ("18.1", "18.2"), "a1")
EDITED = AnswerLocation("17.5", ("18.1",), "a1", "19.0", "HASH")

# An unkeyed hash of the person's id, which is read and written no more.
OF_BEFORE = "slack:asker:T1:C1:17.5:316ca0efda6296d8"
# What is written of the question, answer, person and vote below.
WRITTEN = {
    "person:hash:slack:voted:a1": "2026-03-02T12:30:00",
    "slack:answer:T1:C1:18.0": '{"thread": "17.5", "ts": ["18.1", "18.2"], "answer": "a1"}',
    "slack:asked:T1:C1:18.0": '{"thread": "17.5", "addressed": true}',
    "person:SLACK:U1:slack:asker:T1:C1:17.5": "1",
    "slack:message:T1:C1:18.1": "a1",
    "slack:message:T1:C1:18.2": "a1",
    "slack:once:busy:T1:C1:18.0": "1",
    "slack:share:T1:C1:a1": "{}",
    "slack:thread:T1:C1:17.5": "1",
    "slack:turn:T1:C1:2026030212:0": "1",
    "slack:within:T1:C1:18.1": "17.5",
    "slack:within:T1:C1:18.2": "17.5",
}


@pytest.fixture
def store(tmp_path) -> Iterator[SqliteState]:
    with closing(SqliteState(tmp_path / "state.db")) as opened:
        yield opened


@pytest.fixture
def state(store) -> ThreadState:
    return ThreadState(store, "slack", pseudonym=str.upper, now=lambda: NOW)


def test_keys_and_values_stay_as_they_were(store, state):
    state.save_answer(QUESTION, LOCATION)
    state.add_asker(QUESTION, "U1")
    state.messages.mark_accepted(QUESTION)
    assert state.take_turn(QUESTION, per_hour=2)
    assert state.is_first("busy:T1:C1:18.0", within=timedelta(hours=1))
    state.add_vote("hash", "a1")
    state.save_shareable(QUESTION, "a1", "{}")
    assert {key: store.get(key, now=NOW) for key in store.keys("", now=NOW)} == WRITTEN


def test_what_the_version_before_remembered_is_known(store, state):
    for key, value in WRITTEN.items():
        store.put(key, value, expires=NOW + timedelta(hours=1))
    assert state.answer_location(QUESTION) == LOCATION
    assert state.answer_shown_by(Place("slack", "T1", "C1", message="18.2")) == "a1"
    assert state.status(QUESTION) == "asked"
    assert state.has_asked(QUESTION, "U1")
    store.remove("person:SLACK:U1:slack:asker:T1:C1:17.5")
    assert not state.has_asked(QUESTION, "U1")
    store.put(OF_BEFORE, "1", expires=NOW + timedelta(hours=1))
    assert state.has_asked(QUESTION, "U1")
    assert not state.has_asked(QUESTION, "U2")
    assert state.messages.accepted(QUESTION) == AcceptedMessage("17.5")
    store.put("slack:asked:T1:C1:18.0", "1", expires=NOW + timedelta(hours=1))
    assert state.messages.accepted(QUESTION) == AcceptedMessage()
    assert state.shareable(QUESTION, "a1") == "{}"
    assert state.voted_answers("hash", limit=8) == ["a1"]
    assert not state.is_first("busy:T1:C1:18.0", within=timedelta(hours=1))
    assert state.thread_of(Place("slack", "T1", "C1", message="18.2")) == Place("slack", "T1", "C1", "17.5")


def test_a_message_that_begins_a_thread_or_shows_no_answer_is_in_none(state):
    state.save_answer(QUESTION, AnswerLocation("18.1", ("18.1",), "a1"))
    for message in ("18.1", "19.0"):
        assert state.thread_of(Place("slack", "T1", "C1", message=message)) == Place("slack", "T1", "C1")


def test_what_a_message_said_when_it_was_answered_is_known_by_a_keyed_hash_beside_its_answer(state):
    state.save_answer(QUESTION, EDITED)
    assert state.answer_location(QUESTION) == EDITED
    state.save_answer(QUESTION, replace(EDITED, answer=""))
    assert state.answer_location(QUESTION) == replace(EDITED, answer="", content="")
    assert state.messages.keyed_content("abc") == "CONTENT:ABC"
    assert state.messages.keyed_content("") == ""


def test_of_a_message_the_newest_version_counts_in_whatever_order_they_come(state):
    assert state.messages.newest_version(QUESTION) == ""
    for version in ("19.0", "21.0", "20.0"):
        state.messages.mark_edited(QUESTION, version)
    assert state.messages.newest_version(QUESTION) == "21.0"


def test_a_deleted_message_is_known_whether_it_was_a_question_or_not(state):
    assert not state.messages.was_deleted(QUESTION)
    state.messages.mark_deleted(QUESTION)
    assert state.messages.was_deleted(QUESTION)


def test_a_thread_is_a_conversation_with_the_bot_until_people_speak_to_each_other(state):
    assert state.status(QUESTION) == ""
    state.add_asker(QUESTION, "U1")
    assert state.status(QUESTION) == "asked"
    state.mark_interrupted(QUESTION)
    assert state.status(QUESTION) == "interrupted"
    state.add_asker(QUESTION, "U2")
    assert state.status(QUESTION) == "asked"
    state.remove_asker(QUESTION, "U2")
    assert (state.status(QUESTION), state.has_asked(QUESTION, "U2")) == ("", False)


def test_a_platform_knows_nothing_of_another_s_threads(store, state):
    state.save_answer(QUESTION, LOCATION)
    assert ThreadState(store, "teams", pseudonym=str.upper, now=lambda: NOW).answer_location(QUESTION) is None


def test_a_channel_has_so_many_turns_an_hour(store):
    now = [NOW]
    state = ThreadState(store, "slack", pseudonym=str.upper, now=lambda: now[0])
    assert [state.take_turn(QUESTION, per_hour=2) for _ in range(3)] == [True, True, False]
    now[0] += timedelta(hours=1)
    assert state.take_turn(QUESTION, per_hour=2)


def test_what_was_not_recorded_cannot_be_voted_on_by_a_reaction(state):
    state.save_answer(QUESTION, AnswerLocation("17.5", ("18.1",), ""))
    assert state.answer_shown_by(Place("slack", "T1", "C1", message="18.1")) is None
    assert state.answer_location(QUESTION) == AnswerLocation("17.5", ("18.1",), "")
