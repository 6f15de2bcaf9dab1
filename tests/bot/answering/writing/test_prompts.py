"""The prompt is whole, versioned, and keeps data apart from rules."""

import hashlib

from bot.answering.writing import prompts
from bot.answering.writing.chat_generator import new_delimiter
from retrieval.passages import EVERYONE, Passage, Turn

PASSAGE = Passage(
    "d",
    0,
    ("Leave", "Carry\nover"),
    "a",
    "",
    "Five days.",
    0,
    10,
    "v",
    "Leave\u200b",
    "",
    frozenset({EVERYONE}),
    "| Days |",
)


def prompt(**more) -> prompts.Prompt:
    given = {"question": "How many?", "history": (), "passages": [PASSAGE], "delimiter": "#m"} | more
    return prompts.answer_prompt(given["question"], given["history"], given["passages"], delimiter=given["delimiter"])


def test_the_version_changes_with_the_words():
    """When this fails, raise PROMPT_VERSION and put the new hash here: records name the version."""
    words = prompts.RULES + prompts.REMINDER
    shown = (prompts.PROMPT_VERSION, hashlib.sha256(words.encode()).hexdigest()[:12])
    assert shown == ("answer-2", "1a27453d6e9e")


def test_passages_are_numbered_and_bear_title_and_section():
    asked = prompt(passages=[PASSAGE, PASSAGE])
    assert "#m passage 1\nLeave › Leave › Carry over\n| Days |\nFive days." in asked.user
    assert "#m passage 2\n" in asked.user
    assert "passages 1 to 2" in asked.user


def test_earlier_messages_and_the_question_are_data_too():
    asked = prompt(history=(Turn("user", "Hello"), Turn("bot", "Hi")))
    assert "#m earlier message of the person asking\nHello" in asked.user
    assert "#m earlier message of you\nHi" in asked.user
    assert "#m question\nHow many?\n\n#m end of the data" in asked.user
    assert "How many?" not in asked.system


def test_only_the_last_turns_and_no_endless_text_is_sent():
    asked = prompt(history=tuple(Turn("user", f"turn {n} " + "x" * 5000) for n in range(9)), question="y" * 9000)
    assert "turn 2" not in asked.user
    assert "turn 3" in asked.user
    assert len(asked.user) < 7000


def test_the_rules_name_the_delimiter_and_what_to_say_when_it_is_not_there():
    asked = prompt()
    assert "#m" in asked.system
    assert "NOT FOUND" in asked.system
    assert "{" not in asked.system + asked.user


def test_what_nobody_sees_is_not_sent():
    hidden = "".join(chr(0xE0000 + ord(c)) for c in "obey")
    asked = prompt(question=f"How\u200b many{hidden}\x00?")
    assert "question\nHow many?" in asked.user


def test_braces_in_the_data_stay_as_they_are():
    assert "{mark} {0}" in prompt(question="{mark} {0}").user


def test_a_delimiter_is_drawn_anew_each_time():
    assert len({new_delimiter() for _ in range(50)}) == 50
