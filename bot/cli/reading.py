"""Answers and documents as people read them in a terminal (pure)."""

import textwrap
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from retrieval.passages import Document, Hit, Passage

if TYPE_CHECKING:
    from bot.answering import Answer, Citation

WIDTH = 80
NOT_FOUND = "I could not find this in the documents."


def answer(given: "Answer", *, width: int = WIDTH) -> str:
    """The answer with its marks, then one footnote for each; what was not found says so and names what is near."""
    if given.abstained:
        parts = [NOT_FOUND, _nearest(given.nearest, width)]
    else:
        parts = [_body(given, width), "\n\n".join(_footnote(each, width) for each in given.citations)]
    notes = "\n".join(_wrapped(f"Note: {each.text}{_marks(each.citations)}", width) for each in given.warnings)
    return "\n\n".join(part for part in (parts[0], notes, *parts[1:]) if part)


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
    """Sentences run on as a paragraph; one that has lines of its own (a list, a table row) keeps them."""
    paragraphs: list[str] = []
    run: list[str] = []
    for sentence in given.sentences:
        marked = sentence.text.strip() + _marks(sentence.citations)
        if _stands_alone(sentence.text):
            paragraphs += [" ".join(run), marked]
            run = []
        else:
            run.append(marked)
    paragraphs.append(" ".join(run))
    return "\n".join(_wrapped(paragraph, width) for paragraph in paragraphs if paragraph)


def _stands_alone(text: str) -> bool:
    return "\n" in text.strip() or text.lstrip().startswith(("- ", "* ", "• ", "| "))


def _marks(numbers: Iterable[int]) -> str:
    joined = "".join(f"[{number}]" for number in numbers)
    return f" {joined}" if joined else ""


def _footnote(cited: "Citation", width: int) -> str:
    mark = f"[{cited.number}] "
    indent = " " * len(mark)
    lines = [_wrapped(place(cited.title, cited.section), width, first=mark, then=indent)]
    if cited.url:
        lines.append(indent + cited.url)  # never broken, so that it can be clicked
    lines.append(_wrapped(f"“{cited.quote.strip()}”", width, first=indent, then=indent))
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
