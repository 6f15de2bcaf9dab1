"""Who may read what: by id, e-mail address and user group; whoever cannot be looked up reads what is public."""

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.access.pseudonyms import pseudonym
from bot.channels import directory as directory_module
from bot.channels.directory import CachedDirectory
from bot.channels.directory_records import ACCOUNTS_USED, FEW, MEMBERS_KEPT, PLACES_KEPT, DirectoryRecords
from bot.channels.events import Place
from bot.channels.lookups import Lookups
from bot.channels.port import NotDelivered
from bot.channels.slack.client import SlackClient
from bot.channels.slack.directory import PAGE, SlackDirectory
from bot.channels.slack.install.workspaces import web_client
from bot.config.settings import Settings
from bot.services.personal_data import DirectoryData, SharedData
from bot.services.personal_data import Person as Forgotten
from bot.state.sqlite.store import SqliteState
from tests.servers.slack.workspace import Channel, Person
from tests.servers.slack_server import Slack, serving

KEY = "a key"


@dataclass
class Bench:
    """Slack, and the state that replicas share; `threads` of 0 make every look-up come to its end before it is used."""

    slack: Slack
    state: SqliteState
    stack: ExitStack
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    threads: int = 0

    def replica(self, **settings) -> CachedDirectory:
        """The directory of one replica: nothing of it is shared but the state."""
        given = Settings(
            slack_bot_token=SecretStr(self.slack.workspace.token), slack_api_url=self.slack.url, **settings
        )
        calls = SlackClient(web_client(given, self.slack.workspace.token))
        lookups = Lookups(self.threads, delay=0.0)
        self.stack.callback(lookups.close)
        return CachedDirectory(
            SlackDirectory(calls, self.slack.workspace.team),
            given,
            "slack",
            records=self.records,
            lookups=lookups,
        )

    @property
    def records(self) -> DirectoryRecords:
        team = self.slack.workspace.team
        return DirectoryRecords(
            self.state, "slack", team, pseudonym=lambda name: pseudonym(name, key=KEY), now=lambda: self.now
        )

    def note(self, person: Person) -> None:
        """Keep what an event tells of somebody."""
        parse = SlackDirectory(lambda *_, **__: {}, self.slack.workspace.team).parse_person
        self.records.people.note(parse(person.json(with_email=True)), at=self.now)

    def later(self, time: timedelta) -> None:
        self.now += time


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with serving() as slack, closing(SqliteState(tmp_path / "state.db")) as state, ExitStack() as stack:
        yield Bench(slack, state, stack)


def at(channel: str) -> Place:
    return Place("slack", "T0ONE", channel)


def own(bench: Bench, person: Person, **groups) -> frozenset[str]:
    found = bench.replica(groups=groups).audience(at(person.direct.id), person.id, direct=True)
    assert found.private
    return found.groups


def in_channel(directory: CachedDirectory, channel: Channel, person: Person) -> frozenset[str]:
    return directory.audience(at(channel.id), person.id, direct=False).groups


def test_a_person_has_the_groups_of_their_id_address_and_user_groups(bench):
    workspace = bench.slack.workspace
    ada, bob = workspace.person("Ada"), workspace.person("Bob")
    group = workspace.user_group("finance", ada)
    named = {"a": [f"slack:{ada.id}"], "b": ["ADA@example.com"], "c": [f"slack:{group}"], "d": [f"slack:{bob.id}"]}
    assert own(bench, ada, **named) == {"a", "b", "c"}
    assert own(bench, bob, **named) == {"d"}
    asked = len(bench.slack.calls)
    assert own(bench, ada, **named) == {"a", "b", "c"}
    assert len(bench.slack.calls) == asked, "what one replica has learned all know"


def test_nobody_s_groups_are_everyone_and_a_guest_s_public(bench):
    workspace = bench.slack.workspace
    assert own(bench, workspace.person("Ada"), hr=["x@example.com"]) == {"everyone"}
    assert own(bench, workspace.person("Gil", guest=True), hr=["gil@example.com"]) == {"public"}
    assert own(bench, workspace.person("Pat", team="T0TWO"), hr=["pat@example.com"]) == {"public"}


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
    person, page = directory.person("U1"), directory.people()
    assert person
    assert page
    assert person.guest is guest
    assert page.entries == (person,)


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
def test_what_cannot_be_looked_up_opens_nothing(bench, method):
    ada = bench.slack.workspace.person("Ada")
    group = bench.slack.workspace.user_group("finance", ada)
    bench.slack.troubled(method, error="missing_scope", times=99)
    assert "finance" not in own(bench, ada, finance=[f"slack:{group}"])


