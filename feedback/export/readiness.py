"""What the rows of a format are enough for, and what is missing where they are not (pure)."""

from collections.abc import Mapping
from typing import Any

from feedback.export.dataset_writer import Shelf
from feedback.export.values import KINDS

# Below the first nothing is written; services that tune take ten rows at least.
LEAST = 10
ENOUGH_TO_MEASURE = 50
VIABLE = 500
# KTO's paper: the weights of both labels should be within this factor of balance (Eq. 8).
KTO_FACTOR = 1.33

LINES = {
    "smoke": "enough to see that a trainer runs, not to learn from",
    "measure": "enough for style: tune, and measure on what was held back before it is used",
    "viable": "enough to tune on; measure all the same",
}
LABELS = {True: "voted up, corrected or approved", False: "voted down"}
SOURCES_OF = {
    "examples": "answers voted up, corrected or approved",
    "pairs": "questions with a better and a worse answer from the same passages: corrections that were accepted, or "
    "answers voted up and down",
    "retrievals": "answers voted up that cite a section",
}


def level(rows: int) -> str:
    """`smoke`, `measure` or `viable`."""
    return "viable" if rows >= VIABLE else "measure" if rows >= ENOUGH_TO_MEASURE else "smoke"


def readiness(shelf: Shelf) -> dict[str, Any]:
    """What the rows are enough for."""
    rows = sum(shelf.rows.values())
    name = level(rows)
    note = f"{rows} rows, {shelf.rows['train']} of them to train on: {LINES[name]}"
    if shelf.rows["train"] < LEAST:
        note += f"; services that tune want {LEAST} to train on"
    return {"level": name, "rows": rows, "note": note, "next": _next(rows)}


def missing(shelf: Shelf) -> str:
    """What keeps the format from being written at all; empty when it can be."""
    rows, of = sum(shelf.rows.values()), SOURCES_OF[KINDS[shelf.name]]
    absent = ""
    if shelf.name == "trl-kto":
        of = "answers voted up or down"
        absent = " and ".join(kind for label, kind in LABELS.items() if not shelf.labels["train"][label])
    if rows < LEAST:
        also = f", of which none to train on is {absent} yet" if absent else ""
        return f"{shelf.name} has {rows} rows and needs {LEAST}: {LEAST - rows} more {of}{also}"
    if absent:
        return f"{shelf.name} has no answer to train on that is {absent}: at least 1 is missing"
    if not shelf.rows["train"]:
        return f"{shelf.name} has no row to train on: at least 1 more of {of} is missing"
    return ""


def kto_weights(desirable: int, undesirable: int) -> dict[str, Any]:
    """The ranges of Eq. 8, of which one may be used and not both, and the choice that lifts the rarer label."""
    ups, downs = undesirable / desirable, desirable / undesirable
    return {
        "desirable": desirable,
        "undesirable": undesirable,
        "either_desirable_weight": [round(ups, 2), round(ups * KTO_FACTOR, 2)],
        "or_undesirable_weight": [round(downs / KTO_FACTOR, 2), round(downs, 2)],
        "recommended": {
            "desirable_weight": round(max(ups, 1.0), 2),
            "undesirable_weight": round(max(downs, 1.0), 2),
        },
    }


def described(shelf: Shelf, *, counted_by: str) -> dict[str, Any]:
    """All that the manifest says of a format."""
    labels: Mapping[bool, int] = sum((shelf.labels[split] for split in shelf.labels), type(shelf.labels["train"])())
    told: dict[str, Any] = {
        "of": KINDS[shelf.name],
        "in": shelf.came,
        "rows": sum(shelf.rows.values()),
        "splits": dict(shelf.rows),
        "left_out": dict(sorted(shelf.left_out.items())),
        "readiness": readiness(shelf),
        "tokens": {"counted_by": counted_by, **shelf.lengths.summary()},
    }
    if KINDS[shelf.name] == "examples":
        told["refusals"] = {"rows": shelf.refusals, "share": _share(shelf.refusals, labels[True])}
    if shelf.name == "trl-kto":
        told["labels"] = {
            split: {"desirable": counts[True], "undesirable": counts[False]} for split, counts in shelf.labels.items()
        }
        told["kto_weights"] = kto_weights(shelf.labels["train"][True], shelf.labels["train"][False])
    if shelf.ratios:
        told["length_ratio"] = round(sum(shelf.ratios) / len(shelf.ratios), 3)
    return told


def _next(rows: int) -> dict[str, int]:
    """How many rows are missing for what comes next; empty when nothing does."""
    for name, least in (("measure", ENOUGH_TO_MEASURE), ("viable", VIABLE)):
        if rows < least:
            return {name: least - rows}
    return {}


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0
