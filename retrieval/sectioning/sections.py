"""Cuts documents into passages (pure): each is an exact slice of the parsed text with an anchor that opens it.

A section is what stands between two headings. It becomes one passage if it fits the embedding window, else
several of about equal length that share its heading path; a numbered clause is always a passage of its own.
No cut falls inside a sentence or a table row.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote

from retrieval.passages import Block, Document, Passage, links_between
from retrieval.sectioning.numbering import clause_number
from retrieval.sectioning.sentences import sentences

CountTokens = Callable[[Sequence[str]], list[int]]
"""Counts the word pieces of each text as the embedding model would."""

LEAST_ROOM = 96
WORDS_IN_FRAGMENT = 6


@dataclass(frozen=True, slots=True)
class Unit:
    """What is never cut: a sentence, a list item's sentence or a table row; `pieces` counts its word pieces."""

    start: int
    end: int
    pieces: int
    page: int | None
    block: int
    row: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """The blocks under one heading path; `heading` is the last heading's block, None before the first heading."""

    headings: tuple[str, ...]
    heading: Block | None
    blocks: tuple[Block, ...]


def split_document(document: Document, *, count: CountTokens, window: int) -> list[Passage]:
    """All passages of a document in reading order, each within `window` word pieces with its heading path.

    A sentence or row longer than the window is a passage of its own. None for a document without text.
    """
    found: list[Passage] = []
    for section in sections(document):
        for group in _clause_groups(document.text, section):
            found += _fit_passages(document, section, group, count=count, window=window)
    return [replace(passage, ordinal=ordinal) for ordinal, passage in enumerate(found)]


def sections(document: Document) -> Iterator[Section]:
    """Sections with text, in reading order; in a document of headings alone each heading is its own text."""
    path: list[tuple[int, str]] = []
    heading: Block | None = None
    blocks: list[Block] = []
    only_headings = all(block.kind == "heading" for block in document.blocks)
    for block in document.blocks:
        if block.kind != "heading":
            blocks.append(block)
            continue
        if blocks:
            yield Section(tuple(title for _, title in path), heading, tuple(blocks))
        path = [(level, title) for level, title in path if level < block.level]
        path.append((block.level, " ".join(document.text[block.start : block.end].split())))
        heading, blocks = block, [block] if only_headings else []
    if blocks:
        yield Section(tuple(title for _, title in path), heading, tuple(blocks))


def _clause_groups(text: str, section: Section) -> Iterator[tuple[str, tuple[Block, ...]]]:
    """Runs of blocks that belong together, each with its clause number; a clause or new page starts a run."""
    run: list[Block] = []
    number = ""
    for block in section.blocks:
        own = clause_number(text[block.start : block.end]) if block.kind in ("paragraph", "item") else ""
        if run and (own or block.page != run[-1].page):
            yield number, tuple(run)
            run, number = [], own or number
        run.append(block)
        number = own or number
    if run:
        yield number, tuple(run)


def _fit_passages(
    document: Document, section: Section, group: tuple[str, tuple[Block, ...]], *, count: CountTokens, window: int
) -> Iterator[Passage]:
    number, blocks = group
    units = _units(document.text, blocks, count)
    heads = [block for block in blocks if block.kind == "table-head"]
    leads = [document.text[head.start : head.end] for head in heads]
    path_pieces = count([" › ".join(section.headings)])[0] if section.headings else 0
    room = max(LEAST_ROOM, window - path_pieces - max(count(leads), default=0))
    for run in balance(units, room):
        before = [lead for head, lead in zip(heads, leads, strict=True) if head.start < run[0].start]
        yield _passage(document, section, number, run, lead=before[-1] if before and run[0].row else "")


def _units(text: str, blocks: Sequence[Block], count: CountTokens) -> list[Unit]:
    """The sentences and rows of these blocks, in order."""
    spans = [
        (start, end, index, block)
        for index, block in enumerate(blocks)
        for start, end in (
            [(block.start, block.end)]
            if block.kind in ("row", "table-head")
            else sentences(text[block.start : block.end], offset=block.start)
        )
    ]
    pieces = count([text[start:end] for start, end, _, _ in spans])
    return [
        Unit(start, end, size, block.page, index, row=block.kind == "row")
        for (start, end, index, block), size in zip(spans, pieces, strict=True)
    ]


def balance(units: Sequence[Unit], room: int) -> Iterator[tuple[Unit, ...]]:
    """Cut units into runs of at most `room` word pieces and about equal size, between blocks where that is near.

    A unit longer than `room` stands alone.
    """
    left = sum(unit.pieces for unit in units)
    run: list[Unit] = []
    size = 0
    for unit in units:
        if run and (size + unit.pieces > room or (left > room and _is_full(run, size, unit, _target(left, room)))):
            yield tuple(run)
            run, size, left = [], 0, left - size
        run.append(unit)
        size += unit.pieces
    if run:
        yield tuple(run)


def _target(pieces: int, room: int) -> float:
    """The size of each of the fewest equal runs."""
    return pieces / max(1, -(-pieces // room))


def _is_full(run: Sequence[Unit], size: int, following: Unit, target: float) -> bool:
    """Whether a run is nearer to the target without the following unit, or near enough at the end of a block."""
    between_blocks = following.block != run[-1].block
    return size + following.pieces / 2 > target or (between_blocks and size > 0.8 * target)


def _passage(document: Document, section: Section, number: str, run: Sequence[Unit], *, lead: str) -> Passage:
    start, end = run[0].start, run[-1].end
    text = document.text[start:end]
    anchor, fragment = _place(document, section, number, run[0], text)
    return Passage(
        document=document.id,
        ordinal=0,
        headings=section.headings,
        anchor=anchor,
        fragment=fragment,
        text=text,
        start=start,
        end=end,
        version=document.version,
        title=document.title,
        url=document.url,
        audience=document.audience,
        lead=lead,
        links=links_between(document.links, start, end),
    )


def _place(document: Document, section: Section, number: str, first: Unit, text: str) -> tuple[str, str]:
    """The anchor that people read, and the url fragment that opens the document there."""
    own = next((b.anchor for b in section.blocks if b.start <= first.start < b.end and b.anchor), "")
    heading = section.heading.anchor if section.heading else ""
    heading_number = clause_number(section.headings[-1]) if section.headings else ""
    if first.page is not None:
        return number or heading_number or f"page={first.page}", f"page={first.page}"
    anchor = number or own or heading_number or heading
    if own and not number:
        return anchor, own
    if heading and not number:
        return anchor, heading
    return anchor, f"{heading}{text_fragment(text)}"


def text_fragment(text: str) -> str:
    """A url fragment directive that scrolls to the first words of `text` in browsers that know it."""
    opening = " ".join(text.split()[:WORDS_IN_FRAGMENT])
    return ":~:text=" + quote(opening, safe="").replace("-", "%2D")
