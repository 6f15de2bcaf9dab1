"""Nothing is missed and nothing is answered twice: forged, replayed, repeated and lost events, replicas that die."""

import json
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from bot.channels.presentation import BUSY, WELCOME
from bot.config.settings import Settings
from tests.bot.channels.slack.harness import peopled, settings
from tests.bot.channels.slack.replica import replicas
from tests.bot.channels.slack.test_conversations import staged
from tests.conversations.conversations import LEAVE_SAID, only
from tests.conversations.harness import synced_app, write_documents
from tests.scripted_app import QUESTION, RIGHT, numbered
from tests.servers import openai_server
from tests.servers.redis_servers import KINDS
from tests.servers.redis_servers import serving as redis_serving
from tests.servers.slack.workspace import Message
from tests.servers.slack_server import Slack, serving

JSON = "application/json"
SHARED = ["sqlite", *(pytest.param(kind, marks=pytest.mark.server) for kind in KINDS)]


# Forged and replayed


def an_event(slack: Slack, stage: Any) -> tuple[Message, bytes]:
    """A question that Slack has not told anybody yet."""
    urls, slack.sending.app_urls = slack.sending.app_urls, []
    slack.sending.retries = ()
    asked = stage.people["Ada"].tells(QUESTION)
    slack.workspace.wait(lambda: slack.sending.is_idle)
    slack.sending.app_urls = urls
    return asked, json.dumps(slack.sending.sent[-1]).encode()


def post(slack: Slack, body: bytes, headers: dict[str, str]) -> int:
    return slack.sending.post(slack.sending.app_urls[0], body, JSON, headers)[0]


def test_what_slack_has_not_signed_is_refused(tmp_path):
    with staged(tmp_path) as stage:
        slack = stage.slack
        asked, body = an_event(slack, stage)
        forged = slack.sending.signature(body, secret="guessed")
        assert post(slack, body, forged) == 401
        assert post(slack, body, slack.sending.signature(body, at=time.time() - 600)) == 401
        assert post(slack, body, slack.sending.signature(body + b" ")) == 401
        assert post(slack, body, {"X-Slack-Signature": ""}) == 401
        assert post(slack, b"{", {}) in {200, 400, 401, 404}  # signed, and no event
        stage.settle()
        assert slack.workspace.visible(stage.people["Ada"].direct, asked) == []
        assert stage.exchanges() == []


def test_that_slack_holds_events_back_is_acknowledged_and_logged(tmp_path, caplog):
    """As in https://docs.slack.dev/reference/events/app_rate_limited."""
    told = {"token": "x", "type": "app_rate_limited", "team_id": "T0ONE", "minute_rate_limited": 1518467820}
    with staged(tmp_path) as stage:
        assert post(stage.slack, json.dumps(told | {"api_app_id": "A0APP"}).encode(), {}) == 200
    assert "Slack holds events of a workspace back" in caplog.text


def test_what_is_replayed_is_answered_once(tmp_path):
    with staged(tmp_path) as stage:
        slack = stage.slack
        asked, body = an_event(slack, stage)
        assert [post(slack, body, {}) for _ in range(5)] == [200] * 5
        stage.settle()
        assert [post(slack, body, {"X-Slack-Retry-Num": "3"}) for _ in range(5)] == [200] * 5
        stage.settle()
        (answer,) = slack.workspace.visible(stage.people["Ada"].direct, asked)
        assert LEAVE_SAID in answer.shown
        assert len(stage.exchanges()) == 1


def test_an_event_that_comes_only_as_a_retry_is_answered(tmp_path):
    with staged(tmp_path) as stage:
        asked, body = an_event(stage.slack, stage)
        assert post(stage.slack, body, {"X-Slack-Retry-Num": "1", "X-Slack-Retry-Reason": "http_timeout"}) == 200
        stage.settle()
        assert len(stage.slack.workspace.visible(stage.people["Ada"].direct, asked)) == 1


