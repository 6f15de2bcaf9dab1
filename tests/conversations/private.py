"""What one person alone sees: notes where they belong, and answers where the bot is no member."""

from tests.conversations.conversations import DOORS, DOORS_SAID, NOT_FOUND, PAY, Stage, only, scenario
from tests.scripted_app import QUESTION


@scenario()
def what_one_person_is_told_stands_in_the_thread_that_it_is_about(stage: Stage) -> None:
    asked = stage.asks(QUESTION)
    only(asked.seen())
    asked.asks_a_person()
    asked.asks_a_person()  # that it was passed on everybody sees; that it was so already is told to whoever pressed
    assert "passed on already" in only(asked.notes()).text
    assert asked.notes(by="Bob") == []


@scenario(way="command")
def the_command_works_where_the_bot_is_no_member(stage: Stage) -> None:
    """Only who asks sees the answer, so it has their own groups, and nobody can be shown it."""
    asked = stage.asks(PAY, who="Mia", way="command", where="colleague")
    answer = only(asked.seen())
    assert "90,000" in answer.text
    assert "share" not in answer.can
    assert {"up", "down"} <= answer.can
    assert "invite" not in answer.text
    assert asked.seen(by="Ada") == []
    assert NOT_FOUND in only(stage.asks(PAY, who="Ada", way="command", where="colleague").seen()).text


@scenario(way="command")
def a_guest_reads_no_more_where_the_bot_is_no_member(stage: Stage) -> None:
    assert NOT_FOUND in only(stage.asks(QUESTION, who="Gil", way="command", where="colleague").seen()).text
    assert DOORS_SAID in only(stage.asks(DOORS, who="Gil", way="command", where="colleague").seen()).text
