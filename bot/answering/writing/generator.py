"""The generator protocol: what answering needs of whatever writes the sentences of an answer."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from bot.answering.answers import BlockStart
from bot.answering.deadline import CheckWanted, always_wanted
from retrieval.passages import Query
from retrieval.search import Results


class AnswerNotFound(Exception):
    """The generator has read the sections and says that the answer is not in them."""


@dataclass(frozen=True, slots=True)
class Quote:
    """A slice of a passage to cite: `passages[passage].text[start:end]`."""

    passage: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Draft:
    """A sentence that a generator proposes, to be verified before anybody sees it.

    `claimed` are the sections that it claims to rest on, as positions among the hits; some may be out of range.
    `quotes` are the places where it stands word for word, for a generator that only quotes. `again` marks the sentence
    before it once more, with all its claims, after a further one has arrived. `starts` is set where a block begins,
    `more` counts what of the block is left out after this sentence. `marker` is set for an item of a list: `-`, or its
    number with a full stop; `same_line` for what goes on in the line of the sentence before it. `is_code` marks code
    that stood between fences, whose lines stay as they are.
    """

    text: str
    claimed: tuple[int, ...] = ()
    quotes: tuple[Quote, ...] = ()
    again: bool = False
    starts: BlockStart | None = None
    more: int = 0
    marker: str = ""
    same_line: bool = False
    is_code: bool = False


class Generator(Protocol):
    """Writes the sentences of an answer."""

    @property
    def name(self) -> str:
        """What records and reports call it: `extractive`, or `provider:name`."""
        ...

    @property
    def prompt_version(self) -> str:
        """The version of its prompt; empty when it has none."""
        ...

    def write(self, query: Query, results: Results, *, check: CheckWanted = always_wanted) -> Iterator[Draft]:
        """Yield sentences in the order of reading, each as soon as it is whole; none when nothing is fit to show.

        Raises `AnswerNotFound` at the end, and `GenerationFailed` at any time, also after some drafts; those stand.
        Raises what `check` raises, which it calls while it waits.
        """
        ...
