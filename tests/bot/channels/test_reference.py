"""A mention that asks nothing by itself is about what others have written before it."""

from collections.abc import Sequence
from dataclasses import replace

from bot.channels.events import Place, content_hash, message_event
from bot.channels.port import WrittenMessage
from bot.channels.reference import asked_by
from tests.conversations.test_memory import opened
from tests.scripted_app import QUESTION as LEAVE_QUESTION

THREAD = Place("chat", "W", "general", "1", "9", kind="channel")
CALL = replace(message_event("question", THREAD, "ada", "can you answer this?"), mentions_bot=True)
QUESTION = "How many days may I carry over?"


def before(*texts: str) -> list[WrittenMessage]:
    return [WrittenMessage("bob", text, str(at), content_hash(text)) for at, text in enumerate(texts, start=1)]


def never(place: Place) -> Sequence[WrittenMessage]:
    raise AssertionError("nothing need be read")


def test_the_last_message_that_asks_something_is_answered_with_those_before_it():
    asked = asked_by(CALL, lambda _: before("We plan next year.", QUESTION, "no idea", "@bot help"))
    assert (asked.text, asked.author, asked.message) == (QUESTION, "chat:bob", "2")
    assert [turn.text for turn in asked.context] == ["We plan next year."]


def test_where_nothing_asks_the_message_that_began_the_thread_is_answered():
    asked = asked_by(CALL, lambda _: before("I need the form for a sick note", "no idea, sorry"))
    assert asked.text == "I need the form for a sick note"


def test_in_a_channel_only_the_last_message_counts():
    in_channel = replace(CALL, place=replace(THREAD, thread=""))
    assert asked_by(in_channel, lambda _: before("x", QUESTION)).text == QUESTION
    assert asked_by(in_channel, lambda _: before(QUESTION, "Lunch is here!")).text == CALL.text


def test_where_nothing_is_there_to_answer_the_mention_speaks_for_itself():
    assert asked_by(CALL, lambda _: ()).text == CALL.text


def test_a_question_of_its_own_and_a_direct_message_are_read_alone():
    own = replace(CALL, text=QUESTION)
    assert asked_by(own, never).text == QUESTION
    assert asked_by(replace(CALL, place=replace(THREAD, kind="direct")), never).text == CALL.text
    assert asked_by(replace(CALL, mentions_bot=False), never).author == "chat:ada"


def test_whoever_s_words_were_answered_is_forgotten_with_them(tmp_path):
    with opened(tmp_path, with_model=False) as stage:
        talk = stage.asks("Hello", where="random")
        talk.seen()
        asked = stage.chatter(LEAVE_QUESTION, who="Bob")
        asked.says("can you answer this?", who="Ada", calls=True)
        assert len(asked.seen()) == 1
        kept = stage.app.privacy.show("memory:Ada").records
        assert kept == [], "the words are not hers"
        stage.app.privacy.forget("memory:Bob")
        assert stage.exchanges() == []


def test_words_that_wait_to_be_answered_for_somebody_else_are_forgotten_with_their_author(tmp_path):
    with opened(tmp_path, with_model=False) as stage:
        stage.chatter(LEAVE_QUESTION, who="Bob").asked_about(by="Ada")
        assert stage.app.state.waiting() == 1
        stage.app.privacy.forget("memory:Bob")
        assert stage.app.state.waiting() == 0
