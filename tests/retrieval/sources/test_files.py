import os
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path

import pytest

from retrieval.errors import SourceUnusable
from retrieval.parsing.protocol import Parsed, Skipped
from retrieval.parsing.registry import parse
from retrieval.passages import EVERYONE, Document
from retrieval.sources.documents import make_document
from retrieval.sources.files import File, Source, list_files, read_file


def reason(file: File) -> str:
    content = read_file(file)
    assert isinstance(content, Skipped)
    return content.reason


def as_document(path: Path, *, source: str = "hr") -> Document:
    (file,) = list_files(path)
    data = read_file(file)
    assert isinstance(data, bytes)
    content = parse(file.relative, data)
    assert isinstance(content, Parsed)
    document = make_document(Source(source, path, owner="Source owner"), file, content, data=data)
    assert isinstance(document, Document)
    return document


def put(path: Path, content: str = "x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def test_every_file_is_listed_in_the_order_of_its_name(tmp_path: Path) -> None:
    for name in ("b/a.md", "b.md", "a/x.txt", "b-1.md", "unknown.bin"):
        put(tmp_path / name)
    names = [file.relative for file in list_files(tmp_path)]
    assert names == sorted(names) == ["a/x.txt", "b-1.md", "b.md", "b/a.md", "unknown.bin"]


@pytest.mark.parametrize("name", [".git/a.md", ".a.md", "~$a.docx", "Thumbs.db", "__MACOSX/a.md", "x/.DS_Store"])
def test_hidden_and_temporary_files_are_left_out(tmp_path: Path, name: str) -> None:
    put(tmp_path / name)
    assert list(list_files(tmp_path)) == []


def test_a_single_file_is_listed_below_its_folder(tmp_path: Path) -> None:
    put(tmp_path / "other.md")
    assert [file.relative for file in list_files(put(tmp_path / "a.md"))] == ["a.md"]


def test_the_fingerprint_changes_with_the_content_even_when_size_and_time_stay(tmp_path: Path) -> None:
    path = put(tmp_path / "a.md", "one")
    os.utime(path, (1, 1))
    (before,) = list_files(tmp_path)
    put(path, "two")
    os.utime(path, (1, 1))
    (after,) = list_files(tmp_path)
    assert before.fingerprint != after.fingerprint
    assert after.modified == datetime.fromtimestamp(1, UTC)


def test_links_are_followed_inside_the_root_only(tmp_path: Path) -> None:
    put(tmp_path / "outside.md")
    put(tmp_path / "root/a.md", "inside")
    put(tmp_path / "root/..data/b.md", "mounted")
    (tmp_path / "root/b.md").symlink_to("..data/b.md")
    (tmp_path / "root/leak.md").symlink_to("../outside.md")
    (tmp_path / "root/leaks").symlink_to("..")
    (tmp_path / "root/loop").symlink_to(".")
    (tmp_path / "root/self.md").symlink_to("self.md")
    (tmp_path / "root/gone.md").symlink_to("nowhere.md")
    found = {file.relative: file for file in list_files(tmp_path / "root")}
    assert set(found) == {"a.md", "b.md", "leak.md", "leaks", "self.md", "gone.md"}
    assert read_file(found["b.md"]) == b"mounted"
    assert reason(found["leak.md"]) == reason(found["leaks"]) == "outside-source"
    assert reason(found["gone.md"]) == reason(found["self.md"]) == "unreadable"


@pytest.mark.parametrize("name", [b"\xff\xfe.md", b"a\nb.md", b"a\x1b[31m.md"])
def test_odd_names_are_printable_and_the_file_is_read(tmp_path: Path, name: bytes) -> None:
    put(tmp_path / os.fsdecode(name), "content")
    (file,) = list_files(tmp_path)
    assert file.relative.isprintable()
    file.relative.encode()
    assert read_file(file) == b"content"


@pytest.mark.parametrize("root", ["missing", "nul\x00"])
def test_a_source_that_cannot_be_listed_is_unusable(tmp_path: Path, root: str) -> None:
    with pytest.raises(SourceUnusable, match="nothing was changed"):
        list(list_files(tmp_path / root))


def test_a_folder_that_cannot_be_listed_makes_the_source_unusable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "a.md")
    put(tmp_path / "locked/b.md")
    open_ = os.open

    def refuse(path: str | Path, flags: int, **options: int) -> int:
        if path == "locked":
            raise PermissionError(13, "Permission denied")
        return open_(path, flags, **options)

    # Folder rights do not stop an administrator, who may be the one to run the tests.
    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(SourceUnusable, match="Permission denied"):
        list(list_files(tmp_path))


