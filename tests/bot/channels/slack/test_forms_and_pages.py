"""Forms open though pages are slow, and nothing is pressed twice by pressing twice."""

from datetime import timedelta

import pytest

from bot.channels import repetition
from tests.bot.channels.slack.harness import SlackStage, SlackThread
from tests.bot.channels.slack.test_conversations import staged
from tests.conversations.conversations import LEAVE_SAID, only
from tests.scripted_app import QUESTION
from tests.servers.slack.workspace import Message

PAGES = 50


@pytest.fixture
def stage(tmp_path, monkeypatch):
    monkeypatch.setattr(repetition, "DOUBLE_CLICK", timedelta(hours=1))  # what counts is that it is remembered
    with staged(tmp_path) as opened:
        opened.slack.workspace.trigger_seconds = 600.0  # what counts is the order of the calls
        yield opened


def answered(stage: SlackStage) -> tuple[SlackThread, Message]:
    asked = stage.asks(QUESTION)
    only(asked.seen())
    return asked, asked.answer()


@pytest.mark.parametrize("slow", ["views.publish", "users.info"])
def test_a_form_opens_while_fifty_pages_are_on_their_way(stage, slow):
    asked, answer = answered(stage)
    people = [stage.slack.workspace.person(f"Reader {number}") for number in range(PAGES)]
    stage.settle()
    with stage.slack.held(slow):
        for person in people:
            person.opens("home")
        stage.settle()  # all are acknowledged
        assert asked.person.clicks(answer, "footnote_vote", "negative").status == 200
        assert stage.slack.workspace.wait(lambda: asked.person.modal, "the form")
        assert [each for each in people if each.home] == [], "the pages were to be slow"
    stage.slack.workspace.wait(lambda: all(each.home for each in people), "all pages")


def test_the_modal_of_quotes_opens_before_anything_is_looked_up(stage):
    asked, answer = answered(stage)
    with stage.slack.held("conversations.info"):
        asked.person.clicks(answer, "Quoted text")
        modal = stage.slack.workspace.wait(lambda: asked.person.modal, "a modal")
        assert LEAVE_SAID not in modal.shown
    stage.slack.workspace.wait(lambda: LEAVE_SAID in modal.shown, "the quotes in the same modal")
    assert len(asked.person.views) == 1


def test_a_page_that_is_opened_again_and_again_is_made_once_more(stage):
    ada = stage.people["Ada"]
    with stage.slack.held("views.publish"):
        for _ in range(10):
            ada.opens("home")
        stage.settle()
        stage.slack.workspace.wait(lambda: stage.slack.counted()["views.publish"] == 1, "the first page")
    stage.slack.workspace.wait(lambda: stage.slack.counted()["views.publish"] == 2, "the newest page")
    ada.opens("home")
    stage.slack.workspace.wait(lambda: stage.slack.counted()["views.publish"] == 3, "one for the next opening")


def told(stage: SlackStage, who: str) -> list[str]:
    """What one person alone was told of their votes."""
    stage.settle()
    said = stage.slack.workspace.visible(stage.channels["general"], to=stage.people[who])
    return [each.shown for each in said if each.only_for and "vote" in each.shown]


def test_a_double_click_is_one_vote_and_opens_one_form(stage):
    asked, answer = answered(stage)
    for _ in range(2):
        assert asked.person.clicks(answer, "footnote_vote", "negative").status == 200
    assert stage.slack.workspace.wait(lambda: asked.person.modal, "the form")
    asked.votes("up")
    stage.slack.workspace.wait(lambda: told(stage, "Ada"), "a note")  # whatever came before it is done
    assert len(asked.person.views) == 1
    assert [vote.vote for vote in stage.counted()] == ["up"]


def test_a_press_that_is_delivered_twice_is_one(stage):
    asked, answer = answered(stage)
    asked.person.clicks(answer, "footnote_vote", "negative")
    assert stage.slack.workspace.wait(lambda: asked.person.modal, "the form")
    person, payload = stage.slack.sending.pressed[-1]
    assert stage.slack.sending.interaction(person, payload).status == 200
    asked.votes("up")
    stage.slack.workspace.wait(lambda: told(stage, "Ada"), "a note")
    assert len(person.views) == 1
    assert person.errors == []
    assert stage.slack.counted()["views.open"] == 1


def test_of_both_thumbs_the_one_counts_that_was_pressed_last_in_whatever_order_they_arrive(stage):
    asked, answer = answered(stage)
    earlier, later = stage.slack.workspace.next_ts(), stage.slack.workspace.next_ts()
    asked.person.clicks(answer, "footnote_vote", "positive", at=later)
    asked.person.clicks(answer, "footnote_vote", "negative", at=earlier)
    assert [vote.vote for vote in stage.counted()] == ["up"]
    stage.slack.workspace.wait(lambda: len(told(stage, "Ada")) == 2, "two notes")
    assert all("👍" in each for each in told(stage, "Ada"))
    assert asked.person.views == []


def test_the_same_thumb_again_takes_nothing_back(stage):
    asked, _ = answered(stage)
    asked.votes("up")
    asked.votes("up")
    assert [vote.vote for vote in stage.counted()] == ["up"]
    stage.slack.workspace.wait(lambda: told(stage, "Ada"), "a note")
    assert len(told(stage, "Ada")) == 1


def test_a_form_that_is_sent_after_the_press_counts_whatever_the_clocks_say(stage):
    asked, answer = answered(stage)
    behind = f"{int(stage.slack.workspace.next_ts().partition('.')[0]) - 100}.000100"
    asked.person.clicks(answer, "footnote_vote", "negative", at=behind)
    asked.explains(reason="outdated", comment="It is six days now")
    (vote,) = stage.counted()
    assert (vote.vote, vote.reason) == ("down", "outdated")
    later = f"{int(behind.partition('.')[0]) + 30}.000100"
    asked.person.clicks(answer, "footnote_vote", "positive", at=later)
    assert [vote.vote for vote in stage.counted()] == ["up"]


@pytest.mark.parametrize("metadata", ["", "{}", "[]", "no JSON", '{"answer": "gone", "lead": null}'])
def test_a_form_that_another_version_has_opened_stays_with_the_reason_why(stage, metadata):
    asked, answer = answered(stage)
    asked.person.clicks(answer, "footnote_vote", "negative")
    modal = stage.slack.workspace.wait(lambda: asked.person.modal, "the form")
    modal.json["private_metadata"] = metadata
    acked = asked.person.submits(modal, reason="outdated")
    assert acked.status == 200
    assert acked.body
    assert acked.body["response_action"] == "errors"
