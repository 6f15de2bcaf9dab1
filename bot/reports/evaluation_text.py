"""The figures of an evaluation as text for a terminal (pure)."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from bot.reports.evaluation_rows import (
    FEWEST,
    LETTERS,
    SHARES_NOTE,
    answer_rows,
    difference_cells,
    is_more_than_noise,
    kind_rows,
    share_rows,
    single_figures,
)

Figures = Mapping[str, Any]

# Columns for a confidence of 0 to 1, and lines for a share of 0 to 1; with its scale the drawing is 67 wide.
WIDTH, HEIGHT = 60, 10
# What the drawing is made of, and the letters in place of it that every terminal has.
INK = dict(zip("answered wrong axis corner line here at".split(), "░█┤└─▲│", strict=True))
PLAIN_INK = dict(zip(INK, ".#|+-^|", strict=True))


def evaluation_text(figures: Figures, *, plain: bool = False) -> str:
    """Return one line a figure, the trade-off with its drawing, then the answers; what was not measured is a dash.

    `plain` draws with letters that every terminal has.
    """
    parts = [_columns([(name, [value]) for name, value in single_figures(figures)], align="<")]
    if figures.get("thresholds"):
        parts += [_thresholds(figures["thresholds"])]
        parts += [trade_off_drawing(figures["thresholds"], figures.get("threshold"), plain=plain)]
    if figures.get("answers"):
        parts += [_answers(figures["answers"])]
    parts += _differences(figures)
    return "\n\n".join(part for part in parts if part)


def trade_off_drawing(rows: Sequence[Figures], now: Figures | None, *, plain: bool = False) -> str:
    """Draw the shares that would be answered at each threshold, as areas one before the other.

    `now` is the row of the threshold that is set, which is marked.
    """
    ink = PLAIN_INK if plain else INK
    steps = [step / WIDTH for step in range(WIDTH + 1)]
    columns = [(_share_at(rows, "answered", step), _share_at(rows, "wrongly_answered", step)) for step in steps]
    marked = round(now["threshold"] * WIDTH) if now else -1
    lines = []
    for line in range(HEIGHT, 0, -1):
        level = (line - 0.5) / HEIGHT
        cells = [
            ink["at"] if x == marked else ink["wrong"] if wrong >= level else ink["answered"] if right >= level else " "
            for x, (right, wrong) in enumerate(columns)
        ]
        scale = f"{line / HEIGHT:>4.0%}" if line in {HEIGHT, HEIGHT // 2} else ""
        lines.append(f"{scale:>4} {ink['axis']}{''.join(cells)}".rstrip())
    lines.append(f"  0% {ink['corner']}{ink['line'] * (WIDTH + 1)}")
    lines += _legend(marked, now, ink)
    return "\n".join(lines)


def _thresholds(rows: Sequence[Figures]) -> str:
    return "\n".join(
        ["threshold  answered  wrongly answered"]
        + [f"{row['threshold']:>9.2f}  {row['answered']:>8.1%}  {row['wrongly_answered']:>16.1%}" for row in rows]
    )


def _legend(marked: int, now: Figures | None, ink: Mapping[str, str]) -> Iterator[str]:
    """Yield the scale of the confidence, the mark of the threshold that is set, and what the areas stand for."""
    if now:
        yield " " * (6 + marked) + ink["here"]
    yield " " * 6 + "".join(f"{step / 5:<12.1f}" for step in range(5)) + "1.0"
    yield f"      {ink['answered']} answered   {ink['wrong']} wrongly answered   by threshold"
    if now and now["answered"] is not None:
        yield (
            f"      {ink['here']} at your threshold of {now['threshold']:.2f}: {now['answered']:.1%} answered, "
            f"{now['wrongly_answered']:.1%} wrongly"
        )


def _share_at(rows: Sequence[Figures], name: str, threshold: float) -> float:
    """Return the share at any threshold, on a straight line between the measured ones; at 0 everything is answered."""
    points = [(0.0, 1.0), *((float(row["threshold"]), float(row[name])) for row in rows)]
    for (left, low), (right, high) in pairwise(points):
        if threshold <= right:
            return low + (high - low) * (threshold - left) / (right - left)
    return points[-1][1]


def _answers(answers: Mapping[str, Figures]) -> str:
    """Return tables with a column for each generator, with a letter where there are several."""
    names = list(answers)
    heads = names if len(names) == 1 else list(LETTERS[: len(names)])
    legend = [f"{letter} is {name}" for letter, name in zip(heads, names, strict=True) if len(names) > 1]
    shares, kinds = share_rows(answers), kind_rows(answers)
    tables = ["\n".join([_columns([("answers", heads), *answer_rows(answers)]), *legend])]
    if shares:
        tables.append("\n".join([_columns([("shares", heads), *shares]), SHARES_NOTE]))
    if kinds:
        tables.append(_columns([("by kind", heads), *kinds]))
    return "\n\n".join(tables)


def _differences(figures: Figures) -> Iterator[str]:
    """Yield for each further generator how far it is from the first."""
    letters = dict(zip(figures.get("answers") or {}, LETTERS, strict=False))
    differences = figures.get("differences") or []
    for model in dict.fromkeys(row["model"] for row in differences):
        rows = [row for row in differences if row["model"] == model]
        head = f"{letters[model]} - {letters[rows[0]['than']]}"
        marked = [(row["figure"], [*difference_cells(row), "*" if is_more_than_noise(row) else ""]) for row in rows]
        yield "\n".join(
            [
                _columns([(head, ["difference", "from", "to", ""]), *marked]),
                "95 of 100 draws of the same questions lie between.",
                f"* is more than noise; of fewer than {FEWEST} questions nothing is said to be.",
            ]
        )


def _columns(rows: Sequence[tuple[str, Sequence[str]]], *, align: str = ">") -> str:
    """Return names, then columns that are as wide as they must be."""
    first = max((len(name) for name, _ in rows), default=0)
    widths = [max(map(len, column)) for column in zip(*(cells for _, cells in rows), strict=True)]
    return "\n".join(
        "  ".join([f"{name:<{first}}", *(f"{c:{align}{w}}" for c, w in zip(cells, widths, strict=True))]).rstrip()
        for name, cells in rows
    )
