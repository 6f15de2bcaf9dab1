"""A workspace of twenty thousand people costs an answer no more than a small one, and no replica misses a guest."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from bot.channels.directory_records import FEW, DirectoryRecords
from tests.bot.channels.slack.harness import running, settings
from tests.bot.channels.slack.replica import Replica, replicas
from tests.bot.channels.slack.test_delivery import shared
from tests.conversations.conversations import LEAVE_SAID, NOT_FOUND
from tests.conversations.harness import synced_app, write_documents
from tests.scripted_app import QUESTION
from tests.servers.redis_servers import KINDS
from tests.servers.slack.workspace import Channel, Message, Person
from tests.servers.slack_server import Slack, serving

ACCOUNTS = 20_000
SIZES = (20, 800, 15_000)


def populated(slack: Slack, *, guests: int = 200, deactivated: int = 500) -> tuple[list[Person], list[Channel]]:
    """So many accounts, some of them guests or deactivated, and channels of staff alone, some of whom have gone."""
    crowd = slack.workspace.crowd(ACCOUNTS)
    for person in crowd[-guests:]:
        person.guest = True
    for person in crowd[10_000 : 10_000 + deactivated]:
        person.deleted = True
    return crowd, [slack.workspace.channel(f"c{size}", *crowd[:size]) for size in SIZES]


def answer(slack: Slack, asked: Message) -> str:
    return slack.workspace.reply(asked).shown


def test_a_large_workspace_costs_an_answer_no_more_calls_than_a_small_one(tmp_path):
    """Rates are limited as Slack limits them. The list of all people is not read before anybody is answered."""
    with serving() as slack:
        crowd, channels = populated(slack)
        slack.rates.on = True
        write_documents(tmp_path)
        app = synced_app(settings(tmp_path, slack))
        with running(app, slack):
            asked = [crowd[0].mentions(QUESTION, channel) for channel in channels]
            shown = [answer(slack, each) for each in asked]
            before = slack.counted()
            slack.rates.on = (
                False  # twenty pages of people take a minute, which tests/benchmarks/large_workspace.py has
            )
            assert LEAVE_SAID in shown[0]
            assert [NOT_FOUND in each for each in shown[1:]] == [True, True], "it is not known yet who reads along"
            assert before["users.list"] == 0
            assert before["users.info"] <= FEW + 2
            assert before["conversations.members"] <= 2 * len(channels)
            assert before["conversations.info"] <= len(channels)
            records = DirectoryRecords(app.state, "slack", slack.workspace.team, pseudonym=app.pseudonym).channels
            slack.workspace.wait(
                lambda: all((known := records.members(each.id)) and known.is_settled for each in channels),
                "who reads them",
                seconds=60,
            )
            learned = slack.counted()
            asked = [crowd[1].mentions(QUESTION, channel) for channel in channels]
            assert all(LEAVE_SAID in answer(slack, each) for each in asked)
            now = slack.counted()
            looked_up = ("users.list", "users.info", "conversations.members", "conversations.info")
            assert [now[name] - learned[name] for name in looked_up] == [0, 0, 0, 0]
        assert learned["users.list"] <= 1 + (ACCOUNTS + 2) // 999
        assert learned["users.info"] <= 2 * FEW


# Replicas


@contextmanager
def two_replicas(folder: Path, store: str, slack: Slack) -> Iterator[Sequence[Replica]]:
    with shared(folder, store, slack) as configured, replicas(configured, slack, 2) as both:
        yield both


def told_to(slack: Slack, replica: Replica, act: Callable[[], object]) -> None:
    """Something happens, of which Slack tells this replica."""
    slack.sending.app_urls = [f"{replica.url}/slack/events"]
    act()
    slack.workspace.wait(lambda: slack.sending.is_idle, "that it is told")


@pytest.mark.parametrize("store", ["sqlite", *(pytest.param(kind, marks=pytest.mark.server) for kind in KINDS)])
def test_what_one_replica_hears_of_guests_the_other_goes_by_at_the_next_question(tmp_path, store):
    with serving() as slack:
        workspace = slack.workspace
        staff = workspace.crowd(5)
        gil = workspace.person("Gil", guest=True)
        channels = {name: workspace.channel(name, *staff) for name in ("joined", "turned", "shared", "hired")}
        with two_replicas(tmp_path, store, slack) as (one, other):

            def seen(*names: str) -> Counter[tuple[str, bool]]:
                """Whether the other replica answers from what is not public in these channels."""
                asked: dict[str, Message] = {}

                def ask() -> None:
                    asked.update({name: staff[0].mentions(QUESTION, channels[name]) for name in names})

                told_to(slack, other, ask)
                return Counter((name, LEAVE_SAID in answer(slack, each)) for name, each in asked.items())

            assert seen(*channels) == Counter((name, True) for name in channels)
            told_to(slack, one, lambda: gil.joins(channels["joined"]))
            assert seen("joined", "hired") == Counter([("joined", False), ("hired", True)])
            told_to(slack, one, lambda: workspace.shares(channels["shared"]))
            assert seen("shared", "hired") == Counter([("shared", False), ("hired", True)])
            told_to(slack, one, lambda: workspace.hires("Pat", team="T0TWO").joins(channels["hired"]))
            assert seen("hired", "turned") == Counter([("hired", False), ("turned", True)])
            told_to(slack, one, lambda: staff[4].becomes(guest=True))
            assert seen("turned") == Counter([("turned", False)])
            told_to(slack, one, lambda: staff[4].becomes(guest=False))
            told_to(slack, one, gil.is_deactivated)
            told_to(slack, one, lambda: workspace.shares(channels["shared"], shared=False))
            assert seen("turned", "joined", "shared") == Counter(
                (name, True) for name in ("turned", "joined", "shared")
            )


def test_no_event_of_people_and_channels_waits_for_slack(tmp_path):
    """Nothing is asked of Slack before they are acknowledged, and whatever fails then is asked again later."""
    with serving() as slack:
        workspace = slack.workspace
        ada, channel = workspace.person("Ada"), workspace.channel("general", workspace.person("Bob"))
        group = workspace.user_group("finance", ada)
        write_documents(tmp_path)
        with running(synced_app(settings(tmp_path, slack)), slack):
            slack.latency, slack.sending.ack_within = 3.0, 2.0
            ada.joins(channel)
            ada.leaves(channel)
            ada.becomes(guest=True)
            workspace.hires("Pat")
            workspace.shares(channel)
            workspace.shares(channel, shared=False)
            workspace.regroups(group)
            workspace.invites_bot(channel)
            workspace.wait(lambda: slack.sending.is_idle, "that all is told")
            told = list(slack.sending.deliveries)  # the bot's welcome may be told of once nobody listens any more
            slack.latency = 0.0
        assert Counter(each.status for each in told[:8]) == {200: 8}


def test_who_reads_a_channel_is_learned_when_the_bot_comes_into_it(tmp_path):
    with serving() as slack:
        workspace = slack.workspace
        crowd = workspace.crowd(3 * FEW)
        channel = workspace.channel("general", *crowd, with_bot=False)
        write_documents(tmp_path)
        app = synced_app(settings(tmp_path, slack))
        with running(app, slack):
            workspace.invites_bot(channel)
            records = DirectoryRecords(app.state, "slack", workspace.team, pseudonym=app.pseudonym).channels
            workspace.wait(lambda: records.members(channel.id), "who reads it")
            assert LEAVE_SAID in answer(slack, crowd[0].mentions(QUESTION, channel))


def test_a_malformed_event_of_people_changes_nothing(tmp_path):
    with serving() as slack:
        workspace = slack.workspace
        ada = workspace.person("Ada")
        channel = workspace.channel("general", ada)
        write_documents(tmp_path)
        with running(synced_app(settings(tmp_path, slack)), slack):
            for event in (
                {"type": "user_change", "user": "U1"},
                {"type": "user_change", "user": {}},
                {"type": "team_join"},
                {"type": "member_joined_channel", "user": None, "channel": None},
                {"type": "member_left_channel"},
                {"type": "channel_shared", "event_ts": "soon"},
                {"type": "subteam_updated", "subteam": []},
                {"type": "subteam_members_changed", "event_ts": "1e400"},
            ):
                workspace.emit(event)
            workspace.wait(lambda: slack.sending.is_idle, "that all is told")
            assert LEAVE_SAID in answer(slack, ada.mentions(QUESTION, channel))
        assert Counter(each.status for each in slack.sending.deliveries)[200] >= 8
