"""Who may read what: by id, e-mail address and user group; whoever cannot be looked up reads what is public."""

import time
from collections.abc import Callable, Iterator

import pytest
from pydantic import SecretStr

from bot.channels.directory import FEW, CachedDirectory
from bot.channels.events import Place
from bot.channels.slack.client import SlackClient
from bot.channels.slack.directory import PAGE, SlackDirectory
from bot.channels.slack.install.workspaces import web_client
from bot.config.settings import Settings
from tests.servers.slack.workspace import Person
from tests.servers.slack_server import Slack, serving


@pytest.fixture
def slack() -> Iterator[Slack]:
    with serving() as opened:
        yield opened


def people(slack: Slack, *, clock: Callable[[], float] = time.monotonic, **settings) -> CachedDirectory:
    given = Settings(slack_bot_token=SecretStr(slack.workspace.token), slack_api_url=slack.url, **settings)
    calls = SlackClient(web_client(given, slack.workspace.token), sleep=lambda _: None)
    team = slack.workspace.team
    return CachedDirectory(SlackDirectory(calls, team), given, "slack", clock=clock)


def at(channel: str) -> Place:
    return Place("slack", "T0ONE", channel)


def own(slack: Slack, person: Person, **groups) -> frozenset[str]:
    return people(slack, groups=groups).audience(at(person.direct.id), person.id, direct=True).groups


def test_a_person_has_the_groups_of_their_id_address_and_user_groups(slack):
    ada, bob = slack.workspace.person("Ada"), slack.workspace.person("Bob")
    group = slack.workspace.user_group("finance", ada)
    named = {"a": [f"slack:{ada.id}"], "b": ["ADA@example.com"], "c": [f"slack:{group}"], "d": [f"slack:{bob.id}"]}
    assert own(slack, ada, **named) == {"a", "b", "c"}
    assert own(slack, bob, **named) == {"d"}


def test_nobody_s_groups_are_everyone_and_a_guest_s_public(slack):
    assert own(slack, slack.workspace.person("Ada"), hr=["x@example.com"]) == {"everyone"}
    assert own(slack, slack.workspace.person("Gil", guest=True), hr=["gil@example.com"]) == {"public"}
    assert own(slack, slack.workspace.person("Pat", team="T0TWO"), hr=["pat@example.com"]) == {"public"}


@pytest.mark.parametrize(
    ("organization", "user", "guest"),
    [
        ("E0OURS", {"team_id": "T0TWO", "enterprise_user": {"enterprise_id": "E0OURS"}}, False),
        ("E0OURS", {"team_id": "T0TWO", "enterprise_user": {"enterprise_id": "E0THEIRS"}}, True),
        ("E0OURS", {"team_id": "T0TWO"}, True),
        ("E0OURS", {"team_id": "T0TWO", "enterprise_user": {"id": "U1"}}, True),
        ("", {"team_id": "T0TWO", "enterprise_user": {"enterprise_id": ""}}, True),
        ("", {"team_id": "T0TWO", "enterprise_user": {"enterprise_id": "E0THEIRS"}}, True),
        ("", {"team_id": "T0ONE", "enterprise_user": {"enterprise_id": "E0OURS"}}, False),
    ],
)
def test_people_of_another_company_s_enterprise_grid_are_guests(organization, user, guest):
    """Any grid was taken for the company's own; Slack calls nobody a stranger who shares a channel with the app."""
    told = {"user": user, "members": [{"id": "U1", **user}]}
    directory = SlackDirectory(lambda *_, **__: told, "T0ONE", organization)
    person, listed = directory.person("U1"), directory.people()
    assert person
    assert person.guest is guest
    assert listed == {"U1": guest}


HERE, THERE = {"team_id": "T0ONE"}, {"team_id": "T0TWO"}
OURS, THEIRS = {"enterprise_user": {"enterprise_id": "E0OURS"}}, {"enterprise_user": {"enterprise_id": "E0THEIRS"}}


