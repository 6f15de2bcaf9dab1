"""Several workspaces: installed by OAuth, told apart, forgotten when they go; and what doctor says of Slack."""

import http.client
import re
import time
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest

from bot.app import App, bootstrap
from bot.channels.slack.checks import examine
from bot.channels.slack.install.manifest import manifest
from bot.config.settings import Settings
from bot.errors import BotError
from bot.server.metrics import Metrics
from bot.services.diagnostics.check import Check
from tests.bot.channels.slack.harness import peopled, running, settings
from tests.conversations.conversations import LEAVE_SAID
from tests.conversations.harness import synced_app, write_documents
from tests.scripted_app import QUESTION
from tests.servers.redis_servers import serving as redis_serving
from tests.servers.slack.workspace import Workspace
from tests.servers.slack_server import APP_TOKEN, CLIENT, Slack, serving


@contextmanager
def several(folder, *allowed):
    """An app that is installed nowhere yet, and its address."""
    with several_served(folder, *allowed) as (slack, app, service):
        assert service.public
        yield slack, app, service.public.url


@contextmanager
def several_served(folder, *allowed):
    """An app that is installed nowhere yet, and the process that serves it."""
    with serving() as slack:
        peopled(slack)
        write_documents(folder)
        given = settings(folder, slack).model_dump() | {"slack_bot_token": None}
        given |= {
            "slack_client_id": CLIENT[0],
            "slack_client_secret": CLIENT[1],
            "slack_allowed_teams": allowed or ["T0TWO", "T0SIX"],
        }
        app = synced_app(Settings(**given))
        with running(app, slack) as service:
            yield slack, app, service


def get(base: str, path: str, cookie: str = "") -> tuple[int, str, str]:
    parts = urlsplit(base)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=20)
    connection.request("GET", path, headers={"Cookie": cookie} if cookie else {})
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, body, answer.getheader("Set-Cookie", "")


def install(slack: Slack, base: str, team: str) -> int:
    """What an administrator does with a browser."""
    _, page, cookie = get(base, "/slack/install")
    state = re.search(r"state=([\w-]+)", page)
    assert state
    status, _, _ = get(base, f"/slack/oauth?code=code-{team}&state={state.group(1)}", cookie.split(";")[0])
    return status


def test_each_workspace_is_answered_with_its_own_token(tmp_path):
    with several(tmp_path) as (slack, _, base):
        for team in ("T0TWO", "T0SIX"):
            workspace = slack.another(team, team)
            assert install(slack, base, team) == 200
            person = workspace.person("Zoe")
            asked = person.tells(QUESTION)
            assert LEAVE_SAID in workspace.reply(asked).shown
        assert slack.counted()["auth.test"] == 2, "once for each installation, and before no answer"


def test_an_event_is_acknowledged_without_a_word_from_slack(tmp_path):
    """Who the bot is stands in the installation: an acknowledgement waits for no `auth.test`."""
    with several(tmp_path) as (slack, _, base):
        workspace = slack.another("T0TWO", "Two")
        assert install(slack, base, "T0TWO") == 200
        zoe = workspace.person("Zoe")
        with slack.held("auth.test"):
            asked = zoe.tells(QUESTION)
            assert LEAVE_SAID in workspace.reply(asked).shown
        assert {(each.attempt, each.status) for each in slack.sending.deliveries} == {(0, 200)}


def test_with_a_revoked_token_what_people_do_is_still_acknowledged(tmp_path):
    with several(tmp_path) as (slack, app, base):
        workspace = slack.another("T0TWO", "Two")
        assert install(slack, base, "T0TWO") == 200
        zoe = workspace.person("Zoe")
        workspace.token = "another-token"
        zoe.tells(QUESTION)
        assert zoe.commands("/ask", QUESTION, zoe.direct).status == 200
        workspace.wait(lambda: slack.sending.is_idle and app.state.waiting() == 0)
        assert {(each.attempt, each.status) for each in slack.sending.deliveries} == {(0, 200)}


def test_where_it_is_not_installed_nothing_is_said_and_nothing_breaks(tmp_path):
    with several(tmp_path) as (slack, _, base):
        slack.another("T0TWO", "Two").person("Zoe").tells(QUESTION)
        workspace = slack.another("T0SIX", "Six")
        assert install(slack, base, "T0SIX") == 200
        assert LEAVE_SAID in workspace.reply(workspace.person("Yan").tells(QUESTION)).shown
        assert not [
            each for each in slack.workspaces["T0TWO"].channels.values() for each in each.messages if each.by_bot
        ]