def test_a_channel_has_its_own_groups_whoever_asks(bench):
    workspace = bench.slack.workspace
    ada, bob = workspace.person("Ada"), workspace.person("Bob")
    board, general = workspace.channel("board", ada, bob), workspace.channel("general", ada, bob)
    found = bench.replica(groups={"hr": [f"slack:{ada.id}"]}, channels={f"slack:{board.id}": ["finance"]})
    assert in_channel(found, board, ada) == {"finance"}
    assert in_channel(found, general, ada) == {"everyone"}


@pytest.mark.parametrize("method", ["conversations.info", "conversations.members"])
def test_a_channel_that_cannot_be_looked_at_is_public(bench, method):
    ada = bench.slack.workspace.person("Ada")
    channel = bench.slack.workspace.channel("general", ada)
    bench.slack.troubled(method, error="missing_scope", times=99)
    assert in_channel(bench.replica(), channel, ada) == {"public"}


# How long it is known, and who tells of a change


def test_what_is_known_is_used_and_looked_up_again_meanwhile(bench):
    ada = bench.slack.workspace.person("Ada")
    channel = bench.slack.workspace.channel("general", ada)
    assert in_channel(bench.replica(), channel, ada) == {"everyone"}
    channel.members.append(bench.slack.workspace.person("Gil", guest=True).id)  # and no event tells of it
    asked = len(bench.slack.calls)
    assert in_channel(bench.replica(), channel, ada) == {"everyone"}
    assert len(bench.slack.calls) == asked
    bench.later(directory_module.REFRESHED + timedelta(seconds=1))
    in_channel(bench.replica(), channel, ada)
    assert in_channel(bench.replica(), channel, ada) == {"public"}


@pytest.mark.parametrize("kept", [PLACES_KEPT, ACCOUNTS_USED, 2 * MEMBERS_KEPT])
def test_what_was_learned_long_ago_is_asked_before_it_is_used(bench, kept):
    ada = bench.slack.workspace.person("Ada")
    channel = bench.slack.workspace.channel("general", ada)
    assert in_channel(bench.replica(), channel, ada) == {"everyone"}
    channel.members.append(bench.slack.workspace.person("Gil", guest=True).id)
    bench.later(kept + timedelta(seconds=1))
    assert in_channel(bench.replica(), channel, ada) == {"public"}


def test_who_comes_into_a_channel_and_goes_is_heard_by_all_replicas(bench):
    ada, gil = bench.slack.workspace.person("Ada"), bench.slack.workspace.person("Gil", guest=True)
    channel = bench.slack.workspace.channel("general", ada)
    one, other = bench.replica(), bench.replica()
    assert in_channel(one, channel, ada) == {"everyone"}
    channel.members.append(gil.id)
    one.member_changed(channel.id, gil.id, joined=True, at=bench.now)
    assert in_channel(other, channel, ada) == {"public"}
    bench.later(timedelta(seconds=5))
    channel.members.remove(gil.id)
    other.member_changed(channel.id, gil.id, joined=False, at=bench.now)
    assert in_channel(one, channel, ada) == {"everyone"}
    # An event that is delivered again says how it was.
    other.member_changed(channel.id, gil.id, joined=True, at=bench.now - timedelta(seconds=5))
    assert in_channel(one, channel, ada) == {"everyone"}


def test_who_becomes_a_guest_is_one_in_every_channel_at_once(bench):
    ada, bob, eve = (bench.slack.workspace.person(name) for name in ("Ada", "Bob", "Eve"))
    channel, other = (bench.slack.workspace.channel(name, ada, each) for name, each in (("a", bob), ("b", eve)))
    found = bench.replica()
    for each in (channel, other):
        assert in_channel(found, each, ada) == {"everyone"}
    bench.later(timedelta(minutes=5))
    bob.guest = True
    bench.note(bob)
    assert in_channel(bench.replica(), channel, ada) == {"public"}
    assert in_channel(bench.replica(), other, ada) == {"everyone"}
    assert own(bench, bob) == {"public"}
    bench.later(timedelta(minutes=5))
    bob.guest = False
    bench.note(bob)
    assert in_channel(bench.replica(), channel, ada) == {"everyone"}


