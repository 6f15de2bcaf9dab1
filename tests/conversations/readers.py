"""Conversations in which it changes who reads along."""

from tests.conversations.conversations import DOORS, DOORS_SAID, LEAVE_SAID, NOT_FOUND, Stage, only, scenario
from tests.scripted_app import QUESTION


@scenario()
def a_guest_who_comes_is_heard_of_at_the_next_question_and_when_they_go(stage: Stage) -> None:
    assert LEAVE_SAID in only(stage.asks(QUESTION).seen()).text
    stage.joins("Gil", "general")
    assert NOT_FOUND in only(stage.asks(QUESTION).seen()).text
    assert DOORS_SAID in only(stage.asks(DOORS).seen()).text
    assert LEAVE_SAID in only(stage.asks(QUESTION, where="random").seen()).text
    stage.leaves("Gil", "general")
    assert LEAVE_SAID in only(stage.asks(QUESTION).seen()).text


@scenario(way="direct")
def whoever_becomes_a_guest_is_one_at_once_wherever_they_are(stage: Stage) -> None:
    assert LEAVE_SAID in only(stage.asks(QUESTION, who="Bob", way="direct").seen()).text
    assert LEAVE_SAID in only(stage.asks(QUESTION).seen()).text
    stage.becomes("Bob", guest=True)
    assert NOT_FOUND in only(stage.asks(QUESTION, who="Bob", way="direct").seen()[-1:]).text
    assert NOT_FOUND in only(stage.asks(QUESTION).seen()).text
    assert LEAVE_SAID in only(stage.asks(QUESTION, way="direct").seen()).text
    stage.becomes("Bob", guest=False)
    assert LEAVE_SAID in only(stage.asks(QUESTION).seen()).text