def test_a_state_that_we_did_not_give_installs_nothing(tmp_path):
    with several(tmp_path) as (slack, _, base):
        slack.another("T0TWO", "Two")
        _, page, cookie = get(base, "/slack/install")
        assert get(base, "/slack/oauth?code=code-T0TWO&state=forged", cookie.split(";")[0])[0] >= 400
        state = re.search(r"state=([\w-]+)", page)
        assert state
        assert get(base, f"/slack/oauth?code=code-T0TWO&state={state.group(1)}")[0] >= 400  # another browser
        assert "T0TWO" in slack.codes.values()


def test_a_workspace_that_removes_the_app_is_forgotten(tmp_path):
    with several(tmp_path) as (slack, app, base):
        workspace = slack.another("T0TWO", "Two")
        assert install(slack, base, "T0TWO") == 200
        workspace.emit({"type": "app_uninstalled"})
        workspace.wait(lambda: not app.state.keys("slack:installed:", now=datetime.now(UTC)), "that it is forgotten")


def is_answered(workspace: Workspace) -> bool:
    return LEAVE_SAID in workspace.reply(workspace.person("Zoe").tells(QUESTION)).shown


def asks(workspace: Workspace) -> bool:
    """Let somebody ask, and wait a moment."""
    workspace.person("Zoe").tells(QUESTION)
    time.sleep(0.2)
    return True


def installed(app: App) -> list[str]:
    """The installations that are kept."""
    return list(app.state.keys("slack:installed:", now=datetime.now(UTC)))


def test_a_workspace_that_comes_back_is_answered_again(tmp_path):
    with several(tmp_path) as (slack, app, base):
        workspace = slack.another("T0TWO", "Two")
        assert install(slack, base, "T0TWO") == 200
        assert is_answered(workspace)
        slack.uninstall(workspace)
        workspace.wait(lambda: not installed(app), "that it is forgotten")
        asked = len(slack.calls)
        workspace.person("Zoe").tells(QUESTION)
        workspace.wait(lambda: slack.sending.is_idle)
        assert slack.calls[asked:] == [], "no call with the token that was given back"
        assert install(slack, base, "T0TWO") == 200
        assert is_answered(workspace)


def test_an_organisations_token_goes_with_its_last_workspace(tmp_path):
    with several(tmp_path, "E0ORG") as (slack, app, base):
        two, six = (slack.another(team, team, enterprise="E0ORG") for team in ("T0TWO", "T0SIX"))
        assert install(slack, base, "E0ORG") == 200
        assert (is_answered(two), is_answered(six)) == (True, True)
        slack.uninstall(two)
        two.wait(lambda: slack.sending.is_idle and slack.counted()["auth.teams.list"], "that Slack is asked")
        assert is_answered(six)
        slack.uninstall(six)
        six.wait(lambda: not installed(app), "that it is forgotten")
        assert install(slack, base, "E0ORG") == 200
        assert is_answered(six)


@pytest.mark.parametrize(("others", "kept"), [(True, 1), (False, 0)])
def test_where_slack_does_not_tell_who_is_left_those_that_are_served_count(tmp_path, others, kept):
    with several(tmp_path, "E0ORG") as (slack, app, base):
        two, six = (slack.another(team, team, enterprise="E0ORG") for team in ("T0TWO", "T0SIX"))
        assert install(slack, base, "E0ORG") == 200
        assert all(is_answered(each) for each in ((two, six) if others else (two,)))
        slack.troubled("auth.teams.list", error="unknown_method", times=9)
        two.emit({"type": "app_uninstalled"})
        two.wait(lambda: slack.sending.is_idle and slack.counted()["auth.teams.list"], "that Slack is asked")
        two.wait(lambda: len(installed(app)) == kept, "what is kept")


def test_a_whole_organisation_that_removes_the_app_is_forgotten_with_its_workspaces(tmp_path):
    """Such an event names no workspace."""
    with several(tmp_path, "E0ORG") as (slack, app, base):
        workspace = slack.another("T0TWO", "T0TWO", enterprise="E0ORG")
        assert install(slack, base, "E0ORG") == 200
        assert is_answered(workspace)
        envelope = workspace.envelope({"type": "app_uninstalled"}, "Ev1")
        left = {name: value for name, value in envelope.items() if "team" not in name and name != "authorizations"}
        slack.sending.event(left | {"enterprise_id": "E0ORG"})
        workspace.wait(lambda: not installed(app), "that it is forgotten")


