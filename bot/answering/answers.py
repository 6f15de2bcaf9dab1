"""The values of answering: a question, an answer with its parts, and the events of a stream.

A stream (`AnsweringPipeline.stream`) begins with `Status("searching")`, then, if the documents seem to hold an answer,
`Status("writing")` and any number of `SentenceReady`; it always ends with one `Done`. Small talk is recognised by the
pipeline alone: its stream is a single `Done` without a `Status` before it, and its answer has `is_small_talk` set. Who
shows a stream therefore shows a status only when a `Status` arrives, and records only what is no small talk; what is
slow to look up for a question (history, groups) goes into the `prepare` of the stream, which small talk never calls.
"""

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from retrieval.passages import Hit, Turn
from retrieval.sectioning.blocks import ITEM, TextBlockKind
from retrieval.sectioning.sentences import CELL, row_cells

# Names of generators that are no model.
EXTRACTIVE = "extractive"
SMALL_TALK = "conversation"


@dataclass(frozen=True, slots=True)
class Question:
    """A question, the conversation before it and the groups of whoever asks; no groups means `everyone`."""

    text: str
    history: tuple[Turn, ...] = ()
    groups: frozenset[str] = frozenset()
    user: str = ""
    conversation: str = ""


@dataclass(frozen=True, slots=True)
class BlockStart:
    """What kind of block begins with a sentence, and the heading above it; empty where it needs none."""

    kind: TextBlockKind = "paragraph"
    heading: str = ""


@dataclass(frozen=True, slots=True)
class SentenceLink:
    """Words of a sentence that lead to an address."""

    text: str
    url: str


@dataclass(frozen=True, slots=True)
class TextStyle:
    """How `text[start:end]` of a sentence is shown where that is possible; `block` is code on lines of its own."""

    start: int
    end: int
    kind: Literal["strong", "emphasis", "code", "block"]


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence, item or row of an answer with the numbers of its citations; never without any.

    `starts` is set where a block begins; `more`, of a block's last sentence, counts the parts left out. `styles` are
    spans of the text, in order, none within another; the text itself is plain words.
    """

    text: str
    citations: tuple[int, ...]
    links: tuple[SentenceLink, ...] = ()
    starts: BlockStart | None = None
    more: int = 0
    styles: tuple[TextStyle, ...] = ()

    @property
    def has_own_line(self) -> bool:
        """Whether it is an item, a row or a block of code, which does not run on."""
        return self.is_code_block or ITEM.match(self.text) is not None or CELL in self.text

    @property
    def is_code_block(self) -> bool:
        """Whether it is code whose lines stay as they are."""
        return any(each.kind == "block" for each in self.styles)

    @property
    def addresses(self) -> str:
        """What is put after it where words cannot be links: each address that they lead to once; empty for none."""
        return "".join(f" <{url}>" for url in dict.fromkeys(link.url for link in self.links))

    @property
    def more_text(self) -> str:
        """What says that its block goes on in the section; empty where it does not."""
        if not self.more:
            return ""
        return f"… and {self.more} more in the section" if self.has_own_line else "… the section goes on"


@dataclass(frozen=True, slots=True)
class AnswerBlock:
    """Sentences that belong together, as positions in the answer; `rows` are a table's cells, its head first."""

    kind: TextBlockKind
    heading: str
    sentences: tuple[int, ...]
    rows: tuple[tuple[str, ...], ...] = ()
    more: int = 0


@dataclass(frozen=True, slots=True)
class Citation:
    """The section behind a number; `quote` is a slice of that version of the document's text."""

    number: int
    document: str
    title: str
    section: str
    anchor: str
    url: str
    quote: str
    version: str


@dataclass(frozen=True, slots=True)
class AnswerWarning:
    """A note to an answer, for example that a document is out of date; `citations` are the numbers it is about.

    `document` is one that it names and that need not be cited.
    """

    kind: Literal["uncertain", "review-date", "superseded", "conflict", "condition"]
    text: str
    citations: tuple[int, ...] = ()
    document: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it is shown.

    An abstention has no sentences and no citations, but the `nearest` sections; small talk has none of these. `shown`
    are the sections that the answer was made from; `fallback` says why another generator than the configured one
    answered; `timings` are seconds by step.
    """

    id: str
    text: str
    sentences: tuple[Sentence, ...] = ()
    citations: tuple[Citation, ...] = ()
    abstained: bool = False
    confidence: float = 0.0
    warnings: tuple[AnswerWarning, ...] = ()
    nearest: tuple[Hit, ...] = ()
    shown: tuple[Hit, ...] = ()
    generator: str = EXTRACTIVE
    prompt_version: str = ""
    fallback: str | None = None
    timings: Mapping[str, float] = field(default_factory=dict)

    @property
    def blocks(self) -> tuple[AnswerBlock, ...]:
        """The sentences by block, in order; those before the first that starts one, as a model's, are a paragraph."""
        return tuple(_blocks(self.sentences))

    @property
    def documents(self) -> frozenset[str]:
        """The documents that it names: those that it cites, that its warnings are about, and the nearest."""
        warned = {each.document for each in self.warnings if each.document}
        nearest = {hit.passage.document for hit in self.nearest}
        return frozenset({each.document for each in self.citations} | warned | nearest)

    @property
    def is_model_written(self) -> bool:
        """Whether a chat model wrote it, if only its first sentence."""
        return bool(self.sentences) and self.generator not in {EXTRACTIVE, SMALL_TALK}

    @property
    def is_small_talk(self) -> bool:
        """Whether it replies to small talk: nothing was searched, and nothing is there to record or to vote on."""
        return self.generator == SMALL_TALK


def _blocks(sentences: Sequence[Sentence]) -> Iterator[AnswerBlock]:
    groups: list[list[int]] = []
    for at, sentence in enumerate(sentences):
        if sentence.starts or not groups:
            groups.append([])
        groups[-1].append(at)
    for group in groups:
        own = [sentences[at] for at in group]
        start = own[0].starts or BlockStart()
        rows, heading = [tuple(row_cells(each.text)) for each in own] if start.kind == "table" else [], start.heading
        if rows and CELL in heading:  # the head of a table that goes on from an earlier passage
            rows, heading = [tuple(row_cells(heading)), *rows], ""
        yield AnswerBlock(start.kind, heading, tuple(group), tuple(rows), sum(each.more for each in own))


@dataclass(frozen=True, slots=True)
class Status:
    """What is being done until the first sentence is ready.

    `is_sure` is whether the sections that it is written from are so surely right that the answer needs no warning, and
    found for the question itself, not for the conversation before it alone.
    """

    step: Literal["searching", "writing"]
    is_sure: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class SentenceReady:
    """A sentence that may be shown: verified; `citations` are those that are new with it.

    It is taken back only where whoever asked may not read its documents any more when the answer is whole.
    """

    sentence: Sentence
    citations: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class Done:
    """The whole answer; its sentences are those that were ready, in that order. Always the last event.

    An answer that may not be shown any more has none, whatever was ready: it takes the place of what was shown.
    """

    answer: Answer


Event = Status | SentenceReady | Done
EventStream = Generator[Event, None, None]
"""What comes of a question, in order; who closes it wants no more."""
