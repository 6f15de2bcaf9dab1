"""Makes a document of a parsed file (pure)."""

import re
from collections.abc import Iterable
from dataclasses import replace
from hashlib import sha256
from pathlib import PurePosixPath

from retrieval.parsing.links import resolve
from retrieval.parsing.protocol import SHOWN_TO_NOBODY, Parsed, Skipped
from retrieval.passages import EVERYONE, Document, Link, combine_audiences
from retrieval.sources.files import File, Source


def make_document(source: Source, file: File, parsed: Parsed, *, data: bytes) -> Document | Skipped:
    """The file as a document; its own metadata goes before what the source gives, but never widens its audience.

    The title is that of the metadata, else the first heading of the highest level, else the file's name in words.
    `Skipped` when nobody is left who may read it.
    """
    metadata = parsed.metadata
    audience = document_audience(source, metadata.audience)
    if not audience:
        return Skipped("malformed", f"{_why_nobody(metadata.audience, source.audience)}, {SHOWN_TO_NOBODY}")
    url = metadata.url or file.url
    return Document(
        id=f"{source.name}/{file.relative}",
        source=source.name,
        title=metadata.title or _first_heading(parsed) or _readable_stem(file.relative),
        url=url,
        version=sha256(data).hexdigest(),
        text=parsed.text,
        blocks=parsed.blocks,
        audience=audience,
        owner=metadata.owner or source.owner,
        review=metadata.review,
        modified=file.modified,
        superseded_by=metadata.superseded_by,
        links=resolved_links(parsed.links, url),
    )


def document_audience(source: Source, own: frozenset[str] | None) -> frozenset[str]:
    """Who may read a document of a source; `own` is what it says itself, None when it says nothing.

    Without an audience of either it is `everyone`; with one of both, what both leave open, which may be nobody.
    """
    if own is None or source.audience is None:
        return next((given for given in (own, source.audience) if given is not None), frozenset({EVERYONE}))
    return own if source.trusts_documents else combine_audiences(source.audience, own)


def _why_nobody(own: frozenset[str] | None, source: frozenset[str] | None) -> str:
    if not own:
        return "it gives two audiences, which have nothing in common"
    mine, theirs = (", ".join(map(repr, sorted(names))) for names in (own, source or ()))
    return f"its audience ({mine}) has nothing in common with that of its source ({theirs})"


def resolved_links(links: Iterable[Link], url: str) -> tuple[Link, ...]:
    """The links of a document at `url` with whole addresses, without those that open nothing for a reader elsewhere."""
    resolved = (replace(link, url=resolve(link.url, url)) for link in links)
    return tuple(link for link in resolved if link.url)


def _first_heading(parsed: Parsed) -> str:
    """The first heading of level 1, else the first of any level; empty when there is none."""
    headings = [block for block in parsed.blocks if block.kind == "heading"]
    first = next((block for block in headings if block.level == 1), headings[0] if headings else None)
    return parsed.text[first.start : first.end] if first else ""


def _readable_stem(relative: str) -> str:
    stem = PurePosixPath(relative).stem
    words = re.sub(r"[-_.\s]+", " ", stem).strip() or stem
    return words[:1].upper() + words[1:]
