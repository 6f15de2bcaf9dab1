"""The values of retrieval: documents and their passages, queries and their hits."""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from operator import attrgetter
from typing import Literal

EVERYONE = "everyone"
PUBLIC = "public"

BlockKind = Literal["heading", "paragraph", "item", "row", "table-head", "code"]


@dataclass(frozen=True, slots=True)
class Block:
    """A heading, paragraph, item or row of a document's plain text, `text[start:end]`; blocks never overlap.

    `level` is 1 to 6 for a heading and the nesting depth for a list item. `anchor` is what a browser can jump
    to (heading slug, element id). `page` counts from 1, for paged formats only. A table's `table-head` is
    followed by its `row`s.
    """

    kind: BlockKind
    start: int
    end: int
    level: int = 0
    anchor: str = ""
    page: int | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """The words `text[start:end]` lead to `url`; links of one text are in order and never overlap."""

    start: int
    end: int
    url: str


@dataclass(frozen=True, slots=True)
class Metadata:
    """Metadata in a document itself, as front matter or properties of its format; empty where it gives none.

    `superseded_by` names the document that replaces it: a path, a document id or a title.
    """

    title: str = ""
    url: str = ""
    owner: str = ""
    review: date | None = None
    audience: frozenset[str] | None = None
    superseded_by: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """One parsed document. `id` is `source/relative/path`; `version` is the sha256 (hex) of the file's content."""

    id: str
    source: str
    title: str
    url: str
    version: str
    text: str
    blocks: tuple[Block, ...]
    audience: frozenset[str] = frozenset({EVERYONE})
    owner: str = ""
    review: date | None = None
    modified: datetime | None = None
    superseded_by: str = ""
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class Passage:
    """A citable piece of one document: `document.text[start:end]` is exactly `text`.

    `headings` is the path from the document's first heading down (`("Leave", "Parental leave")`), `anchor` a
    heading slug, element id, clause number or `page=7`; `fragment` is what follows `#` in a url that opens there.
    `lead` is the head of a table, for a passage of its later rows; it is shown and embedded before them. `links`
    count from the beginning of `text`.
    """

    document: str
    ordinal: int
    headings: tuple[str, ...]
    anchor: str
    fragment: str
    text: str
    start: int
    end: int
    version: str
    title: str
    url: str
    audience: frozenset[str]
    lead: str = ""
    links: tuple[Link, ...] = ()

    @property
    def section(self) -> str:
        """The heading path as it is shown."""
        return " > ".join(self.headings)

    @property
    def id(self) -> str:
        """The document's id and the passage's number in it; stable while the document does not change."""
        return f"{self.document}#{self.ordinal}"

    @property
    def embedded_text(self) -> str:
        """The text that is embedded and shown: the lead, then the passage's own text."""
        return f"{self.lead}\n{self.text}" if self.lead else self.text

    @property
    def embedded_heading(self) -> str:
        """The heading that is embedded: title and heading path, without a repeated title."""
        path = self.headings[1:] if self.headings[:1] == (self.title,) else self.headings
        return " › ".join((self.title, *path))

    @property
    def link(self) -> str:
        """The address that opens the document at this passage; empty when the document has none."""
        return f"{self.url}#{self.fragment}" if self.url and self.fragment else self.url


@dataclass(frozen=True, slots=True)
class Turn:
    """One earlier message of a conversation; any role but `user` is the bot's.

    `exchange` is the id of the recorded exchange that it is from; empty for a message of another origin.
    """

    role: str
    text: str
    exchange: str = ""


@dataclass(frozen=True, slots=True)
class Query:
    """A question, the conversation before it (oldest first) and the asker's groups; no groups means everyone.

    `standalone` is the question in words that need no conversation; empty when there is no such form.
    """

    text: str
    history: tuple[Turn, ...] = ()
    groups: frozenset[str] = frozenset()
    standalone: str = ""


@dataclass(frozen=True, slots=True)
class Hit:
    """A found passage, its fused score, the parts of that score by ingredient, and the passage's key in the index."""

    passage: Passage
    score: float
    parts: Mapping[str, float] = field(default_factory=dict)
    key: int | str = ""


def links_between(links: Sequence[Link], start: int, end: int) -> tuple[Link, ...]:
    """The links of `text[start:end]`, from the links of `text`; one that reaches beyond it is clipped."""
    first = bisect_right(links, start, key=attrgetter("end"))
    last = bisect_left(links, end, key=attrgetter("start"))
    return tuple(
        Link(max(link.start, start) - start, min(link.end, end) - start, link.url) for link in links[first:last]
    )


def readable_audiences(groups: frozenset[str]) -> frozenset[str]:
    """The audience words that open a document to these groups.

    Whoever has any group except `public` alone also reads `everyone` and `public`; `public` alone reads only
    `public`; no groups means `everyone`.
    """
    if groups == {PUBLIC}:
        return groups
    return groups | {EVERYONE, PUBLIC}


def combine_audiences(first: frozenset[str], second: frozenset[str]) -> frozenset[str]:
    """The audience that two statements about one document leave: each may narrow the other, none widens it.

    `public` is wider than `everyone`, `everyone` wider than any named group; two lists of named groups meet in what
    both name. Empty, which opens the document to nobody, when they have nothing in common.
    """
    for word in (PUBLIC, EVERYONE):
        if word in first:
            return second
        if word in second:
            return first
    return first & second
