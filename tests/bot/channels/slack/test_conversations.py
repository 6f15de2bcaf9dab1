"""The conversations that all platforms share, held in Slack, and what only Slack has."""

import html
import http.client
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from bot.channels.slack.install.manifest import manifest
from bot.config.settings import Settings
from tests.bot.channels.slack.harness import (
    SlackStage,
    open_home,
    peopled,
    running,
    settings,
)
from tests.conversations.conversations import LEAVE_SAID, only
from tests.conversations.harness import breakable_app, synced_app, write_documents
from tests.conversations.scenarios import SCENARIOS, Scenario
from tests.scripted_app import QUESTION, RIGHT, numbered
from tests.servers.openai_server import Reply
from tests.servers.openai_server import serving as model_serving
from tests.servers.slack.workspace import Channel, Message, Person
from tests.servers.slack_server import CLIENT, Slack, serving

# What is refused in the ordinary course: Slack ends streams by itself, and tells nothing of places without the bot.
EXPECTED = {
    *((f"chat.{name}Stream", "message_not_in_streaming_state") for name in ("append", "stop")),
    *((f"conversations.{name}", "channel_not_found") for name in ("info", "members")),
}


@contextmanager
def staged(
    folder,
    *,
    with_model: bool = False,
    socket: bool = False,
    adjusted: Callable[[Settings, Mapping[str, Channel]], dict[str, Any]] = lambda *_: {},
    **how,
) -> Iterator[SlackStage]:
    """A served app; `adjusted` gives the settings that differ, from the usual ones and the channels."""
    with serving() as slack, model_serving() as model:
        people, channels = peopled(slack)
        slack.workspace.install(manifest(socket=socket, several=False))
        write_documents(folder)
        model.replies = [Reply(numbered(RIGHT))]
        given = settings(folder, slack, model_url=model.url if with_model else "", socket=socket)
        given = Settings(**given.model_dump() | adjusted(given, channels))
        with breakable_app(given) as app, running(app, slack, **how) as server:
            yield SlackStage(slack, app, model, people, channels, server=server)
        assert slack.workspace.stuck() == []


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda each: each.name)
def test_the_conversation_is_as_it_should_be(tmp_path, scenario: Scenario):
    with staged(tmp_path, with_model=scenario.with_model) as stage:
        scenario.play(stage)
        assert [each for each in stage.slack.refused if each not in EXPECTED] == []


@pytest.mark.parametrize("scenario", SCENARIOS[:7], ids=lambda each: each.name)
def test_socket_mode_is_no_different(tmp_path, scenario: Scenario):
    with staged(tmp_path, socket=True) as stage:
        scenario.play(stage)


def test_a_stream_that_ends_by_itself_still_ends_in_the_whole_answer(tmp_path):
    with staged(tmp_path) as stage:
        stage.slack.workspace.stream_seconds = 0.0
        answer = only(stage.asks(QUESTION).seen())
        assert LEAVE_SAID in answer.text
        assert {"up", "down"} <= answer.can


def without_status(slack: Slack, error: str = "unknown_method") -> None:
    """No status can be shown beside a thread, neither in the new way nor in the old one."""
    for method in ("agents.sessions.setStatus", "assistant.threads.setStatus"):
        slack.troubled(method, error=error, times=99)


@pytest.mark.parametrize("method", ["status", "chat.startStream"])
@pytest.mark.parametrize("error", ["unknown_method", "missing_scope", "internal_error"])
def test_where_a_method_does_not_work_the_next_one_does(tmp_path, method, error):
    with staged(tmp_path) as stage:
        if method == "status":
            without_status(stage.slack, error)
        stage.slack.troubled(method, error=error, times=99)
        answer = only(stage.asks(QUESTION).seen())
        assert LEAVE_SAID in answer.text
        assert {"up", "down"} <= answer.can


@pytest.mark.parametrize(("error", "messages"), [("internal_error", 1), ("unknown_method", 2)])
def test_a_stream_that_cannot_be_ended_leaves_the_whole_answer_last(tmp_path, error, messages):
    with staged(tmp_path) as stage:
        stage.slack.troubled("chat.stopStream", error=error, times=1 if messages == 1 else 99)
        said = stage.asks(QUESTION).seen()
        assert len(said) <= messages
        assert LEAVE_SAID in said[-1].text
        assert {"up", "down"} <= said[-1].can


@pytest.mark.parametrize("method", ["chat.postMessage", "chat.update", "chat.startStream", "chat.stopStream"])
def test_whoever_is_told_to_wait_waits(tmp_path, method):
    with staged(tmp_path) as stage:
        without_status(stage.slack)
        stage.slack.troubled(method, status=429, retry_after=1, times=2)
        assert LEAVE_SAID in only(stage.asks(QUESTION).seen()).text


# What only Slack has


