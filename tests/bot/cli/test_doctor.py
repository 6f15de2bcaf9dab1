"""Doctor tells what is wrong, with what mends it, and goes on."""

import json
import os
import re
import shutil
from contextlib import closing
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from bot.cli import main
from bot.cli.output import Invocation
from bot.config.settings import Source
from bot.errors import BotError
from bot.services.diagnostics import checks
from bot.services.diagnostics.check import Check
from bot.services.diagnostics.checks import examine
from bot.state.protocol import Event
from bot.state.sqlite.store import SqliteState
from feedback.errors import FeedbackUnavailable
from retrieval.errors import EmbeddingUnavailable, SearchUnavailable
from retrieval.passages import Document
from tests.fakes import FakeHouse, FakeIndex
from tests.servers.openai_server import Reply, serving

KEY = "sk-0123456789abcdef"
ENGLISH = "You may carry over five days of leave into the next year when your manager has agreed to it in writing. "
GERMAN = "Resturlaub verfällt am Jahresende, sofern keine schriftliche Zustimmung der Führungskraft vorliegt. "


def held(text: str, number: int = 0) -> tuple[Document, list[Any]]:
    return Document(f"d/{number}.md", "d", "T", "", "v", text, ()), []


def furnished(text: str = ENGLISH * 20) -> FakeHouse:
    return FakeHouse(index=FakeIndex(held(text)))


@pytest.fixture(autouse=True)
def weights(monkeypatch) -> list[str]:
    """The models whose weights were looked at; all are well."""
    seen: list[str] = []

    def verify(name: str) -> str:
        seen.append(name)
        return "verified"

    monkeypatch.setattr("retrieval.embedding.model_files.describe_model", verify)
    return seen


def found(house: FakeHouse | Exception | None = None) -> dict[str, Check]:
    """All findings by what was checked."""

    def build(_: Any) -> Any:
        if isinstance(house, Exception):
            raise house
        return house or furnished()

    return {finding.check: finding for finding in examine(None, build=build)}


def test_all_is_well_with_a_furnished_house(weights):
    findings = found()
    assert list(findings) == [
        *["python", "sqlite", "installation", "settings", "state folder", "embedding model"],
        *["index", "language", "feedback store"],
    ]
    del findings["installation"]  # how the tests are run is not what is tested
    assert [each for each in findings.values() if not each.ok or each.mend] == []
    assert weights == ["all-MiniLM-L6-v2"]


def test_every_finding_that_is_wrong_says_what_mends_it(monkeypatch):
    monkeypatch.setattr(checks, "OLDEST_PYTHON", (99,))
    monkeypatch.setattr(checks, "OLDEST_SQLITE", (99,))
    Path("footnote.toml").write_text('[[sources]]\nname = "a"\npath = "gone"', encoding="utf-8")
    wrong = [each for each in found(SearchUnavailable("the index is locked")).values() if not each.ok]
    assert {"python", "sqlite", "source a", "wiring"} <= {each.check for each in wrong}
    assert [each for each in wrong if not each.mend or not each.detail] == []


def test_another_bot_package_is_noticed(monkeypatch):
    class Stranger:
        version = "1"
        files = ()

        def locate_file(self, name: str) -> str:
            return f"/elsewhere/{name}"

    monkeypatch.setattr(checks, "distribution", lambda _: Stranger())
    finding = checks.installation()
    assert (finding.ok, "is not from footnote-bot" in finding.detail) == (False, True)


def test_a_bot_that_is_not_installed_is_noticed(monkeypatch):
    def distribution(name: str):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(checks, "distribution", distribution)
    finding = checks.installation()
    assert (finding.ok, "is not installed" in finding.detail) == (False, True)


def test_wrong_settings_are_told_one_by_one_and_end_the_examination():
    Path("footnote.toml").write_text('confidence_threshold = 7\nlanguage = "klingon"', encoding="utf-8")
    findings = list(examine(None, build=lambda _: pytest.fail("nothing is built from wrong settings")))
    wrong = [each.detail for each in findings if each.check == "settings"]
    assert {detail.split()[1] for detail in wrong} == {"confidence_threshold", "language"}
    assert findings[-1].check == "settings"


def test_a_state_folder_that_cannot_be_written_is_wrong(tmp_path):
    (tmp_path / "file").touch()
    finding = checks.state_folder(tmp_path / "file" / "home")
    assert (finding.ok, "cannot be written" in finding.detail) == (False, True)


def test_a_state_folder_that_is_not_there_yet_is_not_made(tmp_path):
    assert checks.state_folder(tmp_path / "a" / "b").ok
    assert list(tmp_path.iterdir()) == []


def test_a_nearly_full_disk_is_wrong(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1_000_000))
    finding = checks.state_folder(tmp_path)
    assert (finding.ok, "0.0 GB free" in finding.detail) == (False, True)


