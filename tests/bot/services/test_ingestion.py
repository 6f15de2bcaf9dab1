"""What a sync is about: configured sources, paths of the command line, or paths inside a configured source."""

from pathlib import Path

import pytest

from bot.config.settings import Source as Configured
from bot.errors import UsageProblem
from bot.services.ingestion import select_sources
from retrieval.sources.files import Source

HR = frozenset({"hr"})


@pytest.fixture(autouse=True)
def documents(folder) -> None:
    """The working folder holds folders of documents."""
    for name in ("handbook/travel", "hr", "other/handbook"):
        (folder / name).mkdir(parents=True)
    (folder / "handbook" / "leave.md").write_text("# Leave", encoding="utf-8")


@pytest.fixture
def configured(folder) -> list[Configured]:
    return [
        Configured(name="handbook", path=Path("handbook")),
        Configured(name="people", path=Path("hr"), audience=HR, owner="People"),
    ]


def test_without_paths_all_configured_sources_are_meant(folder, configured):
    assert select_sources(configured) == [
        Source("handbook", folder / "handbook"),
        Source("people", folder / "hr", audience=HR, owner="People"),
    ]


def test_a_name_chooses_one_of_them(configured):
    assert [source.name for source in select_sources(configured, name="people")] == ["people"]


def test_a_path_is_a_source_called_like_its_folder(folder):
    assert select_sources([], [Path("hr/")]) == [Source("hr", folder / "hr")]
    assert select_sources([], [Path("hr/../handbook")]) == [Source("handbook", folder / "handbook")]


def test_a_name_calls_a_path_otherwise(folder):
    assert select_sources([], [Path("hr")], name="people") == [Source("people", folder / "hr")]


def test_of_a_single_file_only_that_file_is_compared(folder):
    file = folder / "handbook" / "leave.md"
    assert select_sources([], [Path("handbook/leave.md")]) == [Source("handbook", folder / "handbook", file)]


def test_a_path_in_a_configured_source_keeps_its_name_and_audience(folder, configured):
    assert select_sources(configured, [Path("hr")]) == [Source("people", folder / "hr", audience=HR, owner="People")]
    assert select_sources(configured, [Path("handbook/travel")]) == [
        Source("handbook", folder / "handbook", folder / "handbook" / "travel")
    ]


def test_a_link_into_a_configured_source_keeps_its_audience_too(folder, configured):
    (folder / "open").symlink_to(folder / "hr")
    assert select_sources(configured, [Path("open")]) == [Source("people", folder / "hr", audience=HR, owner="People")]


def test_a_missing_path_is_left_to_the_sync_which_deletes_nothing(folder):
    assert select_sources([], [Path("gone")]) == [Source("gone", folder / "gone")]


@pytest.mark.parametrize(
    ("paths", "name", "problem"),
    [
        pytest.param([], "nobody", "no source is called 'nobody'", id="unknown-name"),
        pytest.param(["other/handbook"], None, "already stands for", id="name-of-a-configured-one"),
        pytest.param(["hr"], "staff", "lies in the source 'people'", id="renamed"),
        pytest.param(["hr", "handbook"], "both", "names one path", id="one-name-for-two"),
        pytest.param(["/"], None, "cannot name a source", id="root"),
    ],
)
def test_what_is_ambiguous_is_refused(configured, paths, name, problem):
    with pytest.raises(UsageProblem, match=problem):
        select_sources(configured, [Path(path) for path in paths], name=name)


def test_two_folders_of_one_name_are_refused():
    with pytest.raises(UsageProblem, match="already stands for"):
        select_sources([], [Path("handbook"), Path("other/handbook")])


def test_nothing_to_sync_is_refused():
    with pytest.raises(UsageProblem, match="nothing to sync"):
        select_sources([])
