"""Answers and documents as people read them in a terminal (pure)."""

import re
import textwrap
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from retrieval.passages import Document, Hit, Passage

if TYPE_CHECKING:
    from bot.answering.answers import Answer, Citation
    from bot.services.votes import CurrentVote, VoteRequest

WIDTH = 80

# A line of a paragraph that was broken by hand is about this long, and the next one starts with a word.
_BROKEN_LINE = 40
_GOES_ON = re.compile(r"\s*(?!\d+[.)]\s)\w")


def answer(given: "Answer", *, width: int = WIDTH) -> str:
    """The answer with its marks, then one footnote for each; what was not found says so and names what is near."""
    return "\n\n".join(part for part in (_body(given, width), below(given, width=width)) if part)


def below(given: "Answer", *, width: int = WIDTH) -> str:
    """What stands below the words of an answer: notes, then its footnotes or the sections that are near."""
    notes = [f"{each.text}{_marks(n for n in each.citations if f'[{n}]' not in each.text)}" for each in given.warnings]
    if given.fallback:
        notes.append(given.fallback)
    footnotes = "\n\n".join(_footnote(each, width) for each in given.citations)
    parts = ("\n".join(_wrapped(f"Note: {each}", width) for each in notes), footnotes, _nearest(given.nearest, width))
    return "\n\n".join(part for part in parts if part)


class Paragraphs:
    """Sentences folded as they come: they run on, but one with lines of its own (a list, a table row) keeps them."""

    def __init__(self, width: int = WIDTH) -> None:
        self._width = width
        self._column = 0
        self._ended = False

    def add(self, text: str, citations: Iterable[int] = ()) -> str:
        """What is to be printed for the next sentence, right behind what was printed before it."""
        marked = text.strip() + _marks(citations)
        alone = _stands_alone(text)
        start = "\n" if self._column and (alone or self._ended) else ""
        if start:
            self._column = 0
        self._ended = alone
        return start + (self._kept(marked) if alone else self._run_on(marked.split()))

    def _kept(self, lines: str) -> str:
        folded = _wrapped(lines, self._width)
        self._column = len(folded.rpartition("\n")[2])
        return folded

    def _run_on(self, words: Iterable[str]) -> str:
        printed = ""
        for word in words:
            gap = " " if self._column else ""
            if gap and self._column + 1 + len(word) > self._width:
                gap, self._column = "\n", 0
            self._column += (gap == " ") + len(word)
            printed += gap + word
        return printed


def current_vote(given: "VoteRequest", recorded: "CurrentVote") -> str:
    """What became of a vote."""
    vote = recorded.vote
    if vote.vote != given.vote:
        return f"Recorded, but a later vote of yours counts: {vote.vote}."
    if vote.vote == "none":
        return "Withdrawn: no vote of yours on this answer counts."
    return f"Recorded: {vote.vote}{f' ({vote.reason})' if vote.reason else ''}."


def document(shown: Document, sections: Sequence[Passage]) -> str:
    """What the document says of itself, its text exactly as it was parsed, and where its sections lie in it."""
    head = [shown.title, f"document  {shown.id}", f"version   {shown.version}"]
    if shown.url:
        head.append(f"url       {shown.url}")
    lines = [f"{each.start}-{each.end}  #{each.anchor}  {section(each.section)}" for each in sections]
    return "\n".join([*head, "", shown.text, "", f"sections  {len(sections)}", *lines])


def place(title: str, path: str) -> str:
    """Where to look: document title › section, the title not said twice."""
    headings = [heading for heading in path.split(" > ") if heading]
    if headings and headings[0] == title:
        headings = headings[1:]
    return " › ".join([title, *headings])


def section(path: str) -> str:
    return path.replace(" > ", " › ")


def _body(given: "Answer", width: int) -> str:
    """Its sentences with their marks; its text where it has none, as when nothing was found."""
    if not given.sentences:
        return _wrapped(given.text, width)
    paragraphs = Paragraphs(width)
    return "".join(paragraphs.add(each.text, each.citations) for each in given.sentences)


def _stands_alone(text: str) -> bool:
    return "\n" in text.strip() or " | " in text or text.lstrip().startswith(("- ", "* ", "• "))


def _marks(numbers: Iterable[int]) -> str:
    joined = "".join(f"[{number}]" for number in numbers)
    return f" {joined}" if joined else ""


def _footnote(cited: "Citation", width: int) -> str:
    mark = f"[{cited.number}] "
    indent = " " * len(mark)
    lines = [_wrapped(place(cited.title, cited.section), width, first=mark, then=indent)]
    if cited.url:
        lines.append(indent + cited.url)  # never broken, so that it can be clicked
    lines.append(_wrapped(f"“{_reflowed(cited.quote.strip())}”", width, first=indent, then=indent))
    return "\n".join(lines)


def _reflowed(quote: str) -> str:
    """The quote without the line breaks that a file had within a paragraph; items, table rows and code keep theirs."""
    lines: list[str] = []
    for line in quote.splitlines():
        if lines and len(lines[-1]) >= _BROKEN_LINE and _GOES_ON.match(line) and " | " not in lines[-1] + line:
            lines[-1] = f"{lines[-1].rstrip()} {line.lstrip()}"
        else:
            lines.append(line)
    return "\n".join(lines)


def _nearest(hits: Sequence[Hit], width: int) -> str:
    lines: dict[str, None] = {}
    for each in hits:
        line = _wrapped(place(each.passage.title, each.passage.section), width, first="  - ", then="    ")
        lines[f"{line}\n    {each.passage.link}" if each.passage.link else line] = None
    return "\n".join(["The closest sections:", *lines]) if lines else ""


def _wrapped(text: str, width: int, *, first: str = "", then: str = "") -> str:
    """Each line of the text folded at `width`; `first` goes before the very first line, `then` before the others."""
    folded = [
        textwrap.fill(
            line,
            width,
            initial_indent=first if number == 0 else then,
            subsequent_indent=then,
            break_long_words=False,
            break_on_hyphens=False,
        )
        for number, line in enumerate(text.splitlines())
        if line.strip()
    ]
    return "\n".join(folded)
