"""An organisation (Enterprise Grid) with one installation: people and payloads come from several of its workspaces.

What one of them began the others go on with.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from bot.channels.slack.install.manifest import manifest
from bot.config.settings import Settings
from tests.bot.channels.slack.harness import SlackStage, peopled, running, settings
from tests.bot.channels.slack.test_conversations import EXPECTED
from tests.conversations.conversations import DOORS, DOORS_SAID, LEAVE_SAID, only
from tests.conversations.harness import breakable_app, synced_app, write_documents
from tests.conversations.scenarios import SCENARIOS, Scenario
from tests.scripted_app import QUESTION
from tests.servers import openai_server
from tests.servers.redis_servers import serving as redis_serving
from tests.servers.slack_server import Slack, serving

ORGANIZATION, ELSEWHERE = "E0ORG", "T0SIX"
# Each has another workspace than the one whose channels they write in.
MOVED = ("Bob", "Mia", "Eve")


def organization(slack: Slack) -> tuple[Any, Any]:
    """The people and places of the scenarios in an organisation of two workspaces, and the installation's token."""
    people, channels = peopled(slack)
    slack.workspace.enterprise = ORGANIZATION
    for name in MOVED:
        people[name].moves(ELSEWHERE, ORGANIZATION)
    people["Kim"] = slack.workspace.person("Kim", team="T0NINE", enterprise="E0THEIRS")
    slack.workspace.install(manifest(socket=False, several=True))
    slack.deploy(ORGANIZATION)
    return people, channels


@contextmanager
def staged(folder: Path, **changes: Any) -> Iterator[SlackStage]:
    """An app with the organisation's token."""
    with serving() as slack, openai_server.serving() as model:
        people, channels = organization(slack)
        write_documents(folder)
        given = Settings(**settings(folder, slack).model_dump() | changes)
        with breakable_app(given) as app, running(app, slack) as server:
            yield SlackStage(slack, app, model, people, channels, server=server)


@contextmanager
def replicated(folder: Path) -> Iterator[SlackStage]:
    """Two replicas on one Redis; a payload comes to either of them."""
    (folder / "redis").mkdir()
    with (
        serving() as slack,
        openai_server.serving() as model,
        redis_serving("redis-6.2", folder / "redis") as redis,
        ExitStack() as stack,
    ):
        people, channels = organization(slack)
        write_documents(folder)
        given = settings(folder, slack, redis_url=redis.url, user_key="the same for every replica")
        apps = [synced_app(given) for _ in range(2)]
        servers = [stack.enter_context(running(app, slack)) for app in apps]
        yield SlackStage(slack, apps[0], model, people, channels, server=servers[0])


def played() -> Iterator[Any]:
    """The scenarios, every fourth in each run and all in the full one: they are played in one workspace in each."""
    for number, each in enumerate(each for each in SCENARIOS if not each.with_model):
        yield pytest.param(each, marks=[pytest.mark.full] if number % 4 else [], id=each.name)


@pytest.mark.parametrize("scenario", list(played()))
def test_the_conversation_is_as_it_is_in_one_workspace(tmp_path, scenario: Scenario):
    with staged(tmp_path) as stage:
        scenario.play(stage)
        assert [each for each in stage.slack.refused if each not in EXPECTED] == []


def test_one_message_has_one_key_whatever_its_payloads_name(tmp_path):
    """By people of two workspaces, at two replicas."""
    with replicated(tmp_path) as stage:
        asked = stage.asks(QUESTION)
        only(asked.seen())
        answer = asked.answer()
        asked.votes("up", by="Bob")
        assert [vote.vote for vote in stage.counted()] == ["up"]
        stage.people["Eve"].reacts(answer, "-1")
        assert sorted(vote.vote for vote in stage.counted()) == ["down", "up"]
        stage.people["Bob"].writes("How many days may part-time staff carry over?", asked.channel, thread=asked.asked)
        assert len(asked.seen()) == 2
        assert stage.people["Bob"].clicks(answer, "Ask a person").status == 200
        only(stage.expert_is_asked())
        stage.expert_answers("Six days, from next year on.")
        assert any("Six days" in each.text for each in asked.seen())
        stage.expert_accepts()
        assert [each.text for each in stage.corrections()] == ["Six days, from next year on."]
        asked.edits(DOORS)
        assert DOORS_SAID in asked.seen()[0].text
        asked.deletes()
        assert all(DOORS_SAID not in each.text for each in asked.seen())
        for who in ("Ada", "Bob"):
            private = stage.asks(QUESTION, who=who, way="command", where="random")
            assert LEAVE_SAID in only(private.seen()).text
            assert any(LEAVE_SAID in each.text for each in private.shares())


def shared_calls(stage: SlackStage, method: str) -> list[dict[str, Any]]:
    return [args for name, args in stage.slack.calls if name == method]


def test_user_groups_and_streams_name_the_workspace_of_whoever_asks(tmp_path):
    with serving() as slack, openai_server.serving() as model:
        people, channels = organization(slack)
        group = slack.workspace.user_group("managers", people["Ada"])
        write_documents(tmp_path)
        given = settings(tmp_path, slack).model_dump() | {"groups": {"managers": [f"slack:{group}"]}}
        with breakable_app(Settings(**given)) as app, running(app, slack) as server:
            stage = SlackStage(slack, app, model, people, channels, server=server)
            pay = "Where does the pay band of a manager begin?"
            assert "90,000" in only(stage.asks(pay, way="direct").seen()).text
            assert LEAVE_SAID in only(stage.asks(QUESTION, who="Bob").seen()).text
            assert {each["team_id"] for each in shared_calls(stage, "usergroups.users.list")} == {"T0ONE"}
            assert shared_calls(stage, "chat.startStream")[-1]["recipient_team_id"] == ELSEWHERE
