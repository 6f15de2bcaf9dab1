"""Threat: a file of a restricted source is indexed again under the name of the source around it, for everyone."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.bot.cli.command_line import error_line
from tests.security.sources import HANDBOOK, HR, LEAVE, configure, docs, doctor, run, seen, sync

__all__ = ["docs"]  # a fixture


def assert_salaries_are_hrs() -> None:
    assert seen("what does the director earn, and how many days of leave") == {"handbook/leave.md"}
    assert seen("what does the director earn", "hr") == {"hr/salaries.md", "handbook/leave.md"}


@pytest.mark.parametrize("order", [[HANDBOOK, HR], [HR, HANDBOOK]], ids=["outer-first", "inner-first"])
def test_a_file_in_two_sources_belongs_to_the_inner_one_which_is_named(docs: Path, order: list[dict[str, Any]]) -> None:
    configure(*order)
    for _ in range(2):
        report = sync()
        assert report["notes"] == [
            {
                "document": "handbook/hr",
                "reason": "outside-source",
                "detail": "it belongs to the source 'hr', which lies inside 'handbook'",
            }
        ]
        assert_salaries_are_hrs()


@pytest.mark.parametrize("later", [[], ["--source", "hr"], ["--source", "handbook"], ["docs"], ["docs/hr"]], ids=str)
def test_what_was_indexed_before_the_inner_source_was_configured_is_removed(docs: Path, later: list[str]) -> None:
    configure(HANDBOOK)
    assert sync()["added"] == ["handbook/hr/salaries.md", "handbook/leave.md"]
    configure(HANDBOOK, HR)
    report = sync(*later)
    assert report["deleted"] == ["handbook/hr/salaries.md"]
    assert seen("what does the director earn") == {"handbook/leave.md"}


def test_it_is_removed_even_when_nothing_else_is_left_of_the_outer_source(docs: Path) -> None:
    (docs / "leave.md").unlink()
    configure(HANDBOOK)
    sync()
    configure(HANDBOOK, HR)
    assert sync()["deleted"] == ["handbook/hr/salaries.md"]
    (docs / "hr/salaries.md").unlink()
    assert run("sync").exit_code == 1
    assert seen("what does the director earn") == set()


def through_a_link(docs: Path) -> str:
    (docs.parent / "people").symlink_to(docs / "hr")
    return "people"


def through_dots(_: Path) -> str:
    return "docs/hr/../../docs/hr"


def through_an_absolute_path(docs: Path) -> str:
    return str(docs / "hr")


def through_a_link_to_its_parent(docs: Path) -> str:
    (docs.parent / "mirror").symlink_to(docs)
    return "mirror/hr"


PATHS = [through_a_link, through_dots, through_an_absolute_path, through_a_link_to_its_parent]


@pytest.mark.parametrize("path", PATHS)
def test_a_source_is_inner_by_whatever_path_it_is_given(docs: Path, path: Callable[[Path], str]) -> None:
    configure(HANDBOOK, {**HR, "path": path(docs)})
    sync()
    assert_salaries_are_hrs()


@pytest.mark.parametrize("path", PATHS)
def test_a_source_is_outer_by_whatever_path_it_is_given(docs: Path, path: Callable[[Path], str]) -> None:
    configure({**HANDBOOK, "path": str(Path(path(docs)) / "..") if path is not through_a_link else "docs"}, HR)
    sync()
    assert_salaries_are_hrs()


def test_a_single_file_is_a_source_of_its_own_inside_another(docs: Path) -> None:
    configure(HANDBOOK, {**HR, "path": "docs/hr/salaries.md"})
    (docs / "hr/public.md").write_text(LEAVE)
    sync()
    assert seen("what does the director earn") == {"handbook/leave.md", "handbook/hr/public.md"}
    assert "hr/salaries.md" in seen("what does the director earn", "hr")


@pytest.mark.parametrize("paths", [["docs"], ["."], ["docs", "."]], ids=str)
def test_syncing_a_folder_above_a_configured_source_leaves_its_files_to_it(docs: Path, paths: list[str]) -> None:
    configure(HR)
    sync()
    sync(*paths)
    assert not [document for document in seen("what does the director earn") if "salaries" in document]


def test_syncing_a_folder_above_what_another_configuration_has_indexed_leaves_it_alone(docs: Path) -> None:
    configure(HR)
    sync()
    Path("footnote.toml").unlink()
    assert sync("docs")["notes"][0]["document"] == "docs/hr"
    assert seen("what does the director earn") == {"docs/leave.md"}


def test_a_folder_that_was_synced_by_hand_is_taken_over_by_the_source_that_is_configured_there(docs: Path) -> None:
    sync("docs/hr", "--source", "people")
    configure({**HANDBOOK, "audience": "staff"})
    report = sync()
    assert report["deleted"] == ["people/salaries.md"]
    assert seen("what does the director earn") == set()
    configure({**HANDBOOK, "audience": "staff"}, HR)
    sync()
    assert seen("what does the director earn", "hr") == {"hr/salaries.md"}


def test_a_whole_folder_synced_by_hand_gives_way_to_the_same_folder_when_it_is_configured(docs: Path) -> None:
    sync("docs/hr", "--source", "people")
    configure(HR)
    assert sync()["deleted"] == ["people/salaries.md"]
    assert seen("what does the director earn") == set()


def test_a_link_into_the_inner_source_is_named_and_not_followed(docs: Path) -> None:
    (docs / "open.md").symlink_to("hr/salaries.md")
    configure(HANDBOOK, HR)
    assert sync()["skipped"] == [
        {
            "document": "handbook/open.md",
            "reason": "outside-source",
            "detail": "it is a link into another source inside this one",
        }
    ]
    assert_salaries_are_hrs()


def test_another_name_of_a_file_of_the_inner_source_is_named_and_not_read(docs: Path) -> None:
    (docs / "open.md").hardlink_to(docs / "hr/salaries.md")
    (docs / "also-open.md").hardlink_to(docs / "leave.md")
    configure(HANDBOOK, HR)
    report = sync()
    assert [each["document"] for each in report["skipped"]] == ["handbook/open.md"]
    assert report["added"] == ["handbook/also-open.md", "handbook/leave.md", "hr/salaries.md"]
    assert "handbook/open.md" not in seen("what does the director earn", "hr")


def test_a_source_whose_folder_has_been_changed_in_the_settings_keeps_what_it_had(docs: Path) -> None:
    configure({**HANDBOOK, "path": "elsewhere"})
    (docs.parent / "elsewhere").mkdir()
    (docs.parent / "elsewhere/a.md").write_text(LEAVE)
    sync()
    configure(HANDBOOK, HR)
    refused = run("sync", "--json")
    assert "already stands for" in refused.stderr.splitlines()[-1]
    assert seen("what does the director earn, and how many days of leave") == {"handbook/a.md"}
    assert "hr/salaries.md" in seen("what does the director earn", "hr")


def test_three_sources_in_each_other_have_their_own_files_each(docs: Path) -> None:
    (docs / "hr/board").mkdir()
    (docs / "hr/board/bonus.md").write_text("# Bonus\n\nThe director has a bonus.\n")
    configure(HANDBOOK, HR, {"name": "board", "path": "docs/hr/board", "audience": "board"})
    assert sorted(sync()["added"]) == ["board/bonus.md", "handbook/leave.md", "hr/salaries.md"]


def test_an_inner_source_that_is_missing_is_not_the_outer_ones(docs: Path) -> None:
    configure(HANDBOOK, HR)
    sync()
    (docs / "hr").rename(docs.parent / "away")
    assert run("sync").exit_code == 1
    assert "hr/salaries.md" in seen("what does the director earn", "hr")
    (docs.parent / "away").rename(docs / "hr")
    sync()
    assert_salaries_are_hrs()


def test_an_inner_source_that_has_another_name_on_disk_is_not_the_outer_ones(docs: Path) -> None:
    """Its folder was renamed, and the outer source found its files under the new name, for everyone."""
    configure(HANDBOOK, HR)
    sync()
    (docs / "hr").rename(docs / "people")
    (docs / "leave.md").write_text(f"{LEAVE}\nSix in Leeds.\n")
    refused = run("sync", "--json")
    assert refused.exit_code == 1
    report = json.loads(refused.stdout)
    assert report["changed"] == ["handbook/leave.md"], "what was open before stays fresh"
    assert [each["document"] for each in report["skipped"]] == ["handbook/people/salaries.md"]
    assert "'hr' inside this one, which is missing" in report["skipped"][0]["detail"]
    assert seen("what does the director earn, and how many days of leave") == {"handbook/leave.md"}
    configure(HANDBOOK, {**HR, "path": "docs/people", "name": "people"})
    assert sync()["added"] == ["people/salaries.md"]
    assert seen("what does the director earn, and how many days of leave") == {"handbook/leave.md"}


def test_the_folder_of_an_inner_source_that_is_misspelled_opens_nothing(docs: Path) -> None:
    configure(HANDBOOK, {**HR, "path": "docs/hrr"})
    assert run("sync").exit_code == 1
    assert seen("what does the director earn, and how many days of leave") == set()
    assert run("sync", "docs").exit_code == 0
    assert seen("what does the director earn, and how many days of leave") == set()
    configure(HANDBOOK, HR)
    sync()
    assert_salaries_are_hrs()


def test_an_inner_source_for_everyone_that_is_missing_holds_nobody_up(docs: Path) -> None:
    configure(HANDBOOK, {"name": "news", "path": "docs/news"})
    assert run("sync").exit_code == 1
    assert "handbook/leave.md" in seen("how many days of leave")


@pytest.mark.parametrize("path", ["docs/hr", "docs/../docs/hr", "link"])
def test_two_sources_of_one_folder_are_refused_in_one_line(docs: Path, path: str) -> None:
    (docs.parent / "link").symlink_to(docs / "hr")
    configure(HR, {"name": "open", "path": path})
    assert "'hr' and 'open' are the same" in error_line(run("sync"), 2)


def test_a_folder_is_not_synced_by_hand_under_two_names(docs: Path) -> None:
    sync("docs/hr")
    assert "is indexed already as the source 'hr'" in error_line(run("sync", "docs/hr", "--source", "open"), 2)


@pytest.mark.skipif(os.name == "nt", reason="names are not told apart by case there anyway")
def test_a_name_in_another_case_is_another_folder_where_the_file_system_says_so(docs: Path) -> None:
    (docs / "HR").mkdir(exist_ok=True)
    (docs / "HR/open.md").write_text(LEAVE)
    configure(HANDBOOK, HR)
    sync()
    assert not [document for document in seen("what does the director earn") if "salaries" in document]


def test_doctor_names_what_lies_inside(docs: Path) -> None:
    configure(HANDBOOK, HR)
    assert "inside 'handbook': its files belong to 'hr' alone" in doctor()["source hr"]["detail"]


def test_doctor_refuses_two_sources_of_one_folder(docs: Path) -> None:
    configure(HR, {"name": "open", "path": "docs/../docs/hr"})
    assert doctor()["source hr"]["ok"] is doctor()["source open"]["ok"] is False