def test_a_look_up_that_was_begun_before_an_event_does_not_undo_it(bench):
    ada, bob = bench.slack.workspace.person("Ada"), bench.slack.workspace.person("Bob")
    channel = bench.slack.workspace.channel("general", ada, bob)
    group = bench.slack.workspace.user_group("finance", bob)
    records, begun = bench.records, bench.now
    old = SlackDirectory(lambda *_, **__: {}, "T0ONE").parse_person(bob.json(with_email=True))
    in_channel(bench.replica(), channel, ada)
    bench.later(timedelta(seconds=10))
    bob.guest = channel.shared = True
    bench.note(bob)
    records.groups.note(group, at=bench.now)
    records.channels.note_shared(channel.id, external=True, at=bench.now)
    records.people.save([old], at=begun)
    records.groups.save(group, [bob.id], at=begun)
    records.channels.save(channel.id, bench.replica()._learning._directory.channel(channel.id), at=begun)
    assert own(bench, bob) == {"public"}
    assert records.groups.get(group) is None
    found = records.channels.get(channel.id)
    assert found
    assert found.external


def test_whose_account_was_closed_reads_nothing_and_is_no_guest(bench):
    ada, gil = bench.slack.workspace.person("Ada"), bench.slack.workspace.person("Gil", guest=True)
    channel = bench.slack.workspace.channel("general", ada, gil)
    assert in_channel(bench.replica(), channel, ada) == {"public"}
    bench.later(timedelta(minutes=5))
    gil.deleted = True
    bench.note(gil)
    assert in_channel(bench.replica(), channel, ada) == {"everyone"}
    bench.later(timedelta(minutes=5))
    gil.deleted = False
    bench.note(gil)
    assert in_channel(bench.replica(), channel, ada) == {"public"}


def test_a_channel_that_becomes_shared_is_public_at_once_and_is_asked_about_when_it_is_so_no_more(bench):
    ada = bench.slack.workspace.person("Ada")
    channel = bench.slack.workspace.channel("general", ada)
    assert in_channel(bench.replica(), channel, ada) == {"everyone"}
    bench.records.channels.note_shared(channel.id, external=True, at=bench.now)
    assert in_channel(bench.replica(), channel, ada) == {"public"}
    bench.later(timedelta(seconds=5))
    bench.records.channels.note_shared(channel.id, external=False, at=bench.now)
    assert in_channel(bench.replica(), channel, ada) == {"everyone"}
    assert bench.slack.counted()["conversations.info"] == 2


def test_who_leaves_a_user_group_has_its_groups_no_more(bench):
    ada = bench.slack.workspace.person("Ada")
    group = bench.slack.workspace.user_group("finance", ada)
    assert own(bench, ada, finance=[f"slack:{group}"]) == {"finance"}
    bench.slack.workspace.groups[group] = ("finance", [])
    assert own(bench, ada, finance=[f"slack:{group}"]) == {"finance"}
    bench.later(timedelta(seconds=5))
    bench.records.groups.note(group, at=bench.now)
    assert own(bench, ada, finance=[f"slack:{group}"]) == {"everyone"}


def test_where_an_event_has_told_of_all_people_nobody_is_looked_up(bench):
    crowd = bench.slack.workspace.crowd(100)
    channel = bench.slack.workspace.channel("general", *crowd)
    for person in crowd:
        bench.note(person)
    assert in_channel(bench.replica(), channel, crowd[0]) == {"everyone"}
    assert bench.slack.counted() == {"conversations.info": 1, "conversations.members": 1, "users.info": 1}, "the bot"


# Large channels


@pytest.mark.parametrize("guests", [0, 1])
@pytest.mark.parametrize("size", [FEW + 10, PAGE + FEW])
def test_a_large_channel_is_public_until_it_is_known_who_reads_it(bench, size, guests, caplog):
    workspace = bench.slack.workspace
    crowd = [*workspace.crowd(size), *(workspace.person("Gil", guest=True) for _ in range(guests))]
    for person in crowd[1 : FEW + 5]:
        person.deleted = True
    channel = workspace.channel("general", *crowd)
    bench.threads = 4
    found = bench.replica()
    with caplog.at_level(logging.INFO):
        assert in_channel(found, channel, crowd[0]) == {"public"}
        bench.slack.workspace.wait(lambda: bench.records.channels.members(channel.id), "who reads it")
    told = [each.getMessage() for each in caplog.records if "in time" in each.getMessage()]
    assert len(told) == 1
    assert channel.id in told[0]
    assert not any(each.id in caplog.text for each in crowd)
    bench.later(timedelta(seconds=20))
    asked = bench.slack.counted()
    assert asked["users.list"] == 1 + (size + guests + 2) // PAGE
    assert asked["users.info"] <= 2
    assert in_channel(bench.replica(), channel, crowd[0]) == ({"public"} if guests else {"everyone"})
    assert bench.slack.counted() == asked


