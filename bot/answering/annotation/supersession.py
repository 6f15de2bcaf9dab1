"""Documents of which a newer version exists (pure, but for the lookup that it is given)."""

import posixpath
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from bot.answering.annotation.editions import edition_of_path, edition_of_title, newer
from bot.answering.answers import AnswerWarning, Citation
from retrieval.passages import Document, Passage, readable_audiences


@dataclass(frozen=True, slots=True)
class Successor:
    """What took a document's place: by the document's own account, or judged `by_name`; empty for what is not told."""

    document: str = ""
    title: str = ""
    by_name: bool = False


def replaced(
    old: Document, passages: Sequence[Passage], *, groups: frozenset[str], lookup: Callable[[str], Document | None]
) -> Successor | None:
    """What took this document's place by its own account; without a name where these groups may not read it.

    What does not exist and what may not be read are the same to whoever asks. None for a document that names itself.
    """
    readable = readable_audiences(groups)
    for name in _meant(old):
        found = lookup(name)
        if found and found.id == old.id:
            return None
        if found and not readable.isdisjoint(found.audience):
            return Successor(found.id, found.title)
    named = (each for each in passages if each.title.casefold() == old.superseded_by.casefold())
    return next((Successor(each.document, each.title) for each in named if each.document != old.id), Successor())


def _meant(old: Document) -> Iterator[str]:
    """The ids that a document's word on what took its place may stand for."""
    yield posixpath.normpath(posixpath.join(posixpath.dirname(old.id), old.superseded_by))
    yield posixpath.normpath(posixpath.join(old.source, old.superseded_by))
    yield old.superseded_by


def newer_edition(document: str, title: str, passages: Sequence[Passage], *, today: date) -> Passage | None:
    """The newest of these whose document's path or title differs in nothing but a later year, date or version."""
    path, name = edition_of_path(document), edition_of_title(title)
    best: Passage | None = None
    for each in passages:
        if each.document == document:
            continue
        its_path, its_name = edition_of_path(each.document), edition_of_title(each.title)
        if newer(path, its_path, today=today) or newer(name, its_name, today=today):
            path, name, best = its_path, its_name, each
    return best


def asks_for(document: str, title: str, question: str) -> bool:
    """Whether a question names the year of just this edition."""
    days = (edition.day for edition in (edition_of_path(document), edition_of_title(title)))
    return any(f"{day[0]:.0f}" in question for day in days if day)


def superseded(citations: Sequence[Citation], successors: Mapping[str, Successor]) -> list[AnswerWarning]:
    """One caution for each cited document that has one of these successors, in the order of the citations."""
    numbers: dict[str, list[int]] = {}
    for cited in citations:
        numbers.setdefault(cited.document, []).append(cited.number)
    titles = {cited.document: cited.title for cited in citations}
    return [
        AnswerWarning(
            "superseded",
            _text(document, titles[document], successors[document]),
            (*marks, *numbers.get(successors[document].document, ())),
        )
        for document, marks in numbers.items()
        if document in successors
    ]


def _text(document: str, title: str, successor: Successor) -> str:
    old, new = f"«{title}»", f"«{successor.title}»"
    if title == successor.title:
        old, new = (f"{old} ({posixpath.basename(name)})" for name in (document, successor.document))
    if successor.by_name:
        return f"There is a newer version of {old}: {new}."
    return f"{old} has been superseded by {new}." if successor.document else f"{old} is marked as superseded."
