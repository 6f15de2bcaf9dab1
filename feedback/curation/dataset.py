"""The result of curation: rows to train on, and for every exchange that gives none the reason."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from feedback.ports import Message

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")


@dataclass(frozen=True, slots=True)
class RowOrigin:
    """The exchange that a row comes from, why it is used, and whose words or votes are in it (keyed hashes)."""

    exchange: str
    why: str
    people: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Example:
    """An answer that is to be written (`label`) or not to be written for a prompt. A refusal is an answer too.

    `cluster` names the group of near-equal questions; all rows of a cluster have one split.
    """

    origin: RowOrigin
    split: Split
    cluster: str
    prompt: tuple[Message, ...]
    completion: str
    label: bool
    refusal: bool = False


@dataclass(frozen=True, slots=True)
class PreferencePair:
    """Two answers for the same prompt, one of which is preferred; `origins` are those of both, the chosen first."""

    origins: tuple[RowOrigin, RowOrigin]
    split: Split
    cluster: str
    prompt: tuple[Message, ...]
    chosen: str
    rejected: str


@dataclass(frozen=True, slots=True)
class EmbeddedSection:
    """A section as the retriever embeds it: title and headings in one line, and the text; `id` is DOCUMENT#ANCHOR."""

    id: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class RetrievalExample:
    """A question, as it stands alone, with a section that answers it and sections that do not (hard negatives)."""

    origin: RowOrigin
    split: Split
    cluster: str
    question: str
    positive: EmbeddedSection
    negatives: tuple[EmbeddedSection, ...] = ()


@dataclass(frozen=True, slots=True)
class RejectedExchange:
    """An exchange that gives no row, the step at which it was left out, and why."""

    exchange: str
    stage: str
    reason: str


@dataclass(frozen=True, slots=True)
class CuratedDataset:
    """All rows that were made of the exchanges; each call reads them anew, always in the same order.

    `counts` holds for each step in order how many exchanges came in, went on, and were left out by reason. An exchange
    is in `rejected_exchanges` exactly when it gives neither an example nor a pair nor a retrieval row. `snapshot` is
    the sha256 of all that was read, `exchanges` how many that were.
    """

    examples: Callable[[], Iterator[Example]]
    pairs: Callable[[], Iterator[PreferencePair]]
    retrievals: Callable[[], Iterator[RetrievalExample]]
    rejected_exchanges: Callable[[], Iterator[RejectedExchange]]
    counts: Mapping[str, Mapping[str, Any]]
    snapshot: str
    exchanges: int
