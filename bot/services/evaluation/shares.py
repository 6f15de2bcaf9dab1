"""Shares of questions that were answered as they should be, each with its interval, over all and by kind (pure)."""

from collections.abc import Mapping, Sequence
from typing import Any

from bot.services.evaluation.scoring import Ratio
from feedback.report.intervals import wilson

SHARES = ("whole", "first", "right_kind", "wrongly_answered", "wrongly_not_found")


def shares(rows: Sequence[Mapping[str, Ratio]]) -> dict[str, dict[str, float]]:
    """Return of how many questions each is true, with Wilson's interval of 95 %; nothing where it is asked of none."""
    found = {name: [row[name] for row in rows if name in row] for name in SHARES}
    return {name: _share(ratios) for name, ratios in found.items() if ratios}


def shares_by_kind(kinds: Sequence[str], rows: Sequence[Mapping[str, Ratio]]) -> dict[str, dict[str, dict[str, float]]]:
    """Return the shares of each kind of question, in the order of the kinds; `kinds` is parallel to `rows`.

    Questions whose kind is empty are in none.
    """
    rows_by_kind: dict[str, list[Mapping[str, Ratio]]] = {}
    for kind, row in zip(kinds, rows, strict=True):
        if kind:
            rows_by_kind.setdefault(kind, []).append(row)
    found = {kind: shares(rows) for kind, rows in rows_by_kind.items()}
    return {kind: figures for kind, figures in found.items() if figures}


def _share(ratios: Sequence[Ratio]) -> dict[str, Any]:
    part, of = (int(sum(column)) for column in zip(*ratios, strict=True))
    low, high = wilson(part, of)
    return {"part": part, "of": of, "share": part / of, "low": low, "high": high}
