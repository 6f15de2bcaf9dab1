"""The manifest asks for exactly what the code uses."""

import ast
import json
import re
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from bot.channels.slack import listeners
from bot.channels.slack.directory_events import LISTENERS
from bot.channels.slack.install import scopes
from bot.channels.slack.install.manifest import manifest
from bot.cli import main

CODE = Path(listeners.__file__).parent


def called() -> set[str]:
    """Every method of the Web API that stands in the code as a text."""
    found = set()
    for path in CODE.rglob("*.py"):
        if path.name != "scopes.py":
            texts = (
                node.value for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Constant)
            )
            found |= {text for text in texts if isinstance(text, str) and re.fullmatch(r"[a-z]+(?:\.[a-zA-Z]+)+", text)}
    return {
        text
        for text in found
        if text.split(".")[0]
        in {
            "agents",
            "chat",
            "views",
            "users",
            "usergroups",
            "conversations",
            "assistant",
            "auth",
            "reactions",
            "files",
        }
    }


def test_the_table_of_scopes_holds_exactly_the_methods_that_are_called():
    assert called() == set(scopes.METHODS)


def test_the_manifest_subscribes_to_exactly_the_events_that_are_listened_to():
    listened = set(
        re.findall(
            r'"((?:agent|app|message|reaction|member|tokens)[a-z_]*)"', (CODE / "listeners.py").read_text("utf-8")
        )
    )
    listened = (listened | LISTENERS.keys()) - {"message_ts", "messages", "tokens"}
    told = set(manifest(socket=True, several=False)["settings"]["event_subscriptions"]["bot_events"])
    assert {name.partition(".")[0] for name in told} == listened


def test_every_scope_is_for_something_and_none_is_missing():
    needed = {scope for table in (scopes.METHODS, scopes.EVENTS) for several in table.values() for scope in several}
    assert set(manifest(socket=True, several=False)["oauth_config"]["scopes"]["bot"]) == needed | {"commands"}


def test_socket_mode_has_no_addresses_and_http_has_all():
    by_socket = json.dumps(manifest(socket=True, several=False))
    assert "https://" not in by_socket
    by_http = manifest(socket=False, several=True, address="https://bot.example.com/")
    assert by_http["settings"]["event_subscriptions"]["request_url"] == "https://bot.example.com/slack/events"
    assert by_http["settings"]["interactivity"]["request_url"] == "https://bot.example.com/slack/events"
    assert by_http["features"]["slash_commands"][0]["url"] == "https://bot.example.com/slack/events"
    assert by_http["oauth_config"]["redirect_urls"] == ["https://bot.example.com/slack/oauth"]


def test_limits_of_the_manifest_are_kept():
    made = manifest(socket=True, several=False)
    assert len(made["features"]["agent_view"]["agent_description"]) <= 300
    assert len(made["display_information"]["description"]) <= 140
    assert len(made["display_information"]["name"]) <= 35


@pytest.mark.parametrize(
    ("variables", "arguments", "socket"),
    [
        pytest.param({}, [], True, id="nothing-configured"),
        pytest.param(
            {"FOOTNOTE_SLACK_BOT_TOKEN": "xoxb-1", "FOOTNOTE_SLACK_APP_TOKEN": "xapp-1"}, [], True, id="socket"
        ),
        pytest.param(
            {"FOOTNOTE_SLACK_BOT_TOKEN": "xoxb-1", "FOOTNOTE_SLACK_SIGNING_SECRET": "s"}, [], False, id="http"
        ),
        pytest.param({}, ["--url", "https://bot.example.com"], False, id="url"),
    ],
)
def test_the_command_prints_the_manifest_that_fits(tmp_path, monkeypatch, variables, arguments, socket):
    monkeypatch.chdir(tmp_path)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    printed = CliRunner().invoke(main, ["slack", "manifest", *arguments])
    assert printed.exit_code == 0, printed.output
    assert yaml.safe_load(printed.stdout)["settings"]["socket_mode_enabled"] is socket
    as_json = CliRunner().invoke(main, ["slack", "manifest", *arguments, "--json"])
    assert json.loads(as_json.stdout) == yaml.safe_load(printed.stdout)


def test_an_address_that_slack_would_not_call_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    refused = CliRunner().invoke(main, ["slack", "manifest", "--url", "http://bot.example.com"])
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "https://" in refused.stderr
