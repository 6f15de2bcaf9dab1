"""Somebody stops the bot while it is at work."""

from bot.channels.presentation import STOPPED
from tests.conversations.conversations import DOORS, DOORS_SAID, LEAVE_SAID, Stage, only, scenario
from tests.scripted_app import QUESTION


@scenario(with_model=True)
def an_answer_that_is_stopped_says_so_below_what_is_there(stage: Stage) -> None:
    with stage.writing_slowly():
        asked = stage.asks(QUESTION)
        asked.stops()
    stopped = only(asked.seen())
    assert LEAVE_SAID in stopped.text
    assert stopped.text.rstrip().endswith(STOPPED)
    assert "31 March" not in stopped.text
    assert stopped.can == frozenset()
    assert stage.exchanges() == []


@scenario(with_model=True)
def what_waits_in_a_thread_is_stopped_too_and_what_is_asked_later_is_answered(stage: Stage) -> None:
    with stage.writing_slowly():
        asked = stage.asks(QUESTION, way="direct")
        asked.asks_on(DOORS)
        asked.stops()
    stopped = asked.seen()
    assert all(STOPPED in each.text for each in stopped)
    assert not any(DOORS_SAID in each.text for each in stopped)
    with stage.down("model"):  # what it would say is about leave
        asked.asks_on(DOORS)
        assert DOORS_SAID in asked.seen()[-1].text
    assert LEAVE_SAID in stage.asks(QUESTION, where="random").seen()[-1].text
