"""Self-calibration: what a confidence means on these documents, learned without any unanswerable question.

The score orders questions alike everywhere, but its scale differs between corpora. Each question whose document is
known is asked twice, as it is and with that document masked; a line through the logit is fitted to tell the two apart.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from retrieval.errors import RetrievalError
from retrieval.passages import Query
from retrieval.ranking.confidence import Calibration
from retrieval.search import Search

if TYPE_CHECKING:  # no question waits for what only measures
    from retrieval.evaluation.metrics import Gold

FEWEST = 20
# As in Platt, "Probabilistic outputs for support vector machines" (1999): a few questions must not claim certainty.
PRIOR = 1.0
STEPS = 50


def self_calibrated(search: Search, judged: Iterable["tuple[Query, Gold]"]) -> Calibration:
    """The search's calibration fitted to questions given with what tells the passages that answer them.

    Raises `RetrievalError` when fewer than `FEWEST` questions find an answer.
    """
    found, masked = [], []
    for query, answers in judged:
        as_it_is = search.ranked(query, top=10)
        document = next((hit.passage.document for hit in as_it_is.hits if answers(hit.passage)), None)
        if document is not None:
            found.append(search.calibration.logit(as_it_is.signals))
            masked.append(search.calibration.logit(search.ranked(query, top=1, masked=document).signals))
    if len(found) < FEWEST:
        raise RetrievalError(f"only {len(found)} judged questions find their section; calibration needs {FEWEST}")
    slope, shift = platt([*found, *masked], [True] * len(found) + [False] * len(masked))
    return replace(search.calibration, slope=slope, shift=shift)


def platt(logits: Sequence[float], truth: Sequence[bool]) -> tuple[float, float]:
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


def load(path: Path) -> Calibration:
    """The calibration kept in a file, the shipped one when there is none; raises `RetrievalError` for a damaged one."""
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        return replace(Calibration(), slope=float(kept["slope"]), shift=float(kept["shift"]))
    except FileNotFoundError:
        return Calibration()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RetrievalError(f"the calibration {str(path)!r} is damaged; remove it, or calibrate anew") from error


def keep(calibration: Calibration, path: Path) -> None:
    """Write a calibration, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    new.write_text(json.dumps({"slope": calibration.slope, "shift": calibration.shift}), encoding="utf-8")
    new.replace(path)
