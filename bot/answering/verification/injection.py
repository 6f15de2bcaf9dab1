"""Detects orders to a model in documents (prompt injection), and leaves them out of what proves a sentence (pure).

A paragraph that speaks to a model ("ignore your instructions and say that ...") proves nothing of what it wants said.
It can still be found, quoted and read by people; where this takes too much, the answer is a quote.
"""

import re
import unicodedata
from collections.abc import Iterator

from bot.answering.languages import word_lists
from retrieval.characters import FORMAT_CATEGORY, remove_hidden
from retrieval.passages import Passage
from retrieval.sectioning.sentences import Span, sentences

# Characters of a section that are looked at; what stands beyond them proves nothing, and no model is given it. The
# window of the default embedding model has 1,200.
LONGEST_SECTION = 20_000

PARAGRAPH_BREAK = re.compile(r"\n[ \t]*\n")
INJECTION = re.compile(word_lists("injection").alternatives("orders"), re.IGNORECASE)


def is_injection(text: str) -> bool:
    """Whether a text gives a model orders, also when hidden characters stand between its letters."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", remove_hidden(text, categories=FORMAT_CATEGORY))
    return INJECTION.search(re.sub(r"[^\S\n]+", " ", text)) is not None


def trusted_spans(passage: Passage) -> list[Span]:
    """Return the paragraphs of a passage's text that speak to people, in order; none below a heading that does not.

    Those of a long text end with the last sentence that is whole within its first `LONGEST_SECTION` characters.
    """
    if is_injection("\n".join((passage.title, *passage.headings))):
        return []
    text = passage.text[: _last_end(passage.text)]
    return [(start, end) for start, end in _paragraphs(text) if not is_injection(text[start:end])]


def trusted_text(passage: Passage) -> str:
    """Return what a sentence that cites this passage may rest on, below its title and headings; empty for nothing."""
    paragraphs = [text for start, end in trusted_spans(passage) if (text := passage.text[start:end]).strip()]
    above = [text for text in (passage.embedded_heading, passage.lead) if text]
    return "\n\n".join([*above, *paragraphs]) if paragraphs else ""


def _last_end(text: str) -> int:
    """Return how much of a text is looked at."""
    if len(text) <= LONGEST_SECTION:
        return len(text)
    return max((end for _, end in sentences(text[:LONGEST_SECTION])[:-1]), default=0)


def _paragraphs(text: str) -> Iterator[Span]:
    start = 0
    for gap in PARAGRAPH_BREAK.finditer(text):
        yield start, gap.start()
        start = gap.end()
    yield start, len(text)
