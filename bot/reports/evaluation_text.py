"""Figures of an evaluation as text for a terminal (pure)."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

Figures = Mapping[str, Any]

DRAWN = ("reliability", "thresholds", "threshold", "answers", "differences")
# Columns for a confidence of 0 to 1, and lines for a share of 0 to 1; with its scale the drawing is 67 wide.
WIDTH, HEIGHT = 60, 10
# Of fewer questions nothing is said to be more than noise.
FEWEST = 20
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
OF_A_MODEL = frozenset("asked own not_found grounded form tokens_in tokens_out".split())
FRACTIONS = frozenset({"f1", "recall"})
COUNTS = frozenset({"sentences", "words", "tokens_in", "tokens_out"})


def table(figures: Figures, *, plain: bool = False) -> str:
    """One line a figure, the trade-off with its drawing, then the answers; what could not be told is a dash.

    `plain` draws with letters that every terminal has.
    """
    single = {name: value for name, value in figures.items() if name not in DRAWN}
    parts = [_lines([(name, [single_figure(name, value)]) for name, value in single.items()], align="<")]
    if figures.get("thresholds"):
        parts += [_thresholds(figures["thresholds"])]
        parts += [drawing(figures["thresholds"], figures.get("threshold"), plain=plain)]
    if figures.get("answers"):
        parts += [answers(figures["answers"])]
    parts += _differences(figures)
    return "\n\n".join(part for part in parts if part)


def _thresholds(rows: Sequence[Figures]) -> str:
    return "\n".join(
        ["threshold  answered  wrongly answered"]
        + [f"{row['threshold']:>9.2f}  {row['answered']:>8.1%}  {row['wrongly_answered']:>16.1%}" for row in rows]
    )


def drawing(rows: Sequence[Figures], now: Figures | None, *, plain: bool = False) -> str:
    """The shares that would be answered at each threshold, as areas one before the other; `now` is marked."""
    ink = dict(zip("answered wrong axis corner line here at".split(), ".#|+-^|" if plain else "░█┤└─▲│", strict=True))
    columns = [(_at(rows, "answered", x / WIDTH), _at(rows, "wrongly_answered", x / WIDTH)) for x in range(WIDTH + 1)]
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
    lines += _below(marked, now, ink)
    return "\n".join(lines)


def _below(marked: int, now: Figures | None, ink: Mapping[str, str]) -> Iterator[str]:
    """The scale of the confidence, the mark of the threshold that is set, and what the areas stand for."""
    if now:
        yield " " * (6 + marked) + ink["here"]
    yield " " * 6 + "".join(f"{step / 5:<12.1f}" for step in range(5)) + "1.0"
    yield f"      {ink['answered']} answered   {ink['wrong']} wrongly answered   by threshold"
    if now and now["answered"] is not None:
        yield (
            f"      {ink['here']} at your threshold of {now['threshold']:.2f}: {now['answered']:.1%} answered, "
            f"{now['wrongly_answered']:.1%} wrongly"
        )


def _at(rows: Sequence[Figures], name: str, threshold: float) -> float:
    """The share at any threshold, on a straight line between those that were measured; at 0 everything is answered."""
    points = [(0.0, 1.0), *((float(row["threshold"]), float(row[name])) for row in rows)]
    for (left, low), (right, high) in pairwise(points):
        if threshold <= right:
            return low + (high - low) * (threshold - left) / (right - left)
    return points[-1][1]


def answers(given: Mapping[str, Figures]) -> str:
    """A column for each generator, with a letter where there are several."""
    names = list(given)
    heads = names if len(names) == 1 else list(LETTERS[: len(names)])
    rows = answer_rows(given)
    legend = [f"{letter} is {name}" for letter, name in zip(heads, names, strict=True) if len(names) > 1]
    return "\n".join([_lines([("answers", heads), *rows]), *legend])


def answer_rows(given: Mapping[str, Figures]) -> list[tuple[str, list[str]]]:
    """For each figure of answers, and each kind of fallback that there was, what every generator reached."""
    rows = [(name, [_answer(name, each[name]) for each in given.values()]) for name in _figures(given)]
    kinds = sorted({kind for each in given.values() for kind in each["fallbacks"] or {}})
    return rows + [
        (f"fallback: {kind}", [_answer("", (each["fallbacks"] or {}).get(kind, 0)) for each in given.values()])
        for kind in kinds
    ]


def _figures(given: Mapping[str, Figures]) -> list[str]:
    """The figures with a line of their own: those of a model only if there is one, a failure only if there was one."""
    generators = given.values()
    is_model = any(each["asked"] is not None for each in generators)
    absent = frozenset() if is_model else OF_A_MODEL
    if not any(each["gave_up"] for each in generators):
        absent |= {"gave_up"}
    return [name for name in next(iter(generators)) if name not in absent | {"fallbacks"}]


def _differences(figures: Figures) -> Iterator[str]:
    """For each further generator how far it is from the first."""
    letters = dict(zip(figures.get("answers") or {}, LETTERS, strict=False))
    found = figures.get("differences") or []
    for model in dict.fromkeys(row["model"] for row in found):
        rows = [row for row in found if row["model"] == model]
        head = f"{letters[model]} - {letters[rows[0]['than']]}"
        yield "\n".join(
            [
                _lines([(head, ["difference", "from", "to", ""]), *((row["figure"], between(row)) for row in rows)]),
                "95 of 100 draws of the same questions lie between.",
                f"* is more than noise; of fewer than {FEWEST} questions nothing is said to be.",
            ]
        )


def between(row: Figures) -> list[str]:
    numbers = [_answer(row["figure"], row[key], signed=True) for key in ("difference", "low", "high")]
    return [*numbers, "*" if is_more_than_noise(row) else ""]


def is_more_than_noise(row: Figures) -> bool:
    """Whether 0 lies outside of the interval, and there are enough questions to say so."""
    return bool(row["questions"] >= FEWEST and (row["low"] > 0 or row["high"] < 0))


def _answer(name: str, value: Any, *, signed: bool = False) -> str:
    """One figure of answers as people read it."""
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


def _lines(rows: Sequence[tuple[str, Sequence[str]]], *, align: str = ">") -> str:
    """Names, then columns that are as wide as they must be."""
    first = max((len(name) for name, _ in rows), default=0)
    widths = [max(map(len, column)) for column in zip(*(cells for _, cells in rows), strict=True)]
    return "\n".join(
        "  ".join([f"{name:<{first}}", *(f"{c:{align}{w}}" for c, w in zip(cells, widths, strict=True))]).rstrip()
        for name, cells in rows
    )


def single_figure(name: str, value: float | None) -> str:
    if value is None:
        return "-"
    if isinstance(value, int):
        return str(value)
    return f"{value:.1f}" if name.endswith("_ms") else f"{value:.4f}"
