"""The report as one page that needs nothing else (pure)."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from bot.reports.feedback_text import (
    NAMELESS,
    NOBODY,
    collected,
    count,
    drawn_by_person,
    percent,
    place,
    rarer,
    reasons,
    share,
)
from bot.reports.page import document, drawing, section, table, text

Figures = Mapping[str, Any]

# The plot by week, and the room around it for its scales.
SIDE_X, SIDE_Y, LEFT, TOP = 420, 240, 50, 14
MOST = 12
# Of more weeks not each has room for its name.
NAMED_WEEKS = 8

STYLE = """
:root { --not-in-documents: #1f5fb4; --not-retrieved: #5b93dd; --outdated: #a9c8f0; --wrong-answer: #d9572b;
  --tone-or-format: #f0a284; --unclear: #b9b7ae; --good: #2a6fc9; --bad: #d9572b; }
@media (prefers-color-scheme: dark) { :root { --not-in-documents: #3f84e0; --not-retrieved: #76a9ec;
  --outdated: #b4cff2; --wrong-answer: #ea6a3d; --tone-or-format: #f3b097; --unclear: #6d6b64; --good: #5b9bf0;
  --bad: #f0825a; } }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: 1rem 1.5rem;
  margin: 0 0 .8rem; }
.tiles dt { color: var(--soft); font-size: .88rem; } .tiles dd { margin: 0; font-size: 1.7rem; line-height: 1.2;
  font-weight: 600; font-variant-numeric: tabular-nums; letter-spacing: -.01em; }
.tiles small { display: block; font-size: .8rem; font-weight: 400; color: var(--soft); letter-spacing: 0; }
svg.bar { height: .55rem; margin: .3rem 0 0; border-radius: 3px; background: var(--line); }
svg.stack { height: 1.5rem; margin: .8rem 0 .4rem; border-radius: 5px; background: var(--line); }
.good { fill: var(--good); } .bad { fill: var(--bad); } .band { fill: var(--good); opacity: .16; }
.trend { fill: none; stroke: var(--good); stroke-width: 2.5; stroke-linejoin: round; } .sure { fill: var(--ink); }
.not-in-documents { fill: var(--not-in-documents); background: var(--not-in-documents); }
.not-retrieved { fill: var(--not-retrieved); background: var(--not-retrieved); }
.outdated { fill: var(--outdated); background: var(--outdated); }
.wrong-answer { fill: var(--wrong-answer); background: var(--wrong-answer); }
.tone-or-format { fill: var(--tone-or-format); background: var(--tone-or-format); }
.unclear { fill: var(--unclear); background: var(--unclear); }
ul.rows { list-style: none; margin: .6rem 0 0; padding: 0; } ul.rows li { padding: .5rem 0; }
ul.rows li + li { border-top: 1px solid var(--line); } .row { display: flex; gap: 1rem; align-items: baseline; }
.row > :first-child { flex: 1 1 0; min-width: 0; overflow-wrap: anywhere; } .row b { font-weight: 600; }
.number { font-variant-numeric: tabular-nums; white-space: nowrap; text-align: right; }
.line { display: block; } .number small, .under { color: var(--soft); font-size: .84rem; }
.under { margin-top: .2rem; overflow-wrap: anywhere; }
.key { display: inline-block; width: .7rem; height: .7rem; border-radius: 3px; margin-right: .5rem; }
.verdict { color: var(--ink); font-size: 1.05rem; margin-top: .3rem; } .verdict + p { margin-top: .3rem; }
.levels { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: .8rem 1.5rem;
  margin-top: .9rem; }
.columns { columns: 2; column-gap: 2.5rem; } ul.columns li { break-inside: avoid; border: 0; }

td:first-child { white-space: normal; overflow-wrap: anywhere; min-width: 8rem; }
thead th:not(:first-child) { overflow-wrap: normal; }
footer { grid-column: 1 / -1; color: var(--soft); font-size: .84rem; } footer p + p { margin-top: .4rem; }
@media (max-width: 640px) { body { padding: 1.2rem .8rem 2rem; } .columns { columns: 1; } svg text { font-size: 16px; }
  .tiles { grid-template-columns: 1fr 1fr; } .wraps .row { flex-wrap: wrap; gap: 0 1rem; }
  .wraps .row > :first-child { flex: 1 1 100%; } .wraps .number { text-align: left; }
  th, td { padding-left: .6rem; font-size: .9rem; } td:last-child { white-space: normal; }
  td:first-child { min-width: 6.5rem; } td:last-child { min-width: 6rem; } }
@media print { svg, .key { print-color-adjust: exact; -webkit-print-color-adjust: exact; } main { display: block; }
  section { margin-bottom: 1rem; } }
"""
ABOUT = (
    "Intervals hold 95 times of 100. An answer that cites several sections counts for each of them in equal parts. A "
    "section is listed from 3 votes and thumbs-down of 2 people on if at least 10% fails for sure, and ranked by "
    "how much fails at least. What a thumbs-down is about is decided by the rules in the README. Training rows are an "
    "estimate here; footnote export counts them."
)


def page(figures: Figures) -> str:
    """The whole page; what there is nothing of has no section."""
    return document("Report", _summary(figures), _sections(figures), style=STYLE)


def _summary(figures: Figures) -> str:
    if not figures["answers"]:
        return "Nothing was asked in this time."
    return f"{figures['first']} to {figures['last']}"


def _sections(figures: Figures) -> Iterator[str]:
    if not figures["answers"]:
        return
    yield f'<section class="wide">{_tiles(figures)}</section>'
    if figures["satisfaction"]:
        yield section("Satisfaction by week", "Thumbs-up of all votes, with its interval.", by_week(figures["weeks"]))
    if figures["reasons"]:
        yield section("Why a thumb went down", "Reasons that people gave.", _reasons(figures["reasons"]))
    if figures["diagnosis"]["diagnosed"]:
        yield section(
            "What the thumbs-down are about", _sorted_out(figures), _diagnosis(figures["diagnosis"]), wide=True
        )
        yield section("Is tuning worth it yet?", "", _tuning(figures["tuning"]), wide=True)
    if figures["failing"]:
        note = "Votes that are down; the dark end is the least."
        yield section("Failing sections", note, _failing(figures["failing"]) + _owners(figures["owners"]))
    if figures["gaps"]["questions"]:
        yield section("What the documents do not answer", "By number of people who asked.", _gaps(figures["gaps"]))
    for name in ("platform", "generator", "document", "section"):
        if figures[f"{name}s"]:
            yield section(f"By {name}", "", _shares(name, figures[f"{name}s"]), wide=name in {"document", "section"})
    notes = "".join(f"<p>{escape(each)}</p>" for each in (*figures["notes"], ABOUT))
    yield f"<footer>{notes}</footer>"


def _tiles(figures: Figures) -> str:
    satisfied = figures["satisfaction"]
    told = [
        (
            "satisfied",
            percent(satisfied["share"] if satisfied else None),
            f"{percent(satisfied['low'])} to {percent(satisfied['high'])}" if satisfied else "no votes yet",
        ),
        ("answers", count(figures["answers"]), f"to {count(figures['askers'])} people"),
        (
            "answers with a vote",
            percent(figures["response_rate"]),
            f"{figures['up']} up, {figures['down']} down, {figures['voters']} people",
        ),
        ("not found", percent(figures["refusals"] / figures["answers"]), count(figures["refusals"])),
        ("fallbacks", percent(figures["fallbacks"] / figures["answers"]), count(figures["fallbacks"])),
    ]
    tiles = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}<small>{escape(under)}</small></dd></div>"
        for name, value, under in told
    )
    people = f"<p>{escape(drawn_by_person(figures))}.</p>" if satisfied else ""
    return f'<dl class="tiles">{tiles}</dl>{people}'


def by_week(weeks: Sequence[Figures]) -> str:
    """The share of thumbs-up by week as a line in the band of its interval; a week without votes breaks both."""
    step = SIDE_X / max(1, len(weeks) - 1)
    start = LEFT if len(weeks) > 1 else LEFT + SIDE_X / 2
    places = [start + step * number for number in range(len(weeks))]
    parts = [_scale()]
    runs = _runs([week["satisfaction"] for week in weeks])
    parts += [_band([(places[at], each) for at, each in run]) for run in runs]
    every = -(-len(weeks) // NAMED_WEEKS)
    for number, (x, week) in enumerate(zip(places, weeks, strict=True)):
        parts += _week(x, week, name=_name(weeks, number) if number % every == 0 else "")
    return drawing("Satisfaction by week, with its interval", LEFT + SIDE_X + 14, TOP + SIDE_Y + 26, parts)


def _band(run: Sequence[tuple[float, Figures]]) -> str:
    """A line in its band; a week alone, which has no neighbour to draw to, gets a band as wide as its dot."""
    (x, alone), *more = run
    points = run if more else [(x - 3.5, alone), (x + 3.5, alone)]
    highs = [f"{x:.1f},{_y(each['high']):.1f}" for x, each in points]
    lows = [f"{x:.1f},{_y(each['low']):.1f}" for x, each in reversed(points)]
    line = [f"{x:.1f},{_y(each['share']):.1f}" for x, each in points]
    band = f'<polygon class="band" points="{" ".join(highs + lows)}"/>'
    return f'{band}<polyline class="trend" points="{" ".join(line)}"/>'


def _runs(shares: Sequence[Figures | None]) -> Iterator[list[tuple[int, Figures]]]:
    """Shares that stand beside each other, with their places."""
    run: list[tuple[int, Figures]] = []
    for number, each in enumerate((*shares, None)):
        if each is not None:
            run.append((number, each))
        elif run:
            yield run
            run = []


def _name(weeks: Sequence[Figures], number: int) -> str:
    """The week, with its year where that is not known from the names before it."""
    name = str(weeks[number]["name"])
    return name if number == 0 else name[-3:]


def _week(x: float, week: Figures, *, name: str) -> Iterator[str]:
    satisfied = week["satisfaction"]
    if satisfied:
        told = escape(f"{week['name']}: {share(satisfied)}, {count(week['up'] + week['down'])} votes")
        dot = f'<circle class="good" cx="{x:.1f}" cy="{_y(satisfied["share"]):.1f}" r="3.5">'
        yield f"{dot}<title>{told}</title></circle>"
    if name:
        yield text(x, TOP + SIDE_Y + 20, name, anchor="middle")


def _scale() -> str:
    lines = [
        f'<line class="grid" x1="{LEFT}" x2="{LEFT + SIDE_X}" y1="{_y(step):.1f}" y2="{_y(step):.1f}"/>'
        + text(LEFT - 7, _y(step) + 4, f"{step:.0%}", anchor="end")
        for step in (0.0, 0.25, 0.5, 0.75, 1.0)
    ]
    return "".join(lines)


def _y(part: float) -> float:
    return TOP + SIDE_Y * (1 - part)


def _bar(*parts: tuple[str, float], style: str = "bar", told: str = "") -> str:
    """Shares one behind the other, over the whole width."""
    drawn, at = [], 0.0
    for name, part in parts:
        drawn.append(f'<rect class="{name}" x="{100 * at:.2f}" y="0" width="{100 * part:.2f}" height="10"/>')
        at += part
    label = f'role="img" aria-label="{escape(told)}"' if told else 'aria-hidden="true"'
    return f'<svg class="{style}" viewBox="0 0 100 10" preserveAspectRatio="none" {label}>{"".join(drawn)}</svg>'


def _row(name: str, number: str, *, under: str = "", bar: str = "") -> str:
    """A line of a list; the arguments are taken as they are."""
    below = f'<div class="under">{under}</div>' if under else ""
    return f'<li><div class="row"><span>{name}</span><span class="number">{number}</span></div>{bar}{below}</li>'


def _list(rows: Sequence[str], *, style: str = "rows") -> str:
    return f'<ul class="{style}">{"".join(rows)}</ul>'


def _reasons(given: Mapping[str, int]) -> str:
    whole = sum(given.values())
    rows = [
        _row(escape("no reason" if name == "none" else name), count(times), bar=_bar(("bad", times / whole)))
        for name, times in given.items()
    ]
    return _list(rows)


def _sorted_out(figures: Figures) -> str:
    diagnosis = figures["diagnosis"]
    aside = f" {diagnosis['set_aside']} are set aside because a reviewer has decided." if diagnosis["set_aside"] else ""
    return (
        f"{diagnosis['knowledge']} of {diagnosis['diagnosed']} are about knowledge (blue), {diagnosis['behaviour']} "
        f"about behaviour (orange), and of {diagnosis['unclear']} it cannot be told.{aside}"
    )


def _diagnosis(diagnosis: Figures) -> str:
    classes = diagnosis["classes"]
    told = ", ".join(f"{each['class']} {percent(each['share'])}" for each in classes)
    stack = _bar(*((each["class"], each["share"] or 0) for each in classes), style="stack", told=told)
    rows = [
        _row(
            f'<span class="key {each["class"]}"></span><b>{escape(each["class"])}</b>: {escape(each["meaning"])}',
            f"{count(each['down'])} <small>{percent(each['share'])}</small>",
            under=escape(_repair(each)),
        )
        for each in classes
    ]
    return stack + _list(rows, style="rows columns")


def _repair(row: Figures) -> str:
    told = f"Repaired by: {row['repair'].replace('`', '')}."
    if not row["down"] or row["kind"] == "unclear":
        return told
    return f"{told} Without them at most {percent(row['at_most'])} would be satisfied."


def _tuning(tuning: Figures) -> str:
    levels = "".join(_level(tuning["rows"], level) for level in tuning["levels"])
    why, rows = escape(tuning["why"].replace("`", "")), escape(collected(tuning))
    return f'<p class="verdict">{why}</p><p>{rows}</p><div class="levels">{levels}</div>'


def _level(rows: int, level: Figures) -> str:
    told = f"{count(min(rows, level['rows']))} of {level['rows']} rows"
    bar = _bar(("good", min(1.0, rows / level["rows"])))
    return f'<div>{told}{bar}<div class="under">{escape(level["for"])}</div></div>'


def _failing(rows: Sequence[Figures]) -> str:
    return _list([_failing_row(row) for row in rows[:MOST]], style="rows wraps")


def _failing_row(row: Figures) -> str:
    failure = row["failure"]
    since = {"gone": "gone since then", "changed": "changed since then"}.get(row["since"], "")
    under = [row["document"], row["owner"] or NOBODY, reasons(row["reasons"]), since]
    bar = _bar(
        ("bad", failure["low"]),
        ("tone-or-format", failure["share"] - failure["low"]),
        told=f"at least {percent(failure['low'])}",
    )
    return _row(
        f"<b>{escape(place(row))}</b>",
        f'{share(failure)}<small class="line">{row["votes"]} votes, {row["people"]} people against</small>',
        under=escape(" · ".join(filter(None, under))),
        bar=bar,
    )


def _gaps(gaps: Figures) -> str:
    most = max((row["askers"] for row in gaps["gaps"]), default=1)
    rows = [
        _row(
            escape(row["question"]),
            f"{count(row['askers'])} <small>people</small>",
            under=escape(f"asked {row['questions']} times, {row['first']} to {row['last']}"),
            bar=_bar(("good", row["askers"] / most)),
        )
        for row in gaps["gaps"][:MOST]
    ]
    return f"{_list(rows) if rows else ''}<p>{escape(rarer(gaps))}</p>"


def _owners(rows: Sequence[Figures]) -> str:
    return table(
        ["owner", "sections", "thumbs-down"],
        [([row["owner"] or NOBODY, count(row["sections"]), count(row["down"])], False) for row in rows],
    )


def _shares(name: str, rows: Sequence[Figures]) -> str:
    return table(
        ["", "answers", "votes", "satisfied"],
        [
            (
                [
                    f"{place(row)} ({row['document']})" if name == "section" else row["name"] or NAMELESS,
                    count(row["answers"]),
                    count(row["up"] + row["down"]),
                    share(row["satisfaction"]),
                ],
                row["satisfaction"] is None,
            )
            for row in rows[:MOST]
        ],
    )
