"""Passages and found sections as prompts and rows hold them (pure)."""

from collections.abc import Sequence
from dataclasses import replace

from feedback.curation.dataset import EmbeddedSection
from feedback.curation.options import CurationOptions
from feedback.curation.personal_data import Redactor
from feedback.curation.secrets import find_secrets
from feedback.ports import CurrentSection, FoundSection
from feedback.records import AnswerSentence, RetrievedPassage, StoredCitation
from feedback.texts.words import collapse_whitespace


def passage_text(passage: RetrievedPassage) -> str:
    """Return what a passage says: title and headings, then its text."""
    return f"{_heading(passage)}\n\n{passage.text}"


def embedded_passage(passage: RetrievedPassage) -> EmbeddedSection:
    """Return a passage that was shown as the retriever embeds it."""
    return EmbeddedSection(section_id(passage), _heading(passage), passage.text)


def embedded_section(found: FoundSection, redactor: Redactor) -> EmbeddedSection:
    """Return a section that a search found as the retriever embeds it, redacted."""
    return EmbeddedSection(section_id(found), redactor.redact(found.title), redactor.redact(found.text))


def cited_sections(
    sentences: Sequence[AnswerSentence], passages: Sequence[RetrievedPassage]
) -> tuple[EmbeddedSection, ...]:
    """Return the passages that the sentences cite by number, each once, in the order in which they are cited."""
    numbers = dict.fromkeys(number for each in sentences for number in each.citations)
    return tuple(embedded_passage(passages[number - 1]) for number in numbers)


def section_id(section: RetrievedPassage | FoundSection) -> str:
    """Return DOCUMENT#ANCHOR."""
    return f"{section.document}#{section.anchor}"


def may_be_in_rows(found: FoundSection, current: CurrentSection | None, options: CurationOptions) -> bool:
    """Return whether a section that a search found still stands, is readable and holds no secret."""
    return current is not None and bool(current.audience & options.readable) and not find_secrets(found.text)


def redact_passage(passage: RetrievedPassage, redactor: Redactor) -> RetrievedPassage:
    """Return the passage without personal data; the very same one where it holds none."""
    text, title = redactor.redact(passage.text), redactor.redact(passage.title)
    section = redactor.redact(passage.section)
    changed = (text, title, section) != (passage.text, passage.title, passage.section)
    return replace(passage, text=text, title=title, section=section) if changed else passage


def cited_number(citation: StoredCitation, passages: Sequence[RetrievedPassage], redactor: Redactor) -> int:
    """Return the number (from 1) of the redacted passage that is quoted; 0 when its section is not among them."""
    quote = collapse_whitespace(redactor.redact(citation.quote))
    same = [
        number
        for number, each in enumerate(passages, start=1)
        if (each.document, each.anchor, each.version) == (citation.document, citation.anchor, citation.version)
    ]
    quoted = (number for number in same if quote in collapse_whitespace(passages[number - 1].text))
    return next(quoted, same[0] if same else 0)


def _heading(passage: RetrievedPassage) -> str:
    """Return title and headings on one line, the title not said twice."""
    path = [each for each in passage.section.split(" > ") if each]
    return " › ".join([passage.title, *path[path[:1] == [passage.title] :]])
