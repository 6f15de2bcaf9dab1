"""Modality (pure): whether a word of a text stands under a duty, advice, a permission or a denial."""

from dataclasses import dataclass
from typing import Literal

Force = Literal["", "must", "should", "may", "will", "free"]
Conflict = Literal["", "negation", "modality"]

# What may not be said (left) where the text says this (right). Saying less than the text, as in leaving
# out a "may", is a matter of style; an instruction ("Report it") bears "must" and "should" as well as "can".
CONFLICTING_FORCES: dict[Force, frozenset[Force]] = {
    "must": frozenset({"may", "should", "free"}),
    "should": frozenset({"may", "must", "free"}),
    "may": frozenset({"must", "should", "will"}),
    "will": frozenset({"may"}),
    "free": frozenset({"", "must", "should", "will"}),
    "": frozenset(),
}


@dataclass(frozen=True, slots=True)
class Modality:
    """The force of the modal verb under which a word stands, and whether it is negated.

    `free` is what nobody has to do; no force is that of a plain statement or instruction.
    """

    force: Force = ""
    negated: bool = False


PLAIN = Modality()


def modality_conflict(claimed: Modality, given: Modality) -> Conflict:
    """Return how a claim contradicts what is given; an empty string where it does not."""
    if claimed.negated != given.negated:
        return "negation"
    if not claimed.negated and given.force in CONFLICTING_FORCES[claimed.force]:
        return "modality"
    return ""
