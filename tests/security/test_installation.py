"""Threat: a workspace that is none of ours installs the app and reads along; strangers fill the store."""

import base64
import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.app import App
from bot.channels.events import Place, message_event
from bot.channels.presentation import NOT_SERVED
from bot.channels.slack.checks import examine
from bot.channels.slack.install.flow import SignedStates
from bot.config.settings import Settings
from bot.errors import BotError
from bot.server.metrics import Metrics
from bot.state.protocol import Event
from bot.state.sqlite.store import SqliteState
from tests.bot.channels.slack.harness import peopled, running, settings
from tests.bot.channels.slack.test_install import get, install, looked_at
from tests.conversations.conversations import LEAVE_SAID
from tests.conversations.harness import synced_app, write_documents
from tests.scripted_app import QUESTION
from tests.servers.redis_servers import eventually
from tests.servers.slack.workspace import Message, Person, Workspace
from tests.servers.slack_server import CLIENT, Slack, serving


def configured(folder: Path, slack: Slack, allowed: Sequence[str], **more: Any) -> Settings:
    given = settings(folder, slack).model_dump() | {"slack_bot_token": None}
    given |= {"slack_client_id": CLIENT[0], "slack_client_secret": CLIENT[1], "slack_allowed_teams": list(allowed)}
    return Settings(**given | more)


@contextmanager
def serving_teams(folder: Path, slack: Slack, *allowed: str) -> Iterator[tuple[App, str]]:
    """An app that these may install, and its public address."""
    write_documents(folder)
    app = synced_app(configured(folder, slack, allowed))
    with running(app, slack) as service:
        assert service.public
        yield app, service.public.url


@pytest.fixture
def slack() -> Iterator[Slack]:
    with serving() as opened:
        peopled(opened)
        yield opened


def kept(app: App) -> list[str]:
    """The keys of all that the state store keeps of Slack, but for finished events."""
    return list(app.state.keys("slack:", now=datetime.now(UTC)))


def is_answered(workspace: Workspace) -> bool:
    return LEAVE_SAID in workspace.reply(workspace.person("Zoe").tells(QUESTION)).shown


def is_ignored(slack: Slack, workspace: Workspace, app: App) -> bool:
    """Whether questions by message, command and button are acknowledged, answered by nobody and not kept."""
    zoe = workspace.person("Zoe")
    channel = workspace.channel("theirs", zoe)
    zoe.tells(QUESTION)
    zoe.opens("home")
    assert zoe.commands("/ask", QUESTION, channel).status == 200
    workspace.wait(lambda: slack.sending.is_idle)
    assert {each.status for each in slack.sending.deliveries} == {200}
    assert app.state.waiting() == 0
    found = [each for place in workspace.channels.values() for each in place.messages if each.by_bot and each.blocks]
    return not found and not zoe.home and not list(app.feedback.exchanges())


@pytest.mark.parametrize("path", ["/slack/install", "/slack/oauth", "/slack/oauth?code=code-T0TWO&state=x"])
def test_where_nobody_is_named_nobody_can_install(tmp_path, slack, path, caplog):
    slack.another("T0TWO", "Two")
    with caplog.at_level(logging.WARNING), serving_teams(tmp_path, slack) as (_, base):
        assert get(base, path)[0] == 404
    (line,) = [each.getMessage() for each in caplog.records if "slack_allowed_teams" in each.getMessage()]
    assert "\n" not in line


def test_doctor_says_that_nobody_is_named(tmp_path, slack):
    wrong = [each for each in looked_at(configured(tmp_path, slack, [])) if not each.ok]
    assert [(each.check, "slack_allowed_teams" in each.detail, bool(each.mend)) for each in wrong] == [
        ("slack installation", True, True)
    ]


def refused_page(slack: Slack, base: str, code: str) -> tuple[int, str]:
    _, page, cookie = get(base, "/slack/install")
    state = re.search(r"state=([\w-]+)", page)
    assert state
    status, body, _ = get(base, f"/slack/oauth?code=code-{code}&state={state.group(1)}", cookie.split(";")[0])
    return status, body


