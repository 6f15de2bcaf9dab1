"""What a generator wrote is shown only as far as the sections that it cites support it (pure)."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from bot.answering.verification.entailment import best, check
from bot.answering.verification.injection import evidence, spans
from bot.answering.writing.generator import Draft
from bot.answering.writing.sentence_selection import Quote
from retrieval.passages import Passage
from retrieval.sectioning.sentences import sentences

IMAGE = re.compile(r"!\[[^\]]*\]\([^)]*\)")
LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
TAG = re.compile(r"<[^<>\s][^<>]*>")
LEADING = re.compile(r"^(?:[#>*•–◦▪|+-]+\s+|\(?\d{1,2}[.)]\s+)+")
EMPHASIS = re.compile(r"\*\*|__|`+|(?<!\w)\*(?=\S)|(?<=\S)\*(?!\w)")
WORD = re.compile(r"\w+")
SPACE_BEFORE_STOP = re.compile(r"\s+(?=[.,;:!?](?:\s|$))")
# What a chat client makes something of that can be clicked, or that calls somebody.
CLICKABLE = re.compile(
    r"(?:[a-z][a-z0-9+.-]*://|www\.|(?:mailto|javascript|data|tel|sms|file|vbscript|callto|skype|msteams|slack):)[^\s<>|]+"
    r"|[^\s<>@]+@[^\s<>@]+\.[^\s<>]+"
    r"|(?<!\w)@\w[\w.-]*"
    r"|(?<![\w.-])(?:[\w-]+\.)+[^\W\d_]{2,}(?:[/:?#][^\s<>|]*)?"
    r"|(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?:[/:][^\s<>|]*)?",
    re.IGNORECASE,
)
TRAILING = ".,;:!?)]}'\"”’*_`"

WINDOW = 3
TRIED_WINDOWS = 6
# Each further sentence of a quote must say that much more of what it is quoted for.
SENTENCE_COST = 0.05


@dataclass(frozen=True, slots=True)
class Admitted:
    """A sentence that may be shown, and what is to be quoted for it; never without a quote."""

    text: str
    quotes: tuple[Quote, ...]


class SentenceVerifier:
    """Admits sentences on the strength of these passages."""

    def __init__(self, passages: Sequence[Passage], *, language: str) -> None:
        self._passages = passages
        self._language = language

    def read(self) -> None:
        """Read the passages now rather than when somebody waits for the first sentence."""
        self._supports("-", self._evidence)

    def admitted(self, draft: Draft) -> Admitted | None:
        """The sentence as it may be shown, cited by what supports it; None for one that may not be shown."""
        if draft.quotes:
            return Admitted(draft.text, draft.quotes) if self._stands(draft) else None
        text = plain(draft.text, self._passages)
        if not text or text.endswith("?"):
            return None
        supporting = self._supporting(text, [n for n in draft.claimed if 0 <= n < len(self._passages)])
        supporting = tuple(n for n in supporting if not _is_heading(text, self._passages[n]))
        cited = [self._evidence[n] for n in supporting]
        if not supporting or not held(text, cited):
            return None
        return Admitted(text, tuple(self._window(text, n) for n in supporting))

    @cached_property
    def _evidence(self) -> list[str]:
        return [evidence(passage) for passage in self._passages]

    def _stands(self, draft: Draft) -> bool:
        """Whether every quote holds the sentence word for word."""
        quoted = (self._passages[quote.passage].text[quote.start : quote.end] for quote in draft.quotes)
        return all(draft.text in " ".join(text.split()) for text in quoted)

    def _supports(self, text: str, cited: Sequence[str]) -> bool:
        return check(text, cited, language=self._language).supported

    def _supporting(self, text: str, claimed: Sequence[int]) -> tuple[int, ...]:
        """The claimed passages that support the sentence, each alone or all together; else another that does."""
        alone = tuple(n for n in claimed if self._supports(text, [self._evidence[n]]))
        if alone:
            return alone
        if len(claimed) > 1 and self._supports(text, [self._evidence[n] for n in claimed]):
            return tuple(claimed)
        other = best(text, self._evidence, language=self._language)
        return () if other is None else (other,)

    def _window(self, text: str, position: int) -> Quote:
        """The one to three neighbouring sentences of the passage that say the most of this, in few words."""
        passage = self._passages[position]
        windows = list(_windows(passage))
        wanted = _words(text)
        windows.sort(key=lambda each: each[2] - _share(wanted, passage.text[each[0] : each[1]]))
        for start, end, _ in windows[:TRIED_WINDOWS]:
            if self._supports(text, ["\n\n".join((passage.embedded_heading, passage.lead, passage.text[start:end]))]):
                return Quote(position, start, end)
        return Quote(position, windows[0][0], windows[0][1])


def plain(text: str, passages: Sequence[Passage]) -> str:
    """The words alone: no link but what it is written on, no picture, no markup that no passage holds."""
    text = visible(text)
    text = LINK.sub(r"\1", IMAGE.sub("", text))
    text = TAG.sub(lambda m: m[0] if any(m[0] in passage.embedded_text for passage in passages) else "", text)
    text = EMPHASIS.sub("", LEADING.sub("", text.strip()))
    text = SPACE_BEFORE_STOP.sub("", " ".join(text.split()))
    return text if any(character.isalnum() for character in text) else ""


def visible(text: str) -> str:
    """The text without characters that nobody sees."""
    return "".join(c for c in text if c.isspace() or unicodedata.category(c) not in {"Cc", "Cf", "Co", "Cs", "Cn"})


def held(text: str, cited: Sequence[str]) -> bool:
    """Whether whatever can be clicked in this text stands in the cited texts, letter by letter."""
    clickable = set(_clickable(text))
    return not clickable or clickable <= {each for one in cited for each in _clickable(one)}


def _clickable(text: str) -> Iterator[str]:
    folded = unicodedata.normalize("NFKC", visible(text))
    yield from (found[0].rstrip(TRAILING) for found in CLICKABLE.finditer(folded))
    yield from (found[0] for found in TAG.finditer(folded))


def _is_heading(text: str, passage: Passage) -> bool:
    """Whether it only says where to look, which is no sentence though everything in it stands there."""
    return _spoken(text) in _spoken(passage.embedded_heading)


def _spoken(text: str) -> str:
    return f" {' '.join(WORD.findall(text.casefold()))} "


def _windows(passage: Passage) -> Iterator[tuple[int, int, float]]:
    """Where each run of neighbouring sentences that are meant for people begins and ends, and what its length costs."""
    for start, end in spans(passage):
        cut = sentences(passage.text[start:end], offset=start)
        for first in range(len(cut)):
            for last in range(first, min(first + WINDOW, len(cut))):
                yield cut[first][0], cut[last][1], SENTENCE_COST * (last - first)


def _words(text: str) -> frozenset[str]:
    return frozenset(WORD.findall(text.casefold()))


def _share(wanted: frozenset[str], text: str) -> float:
    return len(wanted & _words(text)) / max(1, len(wanted))
