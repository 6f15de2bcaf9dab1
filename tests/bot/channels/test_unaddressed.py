"""What nobody has addressed to the bot is left alone where it sounds like people talking, except from whoever asked."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any, cast

import pytest

from bot.channels.events import Place, message_event
from bot.channels.thread_state import ThreadState
from bot.channels.unaddressed import UnaddressedMessages
from bot.config.settings import Settings
from bot.services.questions import QuestionService
from bot.state.sqlite.store import SqliteState
from retrieval.errors import EmbeddingUnavailable
from tests.conversations.memory_channel import MemoryRenderer

REPLY = Place("memory", "W", "general", "1", "2", "channel")
EVENT = replace(message_event("question", REPLY, "bob", "who is bringing the cake"), unaddressed=True)


class Questions:
    """The part of `QuestionService` that is asked here."""

    def __init__(self, answer: bool | Exception) -> None:
        self._answer = answer

    def sounds_like_chatter(self, text: str) -> bool:
        """Return or raise what was given."""
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


@pytest.fixture
def state(tmp_path) -> Iterator[ThreadState]:
    with closing(SqliteState(tmp_path / "state.db")) as store:
        yield ThreadState(store, "memory", pseudonym=str.upper)


def messages(state: ThreadState, answer: bool | Exception) -> UnaddressedMessages:
    questions = cast("QuestionService", cast("Any", Questions(answer)))
    return UnaddressedMessages(settings=Settings(), thread_state=state, questions=questions, renderer=MemoryRenderer())


@pytest.mark.parametrize("sounds", [True, False])
def test_another_than_whoever_asked_is_judged_by_the_meaning(state, sounds):
    assert messages(state, sounds).is_chatter(EVENT) is sounds


def test_whoever_asked_may_be_short(state):
    state.add_asker(REPLY, "bob")
    assert not messages(state, True).is_chatter(EVENT)


def test_without_the_model_the_search_says_what_is_wrong(state):
    assert not messages(state, EmbeddingUnavailable("no model")).is_chatter(EVENT)


def test_a_thread_that_the_bot_stays_out_of_is_none_of_its_own(state):
    root = replace(EVENT, place=replace(REPLY, thread="", message="1"))
    state.add_asker(root.place, "bob")
    messages(state, True).stay_out(root)
    assert (state.status(root.place), state.has_asked(root.place, "bob")) == ("", False)
    state.add_asker(REPLY, "ada")
    messages(state, True).stay_out(EVENT)
    assert state.status(REPLY) == "asked"
