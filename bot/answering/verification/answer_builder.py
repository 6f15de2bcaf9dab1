"""An answer as it grows: sentences are admitted, cited and numbered (pure)."""

from collections.abc import Iterator, Sequence

from bot.answering.answers import Citation, Sentence, SentenceReady
from bot.answering.verification.verifier import SentenceVerifier
from bot.answering.writing.generator import Draft, Generator
from bot.answering.writing.sentence_selection import ITEM, Quote
from retrieval.passages import Passage
from retrieval.sectioning.sentences import CELL, leans

# A model that goes on after this many sentences is not answering any more.
MOST_SENTENCES = 12
# Less of what was written is too little: then the sections are quoted as well.
LEAST_SHARE = 0.4


class AnswerBuilder:
    """An answer as it grows: what was admitted, numbered in the order of first use. Nothing leaves it again."""

    def __init__(self, passages: Sequence[Passage], *, language: str = "english") -> None:
        self._passages = passages
        self.guard = SentenceVerifier(passages, language=language)
        self._quotes: list[Quote] = []
        self._seen: set[str] = set()
        self._shown = self._shown_before = True  # whether the last sentence was, and the one before it
        self.sentences: list[Sentence] = []
        self.citations: list[Citation] = []
        self.generator: Generator | None = None  # whose the first sentence is
        self.fallback: str | None = None
        self.proposed = 0
        self.dropped = 0

    def take(self, drafts: Iterator[Draft], generator: Generator) -> Iterator[SentenceReady]:
        """What may be shown of these, as they come."""
        quoted = [" ".join(citation.quote.split()) for citation in self.citations]
        self._seen = {sentence.text.casefold() for sentence in self.sentences}
        self._shown = self._shown_before = True
        for draft in drafts:
            if self._is_known(draft) or any(draft.quotes and draft.text in quote for quote in quoted):
                continue
            ready = self._admit(draft)
            if ready:
                self.generator = self.generator or generator
                yield ready
            if len(self.sentences) >= MOST_SENTENCES and not draft.quotes:
                return

    def is_thin(self, *, broken_off: bool) -> bool:
        """Whether so little is left of what was written that it is no answer; a sentence that broke off counts too."""
        return len(self.sentences) < max(1, LEAST_SHARE * (self.proposed + broken_off))

    def _is_known(self, draft: Draft) -> bool:
        """Whether it was judged already: said before, or shown when it had fewer citations."""
        if draft.again:
            return self._shown
        known = draft.text.casefold() in self._seen
        self._seen.add(draft.text.casefold())
        return known

    def _admit(self, draft: Draft) -> SentenceReady | None:
        if not draft.again:
            self.proposed += 1
            self._shown_before = self._shown
        found = None
        if self._shown_before or not leans(draft.text):
            found = self.guard.admitted(draft)
        self._shown = found is not None
        if found is None:
            self.dropped += not draft.again
            return None
        self.dropped -= draft.again
        before = len(self.citations)
        sentence = Sentence(found.text, tuple(dict.fromkeys(self._number(quote) for quote in found.quotes)))
        self.sentences.append(sentence)
        return SentenceReady(sentence, tuple(self.citations[before:]))

    def _number(self, quote: Quote) -> int:
        """The number under which this is quoted, or as a part of more; a new one otherwise."""
        for number, other in enumerate(self._quotes, start=1):
            if other.passage == quote.passage and other.start <= quote.start and quote.end <= other.end:
                return number
        self._quotes.append(quote)
        self.citations.append(_citation(len(self._quotes), self._passages[quote.passage], quote.start, quote.end))
        return len(self._quotes)


def with_marks(sentences: Sequence[Sentence]) -> str:
    """The answer as one text, each sentence followed by its marks, items and table rows on lines of their own."""
    text = ""
    for sentence in sentences:
        marks = "".join(f"[{number}]" for number in sentence.citations)
        text += f"{_separator(sentence) if text else ''}{sentence.text} {marks}"
    return text


def _separator(sentence: Sentence) -> str:
    return "\n" if ITEM.match(sentence.text) or CELL in sentence.text else " "


def _citation(number: int, passage: Passage, start: int, end: int) -> Citation:
    return Citation(
        number,
        passage.document,
        passage.title,
        passage.section,
        passage.anchor,
        passage.link,
        passage.text[start:end],
        passage.version,
    )