def test_what_could_not_be_kept_is_not_acknowledged_and_comes_again(tmp_path):
    with staged(tmp_path) as stage:
        state: Any = stage.app.state
        state.failing = 2
        thread = stage.asks(QUESTION, way="direct")
        assert LEAVE_SAID in only(thread.seen()).text
        assert [each.status // 100 for each in stage.slack.sending.deliveries[:3]] == [5, 5, 2]


def test_a_flood_leaves_nobody_without_a_word(tmp_path):
    """Two hundred people ask at once and a few can wait: each gets an answer, or hears that there are too many."""
    with staged(tmp_path, queue_limit=20) as stage:
        workspace = stage.slack.workspace
        people = [workspace.person(f"P{number}") for number in range(200)]
        asked = {person.name: person.tells(f"{QUESTION} ({person.name})") for person in people}
        stage.settle()
        seen = {each.name: besides_welcome(workspace.visible(each.direct, to=each)) for each in people}
        kinds = Counter(kind(seen[name]) for name in asked)
        assert set(kinds) <= {"answered", "busy"}, kinds
        assert kinds["answered"] >= 20
        assert kinds["busy"] > 0
        later = stage.asks(QUESTION)
        assert LEAVE_SAID in only(later.seen()).text


def test_forty_at_once_are_answered_within_slacks_limits(tmp_path):
    """There are fewer streams a minute than people who ask: the others get a message."""
    with staged(tmp_path) as stage:
        slack = stage.slack
        slack.rates.on = True
        asked = [slack.workspace.person(f"P{number}").tells(QUESTION) for number in range(40)]
        stage.settle()
        assert of_threads(slack, asked) == {"answered": 40}
        assert ("chat.startStream", "ratelimited") in slack.refused


def besides_welcome(said: Sequence[Message]) -> list[Message]:
    return [each for each in said if WELCOME not in each.shown]


def kind(said: Sequence[Message]) -> str:
    if len(said) != 1:
        return f"{len(said)} messages"
    return "answered" if LEAVE_SAID in said[0].shown else "busy" if BUSY in said[0].shown else said[0].shown


# Replicas


@contextmanager
def shared(folder: Path, store: str, slack: Slack, *, model_url: str = "") -> Iterator[Settings]:
    """The settings of replicas that share a store of this kind; the documents are read in."""
    with ExitStack() as stack:
        more: dict[str, Any] = {}
        if store != "sqlite":
            (folder / "redis").mkdir()
            url = stack.enter_context(redis_serving(store, folder / "redis")).url
            more = {"redis_url": url, "user_key": "the same for every replica"}
        write_documents(folder)
        configured = settings(folder, slack, model_url=model_url, **more)
        app = synced_app(configured)
        yield configured
        app.close()


def of_threads(slack: Slack, asked: Sequence[Message]) -> Counter[str]:
    """How many threads have one whole answer, and what the others have."""
    said: dict[str, list[Message]] = defaultdict(list)
    for channel in slack.workspace.channels.values():
        for each in channel.messages:
            if each.by_bot and not each.deleted:
                said[each.thread].append(each)
    return Counter(kind(said[question.ts]) for question in asked)


def answers(slack: Slack) -> int:
    """How many answers can be voted on."""
    return len(slack.workspace.finished)


def ask_many(slack: Slack, count: int, *, at_once: int = 60) -> list[Message]:
    """Questions from twenty people, as fast as they are answered, with so many in work."""
    people = [slack.workspace.person(f"P{number}") for number in range(20)]
    asked: list[Message] = []
    before = answers(slack)
    for number in range(count):
        person = people[number % len(people)]
        asked.append(person.tells(f"{QUESTION} {number}"))
        if number % 20 == 19:
            slack.workspace.wait(lambda: len(asked) + before - answers(slack) < at_once, "progress", seconds=120)
    return asked


@pytest.mark.parametrize("store", SHARED)
def test_the_same_event_at_two_replicas_is_answered_once(tmp_path, store):
    with serving() as slack, shared(tmp_path, store, slack) as configured:
        peopled(slack)
        person = slack.workspace.person("Ada")
        with replicas(configured, slack, 2) as both:
            urls, slack.sending.app_urls, slack.sending.retries = slack.sending.app_urls, [], ()
            asked = [person.tells(f"{QUESTION} {number}") for number in range(10)]
            slack.workspace.wait(lambda: slack.sending.is_idle)
            bodies = [json.dumps(each).encode() for each in slack.sending.sent[-10:]]
            slack.sending.app_urls = urls
            statuses: list[int] = []
            threads = [
                threading.Thread(target=lambda url=each.url, body=body: statuses.append(told(slack, url, body)))
                for body in bodies
                for each in both
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            slack.workspace.wait(lambda: of_threads(slack, asked)["answered"] == 10, "ten answers")
        assert statuses == [200] * 20
        assert of_threads(slack, asked) == {"answered": 10}


def told(slack: Slack, url: str, body: bytes) -> int:
    return slack.sending.post(f"{url}/slack/events", body, JSON, {})[0]


@pytest.mark.parametrize("store", SHARED)
def test_redelivered_to_random_replicas_nothing_is_missed_or_repeated(tmp_path, store):
    _redelivered(tmp_path, store, 300 if store == "sqlite" else 100)


@pytest.mark.full
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("store", SHARED)
def test_five_thousand_redelivered_to_random_replicas(tmp_path, store):
    _redelivered(tmp_path, store, 5000)


def _redelivered(folder: Path, store: str, count: int) -> None:
    with serving() as slack, shared(folder, store, slack) as configured:
        slack.sending.redelivered = 0.2
        with replicas(configured, slack, 2, queue_limit=100_000):
            asked = ask_many(slack, count)
            slack.workspace.wait(lambda: slack.sending.is_idle, "all deliveries", seconds=120)
            slack.workspace.wait(lambda: of_threads(slack, asked)["answered"] == count, "all answers", seconds=120)
        again = sum(each.attempt > 0 for each in slack.sending.deliveries if each.kind == "event")
        assert of_threads(slack, asked) == {"answered": count}
        assert again >= count * 0.1


@pytest.mark.parametrize("store", SHARED)
def test_what_experts_say_and_change_is_told_once_by_two_replicas(tmp_path, store):
    """Every event is delivered twice, to replicas drawn by chance."""
    with serving() as slack, shared(tmp_path, store, slack) as configured:
        workspace = slack.workspace
        people, channels = peopled(slack)
        owned = settings(tmp_path, slack, redis_url=configured.redis_url, user_key=configured.user_key)
        slack.sending.redelivered = 1.0
        with replicas(owned, slack, 2):
            asked = [people["Ada"].mentions(QUESTION, channels["general"]) for _ in range(3)]
            for each in asked:
                people["Ada"].clicks(workspace.reply(each), "Ask a person")
            experts = channels["experts"]
            workspace.wait(lambda: len(workspace.visible(experts)) == 3, "requests")
            requests = workspace.visible(experts)
            said = [people["Eve"].writes("Six days, from next year on.", experts, thread=each) for each in requests]
            for each in requests:
                people["Bob"].writes("let me check", experts, thread=each)
            workspace.wait(lambda: len(workspace.visible(experts)) == 9, "a note below each")
            for each in said:
                people["Eve"].edits(each, "Seven days, from next year on.")
            people["Eve"].deletes(said[-1])
            workspace.wait(lambda: shown_in(slack, asked).count("Seven days") == 2, "edits")
            workspace.wait(lambda: shown_in(slack, asked).count("It was withdrawn") == 1, "a withdrawal")
            workspace.wait(lambda: slack.sending.is_idle, "all deliveries")
            time.sleep(0.5)
        threads = [shown_in(slack, [each]) for each in asked]
        assert sorted(each.count("Seven days, from next year on.") for each in threads) == [0, 1, 1]
        assert sorted(each.count("Answered by") for each in threads) == [0, 1, 1]
        assert sorted(each.count("passed this question on") for each in threads) == [0, 0, 1]
        assert "Six days" not in shown_in(slack, asked)
        assert len(workspace.visible(experts)) == 9


def shown_in(slack: Slack, asked: Sequence[Message]) -> str:
    """All that the bot says in these threads."""
    said = [each for one in asked for each in slack.workspace.visible(slack.workspace.channels[one.channel], one)]
    return "\n".join(each.shown for each in said)


@pytest.mark.full
@pytest.mark.timeout(600)
@pytest.mark.parametrize("store", SHARED)
def test_a_replica_killed_in_the_middle_leaves_nothing_unanswered(tmp_path, store):
    with serving() as slack, openai_server.serving() as model:
        model.replies = [openai_server.Reply(numbered(RIGHT), before=0.5, pause=0.02)]
        with shared(tmp_path, store, slack, model_url=model.url) as configured:
            slack.sending.retries = (0.1, 0.5, 1.0, 5.0)
            with replicas(configured, slack, 2, queue_limit=1000) as both:
                asked = ask_many(slack, 60, at_once=60)
                slack.workspace.wait(lambda: answers(slack) > 5, "work under way")
                in_work = 8  # each replica's workers
                both[0].kill()
                slack.workspace.wait(lambda: whole(slack, asked) == len(asked), "all answers", seconds=120)
                time.sleep(1)
        assert whole(slack, asked) == len(asked)
        shown = [len(slack.workspace.visible(slack.workspace.channels[each.channel], each)) for each in asked]
        assert max(shown) <= 2, "more than one message beside the answer"
        assert sum(shown) - len(asked) <= in_work


def whole(slack: Slack, asked: Sequence[Message]) -> int:
    """How many questions have a whole answer."""
    return sum(
        any(
            LEAVE_SAID in each.shown and each.blocks and not each.is_streaming
            for each in slack.workspace.visible(slack.workspace.channels[question.channel], question)
        )
        for question in asked
    )