def test_another_workspace_is_told_why_and_nothing_of_it_is_kept(tmp_path, slack):
    other = slack.another("T0BAD", "<b>Bad</b>")
    token = other.token
    with serving_teams(tmp_path, slack, "T0TWO") as (app, base):
        status, page = refused_page(slack, base, "T0BAD")
        assert status == 403
        assert "T0BAD" in page
        assert "slack_allowed_teams" in page
        assert slack.of_token(token) is None, "its token is revoked"
        assert kept(app) == []
        assert is_ignored(slack, other, app)
        home = app.settings.home
    assert [str(path) for path in home.rglob("*") if path.is_file() and token.encode() in path.read_bytes()] == []


def test_it_is_refused_too_where_its_token_cannot_be_revoked(tmp_path, slack):
    slack.another("T0BAD", "Bad")
    slack.troubled("auth.revoke", error="internal_error", times=9)
    with serving_teams(tmp_path, slack, "T0TWO") as (app, base):
        assert refused_page(slack, base, "T0BAD")[0] == 403
        assert kept(app) == []


def test_while_slack_cannot_be_reached_an_installation_ends_in_one_line(tmp_path, slack):
    slack.another("T0TWO", "Two")
    slack.troubled("oauth.v2.access", status=500, error="fatal_error", times=9)
    with serving_teams(tmp_path, slack, "T0TWO") as (app, base):
        status, page = refused_page(slack, base, "T0TWO")
        assert status >= 400
        assert "Traceback" not in page
        assert kept(app) == []


@pytest.mark.parametrize(
    ("allowed", "installs", "is_served"),
    [
        pytest.param("E0ORG", "E0ORG", True, id="organisation"),
        pytest.param("E0ORG", "T0TWO", True, id="team-of-the-organisation"),
        pytest.param("T0TWO", "T0TWO", True, id="team"),
        pytest.param("T0TWO", "E0ORG", False, id="organisation-of-a-team"),
        pytest.param("T0SIX", "E0ORG", False, id="another-organisation"),
    ],
)
@pytest.mark.parametrize("names_team", [False, True])
def test_an_organisation_is_allowed_by_its_id_and_a_team_by_either(
    tmp_path, slack, *, allowed, installs, is_served, names_team
):
    slack.names_team = names_team
    workspace = slack.another("T0TWO", "Two", enterprise="E0ORG")
    with serving_teams(tmp_path, slack, allowed) as (app, base):
        assert install(slack, base, installs) == (200 if is_served else 403)
        if is_served:
            assert is_answered(workspace)
        else:
            assert kept(app) == []


def test_whoever_leaves_the_list_is_served_no_more(tmp_path, slack):
    two, six = slack.another("T0TWO", "Two"), slack.another("T0SIX", "Six")
    with serving_teams(tmp_path, slack, "T0TWO", "T0SIX") as (_, base):
        assert (install(slack, base, "T0TWO"), install(slack, base, "T0SIX")) == (200, 200)
        assert is_answered(two)
        shown = [each for place in two.channels.values() for each in place.messages if each.by_bot and each.buttons]
    slack.sending.deliveries.clear()
    with serving_teams(tmp_path, slack, "T0SIX") as (app, _):
        before = len(list(app.feedback.exchanges()))
        person = two.people[next(iter(two.people))]
        assert person.clicks(shown[-1], "footnote_vote", "positive").status == 200
        two.person("Yan").tells(QUESTION)
        assert is_answered(six)
        two.wait(lambda: slack.sending.is_idle)
        assert len(list(app.feedback.exchanges())) == before + 1
        assert list(app.feedback.records()) == list(app.feedback.exchanges()), "no vote"


@pytest.fixture
def grid(slack) -> Sequence[Workspace]:
    """Two workspaces of one organisation."""
    return [slack.another(team, team, enterprise="E0ORG") for team in ("T0TWO", "T0SIX")]


def test_a_listed_organisation_is_served_in_all_its_workspaces(tmp_path, slack, grid):
    with serving_teams(tmp_path, slack, "E0ORG") as (_, base):
        assert install(slack, base, "E0ORG") == 200
        assert [is_answered(each) for each in grid] == [True, True]


