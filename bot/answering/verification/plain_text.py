"""Reduces what a model wrote to plain words, and finds links in it that its sources do not hold (pure)."""

import re
import unicodedata
from collections.abc import Iterator, Sequence

from bot.answering.languages import word_lists
from retrieval.characters import remove_hidden
from retrieval.passages import Passage

# No label and no address is longer; a bracket that opens nothing is not followed to the end of the text.
IMAGE = re.compile(r"!\[[^\[\]]{0,500}+\]\([^)]{0,2100}+\)")
LINK = re.compile(r"\[([^\[\]]{0,500}+)\]\([^)]{0,2100}+\)")
TAG = re.compile(r"<[^<>\s][^<>]*>")
LINE_MARKUP = re.compile(r"^(?:[#>*•–◦▪|+-]++\s++|\(?\d{1,2}[.)]\s++)+")
EMPHASIS = re.compile(r"\*\*|__|`+|(?<!\w)\*(?=\S)|(?<=\S)\*(?!\w)")
SPACE_BEFORE_STOP = re.compile(r"(?<!\s)\s++(?=[.,;:!?](?:\s|$))")
# What a chat client makes something of that can be clicked, or that calls somebody.
CLICKABLE = re.compile(
    r"(?:(?<![a-z0-9+.-])[0-9+.-]*+[a-z][a-z0-9+.-]*+://|www\."
    rf"|(?:{word_lists('plain_text').alternatives('link_schemes')}):)[^\s<>|]+"
    r"|(?<![^\s<>@])[^\s<>@]++@[^\s<>@]+"
    r"|(?<![:/\w])//[^\s<>|/][^\s<>|]*"
    r"|\\\\[^\s<>|]+"
    r"|(?<!\w)@\w[\w.-]*"
    r"|(?<![\w.-])(?:[\w-]+\.)+[^\W\d_]{2,}(?:[/:?#][^\s<>|]*)?"
    r"|(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?:[/:][^\s<>|]*)?",
    re.IGNORECASE,
)
TRAILING = ".,;:!?)]}'\"”’*_`"


def strip_markup(text: str, passages: Sequence[Passage]) -> str:
    """Return the words alone: links become their text, images and markup go; tags stay that a passage holds.

    Empty for a text without a letter or digit.
    """
    text = remove_hidden(text)
    text = LINK.sub(r"\1", IMAGE.sub("", text))
    text = TAG.sub(lambda tag: tag[0] if any(tag[0] in passage.embedded_text for passage in passages) else "", text)
    text = EMPHASIS.sub("", LINE_MARKUP.sub("", text.strip()))
    text = SPACE_BEFORE_STOP.sub("", " ".join(text.split()))
    return text if any(character.isalnum() for character in text) else ""


def has_only_cited_links(text: str, sources: Sequence[str]) -> bool:
    """Whether everything in this text that can be clicked stands in one of the sources, letter by letter."""
    clickable = set(_clickable(text))
    return not clickable or clickable <= {each for source in sources for each in _clickable(source)}


def _clickable(text: str) -> Iterator[str]:
    folded = unicodedata.normalize("NFKC", remove_hidden(text))
    yield from (match[0].rstrip(TRAILING) for match in CLICKABLE.finditer(folded))
    yield from (match[0] for match in TAG.finditer(folded))
