"""Decides whether a drafted sentence may be shown: only as far as the passages that it cites support it (pure)."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from bot.answering.answers import TextStyle
from bot.answering.deadline import CheckTime, no_deadline
from bot.answering.verification.entailment import best_supporting_text, check_entailment
from bot.answering.verification.injection import trusted_spans, trusted_text
from bot.answering.verification.plain_text import find_words, has_only_cited_links, styled_words
from bot.answering.writing.generator import Draft, Quote
from retrieval.passages import Passage
from retrieval.sectioning.sentences import sentences

WORD = re.compile(r"\w+")

# Sentences of a quote at most, and how many quotes are tried.
QUOTED_SENTENCES = 3
TRIED_QUOTES = 6
# Each further sentence of a quote must say that much more of what it is quoted for.
SENTENCE_COST = 0.05


@dataclass(frozen=True, slots=True)
class VerifiedSentence:
    """A sentence that may be shown, and what is to be quoted for it; never without a quote."""

    text: str
    quotes: tuple[Quote, ...]
    styles: tuple[TextStyle, ...] = ()


class SentenceVerifier:
    """Verifies drafts against these passages; positions in drafts and quotes are those of the passages.

    `check_time` is called before each comparison, and raises where there is no more time.
    """

    def __init__(self, passages: Sequence[Passage], *, language: str, check_time: CheckTime = no_deadline) -> None:
        self._passages = passages
        self._check_time = check_time
        self._language = language

    def preload(self) -> None:
        """Parse the passages now rather than when somebody waits for the first sentence."""
        for text in self._texts:
            self._is_supported("-", [text])

    def verify(self, draft: Draft) -> VerifiedSentence | None:
        """Return the sentence as it may be shown, cited by what supports it; None for one that may not be shown.

        A question, a mere heading, a sentence with a link that is not cited and one without support are refused.
        """
        if draft.quotes:
            return VerifiedSentence(draft.text, draft.quotes) if self._stands_in_quotes(draft) else None
        if draft.is_code:
            return self._verify_code(draft)
        text, styles = styled_words(draft.text, self._passages)
        if not text or text.endswith("?"):
            return None
        supporting = self._supporting(text, [at for at in draft.claimed if 0 <= at < len(self._passages)])
        supporting = tuple(at for at in supporting if not _is_heading(text, self._passages[at]))
        if not supporting or not has_only_cited_links(text, [self._texts[at] for at in supporting]):
            return None
        return VerifiedSentence(text, tuple(self._best_quote(text, at) for at in supporting), styles)

    def _verify_code(self, draft: Draft) -> VerifiedSentence | None:
        """Return code as a passage has it: nothing tells whether code that differs by a sign still does the same."""
        others = (at for at in range(len(self._passages)) if at not in draft.claimed)
        for at in (*(at for at in draft.claimed if 0 <= at < len(self._passages)), *others):
            self._check_time()
            passage = self._passages[at]
            span = find_words(draft.text, passage.text)
            if span and _is_trusted(passage, *span):
                text = passage.text[slice(*span)]
                return VerifiedSentence(text, (Quote(at, *span),), (TextStyle(0, len(text), "block"),))
        return None

    @cached_property
    def _texts(self) -> list[str]:
        return [trusted_text(passage) for passage in self._passages]

    def _stands_in_quotes(self, draft: Draft) -> bool:
        """Whether every quote holds the sentence word for word."""
        quoted = (self._passages[quote.passage].text[quote.start : quote.end] for quote in draft.quotes)
        return all(draft.text in " ".join(text.split()) for text in quoted)

    def _is_supported(self, text: str, cited: Sequence[str]) -> bool:
        self._check_time()
        return check_entailment(text, cited, language=self._language).supported

    def _supporting(self, text: str, claimed: Sequence[int]) -> tuple[int, ...]:
        """Return the claimed passages that support the sentence, each alone or all together; else another that does."""
        alone = tuple(at for at in claimed if self._is_supported(text, [self._texts[at]]))
        if alone:
            return alone
        if len(claimed) > 1 and self._is_supported(text, [self._texts[at] for at in claimed]):
            return tuple(claimed)
        self._check_time()
        other = best_supporting_text(text, self._texts, language=self._language, check_time=self._check_time)
        return () if other is None else (other,)

    def _best_quote(self, text: str, position: int) -> Quote:
        """Return the one to three neighbouring sentences of the passage that say the most of this, in few words."""
        passage = self._passages[position]
        words = _words(text)
        candidates = sorted(
            _quote_candidates(passage),
            key=lambda each: each[2] - _share(words, passage.text[each[0] : each[1]]),
        )
        for start, end, _ in candidates[:TRIED_QUOTES]:
            source = "\n\n".join((passage.embedded_heading, passage.lead, passage.text[start:end]))
            if self._is_supported(text, [source]):
                return Quote(position, start, end)
        return Quote(position, candidates[0][0], candidates[0][1])


def _is_trusted(passage: Passage, start: int, end: int) -> bool:
    """Whether everything between these positions of a passage speaks to people."""
    for first, last in trusted_spans(passage):
        if first <= start < last or not passage.text[start:first].strip():
            start = max(start, last)
        if start >= end:
            return True
    return not passage.text[start:end].strip()


def _is_heading(text: str, passage: Passage) -> bool:
    """Whether it only says where to look, which is no sentence though everything in it stands there."""
    return _normalised(text) in _normalised(passage.embedded_heading)


def _quote_candidates(passage: Passage) -> Iterator[tuple[int, int, float]]:
    """Yield where each run of neighbouring sentences that are meant for people starts and ends, and its cost."""
    for start, end in trusted_spans(passage):
        spans = sentences(passage.text[start:end], offset=start)
        for first in range(len(spans)):
            for last in range(first, min(first + QUOTED_SENTENCES, len(spans))):
                yield spans[first][0], spans[last][1], SENTENCE_COST * (last - first)


def _words(text: str) -> list[str]:
    return WORD.findall(text.casefold())


def _normalised(text: str) -> str:
    return f" {' '.join(_words(text))} "


def _share(words: Sequence[str], text: str) -> float:
    """Return the share of these words, each counted once, that the text holds."""
    wanted = frozenset(words)
    return len(wanted.intersection(_words(text))) / max(1, len(wanted))
