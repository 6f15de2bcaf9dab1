"""Threat: what is read is not what was listed: links that take the place of files and folders, pipes, odd names."""

import itertools
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from retrieval.parsing.protocol import Skipped
from retrieval.sources.files import list_files, read_file
from retrieval.sources.names import printable
from retrieval.sources.nesting import Inner
from tests.security.sources import SALARY, configure, docs, seen, sync

__all__ = ["docs"]  # a fixture


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder that no source has, with the names that the source has too."""
    (tmp_path / "outside/hr").mkdir(parents=True)
    (tmp_path / "outside/hr/salaries.md").write_text("secret")
    (tmp_path / "outside/leave.md").write_text("secret")
    return tmp_path / "outside"


def replace_file(docs: Path, outside: Path) -> None:
    (docs / "hr/salaries.md").unlink()
    (docs / "hr/salaries.md").symlink_to(outside / "leave.md")


def replace_folder(docs: Path, outside: Path) -> None:
    (docs / "hr").rename(docs / "old")
    (docs / "hr").symlink_to(outside / "hr")


def replace_source(docs: Path, outside: Path) -> None:
    docs.rename(docs.with_name("old"))
    docs.symlink_to(outside)


def replace_source_by_a_folder(docs: Path, outside: Path) -> None:
    docs.rename(docs.with_name("old"))
    outside.rename(docs)


def replace_folder_by_one_inside(docs: Path, _: Path) -> None:
    (docs / "other").mkdir()
    (docs / "other/salaries.md").write_text("secret")
    (docs / "hr").rename(docs / "old")
    (docs / "hr").symlink_to("other")


@pytest.mark.parametrize(
    "change",
    [replace_file, replace_folder, replace_source, replace_source_by_a_folder, replace_folder_by_one_inside],
)
def test_what_is_replaced_after_the_listing_is_not_followed(
    docs: Path, outside: Path, change: Callable[[Path, Path], None]
) -> None:
    (file,) = [file for file in list_files(docs) if file.relative == "hr/salaries.md"]
    assert read_file(file) == SALARY.encode()
    change(docs, outside)
    result = read_file(file)
    assert isinstance(result, Skipped)
    assert result.reason == "unreadable"


def test_a_link_is_read_where_it_led_when_it_was_listed(docs: Path, outside: Path) -> None:
    link = docs / "link.md"
    link.symlink_to("hr/salaries.md")
    (file,) = [file for file in list_files(docs) if file.relative == "link.md"]
    link.unlink()
    link.symlink_to(outside / "leave.md")
    assert read_file(file) == SALARY.encode()
    assert file.url == link.as_uri()


@pytest.mark.parametrize("place", ["file", "folder"])
def test_a_link_whose_target_is_replaced_is_not_followed_further(docs: Path, outside: Path, place: str) -> None:
    (docs / "link.md").symlink_to("hr/salaries.md")
    (file,) = [file for file in list_files(docs) if file.relative == "link.md"]
    (replace_file if place == "file" else replace_folder)(docs, outside)
    assert isinstance(read_file(file), Skipped)


def test_folders_behind_links_inside_the_source_are_followed_for_a_linked_file(docs: Path) -> None:
    """A mounted ConfigMap looks so: `a.md -> ..data/a.md`, `..data -> ..2026`."""
    (docs / "..2026").mkdir()
    (docs / "..2026/a.md").write_text("mounted")
    (docs / "..data").symlink_to("..2026")
    (docs / "a.md").symlink_to("..data/a.md")
    (file,) = [file for file in list_files(docs) if file.relative == "a.md"]
    assert read_file(file) == b"mounted"


def test_a_place_that_becomes_an_inner_source_while_it_is_listed_is_left_out(docs: Path) -> None:
    """Compared by name and by what it is: one of both is enough."""
    gone = Inner("hr", docs / "hr")
    (docs / "hr").rename(docs / "moved")
    listing = list_files(docs, inner=[gone])
    (docs / "moved").rename(docs / "hr")
    assert [file.relative for file in listing] == ["leave.md"]


@pytest.fixture
def deep(tmp_path: Path) -> Iterator[Path]:
    """1,500 folders in each other with a file in the last, removed without recursion afterwards."""
    start = os.getcwd()  # noqa: PTH109 - a path of these folders is too long for most calls
    root = tmp_path / "deep"
    root.mkdir()
    os.chdir(root)
    for _ in range(1500):
        os.mkdir("d")  # noqa: PTH102
        os.chdir("d")
    Path("last.md").write_text("# Last\n\nThe director earns 9000 a month.\n")
    yield root
    os.unlink("last.md")  # noqa: PTH108
    for _ in range(1500):
        os.chdir("..")
        os.rmdir("d")  # noqa: PTH106
    os.chdir(start)


def test_folders_may_lie_in_each_other_a_thousand_times(deep: Path) -> None:
    (deep / "first.md").write_text("first")
    last, first = list_files(deep)
    assert (last.relative, first.relative) == ("d/" * 1500 + "last.md", "first.md")
    assert isinstance(read_file(last), bytes)


def test_a_thousand_folders_do_not_end_a_sync(deep: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (deep / "first.md").write_text(SALARY)
    monkeypatch.chdir(tmp_path)
    configure({"name": "deep", "path": "deep"})
    assert "deep/first.md" in sync()["added"]
    os.chdir("deep/" + "d/" * 1000)
    for _ in range(500):
        os.chdir("d")


def test_pipes_sockets_and_devices_are_named_and_never_opened(docs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(docs / "pipe.md")
    monkeypatch.chdir(docs)  # the address of a socket has few characters
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket.md")
        (docs / "link.md").symlink_to("pipe.md")
        monkeypatch.chdir(docs.parent)
        configure({"name": "docs", "path": "docs"})
        found = {(each["document"], each["reason"], each["detail"]) for each in sync()["skipped"]}
    assert found == {
        ("docs/pipe.md", "unreadable", "it is a named pipe"),
        ("docs/link.md", "unreadable", "it is a named pipe"),
        ("docs/socket.md", "unreadable", "it is a socket"),
    }


def test_a_device_is_named(tmp_path: Path) -> None:
    try:
        os.mknod(tmp_path / "null.md", 0o666 | 0o020000, os.makedev(1, 3))
    except (OSError, AttributeError):
        pytest.skip("this user makes no devices")
    (file,) = list_files(tmp_path)
    assert file.skipped == Skipped("unreadable", "it is a device")


def test_two_names_are_two_documents(docs: Path) -> None:
    for name, amount in ((b"bad\xff.md", "one"), (b"bad%FF.md", "two"), (b"bad%25FF.md", "three")):
        (docs / os.fsdecode(name)).write_text(f"# Bad\n\nThe director has {amount} assistants.\n")
    configure({"name": "docs", "path": "docs"})
    assert {"docs/bad%FF.md", "docs/bad%25FF.md", "docs/bad%2525FF.md"} <= set(sync()["added"])
    assert len(seen("director assistants")) >= 3


def test_no_two_names_are_printed_alike() -> None:
    parts = ["%", "2", "5", "F", "%FF", "%25", "%C3", "%A9", "%E2", "%80", "%A8", "%7F", "é", "\x7f", "\u2028"]
    parts += ["\udcff", "\udcc3", "\udca9", "\udce2", "\udc80", "\udca8"]
    names = {os.fsdecode(os.fsencode("".join(each))) for n in (1, 2, 3) for each in itertools.product(parts, repeat=n)}
    assert len({printable(name) for name in names}) == len(names)


@pytest.mark.parametrize(
    "name", ["leave.md", "My%20leave.md", "caf%C3%A9.md", "100%.md", "50%25.md", "%41.md", "%ff.md"]
)
def test_ordinary_names_are_as_they_were(name: str) -> None:
    assert printable(name) == name
