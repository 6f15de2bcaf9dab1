"""Exchanges in, rows out: every exchange is used, or it leaves for a recorded reason."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from feedback.curation import pairs
from feedback.curation.facts import Fact, duplicates, overweight, refusals_over, splits
from feedback.curation.funnel import Funnel, Progress
from feedback.curation.near_duplicates import groups, normalised, touched
from feedback.curation.options import Options
from feedback.curation.reader import Read, read
from feedback.curation.retrieval_rows import Retrieving
from feedback.curation.scratch_db import ScratchDb
from feedback.curation.values import Curated, Example, Pair, Rejected, Retrieval, Source
from feedback.ports import KnowledgePort
from feedback.records import ReviewedExchange

# A share of refusals this much below what people get is worth a word.
FEW_REFUSALS = 0.5


def curate(
    judged: Callable[[], Iterator[ReviewedExchange]],
    sources: KnowledgePort,
    options: Options,
    work: Path,
    progress: Progress = lambda *_: None,
) -> Curated:
    """What is fit to train on of these exchanges, which come oldest first and are read once.

    `work` is a folder for temporary files, which must stay while rows are read. The same exchanges, documents and
    options give the same rows.
    """
    spill = ScratchDb(work)
    ledger = Funnel(spill)
    made = read(judged(), sources, options, spill=spill, ledger=ledger, progress=progress)
    progress("comparing questions", 0, 0)
    facts = _chosen(made, options, spill=spill, ledger=ledger)
    rows = _Rows(facts, _matches(facts, sources, options, spill=spill, ledger=ledger), spill)
    Retrieving(sources, options, spill).write(facts, progress)
    ledger.note("rows", rows.counted())
    return Curated(
        examples=rows.examples,
        pairs=rows.pairs,
        retrievals=rows.retrievals,
        rejected=spill.rejections,
        counts=ledger.counts(len(made.questions)),
        snapshot=made.snapshot,
        exchanges=len(made.questions),
    )


def _chosen(made: Read, options: Options, *, spill: ScratchDb, ledger: Funnel) -> list[Fact]:
    """What stays when all are seen together, each step deciding on what the one before has left."""
    facts = made.facts

    def leaving(stage: str, leavers: Iterable[tuple[Fact, str]]) -> list[Fact]:
        for each, reason in leavers:
            ledger.leave(each.position, Rejected(each.id, stage, reason))
        return [each for each in facts if each.position not in ledger.gone]

    clusters = _cluster(made, options)
    facts = leaving("contamination", list(_contaminated(made, clusters, options)))
    facts = leaving("duplicate", list(duplicates(facts, lambda each: _answer(spill, each))))
    over = list(overweight(facts, share=options.person_share, rows=options.person_rows))
    facts = leaving("share", [(each, "person-over-share") for each in over])
    share = made.refused / made.eligible if made.eligible else 0.0
    refusals = refusals_over(facts, share=share, seed=options.seed)
    facts = leaving("balance", [(each, "refusals-over-share") for each in refusals])
    _note_refusals(facts, share, ledger)
    return facts


def _cluster(made: Read, options: Options) -> list[int]:
    """For each exchange its cluster; the facts get theirs with its name and split."""
    clusters, founds = groups(made.questions)
    founders: dict[int, list[str]] = defaultdict(list)
    for position, (cluster, found) in enumerate(zip(clusters, founds, strict=True)):
        if found:
            founders[cluster].append(made.keys[position])
    drawn = splits(founders, seed=options.seed, validation=options.validation, test=options.test)
    for each in made.facts:
        each.cluster = clusters[each.position]
        each.split, each.name = drawn[each.cluster]
    return clusters


def _contaminated(made: Read, clusters: list[int], options: Options) -> Iterator[tuple[Fact, str]]:
    """What is near a question of evaluation, and what would show training a question that is held back."""
    asked = touched(made.questions, [normalised(each) for each in options.evaluation])
    near = {clusters[position] for position in asked}
    held = {made.questions[each.position] for each in made.facts if each.split != "train"}
    for each in made.facts:
        if each.cluster in near:
            yield each, "evaluation-question"
        elif each.split == "train" and not held.isdisjoint(each.earlier):
            yield each, "follows-held-back-question"


def _matches(
    facts: list[Fact], sources: KnowledgePort, options: Options, *, spill: ScratchDb, ledger: Funnel
) -> list[pairs.Match]:
    found = list(
        pairs.matches(
            facts,
            most=options.pairs_per_cluster,
            chosen=lambda each: spill.chosen(each.position),
            rejected=lambda each: spill.rejected(each.position),
            refusal=sources.completion(()),
        )
    )
    kept = pairs.level(found)
    ledger.note("rows", {"lopsided_pairs": len(found) - len(kept), "length_ratio": pairs.mean_ratio(kept)})
    return kept


def _note_refusals(facts: list[Fact], share: float, ledger: Funnel) -> None:
    wanted = [each for each in facts if each.wanted]
    kept = sum(each.refusal for each in wanted) / len(wanted) if wanted else 0.0
    said = {"refusals_answered": round(share, 4), "refusals_kept": round(kept, 4)}
    warning = {"warning": "too few refusals: a tuned model may stop refusing"} if kept < FEW_REFUSALS * share else {}
    ledger.note("balance", said | warning)


def _answer(spill: ScratchDb, each: Fact) -> str:
    if each.wanted:
        return spill.chosen(each.position)
    return spill.rejected(each.position) if each.unwanted else ""


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows, read anew from the temporary file at each call."""

    facts: list[Fact]
    matches: list[pairs.Match]
    spill: ScratchDb

    def examples(self) -> Iterator[Example]:
        for each in self.facts:
            prompt = self.spill.prompt(each.position)
            if each.wanted:
                text = self.spill.chosen(each.position)
                yield Example(_source(each), each.split, each.name, prompt, text, label=True, refusal=each.refusal)
            if each.unwanted:
                text = self.spill.rejected(each.position)
                yield Example(_source(each), each.split, each.name, prompt, text, label=False, refusal=each.refused)

    def pairs(self) -> Iterator[Pair]:
        for match in self.matches:
            better, worse = match.chosen, match.rejected
            yield Pair(
                (_source(better), _source(worse)),
                better.split,
                better.name,
                self.spill.prompt(better.position),
                self.spill.chosen(better.position),
                self.spill.rejected(worse.position),
            )

    def retrievals(self) -> Iterator[Retrieval]:
        facts = {each.position: each for each in self.facts}
        for position, place, negatives in self.spill.retrievals():
            each = facts[position]
            question, positives, _ = self.spill.sections(position)
            yield Retrieval(_source(each), each.split, each.name, question, positives[place], tuple(negatives))

    def counted(self) -> dict[str, object]:
        wanted = [each for each in self.facts if each.wanted]
        return {
            "to_write": len(wanted),
            "not_to_write": sum(each.unwanted for each in self.facts),
            "refusals_to_write": sum(each.refusal for each in wanted),
            "pairs": len(self.matches),
            "retrievals": sum(each.positives for each in self.facts),
            "exchanges_by_split": dict(sorted(Counter(each.split for each in self.facts).items())),
        }


def _source(each: Fact) -> Source:
    return Source(each.id, each.why, each.people)