def test_a_file_that_vanished_is_unreadable(tmp_path: Path) -> None:
    path = put(tmp_path / "a.md")
    (file,) = list_files(tmp_path)
    path.unlink()
    assert reason(file) == "unreadable"


@pytest.mark.timeout(10)
def test_pipes_and_folders_never_hang_the_reader(tmp_path: Path) -> None:
    path = put(tmp_path / "a.md")
    (file,) = list_files(tmp_path)
    path.unlink()
    os.mkfifo(path)
    (listed,) = list_files(tmp_path)
    assert listed.skipped == Skipped("unreadable", "it is a named pipe")
    assert reason(file) == "unreadable"
    path.unlink()
    path.mkdir()
    assert reason(file) == "unreadable"


def test_a_file_above_the_limit_is_not_read(tmp_path: Path) -> None:
    put(tmp_path / "a.md", "x" * 11)
    (file,) = list_files(tmp_path)
    assert read_file(file, largest=11) == b"x" * 11
    content = read_file(file, largest=10)
    assert isinstance(content, Skipped)
    assert content.reason == "too-large"


def test_a_document_says_where_it_comes_from(tmp_path: Path) -> None:
    path = put(tmp_path / "leave.md", "## Second\n\n# First\n\nText")
    os.utime(path, (86_400, 86_400))
    found = as_document(path)
    assert (found.id, found.source, found.title) == ("hr/leave.md", "hr", "First")
    assert found.url == path.as_uri()
    assert found.version == sha256(path.read_bytes()).hexdigest()
    assert (found.audience, found.owner) == (frozenset({EVERYONE}), "Source owner")
    assert found.modified == datetime(1970, 1, 2, tzinfo=UTC)


def test_relative_links_lead_somewhere_only_when_the_document_has_an_address(tmp_path: Path) -> None:
    body = "[Form](../form.md), [top](#top), [desk](https://desk.example/), [x](//a.example/b)\n"
    named = as_document(put(tmp_path / "a.md", f"---\nurl: https://docs.example/hr/a\n---\n{body}"))
    assert [link.url for link in named.links] == [
        "https://docs.example/form.md",
        "https://docs.example/hr/a#top",
        "https://desk.example/",
        "https://a.example/b",
    ]
    assert [link.url for link in as_document(put(tmp_path / "b.md", body)).links] == ["https://desk.example/"]


def test_what_a_document_says_of_itself_goes_first(tmp_path: Path) -> None:
    header = "---\ntitle: T\nurl: https://x.example/t\nowner: O\nreview: 2027-01-31\naudience: board\n---\n# H\n"
    found = as_document(put(tmp_path / "a.md", header))
    assert (found.title, found.url, found.owner, found.review) == ("T", "https://x.example/t", "O", date(2027, 1, 31))
    assert found.audience == frozenset({"board"})


@pytest.mark.parametrize(
    ("content", "title"), [("### Deep\n\n## Less\n", "Deep"), ("Text", "Travel policy 2"), ("# One\n", "One")]
)
def test_a_title_is_found_for_every_document(tmp_path: Path, content: str, title: str) -> None:
    assert as_document(put(tmp_path / "travel-policy_2.md", content)).title == title
