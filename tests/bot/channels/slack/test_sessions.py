"""Agent sessions: they are begun, titled, stopped and left open for the next question, or an older status is shown."""

import logging
from collections.abc import Iterator

import pytest

from bot.channels.presentation import STOPPED
from bot.channels.slack.streams import LONGEST_TITLE, SESSIONS_A_MINUTE
from tests.bot.channels.slack.harness import SlackStage
from tests.bot.channels.slack.replica import replicas
from tests.bot.channels.slack.test_conversations import staged, without_status
from tests.bot.channels.slack.test_delivery import SHARED, shared
from tests.conversations.conversations import DOORS, DOORS_SAID, LEAVE_SAID, NOT_FOUND, UNKNOWN, Way, only
from tests.scripted_app import QUESTION, RIGHT, numbered
from tests.servers import openai_server
from tests.servers.slack.workspace import Message, Session
from tests.servers.slack_server import Slack, serving


@pytest.fixture
def stage(tmp_path) -> Iterator[SlackStage]:
    with staged(tmp_path) as opened:
        yield opened


def session(stage: SlackStage, asked: Message | None) -> Session:
    assert asked
    return stage.slack.workspace.sessions[asked.channel, asked.ts]


@pytest.mark.parametrize("way", ["mention", "direct", "group", "agent", "channel"])
def test_every_way_to_ask_begins_a_session_and_leaves_it_open(stage, way: Way):
    asked = stage.asks(QUESTION, way=way)
    only(asked.seen())
    stage.settle()
    made = session(stage, asked.asked)
    assert made.status == "active"
    assert made.title == (QUESTION if way in {"direct", "agent"} else "")
    signs = [
        status for _, _, thread, status in stage.slack.workspace.statuses if asked.asked and thread == asked.asked.ts
    ]
    assert signs[0] == "processing"
    assert stage.slack.counted()["assistant.threads.setStatus"] == 0


def test_a_long_question_is_a_short_title(stage):
    asked = stage.asks(f"{QUESTION} " * 20, way="direct")
    only(asked.seen())
    assert 100 < len(session(stage, asked.asked).title) <= LONGEST_TITLE


def test_a_title_that_a_person_gives_stays(stage, caplog):
    asked = stage.asks(QUESTION, way="direct")
    only(asked.seen())
    assert asked.asked
    with caplog.at_level(logging.WARNING):
        stage.people["Ada"].renames(asked.asked, "Holidays")
        stage.slack.workspace.emit(
            {"type": "app_context_changed", "user": stage.people["Ada"].id, "context": {}, "event_ts": "1.1"}
        )
        stage.settle()
    assert caplog.messages == []
    assert [each.status for each in stage.slack.sending.deliveries if each.status != 200] == []
    asked.asks_on(DOORS)
    asked.seen()
    assert session(stage, asked.asked).title == "Holidays"


def test_small_talk_begins_no_session(stage):
    only(stage.asks("Thank you!", way="direct").seen())
    assert stage.slack.workspace.sessions == {}


@pytest.mark.parametrize("error", ["unknown_method", "missing_scope", "not_an_agent", "feature_disabled"])
def test_without_sessions_the_older_status_is_shown_and_sessions_are_not_asked_for_again(stage, error):
    stage.slack.troubled("agents.sessions.setStatus", error=error, times=99)
    for where in ("general", "random"):
        assert LEAVE_SAID in only(stage.asks(QUESTION, where=where).seen()).text
    counted = stage.slack.counted()
    assert counted["agents.sessions.setStatus"] == 1
    assert counted["assistant.threads.setStatus"] == 2
    assert all("session_status" not in given for method, given in stage.slack.calls if method == "chat.stopStream")


def test_what_is_wrong_with_one_thread_does_not_cost_the_others_their_sessions(stage):
    stage.slack.troubled("agents.sessions.setStatus", error="invalid_thread_ts")
    only(stage.asks(QUESTION).seen())
    asked = stage.asks(QUESTION, where="random")
    only(asked.seen())
    assert session(stage, asked.asked).status == "active"


@pytest.mark.parametrize("error", ["unknown_method", "internal_error"])
def test_an_answer_streams_though_no_status_can_be_shown(tmp_path, error):
    with staged(tmp_path, with_model=True) as stage:
        without_status(stage.slack, error)
        with stage.writing_slowly():
            asked = stage.asks(QUESTION)
            workspace = stage.slack.workspace
            first = workspace.wait(lambda: workspace.visible(asked.channel, asked.asked), "a first sign")[0]
            assert first.is_streaming
        answer = only(asked.seen())
        assert "Looking" in answer.versions[0]
        assert LEAVE_SAID in answer.text
        assert "Looking" not in answer.text
        assert {"up", "down"} <= answer.can
        stage.slack.troubles.clear()


def test_no_more_sessions_are_begun_than_slack_lets_be_ended(stage):
    stage.slack.rates.on = True
    workspace = stage.slack.workspace
    people = [workspace.person(f"P{number}") for number in range(SESSIONS_A_MINUTE + 10)]
    asked = [each.tells("Please tell me nothing") for each in people]  # no stream ends these
    stage.settle()
    assert all(said(stage.slack, each) for each in asked)
    assert len(workspace.sessions) == SESSIONS_A_MINUTE
    assert not any(method == "agents.sessions.setStatus" for method, _ in stage.slack.refused)


