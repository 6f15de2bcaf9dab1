"""Passages and citations of them, for tests of annotation."""

from bot.answering.answers import Citation
from retrieval.passages import Passage


def passage(document: str, text: str, *, title: str = "", headings: tuple[str, ...] = ()) -> Passage:
    return Passage(
        document, 0, headings, "a", "", text, 0, len(text), "v1", title or document, "", frozenset({"everyone"})
    )


def citation_of(number: int, of: Passage) -> Citation:
    return Citation(number, of.document, of.title, of.section, of.anchor, "", of.text, of.version)
