"""Several workspaces: installed by OAuth, told apart, forgotten when they go; and what doctor says of Slack."""

import http.client
import re
from contextlib import closing, contextmanager
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
from tests.servers.slack_server import APP_TOKEN, CLIENT, Slack, serving


@contextmanager
def several(folder):
    """An app that is installed nowhere yet, and its address."""
    with several_served(folder) as (slack, app, service):
        assert service.public
        yield slack, app, service.public.url


@contextmanager
def several_served(folder):
    """An app that is installed nowhere yet, and the process that serves it."""
    with serving() as slack:
        peopled(slack)
        write_documents(folder)
        given = settings(folder, slack).model_dump() | {"slack_bot_token": None}
        given |= {
            "slack_client_id": CLIENT[0],
            "slack_client_secret": CLIENT[1],
            "slack_allowed_teams": ["T0TWO", "T0SIX"],
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
        assert "auth.test" not in [method for method, error in slack.refused if error == "invalid_auth"]


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
