"""What one person alone sees in Slack: notes in their thread, answers where the bot is no member, fewer blocks."""

from collections.abc import Iterator
from typing import Any

import pytest

from bot.channels.presentation import BUSY, QUOTED_TEXT
from tests.bot.channels.slack.harness import SlackStage, SlackThread
from tests.bot.channels.slack.test_conversations import staged
from tests.conversations.conversations import DOORS, DOORS_SAID, LEAVE_SAID, NOT_FOUND, PAY, only
from tests.scripted_app import QUESTION
from tests.servers.slack.workspace import Message

RICH = frozenset({"markdown", "context_actions"})
ALL = RICH | {"section", "context", "actions"}


@pytest.fixture
def stage(tmp_path) -> Iterator[SlackStage]:
    with staged(tmp_path) as opened:
        yield opened


def answered(stage: SlackStage, **how: Any) -> SlackThread:
    asked = stage.asks(QUESTION, **how)
    only(asked.seen())
    return asked


def noted(stage: SlackStage, asked: SlackThread, who: str = "Ada") -> Message:
    """The last note for a person in a thread, once it is there; nothing was told outside of it."""
    workspace, person = stage.slack.workspace, stage.people[who]
    found = workspace.wait(lambda: workspace.notes(person, asked.asked), "a note in the thread")
    assert workspace.notes(person) == []
    return found[-1]


def test_a_vote_is_confirmed_in_its_thread(stage):
    asked = answered(stage)
    asked.votes("up")
    note = noted(stage, asked)
    assert "your vote counts" in note.shown
    stage.people["Ada"].clicks(note, "Take it back")
    stage.slack.workspace.wait(lambda: "taken back" in noted(stage, asked).shown)
    assert stage.counted() == []


def test_a_reaction_is_confirmed_in_the_thread_of_the_answer(stage):
    asked = answered(stage)
    stage.people["Bob"].reacts(asked.answer(), "+1")
    assert "your vote counts" in noted(stage, asked, "Bob").shown


def test_a_note_about_what_is_in_no_thread_stands_in_the_channel(stage):
    """In a thread that nobody has answered in, Slack would show it to nobody."""
    asked = stage.asks(QUESTION, way="command")
    only(asked.seen())
    asked.shares()
    (shared,) = stage.slack.workspace.visible(stage.channels["general"])
    stage.people["Bob"].reacts(shared, "+1")
    stage.slack.workspace.wait(lambda: stage.slack.workspace.notes(stage.people["Bob"]), "a note")


@pytest.mark.parametrize("error", ["not_in_channel", "user_not_in_channel", "channel_not_found", "internal_error"])
def test_a_note_that_is_refused_in_the_thread_comes_by_the_way_of_what_was_pressed(stage, error):
    asked = answered(stage)
    stage.slack.troubled("chat.postEphemeral", error=error, times=99)
    asked.votes("up")
    (note,) = stage.slack.workspace.wait(lambda: stage.slack.workspace.notes(stage.people["Ada"]), "a note", seconds=30)
    assert "your vote counts" in note.shown


def test_whoever_is_turned_away_in_a_thread_is_told_so_there(tmp_path):
    with staged(tmp_path, queue_limit=0) as stage:
        ada, general = stage.people["Ada"], stage.channels["general"]
        began = stage.people["Bob"].writes("Leave is on my mind", general)
        stage.people["Bob"].writes("Very much so", general, thread=began)
        asked = ada.mentions(QUESTION, general, thread=began)
        stage.slack.workspace.wait(lambda: stage.slack.workspace.notes(ada, asked), "a note in the thread")
        alone = ada.mentions(QUESTION, general)
        stage.slack.workspace.wait(lambda: stage.slack.workspace.notes(ada), "a note in the channel")
        assert {BUSY} == {
            each.text for each in (*stage.slack.workspace.notes(ada, asked), *stage.slack.workspace.notes(ada))
        }
        assert stage.slack.workspace.visible(general, alone) == []


# Where the bot is no member


