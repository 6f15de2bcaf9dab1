"""Reads the exchanges once: builds candidates, keeps their texts in a temporary file and the rest in memory."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from feedback.codec import to_bytes
from feedback.curation.candidates import CandidateBuilder
from feedback.curation.dataset import RejectedExchange
from feedback.curation.filters import Rejection
from feedback.curation.funnel import Funnel
from feedback.curation.options import CurationOptions
from feedback.curation.scratch_db import ScratchDb
from feedback.curation.selection import CandidateSummary, summarize
from feedback.ports import AudiencePort, KnowledgePort
from feedback.progress import Progress
from feedback.records import Exchange, ReviewedExchange
from feedback.texts.words import normalize

PROGRESS_STEP = 200


@dataclass(slots=True)
class CandidatePool:
    """All candidates, and what of the other exchanges is needed to select among them.

    Of every exchange, by position: its normalized question, and the key that its split is drawn from. The candidates,
    the sha256 of all that was read, how many exchanges were `eligible`, and how many of these were `refused`.
    """

    questions: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    candidates: list[CandidateSummary] = field(default_factory=list)
    snapshot: str = ""
    eligible: int = 0
    refused: int = 0

    @property
    def refused_share(self) -> float:
        """The share of eligible exchanges that were refused; 0 without any."""
        return self.refused / self.eligible if self.eligible else 0.0


def read_exchanges(
    reviewed: Iterable[ReviewedExchange],
    knowledge: KnowledgePort,
    audience: AudiencePort,
    options: CurationOptions,
    *,
    scratch: ScratchDb,
    funnel: Funnel,
    progress: Progress,
) -> CandidatePool:
    """Build a candidate of every exchange that passes the filters; the funnel gets the others."""
    builder, pool, snapshot = CandidateBuilder(knowledge, audience, options), CandidatePool(), hashlib.sha256()
    secret_kinds, redacted, flaws = Counter[str](), Counter[str](), Counter[str]()
    for position, each in enumerate(reviewed):
        exchange = each.exchange
        for record in (exchange, *each.votes, *each.corrections, *each.decisions):
            snapshot.update(to_bytes(record, _to_json_value) + b"\n")
        pool.questions.append(normalize(_comparable_question(exchange)))
        pool.keys.append(exchange.conversation or exchange.id)
        candidate = builder.build(each)
        if isinstance(candidate, Rejection):
            funnel.reject(position, RejectedExchange(exchange.id, candidate.stage, candidate.reason))
            secret_kinds.update(candidate.secret_kinds)
            is_eligible = candidate.stage != "eligibility"
        else:
            scratch.add_candidate(position, exchange, candidate)
            pool.candidates.append(summarize(position, exchange, candidate))
            redacted.update(candidate.redacted)
            flaws.update(candidate.flaws)
            is_eligible = True
        pool.eligible += is_eligible
        pool.refused += is_eligible and exchange.abstained
        if position % PROGRESS_STEP == 0:
            progress("reading exchanges", position, 0)
    pool.snapshot = snapshot.hexdigest()
    funnel.add_notes("secrets", {"kinds": _sorted_by_name(secret_kinds), "redacted": _sorted_by_name(redacted)})
    funnel.add_notes("groundedness", _sorted_by_name(flaws))
    return pool


def _comparable_question(exchange: Exchange) -> str:
    """Return the question that near-equal ones are compared by; a follow-up means nothing without the one before it."""
    before = [text for role, text in exchange.history if role == "user"][-1:]
    # The words of a pruned one are gone, so it is like none.
    return " / ".join([*before, exchange.question]) if not exchange.pruned else f"pruned {exchange.id}"


def _to_json_value(value: Any) -> Any:
    """Return what JSON knows in place of what it does not; a record's own `to_json` takes three times as long."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, Mapping):
        return dict(value)
    return {name: getattr(value, name) for name in value.__slots__}


def _sorted_by_name(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items()))
