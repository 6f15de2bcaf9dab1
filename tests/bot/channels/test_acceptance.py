"""What is for the bot is kept before it is acknowledged; where too many wait, whoever asked hears of it once."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.app import App, bootstrap
from bot.channels.acceptance import EventAcceptor
from bot.channels.events import IncomingEvent, Place, from_json, message_event, stop_event
from bot.channels.message_records import AcceptedMessage
from bot.channels.port import Accepted
from bot.channels.stop_marks import StopMarks
from bot.channels.thread_state import ThreadState
from bot.config.settings import Settings
from bot.errors import StateUnavailable
from bot.state.protocol import Event
from tests.fakes import FakeEmbedder

DIRECT = Place("slack", "T1", "D1", message="18.0", kind="direct")
QUESTION = message_event("question", DIRECT, "U1", "How many days?")


@pytest.fixture
def app(tmp_path) -> Iterator[App]:
    with closing(bootstrap(Settings(home=tmp_path), embedder=FakeEmbedder())) as opened:
        yield opened


class Bench:
    """An acceptor on a queue that gives this answer to every event."""

    def __init__(self, app: App, answer: Accepted | Exception) -> None:
        self.answer = answer
        self.kept: list[Event] = []
        self.told: list[IncomingEvent] = []
        self.thread_state = ThreadState(app.state, "slack", pseudonym=app.pseudonym)
        self.stop_marks = StopMarks(app.state, "slack")
        self.acceptor = EventAcceptor(
            self._accept,
            settings=app.settings,
            thread_state=self.thread_state,
            stop_marks=self.stop_marks,
            escalation=app.escalation,
            tell_busy=self.told.append,
        )

    def _accept(self, event: Event) -> Accepted:
        if isinstance(self.answer, Exception):
            raise self.answer
        self.kept.append(event)
        return self.answer


@pytest.mark.parametrize(("answer", "is_stopped"), [("new", True), ("busy", True), ("known", False)])
def test_a_stop_waits_for_nothing_and_holds_at_once_unless_it_is_told_again(app, answer, is_stopped):
    bench, before = Bench(app, answer), datetime.now(UTC)
    stop = stop_event(IncomingEvent("question", "", DIRECT, "U1"), press="Ev1")
    assert bench.acceptor.accept(stop) == answer
    (event,) = bench.kept
    assert event.turn == ""
    assert bench.stop_marks.covers(DIRECT, before) is is_stopped
    assert bench.told == []


def test_a_question_is_kept_as_it_is_with_its_thread_as_turn(app):
    bench = Bench(app, "new")
    assert bench.acceptor.accept_message(QUESTION) == "new"
    (event,) = bench.kept
    assert (event.platform, event.id, event.turn) == ("slack", "T1:D1:18.0", "T1:D1:18.0")
    assert from_json(event.payload, platform="slack") == QUESTION
    assert bench.thread_state.messages.accepted(DIRECT) == AcceptedMessage()


def test_an_edit_that_comes_while_another_replica_accepts_its_message_is_kept_as_one(app):
    bench = Bench(app, "known")
    edited = replace(message_event("edit", DIRECT, "U1", "How many weeks?", edited="19.0"), kind="question")
    assert bench.acceptor.accept(replace(edited, id=QUESTION.id)) == "known"
    assert [event.id for event in bench.kept] == ["T1:D1:18.0", "T1:D1:18.0:edit:19.0"]
    assert from_json(bench.kept[-1].payload, platform="slack").kind == "edit"


def test_a_question_that_is_told_of_again_is_remembered_once(app):
    bench = Bench(app, "new")
    in_channel = replace(QUESTION, place=replace(DIRECT, kind="channel"), mentions_bot=True)
    bench.acceptor.accept_message(in_channel)
    assert bench.thread_state.has_asked(in_channel.place, "U1")
    bench.thread_state.remove_asker(in_channel.place, "U1")
    bench.acceptor.accept_message(in_channel)
    assert not bench.thread_state.has_asked(in_channel.place, "U1")


def test_a_deletion_that_does_not_say_whose_is_kept_with_the_thread_of_its_message(app):
    bench = Bench(app, "new")
    reply = replace(DIRECT, thread="17.0")
    bench.acceptor.accept_message(replace(QUESTION, place=reply))
    assert bench.acceptor.accept_message(message_event("delete", DIRECT, "")) == "new"
    assert [event.turn for event in bench.kept] == ["T1:D1:17.0", "T1:D1:17.0"]
    assert bench.thread_state.messages.was_deleted(DIRECT)


def test_what_is_said_to_a_person_in_a_thread_with_the_bot_is_remembered_and_not_kept(app):
    bench = Bench(app, "new")
    root = replace(DIRECT, kind="channel", message="17.0")
    bench.acceptor.accept_message(replace(QUESTION, id="17.0", place=root, mentions_bot=True))
    chatter = message_event("question", replace(root, thread="17.0", message="18.0"), "U2", "@Bob lunch is here!")
    assert bench.acceptor.accept_message(chatter) is None
    assert bench.thread_state.status(root) == "interrupted"


def test_what_is_not_for_the_bot_is_not_kept(app):
    bench = Bench(app, "new")
    assert bench.acceptor.accept_message(replace(QUESTION, place=replace(DIRECT, kind="channel"))) is None
    assert bench.kept == []


def test_what_cannot_be_kept_is_not_acknowledged(app):
    with pytest.raises(StateUnavailable):
        Bench(app, StateUnavailable("not now")).acceptor.accept_message(QUESTION)


def test_whoever_asks_where_too_many_wait_hears_of_it_once(app):
    bench = Bench(app, "busy")
    assert [bench.acceptor.accept_message(QUESTION) for _ in range(3)] == ["busy"] * 3
    assert bench.told == [QUESTION]


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(replace(QUESTION, unaddressed=True), id="nobody-addressed-the-bot"),
        pytest.param(replace(QUESTION, kind="command"), id="the-acknowledgement-says-so"),
    ],
)
def test_who_need_not_be_told_is_not(app, event):
    bench = Bench(app, "busy")
    assert bench.acceptor.accept(event) == "busy"
    assert bench.told == []
