"""Judges what the rows of a format are enough for, and what is missing where they are not."""

from typing import Any

from feedback.export.dataset_writer import DatasetWriter
from feedback.export.formats import ROW_KINDS

# Below the first nothing is written; services that tune take ten rows at least.
LEAST = 10
ENOUGH_TO_MEASURE = 50
VIABLE = 500
# KTO's paper: the weights of both labels should be within this factor of balance (Eq. 8).
KTO_FACTOR = 1.33

LEVEL_NOTES = {
    "smoke": "enough to see that a trainer runs, not to learn from",
    "measure": "enough for style: tune, and measure on what was held back before it is used",
    "viable": "enough to tune on; measure all the same",
}
LABEL_NAMES = {True: "voted up, corrected or approved", False: "voted down"}
ROW_SOURCES = {
    "examples": "answers voted up, corrected or approved",
    "pairs": "questions with a better and a worse answer from the same passages: corrections that were accepted, or "
    "answers voted up and down",
    "retrievals": "answers voted up that cite a section",
}


def readiness_level(rows: int) -> str:
    """Return `smoke`, `measure` or `viable`."""
    return "viable" if rows >= VIABLE else "measure" if rows >= ENOUGH_TO_MEASURE else "smoke"


def describe_readiness(writer: DatasetWriter) -> dict[str, Any]:
    """Return what the rows of a format are enough for, and how many are missing for what comes next."""
    rows, to_train = writer.total_rows, writer.rows["train"]
    level = readiness_level(rows)
    note = f"{rows} rows, {to_train} of them to train on: {LEVEL_NOTES[level]}"
    if to_train < LEAST:
        note += f"; services that tune want {LEAST} to train on"
    missing = ((name, least - rows) for name, least in (("measure", ENOUGH_TO_MEASURE), ("viable", VIABLE)))
    following = next(({name: count} for name, count in missing if count > 0), {})
    return {"level": level, "rows": rows, "note": note, "next": following}


def find_shortage(writer: DatasetWriter) -> str:
    """Return what keeps a format from being written at all; empty when it can be."""
    rows, source = writer.total_rows, ROW_SOURCES[ROW_KINDS[writer.name]]
    absent = ""
    if writer.name == "trl-kto":
        source = "answers voted up or down"
        absent = " and ".join(name for label, name in LABEL_NAMES.items() if not writer.labels["train"][label])
    if rows < LEAST:
        also = f", of which none to train on is {absent} yet" if absent else ""
        return f"{writer.name} has {rows} rows and needs {LEAST}: {LEAST - rows} more {source}{also}"
    if absent:
        return f"{writer.name} has no answer to train on that is {absent}: at least 1 is missing"
    if not writer.rows["train"]:
        return f"{writer.name} has no row to train on: at least 1 more of {source} is missing"
    return ""


def kto_weights(desirable: int, undesirable: int) -> dict[str, Any]:
    """Return the ranges of Eq. 8, of which one may be used and not both, and the choice that lifts the rarer label.

    Neither count may be 0.
    """
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
