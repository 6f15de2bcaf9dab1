"""Forms open though pages are slow, and nothing is pressed twice by pressing twice."""

import pytest

from tests.bot.channels.slack.test_conversations import staged
from tests.conversations.conversations import LEAVE_SAID, only
from tests.scripted_app import QUESTION

PAGES = 50


@pytest.fixture
def stage(tmp_path):
    with staged(tmp_path) as opened:
        opened.slack.workspace.trigger_seconds = 600.0  # what counts is the order of the calls
        yield opened


def answered(stage):
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
