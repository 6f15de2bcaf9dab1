"""Figures of evaluations and of feedback, as the services give them."""

from typing import Any

FIGURES: dict[str, Any] = {
    "questions": 2,
    "nDCG@10": 0.51234,
    "auroc": None,
    "thresholds": [
        {"threshold": 0.05, "answered": 1.0, "wrongly_answered": 0.25},
        {"threshold": 0.1, "answered": 0.5, "wrongly_answered": 0.0},
    ],
    "p50_ms": 21.26,
}
NOW = {"threshold": 0.4, "answered": 0.8, "wrongly_answered": 0.25}
ROWS = [
    {"threshold": step / 20, "answered": 1 - step / 40, "wrongly_answered": max(0.0, 1 - step / 10)}
    for step in range(1, 20)
]
WHOLE_SHARE = {"part": 1, "of": 2, "share": 0.5, "low": 0.0945, "high": 0.9055}
ANSWERS = {
    "questions": 2, "asked": 2, "answered": 0.5, "fallbacks": {"timeout": 1}, "tokens_in": None, "f1": 0.25,
    "total_p50_ms": 12.4, "gave_up": None, "shares": {"whole": WHOLE_SHARE},
    "kinds": {"number": {"whole": WHOLE_SHARE}},
}  # fmt: skip
WHOLE: dict[str, Any] = {
    **FIGURES,
    "calibration_error": 0.125,
    "reliability": [{"questions": 2, "confidence": 0.5, "answerable": 1.0}],
    "thresholds": ROWS,
    "threshold": NOW,
    "answers": {
        "openai:<b>": ANSWERS,
        "openai:c": ANSWERS | {"answered": 1.0, "gave_up": "timeout", "shares": {}, "kinds": {}},
    },
    "differences": [
        {"figure": "answered", "model": "openai:c", "than": "openai:<b>", "questions": 40,
         "difference": 0.5, "low": 0.1, "high": 0.9},
    ],
}  # fmt: skip


def class_of(name: str, kind: str, down: int) -> dict[str, Any]:
    """Return a class of a diagnosis."""
    return {
        "class": name, "kind": kind, "meaning": f"what {name} means", "repair": "`footnote sync`", "down": down,
        "share": down / 3, "at_most": 0.5,
    }  # fmt: skip


SHARE = {"share": 0.25, "low": 0.0456, "high": 0.6994}
TALLY = {"answers": 3, "up": 1, "down": 3, "satisfaction": SHARE}
SECTION = {"document": "handbook/leave.md", "anchor": "carry-over", "title": "Leave", "section": "Leave > Carry-over"}
# Three people against an answer, one for it.
FEEDBACK: dict[str, Any] = {
    "first": "2026-11-30", "last": "2026-11-30", "refusals": 0, "fallbacks": 0, "response_rate": 1, "askers": 3,
    "voters": 4, **TALLY, "satisfaction": {**SHARE, "people_low": None, "people_high": None}, "busiest_tenth": None,
    "reasons": {"wrong": 2, "tone": 1},
    "weeks": [{"name": "2026-W49", **TALLY}],
    "platforms": [{"name": "terminal", **TALLY}],
    "generators": [{"name": "extractive", **TALLY}],
    "documents": [{"name": "handbook/leave.md", **TALLY}],
    "sections": [{**SECTION, **TALLY}],
    "failing": [
        {**SECTION, "owner": "The <b>People</b> team", "since": "same", "votes": 4, "people": 3,
         "failure": {"share": 0.75, "low": 0.3006, "high": 0.9544}, "reasons": {"wrong": 2, "tone": 1}},
    ],
    "owners": [{"owner": "The <b>People</b> team", "sections": 1, "down": 3}],
    "closed": {"documents": 0, "sections": 0, "failing": 0, "questions": 0},
    "gaps": {
        "questions": 3, "min_askers": 2, "rarer": {"gaps": 1, "questions": 1},
        "gaps": [
            {"question": "Where is the gym?", "askers": 2, "questions": 2, "first": "2026-W48", "last": "2026-W49"},
        ],
    },
    "diagnosis": {
        "diagnosed": 3, "set_aside": 1, "knowledge": 0, "behaviour": 3, "unclear": 0,
        "classes": [
            class_of("outdated", "knowledge", 0), class_of("wrong-answer", "behaviour", 2),
            class_of("tone-or-format", "behaviour", 1), class_of("unclear", "unclear", 0),
        ],
    },
    "tuning": {
        "why": "Too early to say.", "rows": 4, "enough_for": "nothing yet", "rows_per_week": 2,
        "levels": [{"rows": 10, "for": "trying the pipeline out", "missing": 6, "weeks": 3.0}],
    },
    "notes": ["Nothing is left out."],
}  # fmt: skip
# A time in which nothing was asked.
EMPTY: dict[str, Any] = {**FEEDBACK, "answers": 0, "first": None, "last": None, "satisfaction": None}
