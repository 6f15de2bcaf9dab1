"""Threat: an unmounted or broken folder is taken for one whose documents were deleted.

The opposite is as bad: documents that nobody may read any more must not stay because the others are lost.
"""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.bot.cli.command_line import printed_json
from tests.security.sources import HANDBOOK, HR, LEAVE, SALARY, configure, docs, run, seen, sync

__all__ = ["docs"]  # a fixture


def without_files(docs: Path) -> None:
    shutil.rmtree(docs)
    docs.mkdir()


def a_placeholder(docs: Path) -> None:
    without_files(docs)
    (docs / "README.txt").write_text("This disk is not mounted.")


def a_dangling_link(docs: Path) -> None:
    without_files(docs)
    (docs / "leave.md").symlink_to("/nowhere/leave.md")


def another_dangling_link(docs: Path) -> None:
    without_files(docs)
    (docs / "other.md").symlink_to("/nowhere/other.md")


def cut_to_nothing(docs: Path) -> None:
    for file in docs.rglob("*.md"):
        file.write_bytes(b"")


def damaged(docs: Path) -> None:
    for file in docs.rglob("*.md"):
        file.write_bytes(bytes(range(32)) * 100)


def links_to_the_outside(docs: Path) -> None:
    shutil.move(docs, docs.with_name("away"))
    docs.mkdir()
    (docs / "leave.md").symlink_to("../away/leave.md")


def of_another_kind(docs: Path) -> None:
    for file in docs.rglob("*.md"):
        file.rename(file.with_suffix(".bak"))


def hidden_files(docs: Path) -> None:
    for file in docs.rglob("*.md"):
        file.rename(file.with_name(f".{file.name}"))


LOSSES = [
    without_files,
    a_placeholder,
    a_dangling_link,
    another_dangling_link,
    cut_to_nothing,
    damaged,
    links_to_the_outside,
    of_another_kind,
    hidden_files,
]


@pytest.mark.parametrize("lose", LOSSES)
def test_a_source_that_has_none_of_its_documents_any_more_keeps_them_until_that_is_meant(
    docs: Path, lose: Callable[[Path], None]
) -> None:
    configure(HANDBOOK)
    sync()
    before = seen("director, leave")
    lose(docs)
    for _ in range(2):
        refused = run("sync", "--json")
        assert refused.exit_code == 1
        assert "nothing was deleted. Say --allow-empty if that is meant" in refused.stderr.splitlines()[-1]
        assert seen("director, leave") == before
    deleted = printed_json(run("sync", "--allow-empty", "--json"))["deleted"]
    kept = {"handbook/leave.md"} if lose is a_dangling_link else set()  # it may be readable tomorrow
    assert set(deleted) == before - kept


def test_documents_that_moved_with_their_folder_are_not_lost(docs: Path) -> None:
    configure(HANDBOOK)
    sync()
    (docs / "2026").mkdir()
    (docs / "leave.md").rename(docs / "2026/leave.md")
    (docs / "hr").rename(docs / "2026/hr")
    assert sorted(sync()["deleted"]) == ["handbook/hr/salaries.md", "handbook/leave.md"]


def test_some_documents_may_go(docs: Path) -> None:
    configure(HANDBOOK)
    sync()
    (docs / "leave.md").write_text(LEAVE + "More.\n")
    (docs / "hr/salaries.md").unlink()
    report = sync()
    assert (report["changed"], report["deleted"]) == (["handbook/leave.md"], ["handbook/hr/salaries.md"])


def test_a_source_whose_files_all_change_is_not_lost(docs: Path) -> None:
    configure(HANDBOOK)
    sync()
    for file in docs.rglob("*.md"):
        file.write_text("# New\n\nThe director earns nothing at all.\n")
    assert len(sync()["changed"]) == 2


@pytest.mark.parametrize("lose", [None, "vanishes", "is-empty"])
def test_what_nobody_may_read_any_more_goes_whatever_becomes_of_the_others(docs: Path, lose: str | None) -> None:
    configure(HANDBOOK)
    sync()
    (docs / "hr/salaries.md").write_text(f"---\naudiance: hr\n---\n{SALARY}")
    if lose == "vanishes":
        (docs / "leave.md").unlink()
    elif lose == "is-empty":
        (docs / "leave.md").write_bytes(b"")
    run("sync")
    assert seen("what does the director earn") == {"handbook/leave.md"}


def test_a_source_of_which_all_is_restricted_is_hidden_at_once(docs: Path) -> None:
    configure(HR | {"audience": "everyone"})
    sync()
    (docs / "hr/salaries.md").write_text(f"---\naudiance: hr\n---\n{SALARY}")
    assert sync()["deleted"] == ["hr/salaries.md"]
    assert seen("what does the director earn") == set()
