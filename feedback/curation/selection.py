"""Selects among all candidates: which say the same or weigh too much, and which split each belongs to (pure)."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from feedback.curation.candidates import Candidate
from feedback.curation.dataset import SPLITS, RowOrigin, Split
from feedback.records import Exchange
from feedback.texts.hashing import hash_text
from feedback.texts.near_duplicates import group_near_duplicates
from feedback.texts.words import normalize

# So many answers of a cluster are compared together; thousands of one question are merged piece by piece.
COMPARED_TOGETHER = 5000


@dataclass(slots=True)
class CandidateSummary:
    """A candidate without its texts, so that all of them fit into memory; `position` is that of its exchange.

    `context_hash` is equal for equal questions over equal passages, `question_hash` for equal questions. `cluster` is
    the position of the first exchange of its group of near-equal questions, `cluster_name` what rows call it.
    `merged` are the exchanges of duplicates that it stands for.
    """

    position: int
    exchange: str
    asker: str
    voters: tuple[str, ...]
    people: tuple[str, ...]
    reviewed: bool
    ups: int
    downs: int
    has_chosen: bool
    has_rejected: bool
    chosen_is_refusal: bool
    rejected_is_refusal: bool
    context_hash: bytes
    question_hash: bytes
    is_corrected: bool
    positives: int
    has_blamed: bool
    earlier_questions: tuple[str, ...] = ()
    cluster: int = 0
    cluster_name: str = ""
    split: Split = "train"
    merged: tuple[str, ...] = ()

    @property
    def priority(self) -> tuple[bool, int, int]:
        """What decides which of several is kept: a review, then the votes by which it is ahead, then the newest."""
        return (self.reviewed, abs(self.ups - self.downs), self.position)

    @property
    def origin(self) -> RowOrigin:
        """The origin of its rows, with the reason in a few words."""
        if self.reviewed:
            why = "approved in review" if self.has_chosen and not self.is_corrected else "corrected in review"
        else:
            why = f"{self.ups} up, {self.downs} down"
        if self.merged:
            why = f"{why}; stands for {', '.join(self.merged)} too"
        return RowOrigin(self.exchange, why, self.people)


def summarize(
    position: int, exchange: Exchange, candidate: Candidate, *, earlier_askers: frozenset[str] = frozenset()
) -> CandidateSummary:
    """Return the summary of an exchange's candidate; `earlier_askers` are those of the turns in its history."""
    judgement = candidate.judgement
    return CandidateSummary(
        position,
        exchange.id,
        exchange.asker,
        judgement.voters,
        tuple(sorted({*judgement.people, *earlier_askers, exchange.asker} - {""})),
        judgement.reviewed,
        judgement.ups,
        judgement.downs,
        has_chosen=candidate.chosen is not None,
        has_rejected=candidate.rejected is not None,
        chosen_is_refusal=candidate.chosen_is_refusal,
        rejected_is_refusal=candidate.rejected_is_refusal,
        context_hash=hash_text(candidate.context_key)[:16],
        question_hash=hash_text(normalize(candidate.standalone_question))[:16],
        is_corrected=judgement.outcome == "corrected" and candidate.chosen is not None,
        positives=len(candidate.positives),
        has_blamed=bool(candidate.blamed),
        earlier_questions=tuple(normalize(text) for role, text in exchange.history if role == "user"),
    )


def find_duplicates(
    candidates: Sequence[CandidateSummary], answer: Callable[[CandidateSummary], str]
) -> Iterator[tuple[CandidateSummary, str]]:
    """Yield those whose question and answer another one has too, each with the reason.

    The one that is kept learns what it stands for. `answer` gives the answer to write, else the one not to write.
    """
    clusters: dict[int, list[CandidateSummary]] = defaultdict(list)
    for each in candidates:
        clusters[each.cluster].append(each)
    for members in clusters.values():
        for start in range(0, len(members) if len(members) > 1 else 0, COMPARED_TOGETHER):
            yield from _merge_answers(members[start : start + COMPARED_TOGETHER], answer)


def _merge_answers(
    members: Sequence[CandidateSummary], answer: Callable[[CandidateSummary], str]
) -> Iterator[tuple[CandidateSummary, str]]:
    roots, _ = group_near_duplicates([normalize(answer(each)) for each in members])
    groups: dict[int, list[CandidateSummary]] = defaultdict(list)
    for root, each in zip(roots, members, strict=True):
        groups[root].append(each)
    for group in groups.values():
        best = max(group, key=lambda each: each.priority)
        others = [each for each in group if each is not best]
        best.merged = tuple(each.exchange for each in others if each.has_chosen == best.has_chosen)
        for each in others:
            yield each, "duplicate" if each.has_chosen == best.has_chosen else "contradicted"


def find_overweight(
    candidates: Sequence[CandidateSummary], *, share: float, rows: int
) -> Iterator[tuple[CandidateSummary, str]]:
    """Yield those that are too many of one asker, or that stand on voters alone who decide too many, with the reason.

    The best of everybody's are kept, and what was reviewed. A few people could teach a model whatever they like
    otherwise.
    """
    most = max(rows, ceil(share * len(candidates)))
    asked: Counter[str] = Counter()
    voted: Counter[str] = Counter()
    for each in sorted(candidates, key=lambda each: each.priority, reverse=True):
        if each.reviewed:
            continue
        voters = [voter for voter in each.voters if voted[voter] < most]
        if (each.asker and asked[each.asker] >= most) or (each.voters and not voters):
            yield each, "person-over-share"
            continue
        asked[each.asker] += 1
        voted.update(voters)


def find_surplus_refusals(
    candidates: Sequence[CandidateSummary], *, share: float, seed: str
) -> Iterator[tuple[CandidateSummary, str]]:
    """Yield the refusals that are more than this share of the answers to write; which ones is drawn from their ids.

    A model that learns from more refusals than people get in earnest refuses what it could answer. One is kept.
    """
    refusals = [each for each in candidates if each.has_chosen and each.chosen_is_refusal]
    answers = sum(each.has_chosen and not each.chosen_is_refusal for each in candidates)
    most = len(refusals) if share >= 1 else max(1, ceil(answers * share / (1 - share)))
    for each in sorted(refusals, key=lambda each: draw(seed, each.exchange))[most:]:
        yield each, "refusals-over-share"


def draw_splits(
    founders: Mapping[int, Sequence[str]], *, seed: str, validation: float, test: float
) -> dict[int, tuple[Split, str]]:
    """Return for each cluster its split and its name, drawn from the keys of its founders, which come in order.

    Where clusters have grown together, the strictest of their splits is that of all: what was kept for evaluation once
    is never trained on.
    """
    splits = {}
    for cluster, keys in founders.items():
        strictness = [_strictness(draw(seed, key), validation, test) for key in keys]
        splits[cluster] = (SPLITS[max(strictness)], draw(seed, keys[0])[:16])
    return splits


def draw(seed: str, key: str) -> str:
    """Return 64 hexadecimal digits that are drawn from a key."""
    return hash_text(f"{seed}|{key}").hex()


def _strictness(drawn: str, validation: float, test: float) -> int:
    """Return the position in SPLITS of the one that a draw falls into."""
    share = int(drawn[:12], 16) / 16**12
    return 2 if share < test else 1 if share < test + validation else 0
