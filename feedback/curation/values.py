"""What curation hands over: rows that are fit to train on, and for every exchange that gave none the reason."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from feedback.ports import Message

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")


@dataclass(frozen=True, slots=True)
class Source:
    """An exchange that a row comes from, why it does, and whose words or votes are in it (keyed hashes)."""

    exchange: str
    why: str
    people: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Example:
    """An answer that is to be written (`label`) or not to be written for a prompt. A refusal is an answer too.

    `cluster` names the group of near-equal questions; all rows of a cluster have one split.
    """

    source: Source
    split: Split
    cluster: str
    prompt: tuple[Message, ...]
    completion: str
    label: bool
    refusal: bool = False


@dataclass(frozen=True, slots=True)
class Pair:
    """Two answers for the same prompt, one of which is preferred; `sources` are those of both, the chosen first."""

    sources: tuple[Source, Source]
    split: Split
    cluster: str
    prompt: tuple[Message, ...]
    chosen: str
    rejected: str


@dataclass(frozen=True, slots=True)
class Section:
    """A section as the retriever embeds it: title and headings on the first line, then the text."""

    id: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Retrieval:
    """A question, as it stands alone, with the section that answers it and sections that do not (hard negatives)."""

    source: Source
    split: Split
    cluster: str
    question: str
    positive: Section
    negatives: tuple[Section, ...] = ()


@dataclass(frozen=True, slots=True)
class Rejected:
    """An exchange that gives no row, the step at which it left, and why."""

    exchange: str
    stage: str
    reason: str


@dataclass(frozen=True, slots=True)
class Curated:
    """All that was made of the exchanges up to a cut-off; each call reads its rows anew, always in the same order.

    `counts` holds for each step in order how many exchanges came in, went on, and left by reason. An exchange is in
    `rejected` exactly when it gives neither an example nor a pair nor a retrieval row. `snapshot` is the sha256 of all
    that was read.
    """

    examples: Callable[[], Iterator[Example]]
    pairs: Callable[[], Iterator[Pair]]
    retrievals: Callable[[], Iterator[Retrieval]]
    rejected: Callable[[], Iterator[Rejected]]
    counts: Mapping[str, Mapping[str, Any]]
    snapshot: str
    exchanges: int
