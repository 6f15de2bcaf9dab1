"""Filters that decide about one exchange alone: each returns why it is left out, or None.

In the order of `funnel.STEPS`; groundedness, the last of these, comes with the rows (`candidates`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

from feedback.curation.judgements import Judgement
from feedback.curation.options import EVERYONE
from feedback.curation.secrets import find_secrets, scan_for_secrets
from feedback.ports import CurrentSection
from feedback.records import Exchange, RetrievedPassage, ReviewedExchange, StoredCitation
from feedback.texts.words import collapse_whitespace

UNUSABLE_OUTCOMES = frozenset({"unjudged", "correction-waits", "disputed", "dropped"})

SectionLookup = Callable[[str, str], CurrentSection | None]
"""Returns the section of a document with an anchor as it is now; None when it is gone."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """The step at which an exchange is left out, and why; `secret_kinds` are the kinds of secrets that it holds."""

    stage: str
    reason: str
    secret_kinds: tuple[str, ...] = ()


def check_eligibility(exchange: Exchange, *, since: datetime | None) -> Rejection | None:
    """Leave out what has no words any more, is too old, or is no question with an answer from passages."""
    if exchange.pruned:
        return Rejection("eligibility", "pruned")
    if since and exchange.at < since:
        return Rejection("eligibility", "before-since")
    if not exchange.question.strip():
        return Rejection("eligibility", "no-question")
    if not exchange.abstained and not (exchange.citations and exchange.answer.strip()):
        return Rejection("eligibility", "no-answer")  # small talk cites nothing
    if not exchange.shown:
        return Rejection("eligibility", "no-passages")
    return None


def check_judgement(judgement: Judgement) -> Rejection | None:
    """Leave out what people do not agree on."""
    return Rejection("judgement", judgement.outcome) if judgement.outcome in UNUSABLE_OUTCOMES else None


def check_audience(exchange: Exchange, current: SectionLookup, *, readable: frozenset[str]) -> Rejection | None:
    """Leave out what others asked, or were shown: whoever trains and uses a model may not be in their groups."""
    restricted = Rejection("audience", "restricted")
    if not (exchange.groups or {EVERYONE}) <= readable:
        return restricted
    shown = [(each.document, each.anchor) for each in exchange.shown]
    cited = [(each.document, each.anchor) for each in exchange.citations]
    for document, anchor in dict.fromkeys([*shown, *cited]):
        section = current(document, anchor)
        if section and not section.audience & readable:
            return restricted
    return None


def check_secrets(reviewed: ReviewedExchange) -> Rejection | None:
    """Leave out what holds a password, key or token anywhere, also in what people said of it."""
    exchange = reviewed.exchange
    typed = [
        exchange.question,
        exchange.answer,
        *(text for _, text in exchange.history),
        *(each.text for each in exchange.sentences),
        *(each.comment for each in reviewed.votes),
        *(each.text for each in reviewed.corrections),
        *(each.comment for each in reviewed.decisions),
    ]
    in_passages = (find_secrets(each.text) for each in exchange.shown)
    kinds = frozenset(chain(scan_for_secrets("\n".join(typed)), *in_passages))
    return Rejection("secrets", "secret", tuple(sorted(kinds))) if kinds else None


def check_staleness(exchange: Exchange, current: SectionLookup) -> Rejection | None:
    """Leave out what cites a section that is gone or has changed since."""
    for citation in exchange.citations:
        section = current(citation.document, citation.anchor)
        if section is None:
            return Rejection("staleness", "deleted")
        if citation.version != section.version and not _is_unchanged(citation, exchange.shown, section):
            return Rejection("staleness", "changed")
    return None


def _is_unchanged(citation: StoredCitation, shown: Sequence[RetrievedPassage], section: CurrentSection) -> bool:
    """Return whether every passage of the cited section that was shown is still one of it, word for word."""
    now = {collapse_whitespace(piece) for piece in section.passages or (section.text,)}
    then = {
        collapse_whitespace(each.text)
        for each in shown
        if (each.document, each.anchor, each.version) == (citation.document, citation.anchor, citation.version)
    }
    return bool(then) and then <= now
