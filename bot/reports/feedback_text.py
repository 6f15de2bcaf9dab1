"""The report as text for a terminal."""

import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from bot.cli.output import printable

Figures = Mapping[str, Any]
Draw = Callable[[float], str]

# Characters of a bar, and how wide a terminal must be to have room for bars.
BAR = 16
ROOMY = 78
# Of a column that takes the room that is left.
NARROWEST = 16
# Rows of a list in a terminal; the page and the JSON have more.
MOST = 10
STYLES = {"knowledge": "blue", "behaviour": "yellow", "unclear": "bright_black"}
NOBODY = "nobody"
NAMELESS = "not said"


def report(figures: Figures, *, width: int, plain: bool, coloured: bool) -> str:
    """The whole of it; `plain` draws with letters that every terminal has."""
    file = io.StringIO()
    console = Console(
        file=file, width=width, force_terminal=coloured, no_color=not coloured, highlight=False, safe_box=plain
    )
    draw = partial(bar, width=BAR if width >= ROOMY else 0, plain=plain)
    for part in _parts(figures, draw):
        console.print(part)
        console.print()
    lines = "\n".join(line.rstrip() for line in file.getvalue().rstrip().splitlines())
    return re.sub(r"\n{3,}", "\n\n", lines)


def _parts(figures: Figures, draw: Draw) -> Iterator[RenderableType]:
    yield Text("\n".join(summary(figures)))
    yield _titled("By week", _shares("week", figures["weeks"][-MOST:], draw))
    for name in ("platform", "generator", "document"):
        yield _titled(f"By {name}", _shares(name, figures[f"{name}s"][:MOST], draw))
    if figures["reasons"]:
        yield Text("Reasons: " + ", ".join(f"{name} {count}" for name, count in figures["reasons"].items()))
    if figures["failing"]:
        yield _titled("Failing sections", _failing(figures["failing"][:MOST]))
        owners = [f"{_clean(each['owner']) or NOBODY} ({each['sections']})" for each in figures["owners"]]
        yield Text(f"Owners: {', '.join(owners)}")
    if figures["gaps"]["questions"]:
        yield _gaps(figures["gaps"])
    if figures["diagnosis"]["diagnosed"]:
        yield _diagnosis(figures, draw)
    yield from map(Text, figures["notes"])


def summary(figures: Figures) -> list[str]:
    """The figures of the whole in a few lines."""
    satisfaction = figures["satisfaction"]
    return [
        f"{figures['first']} to {figures['last']}: {figures['answers']} answers to {figures['askers']} people",
        f"Satisfaction {share(satisfaction)}" if satisfaction else "No votes yet.",
        *([drawn_by_person(figures)] if satisfaction else []),
        f"Voted on {percent(figures['response_rate'])} of the answers: {figures['up']} up, {figures['down']} down",
        f"Not found {percent(figures['refusals'] / figures['answers'])} ({figures['refusals']})",
        f"Answered by another generator {percent(figures['fallbacks'] / figures['answers'])} ({figures['fallbacks']})",
    ]


def drawn_by_person(figures: Figures) -> str:
    """The wider interval, and why it is."""
    satisfaction, busiest = figures["satisfaction"], figures["busiest_tenth"]
    if satisfaction["people_low"] is None:
        return "Too few people voted to say how much hangs on single ones."
    low, high = percent(satisfaction["people_low"]), percent(satisfaction["people_high"])
    told = f"Drawn by person instead of by vote: {low} to {high}"
    return f"{told}; the busiest tenth gave {percent(busiest)} of the votes" if busiest is not None else told


def share(figures: Figures | None) -> str:
    """A share with its interval."""
    if figures is None:
        return "-"
    return f"{percent(figures['share'])} ({percent(figures['low'])} to {percent(figures['high'])})"


def percent(part: float | None) -> str:
    return "-" if part is None else f"{100 * part:.0f}%"


def count(number: float) -> str:
    """A count, which may be a sum of parts."""
    return f"{number:,.1f}".removesuffix(".0")


def reasons(given: Mapping[str, int], *, most: int = 3) -> str:
    """The reasons that were given most, without those who gave none."""
    told = [f"{name} {times}" for name, times in given.items() if name != "none"]
    return ", ".join(told[:most])


