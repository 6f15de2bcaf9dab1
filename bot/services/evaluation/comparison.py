"""Asks candidates the questions of a judged file, and computes the figures of their answers side by side.

Each question is searched for once; every candidate answers it from the same passages, under the same verification.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from bot.answering.answers import Citation
from bot.answering.pipeline import FAILURES
from bot.errors import BotError
from bot.services.evaluation.answer_log import AnswerLog, answer_line
from bot.services.evaluation.candidates import Candidate, ReplaySearch
from bot.services.evaluation.judge import Judge
from bot.services.evaluation.scoring import Ratio, rates
from bot.services.evaluation.shares import shares, shares_by_kind
from retrieval.evaluation.abstention import trade_off
from retrieval.evaluation.judgements import Question, Section
from retrieval.evaluation.matching import documents_by_name
from retrieval.evaluation.metrics import figures
from retrieval.evaluation.outcomes import Outcome, is_answerable, known_answerable, search_questions
from retrieval.progress import Progress, ignore_progress

RATES = (
    *("answered", "abstained", "wrongly_answered", "own", "not_found", "grounded", "form", "sentences"),
    *("cited", "verbatim", "cited_gold", "quoted_gold", "f1", "recall", "tokens_in", "tokens_out"),
)
# Figures for which the difference between two candidates is reported with its confidence interval.
COMPARED = (
    *("answered", "own", "grounded", "form", "sentences", "cited_gold", "f1", "tokens_in", "tokens_out"),
    *("whole", "first", "right_kind"),
)
RESAMPLES, SEED = 2000, 0
CONFIDENCE_LEVEL = 95  # percent


def compare_candidates(
    questions: Sequence[Question],
    qrels: Mapping[str, Sequence[str]],
    corpus: Mapping[str, Section],
    search: ReplaySearch,
    candidates: Sequence[Candidate],
    *,
    threshold: float,
    text_of: Callable[[Citation], str],
    log: AnswerLog,
    progress: Progress = ignore_progress,
) -> dict[str, Any]:
    """Return figures of retrieval, of abstention and of each candidate's answers; None for what cannot be told.

    A line for each answer goes to `log` as it is given. Raises `BotError` as soon as every candidate has given up, and
    what `retrieval.evaluation` raises.
    """
    outcomes = []
    for number, outcome in enumerate(search_questions(questions, qrels, search.record, progress=progress)):
        outcomes.append(outcome)
        # The second to answer profits from what the first has cached, so each is second as often as first.
        turn = number % max(1, len(candidates))
        for candidate in (*candidates[turn:], *candidates[:turn]):
            if answer := candidate.answer(outcome):
                log(answer_line(candidate.name, answer, answerable=known_answerable(outcome.question, qrels)))
        if candidates and all(candidate.gave_up for candidate in candidates):
            which = ", ".join(f"{candidate.name!r} ({candidate.gave_up})" for candidate in candidates)
            raise BotError(
                f"no model answers: {which}; mend that (`footnote doctor`), or leave answers out: --no-answers"
            )
    known = documents_by_name(hit.passage.document for outcome in outcomes for hit in outcome.hits)
    judge = Judge(qrels, corpus, known, text_of)
    scores = {candidate.name: [judge.score(answer) for answer in candidate.answers] for candidate in candidates}
    return {
        **figures(outcomes, qrels, corpus),
        "threshold": threshold_figures(threshold, outcomes, qrels),
        "answers": {candidate.name: answer_figures(candidate, scores[candidate.name]) for candidate in candidates},
        "differences": differences(candidates, scores),
    }


def threshold_figures(
    threshold: float, outcomes: Sequence[Outcome], qrels: Mapping[str, Sequence[str]]
) -> dict[str, Any]:
    """Return the shares of answered and of wrongly answered questions at this threshold.

    None unless there are both answerable and unanswerable questions.
    """
    answerable = np.array([is_answerable(outcome, qrels) for outcome in outcomes], bool)
    if answerable.all() or not answerable.any():
        return {"threshold": threshold, "answered": None, "wrongly_answered": None}
    return trade_off(np.array([outcome.confidence for outcome in outcomes]), answerable, threshold)


def answer_figures(candidate: Candidate, scores: Sequence[Mapping[str, Ratio]]) -> dict[str, Any]:
    """Return the figures of one candidate's answers as people would see them, with quotes where its model fails.

    `asked` counts the questions that its model was asked, `own` is the share of those that were answered without a
    fallback. In the shares of what was judged, an abstention counts as an answer that says and cites nothing; but
    `right_kind` is of answers alone. `words` is the median of the answers that have sentences, `words_p90` their 90th
    percentile. `gave_up` is why the model was not asked any further.
    """
    has_model = candidate.generator is not None
    answers = [each for each in candidate.answers if not each.answer.is_small_talk]
    answered = [each for each in answers if each.answer.sentences]
    first_sentences = [each.seconds_to_first for each in answers if each.seconds_to_first is not None]
    words = np.percentile([each.check.words for each in answered], [50, 90]).tolist() if answered else (None, None)
    fallbacks = Counter(_fallback_kind(each.answer.fallback) for each in answers if each.answer.fallback)
    return {
        "questions": len(candidate.answers),
        "asked": sum(each.trace.asked for each in candidate.answers) if has_model else None,
        **rates(scores, RATES),
        "fallbacks": dict(fallbacks.most_common()) if has_model else None,
        **dict(zip(("words", "words_p90"), words, strict=True)),
        **percentiles("first_sentence", first_sentences),
        **percentiles("total", [each.seconds for each in answered]),
        "gave_up": candidate.gave_up,
        "shares": shares(scores),
        "kinds": shares_by_kind([each.outcome.question.kind for each in candidate.answers], scores),
    }


def _fallback_kind(fallback: str) -> str:
    return next((kind for kind in FAILURES if f"({kind})" in fallback), "other")


def percentiles(name: str, seconds: Sequence[float]) -> dict[str, float | None]:
    """Return the median and the 99th percentile in milliseconds; None where there are no seconds."""
    values = np.percentile(np.array(seconds) * 1000, [50, 99]) if seconds else (None, None)
    return {
        f"{name}_p{percent}_ms": None if value is None else float(value)
        for percent, value in zip((50, 99), values, strict=True)
    }


def differences(
    candidates: Sequence[Candidate], scores: Mapping[str, Sequence[Mapping[str, Ratio]]]
) -> list[dict[str, Any]]:
    """Return how far each further candidate is from the first, with the interval that tells it from noise.

    Questions are paired and resampled, always with the same seed. Candidates that gave up are left out.
    """
    compared = [candidate for candidate in candidates if not candidate.gave_up]
    return [
        {"figure": name, "model": other.name, "than": compared[0].name, **found}
        for other in compared[1:]
        for name in COMPARED
        if (found := difference(_column(scores[compared[0].name], name), _column(scores[other.name], name)))
    ]


def _column(rows: Sequence[Mapping[str, Ratio]], name: str) -> list[Ratio]:
    return [row.get(name, (0, 0)) for row in rows]


def difference(base: Sequence[Ratio], other: Sequence[Ratio]) -> dict[str, float] | None:
    """Return the second rate less the first over the same questions, with the bounds of its bootstrap interval.

    None when one of them has no rate.
    """
    ratios = np.array([base, other], np.float64)  # axes: candidate, question, numerator or denominator
    if not len(base) or not ratios[:, :, 1].sum(axis=1).all():
        return None
    draws = np.random.default_rng(SEED).multinomial(len(base), np.full(len(base), 1 / len(base)), size=RESAMPLES)
    sums = draws @ ratios  # axes: candidate, draw, numerator or denominator
    usable = sums[:, :, 1].all(axis=0)
    rate = sums[:, usable, 0] / sums[:, usable, 1]
    low, high = np.percentile(rate[1] - rate[0], [(100 - CONFIDENCE_LEVEL) / 2, (100 + CONFIDENCE_LEVEL) / 2])
    first, second = ratios[:, :, 0].sum(axis=1) / ratios[:, :, 1].sum(axis=1)
    return {"questions": len(base), "difference": float(second - first), "low": float(low), "high": float(high)}
