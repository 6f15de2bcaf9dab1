"""The feedback report as one page (pure)."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bot.reports import plots
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
from bot.reports.page import render

Figures = Mapping[str, Any]
View = dict[str, Any]

# Rows of a list; the JSON has more.
MOST = 12
ABOUT = (
    "Intervals hold 95 times of 100. An answer that cites several sections counts for each of them in equal parts. A "
    "section is listed from 3 votes and thumbs-down of 2 people on if at least 10% fails for sure, and ranked by "
    "how much fails at least. What a thumbs-down is about is decided by the rules in the README. Training rows are an "
    "estimate here; footnote export counts them."
)
# What a page of no answers has.
NOTHING: View = dict.fromkeys(("tiles", "weeks", "reasons", "classes", "failing", "gaps", "breakdowns", "notes"), ())


def feedback_page(figures: Figures) -> str:
    """Return the page of a feedback report's figures; what there is nothing of has no section."""
    return render(
        "feedback.html.jinja",
        kind="feedback",
        title="Report",
        summary=f"{figures['first']} to {figures['last']}" if figures["answers"] else "Nothing was asked in this time.",
        **(_sections(figures) if figures["answers"] else NOTHING),
    )


def _sections(figures: Figures) -> View:
    satisfaction, gaps = figures["satisfaction"], figures["gaps"]
    return {
        "tiles": list(_tiles(figures)),
        "by_person": interval_by_person(figures) if satisfaction else "",
        "area": plots.WEEKS,
        "grid": plots.GRID,
        "weeks": plots.weeks_plot(figures["weeks"]) if satisfaction else None,
        "reasons": _reasons(figures["reasons"]),
        **_diagnosis(figures),
        "failing": [_failing(row) for row in figures["failing"][:MOST]],
        "owners": [
            ([row["owner"] or NO_OWNER, format_count(row["sections"]), format_count(row["down"])], False)
            for row in figures["owners"]
        ],
        "gaps": _gaps(gaps) if gaps["questions"] else None,
        "breakdowns": [
            {
                "name": name,
                "rows": [_share_row(name, row) for row in rows[:MOST]],
                "wide": name in {"document", "section"},
            }
            for name in ("platform", "generator", "document", "section")
            if (rows := figures[f"{name}s"])
        ],
        "notes": [*filter(None, [closed_part(figures).replace("`", "")]), *figures["notes"], ABOUT],
    }


def _tiles(figures: Figures) -> Iterator[View]:
    satisfied, answers = figures["satisfaction"], figures["answers"]
    yield {
        "name": "satisfied",
        "value": format_percent(satisfied["share"] if satisfied else None),
        "note": f"{format_percent(satisfied['low'])} to {format_percent(satisfied['high'])}"
        if satisfied
        else "no votes yet",
    }
    yield {"name": "answers", "value": format_count(answers), "note": f"to {format_count(figures['askers'])} people"}
    yield {
        "name": "answers with a vote",
        "value": format_percent(figures["response_rate"]),
        "note": f"{figures['up']} up, {figures['down']} down, {figures['voters']} people",
    }
    for name, number in (("not found", figures["refusals"]), ("fallbacks", figures["fallbacks"])):
        yield {"name": name, "value": format_percent(number / answers), "note": format_count(number)}


def _reasons(reasons: Mapping[str, int]) -> list[View]:
    whole = sum(reasons.values())
    return [
        {"name": "no reason" if name == "none" else name, "votes": votes, "share": votes / whole}
        for name, votes in reasons.items()
    ]


def _diagnosis(figures: Figures) -> View:
    """Return what the thumbs-down are about, and whether tuning is worth it; no classes where nothing is diagnosed."""
    diagnosis = figures["diagnosis"]
    if not diagnosis["diagnosed"]:
        return {"classes": []}
    classes = diagnosis["classes"]
    note = (
        f"{diagnosis['knowledge']} of {diagnosis['diagnosed']} are about knowledge (blue), "
        f"{diagnosis['behaviour']} about behaviour (orange), and of {diagnosis['unclear']} it cannot be told."
    )
    if diagnosis["set_aside"]:
        note += f" {diagnosis['set_aside']} are set aside because a reviewer has decided."
    return {
        "diagnosis_note": note,
        "class_shares": [(each["class"], each["share"] or 0) for each in classes],
        "class_label": ", ".join(f"{each['class']} {format_percent(each['share'])}" for each in classes),
        "classes": [
            {
                "name": each["class"],
                "meaning": each["meaning"],
                "down": each["down"],
                "share": each["share"],
                "repair": _repair(each),
            }
            for each in classes
        ],
        "tuning": _tuning(figures["tuning"]),
    }


def _repair(row: Figures) -> str:
    repair = f"Repaired by: {row['repair'].replace('`', '')}."
    if not row["down"] or row["kind"] == "unclear":
        return repair
    return f"{repair} Without them at most {format_percent(row['at_most'])} would be satisfied."


def _tuning(tuning: Figures) -> View:
    rows = tuning["rows"]
    return {
        "verdict": tuning["why"].replace("`", ""),
        "rows": training_rows(tuning),
        "levels": [
            {
                "rows": f"{format_count(min(rows, level['rows']))} of {level['rows']} rows",
                "share": min(1.0, rows / level["rows"]),
                "purpose": level["for"],
            }
            for level in tuning["levels"]
        ],
    }


def _failing(row: Figures) -> View:
    failure = row["failure"]
    since = {"gone": "gone since then", "changed": "changed since then"}.get(row["since"], "")
    note = [row["document"], row["owner"] or NO_OWNER, format_reasons(row["reasons"]), since]
    return {
        "name": section_name(row),
        "failure": format_share(failure),
        "votes": f"{row['votes']} votes, {row['people']} people against",
        "note": " · ".join(filter(None, note)),
        "bar": [("bad", failure["low"]), ("tone-or-format", failure["share"] - failure["low"])],
        "label": f"at least {format_percent(failure['low'])}",
    }


def _gaps(gaps: Figures) -> View:
    most = max((row["askers"] for row in gaps["gaps"]), default=1)
    return {
        "questions": [
            {
                "text": row["question"],
                "people": format_count(row["askers"]),
                "note": f"asked {row['questions']} times, {row['first']} to {row['last']}",
                "share": row["askers"] / most,
            }
            for row in gaps["gaps"][:MOST]
        ],
        "rarer": rarer_questions(gaps),
    }


def _share_row(name: str, row: Figures) -> tuple[Sequence[str], bool]:
    """Return the cells of a row, and whether it is grey because nobody voted."""
    label = f"{section_name(row)} ({row['document']})" if name == "section" else row["name"] or UNNAMED
    votes = format_count(row["up"] + row["down"])
    return [label, format_count(row["answers"]), votes, format_share(row["satisfaction"])], row["satisfaction"] is None
