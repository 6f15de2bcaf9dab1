"""Figures of an evaluation as one page that needs nothing else (pure)."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from bot.reports.evaluation_text import DRAWN, LETTERS, answer_rows, between, is_more_than_noise, single_figure
from bot.reports.page import document, drawing, section, table, text

Figures = Mapping[str, Any]
Point = tuple[float, float]

# The square that a curve is drawn in, and the room around it for its scales.
SIDE_X, SIDE_Y, LEFT, TOP = 420, 260, 44, 24
SMALLEST, LARGEST = 3.0, 11.0

STYLE = """
.right { stroke: var(--right); } .wrong { stroke: var(--wrong); } .curve { fill: none; stroke-width: 2.5; }
.fill-right { fill: var(--right); } .fill-wrong { fill: var(--wrong); } .fade { opacity: .1; }
svg .fill-right.name { fill: var(--right); } svg .fill-wrong.name { fill: var(--wrong); } svg .now { fill: var(--ink); }
.gap { stroke: var(--wrong); stroke-width: 2; opacity: .55; }
"""

GLOSSARY = (
    "As people would see them. Of what a model was asked: own is answered without a fallback, grounded are its "
    "sentences that passed the check, form those written as they should be. cited_gold: a gold section is cited."
)


def page(figures: Figures) -> str:
    """The whole page; what could not be told has no section."""
    return document("Evaluation", _summary(figures), _sections(figures), style=STYLE)


def _summary(figures: Figures) -> str:
    names = ", ".join(figures.get("answers") or {})
    return f"{figures['questions']} questions" + (f", answered by {names}" if names else ", looked up only")


def _sections(figures: Figures) -> Iterator[str]:
    if figures.get("thresholds"):
        yield section("The trade-off", _told(figures["threshold"]), trade_off(figures))
        error = f"The expected calibration error is {figures['calibration_error']:.3f}."
        yield section(
            "Does a confidence mean what it says?",
            f"Each dot is a tenth of the scale, as large as its share of questions; on the line it is right. {error}",
            calibration(figures["reliability"]),
        )
    if figures.get("answers"):
        yield section("Answers", GLOSSARY, _answers(figures["answers"]), wide=len(figures["answers"]) > 1)
    if figures.get("differences"):
        note = "Between the two bounds lie 95 of 100 draws of the same questions; what may be noise is grey."
        yield section("Differences", note, _differences(figures), wide=True)
    yield section("Retrieval and abstention", "", _retrieval(figures))


def _told(now: Figures) -> str:
    return (
        f"At the threshold that is set, {now['threshold']:.2f}, {now['answered']:.1%} of the questions with an answer "
        f"are answered, and {now['wrongly_answered']:.1%} of those without."
    )


def trade_off(figures: Figures) -> str:
    """The two shares by threshold, and the threshold that is set."""
    rows, now = figures["thresholds"], figures["threshold"]
    set_at = now["threshold"]
    parts = [_scales("threshold"), _line("rule", (set_at, 0), (set_at, 1))]
    for name, style in (("answered", "right"), ("wrongly_answered", "wrong")):
        points = [(0.0, 1.0), *((row["threshold"], row[name]) for row in rows)]
        curve = " ".join(f"{_x(x):.1f},{_y(y):.1f}" for x, y in points)
        under = f"{_x(0):.1f},{_y(0):.1f} {curve} {_x(points[-1][0]):.1f},{_y(0):.1f}"
        parts.append(f'<polygon class="fill-{style} fade" points="{under}"/>')
        parts.append(f'<polyline class="curve {style}" points="{curve}"/>')
        parts.append(_dot(style, (set_at, now[name]), size=4.5, told=f"{name.replace('_', ' ')}: {now[name]:.1%}"))
    parts += [
        text(_x(set_at), _y(1) - 10, f"set: {set_at:.2f}", anchor="middle", style="now"),
        text(_x(0.02), _y(0.13), "answered", style="fill-right name"),
        text(_x(0.02), _y(0.05), "wrongly answered", style="fill-wrong name"),
    ]
    return _svg("Shares of answerable and of other questions that are answered, by threshold", parts)


def calibration(bins: Sequence[Figures]) -> str:
    """Confidence against the share that could be answered, a dot for each bin and a line for its error."""
    most = max(row["questions"] for row in bins)
    parts = [_scales("confidence"), _line("rule", (0, 0), (1, 1))]
    for row in bins:
        sure, true = row["confidence"], row["answerable"]
        told = f"{row['questions']} questions: confidence {sure:.2f}, {true:.0%} answerable"
        parts.append(_line("gap", (sure, sure), (sure, true)))
        size = SMALLEST + (LARGEST - SMALLEST) * (row["questions"] / most) ** 0.5
        parts.append(_dot("right", (sure, true), size=size, told=told))
    parts.append(text(_x(0.98), _y(0.05), "answerable, by confidence", anchor="end", style="fill-right name"))
    return _svg("Share of questions that can be answered, by confidence", parts)


def _line(style: str, start: Point, end: Point) -> str:
    (x1, y1), (x2, y2) = start, end
    return f'<line class="{style}" x1="{_x(x1):.1f}" y1="{_y(y1):.1f}" x2="{_x(x2):.1f}" y2="{_y(y2):.1f}"/>'


def _dot(style: str, at: Point, *, size: float, told: str) -> str:
    x, y = at
    circle = f'<circle class="fill-{style}" cx="{_x(x):.1f}" cy="{_y(y):.1f}" r="{size:.1f}">'
    return f"{circle}<title>{escape(told)}</title></circle>"


def _x(share: float) -> float:
    return LEFT + SIDE_X * share


def _y(share: float) -> float:
    return TOP + SIDE_Y * (1 - share)


def _svg(label: str, parts: Sequence[str]) -> str:
    return drawing(label, LEFT + SIDE_X + 14, TOP + SIDE_Y + 42, parts)


def _scales(name: str) -> str:
    """Lines and numbers for both shares, and what the one below stands for."""
    parts = [text(_x(0.5), TOP + SIDE_Y + 37, name, anchor="middle")]
    for step in (0.0, 0.25, 0.5, 0.75, 1.0):
        parts += [
            _line("grid", (0, step), (1, step)),
            text(_x(0) - 7, _y(step) + 4, f"{step:.0%}", anchor="end"),
            text(_x(step), TOP + SIDE_Y + 19, f"{step:.2f}", anchor="middle"),
        ]
    return "".join(parts)


def _answers(given: Mapping[str, Figures]) -> str:
    letters = LETTERS if len(given) > 1 else ""
    heads = [f"{letter}: {name}" for letter, name in zip(letters, given, strict=False)] or list(given)
    return table(["", *heads], [([name, *cells], False) for name, cells in answer_rows(given)])


def _differences(figures: Figures) -> str:
    letters = dict(zip(figures["answers"], LETTERS, strict=False))
    rows = [
        (
            [f"{row['figure']}, {letters[row['model']]} less {letters[row['than']]}", *between(row)[:3]],
            not is_more_than_noise(row),
        )
        for row in figures["differences"]
    ]
    return table(["", "difference", "from", "to"], rows)


def _retrieval(figures: Figures) -> str:
    rows = [([name, single_figure(name, value)], False) for name, value in figures.items() if name not in DRAWN]
    return table(["", "figure"], rows)
