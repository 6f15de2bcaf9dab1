"""`footnote doctor`: a line for each check, with what mends it, and the status."""

import json
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from bot.app import bootstrap
from retrieval.errors import SearchUnavailable
from tests import ROOT
from tests.bot.cli.command_line import footnote
from tests.bot.services.diagnostics.samples import index_of
from tests.fakes import FakeReader
from tests.servers.openai_server import Reply, serving

KEY = "sk-0123456789abcdef"


class Installed:
    """The metadata of a distribution to which the package belongs that the tests run."""

    version = "1"
    files = ()

    def locate_file(self, name: str) -> Path:
        return Path(ROOT) / name


@pytest.fixture(autouse=True)
def installed(monkeypatch) -> None:
    monkeypatch.setattr(metadata, "distribution", lambda _: Installed())


def doctor(*arguments: str, index: FakeReader | None = None) -> Result:
    found: Any = index or index_of()
    return footnote("doctor", *arguments, bootstrap=partial(bootstrap, index=found))


def test_the_command_prints_a_line_for_each_check():
    result = doctor()
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert lines[-1] == "ok    feedback store: opens"
    assert all(line.startswith("ok    ") for line in lines)


def test_a_note_has_its_mend_below_it_and_ends_with_0():
    result = doctor(index=FakeReader())
    assert result.exit_code == 0
    assert "note  index: 0 documents, 0 passages\n      run `footnote sync FOLDER`\n" in result.stdout


def test_anything_wrong_ends_with_1_and_the_json_is_whole():
    index = index_of()
    index.failure = SearchUnavailable("the index is damaged")
    result = doctor("--json", index=index)
    assert result.exit_code == 1
    rows = json.loads(result.stdout)
    assert all(list(row) == ["check", "ok", "detail", "mend"] for row in rows)
    assert [row["check"] for row in rows if not row["ok"]] == ["index"]


def test_the_command_prints_the_model_s_line_and_nothing_else(monkeypatch):
    with serving() as server:
        monkeypatch.setenv("FOOTNOTE_MODEL", "openai:small")
        monkeypatch.setenv("FOOTNOTE_MODEL_BASE_URL", server.url)
        monkeypatch.setenv("FOOTNOTE_MODEL_API_KEY", KEY)
        server.replies = [Reply(status=401, error=f"Incorrect API key provided: {KEY}")]
        result = doctor()
    assert result.exit_code == 1
    assert result.stdout.splitlines()[-2:] == [
        "FAIL  model: openai:small does not accept the key (status 401)",
        "      set `model_api_key` to a key that may use this model",
    ]
    assert KEY not in result.output


def test_wrong_settings_do_not_keep_the_command_from_saying_so():
    Path("footnote.toml").write_text("nonsense", encoding="utf-8")
    result = doctor()
    assert result.exit_code == 1
    assert "FAIL  settings: footnote.toml is not TOML" in result.stdout
