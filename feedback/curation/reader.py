"""The exchanges are read once: their texts go to a temporary file, the facts that decide stay in memory."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from feedback.codec import to_bytes
from feedback.curation.candidates import Draft, Drafting, Left
from feedback.curation.facts import Fact, fact
from feedback.curation.funnel import Funnel, Progress
from feedback.curation.near_duplicates import normalised
from feedback.curation.options import Options
from feedback.curation.scratch_db import ScratchDb
from feedback.curation.values import Rejected
from feedback.ports import KnowledgePort
from feedback.records import Exchange, ReviewedExchange

TOLD_EVERY = 200


@dataclass(slots=True)
class Read:
    """What is known after reading: of every exchange, in order, its question as it is compared and the key that its
    split is drawn from; the facts of those that may give rows; how many were answered, and how many of these refused.
    """

    questions: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    snapshot: str = ""
    eligible: int = 0
    refused: int = 0


def read(
    judged: Iterator[ReviewedExchange],
    sources: KnowledgePort,
    options: Options,
    *,
    spill: ScratchDb,
    ledger: Funnel,
    progress: Progress,
) -> Read:
    """Draft what can be drafted; the rest leaves."""
    drafting, made = Drafting(sources, options), Read()
    snapshot, noted = hashlib.sha256(), {name: Counter[str]() for name in ("kinds", "redacted", "flaws")}
    for position, each in enumerate(judged):
        for record in (each.exchange, *each.votes, *each.corrections, *each.decisions):
            snapshot.update(to_bytes(record, _plain) + b"\n")
        made.questions.append(normalised(_asked(each.exchange)))
        made.keys.append(each.exchange.conversation or each.exchange.id)
        drafted = drafting(each)
        if isinstance(drafted, Left):
            ledger.leave(position, Rejected(each.exchange.id, drafted.stage, drafted.reason))
            noted["kinds"].update(drafted.kinds)
        else:
            spill.keep(position, each.exchange, drafted)
            made.facts.append(_fact(position, each.exchange, drafted))
            noted["redacted"].update(drafted.redacted)
            noted["flaws"].update(drafted.flaws)
        eligible = not isinstance(drafted, Left) or drafted.stage != "eligibility"
        made.eligible += eligible
        made.refused += eligible and each.exchange.abstained
        if position % TOLD_EVERY == 0:
            progress("reading exchanges", position, 0)
    made.snapshot = snapshot.hexdigest()
    ledger.note("secrets", {"kinds": _sorted(noted["kinds"]), "redacted": _sorted(noted["redacted"])})
    ledger.note("groundedness", _sorted(noted["flaws"]))
    return made


def _asked(exchange: Exchange) -> str:
    """The question as it is told from others; a follow-up means nothing without the one before it."""
    before = [text for role, text in exchange.history if role == "user"][-1:]
    # The words of a pruned one are gone, so it is like none.
    return " / ".join([*before, exchange.question]) if not exchange.pruned else f"pruned {exchange.id}"


def _plain(value: Any) -> Any:
    """What JSON knows in place of what it does not; a record's own `to_json` takes three times as long."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, Mapping):
        return dict(value)
    return {name: getattr(value, name) for name in value.__slots__}


def _fact(position: int, exchange: Exchange, draft: Draft) -> Fact:
    earlier = tuple(normalised(text) for role, text in exchange.history if role == "user")
    return fact(position, draft, id=exchange.id, asker=exchange.asker, earlier=earlier)


def _sorted(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items()))
