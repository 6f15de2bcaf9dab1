"""What answering asks of whatever writes its sentences."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from bot.answering.writing.sentence_selection import Quote
from retrieval.passages import Query
from retrieval.search import Results


class NotThere(Exception):
    """The generator has read the sections and says that the answer is not in them."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A sentence that a generator proposes, to be checked before anybody sees it.

    `claimed` are the sections that it says it rests on, as positions among the hits, which may name none that there
    is. `quotes` are the places where it stands word for word, for a generator that only quotes. `again` marks the
    sentence before it once more, with all its claims, after a further one has arrived.
    """

    text: str
    claimed: tuple[int, ...] = ()
    quotes: tuple[Quote, ...] = ()
    again: bool = False


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

    def drafts(self, query: Query, results: Results) -> Iterator[Draft]:
        """Sentences in the order of reading, each as soon as it is whole; none when nothing is fit to show.

        Raises `NotThere` at the end, and `GenerationFailed` at any time, also after some drafts; those stand.
        """
        ...
