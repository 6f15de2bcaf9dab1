"""Fits the line that turns a ranking's logit into a probability, and keeps it in a file."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from retrieval.errors import RetrievalError
from retrieval.private_files import make_private, make_private_file, make_private_folder
from retrieval.ranking.confidence import Calibration

# As in Platt, "Probabilistic outputs for support vector machines" (1999): a few questions must not claim certainty.
PRIOR = 1.0
STEPS = 50


def fit_platt(logits: Sequence[float], truth: Sequence[bool]) -> tuple[float, float]:
    """Slope and shift of the logistic curve that fits best, by Newton's method; the slope is never negative."""
    x = np.column_stack([logits, np.ones(len(logits))])
    right = sum(truth)
    y = np.where(truth, (right + PRIOR) / (right + 2 * PRIOR), PRIOR / (len(truth) - right + 2 * PRIOR))
    line = np.array([0.5, 0.0])
    for _ in range(STEPS):
        p = 1 / (1 + np.exp(-np.clip(x @ line, -30, 30)))
        curvature = x.T @ (x * (p * (1 - p))[:, None]) + 1e-6 * np.eye(2)
        line = line - np.linalg.solve(curvature, x.T @ (p - y))
    return max(0.0, float(line[0])), float(line[1])


def load_calibration(path: Path) -> Calibration:
    """The calibration in a file, the shipped one when there is none; raises `RetrievalError` for a damaged one."""
    make_private(path)
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        return replace(Calibration(), slope=float(values["slope"]), shift=float(values["shift"]))
    except FileNotFoundError:
        return Calibration()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RetrievalError(f"the calibration {str(path)!r} is damaged; remove it, or calibrate anew") from error


def save_calibration(calibration: Calibration, path: Path) -> None:
    """Write slope and shift of a calibration to a file, whole or not at all."""
    make_private_folder(path.parent)
    new = path.with_suffix(".new")
    make_private_file(new)
    new.write_text(json.dumps({"slope": calibration.slope, "shift": calibration.shift}), encoding="utf-8")
    new.replace(path)
