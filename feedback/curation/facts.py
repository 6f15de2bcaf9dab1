"""What is held in memory of a draft, and which of the drafts that say the same or weigh too much are kept (pure)."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from feedback.curation.candidates import Draft
from feedback.curation.near_duplicates import groups, normalised
from feedback.curation.values import SPLITS, Split

# Of a cluster so many answers are looked at together; thousands of one question are merged piece by piece.
TOGETHER = 5000


@dataclass(slots=True)
class Fact:
    """A draft without its texts. `cluster` is the position of the first exchange of its group of questions, `name` says
    the same in rows.
    """

    position: int
    id: str
    asker: str
    voters: tuple[str, ...]
    people: tuple[str, ...]
    reviewed: bool
    ups: int
    downs: int
    wanted: bool
    unwanted: bool
    refusal: bool
    refused: bool
    same: bytes
    same_question: bytes
    corrected: bool
    positives: int
    blamed: bool
    earlier: tuple[str, ...] = ()
    cluster: int = 0
    name: str = ""
    split: Split = "train"
    merged: tuple[str, ...] = ()

    @property
    def weight(self) -> tuple[bool, int, int]:
        """What is kept of two that say the same: what was reviewed, what most people say, the newest."""
        return (self.reviewed, abs(self.ups - self.downs), self.position)

    @property
    def why(self) -> str:
        """Why it is trained on, in a few words."""
        if self.reviewed:
            said = f"{'approved' if self.wanted and not self.corrected else 'corrected'} in review"
        else:
            said = f"{self.ups} up, {self.downs} down"
        return f"{said}; stands for {', '.join(self.merged)} too" if self.merged else said


def fact(position: int, draft: Draft, *, id: str, asker: str, earlier: tuple[str, ...]) -> Fact:  # noqa: A002
    """What is held of this draft; `earlier` are the normalised questions before it in its conversation."""
    found = draft.judgement
    return Fact(
        position,
        id,
        asker,
        found.voters,
        tuple(sorted({*found.people, asker} - {""})),
        found.reviewed,
        found.ups,
        found.downs,
        wanted=draft.chosen is not None,
        unwanted=draft.rejected is not None,
        refusal=draft.refusal,
        refused=draft.refused,
        same=_short(draft.same),
        same_question=_short(normalised(draft.standalone)),
        corrected=found.outcome == "corrected" and draft.chosen is not None,
        positives=len(draft.positives),
        blamed=bool(draft.blamed),
        earlier=earlier,
    )


def duplicates(facts: Sequence[Fact], answer: Callable[[Fact], str]) -> Iterator[tuple[Fact, str]]:
    """Those whose question and answer another one has too, each with the reason; the other says for whom it stands."""
    clusters: dict[int, list[Fact]] = defaultdict(list)
    for each in facts:
        clusters[each.cluster].append(each)
    for members in clusters.values():
        for start in range(0, len(members) if len(members) > 1 else 0, TOGETHER):
            yield from _merged(members[start : start + TOGETHER], answer)


def _merged(members: Sequence[Fact], answer: Callable[[Fact], str]) -> Iterator[tuple[Fact, str]]:
    roots, _ = groups([normalised(answer(each)) for each in members])
    alike: dict[int, list[Fact]] = defaultdict(list)
    for root, each in zip(roots, members, strict=True):
        alike[root].append(each)
    for same in alike.values():
        best = max(same, key=lambda each: each.weight)
        others = [each for each in same if each is not best]
        agreeing = [each for each in others if each.wanted == best.wanted]
        best.merged = tuple(each.id for each in agreeing)
        for each in others:
            yield each, "duplicate" if each.wanted == best.wanted else "contradicted"


def overweight(facts: Sequence[Fact], *, share: float, rows: int) -> Iterator[Fact]:
    """Those that are too many of one asker, or that stand on voters alone who decide too many; reviewed ones are not.

    The best of everybody's are kept. A few people could teach a model whatever they like otherwise.
    """
    most = max(rows, ceil(share * len(facts)))
    asked: Counter[str] = Counter()
    voted: Counter[str] = Counter()
    for each in sorted(facts, key=lambda each: each.weight, reverse=True):
        if each.reviewed:
            continue
        free = [voter for voter in each.voters if voted[voter] < most]
        if (each.asker and asked[each.asker] >= most) or (each.voters and not free):
            yield each
            continue
        asked[each.asker] += 1
        voted.update(free)


def refusals_over(facts: Sequence[Fact], *, share: float, seed: str) -> list[Fact]:
    """The refusals that are more than this share of the answers to write; which ones is drawn from their ids.

    A model that learns from more refusals than people get in earnest refuses what it could answer. One is left.
    """
    refusals = [each for each in facts if each.wanted and each.refusal]
    answers = sum(each.wanted and not each.refusal for each in facts)
    most = len(refusals) if share >= 1 else max(1, ceil(answers * share / (1 - share)))
    return sorted(refusals, key=lambda each: digest(seed, each.id))[most:]


def splits(
    founders: Mapping[int, Sequence[str]], *, seed: str, validation: float, test: float
) -> dict[int, tuple[Split, str]]:
    """For each cluster its split and its name, from the keys of the exchanges that no earlier one was near, in order.

    Where clusters have grown together, the strictest of their splits is that of all: what was kept for evaluation once
    is never trained on.
    """
    drawn = {}
    for cluster, keys in founders.items():
        ranks = [_rank(digest(seed, key), validation, test) for key in keys]
        drawn[cluster] = (SPLITS[max(ranks)], digest(seed, keys[0])[:16])
    return drawn


def digest(seed: str, key: str) -> str:
    """A number drawn from a name."""
    return hashlib.sha256(f"{seed}|{key}".encode("utf-8", "surrogatepass")).hexdigest()


def _short(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:16]


def _rank(drawn: str, validation: float, test: float) -> int:
    place = int(drawn[:12], 16) / 16**12
    return 2 if place < test else 1 if place < test + validation else 0
