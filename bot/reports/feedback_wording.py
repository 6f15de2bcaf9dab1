"""Sentences and names of the feedback report that its text and its page share (pure)."""

from collections.abc import Mapping
from typing import Any

from bot.reports.numbers import format_count, format_percent

Figures = Mapping[str, Any]

NO_OWNER = "nobody"
UNNAMED = "not said"
CLOSED = {
    "questions": "unanswered questions in closed groups",
    "failing": "failing sections of documents that are closed or gone",
    "documents": "such documents in all",
}


def format_reasons(reasons: Mapping[str, int], *, most: int = 3) -> str:
    """Return the reasons that were given most, without the votes that gave none."""
    return ", ".join([f"{name} {times}" for name, times in reasons.items() if name != "none"][:most])


def section_name(row: Figures) -> str:
    """Return a section's headings, else its title, else its document."""
    return str(row["section"] or row["title"] or row["document"])


def interval_by_person(figures: Figures) -> str:
    """Return the interval when people are drawn instead of votes, and how much the busiest people weigh in it."""
    satisfaction, busiest = figures["satisfaction"], figures["busiest_tenth"]
    if satisfaction["people_low"] is None:
        return "Too few people voted to say how much hangs on single ones."
    low, high = format_percent(satisfaction["people_low"]), format_percent(satisfaction["people_high"])
    interval = f"Drawn by person instead of by vote: {low} to {high}"
    if busiest is None:
        return interval
    return f"{interval}; the busiest tenth gave {format_percent(busiest)} of the votes"


def rarer_questions(gaps: Figures) -> str:
    """Return how many questions are counted and not quoted, and why."""
    rarer = gaps["rarer"]
    if not rarer["questions"]:
        return f"All {gaps['questions']} questions are in these gaps."
    return (
        f"{rarer['questions']} more questions in {rarer['gaps']} gaps are counted and not quoted: fewer than "
        f"{gaps['min_askers']} people asked each."
    )


def closed_part(figures: Figures) -> str:
    """Return what is counted and not named because not all readers of the report may see it; empty for nothing."""
    closed = figures["closed"]
    counted = [f"{closed[name]} {what}" for name, what in CLOSED.items() if closed[name]]
    if not counted:
        return ""
    return f"Counted, but not named: {', '.join(counted)}. `--group` says who reads the report."


def training_rows(tuning: Figures) -> str:
    """Return how many rows there are so far, and what is missing for the next level."""
    rows = f"About {tuning['rows']} answers can become training rows so far: enough for {tuning['enough_for']}."
    further = next((level for level in tuning["levels"] if level["missing"]), None)
    if further is None:
        return rows
    missing = f" {further['missing']} more are needed for {further['for']}"
    if further["weeks"] is None:
        return f"{rows}{missing}."
    return f"{rows}{missing}: about {round(further['weeks'])} weeks at {format_count(tuning['rows_per_week'])} a week."