@pytest.mark.parametrize(
    ("tokens", "kept"),
    [
        ({"oauth": ["U1"]}, 1),
        ({"oauth": ["U1"], "bot": []}, 1),
        ({"bot": ["UBOTT0TWO"]}, 0),
        ({"oauth": []}, 1),
        ({}, 1),
    ],
)
def test_only_a_revoked_bot_is_forgotten(tmp_path, tokens, kept):
    with several(tmp_path) as (slack, app, base):
        workspace = slack.another("T0TWO", "Two")
        assert install(slack, base, "T0TWO") == 200
        workspace.emit({"type": "tokens_revoked", "tokens": tokens})
        workspace.wait(lambda: slack.sending.is_idle and len(installed(app)) == kept, "what is kept")


def test_word_of_a_removal_that_comes_after_the_next_installation_takes_nothing_away(tmp_path):
    """Slack tells again what nobody acknowledged, minutes later, and in any order (bolt-js#1558)."""
    with several(tmp_path) as (slack, app, base):
        workspace = slack.another("T0TWO", "Two")
        assert install(slack, base, "T0TWO") == 200
        late = workspace.envelope({"type": "app_uninstalled"}, "Ev1")
        slack.sending.event(late | {"event_time": late["event_time"] - 60})
        workspace.wait(lambda: slack.sending.is_idle and slack.counted()["auth.test"] > 1, "that Slack is asked")
        assert is_answered(workspace)
        slack.uninstall(workspace)
        slack.sending.event(late | {"event_time": late["event_time"] - 60})
        workspace.wait(lambda: not installed(app), "that it is forgotten")


def test_a_replica_that_heard_of_no_removal_goes_on_with_no_old_token(tmp_path):
    with serving() as slack, redis_serving("redis-6.2", tmp_path) as redis, ExitStack() as stack:
        peopled(slack)
        write_documents(tmp_path)
        given = settings(tmp_path, slack, redis_url=redis.url, user_key="shared").model_dump() | {
            "slack_bot_token": None
        }
        given |= {"slack_client_id": CLIENT[0], "slack_client_secret": CLIENT[1], "slack_allowed_teams": ["T0TWO"]}
        apps = [synced_app(Settings(**given)) for _ in range(2)]
        one, two = (stack.enter_context(running(app, slack)) for app in apps)
        at_one, at_two = (f"{each.public.url if each.public else ''}" for each in (one, two))
        workspace = slack.another("T0TWO", "Two")
        assert install(slack, at_one, "T0TWO") == 200
        for url in (at_one, at_two):
            slack.sending.app_urls = [f"{url}/slack/events"]
            assert is_answered(workspace)
        slack.uninstall(workspace)
        workspace.wait(lambda: not installed(apps[1]), "that it is forgotten")
        asked = len(slack.calls)
        slack.sending.app_urls = [f"{at_one}/slack/events"]
        workspace.person("Zoe").tells(QUESTION)
        workspace.wait(lambda: slack.sending.is_idle)
        assert slack.calls[asked:] == []
        assert install(slack, at_two, "T0TWO") == 200
        assert is_answered(workspace)


@pytest.mark.parametrize("single", [True, False])
def test_after_one_refusal_a_revoked_token_is_not_used_until_slack_takes_it(tmp_path, single):
    with several(tmp_path) if not single else one_token(tmp_path) as (slack, app, base):
        workspace = slack.workspace if single else slack.another("T0TWO", "Two")
        assert single or install(slack, base, "T0TWO") == 200
        assert is_answered(workspace)
        slack.revoked[workspace.token] = "token_revoked"
        workspace.person("Zoe").tells(QUESTION)
        workspace.wait(lambda: slack.sending.is_idle and app.state.waiting() == 0)
        asked = len(slack.calls)
        workspace.person("Zoe").tells(QUESTION)
        workspace.wait(lambda: slack.sending.is_idle and app.state.waiting() == 0)
        assert {method for method, _ in slack.calls[asked:]} <= {"auth.test"}
        slack.revoked.clear()
        before = len(workspace.finished)
        workspace.wait(lambda: asks(workspace) and len(workspace.finished) > before, "service again")


