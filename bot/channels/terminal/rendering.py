"""Texts that people read in a terminal: answers, documents, and what became of what they asked for (pure)."""

import re
import textwrap
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from bot.channels import presentation
from bot.channels.presentation import section_label
from retrieval.passages import Document, Hit, Passage

if TYPE_CHECKING:
    from datetime import datetime

    from bot.answering.answers import Answer, Citation, Sentence
    from bot.services.audit import AuditEntry
    from bot.services.diagnostics.check import Check
    from bot.services.privacy import Erasure, KeptOfPerson
    from bot.services.votes import CurrentVote, VoteRequest
    from feedback.records import Correction, ExportedRows, Record, ReviewedExchange

WIDTH = 80
# In signs that every terminal has.
STATUS_TEXTS = {step: text.replace("…", "...") for step, text in presentation.STATUS_TEXTS.items()}
UNRECORDED = "footnote: the answer could not be recorded, so that nobody can vote on it: {error}"
CODE_INDENT = "    "
# Turns of the conversation that are shown to a reviewer.
EARLIER = 4

# A line of a paragraph that was broken by hand is about this long, and the next one starts with a word.
_BROKEN_LINE = 40
_GOES_ON = re.compile(r"\s*(?!\d+[.)]\s)\w")


def answer_text(answer: "Answer", *, width: int = WIDTH) -> str:
    """Return the answer with its marks, then a footnote for each; an abstention is followed by the nearest sections."""
    return "\n\n".join(part for part in (_body(answer, width), footnotes_text(answer, width=width)) if part)


def footnotes_text(answer: "Answer", *, width: int = WIDTH) -> str:
    """Return what stands below the sentences of an answer: notes, then its footnotes or the nearest sections."""
    notes = [presentation.NOTE.format(text=each) for each in presentation.notes(answer, separator="")]
    footnotes = "\n\n".join(_footnote(each, width) for each in answer.citations)
    parts = ("\n".join(_wrapped(each, width) for each in notes), footnotes, _nearest(answer.nearest, width))
    return "\n\n".join(part for part in parts if part)


class Paragraphs:
    """Folds sentences as they come: they run on, but one with lines of its own (a list, a table row) keeps them."""

    def __init__(self, width: int = WIDTH) -> None:
        self._width = width
        self._column = 0
        self._ended = False
        self._begun = False

    def add(self, sentence: "Sentence") -> str:
        """Return what is to be printed for the next sentence, right behind what was printed before it.

        A block begins apart from the one before, below its heading; what is left out of it is told at its end.
        """
        marked = _with_code(sentence).strip() + _marks(sentence.citations) + sentence.addresses
        alone = sentence.is_code_block or _has_own_lines(sentence.text)
        apart = bool(sentence.starts) and self._begun
        start = "\n\n" if apart else "\n" if self._column and (alone or self._ended) else ""
        if start:
            self._column = 0
        if sentence.starts and sentence.starts.heading:
            start += f"{_wrapped(sentence.starts.heading, self._width)}\n"
        self._begun, self._ended = True, alone or bool(sentence.more)
        if sentence.is_code_block:
            below = _marks(sentence.citations).strip()
            printed, self._column = f"{start}{textwrap.indent(sentence.text, CODE_INDENT)}\n{below}", len(below)
        else:
            printed = start + (self._kept(marked) if alone else self._run_on(marked.split()))
        return printed + (f"\n{sentence.more_text}" if sentence.more else "")

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


def vote_text(request: "VoteRequest", current: "CurrentVote") -> str:
    """Return what became of a vote."""
    vote = current.vote
    if current.waits:
        return (
            f"Kept on this machine: {request.vote}. The feedback store cannot be reached; when it can, the vote is "
            f"recorded if there is an answer {request.answer!r}."
        )
    if vote.vote != request.vote:
        return f"Recorded, but a later vote of yours counts: {vote.vote}."
    if vote.vote == "none":
        return "Withdrawn: no vote of yours on this answer counts."
    return f"Recorded: {vote.vote}{f' ({vote.reason})' if vote.reason else ''}."