def test_the_list_of_people_is_read_once_for_all_channels_and_replicas(bench):
    workspace = bench.slack.workspace
    crowd = workspace.crowd(3 * FEW)
    channels = [workspace.channel(f"c{number}", *crowd[number:]) for number in range(5)]
    for channel in channels:
        in_channel(bench.replica(), channel, crowd[-1])
    bench.later(timedelta(minutes=1))
    assert {in_channel(bench.replica(), each, crowd[-1]) for each in channels} == {frozenset({"everyone"})}
    assert bench.slack.counted()["users.list"] == 1


def test_an_answer_waits_a_moment_for_a_platform_that_hangs_and_no_second_time(bench, monkeypatch):
    monkeypatch.setattr(directory_module, "ANSWER_SECONDS", 0.5)
    bench.threads = 4
    ada = bench.slack.workspace.person("Ada")
    channel = bench.slack.workspace.channel("general", ada)
    bench.slack.troubled("users.info", hang=2.5)
    found = bench.replica()
    assert in_channel(found, channel, ada) == {"public"}
    asked = len(bench.slack.calls)
    assert [in_channel(found, channel, ada) for _ in range(50)] == [{"public"}] * 50
    assert len(bench.slack.calls) == asked
    bench.slack.workspace.wait(lambda: bench.records.people.get(ada.id), "what came too late")
    bench.later(timedelta(seconds=20))
    assert in_channel(found, channel, ada) == {"everyone"}


def test_whoever_is_told_to_wait_by_slack_answers_from_what_is_public_at_once(bench):
    ada = bench.slack.workspace.person("Ada")
    group = bench.slack.workspace.user_group("finance", ada)
    channel = bench.slack.workspace.channel("general", ada)
    bench.slack.troubled("users.info", status=429, retry_after=30, times=99)
    assert in_channel(bench.replica(), channel, ada) == {"public"}
    assert own(bench, ada) == {"public"}
    assert bench.slack.counted()["users.info"] <= 4
    bench.slack.troubles.clear()
    bench.later(timedelta(seconds=20))
    bench.slack.troubled("usergroups.users.list", status=429, retry_after=30, times=99)
    assert own(bench, ada, finance=[f"slack:{group}"]) == {"everyone"}
    bench.slack.troubles.clear()
    bench.later(timedelta(seconds=20))
    assert in_channel(bench.replica(), channel, ada) == {"everyone"}
    assert own(bench, ada, finance=[f"slack:{group}"]) == {"finance"}


def test_where_more_people_ask_than_can_be_looked_up_all_are_learned_at_once(bench):
    crowd = bench.slack.workspace.crowd(150)
    bench.slack.rates.on = True
    bench.threads = 16
    found = bench.replica()

    def asked() -> Counter[frozenset[str]]:
        return Counter(found.audience(at(each.direct.id), each.id, direct=True).groups for each in crowd)

    assert 0 < asked()[frozenset({"public"})] <= 50
    bench.slack.workspace.wait(lambda: not bench.records.people.unknown([each.id for each in crowd]), "everybody")
    assert asked() == {frozenset({"everyone"}): 150}
    assert bench.slack.counted()["users.list"] == 1


def test_what_is_shown_again_is_not_shown_while_the_platform_does_not_tell(bench):
    ada = bench.slack.workspace.person("Ada")
    channel = bench.slack.workspace.channel("general", ada)
    found = bench.replica()
    assert in_channel(found, channel, ada) == {"everyone"}
    asks: dict[str, Callable[[], object]] = {
        "users.info": lambda: found.is_guest_now(ada.id),
        "conversations.info": lambda: found.readers_now(at(channel.id)),
        "conversations.members": lambda: found.audience_now(at(channel.id), ada.id),
    }
    for method, ask in asks.items():
        bench.later(timedelta(seconds=1))
        bench.slack.troubled(method, status=429, retry_after=1, times=2)
        with pytest.raises(NotDelivered):
            ask()
        bench.slack.troubles.clear()
    bench.later(timedelta(seconds=1))
    assert bench.replica().readers_now(at(channel.id)) == {"everyone"}, "this one is not to wait"


