"""`footnote show`: what was parsed, with spans that slice back to it."""

import json
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from bot.app import bootstrap
from tests.bot.cli.command_line import error_line, footnote
from tests.bot.cli.conftest import Run
from tests.bot.cli.samples import TEXT, document, passages
from tests.fakes import FakeReader


@pytest.fixture
def run() -> Run:
    """Runs `footnote` over an index of one document, of which an older version is kept."""
    held = document()
    reader = FakeReader((held, passages(held)), older=[document("Leave\nFour days.", version="v1")])
    index: Any = SimpleNamespace(reader=reader)
    return partial(footnote, bootstrap=partial(bootstrap, index=index))


def test_the_json_holds_the_text_and_sections_that_slice_back_to_it(run):
    result = run("show", "handbook/leave.md", "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    shown = json.loads(result.stdout)
    sections = shown.pop("sections")
    assert shown == {
        "document": "handbook/leave.md",
        "title": "Leave",
        "url": "https://example.com/leave",
        "version": "v2",
        "audience": ["everyone", "hr"],
        "owner": "People",
        "review": "2026-01-02",
        "text": TEXT,
    }
    assert [(each["section"], each["anchor"]) for each in sections] == [
        ("Leave > Carry-over", "carry"),
        ("Leave > Illness", "ill"),
    ]
    spans = [TEXT[each["start"] : each["end"]] for each in sections]
    assert spans == ["Five days may be carried over.", "Call before ten."]


def test_people_see_the_same_text_and_spans(run):
    shown = run("show", "handbook/leave.md").stdout
    assert f"\n\n{TEXT}\n\n" in shown
    assert "version   v2" in shown
    assert "6-36  #carry  Leave › Carry-over" in shown


def test_the_current_version_may_be_named(run):
    result = run("show", "handbook/leave.md", "--version", "v2", "--json")
    assert len(json.loads(result.stdout)["sections"]) == 2


def test_an_older_version_has_its_own_text_and_no_sections_of_the_current_one(run):
    shown = json.loads(run("show", "handbook/leave.md", "--version", "v1", "--json").stdout)
    assert (shown["version"], shown["text"], shown["sections"]) == ("v1", "Leave\nFour days.", [])


def test_a_version_that_is_not_kept_is_refused_with_the_current_one(run):
    line = error_line(run("show", "handbook/leave.md", "--version", "v0"), 1)
    assert line == "version 'v0' of 'handbook/leave.md' is not kept; the current one is 'v2'"


def test_a_mistyped_document_gets_a_suggestion(run):
    assert "did you mean 'handbook/leave.md'?" in error_line(run("show", "handbook/leaves.md"), 1)


def test_an_unknown_document_is_refused_with_how_documents_are_named(run):
    assert "SOURCE/PATH" in error_line(run("show", "nothing"), 1)


def test_a_document_must_be_named(run):
    assert run("show").exit_code == 2


def test_readers_of_a_group_see_what_they_may_read_and_learn_nothing_of_the_rest(run):
    assert "Five days" in run("show", "handbook/leave.md", "--group", "hr").stdout
    unreadable = "no document {!r} is indexed that these groups may read"
    for arguments in (
        ["handbook/leave.md", "--group", "public"],
        ["handbook/leave.md", "--version", "v1", "--group", "hr"],  # nobody knows who might read that
        ["handbook/leaves.md", "--group", "public"],
    ):
        assert error_line(run("show", *arguments), 1) == unreadable.format(arguments[0])
