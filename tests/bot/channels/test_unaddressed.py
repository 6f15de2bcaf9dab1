"""What nobody has addressed to the bot is left alone where it sounds like people talking to each other."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any, cast

import pytest

from bot.answering.understanding.addressing import Scene
from bot.channels.events import Place, message_event
from bot.channels.thread_state import ThreadState
from bot.channels.unaddressed import UnaddressedMessages
from bot.config.settings import Settings
from bot.services.questions import QuestionService
from bot.state.sqlite.store import SqliteState
from tests.conversations.memory_channel import MemoryRenderer

REPLY = Place("memory", "W", "general", "1", "2", "channel")
EVENT = replace(message_event("question", REPLY, "bob", "who is bringing the cake"), unaddressed=True)


class Questions:
    """The part of `QuestionService` that is asked here."""

    def __init__(self, answer: bool) -> None:
        self._answer = answer
        self.scene = Scene()

    def sounds_like_chatter(self, text: str, scene: Scene) -> bool:
        """Return what was given, and remember the scene."""
        self.scene = scene
        return self._answer


@pytest.fixture
def state(tmp_path) -> Iterator[ThreadState]:
    with closing(SqliteState(tmp_path / "state.db")) as store:
        yield ThreadState(store, "memory", pseudonym=str.upper)


def messages(state: ThreadState, questions: Questions) -> UnaddressedMessages:
    service = cast("QuestionService", cast("Any", questions))
    return UnaddressedMessages(settings=Settings(), thread_state=state, questions=service, renderer=MemoryRenderer())


@pytest.mark.parametrize("sounds", [True, False])
def test_a_message_is_judged_by_its_meaning_and_by_whose_it_is(state, sounds):
    state.add_asker(REPLY, "ada")
    questions = Questions(sounds)
    assert messages(state, questions).is_chatter(EVENT) is sounds
    assert questions.scene == Scene(in_thread=True, after_bot=True)
    state.add_asker(REPLY, "bob")
    state.mark_interrupted(REPLY)
    assert messages(state, questions).is_chatter(EVENT) is sounds
    assert questions.scene == Scene(in_thread=True, by_asker=True)


def test_thanks_of_whoever_asked_are_for_the_bot_until_people_have_spoken(state):
    state.add_asker(REPLY, "bob")
    thanks = replace(EVENT, text="Thanks!")
    assert not messages(state, Questions(True)).is_chatter(thanks)
    state.mark_interrupted(REPLY)
    assert messages(state, Questions(True)).is_chatter(thanks)


def test_a_thread_that_began_with_chatter_is_chatter(state):
    assert messages(state, Questions(False)).is_chatter(EVENT)
    assert not messages(state, Questions(True)).is_chatter(replace(EVENT, text="Footnote, who signs it?"))


def test_a_thread_that_the_bot_stays_out_of_is_none_of_its_own(state):
    root = replace(EVENT, place=replace(REPLY, thread="", message="1"))
    state.add_asker(root.place, "bob")
    messages(state, Questions(True)).stay_out(root)
    assert (state.status(root.place), state.has_asked(root.place, "bob")) == ("", False)


def test_chatter_in_a_thread_is_remembered_as_people_speaking_to_each_other(state):
    messages(state, Questions(True)).stay_out(EVENT)
    assert state.status(REPLY) == ""
    state.add_asker(REPLY, "ada")
    messages(state, Questions(True)).stay_out(EVENT)
    assert state.status(REPLY) == "interrupted"
