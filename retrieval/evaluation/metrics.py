"""Figures of a search on judged questions (pure): recall, MRR, nDCG, latency, and those of abstention."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from retrieval.evaluation.abstention import abstention_figures
from retrieval.evaluation.judgements import Section
from retrieval.evaluation.matching import Matcher, documents_by_name, matcher, words
from retrieval.evaluation.outcomes import Outcome, is_answerable
from retrieval.passages import Passage

CUTS = (1, 5, 10)
# Words that a reader gets through; unlike a number of hits, they are not won by longer passages.
WORD_CUTS = (300, 1000)


def figures(
    outcomes: Sequence[Outcome], qrels: Mapping[str, Sequence[str]], corpus: Mapping[str, Section]
) -> dict[str, Any]:
    """Figures of retrieval, abstention and speed.

    A question is answerable as its line says, else when it has judgements or phrases. Retrieval is judged on answerable
    questions with judgements, abstention on all, against the others. Raises `UnreadableJudgements` when a judgement
    fits several documents.
    """
    truth = [is_answerable(each, qrels) for each in outcomes]
    return {
        "questions": len(outcomes),
        **retrieval_figures(outcomes, qrels, corpus),
        **abstention_figures([each.confidence for each in outcomes], truth),
        **latency_figures([each.seconds for each in outcomes]),
    }


def retrieval_figures(
    outcomes: Sequence[Outcome], qrels: Mapping[str, Sequence[str]], corpus: Mapping[str, Section]
) -> dict[str, Any]:
    """Means over the questions that have judgements and are answerable; None for each when there are none."""
    judged = [each for each in outcomes if each.question.id in qrels and is_answerable(each, qrels)]
    documents = documents_by_name(hit.passage.document for each in outcomes for hit in each.hits)
    rows = [
        question_figures(
            [matcher(name, corpus, documents) for name in qrels[each.question.id]], [hit.passage for hit in each.hits]
        )
        for each in judged
    ]
    names = question_figures([], [])
    return {"judged": len(rows), **{name: _mean([row[name] for row in rows]) for name in names}}


def question_figures(golds: Sequence[Matcher], passages: Sequence[Passage]) -> dict[str, float]:
    """Figures of one question, given a matcher for each gold section. A rank that holds several gains once."""
    found = _find_golds(golds, passages)
    ranks = sorted({rank for rank, _ in found if rank <= 10})
    ideal = sum(1 / math.log2(rank + 1) for rank in range(1, min(10, len(golds)) + 1))
    gained = sum(1 / math.log2(rank + 1) for rank in ranks)
    of = len(golds) or 1
    return {
        **{f"recall@{cut}": sum(rank <= cut for rank, _ in found) / of for cut in CUTS},
        **{f"recall@{cut}words": sum(read <= cut or rank == 1 for rank, read in found) / of for cut in WORD_CUTS},
        "MRR@10": 1 / ranks[0] if ranks else 0.0,
        "nDCG@10": gained / ideal if ideal else 0.0,
    }


def _find_golds(golds: Sequence[Matcher], passages: Sequence[Passage]) -> list[tuple[int, int]]:
    """For each gold section that was found: the rank of the first hit that does, and the words read up to its end."""
    read, found, missing = 0, [], list(golds)
    for rank, passage in enumerate(passages, start=1):
        read += len(words(passage.embedded_text))
        left = [each for each in missing if not each(passage)]
        found += [(rank, read)] * (len(missing) - len(left))
        missing = left
    return found


def latency_figures(seconds: Sequence[float]) -> dict[str, float]:
    """Median and 99th percentile of one search, in milliseconds."""
    p50, p99 = np.percentile(np.array(seconds) * 1000, [50, 99])
    return {"p50_ms": float(p50), "p99_ms": float(p99)}


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