@pytest.mark.parametrize("left", [["T0TWO"], ["T0TWO", "E0ELSE"], ["T0ELSE"]])
def test_of_an_organisation_that_leaves_the_list_the_listed_workspaces_alone_are_served(tmp_path, slack, grid, left):
    with serving_teams(tmp_path, slack, "E0ORG") as (_, base):
        assert install(slack, base, "E0ORG") == 200
        shown = [_answer(each) for each in grid]
    slack.sending.deliveries.clear()
    with serving_teams(tmp_path, slack, *left) as (app, _):
        before = len(list(app.feedback.exchanges()))
        for workspace, answer in zip(grid, shown, strict=True):
            person = workspace.people[next(iter(workspace.people))]
            if workspace.team in left:
                assert is_answered(workspace)
                before += 1
            else:
                is_passed_over(slack, workspace, person, answer)
        assert len(list(app.feedback.exchanges())) == before
        assert list(app.feedback.records()) == list(app.feedback.exchanges()), "no vote"


def test_what_was_accepted_before_is_not_answered_once_its_workspace_has_left_the_list(tmp_path, slack, grid):
    with serving_teams(tmp_path, slack, "E0ORG") as (_, base):
        assert install(slack, base, "E0ORG") == 200
    app = synced_app(configured(tmp_path, slack, ["T0TWO"]))
    (platform,) = app.channels(Metrics())
    for workspace in grid:
        asked = workspace.keep(Message(workspace.person("Zoe").direct.id, workspace.next_ts(), "U0", QUESTION))
        place = Place("slack", "E0ORG", asked.channel, message=asked.ts, kind="direct")
        event = replace(
            message_event("question", place, asked.user, QUESTION),
            organization="E0ORG",
            origin_workspace=workspace.team,
        )
        assert app.state.accept(Event("slack", event.id, datetime.now(UTC), event.to_json(), place.root))
        claim = app.state.claim("worker", lease=timedelta(minutes=5), now=datetime.now(UTC))
        assert claim
        platform.handle(claim)
    platform.stop()
    app.close()
    said = {each.team: [found for place in each.channels.values() for found in place.messages] for each in grid}
    assert [each for each in said["T0TWO"] if each.by_bot and each.thread]
    assert [each for each in said["T0SIX"] if each.by_bot] == []


def is_passed_over(slack: Slack, workspace: Workspace, person: Person, answer: Message) -> None:
    """Nothing is shown, whatever somebody does in a workspace that is not served any more."""
    said = len([each for place in workspace.channels.values() for each in place.messages if each.by_bot])
    person.tells(QUESTION)
    person.opens("home")
    person.opens("messages")
    person.commands("/ask", QUESTION, workspace.channel("theirs", person))
    for action in ("footnote_vote", "Quoted text", "Ask a person"):
        person.clicks(answer, action)
    person.reacts(answer, "+1")
    workspace.wait(lambda: slack.sending.is_idle)
    told = [each for place in workspace.channels.values() for each in place.messages if each.by_bot][said:]
    assert {each.shown for each in told} <= {NOT_SERVED}
    assert (person.home, person.prompts, person.views) == (None, [], [])


def _answer(workspace: Workspace) -> Message:
    return workspace.reply(workspace.person("Yan").tells(QUESTION))


@pytest.mark.parametrize(("listed", "served"), [(["T0TWO"], 1), (["E0ORG"], 2), ([], 2)])
def test_an_organisations_only_token_serves_the_listed_workspaces(tmp_path, slack, grid, listed, served):
    write_documents(tmp_path)
    given = settings(tmp_path, slack).model_dump()
    given |= {"slack_bot_token": slack.deploy("E0ORG"), "slack_allowed_teams": listed}
    app = synced_app(Settings(**given))
    assert [each.check for each in examine(app.settings, lambda: app.state) if not each.ok] == []
    with running(app, slack):
        for workspace in grid[:served]:
            assert is_answered(workspace)
        for workspace in grid[served:]:
            workspace.person("Zoe").tells(QUESTION)
            workspace.wait(lambda: slack.sending.is_idle)
            assert not [each for place in workspace.channels.values() for each in place.messages if each.by_bot]


def test_with_one_token_another_installation_of_the_app_is_not_served(tmp_path, slack):
    """Whoever has the address may install an app; its events come to the same place, signed with the same secret."""
    other = slack.another("T0BAD", "Bad")
    write_documents(tmp_path)
    app = synced_app(Settings(**settings(tmp_path, slack).model_dump()))
    with running(app, slack):
        assert is_ignored(slack, other, app)
        assert is_answered(slack.workspace)


