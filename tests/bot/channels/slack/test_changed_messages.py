"""What Slack tells of messages that change: one question each, whatever events tell of it, and however late."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.channels.presentation import NOT_FOUND_UNASKED, NOTHING_TO_ANSWER, WITHDRAWN
from bot.channels.slack.install.manifest import ABOUT_MESSAGE
from bot.config.settings import Channel
from tests.bot.channels.slack.harness import SlackStage
from tests.bot.channels.slack.replica import replicas
from tests.bot.channels.slack.test_conversations import staged
from tests.bot.channels.slack.test_delivery import SHARED, post, shared
from tests.conversations.conversations import DOORS, DOORS_SAID, FOLLOW_UP, LEAVE_SAID, UNKNOWN, only
from tests.scripted_app import QUESTION
from tests.servers.slack.workspace import Message
from tests.servers.slack_server import Slack, serving


@pytest.fixture
def stage(tmp_path):
    with staged(tmp_path) as opened:
        yield opened


def days_pass(stage: SlackStage) -> None:
    """Let the queue forget what it has handled."""
    stage.settle()
    stage.app.state.scrub(now=datetime.now(UTC) + timedelta(days=2))


def test_a_mention_that_is_told_again_after_days_is_no_other_question(stage):
    asked = stage.asks(QUESTION)
    before = only(asked.seen())
    days_pass(stage)
    stage.slack.workspace.mention_event(asked.asked)
    assert only(asked.seen()).versions == before.versions
    assert len(stage.exchanges()) == 1
    days_pass(stage)
    asked.edits(DOORS)
    assert DOORS_SAID in only(asked.seen()).text


def test_an_unfurled_link_and_the_label_of_one_change_nothing(stage):
    asked = stage.asks(f"{QUESTION} see https://example.com/leave")
    before = only(asked.seen())
    stage.slack.workspace.unfurls(asked.asked)
    bot = stage.slack.workspace.bot
    stage.people["Ada"].formats(asked.asked, f"<@{bot}> *{QUESTION}* see <https://example.com/leave|the page>")
    assert only(asked.seen()).versions == before.versions
    assert len(stage.exchanges()) == 1


@pytest.mark.parametrize("tells", [True, False])
def test_a_deleted_question_takes_its_own_answer_away_whatever_is_told_of_it(stage, tells):
    stage.slack.workspace.tells_what_was_deleted = tells
    asked = stage.asks(QUESTION)
    other = stage.asks(QUESTION, who="Bob")
    only(asked.seen())
    asked.deletes()  # it has a reply, and so becomes a tombstone
    assert WITHDRAWN in only(asked.seen()).text
    follow_up = other.says(FOLLOW_UP)
    assert len(other.seen()) == 2
    follow_up.deletes()
    first, second = other.seen()
    assert LEAVE_SAID in first.text
    assert WITHDRAWN in second.text


def test_a_question_that_comes_after_its_deletion_is_not_answered(stage):
    slack, ada = stage.slack, stage.people["Ada"]
    urls, slack.sending.app_urls, slack.sending.retries = slack.sending.app_urls, [], ()
    asked = ada.tells(QUESTION)
    stage.told()
    body = json.dumps(slack.sending.sent[-1]).encode()
    slack.sending.app_urls = urls
    ada.deletes(asked)
    stage.told()
    assert post(slack, body, {}) == 200
    stage.settle()
    assert stage.exchanges() == []


def test_whoever_deletes_a_question_while_it_is_answered_is_not_told_that_the_bot_may_not_write(stage):
    with stage.held():
        asked = stage.asks(QUESTION)
        stage.told()
        asked.deletes()  # nothing stands below it yet, so there is no thread any more
        stage.told()
    assert asked.seen() == []
    assert told(stage, "Ada", "general") == []


def test_the_bot_s_own_message_that_somebody_deletes_changes_nothing_else(stage):
    asked = stage.asks(QUESTION)
    follow_up = asked.says(FOLLOW_UP)
    assert len(asked.seen()) == 2
    stage.slack.workspace.deleted_event(asked.messages(asked.person)[-1])
    assert LEAVE_SAID in only(asked.seen()).text
    follow_up.deletes()
    assert LEAVE_SAID in only(asked.seen()).text


def told(stage: SlackStage, who: str, where: str) -> list[Any]:
    stage.settle()
    workspace, person = stage.slack.workspace, stage.people[who]
    return [each for each in workspace.visible(stage.channels[where], to=person) if each.only_for == person.id]


def test_by_a_setting_whoever_is_not_answered_hears_so_alone(tmp_path):
    def adjusted(given: Any, channels: Any) -> dict[str, Any]:
        entry = Channel(auto_answer=True, tell_not_found=True)
        return {"channels": dict(given.channels) | {f"slack:{channels['help'].id}": entry}}

    with staged(tmp_path, adjusted=adjusted) as stage:
        asked = stage.chatter(UNKNOWN, where="help")
        assert asked.seen() == []
        (note,) = told(stage, "Ada", "help")
        assert NOT_FOUND_UNASKED in note.shown
        assert note.thread == "", "there is no thread yet"
        assert told(stage, "Bob", "help") == []


def test_a_mention_without_a_label_keeps_the_message_from_the_bot(stage):
    asked = stage.asks(QUESTION)
    only(asked.seen())
    asked.says("@Bob how many days may part-time staff carry over?")
    only(asked.seen())


def test_the_shortcut_at_a_message_that_no_person_wrote_says_so(stage):
    asked = stage.asks(QUESTION)
    only(asked.seen())
    answer = asked.messages(asked.person)[-1]
    assert stage.people["Bob"].asks_about(answer, ABOUT_MESSAGE).status == 200
    notes = stage.slack.workspace.wait(lambda: told(stage, "Bob", "general"), "a note")
    assert NOTHING_TO_ANSWER in notes[-1].shown
    assert len(stage.exchanges()) == 1


@pytest.mark.parametrize("store", SHARED)
def test_edited_and_deleted_questions_have_one_answer_each_at_two_replicas(tmp_path, store):
    """Every event is told to either replica by chance, and a fifth of them twice."""
    with serving() as slack, shared(tmp_path, store, slack) as configured:
        slack.sending.redelivered = 0.2
        people = [slack.workspace.person(f"P{number}") for number in range(5)]
        channel = slack.workspace.channel("busy", *people)
        with replicas(configured, slack, 2, queue_limit=10_000):
            asked = [people[number % 5].mentions(f"{QUESTION} {number}", channel) for number in range(30)]
            for number, question in enumerate(asked):
                if number % 3 == 0:
                    people[number % 5].edits(question, DOORS)
                elif number % 5 == 1:
                    people[number % 5].deletes(question)
            slack.workspace.wait(lambda: slack.sending.is_idle, "all deliveries", seconds=120)
            edited, deleted = asked[::3], [each for number, each in enumerate(asked) if number % 3 and number % 5 == 1]
            others = [each for each in asked if each not in edited and each not in deleted]
            slack.workspace.wait(lambda: answered(slack, edited, DOORS_SAID) == len(edited), "of edits", seconds=120)
            slack.workspace.wait(lambda: answered(slack, others, LEAVE_SAID) == len(others), "the others", seconds=120)
            slack.workspace.wait(lambda: answered(slack, deleted, LEAVE_SAID) == 0, "no more", seconds=120)
        for question in asked:
            assert len(slack.workspace.visible(channel, question)) <= 1


def answered(slack: Slack, asked: Sequence[Message], text: str) -> int:
    """How many of these questions have an answer with this text."""
    channels = slack.workspace.channels
    return sum(any(text in each.shown for each in slack.workspace.visible(channels[it.channel], it)) for it in asked)
