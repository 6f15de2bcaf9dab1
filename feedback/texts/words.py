"""The words, case and whitespace of a text, in the forms in which texts are compared (pure)."""

import re
import unicodedata
from functools import lru_cache

from feedback.ports import TEXT_CACHE_SIZE

# A word with what may stand inside one: "don't", "e-mail", "a.m".
WORD = re.compile(r"[^\W_]+(?:['’\-.][^\W_]+)*")
# What is longer than any question is compared by its beginning.
MOST_CHARACTERS = 4000

_LETTERS = re.compile(r"\w+")


def fold(text: str) -> str:
    """Return the text in one form for every letter (NFKC), without capitals."""
    return unicodedata.normalize("NFKC", text).casefold()


def split_words(text: str) -> list[str]:
    """Return the folded words of a text in order, "don't" and "e-mail" as one each; none for an empty text."""
    return [fold(word) for word in WORD.findall(text)]


def normalize(text: str) -> str:
    """Return the folded letters and digits of a text with single spaces in place of all else.

    Near duplicates are found among texts of this form. Only the first MOST_CHARACTERS count.
    """
    return " ".join(_LETTERS.findall(fold(text[: 2 * MOST_CHARACTERS])))[:MOST_CHARACTERS]


@lru_cache(maxsize=TEXT_CACHE_SIZE)
def collapse_whitespace(text: str) -> str:
    """Return the text on one line with single spaces; remembered, as passages come again."""
    return " ".join(text.split())
