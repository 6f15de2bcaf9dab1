"""Curates feedback: exchanges in, rows out; every exchange is used, or it is left out for a recorded reason."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from feedback.curation.dataset import CuratedDataset, RejectedExchange
from feedback.curation.funnel import Funnel
from feedback.curation.options import CurationOptions
from feedback.curation.pairs import CandidatePair, balance_lengths, find_pairs, mean_length_ratio
from feedback.curation.reader import CandidatePool, read_exchanges
from feedback.curation.retrieval_rows import RetrievalRowBuilder
from feedback.curation.row_reader import RowReader
from feedback.curation.scratch_db import ScratchDb
from feedback.curation.selection import (
    CandidateSummary,
    draw_splits,
    find_duplicates,
    find_overweight,
    find_surplus_refusals,
)
from feedback.ports import AudiencePort, KnowledgePort
from feedback.progress import Progress, ignore_progress
from feedback.records import ReviewedExchange
from feedback.texts.near_duplicates import find_near_duplicates, group_near_duplicates
from feedback.texts.words import normalize

# A share of refusals this much below what people get is worth a warning.
FEW_REFUSALS = 0.5


def curate(
    reviewed: Iterable[ReviewedExchange],
    knowledge: KnowledgePort,
    audience: AudiencePort,
    options: CurationOptions,
    *,
    work: Path,
    progress: Progress = ignore_progress,
) -> CuratedDataset:
    """Return what is fit to train on of these exchanges, which come oldest first and are read once.

    `work` is a folder for temporary files, which must stay while rows are pool. The same exchanges, documents and
    options give the same rows.
    """
    scratch = ScratchDb(work)
    funnel = Funnel(scratch)
    pool = read_exchanges(reviewed, knowledge, audience, options, scratch=scratch, funnel=funnel, progress=progress)
    progress("comparing questions", 0, 0)
    candidates = _select(pool, options, scratch=scratch, funnel=funnel)
    pairs = _pair(candidates, knowledge, options, scratch=scratch, funnel=funnel)
    RetrievalRowBuilder(knowledge, options, scratch).build_all(candidates, progress)
    rows = RowReader(candidates, pairs, scratch)
    funnel.add_notes("rows", rows.counts())
    return CuratedDataset(
        examples=rows.examples,
        pairs=rows.preference_pairs,
        retrievals=rows.retrieval_examples,
        rejected_exchanges=scratch.rejected_exchanges,
        counts=funnel.counts(len(pool.questions)),
        snapshot=pool.snapshot,
        exchanges=len(pool.questions),
    )


def _select(
    pool: CandidatePool, options: CurationOptions, *, scratch: ScratchDb, funnel: Funnel
) -> list[CandidateSummary]:
    """Return the candidates that stay when all are seen together; each step decides on what the one before leaves."""
    candidates = pool.candidates

    def without(stage: str, rejected: Iterable[tuple[CandidateSummary, str]]) -> list[CandidateSummary]:
        for each, reason in list(rejected):
            funnel.reject(each.position, RejectedExchange(each.exchange, stage, reason))
        return [each for each in candidates if each.position not in funnel.rejected_positions]

    def answer(candidate: CandidateSummary) -> str:
        if candidate.has_chosen:
            return scratch.chosen_answer(candidate.position)
        return scratch.rejected_answer(candidate.position) if candidate.has_rejected else ""

    clusters = _cluster(pool, options)
    candidates = without("contamination", _find_contaminated(pool, clusters, options))
    candidates = without("duplicate", find_duplicates(candidates, answer))
    overweight = find_overweight(candidates, share=options.person_share, rows=options.person_rows)
    candidates = without("share", overweight)
    surplus = find_surplus_refusals(candidates, share=pool.refused_share, seed=options.seed)
    candidates = without("balance", surplus)
    _note_refusals(candidates, pool.refused_share, funnel)
    return candidates


def _cluster(pool: CandidatePool, options: CurationOptions) -> list[int]:
    """Return for each exchange its cluster of near-equal questions; candidates get theirs, its name and its split."""
    clusters, is_founder = group_near_duplicates(pool.questions)
    founders: dict[int, list[str]] = defaultdict(list)
    for cluster, key, founds in zip(clusters, pool.keys, is_founder, strict=True):
        if founds:
            founders[cluster].append(key)
    splits = draw_splits(founders, seed=options.seed, validation=options.validation, test=options.test)
    for each in pool.candidates:
        each.cluster = clusters[each.position]
        each.split, each.cluster_name = splits[each.cluster]
    return clusters


def _find_contaminated(
    pool: CandidatePool, clusters: list[int], options: CurationOptions
) -> Iterator[tuple[CandidateSummary, str]]:
    """Yield what is near a question of evaluation, and what would show training a question that is held back."""
    near = find_near_duplicates(pool.questions, of=[normalize(each) for each in options.evaluation])
    near_clusters = {clusters[position] for position in near}
    held_back = {pool.questions[each.position] for each in pool.candidates if each.split != "train"}
    for each in pool.candidates:
        if each.cluster in near_clusters:
            yield each, "evaluation-question"
        elif each.split == "train" and not held_back.isdisjoint(each.earlier_questions):
            yield each, "follows-held-back-question"


def _note_refusals(candidates: list[CandidateSummary], answered_share: float, funnel: Funnel) -> None:
    """Record the shares of refusals, and a warning where too few are left."""
    to_write = [each for each in candidates if each.has_chosen]
    share = sum(each.chosen_is_refusal for each in to_write) / len(to_write) if to_write else 0.0
    notes: dict[str, object] = {"refusals_answered": round(answered_share, 4), "refusals_kept": round(share, 4)}
    if share < FEW_REFUSALS * answered_share:
        notes["warning"] = "too few refusals: a tuned model may stop refusing"
    funnel.add_notes("balance", notes)


def _pair(
    candidates: list[CandidateSummary],
    knowledge: KnowledgePort,
    options: CurationOptions,
    *,
    scratch: ScratchDb,
    funnel: Funnel,
) -> list[CandidatePair]:
    """Return the pairs of preferred and other answers, of balanced length."""
    pairs = list(
        find_pairs(
            candidates,
            most=options.pairs_per_cluster,
            chosen=lambda each: scratch.chosen_answer(each.position),
            rejected=lambda each: scratch.rejected_answer(each.position),
            refusal=knowledge.completion(()),
        )
    )
    balanced = balance_lengths(pairs)
    notes = {"lopsided_pairs": len(pairs) - len(balanced), "length_ratio": mean_length_ratio(balanced)}
    funnel.add_notes("rows", notes)
    return balanced
