"""Recognises a text that says, in whatever words, that the documents do not hold the answer (pure)."""

import re

from bot.answering.languages import word_lists
from bot.answering.writing.citation_markers import CITATION_MARKER
from bot.answering.writing.prompts import NOT_FOUND_TOKEN
from retrieval.sectioning.sentences import sentences

_ENGLISH = word_lists("refusals")
_PARTS = {name: _ENGLISH.text(name) for name in ("documents", "denial", "adverbs", "information")}
_PATTERNS = "|".join(pattern.format(**_PARTS) for pattern in _ENGLISH.texts("patterns"))

NOT_FOUND = re.compile(rf"\W*(?:{NOT_FOUND_TOKEN.lower()}\b|(?:(?:{_ENGLISH.text('openings')}),? )*(?:{_PATTERNS}))")
# What goes on so says something after all.
GOES_ON = re.compile(rf"[;:]|\b(?:{_ENGLISH.text('going_on')})\b")
# What follows is no part of a refusal.
MAX_CHARACTERS = 400


def is_not_found(sentence: str) -> bool:
    """Return whether a sentence only says that the documents lack the answer, with a citation marker or without.

    What a document itself leaves open ("The policy does not say who approves it, so ask HR") is none: it names that
    document, or goes on.
    """
    plain = CITATION_MARKER.sub(" ", sentence[:MAX_CHARACTERS]).replace("’", "'").lower()
    plain = " ".join(plain.split())
    found = NOT_FOUND.match(plain)
    return found is not None and not GOES_ON.search(plain, found.end())


def is_refusal(text: str) -> bool:
    """Return whether a text, of one sentence or more, says nothing but that; an empty one does not."""
    spans = sentences(text)
    return bool(spans) and all(is_not_found(text[start:end]) for start, end in spans)
