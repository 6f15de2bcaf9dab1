"""CuratedDataset rows as curation would hand them over, of any number, and a store that registers exports."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from feedback.curation.dataset import (
    CuratedDataset,
    EmbeddedSection,
    Example,
    PreferencePair,
    RejectedExchange,
    RetrievalExample,
    RowOrigin,
    Split,
)
from feedback.records import Export

TOPICS = "leave travel expenses laptops badges training pensions parking visitors payroll shifts holidays".split()


@dataclass
class Registry:
    """The part of a `FeedbackStore` that an export needs."""

    registered: list[tuple[Export, Mapping[str, list[str]]]] = field(default_factory=list)
    failure: Exception | None = None

    def register_export(self, export: Export, rows: Mapping[str, Iterable[str]]) -> None:
        if self.failure:
            raise self.failure
        self.registered.append((export, {person: list(hashes) for person, hashes in rows.items()}))


def person(number: int) -> str:
    return sha256(f"person {number}".encode()).hexdigest()


def origin(number: int, why: str = "voted-up") -> RowOrigin:
    return RowOrigin(f"answer-{number:05}", why, (person(number % 7), person(number % 3)))


def split_of(number: int) -> Split:
    return {8: "validation", 9: "test"}.get(number % 10, "train")  # type: ignore[return-value]


def prompt(number: int, size: int = 3) -> tuple[tuple[str, str], ...]:
    """The system's rules, and passages with the question."""
    topic = TOPICS[number % len(TOPICS)]
    passages = " ".join(f"Rule {number} on {topic}, line {line}: ask before day {line}." for line in range(size))
    return (
        ("system", "Answer from the passages. End each sentence with its passage."),
        ("user", f"{passages}\nHow is {topic} number {number} arranged?"),
    )


def example(number: int, *, label: bool = True, **changes: Any) -> Example:
    made: dict[str, Any] = {
        "origin": origin(number, "voted-up" if label else "voted-down"),
        "split": split_of(number),
        "cluster": f"cluster-{number:05}",
        "prompt": prompt(number),
        "completion": f"It is arranged by form {number} [1]." if label else f"Nobody knows, form {number}.",
        "label": label,
    }
    return Example(**(made | changes))


def pair(number: int, **changes: Any) -> PreferencePair:
    made: dict[str, Any] = {
        "origins": (origin(number, "correction"), origin(number, "voted-down")),
        "split": split_of(number),
        "cluster": f"cluster-{number:05}",
        "prompt": prompt(number),
        "chosen": f"It is arranged by form {number} [1].",
        "rejected": f"Nobody knows, form {number}.",
    }
    return PreferencePair(**(made | changes))


def section(number: int) -> EmbeddedSection:
    topic = TOPICS[number % len(TOPICS)]
    title = f"Handbook of {topic} › Rule {number}"
    return EmbeddedSection(
        f"handbook/{topic}.md#rule-{number}", title, f"{title}\nRule {number} on {topic}: ask before noon."
    )


def retrieval(number: int, *, negatives: int = 0, **changes: Any) -> RetrievalExample:
    made: dict[str, Any] = {
        "origin": origin(number),
        "split": split_of(number),
        "cluster": f"cluster-{number:05}",
        "question": f"How is {TOPICS[number % len(TOPICS)]} number {number} arranged?",
        "positive": section(number),
        "negatives": tuple(section(number + 1000 + each) for each in range(negatives)),
    }
    return RetrievalExample(**(made | changes))


def curated(
    *,
    examples: Iterable[Example] = (),
    pairs: Iterable[PreferencePair] = (),
    retrievals: Iterable[RetrievalExample] = (),
    rejected: Iterable[RejectedExchange] = (),
    snapshot: str = "5a" * 32,
) -> CuratedDataset:
    """These rows, with the counts that go with them."""
    examples, pairs, retrievals, rejected = list(examples), list(pairs), list(retrievals), list(rejected)
    known = {each.origin.exchange for each in examples} | {each.origin.exchange for each in retrievals}
    known |= {each.exchange for one in pairs for each in one.origins}
    reasons = Counter(each.reason for each in rejected)
    total = len(known) + len(rejected)
    return CuratedDataset(
        examples=lambda: iter(examples),
        pairs=lambda: iter(pairs),
        retrievals=lambda: iter(retrievals),
        rejected_exchanges=lambda: iter(rejected),
        counts={"agreement": {"in": total, "out": len(known), "left": dict(reasons)}},
        snapshot=snapshot,
        exchanges=total,
    )


def many(count: int = 60, **changes: Any) -> CuratedDataset:
    """Of every kind of row: two of three answers are good, every sixth was corrected, every ninth is a refusal."""
    given: dict[str, Any] = {
        "examples": [
            *(
                example(n, label=n % 3 != 2, **({"completion": "NOT FOUND", "refusal": True} if n % 9 == 0 else {}))
                for n in range(count)
            ),
            *(example(n, origin=origin(n, "correction")) for n in range(2, count, 6)),
        ],
        "pairs": [pair(n) for n in range(2, count, 6)],
        "retrievals": [retrieval(n, negatives=n % 4 == 0) for n in range(count) if n % 3 != 2],
        "rejected": [RejectedExchange(f"answer-{count + n:05}", "agreement", "disputed") for n in range(5)],
    }
    return curated(**(given | changes))
