"""Finds out which of the retrieved documents have been replaced, and by what."""

import logging
import posixpath
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from bot.answering.annotation.document_metadata import DocumentMetadataCache
from bot.answering.annotation.editions import edition_of_path, edition_of_title, is_newer
from bot.answering.answers import AnswerWarning, Citation
from retrieval.errors import RetrievalError
from retrieval.passages import Document, Hit, Passage, Query, readable_audiences

logger = logging.getLogger(__name__)

# What a section's score loses when its document has been replaced by another one that was found too.
SUPERSEDED_COST = 0.4


@dataclass(frozen=True, slots=True)
class Successor:
    """What replaced a document: as the document itself says, or as its name does (`by_name`).

    Empty where the asker may not learn what it is.
    """

    document: str = ""
    title: str = ""
    by_name: bool = False


class SupersessionResolver:
    """Resolves the successors of documents for one query and what it retrieved; each document is looked up once.

    `ordered_hits` are the hits with those of a document that another of them replaces further down. A document that
    cannot be looked up counts as unknown: the answer stands without it.
    """

    def __init__(self, query: Query, hits: Sequence[Hit], *, documents: DocumentMetadataCache, today: date) -> None:
        self._groups = query.groups
        self._asked = conversation_text(query)
        self._passages = [hit.passage for hit in hits]
        self._versions = {passage.document: passage.version for passage in self._passages}
        self._documents = documents
        self._today = today
        self._looked_up: dict[str, Document | None] = {}
        self.ordered_hits = self._order(hits)
        self._passages = [hit.passage for hit in self.ordered_hits]

    def _order(self, hits: Sequence[Hit]) -> tuple[Hit, ...]:
        found = {hit.passage.document for hit in hits}
        old = {name for name in found if (successor := self.successor(name)) and successor.document in found}
        if not old:
            return tuple(hits)
        lowered = [replace(hit, score=hit.score - SUPERSEDED_COST * (hit.passage.document in old)) for hit in hits]
        return tuple(sorted(lowered, key=lambda hit: -hit.score))

    def successor(self, document: str) -> Successor | None:
        """Return what replaced a document, by its own account or by its name; None for a current one.

        By name nothing replaces an edition that the question names.
        """
        known = self.document(document)
        if known and known.superseded_by:
            return named_successor(known, self._passages, groups=self._groups, lookup=self.document)
        passage = next((each for each in self._passages if each.document == document), None)
        if passage is None or names_edition(document, passage.title, self._asked):
            return None
        newer = newest_edition(document, passage.title, self._passages, today=self._today)
        return Successor(newer.document, newer.title, by_name=True) if newer else None

    def is_replaced_by(self, one: str, other: str) -> bool:
        """Whether the second document replaced the first."""
        successor = self.successor(one) if one != other else None
        return successor is not None and successor.document == other

    def may_conflict(self, one: str, other: str) -> bool:
        """Whether a difference between two of the retrieved documents means something.

        It does within one document, and where neither is out of date or the second replaced the first.
        """
        if one == other:
            return True
        successor = self.successor(one)
        if successor:
            return successor.document == other
        return self.successor(other) is None and not self._are_editions(one, other)

    def document(self, name: str) -> Document | None:
        """Return the document with this id, without its text; None for one that is unknown or cannot be read."""
        if name not in self._looked_up:
            try:
                self._looked_up[name] = self._documents(name, self._versions.get(name, ""))
            except RetrievalError as error:
                # The answer stands without it, and part of it has been shown.
                logger.warning("a document could not be looked up: %s", error)
                self._looked_up[name] = None
        return self._looked_up[name]

    def _are_editions(self, one: str, other: str) -> bool:
        """Whether one is by its name a newer edition of the other, although the question names the older one."""
        here, there = (next(each for each in self._passages if each.document == name) for name in (one, other))
        return any(
            newest_edition(old.document, old.title, [new], today=self._today) is not None
            for old, new in ((here, there), (there, here))
        )


def conversation_text(query: Query) -> str:
    """Return what the asker has written so far, the question last."""
    return " ".join([*(turn.text for turn in query.history if turn.role == "user"), query.text])


def named_successor(
    old: Document, passages: Sequence[Passage], *, groups: frozenset[str], lookup: Callable[[str], Document | None]
) -> Successor | None:
    """Return what replaced this document by its own account; an empty one where these groups may not read it.

    What does not exist and what may not be read are the same to whoever asks. None for a document that names itself.
    """
    readable = readable_audiences(groups)
    for name in _possible_ids(old):
        found = lookup(name)
        if found and found.id == old.id:
            return None
        if found and not readable.isdisjoint(found.audience):
            return Successor(found.id, found.title)
    titled = (each for each in passages if each.title.casefold() == old.superseded_by.casefold())
    return next((Successor(each.document, each.title) for each in titled if each.document != old.id), Successor())


def _possible_ids(old: Document) -> Iterator[str]:
    """Yield the ids that a document's `superseded_by` may stand for."""
    yield posixpath.normpath(posixpath.join(posixpath.dirname(old.id), old.superseded_by))
    yield posixpath.normpath(posixpath.join(old.source, old.superseded_by))
    yield old.superseded_by


def newest_edition(document: str, title: str, passages: Sequence[Passage], *, today: date) -> Passage | None:
    """Return the newest of these whose document's path or title differs only in a later year, date or version."""
    path, name = edition_of_path(document), edition_of_title(title)
    best: Passage | None = None
    for each in passages:
        if each.document == document:
            continue
        its_path, its_name = edition_of_path(each.document), edition_of_title(each.title)
        if is_newer(its_path, path, today=today) or is_newer(its_name, name, today=today):
            path, name, best = its_path, its_name, each
    return best


def names_edition(document: str, title: str, question: str) -> bool:
    """Whether a question names the year of just this edition."""
    days = (edition.day for edition in (edition_of_path(document), edition_of_title(title)))
    return any(f"{day[0]:.0f}" in question for day in days if day)


def supersession_warnings(citations: Sequence[Citation], successors: Mapping[str, Successor]) -> list[AnswerWarning]:
    """Return one warning for each cited document that has a successor, in the order of the citations."""
    numbers: dict[str, list[int]] = {}
    for cited in citations:
        numbers.setdefault(cited.document, []).append(cited.number)
    titles = {cited.document: cited.title for cited in citations}
    return [
        AnswerWarning(
            "superseded",
            _warning_text(document, titles[document], successors[document]),
            (*own, *numbers.get(successors[document].document, ())),
            successors[document].document,
        )
        for document, own in numbers.items()
        if document in successors
    ]


def _warning_text(document: str, title: str, successor: Successor) -> str:
    old, new = f"«{title}»", f"«{successor.title}»"
    if title == successor.title:
        old, new = (f"{old} ({posixpath.basename(name)})" for name in (document, successor.document))
    if successor.by_name:
        return f"There is a newer version of {old}: {new}."
    return f"{old} has been superseded by {new}." if successor.document else f"{old} is marked as superseded."