def test_what_is_shown_again_in_a_large_channel_costs_three_calls_and_sees_who_came(bench):
    workspace = bench.slack.workspace
    crowd, gil = workspace.crowd(2 * PAGE), workspace.person("Gil", guest=True)
    channel = workspace.channel("general", *crowd)
    found = bench.replica()
    in_channel(found, channel, crowd[0])
    bench.later(timedelta(minutes=2))
    before = len(bench.slack.calls)
    assert found.audience_now(at(channel.id), crowd[0].id).groups == {"everyone"}
    assert len(bench.slack.calls) - before <= 3
    channel.members.append(gil.id)
    found.member_changed(channel.id, gil.id, joined=True, at=bench.now)
    assert bench.replica().audience_now(at(channel.id), crowd[0].id).groups == {"public"}
    assert bench.replica().readers_now(at(channel.id)) == {"public"}


# What is kept of people


def test_neither_ids_nor_addresses_of_people_are_kept_and_everything_expires(bench):
    workspace = bench.slack.workspace
    crowd, gil = workspace.crowd(2 * FEW), workspace.person("Gil", guest=True)
    channel, group = workspace.channel("general", *crowd, gil), workspace.user_group("finance", *crowd)
    found = bench.replica(groups={"finance": [f"slack:{group}", crowd[0].email]})
    in_channel(found, channel, crowd[0])
    found.audience(at(crowd[0].direct.id), crowd[0].id, direct=False)
    found.member_changed(channel.id, gil.id, joined=True, at=bench.now)
    bench.later(timedelta(minutes=1))
    crowd[1].guest = True
    bench.note(crowd[1])
    kept = str(list(bench.state.values("", now=bench.now)))
    assert channel.id in kept
    assert [each.id for each in [*crowd, gil] if each.id in kept or each.email in kept] == []
    assert bench.state.keys("", now=bench.now + timedelta(days=2)) == []


@pytest.mark.parametrize("named", ["id", "email"])
def test_forgetting_finds_it_and_opens_nothing(bench, named):
    workspace = bench.slack.workspace
    ada, bob, came = workspace.person("Ada"), workspace.person("Bob"), workspace.person("Came")
    channel = workspace.channel("general", ada, bob)
    group = workspace.user_group("finance", bob)
    found = bench.replica(groups={"finance": [f"slack:{group}"]})
    in_channel(found, channel, ada)
    found.audience(at(bob.direct.id), bob.id, direct=True)
    bench.later(timedelta(minutes=5))
    channel.members.append(came.id)
    for each in (bob, came):
        each.guest = True
        bench.note(each)
    found.member_changed(channel.id, came.id, joined=True, at=bench.now)
    assert in_channel(found, channel, ada) == {"public"}
    for each in (bob, came):
        name = f"slack:{each.id}" if named == "id" else each.email
        person = Forgotten(name, pseudonym(name, key=KEY))
        places = [place(bench.state, clock=lambda: bench.now) for place in (SharedData, DirectoryData)]
        assert sum(sum(place.find(person).values()) for place in places) > 0
        for place in places:
            place.erase(person)
            bench.slack.troubled("conversations.members", status=429, retry_after=30, times=2)
            bench.later(timedelta(seconds=20))
            assert in_channel(bench.replica(), channel, ada) == {"public"}
            bench.slack.troubles.clear()
        assert [place.find(person) for place in places] == [{}, {}]
        kept = str(list(bench.state.values("", now=bench.now)))
        assert person.pseudonym not in kept
    bench.later(timedelta(seconds=20))
    assert in_channel(bench.replica(), channel, ada) == {"public"}


@pytest.mark.parametrize(
    "value", ["", "[", "null", "[]", "5", '{"at": 5}', '{"at": "2026"}', '{"at": "x", "guests": 7}']
)
def test_what_is_damaged_counts_as_unknown(bench, value):
    ada = bench.slack.workspace.person("Ada")
    channel = bench.slack.workspace.channel("general", ada)
    group = bench.slack.workspace.user_group("finance", ada)
    finance = {"finance": [f"slack:{group}"]}
    assert in_channel(bench.replica(), channel, ada) == {"everyone"}
    assert own(bench, ada, **finance) == {"finance"}
    for key in bench.state.keys("", now=bench.now):
        bench.state.put(key, value, expires=bench.now + timedelta(hours=1))
    assert in_channel(bench.replica(), channel, ada) == {"everyone"}
    assert own(bench, ada, **finance) == {"finance"}