# No status stays, whatever comes of a question


def test_a_failure_leaves_no_status(stage):
    with stage.down("search"):
        asked = stage.asks(QUESTION)
        assert "cannot search" in only(asked.seen()).text
    assert session(stage, asked.asked).status == "active"


def test_what_is_not_found_leaves_no_status(stage):
    asked = stage.asks(UNKNOWN)
    assert NOT_FOUND in only(asked.seen()).text
    assert session(stage, asked.asked).status == "active"


def test_a_stream_that_slack_ends_leaves_no_status(stage):
    stage.slack.workspace.stream_seconds = 0.0
    asked = stage.asks(QUESTION)
    only(asked.seen())
    assert session(stage, asked.asked).status == "active"


def test_an_edited_and_a_deleted_question_leave_no_status(stage):
    asked = stage.asks(UNKNOWN)
    only(asked.seen())
    asked.edits(DOORS)
    assert DOORS_SAID in only(asked.seen()).text
    assert session(stage, asked.asked).status == "active"
    asked.deletes()
    asked.seen()
    assert session(stage, asked.asked).status == "active"


def test_a_place_that_takes_no_answer_any_more_leaves_no_status(stage):
    for method in ("chat.startStream", "chat.postMessage"):
        stage.slack.troubled(method, error="restricted_action", times=99)
    asked = stage.asks(QUESTION)
    stage.settle()
    assert session(stage, asked.asked).status == "active"


def test_a_status_that_may_have_been_shown_is_cleared(stage):
    stage.slack.troubled("agents.sessions.setStatus", status=500, after=True)
    asked = stage.asks(QUESTION)
    assert LEAVE_SAID in only(asked.seen()).text
    stage.settle()
    assert session(stage, asked.asked).status == "active"


# Stopped


def test_a_stop_that_is_told_again_does_not_stop_what_was_asked_since(tmp_path):
    with staged(tmp_path, with_model=True) as stage:
        stage.slack.sending.redelivered = 0.0
        with stage.writing_slowly():
            asked = stage.asks(QUESTION, way="direct")
            asked.stops()
        stage.settle()
        (told,) = [each for each in stage.slack.sending.sent if each["event"]["type"] == "agent_session_stopped"]
        with stage.writing_slowly():
            asked.asks_on(QUESTION)
            stage.slack.workspace.wait(lambda: len(stage.slack.workspace.visible(asked.channel, asked.asked)) > 1)
            stage.slack.sending.event(told)
            stage.slack.workspace.wait(lambda: stage.slack.sending.is_idle)
        assert [STOPPED in each.text for each in asked.seen()] == [True, False]


def test_a_model_that_says_nothing_is_not_waited_for_once_it_was_stopped(tmp_path):
    with staged(tmp_path, with_model=True) as stage:
        stage.model.replies = [openai_server.Reply(silent=True)]
        asked = stage.asks(QUESTION)
        workspace = stage.slack.workspace
        workspace.wait(lambda: stage.model.requests, "the model is asked")
        assert asked.asked
        stage.people["Ada"].stops(asked.asked)
        workspace.wait(lambda: workspace.visible(asked.channel, asked.asked), "a word that it was", seconds=10)
        assert only(asked.seen()).text == STOPPED
        assert stage.exchanges() == []


def test_a_stop_that_finds_nothing_at_work_moves_the_session_on(stage):
    """As after a worker that has died between the two."""
    ada, general = stage.people["Ada"], stage.channels["general"]
    asked = ada.writes("See you on Monday", general)
    stage.slack.workspace.sessions[general.id, asked.ts] = Session("processing")
    ada.stops(asked)
    stage.settle()
    assert stage.slack.workspace.stuck() == []
    assert stage.slack.workspace.visible(general, asked) == []


@pytest.mark.parametrize("store", SHARED)
def test_whichever_replica_hears_of_it_stops_the_work_of_the_other(tmp_path, store):
    """Every question is stopped before its second sentence, however the events fall on two processes."""
    with serving() as slack, openai_server.serving() as model:
        held = openai_server.Reply(numbered(RIGHT), held_after="They must")
        model.replies = [held]
        with shared(tmp_path, store, slack, model_url=model.url) as configured, replicas(configured, slack, 2):
            people = [slack.workspace.person(f"P{number}") for number in range(6)]
            asked = [each.tells(QUESTION) for each in people]
            slack.workspace.wait(lambda: all(said(slack, each) for each in asked), "sentences", seconds=60)
            for person, each in zip(people, asked, strict=True):
                person.stops(each)
            slack.workspace.wait(lambda: slack.sending.is_idle)
            held.released.set()
            slack.workspace.wait(lambda: all(STOPPED in said(slack, each) for each in asked), "the end", seconds=60)
            slack.workspace.wait(lambda: slack.workspace.stuck() == [], "no status stays", seconds=60)
            later = people[0].tells(QUESTION)
            slack.workspace.wait(lambda: "Good answer" in said(slack, later), "an answer to what is asked later")
        texts = [said(slack, each) for each in asked]
    assert all(text.count(LEAVE_SAID) == 1 for text in texts)
    assert not any("31 March" in text or "Good answer" in text for text in texts)


def said(slack: Slack, asked: Message) -> str:
    """All that stands in the thread of a question."""
    return "\n".join(each.shown for each in slack.workspace.visible(slack.workspace.channels[asked.channel], asked))
