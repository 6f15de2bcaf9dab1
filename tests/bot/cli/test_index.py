"""`footnote index`: the generations of a real index in the state folder, with a stand-in for the embedding alone."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bot.app import App
from bot.cli import main
from bot.cli.output import Invocation
from bot.config.settings import Settings, Source
from bot.services.ingestion import sources
from retrieval.passages import Query
from retrieval.progress import ignore_progress
from retrieval.sync import SyncReport
from tests.fakes import FakeEmbedder


@pytest.fixture
def house(folder):
    docs = folder / "docs"
    docs.mkdir()
    (docs / "leave.md").write_text("# Leave\n\nFive days may be carried over.\n", encoding="utf-8")
    return _house(folder)


def _house(folder: Path, embedding: str = "fake/64") -> App:
    made = App(Settings(home=folder / "state", sources=(Source(name="docs", path=folder / "docs"),)))
    made.__dict__["embedder"] = FakeEmbedder(embedding)  # a cached property takes the value that is there
    return made


def _sync(house: App) -> SyncReport:
    return house.sync(sources(house.settings.sources, ()), allow_empty=False, progress=ignore_progress)


def _run(house: App, *arguments: str) -> Result:
    invocation = Invocation(builder=lambda _: house)
    return CliRunner().invoke(main, ["index", *arguments], obj=invocation)


def _listed(house: App) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = json.loads(_run(house, "list", "--json").stdout)
    return listed


def test_a_rebuild_holds_the_same_and_keeps_the_generation_before(house):
    _sync(house)
    (first,) = _listed(house)
    result = _run(house, "rebuild", "--json")
    assert result.exit_code == 0, result.output
    before, now = _listed(house)
    assert before == first | {"current": False}
    assert now == json.loads(result.stdout)
    assert now == first | {"name": now["name"]}
    assert now["name"] != before["name"]
    assert [hit.passage.document for hit in house.search(Query("carried over")).hits] == ["docs/leave.md"]


def test_a_rollback_brings_back_what_was_there_and_a_sync_what_is_there_now(house, folder):
    _sync(house)
    _run(house, "rebuild")
    (folder / "docs" / "travel.md").write_text("# Travel\n\nTrains before planes.\n", encoding="utf-8")
    _sync(house)
    result = _run(house, "rollback")
    assert result.exit_code == 0
    assert "run `footnote sync`" in result.stderr
    assert house.search(Query("trains before planes")).hits[0].passage.document == "docs/leave.md"
    assert _sync(house).added == ["docs/travel.md"]
    assert house.search(Query("trains before planes")).hits[0].passage.document == "docs/travel.md"


def test_a_rollback_can_itself_be_rolled_back(house):
    _sync(house)
    _run(house, "rebuild")
    names = [each["name"] for each in _listed(house)]
    _run(house, "rollback")
    assert [each["name"] for each in _listed(house) if each["current"]] == names[:1]
    _run(house, "rollback")
    assert [each["name"] for each in _listed(house) if each["current"]] == names[1:]


def test_without_a_kept_generation_a_rollback_says_so(house):
    _sync(house)
    result = _run(house, "rollback")
    assert result.exit_code == 1
    assert result.stderr == ("footnote: no other generation of the index is kept; `footnote index rebuild` makes one\n")


def test_a_rollback_to_what_another_model_made_names_the_model_to_set(house, folder):
    _sync(house)
    other = _house(folder, "fake/other")
    _sync(other)
    result = _run(other, "rollback")
    assert result.exit_code == 1
    assert "'fake/64'" in result.stderr
    assert "set these again, then roll back" in result.stderr
    assert other.search(Query("carried over")).hits


def test_the_list_marks_the_current_one(house):
    _sync(house)
    _run(house, "rebuild")
    before, now = _run(house, "list").stdout.splitlines()
    assert before.startswith("  ")
    assert now.startswith("* ")
    assert now.endswith("1 documents, 1 passages, fake/64")