@pytest.mark.parametrize(
    ("make", "ok", "mended"),
    [
        pytest.param(lambda path: None, False, True, id="missing"),
        pytest.param(lambda path: path.mkdir(), True, True, id="empty"),
        pytest.param(lambda path: path.write_text("a", encoding="utf-8"), True, False, id="file"),
        pytest.param(lambda path: (path.mkdir(), (path / "a.md").touch()), True, False, id="folder"),
    ],
)
def test_each_source_is_looked_at(tmp_path, make, ok, mended):
    make(tmp_path / "docs")
    finding = checks.source_folder(Source(name="hr", path=tmp_path / "docs"))
    assert (finding.check, finding.ok, bool(finding.mend)) == ("source hr", ok, mended)


def test_a_source_that_may_not_be_read_is_wrong(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)
    finding = checks.source_folder(Source(name="hr", path=tmp_path))
    assert (finding.ok, "cannot be read" in finding.detail) == (False, True)


def test_wrong_weights_are_told_with_their_own_words(monkeypatch):
    def verify(name: str) -> str:
        raise EmbeddingUnavailable(f"the weights of {name} are not the official ones")

    monkeypatch.setattr("retrieval.embedding.model_files.describe_model", verify)
    finding = found()["embedding model"]
    assert (finding.ok, finding.detail) == (False, "the weights of all-MiniLM-L6-v2 are not the official ones")


@pytest.mark.parametrize(
    ("brought", "ok", "words"),
    [
        ('{"dense": 0.6, "dense_follow_up": 0.7}', True, "its vectors count 60%, 70% for a follow-up"),
        ('{"dense": 6}', False, "each from 0 to 1, and nothing else: mend or delete it"),
    ],
)
def test_what_a_model_brings_along_for_ranking_is_told(brought, ok, words, tmp_path):
    (tmp_path / "ranking.json").write_text(brought, "utf-8")
    finding = checks.embedding(str(tmp_path))
    assert finding.ok == ok
    assert finding.detail.endswith(words)


@pytest.mark.parametrize("error", [BotError("no"), SearchUnavailable("no"), FeedbackUnavailable("no")])
def test_a_house_that_cannot_be_built_is_told_and_ends_the_examination(error):
    findings = found(error)
    assert list(findings)[-1] == "wiring"
    assert (findings["wiring"].ok, findings["wiring"].detail) == (False, "no")


def test_an_empty_index_is_a_note():
    findings = found(FakeHouse())
    assert findings["index"] == Check(
        "index", ok=True, detail="0 documents, 0 passages", mend="run `footnote sync FOLDER`"
    )
    assert "language" not in findings


def test_an_index_that_cannot_be_read_is_wrong():
    house = furnished()
    house.index.reader.failure = SearchUnavailable("the index is damaged")
    assert (found(house)["index"].ok, found(house)["index"].detail) == (False, "the index is damaged")


@pytest.mark.parametrize(
    ("text", "noted"),
    [
        pytest.param(ENGLISH * 20, False, id="english"),
        pytest.param(GERMAN * 30, True, id="german"),
        pytest.param(GERMAN, False, id="too-little-to-tell"),
    ],
)
def test_documents_in_another_language_are_a_note(text, noted):
    finding = found(furnished(text))["language"]
    assert (finding.ok, bool(finding.mend)) == (True, noted)


def test_a_feedback_store_that_cannot_be_opened_is_wrong():
    house = furnished()
    house.feedback_failure = FeedbackUnavailable("the feedback file cannot be used")
    finding = found(house)["feedback store"]
    assert (finding.ok, finding.detail) == (False, "the feedback file cannot be used")


def test_the_store_of_what_waits_is_looked_at_where_a_platform_is_set_up(monkeypatch, tmp_path):
    monkeypatch.setattr(checks, "slack", lambda _: iter(()))
    monkeypatch.setenv("FOOTNOTE_SLACK_BOT_TOKEN", "xoxb-1-2")
    monkeypatch.setenv("FOOTNOTE_SLACK_APP_TOKEN", "xapp-1-2")
    house = furnished()
    house.state = SqliteState(tmp_path / "state.db")
    with closing(house.state):
        house.state.accept(Event("slack", "Ev1", datetime.now(UTC), "{}"))
        assert found(house)["state store"] == Check("state store", ok=True, detail="opens, questions that wait: 1")
    finding = found(house)["state store"]  # it is closed by now
    assert (finding.ok, finding.mend) == (False, checks.FOLDER)


@pytest.fixture
def server(monkeypatch):
    """A model's server on loopback that the settings name."""
    with serving() as server:
        monkeypatch.setenv("FOOTNOTE_MODEL", "openai:small")
        monkeypatch.setenv("FOOTNOTE_MODEL_BASE_URL", server.url)
        monkeypatch.setenv("FOOTNOTE_MODEL_API_KEY", KEY)
        monkeypatch.setenv("FOOTNOTE_MODEL_TIMEOUT", "20")
        yield server


