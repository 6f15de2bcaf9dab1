"""Anchors of headings, as GitHub makes them."""

import re
from collections.abc import Iterator
from dataclasses import replace

from retrieval.characters import clean
from retrieval.parsing.blocks import ParsedBlock

_NOT_IN_SLUG = re.compile(r"[^\w\- ]")


def assign_slugs(blocks: Iterator[ParsedBlock]) -> Iterator[ParsedBlock]:
    """Give each heading without an anchor GitHub's slug as its own; the second of the same name ends in `-1`."""
    taken: dict[str, int] = {}
    for block in blocks:
        if block.kind != "heading":
            yield block
            continue
        anchor = block.anchor or _free_slug(block.text, taken)
        taken.setdefault(anchor, 0)
        yield replace(block, anchor=anchor)


def _free_slug(heading: str, taken: dict[str, int]) -> str:
    slug = unique = _NOT_IN_SLUG.sub("", clean(heading).strip().lower()).replace(" ", "-")
    while unique in taken:
        taken[slug] += 1
        unique = f"{slug}-{taken[slug]}"
    return unique
