"""Where sentences begin and end (pure): spans that slice back to the text, nothing lost between them but space.

Policies are not novels: a line that opens with a list or clause marker starts a unit of its own, an
abbreviation or a section number does not end one.
"""

import re
from collections.abc import Iterator

Span = tuple[int, int]

# What may stand before a full stop without ending the sentence.
ABBREVIATIONS = frozenset(
    """approx art arts assoc aug apr bros ch chap cf cl co col corp dec dept dr ed eds eg e.g esp est etc
    ext feb fig figs ff gen gov hon hr hrs i.e ie inc incl jan jr lt ltd max messrs min misc mr mrs ms mt no
    nos nov oct op p para paras pp pres prof pt reg regs rep rev sec sect sen sep sept sgt sq sr st subpara
    tel temp viz vol vols vs""".split()
)
MARKER = r"(?:[-*•–—◦▪]|\(?[0-9]{1,3}[.)]|\(?[A-Za-z][.)]|\([ivxIVX]{1,6}\))"
NUMBER = r"\(?[A-Z]{0,4}[0-9]+(?:\.[0-9A-Za-z()]+)+\.?"
LINE_START = re.compile(rf"\n+(?=[ \t]*(?:{MARKER}|{NUMBER})[ \t])|\n[ \t]*\n+")
STOP = re.compile(r"[.!?…]+[\"'”’)\]]*(?=\s)")
OPENS_SENTENCE = re.compile(r"\s+[\"'“‘(\[]*[A-Z0-9]")
LAST_WORD = re.compile(r"(\S+)$")
ONLY_MARKER = re.compile(rf"^\s*(?:{MARKER}|{NUMBER})$")


def sentences(text: str, *, offset: int = 0) -> list[Span]:
    """Spans of the sentences of `text`, shifted by `offset`, without surrounding space; none for blank text."""
    spans: list[Span] = []
    for start, end in _lines(text):
        spans += _split(text, start, end)
    return [(start + offset, end + offset) for start, end in spans]


def _lines(text: str) -> Iterator[Span]:
    """Cut before lines that open an item or a clause, and at blank lines."""
    start = 0
    for cut in LINE_START.finditer(text):
        yield start, cut.start()
        start = cut.end()
    yield start, len(text)


def _split(text: str, start: int, end: int) -> Iterator[Span]:
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
    before = text[start:mark]
    if ONLY_MARKER.match(before + ".") or ONLY_MARKER.match(before):
        return False
    word = LAST_WORD.search(before)
    if word is None:
        return True
    bare = word.group(1).lstrip("(['\"“‘").lower()
    return bare not in ABBREVIATIONS and not re.fullmatch(r"[a-z](?:\.[a-z])*", bare)


def _trim(text: str, start: int, end: int) -> Iterator[Span]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if start < end:
        yield start, end