def test_with_one_token_word_of_its_removal_ends_the_service_until_slack_takes_it(tmp_path):
    with one_token(tmp_path) as (slack, _, _):
        workspace = slack.workspace
        assert is_answered(workspace)
        workspace.emit({"type": "app_uninstalled"})
        assert is_answered(workspace), "no less than before, where Slack takes the token"
        slack.revoked[workspace.token] = "token_revoked"
        workspace.emit({"type": "app_uninstalled"})
        workspace.wait(lambda: ("auth.test", "token_revoked") in slack.refused, "a look at the token")
        time.sleep(0.2)
        asked = len(slack.calls)
        workspace.person("Zoe").tells(QUESTION)
        workspace.wait(lambda: slack.sending.is_idle)
        assert {method for method, _ in slack.calls[asked:]} <= {"auth.test"}


@contextmanager
def one_token(folder):
    """An app with the token of one workspace."""
    with serving() as slack:
        peopled(slack)
        write_documents(folder)
        app = synced_app(settings(folder, slack))
        with running(app, slack):
            yield slack, app, ""


@contextmanager
def alone(folder, **changes):
    with serving() as slack:
        peopled(slack)
        given = settings(folder, slack).model_dump() | changes
        yield slack, Settings(**given)


def looked_at(given: Settings) -> list[Check]:
    """What doctor says of Slack with these settings."""
    with closing(bootstrap(given)) as app:
        return list(examine(given, lambda: app.state))


def started(app: App) -> None:
    for platform in app.channels(Metrics()):
        platform.start(lambda _: "new")


def test_doctor_is_content_with_what_works(tmp_path):
    with alone(tmp_path, slack_app_token=APP_TOKEN) as (_, given):
        assert [(each.check, each.ok) for each in looked_at(given)] == [
            ("slack token", True),
            ("slack socket", True),
            ("slack events", True),
        ]


@pytest.mark.parametrize(
    ("changes", "check", "told"),
    [
        pytest.param({"slack_bot_token": "xoxb-wrong"}, "slack token", "slack_bot_token", id="token"),
        pytest.param({"slack_app_token": "xapp-wrong"}, "slack socket", "slack_app_token", id="app-token"),
        pytest.param({"slack_signing_secret": None}, "slack events", "slack_signing_secret", id="no-way-to-us"),
        pytest.param({"slack_api_url": "http://127.0.0.1:9/"}, "slack token", "reaches", id="unreachable"),
    ],
)
def test_doctor_says_what_is_wrong_and_what_mends_it(tmp_path, changes, check, told):
    with alone(tmp_path, **changes) as (_, given):
        wrong = [each for each in looked_at(given) if not each.ok]
        assert check in [each.check for each in wrong]
        assert any(told in each.mend for each in wrong)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        pytest.param({"slack_signing_secret": None}, "slack_signing_secret", id="no-way-to-us"),
        pytest.param({"slack_bot_token": "xoxb-wrong"}, "slack_bot_token", id="token"),
        pytest.param({"slack_app_token": "xapp-wrong"}, "slack_app_token", id="app-token"),
        pytest.param({"slack_bot_token": None, "slack_client_id": "1.2"}, "slack_client_secret", id="client-secret"),
    ],
)
def test_what_does_not_work_ends_the_start_in_one_line(tmp_path, changes, told):
    with alone(tmp_path, **changes) as (_, given):
        app = bootstrap(given)
        with pytest.raises(BotError, match=told) as caught:
            started(app)
        assert "\n" not in str(caught.value)
        app.close()


def test_the_manifest_lets_it_do_all_that_it_does(tmp_path):
    """With these scopes and events alone, as Slack would give them."""
    with serving() as slack:
        people, channels = peopled(slack)
        slack.workspace.install(manifest(socket=False, several=False))
        write_documents(tmp_path)
        with running(synced_app(settings(tmp_path, slack)), slack):
            for place in ("general", "cellar", "group"):
                assert LEAVE_SAID in slack.workspace.reply(people["Ada"].mentions(QUESTION, channels[place])).shown
            assert LEAVE_SAID in slack.workspace.reply(people["Ada"].tells(QUESTION)).shown
        assert [each for each in slack.refused if "scope" in each[1]] == []
