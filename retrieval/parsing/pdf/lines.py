"""Printed lines, and what can be told of them alone: which stand on one baseline, and the style of the body text."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

Style = tuple[float, bool]
"""Type size, rounded to half a point, and whether it is bold."""


@dataclass(frozen=True, slots=True)
class Line:
    """One printed line; `y` grows upwards and is the line's foot, `broken` means that its last word is continued.

    `segments` counts the parts that stood side by side, such as table cells.
    """

    page: int
    text: str
    left: float
    right: float
    y: float
    size: float
    bold: bool = False
    broken: bool = False
    segments: int = 1


def join_baselines(lines: Sequence[Line]) -> list[Line]:
    """Join neighbours at the same height to one line, as table cells and tabbed headings are printed."""
    result: list[Line] = []
    for line in lines:
        if result and _is_beside(result[-1], line):
            result[-1] = _join(result[-1], line)
        else:
            result.append(line)
    return result


def _is_beside(last: Line, line: Line) -> bool:
    step = abs(last.y - line.y)
    is_script = min(last.size, line.size) < 0.8 * max(last.size, line.size)
    return line.left > last.right - 1 and step < (0.6 if is_script else 0.3) * max(last.size, line.size)


def _join(last: Line, line: Line) -> Line:
    """Both as one line in the place of the larger one; a raised or lowered sign is no segment of its own."""
    is_script = min(last.size, line.size) < 0.8 * max(last.size, line.size)
    return replace(
        last if last.size >= line.size else line,
        text=f"{last.text}{'' if is_script else ' '}{line.text}",
        left=last.left,
        right=line.right,
        bold=last.bold and line.bold,
        broken=line.broken,
        segments=last.segments + (0 if is_script else line.segments),
    )


def body_style(lines: Sequence[Line]) -> Style:
    """The size and weight that most characters are set in."""
    weights: Counter[Style] = Counter()
    for line in lines:
        weights[style_of(line)] += len(line.text)
    return max(weights, key=lambda style: weights[style], default=(10.0, False))


def style_of(line: Line) -> Style:
    """The size and weight that a line is set in."""
    return round(line.size * 2) / 2, line.bold
