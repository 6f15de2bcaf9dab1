"""Threat: a password in an address, or a token, is read in an error message, in `doctor` or in the log."""

import pytest

from bot.app import bootstrap
from bot.config import settings
from bot.config.settings import Settings
from bot.errors import BotError, SettingsError
from retrieval.index.elastic.client import Connection
from tests.bot.cli.command_line import footnote
from tests.bot.conftest import folder  # noqa: F401 - a fixture
from tests.fakes import FakeEmbedder

SECRET = "hunter2"

pytestmark = pytest.mark.usefixtures("folder")

URLS = ("REDIS_URL", "ELASTICSEARCH_URL", "MODEL_BASE_URL", "SLACK_API_URL")
WRONG = (
    f"ftp://ada:{SECRET}@slack.example/api",
    f"ada:{SECRET}@slack.example",
    f"http:/ada:{SECRET}@slack.example",
    f"http://ada:{SECRET}@[slack.example",
    f"http://ada:{SECRET}@slack.example:port/",
    f"http://ada@slack.example:{SECRET}/",
    f"http:// ada:{SECRET}@slack.example",
    f"http://ada:12/{SECRET}@slack.example",
    f"http://ada:12#{SECRET}@slack.example",
    f"http://ada:12?{SECRET}@slack.example/",
    f"{SECRET}",
)


@pytest.mark.parametrize("name", URLS)
@pytest.mark.parametrize("value", WRONG)
def test_a_wrong_address_is_named_by_its_setting_and_not_shown(monkeypatch, name, value):
    monkeypatch.setenv(f"FOOTNOTE_{name}", value)
    monkeypatch.setenv("FOOTNOTE_MODEL", "openai:x")
    with pytest.raises(SettingsError) as caught:
        settings.load()
    (problem,) = caught.value.problems
    assert problem.startswith(f"FOOTNOTE_{name} must be ")
    assert SECRET not in problem


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_a_setting_that_is_called_like_a_secret_is_never_shown(name):
    is_secret = name.endswith(("_url", "_key", "_token", "_secret", "_password"))
    assert bool(settings.SECRET_KEYS.fullmatch(name)) == (is_secret or name == "elasticsearch_cloud_id")


def test_slack_s_address_holds_no_password(monkeypatch):
    monkeypatch.setenv("FOOTNOTE_SLACK_API_URL", f"https://ada:{SECRET}@slack.example/api/")
    with pytest.raises(SettingsError, match=r"SLACK_API_URL must be an address without a name and password") as caught:
        settings.load()
    assert SECRET not in str(caught.value)


UNREACHABLE = {
    "redis_url": f"redis://ada:{SECRET}@127.0.0.1:9/0?x={SECRET}",
    "elasticsearch_url": f"http://ada:{SECRET}@127.0.0.1:9/?x={SECRET}#{SECRET}",
    "model_base_url": f"http://ada:{SECRET}@127.0.0.1:9/v1?x={SECRET}",
}


@pytest.mark.parametrize("name", sorted(UNREACHABLE))
@pytest.mark.parametrize("command", [["ask", "How many?"], ["doctor"], ["report"], ["sync", "docs"]], ids=" ".join)
def test_a_server_that_cannot_be_reached_is_named_without_its_password(tmp_path, monkeypatch, name, command):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "leave.md").write_text("# Leave\n\nYou get 26 days of leave a year.\n", encoding="utf-8")
    monkeypatch.setenv(f"FOOTNOTE_{name.upper()}", UNREACHABLE[name])
    monkeypatch.setenv("FOOTNOTE_USER_KEY", "key")
    if name == "model_base_url":
        monkeypatch.setenv("FOOTNOTE_MODEL", "openai:x")
    result = footnote(*command, bootstrap=lambda given: bootstrap(given, embedder=FakeEmbedder()))
    logged = [each.read_text(encoding="utf-8") for each in tmp_path.rglob("errors.log*")]
    assert SECRET not in "".join([result.output, result.stderr, *logged])
    assert "Traceback" not in result.output


def test_the_place_of_elasticsearch_is_its_address_alone():
    connection = Connection(urls=(UNREACHABLE["elasticsearch_url"],))
    assert connection.place == "http://127.0.0.1:9/"


@pytest.mark.parametrize(
    ("value", "told"), [("X0123456789", "'X0123456789' is none"), ("T01,nobody", "'nobody' is none")]
)
def test_a_wrong_id_of_a_workspace_is_named(monkeypatch, value, told):
    monkeypatch.setenv("FOOTNOTE_SLACK_ALLOWED_TEAMS", value)
    with pytest.raises(SettingsError, match=r"^FOOTNOTE_SLACK_ALLOWED_TEAMS must be a list of ids") as caught:
        settings.load()
    assert told in str(caught.value)


@pytest.mark.parametrize("value", ["T0123,E0123", " T0123 , E0123 ", '["T0123", "E0123"]'])
def test_ids_of_workspaces_are_a_list_or_have_commas_between_them(monkeypatch, value):
    monkeypatch.setenv("FOOTNOTE_SLACK_ALLOWED_TEAMS", value)
    assert settings.load().slack_allowed_teams == {"T0123", "E0123"}


@pytest.mark.parametrize("kind", ["folder", "dangling", "link"])
def test_a_settings_file_that_is_none_is_not_passed_over(tmp_path, kind):
    file = tmp_path / "footnote.toml"
    if kind == "folder":
        file.mkdir()
    else:
        (tmp_path / "elsewhere").mkdir()
        file.symlink_to(tmp_path / ("elsewhere" if kind == "link" else "nowhere"))
    with pytest.raises(BotError, match=r"^footnote\.toml cannot be read"):
        settings.load()
