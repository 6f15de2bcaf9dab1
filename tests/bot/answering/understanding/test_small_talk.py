import pytest

from bot.answering.understanding.small_talk import REPLIES, small_talk


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("", "empty"),
        ("  \n", "empty"),
        ("???", "empty"),
        ("👍", "empty"),
        ("Hi!", "greeting"),
        ("hello there", "greeting"),
        ("Good morning, team", "greeting"),
        ("Thanks a lot!", "thanks"),
        ("ok, thank you so much", "thanks"),
        ("great", "thanks"),
        ("Bye!", "farewell"),
        ("Who are you?", "identity"),
        ("Are you a bot?", "identity"),
        ("What can you help me with?", "identity"),
    ],
)
def test_small_talk_gets_its_own_reply(text: str, kind: str) -> None:
    assert small_talk(text) == kind
    assert kind in REPLIES


@pytest.mark.parametrize(
    "text",
    [
        "Hi, how many days of leave do I get?",
        "Thanks, and what about part-time staff?",
        "Who are you required to report an incident to?",
        "Thank-you gifts: what is allowed?",
        "What is the goodbye procedure for leavers?",
        "help desk phone number",
        "你好吗",
        "14.2.3",
        "ok to work from abroad?",
    ],
)
def test_what_may_be_a_question_is_never_small_talk(text: str) -> None:
    assert small_talk(text) is None