def document_text(document: Document, sections: Sequence[Passage]) -> str:
    """Return what the document says of itself, its text exactly as it was parsed, and where its sections lie in it."""
    head = [document.title, f"document  {document.id}", f"version   {document.version}"]
    if document.url:
        head.append(f"url       {document.url}")
    lines = [f"{each.start}-{each.end}  #{each.anchor}  {section_path(each.section)}" for each in sections]
    return "\n".join([*head, "", document.text, "", f"sections  {len(sections)}", *lines])


def review_text(
    reviewed: "ReviewedExchange", *, heading: str, corrections: "Sequence[Correction]", width: int = WIDTH
) -> str:
    """Return what is to be decided on, with the corrections that wait; never who said what."""
    exchange = reviewed.exchange
    before = [
        f"{'Asked before' if role == 'user' else 'Answered'}: {text}" for role, text in exchange.history[-EARLIER:]
    ]
    sections = [
        f"[{each.number}] {section_label(each.title, each.section)}\n“{' '.join(each.quote.split())}”"
        for each in exchange.citations
    ]
    votes = [": ".join(filter(None, (f"{each.vote} {each.reason}".strip(), each.comment))) for each in reviewed.votes]
    numbered = [f"Correction {number}: {each.text}" for number, each in enumerate(corrections, start=1)]
    parts = [before, [f"Question: {exchange.question}"], [exchange.answer], sections, votes, numbered]
    blocks = ["\n".join(_filled(text, width) for text in part) for part in parts if part]
    return "\n\n".join([f"--- {heading} ---", *blocks]) + "\n"


def erasure_text(erased: "Erasure", *, files: Mapping[str, Mapping[str, int]]) -> str:
    """Return what was erased of a person; `files` are by export those that hold rows of theirs, and how many."""
    numbers = {
        "exchanges": erased.exchanges,
        "votes": erased.votes,
        "corrections": erased.corrections,
        "decisions": erased.decisions,
    }
    lines = [f"Erased {', '.join(f'{kind}: {number}' for kind, number in numbers.items())}."]
    if erased.elsewhere:
        lines.append(f"Elsewhere {_counts(erased.elsewhere)}.")
    lines += _export_lines(erased.exports, files)
    if erased.exports:
        lines.append("Export these again, and train models anew that were trained on them.")
    return "\n".join(lines)


def kept_text(kept: "KeptOfPerson", *, files: Mapping[str, Mapping[str, int]]) -> str:
    """Return what is kept of a person, their own words with it, for them to read."""
    from feedback.records import kind_of

    counts = Counter(f"{kind_of(type(each))}s" for each in kept.records)
    lines = [f"Kept {_counts(counts)}." if counts else "Nothing is recorded under this name."]
    lines += [line for each in kept.records for line in _own_words(each)]
    if kept.elsewhere:
        lines.append(f"Elsewhere {_counts(kept.elsewhere)}.")
    return "\n".join([*lines, *_export_lines(kept.exports, files)])


def _own_words(record: "Record") -> list[str]:
    from feedback.records import Correction, Decision, Exchange, Vote

    if isinstance(record, Exchange):
        return [f"  {_minute(record.at)}  asked: {record.question}", f"{'':20}answer: {record.answer}"]
    if isinstance(record, Vote):
        more = ", ".join(filter(None, (record.reason, record.comment)))
        return [f"  {_minute(record.at)}  voted {record.vote} on {record.answer}{f': {more}' if more else ''}"]
    if isinstance(record, Correction):
        return [f"  {_minute(record.at)}  corrected {record.answer}: {record.text}"]
    if isinstance(record, Decision):
        comment = f": {record.comment}" if record.comment else ""
        return [f"  {_minute(record.at)}  decided {record.verdict} on {record.answer}{comment}"]
    return []


