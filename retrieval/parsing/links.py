"""Where the words of a text lead: texts with their links, and the addresses that a reader elsewhere can open (pure)."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby, pairwise
from operator import itemgetter
from urllib.parse import urljoin, urlsplit

from retrieval.characters import INVISIBLE_IN_DOCUMENTS, clean
from retrieval.passages import Link, links_between

LONGEST_ADDRESS = 2048  # characters; browsers and chats cut or refuse longer ones

# Browsers leave out, encode or turn round some of these, so that the address would lead elsewhere than it reads.
_NOT_IN_ADDRESS = re.compile(rf"[\s\\{INVISIBLE_IN_DOCUMENTS}]")
_WITH_HOST = frozenset({"http", "https"})
_WITHOUT_HOST = frozenset({"mailto", "tel"})
_AROUND_ADDRESS = " \t\n\r\f"


@dataclass(frozen=True, slots=True)
class LinkedText:
    """A text with the links of its words."""

    text: str
    links: tuple[Link, ...] = ()

    def between(self, start: int, end: int) -> "LinkedText":
        """`text[start:end]` with its links."""
        return LinkedText(self.text[start:end], links_between(self.links, start, end))


def linked(runs: Iterable[tuple[str, str]]) -> LinkedText:
    """Join pieces of text, each with the address that it leads to; with an empty one it leads nowhere."""
    parts: list[str] = []
    links: list[Link] = []
    position = 0
    for url, group in groupby(runs, key=itemgetter(1)):
        text = "".join(piece for piece, _ in group)
        if url and text:
            links.append(Link(position, position + len(text), url))
        parts.append(text)
        position += len(text)
    return LinkedText("".join(parts), tuple(links))


def shift(links: Iterable[Link], by: int) -> tuple[Link, ...]:
    """The same links in a text that has so many more characters before them."""
    return tuple(Link(link.start + by, link.end + by, link.url) for link in links)


def place(links: Sequence[Link], text: str, tidied: str) -> tuple[Link, ...]:
    """The links of `text` in `tidied`: the same text cleaned, and with less or other white space.

    A link without a word is left out. All are when characters melt into one across a link's edge, such as an `e`
    with the accent behind it: the places of words cannot be told then.
    """
    if not links:
        return ()
    edges = sorted({0, len(text), *(edge for link in links for edge in (link.start, link.end))})
    counts = accumulate((_visible(text[start:end]) for start, end in pairwise(edges)), initial=0)
    before = dict(zip(edges, counts, strict=True))
    places = [index for index, character in enumerate(tidied) if not character.isspace()]
    if before[len(text)] != len(places):
        return ()
    return tuple(
        Link(places[before[link.start]], places[before[link.end] - 1] + 1, link.url)
        for link in links
        if before[link.start] < before[link.end]
    )


def resolve(url: str, base: str) -> str:
    """The whole address that opens what `url` names in a document at `base`; empty when no other reader can open it.

    Relative to a file, or without a base, a relative address opens nothing.
    """
    found = address(url, base)
    return found if found and urlsplit(found).scheme else ""


def address(url: str, base: str = "") -> str:
    """An address as it is written, without the white space around it; a relative one as seen from `base`, if given.

    Empty for what is neither a web address, `mailto:`, `tel:` nor relative, and for what is too long or leads elsewhere
    than it reads.
    """
    url = url.strip(_AROUND_ADDRESS)
    try:
        found = urljoin(base, url) if base and url and not urlsplit(url).scheme else url
        parts = urlsplit(found)
    except ValueError:
        return ""
    if len(found) > LONGEST_ADDRESS or _NOT_IN_ADDRESS.search(url) or _NOT_IN_ADDRESS.search(found):
        return ""
    if parts.scheme in _WITH_HOST:
        return found if parts.hostname else ""
    return found if not parts.scheme or (parts.scheme in _WITHOUT_HOST and parts.path) else ""


def _visible(text: str) -> int:
    return sum(map(len, clean(text).split()))