def test_without_a_model_none_is_looked_at():
    assert "model" not in found()


def test_a_model_that_replies_is_named_with_its_seconds(server):
    server.replies = [Reply("Yes.")]
    finding = found()["model"]
    assert (finding.ok, finding.mend) == (True, "")
    assert re.fullmatch(r"openai:small replies, \d+\.\d s", finding.detail)


def test_it_is_sent_one_tiny_request(server):
    server.replies = [Reply("Yes.")]
    found()
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
def test_a_model_that_has_been_reached_is_well_whatever_it_says(server, reply):
    server.replies = [reply]
    assert found()["model"].ok


def test_a_model_that_knows_one_temperature_only_is_well(server):
    server.replies = [Reply(status=400, error="Unsupported value: 'temperature'"), Reply("Yes.")]
    assert found()["model"].ok


NO_ENTRY = ("does not accept the key (status {})", "set `model_api_key` to a key that may use this model")
SICK = {
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


@pytest.mark.parametrize(("reply", "told"), SICK.values(), ids=SICK)
def test_what_ails_a_model_is_one_line_with_its_mend_and_without_the_key(server, reply, told):
    server.replies = [reply]
    finding = found()["model"]
    detail, mend = told
    assert (finding.ok, finding.detail) == (False, f"openai:small {detail.format(reply.status)}")
    assert finding.mend.startswith(mend)
    assert KEY not in f"{finding.detail}{finding.mend}"


def test_a_model_that_is_silent_is_too_slow(server, monkeypatch):
    monkeypatch.setenv("FOOTNOTE_MODEL_TIMEOUT", "1")
    server.replies = [Reply(silent=True)]
    assert (found()["model"].ok, found()["model"].detail) == (False, "openai:small is too slow")


def test_a_model_whose_server_is_gone_cannot_be_reached(monkeypatch):
    with serving() as server:
        url = server.url
    monkeypatch.setenv("FOOTNOTE_MODEL", "openai:small")
    monkeypatch.setenv("FOOTNOTE_MODEL_BASE_URL", url)
    assert (found()["model"].ok, found()["model"].detail) == (False, "openai:small cannot be reached")


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
def test_a_model_that_cannot_be_prepared_is_told_with_what_is_missing(monkeypatch, model, detail, mend):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setenv("FOOTNOTE_MODEL", model)
    assert found()["model"] == Check("model", ok=False, detail=detail, mend=mend)


@pytest.mark.usefixtures("installed")
def test_the_command_prints_the_model_s_line_and_nothing_else(server):
    server.replies = [Reply(status=401, error=f"Incorrect API key provided: {KEY}")]
    result = run()
    assert result.exit_code == 1
    assert result.stdout.splitlines()[-2:] == [
        "FAIL  model: openai:small does not accept the key (status 401)",
        "      set `model_api_key` to a key that may use this model",
    ]
    assert KEY not in result.output


def run(*arguments: str, house: FakeHouse | None = None):
    builder: Any = lambda _: house or furnished()  # noqa: E731 - typed as the house that it stands for
    return CliRunner().invoke(main, ["doctor", *arguments], obj=Invocation(builder=builder), prog_name="footnote")


@pytest.fixture
def installed(monkeypatch) -> None:
    """As if the tests ran from an installed distribution."""
    well = Check("installation", ok=True, detail="here")
    monkeypatch.setattr(checks, "installation", lambda: well)


@pytest.mark.usefixtures("installed")
def test_the_command_prints_a_line_for_each_check():
    result = run()
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert lines[-1] == "ok    feedback store: opens"
    assert all(line.startswith("ok    ") for line in lines)


@pytest.mark.usefixtures("installed")
def test_a_note_has_its_mend_below_it_and_ends_with_0():
    result = run(house=FakeHouse())
    assert result.exit_code == 0
    assert "note  index: 0 documents, 0 passages\n      run `footnote sync FOLDER`\n" in result.stdout


@pytest.mark.usefixtures("installed")
def test_anything_wrong_ends_with_1_and_the_json_is_whole():
    house = furnished()
    house.index.reader.failure = SearchUnavailable("the index is damaged")
    result = run("--json", house=house)
    assert result.exit_code == 1
    rows = json.loads(result.stdout)
    assert all(list(row) == ["check", "ok", "detail", "mend"] for row in rows)
    assert [row["check"] for row in rows if not row["ok"]] == ["index"]


def test_wrong_settings_do_not_keep_the_command_from_telling():
    Path("footnote.toml").write_text("nonsense", encoding="utf-8")
    result = run()
    assert result.exit_code == 1
    assert "FAIL  settings: footnote.toml is not TOML" in result.stdout
