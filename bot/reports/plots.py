"""Places of lines and dots in the plots of the pages (pure); the templates draw them as SVG."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.reports.numbers import format_count, format_share

Figures = Mapping[str, Any]

GRID = (0.0, 0.25, 0.5, 0.75, 1.0)
# Radii of the dots that stand for a bin of questions.
SMALLEST, LARGEST = 3.0, 11.0
# Of more weeks not each has room for its name.
NAMED_WEEKS = 8
# Half the width of the band of a week that has no neighbour to draw a line to: as wide as its dot.
HALF_WEEK = 3.5


@dataclass(frozen=True, slots=True)
class PlotArea:
    """A rectangle in which shares from 0 to 1 are drawn, and the room around it for its scales."""

    inner_width: int
    inner_height: int
    left: int
    top: int
    right: int
    below: int

    @property
    def width(self) -> int:
        return self.left + self.inner_width + self.right

    @property
    def height(self) -> int:
        return self.top + self.inner_height + self.below

    @property
    def bottom(self) -> int:
        """Where the share 0 is drawn."""
        return self.top + self.inner_height

    def x(self, share: float) -> float:
        return self.left + self.inner_width * share

    def y(self, share: float) -> float:
        return self.top + self.inner_height * (1 - share)

    def points(self, shares: Iterable[tuple[float, float]]) -> str:
        """Return the attribute `points` of a line through these pairs of shares."""
        return " ".join(f"{self.x(x):.1f},{self.y(y):.1f}" for x, y in shares)


EVALUATION = PlotArea(420, 260, left=44, top=24, right=14, below=42)
WEEKS = PlotArea(420, 240, left=50, top=14, right=14, below=26)


@dataclass(frozen=True, slots=True)
class Dot:
    """A dot at two shares; `label` is read out and shown when it is pointed at."""

    x: float
    y: float
    radius: float
    label: str


@dataclass(frozen=True, slots=True)
class Curve:
    """The line of a share by threshold, the area under it, and the dot of the threshold that is set."""

    style: str
    line: str
    under: str
    dot: Dot


@dataclass(frozen=True, slots=True)
class WeekRun:
    """The line of weeks that stand beside each other, and the band of its interval."""

    band: str
    line: str


@dataclass(frozen=True, slots=True)
class Week:
    """The place of a week: its dot, None for a week without votes, and its name, empty where there is no room."""

    x: float
    dot: Dot | None
    name: str


@dataclass(frozen=True, slots=True)
class WeeksPlot:
    """The share of thumbs-up by week; a week without votes breaks the line and its band."""

    runs: Sequence[WeekRun]
    weeks: Sequence[Week]


def trade_off_curves(rows: Sequence[Figures], now: Figures) -> Iterator[Curve]:
    """Yield the curves of both shares by threshold; `now` is the row of the threshold that is set."""
    for name, style in (("answered", "right"), ("wrongly_answered", "wrong")):
        shares = [(0.0, 1.0), *((row["threshold"], row[name]) for row in rows)]
        dot = Dot(now["threshold"], now[name], 4.5, f"{name.replace('_', ' ')}: {now[name]:.1%}")
        under = [(0.0, 0.0), *shares, (shares[-1][0], 0.0)]
        yield Curve(style, EVALUATION.points(shares), EVALUATION.points(under), dot)


def calibration_dots(bins: Sequence[Figures]) -> Iterator[Dot]:
    """Yield a dot for each bin: confidence against the share that could be answered, as large as its share."""
    most = max(row["questions"] for row in bins)
    for row in bins:
        confidence, answerable = row["confidence"], row["answerable"]
        radius = SMALLEST + (LARGEST - SMALLEST) * (row["questions"] / most) ** 0.5
        label = f"{row['questions']} questions: confidence {confidence:.2f}, {answerable:.0%} answerable"
        yield Dot(confidence, answerable, radius, label)


def weeks_plot(weeks: Sequence[Figures]) -> WeeksPlot:
    """Return the plot of weeks in their order; a single one stands in the middle."""
    places = [number / (len(weeks) - 1) for number in range(len(weeks))] if len(weeks) > 1 else [0.5]
    placed = list(zip(places, weeks, strict=True))
    every = -(-len(weeks) // NAMED_WEEKS)
    return WeeksPlot(
        runs=[_week_run(run) for run in _runs(placed)],
        weeks=[
            Week(x, _week_dot(x, week), "" if number % every else _week_name(week, is_first=number == 0))
            for number, (x, week) in enumerate(placed)
        ],
    )


def _week_name(week: Figures, *, is_first: bool) -> str:
    """Return the name of a week; its year is known from the first name."""
    name = str(week["name"])
    return name if is_first else name[-3:]


def _runs(placed: Sequence[tuple[float, Figures]]) -> Iterator[list[tuple[float, Figures]]]:
    """Yield the shares with their intervals of weeks that stand beside each other, with their places."""
    run: list[tuple[float, Figures]] = []
    for x, week in placed:
        if week["satisfaction"] is not None:
            run.append((x, week["satisfaction"]))
        elif run:
            yield run
            run = []
    if run:
        yield run


def _week_run(run: Sequence[tuple[float, Figures]]) -> WeekRun:
    if len(run) == 1:
        ((x, share),) = run
        half = HALF_WEEK / WEEKS.inner_width
        run = [(x - half, share), (x + half, share)]
    highs = [(x, each["high"]) for x, each in run]
    lows = [(x, each["low"]) for x, each in reversed(run)]
    return WeekRun(WEEKS.points(highs + lows), WEEKS.points((x, each["share"]) for x, each in run))


def _week_dot(x: float, week: Figures) -> Dot | None:
    satisfaction = week["satisfaction"]
    if satisfaction is None:
        return None
    label = f"{week['name']}: {format_share(satisfaction)}, {format_count(week['up'] + week['down'])} votes"
    return Dot(x, satisfaction["share"], 3.5, label)
