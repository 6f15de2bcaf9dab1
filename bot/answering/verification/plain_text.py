"""Reduces what a model wrote to plain words and how they are shown, and finds links without a source (pure).

What is emphasis or code is carried as spans over the plain words, never as signs: no sign that a model writes reaches
a platform as more than a sign.
"""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate, islice
from typing import Literal

from bot.answering.answers import TextStyle
from bot.answering.languages import word_lists
from retrieval.characters import remove_hidden
from retrieval.passages import Passage
from retrieval.sectioning.sentences import Span

# No label and no address is longer; a bracket that opens nothing is not followed to the end of the text.
IMAGE = re.compile(r"!\[[^\[\]]{0,500}+\]\([^)]{0,2100}+\)")
LINK = re.compile(r"\[([^\[\]]{0,500}+)\]\([^)]{0,2100}+\)")
TAG = re.compile(r"<[^<>\s][^<>]*>")
LINE_MARKUP = re.compile(r"^(?:[#>*•–◦▪|+-]++\s++|\(?\d{1,2}[.)]\s++)+")
# Code in a line goes first: the signs within it are its own. The second group is what an underscore marks.
SIGNS = re.compile(
    r"(?<!`)(?:`([^`]{1,200})`|``([^`]{1,200})``)(?!`)"
    r"|(?<!\w)_([^_\s][^_]{0,300})(?<!\s)_(?!\w)"
    r"|\*\*|__|`+|(?<!\w)\*(?=\S)|(?<=\S)\*(?!\w)"
)
# What is marked, one level of it; what is bold to the end of a sentence may have lost its last signs with the citation.
MARKED = re.compile(
    r"(?<!`)(?:`(?P<code>[^`]{1,200})`|``(?P<code2>[^`]{1,200})``)(?!`)"
    r"|\*\*(?P<strong>[^*\s][^*]{0,300})(?:\*\*|$)"
    r"|__(?P<strong2>[^_\s][^_]{0,300})(?:__|$)"
    r"|(?<![\w*])\*(?P<emphasis>[^*\s][^*]{0,300})(?<!\s)\*(?![\w*])"
    r"|(?<!\w)_(?P<emphasis2>[^_\s][^_]{0,300})(?<!\s)_(?!\w)"
)
WORD = re.compile(r"\S+")
MOST_STYLES = 20
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
KINDS: Mapping[str, Literal["strong", "emphasis", "code"]] = {
    "code": "code",
    "code2": "code",
    "strong": "strong",
    "strong2": "strong",
    "emphasis": "emphasis",
    "emphasis2": "emphasis",
}
TRAILING = ".,;:!?)]}'\"”’*_`"


def styled_words(text: str, passages: Sequence[Passage]) -> tuple[str, tuple[TextStyle, ...]]:
    """Return the words alone, and which of them were marked as bold, stressed or code; empty without letter or digit.

    Links become their text, images and markup go; tags stay that a passage holds.
    A mark within a word, an address or a name that is called (`@...`) is none, so that no sign can change what these
    are taken for.
    """
    text = remove_hidden(text)
    text = LINK.sub(r"\1", IMAGE.sub("", text))
    text = TAG.sub(lambda tag: tag[0] if any(tag[0] in passage.embedded_text for passage in passages) else "", text)
    text = LINE_MARKUP.sub("", text.strip())
    words = _words(text)
    if not any(character.isalnum() for character in words):
        return "", ()
    return words, tuple(islice(_styles(text, words), MOST_STYLES))


def _words(text: str) -> str:
    """Return a text without its signs."""
    plain = SIGNS.sub(lambda found: next(filter(None, found.groups()), ""), text)
    return SPACE_BEFORE_STOP.sub("", " ".join(plain.split()))


def _styles(text: str, words: str) -> Iterator[TextStyle]:
    """Yield the spans of the words that the text marks."""
    clickable = [each.span() for each in CLICKABLE.finditer(words)]
    end, last_marked = 0, -1
    for found in MARKED.finditer(text):
        name, marked = next((name, each) for name, each in found.groupdict().items() if each)
        kind = KINDS[name]
        content = " ".join(marked.split()) if kind == "code" else _words(marked)
        before = len(_words(text[: found.start()].rstrip("*_")))
        start = words.find(content, max(end, before), before + len(content) + 2)
        if not any(character.isalnum() for character in content) or start < 0:
            continue
        end = start + len(content)
        around = words[start - 1 : start] if start else "", words[end : end + 1]
        cuts = any(first < end and start < last and not (start <= first and last <= end) for first, last in clickable)
        if start > last_marked and not cuts and not any(each.isalnum() or each in {"_", "@"} for each in around):
            last_marked = end  # two that touch would have their signs in one run
            yield TextStyle(start, end, kind)


def find_words(wanted: str, text: str) -> Span | None:
    """Return where a text holds these words one after the other, whatever space is between them; None for nowhere."""
    words = list(WORD.finditer(text))
    starts = list(accumulate((len(each[0]) + 1 for each in words), initial=0))
    spaced, sought = " ".join(each[0] for each in words), " ".join(wanted.split())
    at = spaced.find(sought)
    while sought and at >= 0:
        end = at + len(sought)
        if not _joins(spaced[at - 1 : at + 1] if at else "") and not _joins(spaced[end - 1 : end + 1]):
            first, last = bisect_right(starts, at) - 1, bisect_right(starts, end - 1) - 1
            return words[first].start() + at - starts[first], words[last].start() + end - starts[last]
        at = spaced.find(sought, at + 1)
    return None


def _joins(two: str) -> bool:
    """Whether two characters belong to one word."""
    return len(two) > 1 and all(each.isalnum() or each == "_" for each in two)


def has_only_cited_links(text: str, sources: Sequence[str]) -> bool:
    """Whether everything in this text that can be clicked stands in one of the sources, letter by letter."""
    clickable = set(_clickable(text))
    return not clickable or clickable <= {each for source in sources for each in _clickable(source)}


def _clickable(text: str) -> Iterator[str]:
    folded = unicodedata.normalize("NFKC", remove_hidden(text))
    yield from (match[0].rstrip(TRAILING) for match in CLICKABLE.finditer(folded))
    yield from (match[0] for match in TAG.finditer(folded))
