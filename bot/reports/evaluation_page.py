"""The figures of an evaluation as one page (pure)."""

from collections.abc import Mapping, Sequence
from typing import Any

from bot.reports import plots
from bot.reports.evaluation_rows import (
    LETTERS,
    SHARES_NOTE,
    answer_rows,
    difference_cells,
    is_more_than_noise,
    kind_rows,
    share_rows,
    single_figures,
)
from bot.reports.page import render

Figures = Mapping[str, Any]
Row = tuple[Sequence[str], bool]

GLOSSARY = (
    "As people would see them. Of what a model was asked: own is answered without a fallback, grounded are its "
    "sentences that passed the check, form those written as they should be. cited_gold: a gold section is cited."
)

SHARES_GLOSSARY = (
    "whole: every thing is shown that the question's line names; first: and half of these begin in the first half of "
    "the answer. right_kind: an answer to a question for a number or a time holds one. wrongly_answered is of the "
    "questions without an answer, wrongly_not_found of those with one."
)


def evaluation_page(figures: Figures) -> str:
    """Return the page of an evaluation's figures; what could not be measured has no section."""
    answers = figures.get("answers") or {}
    return render(
        "evaluation.html.jinja",
        kind="evaluation",
        title="Evaluation",
        summary=f"{figures['questions']} questions"
        + (f", answered by {', '.join(answers)}" if answers else ", looked up only"),
        area=plots.EVALUATION,
        grid=plots.GRID,
        generators=_generators(answers),
        answers=_rows(answer_rows(answers)) if answers else [],
        glossary=GLOSSARY,
        shares=_rows(share_rows(answers)),
        kinds=_rows(kind_rows(answers)),
        shares_note=f"{SHARES_GLOSSARY} {SHARES_NOTE}",
        differences=_differences(figures),
        retrieval=[((name, value), False) for name, value in single_figures(figures)],
        **_thresholds(figures),
    )


def _rows(rows: Sequence[tuple[str, Sequence[str]]]) -> list[Row]:
    return [([name, *cells], False) for name, cells in rows]


def _thresholds(figures: Figures) -> dict[str, Any]:
    """Return what the two plots need; no curves where there are no thresholds."""
    if not figures.get("thresholds"):
        return {"curves": []}
    now = figures["threshold"]
    return {
        "set_at": now["threshold"],
        "curves": list(plots.trade_off_curves(figures["thresholds"], now)),
        "dots": list(plots.calibration_dots(figures["reliability"])),
        "trade_off_note": (
            f"At the threshold that is set, {now['threshold']:.2f}, {now['answered']:.1%} of the questions with an "
            f"answer are answered, and {now['wrongly_answered']:.1%} of those without."
        ),
        "calibration_note": (
            "Each dot is a tenth of the scale, as large as its share of questions; on the line it is right. "
            f"The expected calibration error is {figures['calibration_error']:.3f}."
        ),
    }


def _generators(answers: Mapping[str, Figures]) -> list[str]:
    """Return the names of the generators, each with its letter where there are several."""
    if len(answers) == 1:
        return list(answers)
    return [f"{letter}: {name}" for letter, name in zip(LETTERS, answers, strict=False)]


def _differences(figures: Figures) -> list[Row]:
    letters = dict(zip(figures.get("answers") or {}, LETTERS, strict=False))
    return [
        (
            [f"{row['figure']}, {letters[row['model']]} less {letters[row['than']]}", *difference_cells(row)],
            not is_more_than_noise(row),
        )
        for row in figures.get("differences") or []
    ]
