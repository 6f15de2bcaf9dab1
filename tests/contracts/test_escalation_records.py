"""Whatever the state store, what became of a question that was passed on is found again, and what is due comes once."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.services.escalation_records import EscalationRecords, ExpertReply, version_of
from bot.state.protocol import Event
from bot.state.schedule import OVERDUE, accept_due, schedule
from tests.contracts.test_state_store import redis_url, reopen, store
from tests.fakes import NOON

__all__ = ["redis_url", "reopen", "store"]

THREAD, MESSAGE = "slack:T1:C9:20.5", "slack:T1:C9:21.5"
REPLY = ExpertReply("a1", THREAD, "U9")
SENT = replace(REPLY, version="v1", messages=("30.1", "30.2"), note="22.5")


@pytest.fixture
def records(store) -> EscalationRecords:
    return EscalationRecords(store, now=lambda: NOON)


def test_a_reply_is_found_again_and_counts_while_it_is_sent(records):
    assert records.reply(MESSAGE) is None
    assert records.progress(THREAD) == "asked"
    records.save_reply(MESSAGE, SENT)
    assert records.reply(MESSAGE) == SENT
    assert records.sent(THREAD) == [SENT]
    assert records.progress(THREAD) == "answered"
    records.save_reply(MESSAGE, replace(SENT, accepted="v1"))
    assert records.progress(THREAD) == "accepted"
    records.save_reply(MESSAGE, replace(SENT, accepted="v1", version="v2"))
    assert records.progress(THREAD) == "answered"
    records.save_reply(MESSAGE, REPLY)
    assert records.progress(THREAD) == "asked"
    assert records.sent("slack:T1:C9:20") == []
    records.withdraw(THREAD, answer="a1")
    assert records.progress(THREAD) == "withdrawn"


def test_the_sign_and_deleted_messages_are_remembered(records):
    assert records.sign(THREAD) == ""
    records.save_sign(THREAD, "slack:T1:C1:17.9", answer="a1")
    assert records.sign(THREAD) == "slack:T1:C1:17.9"
    assert not records.was_deleted(MESSAGE)
    records.mark_deleted(MESSAGE, answer="a1")
    assert records.was_deleted(MESSAGE)


def test_the_threads_of_an_edited_question_are_those_of_all_its_answers(store, records):
    assert records.threads_of("a1") == []
    store.put("escalation:answer:a1", '{"by": "x", "thread": "one"}', expires=NOON + timedelta(days=1))
    store.put("escalation:answer:a0", "", expires=NOON + timedelta(days=1))  # as an earlier version wrote it
    records.follow("a2", earlier="a1")
    records.follow("a3", earlier="a2")
    records.follow("a3", earlier="a3")
    assert records.threads_of("a3") == ["one"]
    assert records.threads_of("a0") == []


def test_a_version_names_words_and_files():
    assert version_of("a") == version_of("a")
    assert len({version_of("a"), version_of("b"), version_of("a", ("f",)), version_of("", ("a",))}) == 4


def test_what_is_scheduled_comes_when_it_is_time_oldest_first(store):
    def event(number: int) -> Event:
        return Event("slack", f"remind:{number}", NOON, '{"value": "a1"}', "T1:C9:20.5")

    for number in (2, 1):
        schedule(store, event(number), NOON + timedelta(hours=number))
    schedule(store, event(3), NOON + timedelta(days=30))
    store.put("scheduled:2000-01-01T00:00:00:slack:x", "not JSON", expires=NOON + timedelta(days=1))
    came: list[Event] = []

    def accept(event: Event) -> bool:
        came.append(event)
        return len(came) != 2  # too many wait: it comes again

    accept_due(store, accept, now=NOON)
    assert came == []
    for _ in range(3):
        accept_due(store, accept, now=NOON + timedelta(hours=2))
    assert came == [event(1), event(2), event(2)]
    accept_due(store, accept, now=NOON + timedelta(days=30) + OVERDUE)
    assert len(came) == 3, "after a week nobody needs it any more"