def place(row: Figures) -> str:
    """A section by its headings, else its title, else its document."""
    return str(row["section"] or row["title"] or row["document"])


def _titled(title: str, content: RenderableType, *, note: str = "") -> Group:
    return Group(Text(title, style="bold"), *([Text(note, style="bright_black")] if note else []), content)


def _table(*columns: str, wide: Sequence[str] = ()) -> Table:
    """Names of columns; those in `wide` take the room that is left, numbers stand right."""
    table = Table(
        box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 2, 0, 0), header_style="bright_black", expand=bool(wide)
    )
    for column in columns:
        if column in wide:
            table.add_column(column, overflow="fold", ratio=1, min_width=NARROWEST)
        else:
            table.add_column(column, justify="right" if column in RIGHT else "left", no_wrap=column in RIGHT)
    return table


RIGHT = frozenset("answers votes people asked share down".split())


def _shares(name: str, rows: Iterable[Figures], draw: Draw) -> Table:
    table = _table(name, "answers", "votes", "", "satisfaction", wide=() if name == "week" else (name,))
    for row in rows:
        satisfied = row["satisfaction"]
        table.add_row(
            Text(_clean(row["name"]) or NAMELESS),
            count(row["answers"]),
            count(row["up"] + row["down"]),
            Text(draw(satisfied["share"] if satisfied else 0), style="blue"),
            share(satisfied),
        )
    return table


def _failing(rows: Iterable[Figures]) -> Table:
    table = _table("votes", "fails", "section", wide=("section",))
    for row in rows:
        since = {"gone": "gone since", "changed": "changed since"}.get(row["since"] or "", "")
        under = [row["document"], row["owner"] or NOBODY, reasons(row["reasons"]), since]
        name = Text(f"{_clean(place(row))}\n")
        name.append(", ".join(_clean(each) for each in under if each), style="bright_black")
        table.add_row(count(row["votes"]), share(row["failure"]), name)
    return table


def _gaps(gaps: Figures) -> Group:
    table = _table("people", "asked", "question", wide=("question",))
    for row in gaps["gaps"][:MOST]:
        table.add_row(count(row["askers"]), count(row["questions"]), Text(_clean(row["question"])))
    title = "What people ask and the documents do not answer"
    return _titled(title, Group(*([table] if gaps["gaps"] else []), Text(rarer(gaps))))


def rarer(gaps: Figures) -> str:
    """What is counted and not quoted, and why."""
    few = gaps["rarer"]
    if not few["questions"]:
        return f"All {gaps['questions']} questions are in these gaps."
    return (
        f"{few['questions']} more questions in {few['gaps']} gaps are counted and not quoted: fewer than "
        f"{gaps['min_askers']} people asked each."
    )


def _diagnosis(figures: Figures, draw: Draw) -> Group:
    table = _table("what it is", "", "down", "share", "repaired by", wide=("repaired by",))
    for row in figures["diagnosis"]["classes"]:
        name = Text(f"{row['class']}\n")
        name.append(row["kind"], style=STYLES[row["kind"]])
        drawn = Text(draw(row["share"] or 0), style=STYLES[row["kind"]])
        table.add_row(name, drawn, count(row["down"]), percent(row["share"]), row["repair"])
    lines = [f"Is tuning worth it? {figures['tuning']['why']}", collected(figures["tuning"])]
    return _titled("What the thumbs-down are about", Group(table, Text("\n".join(lines))))


def collected(tuning: Figures) -> str:
    """The rows so far, and what is missing for the next level."""
    told = f"About {tuning['rows']} answers can become training rows so far: enough for {tuning['enough_for']}."
    further = next((level for level in tuning["levels"] if level["missing"]), None)
    if further is None:
        return told
    missing = f" {further['missing']} more are needed for {further['for']}"
    if further["weeks"] is None:
        return f"{told}{missing}."
    return f"{told}{missing}: about {round(further['weeks'])} weeks at {count(tuning['rows_per_week'])} a week."


def bar(part: float, *, width: int = BAR, plain: bool) -> str:
    """A bar for a share."""
    full = round(width * min(1.0, max(0.0, part)))
    return ("#" if plain else "█") * full + ("." if plain else "░") * (width - full)


def _clean(text: str) -> str:
    """The text on one line, without what could take over a terminal."""
    return " ".join(printable(text).split())
