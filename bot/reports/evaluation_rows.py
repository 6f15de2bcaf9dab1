"""Rows of figures of an evaluation that its text and its page share (pure)."""

from collections.abc import Mapping, Sequence
from typing import Any

from bot.reports.numbers import format_share

Figures = Mapping[str, Any]

# Figures that are drawn or have a table of their own.
DRAWN = ("reliability", "thresholds", "threshold", "answers", "differences")
# Of fewer questions nothing is said to be more than noise.
FEWEST = 20
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
OF_A_MODEL = frozenset("asked own not_found grounded form tokens_in tokens_out".split())
FRACTIONS = frozenset({"f1", "recall"})
COUNTS = frozenset({"sentences", "words", "words_p90", "tokens_in", "tokens_out"})
# Figures of answers that have a table of their own.
SHARED = frozenset({"fallbacks", "shares", "kinds"})
SHARES_NOTE = "In brackets: between these lies the true share, in 95 of 100 such samples."


def single_figures(figures: Figures) -> list[tuple[str, str]]:
    """Return the figures of retrieval and abstention that are one number each, with their names."""
    return [(name, format_figure(name, value)) for name, value in figures.items() if name not in DRAWN]


def answer_rows(answers: Mapping[str, Figures]) -> list[tuple[str, list[str]]]:
    """Return for each figure of answers, and each kind of fallback that occurred, what every generator reached."""
    rows = [(name, [_format_answer(name, each[name]) for each in answers.values()]) for name in _answer_names(answers)]
    kinds = sorted({kind for each in answers.values() for kind in each["fallbacks"] or {}})
    return rows + [
        (
            f"fallback: {kind}",
            [_format_answer("", (each["fallbacks"] or {}).get(kind, 0)) for each in answers.values()],
        )
        for kind in kinds
    ]


def share_rows(answers: Mapping[str, Figures]) -> list[tuple[str, list[str]]]:
    """Return for each share of questions that some generator has, what every one reached."""
    return _share_rows([each["shares"] for each in answers.values()])


def kind_rows(answers: Mapping[str, Figures]) -> list[tuple[str, list[str]]]:
    """Return the rows of shares of each kind of question, behind the name of the kind."""
    given = [each["kinds"] for each in answers.values()]
    return [
        (f"{kind}: {name}", cells)
        for kind in dict.fromkeys(kind for each in given for kind in each)
        for name, cells in _share_rows([each.get(kind, {}) for each in given])
    ]


def _share_rows(shares: Sequence[Figures]) -> list[tuple[str, list[str]]]:
    names = dict.fromkeys(name for each in shares for name in each)
    return [(name, [_format_part(each.get(name)) for each in shares]) for name in names]


def _format_part(share: Figures | None) -> str:
    return f"{share['part']}/{share['of']} {format_share(share)}" if share else "-"


def difference_cells(row: Figures) -> list[str]:
    """Return the difference between two generators and the bounds of its interval."""
    return [_format_answer(row["figure"], row[key], signed=True) for key in ("difference", "low", "high")]


def is_more_than_noise(row: Figures) -> bool:
    """Say whether 0 lies outside of the interval, and there are enough questions to say so."""
    return bool(row["questions"] >= FEWEST and (row["low"] > 0 or row["high"] < 0))


def format_figure(name: str, value: float | None) -> str:
    """Return a figure of retrieval or abstention; a dash where nothing could be measured."""
    if value is None:
        return "-"
    if isinstance(value, int):
        return str(value)
    return f"{value:.1f}" if name.endswith("_ms") else f"{value:.4f}"


def _answer_names(answers: Mapping[str, Figures]) -> list[str]:
    """Return the figures with a row: those of a model only if there is one, a failure only if there was one.

    What stands among the shares, with its interval, has none.
    """
    generators = answers.values()
    is_model = any(each["asked"] is not None for each in generators)
    absent = frozenset() if is_model else OF_A_MODEL
    if not any(each["gave_up"] for each in generators):
        absent |= {"gave_up"}
    absent |= SHARED.union(*(each["shares"] for each in generators))
    return [name for name in next(iter(generators)) if name not in absent]


def _format_answer(name: str, value: Any, *, signed: bool = False) -> str:
    plus = "+" if signed else ""
    if value is None or isinstance(value, str):
        return value or "-"
    if name.endswith("_ms"):
        return f"{value:{plus}.0f}"
    if name in COUNTS:
        return f"{value:{plus}.1f}"
    if name in FRACTIONS:
        return f"{value:{plus}.3f}"
    return str(value) if isinstance(value, int) else f"{value:{plus}.1%}"