@pytest.mark.parametrize("private", [True, False], ids=["private", "public"])
def test_a_channel_without_the_bot_is_answered_with_the_askers_own_groups(stage, private):
    """Slack tells of a public channel that the bot is not in who reads it, and still it can write nothing there."""
    mia = stage.people["Mia"]
    stage.channels["secret"] = stage.slack.workspace.channel("secret", mia, private=private, with_bot=False)
    asked = stage.asks(PAY, who="Mia", way="command", where="secret")
    said = only(asked.seen())
    assert "90,000" in said.text
    assert "share" not in said.can
    assert "/invite" not in said.text
    assert [method for method, _ in stage.slack.calls if method.startswith("chat.")] == []


def test_what_is_pressed_below_an_answer_works_where_the_bot_is_no_member(stage):
    asked = stage.asks(PAY, who="Mia", way="command", where="colleague")
    only(asked.seen())
    mia, shown = stage.people["Mia"], asked.answer()
    mia.clicks(shown, QUOTED_TEXT)
    stage.slack.workspace.wait(lambda: mia.modal and "90,000" in mia.modal.shown, "the quotes")
    mia.clicks(shown, "Good answer")
    stage.slack.workspace.wait(
        lambda: any("your vote counts" in each.shown for each in stage.slack.workspace.notes(mia))
    )
    assert [vote.vote for vote in stage.counted()] == ["up"]


def test_what_everybody_reads_is_public_where_slack_does_not_tell_who_reads_it(stage):
    """The asker's own groups are for what they alone see."""
    stage.slack.troubled("conversations.info", error="missing_scope", times=99)
    assert NOT_FOUND in only(stage.asks(PAY, who="Mia").seen()).text
    assert NOT_FOUND in only(stage.asks(QUESTION, where="random").seen()).text
    assert DOORS_SAID in only(stage.asks(DOORS, where="board").seen()).text


# Blocks that a place refuses


@pytest.mark.parametrize("where", ["general", "colleague"])
def test_a_private_answer_without_rich_blocks_can_still_be_voted_on(stage, where):
    stage.slack.workspace.refused_privately = RICH
    asked = stage.asks(QUESTION, way="command", where=where)
    said = only(asked.seen())
    assert LEAVE_SAID in said.text
    assert {"up", "down"} <= said.can
    assert any(label == "[1]" or "Carry-over" in label for label, _ in said.links) or "[1]" in said.text
    shown = asked.answer()
    assert {block["type"] for block in shown.blocks} & RICH == set()
    asked.person.clicks(shown, "Bad answer")
    assert stage.slack.workspace.wait(lambda: asked.person.modal, "the form")
    assert [vote.vote for vote in stage.counted()] == ["down"]


def test_what_is_refused_once_is_not_tried_for_each_message(stage):
    """A response url works five times, and a long answer has up to four messages."""
    stage.slack.workspace.refused_privately = RICH
    for _ in range(3):
        assert LEAVE_SAID in only(stage.asks(QUESTION, way="command", where="colleague").seen()).text
    assert [each for each in stage.slack.refused if each[0] == "response_url"] == [("response_url", "invalid_blocks")]


@pytest.mark.parametrize("where", ["general", "colleague"])
def test_where_no_block_is_taken_the_words_arrive(stage, where):
    stage.slack.workspace.refused_privately = ALL
    asked = stage.asks(QUESTION, way="command", where=where)
    assert LEAVE_SAID in only(asked.seen()).text


@pytest.mark.parametrize("way", ["mention", "agent"])
@pytest.mark.parametrize("refused", [RICH, ALL], ids=["rich", "all"])
def test_an_answer_for_all_without_those_blocks_is_whole_and_one_message(stage, way, refused):
    stage.slack.workspace.refused_blocks = refused
    said = only(stage.asks(QUESTION, way=way).seen())
    assert LEAVE_SAID in said.text
    assert ({"up", "down"} <= said.can) is (refused == RICH)


def test_notes_without_any_block_are_words(stage):
    asked = answered(stage)
    stage.slack.workspace.refused_privately = ALL
    asked.votes("up")
    assert "your vote counts" in noted(stage, asked).shown
