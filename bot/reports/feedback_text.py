"""The feedback report as text for a terminal (pure)."""

import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from bot.reports.feedback_wording import (
    NO_OWNER,
    UNNAMED,
    closed_part,
    format_reasons,
    interval_by_person,
    rarer_questions,
    section_name,
    training_rows,
)
from bot.reports.numbers import format_count, format_percent, format_share
from retrieval.characters import remove_terminal_controls

Figures = Mapping[str, Any]
Bar = Callable[[float], str]

# Characters of a bar, and how wide a terminal must be to have room for bars.
BAR = 16
ROOMY = 78
# Of a column that takes the room that is left.
NARROWEST = 16
# Rows of a list in a terminal; the page and the JSON have more.
MOST = 10
STYLES = {"knowledge": "blue", "behaviour": "yellow", "unclear": "bright_black"}
# Columns of numbers.
RIGHT = frozenset("answers votes people asked share down".split())


def feedback_text(figures: Figures, *, width: int, plain: bool, coloured: bool) -> str:
    """Return the report of a time in which something was asked; `plain` draws with letters that every terminal has."""
    file = io.StringIO()
    console = Console(
        file=file, width=width, force_terminal=coloured, no_color=not coloured, highlight=False, safe_box=plain
    )
    for part in _parts(figures, partial(bar, width=BAR if width >= ROOMY else 0, plain=plain)):
        console.print(part)
        console.print()
    lines = "\n".join(line.rstrip() for line in file.getvalue().rstrip().splitlines())
    return re.sub(r"\n{3,}", "\n\n", lines)


def bar(share: float, *, width: int = BAR, plain: bool) -> str:
    """Return a bar for a share."""
    full = round(width * min(1.0, max(0.0, share)))
    return ("#" if plain else "█") * full + ("." if plain else "░") * (width - full)


def _parts(figures: Figures, draw: Bar) -> Iterator[RenderableType]:
    yield Text("\n".join(_summary(figures)))
    yield _titled("By week", _shares("week", figures["weeks"][-MOST:], draw))
    for name in ("platform", "generator", "document"):
        yield _titled(f"By {name}", _shares(name, figures[f"{name}s"][:MOST], draw))
    if figures["reasons"]:
        yield Text("Reasons: " + ", ".join(f"{name} {count}" for name, count in figures["reasons"].items()))
    if figures["failing"]:
        yield _titled("Failing sections", _failing(figures["failing"][:MOST]))
        owners = [f"{_one_line(each['owner']) or NO_OWNER} ({each['sections']})" for each in figures["owners"]]
        yield Text(f"Owners: {', '.join(owners)}")
    if figures["gaps"]["questions"]:
        yield _gaps(figures["gaps"])
    if figures["diagnosis"]["diagnosed"]:
        yield _diagnosis(figures, draw)
    yield from map(Text, filter(None, [closed_part(figures), *figures["notes"]]))


def _summary(figures: Figures) -> list[str]:
    """Return the figures of the whole in a few lines."""
    satisfaction, answers = figures["satisfaction"], figures["answers"]
    refusals, fallbacks = figures["refusals"], figures["fallbacks"]
    voted = format_percent(figures["response_rate"])
    return [
        f"{figures['first']} to {figures['last']}: {answers} answers to {figures['askers']} people",
        f"Satisfaction {format_share(satisfaction)}" if satisfaction else "No votes yet.",
        *([interval_by_person(figures)] if satisfaction else []),
        f"Voted on {voted} of the answers: {figures['up']} up, {figures['down']} down",
        f"Not found {format_percent(refusals / answers)} ({refusals})",
        f"Answered by another generator {format_percent(fallbacks / answers)} ({fallbacks})",
    ]


def _titled(title: str, content: RenderableType) -> Group:
    return Group(Text(title, style="bold"), content)


def _table(*columns: str, wide: Sequence[str] = ()) -> Table:
    """Return a table of these columns; those in `wide` take the room that is left, numbers stand right."""
    table = Table(
        box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 2, 0, 0), header_style="bright_black", expand=bool(wide)
    )
    for column in columns:
        if column in wide:
            table.add_column(column, overflow="fold", ratio=1, min_width=NARROWEST)
        else:
            table.add_column(column, justify="right" if column in RIGHT else "left", no_wrap=column in RIGHT)
    return table


def _shares(name: str, rows: Iterable[Figures], draw: Bar) -> Table:
    table = _table(name, "answers", "votes", "", "satisfaction", wide=() if name == "week" else (name,))
    for row in rows:
        satisfied = row["satisfaction"]
        table.add_row(
            Text(_one_line(row["name"]) or UNNAMED),
            format_count(row["answers"]),
            format_count(row["up"] + row["down"]),
            Text(draw(satisfied["share"] if satisfied else 0), style="blue"),
            format_share(satisfied),
        )
    return table


def _failing(rows: Iterable[Figures]) -> Table:
    table = _table("votes", "fails", "section", wide=("section",))
    for row in rows:
        since = {"gone": "gone since", "changed": "changed since"}.get(row["since"] or "", "")
        under = [row["document"], row["owner"] or NO_OWNER, format_reasons(row["reasons"]), since]
        name = Text(f"{_one_line(section_name(row))}\n")
        name.append(", ".join(_one_line(each) for each in under if each), style="bright_black")
        table.add_row(format_count(row["votes"]), format_share(row["failure"]), name)
    return table


def _gaps(gaps: Figures) -> Group:
    table = _table("people", "asked", "question", wide=("question",))
    for row in gaps["gaps"][:MOST]:
        table.add_row(format_count(row["askers"]), format_count(row["questions"]), Text(_one_line(row["question"])))
    title = "What people ask and the documents do not answer"
    return _titled(title, Group(*([table] if gaps["gaps"] else []), Text(rarer_questions(gaps))))


def _diagnosis(figures: Figures, draw: Bar) -> Group:
    table = _table("what it is", "", "down", "share", "repaired by", wide=("repaired by",))
    for row in figures["diagnosis"]["classes"]:
        name = Text(f"{row['class']}\n")
        name.append(row["kind"], style=STYLES[row["kind"]])
        drawn = Text(draw(row["share"] or 0), style=STYLES[row["kind"]])
        table.add_row(name, drawn, format_count(row["down"]), format_percent(row["share"]), row["repair"])
    lines = [f"Is tuning worth it? {figures['tuning']['why']}", training_rows(figures["tuning"])]
    return _titled("What the thumbs-down are about", Group(table, Text("\n".join(lines))))


def _one_line(text: str) -> str:
    """Return the text on one line, without what could take over a terminal."""
    return " ".join(remove_terminal_controls(text).split())
