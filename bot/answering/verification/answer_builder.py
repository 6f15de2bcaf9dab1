"""Builds an answer sentence by sentence: each is verified, cited and numbered as it comes (pure)."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from bot.answering.answers import BlockStart, Citation, Sentence, SentenceLink, SentenceReady, TextStyle
from bot.answering.deadline import CheckTime, no_deadline
from bot.answering.verification.verifier import SentenceVerifier
from bot.answering.writing.generator import Draft, Generator, Quote
from retrieval.passages import Passage
from retrieval.sectioning.blocks import TextBlockKind
from retrieval.sectioning.sentences import refers_back

ADDRESS = re.compile(
    r"(?:[a-z][a-z0-9+.-]*:|www\.|//|\\\\|[^\s@]+@|[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}(?:/|$))", re.IGNORECASE
)
# "https://bank.example@evil.example/" leads to the second.
USER_INFO = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#]*@", re.IGNORECASE)
UNSAFE = re.compile(r"[<>\"\s]")

# A model that goes on after this many sentences is not answering any more.
MAX_SENTENCES = 12
# With a smaller share of the drafts shown, the sections are quoted as well.
MIN_SHOWN_SHARE = 0.4


class AnswerBuilder:
    """An answer as it grows; what was added is never taken back.

    `sentences` and `citations` are what may be shown, citations numbered in the order of first use. `generator` is
    whose the first sentence is, None as long as there is none. `proposed` counts the drafts, `dropped` those of them
    that were not verified. `fallback` is for the pipeline to set.
    """

    def __init__(
        self, passages: Sequence[Passage], *, language: str = "english", check_time: CheckTime = no_deadline
    ) -> None:
        self._passages = passages
        self._check_time = check_time
        self._quotes: list[Quote] = []
        self._seen: set[str] = set()
        self._was_shown = self._was_shown_before = True  # the last draft, and the one before it
        self._starts: BlockStart | None = None  # of a block whose first sentence was not shown
        self._kind: TextBlockKind | None = "paragraph"  # of the block that a model's last sentence is in
        self.verifier = SentenceVerifier(passages, language=language, check_time=check_time)
        self.sentences: list[Sentence] = []
        self.citations: list[Citation] = []
        self.generator: Generator | None = None
        self.fallback: str | None = None
        self.proposed = 0
        self.dropped = 0

    def add(self, drafts: Iterator[Draft], generator: Generator) -> Iterator[SentenceReady]:
        """Verify these drafts and yield the sentences that may be shown, as they come.

        A draft is skipped that was seen before, or that stands in a quote already. Ends once the answer has 12
        sentences, unless the drafts are quotes. Raises `TookTooLong` once `check_time` does.
        """
        quoted = [" ".join(citation.quote.split()) for citation in self.citations]
        self._seen = {sentence.text.casefold() for sentence in self.sentences}
        self._was_shown = self._was_shown_before = True
        for draft in drafts:
            self._check_time()
            self._starts = draft.starts or self._starts
            if self._is_known(draft) or any(draft.quotes and draft.text in quote for quote in quoted):
                continue
            ready = self._verify(draft)
            if ready:
                self.generator = self.generator or generator
                yield ready
            if len(self.sentences) >= MAX_SENTENCES and not draft.quotes:
                return

    def is_thin(self, *, broken_off: bool) -> bool:
        """Whether so few of the drafts are shown that it is no answer; a sentence that broke off counts as a draft."""
        return len(self.sentences) < max(1, MIN_SHOWN_SHARE * (self.proposed + broken_off))

    def _is_known(self, draft: Draft) -> bool:
        """Whether it was verified already: drafted before, or shown when it had fewer citations."""
        if draft.again:
            return self._was_shown
        known = draft.text.casefold() in self._seen
        self._seen.add(draft.text.casefold())
        return known

    def _verify(self, draft: Draft) -> SentenceReady | None:
        if not draft.again:
            self.proposed += 1
            self._was_shown_before = self._was_shown
        verified = None
        if self._was_shown_before or not refers_back(draft.text):
            verified = self.verifier.verify(draft)
        self._was_shown = verified is not None
        if verified is None:
            self.dropped += not draft.again
            return None
        self.dropped -= draft.again
        before = len(self.citations)
        numbers = tuple(dict.fromkeys(self._number(quote) for quote in verified.quotes))
        links = tuple(self._links(verified.text, verified.quotes))
        starts = self._starts or self._starts_block(draft)
        text, styles = _with_marker(verified.text, verified.styles, draft.marker)
        sentence = Sentence(text, numbers, links, starts=starts, more=draft.more, styles=styles)
        self._starts = None
        self.sentences.append(sentence)
        return SentenceReady(sentence, tuple(self.citations[before:]))

    def _starts_block(self, draft: Draft) -> BlockStart | None:
        """Return the block that a model's sentence begins: a list with its first item, a paragraph after one.

        What stands in the line of an item goes on with it; code is a paragraph of its own.
        """
        before, is_listed = self._kind, self._kind in {"list", "steps"}
        if draft.quotes:
            self._kind = "paragraph"
            return BlockStart() if is_listed else None
        if is_listed and draft.same_line:
            return None
        kind: TextBlockKind = "paragraph" if not draft.marker else "list" if draft.marker == "-" else "steps"
        self._kind = None if draft.is_code else kind
        return BlockStart(kind) if draft.is_code or kind != before else None

    def _links(self, text: str, quotes: Sequence[Quote]) -> Iterator[SentenceLink]:
        """Yield the links of the quoted places whose words the sentence holds, unless it holds the address itself."""
        for quote in quotes:
            passage = self._passages[quote.passage]
            for link in passage.links:
                words = " ".join(passage.text[link.start : link.end].split())
                is_quoted = quote.start <= link.start and link.end <= quote.end and words in text
                # Words that look like another address would hide where they lead.
                if is_quoted and link.url not in text and not ADDRESS.match(words) and not USER_INFO.match(link.url):
                    yield SentenceLink(words, UNSAFE.sub(lambda sign: f"%{ord(sign[0]):02X}", link.url))

    def _number(self, quote: Quote) -> int:
        """Return the number of the citation that holds this quote, a new one if none does."""
        for number, other in enumerate(self._quotes, start=1):
            if other.passage == quote.passage and other.start <= quote.start and quote.end <= other.end:
                return number
        self._quotes.append(quote)
        self.citations.append(_citation(len(self._quotes), self._passages[quote.passage], quote))
        return len(self._quotes)


def _with_marker(text: str, styles: Sequence[TextStyle], marker: str) -> tuple[str, tuple[TextStyle, ...]]:
    """Return an item behind its marker, and the spans where they are then."""
    before = f"{marker} " if marker else ""
    moved = (replace(each, start=each.start + len(before), end=each.end + len(before)) for each in styles)
    return before + text, tuple(moved)


def text_with_citations(sentences: Sequence[Sentence]) -> str:
    """Return the answer as one text: blocks apart, below their headings, items and table rows on their own lines.

    Each sentence is followed by its numbers and the addresses that its words lead to.
    """
    text = ""
    for before, sentence in pairwise((None, *sentences)):
        assert sentence is not None
        starts = sentence.starts
        if before is not None:
            ends_list = (before.has_own_line or before.more) and not sentence.has_own_line
            text += "\n\n" if starts or ends_list else "\n" if sentence.has_own_line else " "
        text += f"{starts.heading}\n" if starts and starts.heading else ""
        numbers = "".join(f"[{number}]" for number in sentence.citations)
        text += f"{sentence.text} {numbers}{sentence.addresses}"
        if sentence.more:
            text += ("\n" if sentence.has_own_line else " ") + sentence.more_text
    return text


def _citation(number: int, passage: Passage, quote: Quote) -> Citation:
    return Citation(
        number,
        passage.document,
        passage.title,
        passage.section,
        passage.anchor,
        passage.link,
        passage.text[quote.start : quote.end],
        passage.version,
    )
