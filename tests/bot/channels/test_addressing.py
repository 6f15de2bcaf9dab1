"""Of messages that people write without calling the bot, those are taken for questions to it that are."""

from pathlib import Path

import pytest

from bot.answering.understanding.addressing import (
    Scene,
    asks_something,
    calls_bot,
    is_for_bot,
    may_be_for_bot,
    points_elsewhere,
)
from tests.benchmarks.addressing import figures, judged, read

# Written, with labels, by somebody who had not seen the code; judged by what was learned from other messages.
DEVELOPMENT, LATER = (Path(__file__).with_name(f"thread_messages{name}.jsonl") for name in ("", "_heldback"))
ASKER, COLLEAGUE = Scene(in_thread=True, by_asker=True, after_bot=True), Scene(in_thread=True)


@pytest.mark.parametrize(("path", "precision", "recall"), [(DEVELOPMENT, 0.97, 0.95), (LATER, 0.94, 0.88)])
def test_what_is_for_the_bot_is_told_from_what_people_say_to_each_other(path, precision, recall):
    found = figures(judged(read(path)))
    assert found.precision >= precision
    assert found.recall >= recall


@pytest.mark.parametrize("path", [DEVELOPMENT, LATER])
def test_whatever_may_be_for_the_bot_is_accepted(path):
    assert figures(judged(read(path), accepted=True)).recall == 1.0


@pytest.mark.parametrize("text", ["", "?!", "👍", "@Kate have a look", "so how was it @Kate?"])
def test_what_has_no_words_or_mentions_somebody_is_not_accepted(text):
    assert not may_be_for_bot(text)


@pytest.mark.parametrize(
    "text",
    [
        "And part-time staff?",
        "what counts as part-time",
        "in Germany?",
        "... in Germany, I mean",
        "sorry, I meant for contractors",
        "before or after tax",
        "not sure whether that applies to interns",
        "can you send me the form",
        "so I can't take it in December?",
        "my manager is away, who else may sign it",
        "Footnote, and for contractors?",
    ],
)
def test_whoever_asked_goes_on_with_fragments_statements_and_requests(text):
    assert is_for_bot(text, ASKER)


@pytest.mark.parametrize(
    "text",
    [
        "thanks, I'll tell Bob",
        "ok see you at 5",
        "Bob, can you check this?",
        "want to join me?",
        "£96 return, daylight robbery isn't it",
        "shall we take Friday off together?",
        "when I was there we had 30 days",
        "what a mess",
        "@Kate have a look",
    ],
)
def test_what_whoever_asked_says_to_people_is_left_alone(text):
    assert not is_for_bot(text, ASKER)


@pytest.mark.parametrize(
    "text", ["What about people on probation", "does it work for part-timers?", "are weekends counted"]
)
def test_a_colleague_goes_on_with_a_question_that_stands_by_itself(text):
    assert is_for_bot(text, COLLEAGUE)


@pytest.mark.parametrize(
    "text",
    ["first one?", "how many do you have left?", "did the meeting move?", "is it the blue one?", "lol", "your boss?"],
)
def test_a_colleague_s_question_to_whoever_asked_is_left_alone(text):
    assert not is_for_bot(text, COLLEAGUE)


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("How many days may I carry over", True),
        ("can somebody tell me how leave works", True),
        ("Wie viele Tage habe ich?", True),
        ("有什么假期政策可以参考 吗 呢？", True),
        ("looking for the equality policy", True),
        ("Thanks everybody, see you on Monday.", False),
        ("Lunch is here!", False),
        ("Really?", False),
        ("look https://example.com/?q=1 is nice", False),
        ("The build is green again", False),
        ("can someone cover reception today?", False),
        ("is the vpn down again?", False),
        ("", False),
        ("?!? ...", False),
    ],
)
def test_where_nobody_has_asked_yet_a_question_is_one_that_documents_may_answer(text, asks):
    assert is_for_bot(text) is asks


@pytest.mark.parametrize(
    "text",
    ["", "can you answer this?", "please help here", "what do you think?", "any idea?", "👆", "Bob's question please"],
)
def test_a_mention_that_asks_nothing_by_itself_points_to_another_message(text):
    assert points_elsewhere(text)


@pytest.mark.parametrize("text", ["thanks!", "Thank you so much", "great", "hi", "hello there", "good night"])
def test_a_mention_that_thanks_or_greets_points_to_nothing(text):
    assert not points_elsewhere(text)


@pytest.mark.parametrize("text", ["how much leave do I get?", "help with expenses", "and for contractors?"])
def test_a_mention_with_a_question_of_its_own_does_not(text):
    assert not points_elsewhere(text)


def test_what_asks_something_is_known_whomever_it_asks():
    assert asks_something("Bob, how many days may I carry over?")
    assert not asks_something("good question, no idea")


@pytest.mark.parametrize(
    "text", ["footnote, what about interns", "ok Footnote who signs it", "is that paid too, footnote?"]
)
def test_the_bot_may_be_called_by_its_name(text):
    assert calls_bot(text)
    assert is_for_bot(text, COLLEAGUE)


@pytest.mark.parametrize(
    "text", ["Footnote said five days", "thanks footnote!", "footnote is great", "ask footnote", "Footnote"]
)
def test_the_bot_may_be_spoken_of(text):
    assert not calls_bot(text)
