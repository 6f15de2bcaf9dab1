"""Figures of how well confidence tells answerable questions from the others (pure)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

THRESHOLDS = tuple(step / 20 for step in range(1, 20))
BINS = 10


def abstention_figures(confidences: Sequence[float], answerables: Sequence[bool]) -> dict[str, Any]:
    """How well confidence tells answerable questions from the others; None for each figure that needs both kinds.

    `auroc` is the chance that it is higher for an answerable question than for another, ties counting half.
    `calibration_error` is the mean distance, over ten bins, between confidence and the answerable share, and
    `reliability` are those bins. `thresholds` are the shares that would be answered at each.
    """
    confidence = np.array(confidences, np.float64)
    truth = np.array(answerables, bool)
    right, wrong = confidence[truth], confidence[~truth]
    both = len(right) > 0 and len(wrong) > 0
    return {
        "answerable": len(right),
        "unanswerable": len(wrong),
        "auroc": auroc(right, wrong) if both else None,
        "calibration_error": calibration_error(confidence, truth) if both else None,
        "reliability": reliability(confidence, truth) if both else None,
        "thresholds": [trade_off(confidence, truth, threshold) for threshold in THRESHOLDS] if both else None,
    }


def trade_off(confidence: NDArray[np.float64], truth: NDArray[np.bool_], threshold: float) -> dict[str, float]:
    """The shares of answerable questions and of others that would be answered; there are some of both."""
    passed = confidence >= threshold
    return {
        "threshold": threshold,
        "answered": float(passed[truth].mean()),
        "wrongly_answered": float(passed[~truth].mean()),
    }


def auroc(right: NDArray[np.float64], wrong: NDArray[np.float64]) -> float:
    """The chance that a value of `right` is above one of `wrong`, ties counting half; neither is empty."""
    ordered = np.sort(wrong)
    below = np.searchsorted(ordered, right, "left") + np.searchsorted(ordered, right, "right")
    return float(below.mean() / 2 / len(ordered))


def calibration_error(confidence: NDArray[np.float64], truth: NDArray[np.bool_]) -> float:
    """Expected calibration error over ten bins of equal width."""
    gaps = [row["questions"] * abs(row["confidence"] - row["answerable"]) for row in reliability(confidence, truth)]
    return float(sum(gaps) / len(confidence))


def reliability(confidence: NDArray[np.float64], truth: NDArray[np.bool_]) -> list[dict[str, float]]:
    """For each of ten bins of equal width that holds a question: how many, mean confidence, answerable share."""
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    return [
        {
            "questions": int(inside.sum()),
            "confidence": float(confidence[inside].mean()),
            "answerable": float(truth[inside].mean()),
        }
        for inside in (bins == each for each in range(BINS))
        if inside.any()
    ]
