from datetime import date

import pytest

from retrieval.passages import Metadata
from tests.retrieval.parsing.assertions import parse_text, skip_reason


def test_front_matter_is_metadata_and_not_text() -> None:
    source = (
        "---\ntitle: Leave\nurl: https://x.example/leave\nowner: HR\nreview: 2027-01-31\naudience: [hr, managers]\n"
        "tags: [a]\n---\n\nBody.\n"
    )
    document = parse_text("a.md", source)
    assert document.text == "Body."
    assert document.metadata == Metadata(
        "Leave", "https://x.example/leave", "HR", date(2027, 1, 31), frozenset({"hr", "managers"})
    )


@pytest.mark.parametrize("key", ["superseded_by", "superseded-by", "Superseded_By"])
def test_what_took_a_documents_place_is_read_as_it_was_written(key: str) -> None:
    document = parse_text("a.md", f"---\n{key}: ../new/leave 2025.md\n---\nBody")
    assert document.metadata.superseded_by == "../new/leave 2025.md"
    assert document.text == "Body"


@pytest.mark.parametrize("name", ["a.md", "a.txt"])
@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("audience: hr", {"hr"}),
        ("audience: hr, board", {"hr", "board"}),
        ("Audience: hr", {"hr"}),
        ("audience:\n  - hr\n  - board", {"hr", "board"}),
        ("audience: 'hr'\nreview: 2024-13-45", {"hr"}),
        ("audience: yes", {"yes"}),
    ],
)
def test_an_audience_is_a_name_or_a_list_of_names(name: str, written: str, read: set[str]) -> None:
    assert parse_text(name, f"---\n{written}\n---\nBody").metadata.audience == frozenset(read)


@pytest.mark.parametrize("name", ["a.md", "a.txt"])
@pytest.mark.parametrize(
    "header",
    [
        "---\naudience: {hr: yes}\n---\n",
        "---\naudience:\n---\n",
        "---\naudience: []\n---\n",
        "---\naudience: [hr, [board]]\n---\n",
        "---\naudience: 'hr, '\n---\n",
        "---\ntitle: a: b\naudience: hr\n---\n",
        "---\ntitle: [\naudience: hr\n---\n",
        "---\naudience: hr\naudience: everyone\n---\n",
        "---\ntitle: x\naudience: hr\n\n# No end\n",
        "+++\naudience = 'hr'\n+++\n",
        "\n\ufeff---\naudience: *hr\n---\n",
    ],
)
def test_an_audience_that_cannot_be_understood_is_shown_to_nobody(name: str, header: str) -> None:
    assert skip_reason(name, f"{header}\nSalaries of the board.\n") == "malformed"


@pytest.mark.parametrize("header", ["title: a: b", "title: [", "review: 2024-13-45", "review: [1]", "title: {a: 1}"])
def test_other_broken_front_matter_leaves_the_body(header: str) -> None:
    document = parse_text("a.md", f"---\n{header}\n---\nBody.")
    assert document.text == "Body."
    assert document.metadata == Metadata()


def test_rules_around_a_paragraph_are_no_front_matter() -> None:
    assert parse_text("a.txt", "---\nJust text\n---\nMore").text == "---\nJust text\n---\nMore"


@pytest.mark.parametrize("url", ["javascript:alert(1)", "/leave", "ftp://x/y", "https://x/ y"])
def test_only_web_addresses_are_urls(url: str) -> None:
    assert parse_text("a.md", f'---\nurl: "{url}"\n---\nBody').metadata.url == ""


def test_yaml_tags_build_nothing() -> None:
    document = parse_text("a.md", "---\ntitle: !!python/object/apply:os.system ['true']\n---\nBody")
    assert document.metadata.title == ""
