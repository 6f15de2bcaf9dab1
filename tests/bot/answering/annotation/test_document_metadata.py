"""Which metadata of documents is kept between questions."""

from dataclasses import replace

from bot.answering.annotation.document_metadata import DocumentMetadataCache
from retrieval.passages import Document


def document(version: str) -> Document:
    return Document("hr/a.md", "hr", "A", "", version, "Five days.", (), superseded_by="b.md")


def test_a_version_is_read_once_and_a_new_one_again_while_nothing_unknown_is_kept() -> None:
    looked_up: list[str] = []
    current = {"hr/a.md": document("1")}

    def lookup(name: str) -> Document | None:
        looked_up.append(name)
        return current.get(name)

    cached = DocumentMetadataCache(lookup)
    first = cached("hr/a.md", "1")
    assert (first, cached("hr/a.md", "1")) == (replace(current["hr/a.md"], text="", blocks=()), first)
    assert looked_up == ["hr/a.md"]
    current["hr/a.md"] = document("2")
    assert [cached("hr/a.md", "2"), cached("hr/a.md"), cached("hr/b.md", "1"), cached("hr/b.md", "1")] == [
        replace(current["hr/a.md"], text="", blocks=()),
        replace(current["hr/a.md"], text="", blocks=()),
        None,
        None,
    ]
    assert looked_up == ["hr/a.md", "hr/a.md", "hr/a.md", "hr/b.md", "hr/b.md"]