@pytest.mark.parametrize(
    ("installed", "listed", "user", "guest"),
    [
        pytest.param("T0ONE", [], HERE, False, id="of-the-workspace"),
        pytest.param("T0ONE", [], HERE | OURS, False, id="of-both"),
        pytest.param("T0ONE", [], HERE | {"enterprise_id": "E0THEIRS"}, True, id="of-the-workspace-of-another-company"),
        pytest.param("T0ONE", ["T0ONE"], THERE | OURS, True, id="another-workspace-is-not-listed"),
        pytest.param("T0ONE", ["T0ONE", "T0TWO"], THERE | OURS, False, id="another-workspace-is-listed"),
        pytest.param("T0ONE", ["E0OURS"], THERE | OURS, False, id="the-organisation-is-listed"),
        pytest.param("T0ONE", ["T0ONE", "T0TWO"], THERE, True, id="listed-and-of-another-company"),
        pytest.param("", [], HERE | OURS, False, id="organisation"),
        pytest.param("", [], THERE | {"enterprise_id": "E0OURS"}, False, id="organisation-told-otherwise"),
        pytest.param("", [], {"team_id": "E0OURS"}, False, id="organisation-in-place-of-the-workspace"),
        pytest.param("", [], HERE | THEIRS, True, id="another-organisation"),
        pytest.param("", [], {"team_id": "E0THEIRS"}, True, id="another-organisation-in-place-of-the-workspace"),
        pytest.param("", [], HERE, True, id="no-organisation"),
        pytest.param("", [], {}, True, id="nothing"),
        pytest.param("", ["T0ONE"], HERE | OURS, False, id="listed-workspace-of-the-organisation"),
        pytest.param("", ["T0ONE"], THERE | OURS, True, id="workspace-that-is-not-listed"),
        pytest.param("", ["T0ONE"], HERE | THEIRS, True, id="listed-of-another-organisation"),
        pytest.param(
            "",
            ["T0ONE"],
            THERE | {"enterprise_user": {"enterprise_id": "E0OURS", "teams": ["T0TWO", "T0ONE"]}},
            False,
            id="member-of-two",
        ),
        pytest.param("", [], HERE | OURS | {"is_restricted": True}, True, id="guest"),
        pytest.param("", [], HERE | OURS | {"is_stranger": True}, True, id="stranger"),
    ],
)
def test_staff_is_who_is_of_the_installing_workspace_or_of_its_organisation(installed, listed, user, guest):
    told = {"user": user}
    directory = SlackDirectory(lambda *_, **__: told, installed, "E0OURS", listed=frozenset(listed))
    person = directory.person("U1")
    assert person
    assert person.guest is guest


@pytest.mark.parametrize("method", ["users.info", "usergroups.users.list"])
def test_what_cannot_be_looked_up_opens_nothing(slack, method):
    ada = slack.workspace.person("Ada")
    group = slack.workspace.user_group("finance", ada)
    slack.troubled(method, error="missing_scope", times=99)
    assert "finance" not in own(slack, ada, finance=[f"slack:{group}"])


def test_a_channel_has_its_own_groups_whoever_asks(slack):
    ada, bob = slack.workspace.person("Ada"), slack.workspace.person("Bob")
    board, general = slack.workspace.channel("board", ada, bob), slack.workspace.channel("general", ada, bob)
    found = people(
        slack,
        groups={"hr": [f"slack:{ada.id}"]},
        channels={f"slack:{board.id}": ["finance"]},
    )
    assert found.audience(at(board.id), ada.id, direct=False).groups == {"finance"}
    assert found.audience(at(general.id), ada.id, direct=False).groups == {"everyone"}


@pytest.mark.parametrize("method", ["conversations.info", "conversations.members"])
def test_a_channel_that_cannot_be_looked_at_is_public(slack, method):
    ada = slack.workspace.person("Ada")
    channel = slack.workspace.channel("general", ada)
    slack.troubled(method, error="missing_scope", times=99)
    assert people(slack).audience(at(channel.id), ada.id, direct=False).groups == {"public"}


@pytest.mark.parametrize(
    ("guests", "refused", "groups"),
    [
        pytest.param(0, False, {"everyone"}, id="staff-alone"),
        pytest.param(1, False, {"public"}, id="a-guest"),
        pytest.param(0, True, {"public"}, id="nobody-is-known"),
    ],
)
def test_a_large_channel_is_compared_with_the_list_of_people(slack, guests, refused, groups):
    many = [slack.workspace.person(f"P{n}") for n in range(PAGE + FEW)]
    many += [slack.workspace.person("Gil", guest=True) for _ in range(guests)]
    channel = slack.workspace.channel("general", *many)
    if refused:
        slack.troubled("users.list", error="missing_scope", times=99)
    assert people(slack).audience(at(channel.id), many[0].id, direct=False).groups == groups
    assert slack.counted()["users.info"] <= 2


def test_what_was_looked_up_is_asked_again_after_ten_minutes(slack):
    now = [0.0]
    ada = slack.workspace.person("Ada")
    channel = slack.workspace.channel("general", ada)
    found = people(slack, clock=lambda: now[0])
    assert found.audience(at(channel.id), ada.id, direct=False).groups == {"everyone"}
    channel.members.append(slack.workspace.person("Gil", guest=True).id)
    asked = len(slack.calls)
    assert found.audience(at(channel.id), ada.id, direct=False).groups == {"everyone"}
    assert len(slack.calls) == asked
    now[0] = 601.0
    assert found.audience(at(channel.id), ada.id, direct=False).groups == {"public"}


def test_who_comes_into_a_channel_is_seen_at_once(slack):
    ada = slack.workspace.person("Ada")
    channel = slack.workspace.channel("general", ada)
    found = people(slack)
    assert found.audience(at(channel.id), ada.id, direct=False).groups == {"everyone"}
    channel.members.append(slack.workspace.person("Gil", guest=True).id)
    found.forget_members(channel.id)
    assert found.audience(at(channel.id), ada.id, direct=False).groups == {"public"}
