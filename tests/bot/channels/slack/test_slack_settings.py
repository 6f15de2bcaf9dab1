"""Slack's settings are told apart, fit together, and are shown nowhere."""

import pytest

from bot.config import settings
from bot.errors import SettingsError

pytestmark = pytest.mark.usefixtures("folder")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param({"SLACK_BOT_TOKEN": "xapp-hunter2"}, "SLACK_BOT_TOKEN must be a bot token", id="bot-token"),
        pytest.param({"SLACK_APP_TOKEN": "xoxb-hunter2"}, "SLACK_APP_TOKEN must be an app-level token", id="app-token"),
        pytest.param({"SLACK_CLIENT_SECRET": "hunter2"}, "SLACK_CLIENT_SECRET must be left out, or", id="no-client-id"),
        pytest.param(
            {"SLACK_BOT_TOKEN": "xoxb-hunter2", "SLACK_CLIENT_ID": "1.2"}, "SLACK_CLIENT_ID must be left out", id="both"
        ),
        pytest.param({"SLACK_API_URL": "slack.com"}, "SLACK_API_URL must be an address", id="address"),
        pytest.param({"SLACK_SIGNING_SECRET": " "}, "SLACK_SIGNING_SECRET must be a text", id="empty"),
    ],
)
def test_what_cannot_be_meant_is_reported_in_one_line_without_the_secret(monkeypatch, given, expected):
    for name, value in given.items():
        monkeypatch.setenv(f"FOOTNOTE_{name}", value)
    with pytest.raises(SettingsError) as caught:
        settings.load()
    (problem,) = caught.value.problems
    assert problem.startswith(f"FOOTNOTE_{expected}")
    assert "hunter2" not in problem


def test_tokens_are_shown_nowhere(monkeypatch):
    monkeypatch.setenv("FOOTNOTE_SLACK_BOT_TOKEN", "xoxb-hunter2")
    monkeypatch.setenv("FOOTNOTE_SLACK_SIGNING_SECRET", "hunter2")
    assert "hunter2" not in repr(settings.load()) + settings.load().model_dump_json()
