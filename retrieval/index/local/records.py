"""Encodes documents and passages as JSON for a row or record, and decodes them (pure)."""

import json
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from retrieval.passages import Block, Document, Link, Passage


def document_record(document: Document) -> str:
    """Encode a document's fields, except those that have a column: id, source, version, audience."""
    return json.dumps(
        {
            "title": document.title,
            "url": document.url,
            "owner": document.owner,
            "review": document.review.isoformat() if document.review else None,
            "modified": document.modified.isoformat() if document.modified else None,
            "superseded_by": document.superseded_by,
            "text": document.text,
            "blocks": [[b.kind, b.start, b.end, b.level, b.anchor, b.page] for b in document.blocks],
            # Left out when there are none: the record is the same then as before links were known.
            **({"links": _link_rows(document.links)} if document.links else {}),
        }
    )


def texts(*columns: Any) -> tuple[str, ...]:
    """These columns of a row; raises TypeError where one is damaged and holds no text."""
    if not all(isinstance(each, str) for each in columns):
        raise TypeError("a column holds no text")
    return columns


def document_from(record: str, document: str, source: str, version: str, audience: str) -> Document:
    """Decode a document from its record and columns."""
    record, document, source, version = texts(record, document, source, version)
    data = json.loads(record)
    return Document(
        id=document,
        source=source,
        title=data["title"],
        url=data["url"],
        version=version,
        text=data["text"],
        blocks=tuple(Block(*block) for block in data["blocks"]),
        audience=audience_from(audience),
        owner=data["owner"],
        review=date.fromisoformat(data["review"]) if data["review"] else None,
        modified=datetime.fromisoformat(data["modified"]) if data["modified"] else None,
        superseded_by=data.get("superseded_by", ""),  # records of before this was known have none
        links=_links_from(data.get("links", ())),
    )


def audience_record(audience: frozenset[str]) -> str:
    """Encode an audience; equal ones have equal records."""
    return json.dumps(sorted(audience))


def audience_from(record: str) -> frozenset[str]:
    """Decode an audience."""
    return frozenset(json.loads(record))


def passage_record(passage: Passage) -> str:
    """Encode a passage's own fields, without those that it shares with its document."""
    own = [passage.headings, passage.anchor, passage.fragment, passage.text, passage.start, passage.end, passage.lead]
    return json.dumps([*own, _link_rows(passage.links)] if passage.links else own)


def passage_from(record: str, ordinal: int, document: str, *columns: str) -> Passage:
    """Decode a passage from its record and its document's columns: version, title, url, audience."""
    document, version, title, url, audience = texts(document, *columns)
    headings, anchor, fragment, text, start, end, lead, *links = json.loads(record)
    return Passage(
        document=document,
        ordinal=ordinal,
        headings=tuple(headings),
        anchor=anchor,
        fragment=fragment,
        text=text,
        start=start,
        end=end,
        version=version,
        title=title,
        url=url,
        audience=audience_from(audience),
        lead=lead,
        links=_links_from(links[0] if links else ()),
    )


def _link_rows(links: Iterable[Link]) -> list[list[int | str]]:
    return [[link.start, link.end, link.url] for link in links]


def _links_from(rows: Iterable[list[Any]]) -> tuple[Link, ...]:
    return tuple(Link(*row) for row in rows)