def test_thumbs_below_an_answer_count_as_votes(tmp_path):
    with staged(tmp_path) as stage:
        asked = stage.asks(QUESTION)
        only(asked.seen())
        answer = asked.answer()
        ada, bob = stage.people["Ada"], stage.people["Bob"]
        ada.reacts(answer, "+1")
        bob.reacts(answer, "-1")
        bob.reacts(answer, "tada")
        assert sorted(vote.vote for vote in stage.counted()) == ["down", "up"]
        ada.unreacts(answer, "+1")
        assert [vote.vote for vote in stage.counted()] == ["down"]


def test_a_vote_that_cannot_be_kept_is_refused_so_that_its_person_sees_it(tmp_path):
    with staged(tmp_path) as stage:
        asked = stage.asks(QUESTION)
        only(asked.seen())
        ada, channel = stage.people["Ada"], stage.channels["general"]
        with stage.down("store"):
            asked.votes("up")
            told = stage.slack.workspace.wait(
                lambda: [each for each in stage.slack.workspace.visible(channel, to=ada) if each.only_for == ada.id]
            )
        assert "could not be kept" in told[-1].shown
        assert stage.counted() == []
        asked.votes("up")
        assert [vote.vote for vote in stage.counted()] == ["up"]


def test_what_the_agent_view_and_the_page_tell_is_what_one_may_read(tmp_path):
    with staged(tmp_path) as stage:
        for name in ("Ada", "Mia", "Gil"):
            person = stage.people[name]
            person.opens("messages")
            person.opens("home")
            stage.slack.workspace.wait(partial(has_both, person), "suggestions and the page")
        prompts = {name: str(stage.people[name].prompts) for name in ("Ada", "Mia", "Gil")}
        assert "Leave" in prompts["Ada"]
        assert "Pay" not in prompts["Ada"] + prompts["Gil"]
        assert "Pay" in prompts["Mia"]
        assert "Leave" not in prompts["Gil"]


def has_both(person: Person) -> bool:
    return bool(person.prompts and person.home)


def test_everything_of_a_person_is_erased_when_they_ask_for_it(tmp_path):
    with staged(tmp_path) as stage:
        only(stage.asks(QUESTION).seen())
        only(stage.asks(QUESTION, who="Bob").seen())
        assert len(stage.exchanges()) == 2
        ada = stage.people["Ada"]
        ada.opens("home")
        home = stage.slack.workspace.wait(lambda: open_home(ada, "Erase mine"))
        assert home
        ada.clicks(home, "Erase mine")
        assert len(stage.exchanges()) == 1
        assert any(
            "Questions with their answers: 1" in each.shown for each in stage.slack.workspace.visible(ada.direct)
        )


def test_a_bot_is_never_answered(tmp_path):
    with staged(tmp_path) as stage:
        workspace, channel = stage.slack.workspace, stage.channels["help"]
        other = Message(channel.id, workspace.next_ts(), "UOTHERBOT", QUESTION, by_bot=True)
        mention = Message(channel.id, workspace.next_ts(), "UOTHERBOT", f"<@{workspace.bot}> {QUESTION}", by_bot=True)
        for said in (other, mention):
            workspace.take(said)
        stage.settle()
        assert [each for each in workspace.visible(channel) if each.thread] == []


def test_a_second_workspace_installs_the_app_and_is_answered_in_its_own_name(tmp_path):
    with serving() as slack, model_serving() as model:
        other = slack.another("T0TWO", "Two")
        write_documents(tmp_path)
        several: dict[str, Any] = {
            "slack_bot_token": None,
            "slack_client_id": CLIENT[0],
            "slack_client_secret": CLIENT[1],
            "slack_allowed_teams": ["T0TWO"],
        }
        app = synced_app(settings(tmp_path, slack, **several))
        with running(app, slack) as service:
            assert service.public
            status, headers, text = visited(service.public.address, "/slack/install")
            place = re.search(r"https://[^\"']+", text if status == 200 else headers["location"])
            assert place
            state = parse_qs(urlsplit(html.unescape(place.group())).query)["state"][0]
            back, cookie = "/slack/oauth?code=code-T0TWO&state=", headers["set-cookie"].split(";")[0]
            assert visited(service.public.address, f"{back}guessed", cookie=cookie)[0] >= 400
            assert visited(service.public.address, back + state)[0] >= 400  # somebody else's browser
            ended, _, text = visited(service.public.address, back + state, cookie=cookie)
            assert ended == 200, text
            asked = other.person("Zoe").tells(QUESTION)
            assert LEAVE_SAID in other.reply(asked).shown
        assert model.requests == []


def visited(address: str, path: str, *, cookie: str = "") -> tuple[int, dict[str, str], str]:
    """Status, headers and text of a page."""
    connection = http.client.HTTPConnection(address, timeout=10)
    connection.request("GET", path, headers={"Cookie": cookie} if cookie else {})
    answer = connection.getresponse()
    text, headers = answer.read().decode(), {name.lower(): value for name, value in answer.getheaders()}
    connection.close()
    return answer.status, headers, text