def _minute(at: "datetime") -> str:
    return f"{at:%Y-%m-%d %H:%M}"


def audit_text(entries: "Iterable[AuditEntry]") -> str:
    """Return the audit trail, one line each; whoever did it by the beginning of their keyed hash."""
    lines = [
        f"{each.at[:19].replace('T', ' ')}  {each.by[:12] or '-':12}  {each.action}  {each.about}".rstrip()
        for each in entries
    ]
    return "\n".join(lines) or "Nothing has been done yet that is kept here."


def _counts(numbers: Mapping[str, int]) -> str:
    return ", ".join(f"{name}: {number}" for name, number in numbers.items())


def _export_lines(exports: "Sequence[ExportedRows]", files: Mapping[str, Mapping[str, int]]) -> list[str]:
    lines = []
    for each in exports:
        lines.append(f"The export {each.export.id} in {each.export.place} holds {len(each.rows)} rows of theirs:")
        lines += [f"  {name}  {rows} rows" for name, rows in files[each.export.id].items()] or [
            "  it is not there any more, or not whole; find the rows in copies by the hashes that --json prints"
        ]
    return lines


def check_text(check: "Check") -> str:
    """Return the line of a check of `footnote doctor`, with what mends it below."""
    sign = "ok  " if check.ok and not check.mend else "note" if check.ok else "FAIL"
    return f"{sign}  {check.check}: {check.detail}" + (f"\n      {check.mend}" if check.mend else "")


def section_path(path: str) -> str:
    return path.replace(" > ", " › ")


def _body(answer: "Answer", width: int) -> str:
    """Return the sentences with their marks; the text of an answer that has none, as when nothing was found."""
    if not answer.sentences:
        return _wrapped(answer.text, width)
    paragraphs = Paragraphs(width)
    return "".join(paragraphs.add(each) for each in answer.sentences)


def _has_own_lines(text: str) -> bool:
    return "\n" in text.strip() or " | " in text or text.lstrip().startswith(("- ", "* ", "• "))


def _with_code(sentence: "Sentence") -> str:
    """Return a sentence's text, code in it between backticks; a terminal shows nothing bold."""
    text = sentence.text
    for style in reversed(sentence.styles):
        if style.kind == "code":
            text = f"{text[: style.start]}`{text[style.start : style.end]}`{text[style.end :]}"
    return text


def _marks(numbers: Iterable[int]) -> str:
    joined = "".join(f"[{number}]" for number in numbers)
    return f" {joined}" if joined else ""


def _footnote(cited: "Citation", width: int) -> str:
    mark = f"[{cited.number}] "
    indent = " " * len(mark)
    lines = [_wrapped(section_label(cited.title, cited.section), width, first=mark, then=indent)]
    if cited.url:
        lines.append(indent + cited.url)  # never broken, so that it can be clicked
    lines.append(_wrapped(f"“{_reflowed(cited.quote.strip())}”", width, first=indent, then=indent))
    return "\n".join(lines)


def _reflowed(quote: str) -> str:
    """Return the quote without the line breaks that a file had within a paragraph.

    Items, table rows and code keep theirs.
    """
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
        line = _wrapped(section_label(each.passage.title, each.passage.section), width, first="  - ", then="    ")
        lines[f"{line}\n    {each.passage.link}" if each.passage.link else line] = None
    return "\n".join([presentation.NEAREST_HEADING, *lines]) if lines else ""


def _wrapped(text: str, width: int, *, first: str = "", then: str = "") -> str:
    """Fold each line of the text at `width`; `first` goes before the very first line, `then` before the others."""
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


def _filled(text: str, width: int) -> str:
    """Fold each line of the text at `width`, without indents; blank lines stay."""
    lines = text.splitlines()
    return "\n".join(textwrap.fill(each, width, break_long_words=False, break_on_hyphens=False) for each in lines)
