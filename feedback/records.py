"""The records of feedback: exchanges, what people say of their answers, and exports (pure)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal, TypeVar

Reason = Literal["", "wrong", "outdated", "incomplete", "wrong-source", "unclear", "tone"]


@dataclass(frozen=True, slots=True)
class RetrievedPassage:
    """A passage as the generator saw it, in the version that was current then."""

    document: str
    anchor: str
    section: str
    title: str
    version: str
    text: str
    score: float


@dataclass(frozen=True, slots=True)
class AnswerSentence:
    """One sentence of an answer, with the numbers of what it cites."""

    text: str
    citations: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredCitation:
    """The section that a number of an answer cites; `quote` is a slice of this version of the document."""

    number: int
    document: str
    title: str
    section: str
    anchor: str
    url: str
    quote: str
    version: str


@dataclass(frozen=True, slots=True)
class Exchange:
    """One question and its answer, with everything that is needed to review it later.

    `id` is the answer's, `at` is in UTC, `history` holds earlier (role, text) pairs, oldest first, and
    `history_exchanges` for each of them the id of the exchange that it is from, empty where that is not known (all of
    an older record). `asker` is a keyed hash (`bot.access.pseudonyms`), empty when nobody was named; so is
    `conversation` for a question that stands alone.
    `fallback` says why another generator than the configured one answered. `timings` are seconds by step. A `pruned`
    exchange has lost its text and that of its passages by age.
    """

    id: str
    at: datetime
    question: str
    answer: str
    history: tuple[tuple[str, str], ...] = ()
    groups: frozenset[str] = frozenset()
    asker: str = ""
    conversation: str = ""
    platform: str = ""
    shown: tuple[RetrievedPassage, ...] = ()
    sentences: tuple[AnswerSentence, ...] = ()
    citations: tuple[StoredCitation, ...] = ()
    abstained: bool = False
    confidence: float = 0.0
    generator: str = ""
    prompt_version: str = ""
    index_version: str = ""
    fallback: str | None = None
    timings: Mapping[str, float] = field(default_factory=dict)
    pruned: bool = False
    history_exchanges: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _require_utc(self.at)


@dataclass(frozen=True, slots=True)
class Vote:
    """One person's vote on an answer; `none` withdraws an earlier one.

    `key` names the click: records with the same key are the same vote.
    """

    key: str
    answer: str
    voter: str
    at: datetime
    vote: Literal["up", "down", "none"]
    reason: Reason = ""
    comment: str = ""

    def __post_init__(self) -> None:
        _require_utc(self.at)


@dataclass(frozen=True, slots=True)
class Correction:
    """The answer that somebody proposes instead; `accepted` is None until an owner has decided."""

    key: str
    answer: str
    author: str
    at: datetime
    text: str
    accepted: bool | None = None

    def __post_init__(self) -> None:
        _require_utc(self.at)


@dataclass(frozen=True, slots=True)
class Decision:
    """A reviewer's verdict on an answer; it outranks votes, and the latest of an answer counts.

    `approve` says that the answer is right, `drop` that nothing is to be learned from it. `accept` and `reject` are
    about the correction with the key `correction`, which then has it in its `accepted`.
    """

    key: str
    answer: str
    reviewer: str
    at: datetime
    verdict: Literal["approve", "drop", "accept", "reject"]
    correction: str = ""
    comment: str = ""

    def __post_init__(self) -> None:
        _require_utc(self.at)


@dataclass(frozen=True, slots=True)
class Export:
    """An export that was made: `place` is the folder it was written to, `at` the end of the time that it covers."""

    id: str
    at: datetime
    place: str
    rows: int

    def __post_init__(self) -> None:
        _require_utc(self.at)


@dataclass(frozen=True, slots=True)
class ExportRegistration:
    """The rows of an export that hold something of one person, by their sha256.

    `person` is a keyed hash; a registration without a person has no rows and only says that the export was made.
    """

    export: Export
    person: str = ""
    rows: tuple[str, ...] = ()

    @property
    def rows_by_person(self) -> dict[str, tuple[str, ...]]:
        """The rows as an `ExportRegistry` takes them; empty for a registration without a person."""
        return {self.person: self.rows} if self.person else {}


AnswerFeedback = Vote | Correction | Decision
"""What somebody says of an answer."""

Record = Exchange | Vote | Correction | Decision | Export | ExportRegistration
R = TypeVar("R", Exchange, Vote, Correction, Decision, Export, ExportRegistration)
Prunable = TypeVar("Prunable", bound=Exchange | AnswerFeedback)

RECORD_TYPES: Mapping[str, type[Any]] = {
    "exchange": Exchange,
    "vote": Vote,
    "correction": Correction,
    "decision": Decision,
    "export": Export,
    "registered": ExportRegistration,
}
"""The type of every record by the `kind` that its JSON and its keys name."""

_KINDS: Mapping[type[Any], str] = {record_type: kind for kind, record_type in RECORD_TYPES.items()}

WriteResult = Literal["added", "known", "unknown-answer"]
"""What became of a record that was written: `known` had its id or key already and changed nothing."""


@dataclass(frozen=True, slots=True)
class ReviewedExchange:
    """An exchange with the votes that count, the corrections and the decisions of its answer, each oldest first."""

    exchange: Exchange
    votes: tuple[Vote, ...] = ()
    corrections: tuple[Correction, ...] = ()
    decisions: tuple[Decision, ...] = ()


@dataclass(frozen=True, slots=True)
class ExportedRows:
    """A past export that holds rows of a person, by the sha256 of their lines."""

    export: Export
    rows: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ErasureResult:
    """How many records were erased with a person, and the past exports that hold rows of theirs.

    Feedback of others about the person's exchanges is counted with it.
    """

    exchanges: int = 0
    votes: int = 0
    corrections: int = 0
    decisions: int = 0
    exports: tuple[ExportedRows, ...] = ()


def kind_of(record_type: type[Any]) -> str:
    """The `kind` of a type of record in JSON and in keys."""
    return _KINDS[record_type]


def person_of(feedback: AnswerFeedback) -> str:
    """The keyed hash of who gave it; empty for nobody."""
    if isinstance(feedback, Vote):
        return feedback.voter
    return feedback.author if isinstance(feedback, Correction) else feedback.reviewer


def apply_decisions(corrections: Sequence[Correction], decisions: Sequence[Decision]) -> tuple[Correction, ...]:
    """The corrections of an answer, each `accepted` as the latest decision about it says; decisions oldest first."""
    latest = {each.correction: each.verdict == "accept" for each in decisions if each.verdict in {"accept", "reject"}}
    return tuple(replace(each, accepted=latest[each.key]) if each.key in latest else each for each in corrections)


def without_words(record: Prunable) -> Prunable:
    """The record without anything that anybody wrote or read; what is counted stays."""
    given: Any = record
    if isinstance(given, Exchange):
        bare: Any = replace(
            given,
            question="",
            answer="",
            history=(),
            history_exchanges=(),
            shown=tuple(replace(each, text="") for each in given.shown),
            sentences=tuple(replace(each, text="") for each in given.sentences),
            citations=tuple(replace(each, quote="") for each in given.citations),
            pruned=True,
        )
    else:
        bare = replace(given, text="") if isinstance(given, Correction) else replace(given, comment="")
    pruned: Prunable = bare
    return pruned


def has_words(record: Exchange | AnswerFeedback) -> bool:
    """Whether `without_words` takes anything away."""
    if isinstance(record, Exchange):
        return not record.pruned
    return bool(record.text if isinstance(record, Correction) else record.comment)


def _require_utc(at: datetime) -> None:
    if at.utcoffset() != timedelta(0):
        raise ValueError("`at` must be in UTC")