def test_with_one_token_its_workspace_must_be_named_where_any_is(tmp_path, slack):
    write_documents(tmp_path)
    named = Settings(**settings(tmp_path, slack).model_dump() | {"slack_allowed_teams": ["T0ONE"]})
    with running(synced_app(named), slack):
        assert is_answered(slack.workspace)
    other = named.model_copy(update={"slack_allowed_teams": frozenset({"T0TWO"})})
    app = synced_app(other, sync=False)
    with pytest.raises(BotError, match=r"^T0ONE, .* is not among `slack_allowed_teams`"), running(app, slack):
        pass
    assert [each.check for each in looked_at(other) if not each.ok] == ["slack workspace"]


def test_whoever_only_looks_leaves_nothing(tmp_path, slack):
    with serving_teams(tmp_path, slack, "T0TWO") as (app, base):
        for _ in range(20):
            _, page, cookie = get(base, "/slack/install")
            state = re.search(r"state=([\w-]+)", page)
            assert state
            get(base, f"/slack/oauth?code=guessed&state={state.group(1)}", cookie.split(";")[0])
            get(base, f"/slack/oauth?error=access_denied&state={state.group(1)}", cookie.split(";")[0])
        assert kept(app) == []


def test_a_state_installs_once(tmp_path, slack):
    slack.another("T0TWO", "Two")
    slack.another("T0SIX", "Six")
    with serving_teams(tmp_path, slack, "T0TWO", "T0SIX") as (app, base):
        _, page, cookie = get(base, "/slack/install")
        state = re.search(r"state=([\w-]+)", page)
        assert state
        first, second = (
            get(base, f"/slack/oauth?code=code-{team}&state={state.group(1)}", cookie.split(";")[0])[0]
            for team in ("T0TWO", "T0SIX")
        )
        assert (first, second) == (200, 401)
        assert [key for key in kept(app) if "T0SIX" in key] == []


@pytest.fixture
def store(tmp_path) -> Iterator[SqliteState]:
    with closing(SqliteState(tmp_path / "state.db")) as opened:
        yield opened


def test_every_replica_knows_a_state_for_ten_minutes_and_only_with_the_secret(store):
    now = datetime.now(UTC).timestamp()
    one = SignedStates("secret", store, clock=lambda: now)
    state = one.issue()
    assert state != one.issue()
    assert SignedStates("secret", store, clock=lambda: now + 599).consume(state)
    assert not SignedStates("secret", store, clock=lambda: now + 601).consume(state)
    assert not SignedStates("secret", store, clock=lambda: now - 61).consume(state)
    assert not SignedStates("another", store, clock=lambda: now).consume(state)
    assert one.use(state)
    other = SignedStates("secret", store, clock=lambda: now)
    assert (other.use(state), other.consume(state)) == (False, False)
    assert (other.use(f"{state}="), other.consume(f"{state}\n")) == (False, False), "however it is written"


@pytest.mark.parametrize("change", range(0, 75, 7))
def test_a_state_that_was_changed_is_not_ours(store, change):
    states = SignedStates("secret", store)
    state = states.issue()
    data = bytearray(base64.urlsafe_b64decode(f"{state}="))
    data[change % len(data)] ^= 1
    assert not states.consume(base64.urlsafe_b64encode(bytes(data)).decode().rstrip("="))


@pytest.mark.parametrize("state", ["", "x", "=" * 80, "\u00e9" * 20, "A" * 75, "A" * 100_000])
def test_what_is_no_state_is_not_ours(store, state):
    assert not SignedStates("secret", store).consume(state)


@pytest.mark.parametrize(
    "query",
    ["", "?state=", "?code=%00", "?state=%ff&code=%ff", "?error=%3Cscript%3Ealert(1)%3C/script%3E", "?state=a&state=b"],
)
def test_a_malformed_return_is_a_page_without_their_script(tmp_path, slack, query):
    with serving_teams(tmp_path, slack, "T0TWO") as (app, base):
        status, page, _ = get(base, f"/slack/oauth{query}", "slack-app-oauth-state=a")
        assert status < 500
        assert "<script>" not in page
        assert kept(app) == []
        eventually(lambda: get(base, "/slack/install")[0] == 200, "it goes on")
