"""Paragraph styles: which paragraphs are headings, and which list their numbers come from."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from docx.oxml.ns import qn
from lxml.etree import _Element as Element

from retrieval.parsing.word.numbering import value, whole

_HEADING_NAME = re.compile(r"heading ([1-9])\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Style:
    """A paragraph style: its outline level and the list that its paragraphs are numbered in."""

    name: str
    based_on: str
    level: int
    number_id: str
    depth: int


def read_styles(root: Element) -> Iterator[tuple[str, Style]]:
    """Every style of the document by its id."""
    for style in root.iterfind(qn("w:style")):
        properties = style.find(qn("w:pPr"))
        name, based_on = value(style, "w:name").lower(), value(style, "w:basedOn")
        number_id, depth = _direct_number(properties)
        yield style.get(qn("w:styleId"), ""), Style(name, based_on, _outline_level(properties), number_id, depth)


def heading_level(properties: Element | None, styles: list[Style]) -> int:
    """1 to 6 for a heading, by its own outline level, its style's or its style's name; 0 for text."""
    own = _outline_level(properties)
    if own:
        return min(own, 6) if own < 10 else 0
    for style in styles:
        if found := _HEADING_NAME.match(style.name):
            return min(int(found[1]), 6)
        if style.name == "title":
            return 1
        if style.level:
            return min(style.level, 6) if style.level < 10 else 0
    return 0


def list_number(properties: Element | None, styles: list[Style]) -> tuple[str, int]:
    """Id and depth of the list that a paragraph belongs to, by itself or by its styles; an empty id for none."""
    number_id, depth = _direct_number(properties)
    inherited = next(((style.number_id, style.depth) for style in styles if style.number_id), ("", 0))
    return (number_id, depth) if number_id else inherited


def _outline_level(properties: Element | None) -> int:
    """Outline level from 1; 10 means body text, 0 that none is given."""
    found = value(properties, "w:outlineLvl") if properties is not None else ""
    return whole(found) + 1 if found else 0


def _direct_number(properties: Element | None) -> tuple[str, int]:
    found = properties.find(qn("w:numPr")) if properties is not None else None
    if found is None:
        return "", 0
    return value(found, "w:numId"), whole(value(found, "w:ilvl", "0"))
