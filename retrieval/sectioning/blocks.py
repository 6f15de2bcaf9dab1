"""Splits a passage's text into the blocks that people read: paragraphs, lists, steps and tables (pure)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from retrieval.sectioning.sentences import CELL, MARKER, Span, sentences

TextBlockKind = Literal["paragraph", "list", "steps", "table"]

ITEM = re.compile(rf"[ \t]*{MARKER}[ \t]")
STEP = re.compile(r"[ \t]*(?:\(?[0-9]{1,3}[.)]|\(?[A-Za-z][.)]|\([ivxIVX]{1,6}\))[ \t]")
LINE = re.compile(r"[^\n]+")
# A paragraph of so few words right above a list opens it, even without a colon; so does a question above its answer.
OPENING_WORDS = 25
NUMBER = re.compile(r"\s*\(?([0-9]{1,3})[.)]\s")
LONGEST_MARKER = 12
# Runs of lines below one step, at most; more of them are a text of their own.
STEP_PARAGRAPHS = 6


@dataclass(frozen=True, slots=True)
class TextBlock:
    """A block of a text, from `start` to `end`.

    `parts` are the spans of its sentences, items or rows, in order; `opening` is the span of the sentence above it that
    it cannot be read without: a list's opening, the question that a paragraph answers, the head of a table.
    """

    kind: TextBlockKind
    parts: tuple[Span, ...]
    opening: Span | None = None

    @property
    def start(self) -> int:
        return self.opening[0] if self.opening else self.parts[0][0]

    @property
    def end(self) -> int:
        return self.parts[-1][1]


def text_blocks(text: str, *, goes_on: bool = False) -> list[TextBlock]:
    """Return the blocks of a text in reading order, together all that it says; none for a blank text.

    The opening of a list belongs to the list alone. Of a table without rows below its head, the head is the only part;
    with `goes_on` a text that begins with rows goes on with a table, whose head stands elsewhere.
    """
    runs = _joined(text, list(_runs(text)))
    blocks: list[TextBlock] = []
    opening: Span | None = None
    for (kind, parts), following in zip(runs, (*runs[1:], None), strict=False):
        if kind == "paragraph" and following and (span := _opening(text, parts, following)):
            if len(parts) > 1:
                blocks.append(TextBlock(kind, tuple(parts[:-1]), opening))
            elif opening:  # two openings in a row: the first stands alone
                blocks.append(TextBlock("paragraph", (opening,)))
            opening = span
            continue
        if kind == "table" and len(parts) > 1 and not (goes_on and not blocks):
            if opening:
                blocks.append(TextBlock("paragraph", (opening,)))
            blocks.append(TextBlock(kind, tuple(parts[1:]), parts[0]))
        else:
            blocks.append(TextBlock(kind, tuple(parts), opening))
        opening = None
    return blocks


Run = tuple[TextBlockKind, list[Span]]


def _runs(text: str) -> Iterator[Run]:
    """Yield runs of lines of one kind, none longer than to the next blank line."""
    kind: TextBlockKind = "paragraph"
    spans: list[Span] = []
    end = 0
    for line in LINE.finditer(text):
        if not line.group().strip():
            continue
        own = _kind(line.group(), kind if spans else "paragraph")
        parted = bool(spans) and text.count("\n", end, line.start()) > 1
        if spans and (parted or own != kind):
            yield _run(text, kind, spans)
            spans = []
            own = _kind(line.group(), "paragraph") if parted else own
        if spans and own in ("list", "steps") and not ITEM.match(line.group()):
            spans[-1] = spans[-1][0], line.end()  # an item goes on
        else:
            spans.append((line.start(), line.end()))
        kind, end = own, line.end()
    if spans:
        yield _run(text, kind, spans)


def _kind(line: str, before: TextBlockKind) -> TextBlockKind:
    """Return the kind of a line that follows one of the kind `before` without a blank line between."""
    if CELL in line:
        return "table"
    if not ITEM.match(line):
        return before if before in ("list", "steps") else "paragraph"
    if before in ("list", "steps"):
        return before  # items of a list may have steps below them
    return "steps" if STEP.match(line) else "list"


def _run(text: str, kind: TextBlockKind, lines: list[Span]) -> Run:
    if kind != "paragraph":
        return kind, [_trimmed(text, *span) for span in lines]
    start, end = lines[0][0], lines[-1][1]
    return kind, sentences(text[start:end], offset=start)


def _joined(text: str, runs: list[Run]) -> list[Run]:
    """Join lists whose items stand apart, and steps that a paragraph of one of them parts, as their numbers tell."""
    joined: list[Run] = []
    for run in runs:
        kind, parts = run
        if joined and kind == joined[-1][0] and kind in ("list", "steps"):
            joined[-1][1].extend(parts)
        elif kind == "steps" and (step := _step_before(text, joined, parts[0])) is not None:
            _, steps = joined[step]
            steps[-1] = steps[-1][0], joined[-1][1][-1][1]
            joined[step + 1 :] = []
            steps.extend(parts)
        else:
            joined.append(run)
    return joined


def _step_before(text: str, joined: list[Run], first: Span) -> int | None:
    """Return the place of the steps that these go on with, past paragraphs alone; None for a new list."""
    for at in range(len(joined) - 1, max(-1, len(joined) - 1 - STEP_PARAGRAPHS), -1):
        kind, parts = joined[at]
        if kind == "steps":
            return at if _number(text, first) == _number(text, parts[-1]) + 1 > 1 else None
        if kind == "table":
            return None
    return None


def _number(text: str, part: Span) -> int:
    """Return the number of a step; -1 for one that has a letter or a sign."""
    found = NUMBER.match(text[part[0] : part[0] + LONGEST_MARKER])
    return int(found[1]) if found else -1


def _opening(text: str, parts: list[Span], following: Run) -> Span | None:
    """Return the sentence of a paragraph that opens what follows, its last one; None where none does."""
    start, end = parts[-1]
    last = text[start:end]
    short = len(parts) == 1 and len(last.split()) <= OPENING_WORDS
    if last.endswith(":"):
        return parts[-1] if following[0] != "paragraph" or short else None
    if following[0] in ("list", "steps"):
        return parts[-1] if short else None
    return parts[-1] if following[0] == "paragraph" and short and last.endswith("?") else None


def _trimmed(text: str, start: int, end: int) -> Span:
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), end - (len(piece) - len(piece.rstrip()))
