"""`footnote index`: the generations of a real index in the state folder, with a stand-in for the embedding alone."""

from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from bot.app import App, bootstrap
from bot.config.settings import Settings, Source
from retrieval.passages import Query
from tests.bot.cli.command_line import footnote, printed_json
from tests.fakes import FakeEmbedder


@pytest.fixture
def app(folder) -> App:
    """An app over one document that is not indexed yet."""
    docs = folder / "docs"
    docs.mkdir()
    (docs / "leave.md").write_text("# Leave\n\nFive days may be carried over.\n", encoding="utf-8")
    return app_in(folder)


def app_in(folder: Path, embedding: str = "fake/64") -> App:
    settings = Settings(home=folder / "state", sources=(Source(name="docs", path=folder / "docs"),))
    return bootstrap(settings, embedder=FakeEmbedder(embedding))


def run_index(app: App, *arguments: str) -> Result:
    return footnote("index", *arguments, bootstrap=lambda _: app)


def generations(app: App) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = printed_json(run_index(app, "list", "--json"))
    return listed


def test_a_rebuild_holds_the_same_and_keeps_the_generation_before(app):
    app.ingestion.sync()
    (first,) = generations(app)
    result = run_index(app, "rebuild", "--json")
    before, now = generations(app)
    assert before == first | {"current": False}
    assert now == printed_json(result)
    assert now == first | {"name": now["name"]}
    assert now["name"] != before["name"]
    assert [hit.passage.document for hit in app.search(Query("carried over")).hits] == ["docs/leave.md"]


def test_a_rollback_brings_back_what_was_there_and_a_sync_what_is_there_now(app, folder):
    app.ingestion.sync()
    run_index(app, "rebuild")
    (folder / "docs" / "travel.md").write_text("# Travel\n\nTrains before planes.\n", encoding="utf-8")
    app.ingestion.sync()
    result = run_index(app, "rollback")
    assert result.exit_code == 0
    assert "run `footnote sync`" in result.stderr
    assert app.search(Query("trains before planes")).hits[0].passage.document == "docs/leave.md"
    assert app.ingestion.sync().added == ["docs/travel.md"]
    assert app.search(Query("trains before planes")).hits[0].passage.document == "docs/travel.md"


def test_a_rollback_can_itself_be_rolled_back(app):
    app.ingestion.sync()
    run_index(app, "rebuild")
    names = [each["name"] for each in generations(app)]
    run_index(app, "rollback")
    assert [each["name"] for each in generations(app) if each["current"]] == names[:1]
    run_index(app, "rollback")
    assert [each["name"] for each in generations(app) if each["current"]] == names[1:]


def test_without_a_kept_generation_a_rollback_says_so(app):
    app.ingestion.sync()
    result = run_index(app, "rollback")
    assert result.exit_code == 1
    assert result.stderr == ("footnote: no other generation of the index is kept; `footnote index rebuild` makes one\n")


def test_a_rollback_to_what_another_model_made_names_the_model_to_set(app, folder):
    app.ingestion.sync()
    other = app_in(folder, "fake/other")
    other.ingestion.sync()
    result = run_index(other, "rollback")
    assert result.exit_code == 1
    assert "'fake/64'" in result.stderr
    assert "set these again, then roll back" in result.stderr
    assert other.search(Query("carried over")).hits


def test_the_list_marks_the_current_one(app):
    app.ingestion.sync()
    run_index(app, "rebuild")
    before, now = run_index(app, "list").stdout.splitlines()
    assert before.startswith("  ")
    assert now.startswith("* ")
    assert now.endswith("1 documents, 1 passages, fake/64")
