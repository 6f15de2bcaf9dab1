"""The check of the chat model: one tiny request, and what ails the model in one line with its mend."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from bot.app import bootstrap
from bot.config.settings import Settings
from bot.services.diagnostics.check import Check
from tests.bot.services.diagnostics.samples import index_of
from tests.servers.openai_server import Reply, Server, serving

KEY = "sk-0123456789abcdef"


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.fixture
def checks(tmp_path):
    """Runs the checks with these settings; gives them by name."""

    def run(**settings: object) -> dict[str, Check]:
        index: Any = index_of()
        app = bootstrap(Settings.model_validate({"home": tmp_path / "home", **settings}), index=index)
        try:
            return {each.check: each for each in app.diagnostics.checks()}
        finally:
            app.close()

    return run


@pytest.fixture
def model(checks, server):
    """Runs the check of a model behind this server."""

    def run(*replies: Reply, timeout: float = 20.0, url: str = "") -> Check:
        server.replies = list(replies)
        found: dict[str, Check] = checks(
            model="openai:small", model_base_url=url or server.url, model_api_key=KEY, model_timeout=timeout
        )
        return found["model"]

    return run


def test_without_a_model_none_is_checked(checks):
    assert "model" not in checks()


def test_a_model_that_replies_is_named_with_its_seconds(model):
    check = model(Reply("Yes."))
    assert (check.ok, check.mend) == (True, "")
    assert re.fullmatch(r"openai:small replies, \d+\.\d s", check.detail)


def test_it_is_sent_one_tiny_request(model, server):
    model(Reply("Yes."))
    (request,) = server.requests
    assert sum(len(message["content"]) for message in request["messages"]) < 100
    assert server.keys == [f"Bearer {KEY}"]


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(Reply("Yes, and", finish="length"), id="cut-short"),
        pytest.param(Reply(""), id="wordless"),
        pytest.param(Reply("Y", finish="content_filter"), id="filtered"),
    ],
)
def test_a_model_that_has_been_reached_is_well_whatever_it_says(model, reply):
    assert model(reply).ok


def test_a_model_that_knows_one_temperature_only_is_well(model):
    assert model(Reply(status=400, error="Unsupported value: 'temperature'"), Reply("Yes.")).ok


NO_ENTRY = ("does not accept the key (status {})", "set `model_api_key` to a key that may use this model")
FAILURES = {
    "wrong-key": (Reply(status=401, error=f"Incorrect API key provided: {KEY}"), NO_ENTRY),
    "forbidden": (Reply(status=403, error=f"{KEY} may not"), NO_ENTRY),
    "unknown": (Reply(status=404), ("is not known there (status 404)", "correct the name in `model`, or `")),
    "busy": (
        Reply(status=429, headers={"Retry-After": "60"}),
        ("takes no more requests at present (status 429)", "wait, or raise the limit of your account"),
    ),
    "not-taken": (Reply(status=400), ("does not take the request (status 400)", "see that `model` names a chat")),
    "failing": (Reply(status=500), ("has a failing server (status 500)", "look at its server's log")),
    "cut-off": (Reply(drop=0), ("cannot be reached", "see that its server runs, that this machine reaches it")),
    "no-chat-server": (Reply(raw=b"<html>hello</html>"), ("cannot be reached", "see that its server runs")),
}


@pytest.mark.parametrize(("reply", "line"), FAILURES.values(), ids=FAILURES)
def test_what_ails_a_model_is_one_line_with_its_mend_and_without_the_key(model, reply, line):
    check = model(reply)
    detail, mend = line
    assert (check.ok, check.detail) == (False, f"openai:small {detail.format(reply.status)}")
    assert check.mend.startswith(mend)
    assert KEY not in f"{check.detail}{check.mend}"


def test_a_model_that_is_silent_is_too_slow(model):
    check = model(Reply(silent=True), Reply(silent=True), timeout=1)
    assert (check.ok, check.detail) == (False, "openai:small is too slow")


def test_a_model_whose_server_is_gone_cannot_be_reached(model):
    with serving() as gone:
        url = gone.url
    check = model(url=url)
    assert (check.ok, check.detail) == (False, "openai:small cannot be reached")


@pytest.mark.parametrize(
    ("model", "detail", "mend"),
    [
        pytest.param(
            "cohere:command",
            "the model 'cohere:command' needs packages that are not installed",
            "pip install 'footnote-bot[chat-models]' langchain-cohere",
            id="package",
        ),
        pytest.param(
            "openai:small",
            "the model 'openai:small' cannot be used",
            "see that its provider is one that LangChain knows, and set `model_api_key` if it wants a key",
            id="key",
        ),
    ],
)
def test_a_model_that_cannot_be_prepared_is_reported_with_what_is_missing(checks, monkeypatch, model, detail, mend):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    assert checks(model=model)["model"] == Check("model", ok=False, detail=detail, mend=mend)
