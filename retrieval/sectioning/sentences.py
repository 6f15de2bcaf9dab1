"""Splits text into sentences (pure): spans that slice back to the text, nothing lost between them but space.

A line that opens with a list or clause marker starts a sentence of its own; an abbreviation or a section number does
not end one. What is longer than any sentence is cut, so that whoever reads sentences reads short ones.
"""

import re
from collections.abc import Iterator

Span = tuple[int, int]

# What may stand before a full stop without ending the sentence.
ABBREVIATIONS = frozenset(
    """approx art arts assoc aug apr bros ch chap cf cl co col corp dec dept dr ed eds eg e.g esp est etc
    ext feb fig figs ff gen gov hon hr hrs i.e ie inc incl jan jr lt ltd max messrs min misc mr mrs ms mt
    nov oct op p para paras pp pres prof pt reg regs rep rev sec sect sen sep sept sgt sq sr st subpara
    tel temp viz vol vols vs""".split()
)
# These only before a number: `No. 5` goes on, `No. You may not.` ends.
BEFORE_NUMBER = frozenset({"no", "nos"})
MARKER = r"(?:[-*•–—◦▪]|\(?[0-9]{1,3}[.)]|\(?[A-Za-z][.)]|\([ivxIVX]{1,6}\))"
NUMBER = r"\(?[A-Z]{0,4}[0-9]+(?:\.[0-9A-Za-z()]+)+\.?"
LINE_START = re.compile(rf"\n+(?=[ \t]*(?:{MARKER}|{NUMBER})[ \t])|\n[ \t]*\n+")
# What stands between the cells of a table row; beside an empty cell, only one of the two spaces.
CELL = " | "
BETWEEN_CELLS = re.compile(r"(?<!\S)\|(?!\S)")
STOP = re.compile(r"(?<![.!?…])[.!?…]++[\"'”’)\]]*+(?=\s)")
OPENS_SENTENCE = re.compile(r"\s+[\"'“‘(\[]*[A-Z0-9]")
# No marker and no abbreviation is longer, and looking further back at every stop would take a day in a long text.
LOOK_BACK = 40
# Characters of a sentence or table row at most: none of 132,000 in handbooks, rulebooks and policies has as many.
LONGEST_SENTENCE = 4000
ONLY_MARKER = re.compile(rf"^\s*(?:{MARKER}|{NUMBER})$")
# A sentence that begins so refers to the one before it.
BACK_REFERENCE = re.compile(
    r"(?:this|these|those|it|they|such|otherwise|in (?:this|that) case|after (?:this|that)|then|however|but|yet)\b",
    re.IGNORECASE,
)


def sentences(text: str, *, offset: int = 0) -> list[Span]:
    """Spans of the sentences of `text`, shifted by `offset`, without surrounding space; none for blank text."""
    spans: list[Span] = []
    for start, end in _split_lines(text):
        spans += _split_rows(text, start, end) if CELL in text[start:end] else _split_sentences(text, start, end)
    return [(start + offset, end + offset) for span in spans for start, end in _shortened(text, *span)]


def _split_lines(text: str) -> Iterator[Span]:
    """Cut before lines that open an item or a clause, and at blank lines."""
    start = 0
    for cut in LINE_START.finditer(text):
        yield start, cut.start()
        start = cut.end()
    yield start, len(text)


def _split_rows(text: str, start: int, end: int) -> Iterator[Span]:
    """Each row of a table whole, and the sentences of the lines between rows."""
    for line in re.finditer(r"[^\n]+", text[start:end]):
        is_row = CELL in line.group()
        spans = _trim if is_row else _split_sentences
        yield from spans(text, start + line.start(), start + line.end())


def _split_sentences(text: str, start: int, end: int) -> Iterator[Span]:
    for stop in STOP.finditer(text, start, end):
        if _ends_sentence(text, start, stop.start(), stop.end()):
            yield from _trim(text, start, stop.end())
            start = stop.end()
    yield from _trim(text, start, end)


def _ends_sentence(text: str, start: int, mark: int, after: int) -> bool:
    if not OPENS_SENTENCE.match(text, after):
        return False
    if text[mark] != ".":
        return True
    before = text[max(start, mark - LOOK_BACK) : mark]
    if mark - start < LOOK_BACK and (ONLY_MARKER.match(before + ".") or ONLY_MARKER.match(before)):
        return False
    if before[-1:].isspace() or not before:
        return True
    bare = before.split()[-1].lstrip("(['\"“‘").lower()
    if bare in BEFORE_NUMBER:
        return not text[after : after + LOOK_BACK].lstrip(" \t\n([\"'“‘")[:1].isdigit()
    return bare not in ABBREVIATIONS and not re.fullmatch(r"[a-z](?:\.[a-z])*", bare)


def _shortened(text: str, start: int, end: int) -> Iterator[Span]:
    """Cut what is too long at the last space that is near enough, else anywhere."""
    while end - start > LONGEST_SENTENCE:
        most = start + LONGEST_SENTENCE
        space = text.rfind(" ", start + LONGEST_SENTENCE // 2, most)
        at = space if space > 0 else most
        yield from _trim(text, start, at)
        start = at
    yield from _trim(text, start, end)


def _trim(text: str, start: int, end: int) -> Iterator[Span]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if start < end:
        yield start, end


def row_cells(row: str) -> list[str]:
    """The cells of a table row as it stands in a text, empty ones included."""
    return [cell.strip() for cell in BETWEEN_CELLS.split(row)]


def refers_back(text: str) -> bool:
    """Whether a sentence makes sense only after the one before it."""
    return BACK_REFERENCE.match(text) is not None
