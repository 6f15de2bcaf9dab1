"""Finds where a sentence negates, demands or allows other than its place in the text does (pure)."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal

from bot.answering.languages import word_lists
from bot.answering.verification.modality import Conflict, Modality, modality_conflict
from bot.answering.verification.parsing import Item, Line, Scope
from bot.answering.verification.similarity import NEARLY_ALL, Pair, Window, gaps

Problem = tuple[Literal["negation", "modality"], str]

_ENGLISH = word_lists("contradictions")
PERMITTING = _ENGLISH.words("permitting")
LEFT_FREE = _ENGLISH.words("left_free")
INVITING = _ENGLISH.words("inviting")
OPPOSITES = frozenset(frozenset(pair.split(":")) for pair in _ENGLISH.ordered("opposites"))

# Items on either side that a changed wording may put between two that both have.
SHORT_GAP = 2
# Words after a cue, either of which may be the one that it is about.
HEADS = 2


@dataclass(frozen=True, slots=True)
class GapConflict:
    """How sentence and text differ between two words that both have, and whether the sentence negates there."""

    reason: Conflict
    negated: bool = False


def find_contradiction(line: Line, place: Window, pairs: Sequence[Pair]) -> Problem | None:
    """Return the first cue of negation or modality, of sentence or text, that the other does not bear out."""
    close = len(pairs) >= NEARLY_ALL * len(line.items)
    problem = _find_gap_conflict(line, place, pairs) or _find_opposite_attribute(line, place)
    if problem:
        return problem
    text_place, line_place = dict(pairs), {there: here for here, there in pairs}
    for scope in line.scopes:
        problem = _find_unsupported(scope, line.items, place, text_place) or _find_weakened(
            scope, line, place, text_place
        )
        if problem:
            return problem
    for scope in place.scopes:
        if scope.negates and _is_dropped(scope, line, place, line_place, close=close):
            return "negation", scope.word
    return None


def _find_gap_conflict(line: Line, place: Window, pairs: Sequence[Pair]) -> Problem | None:
    """Return the first gap between pairs in which sentence and text negate or bind differently.

    A negation that only stands one word further ("not normally", "normally not") is no conflict.
    """
    open_conflict, word = GapConflict(""), ""
    for here, there in gaps(pairs, len(line.items), len(place.items)):
        found = _gap_conflict(here, there, line, place)
        moved = open_conflict.reason == found.reason == "negation" and open_conflict.negated != found.negated
        if open_conflict.reason and not moved:
            return open_conflict.reason, word
        open_conflict = GapConflict("") if open_conflict.reason else found
        word = line.items[min(here.stop, len(line.items) - 1)].shown
    return (open_conflict.reason, word) if open_conflict.reason else None


def _gap_conflict(here: range, there: range, line: Line, place: Window) -> GapConflict:
    if max(len(here), len(there)) > SHORT_GAP:
        return GapConflict("")
    opposite = _opposite([line.items[at] for at in here], [place.items[at] for at in there])
    if opposite:
        return GapConflict(opposite)
    if not _has_same_edge(here, there, line, place):
        return GapConflict("")
    ends = here.stop == len(line.items)
    claimed = [
        *(line.items[at].preceding for at in here),
        line.trailing if ends else line.items[here.stop].preceding,
    ]
    given = [
        *(place.items[at].preceding for at in there),
        place.line_ends[there.stop] if ends else place.items[there.stop].preceding,
    ]
    reason = modality_conflict(_combined(claimed), _combined(given))
    if len(here) != len(there):  # what one side alone says may have a negation of its own
        reason = reason and modality_conflict(claimed[-1], given[-1])
    return GapConflict(reason, _combined(claimed).negated)


def _opposite(claimed: Sequence[Item], given: Sequence[Item]) -> Conflict:
    """Return how two attributes exclude each other; "not mandatory" and "optional" do not."""
    for one, other in product(claimed, given):
        here, there = one.modality, other.modality
        alike = (here.negated and there.negated) or here.force == there.force != ""
        if frozenset((one.key, other.key)) in OPPOSITES and not alike:
            return "modality" if here.negated == there.negated else "negation"
    return ""


def _has_same_edge(here: range, there: range, line: Line, place: Window) -> bool:
    """Whether a gap lies within one line of the text, and at its beginning or end where it does so in the sentence."""
    if here.stop == len(line.items):
        return here.start > 0 and there.stop in place.line_ends and len(here) == len(there)
    opens = not there and (there.start == 0 or there.start in place.line_ends)
    within = not any(at in place.line_ends for at in range(there.start + opens, there.stop + 1))
    return (here.start > 0 or opens) and within


def _combined(modalities: Sequence[Modality]) -> Modality:
    """Return the last force, negated where an odd number of them is."""
    forces = [each.force for each in modalities if each.force]
    return Modality(forces[-1] if forces else "", sum(each.negated for each in modalities) % 2 == 1)


def _find_unsupported(scope: Scope, items: Sequence[Item], place: Window, text_place: dict[int, int]) -> Problem | None:
    """Return a cue of the sentence whose words the text does not put under the like."""
    conflicts = [
        [
            modality_conflict(items[at].modality, each.modality)
            for each in _counterparts(items[at], place, text_place.get(at))
        ]
        for at in scope.items
    ]
    judged = [reasons for reasons in conflicts[:HEADS] if reasons] or [reasons for reasons in conflicts if reasons][:1]
    if judged:
        supported = not all(reason for reasons in judged for reason in reasons)
        return None if supported else (judged[0][0] or "negation", scope.word)
    frees = any(items[at].modality.force == "free" for at in scope.items[:1])
    needs_support = (scope.negates and not scope.conditional) or frees
    return (
        ("negation", scope.word) if needs_support and not any(_denies(each, place) for each in place.scopes) else None
    )


def _find_opposite_attribute(line: Line, place: Window) -> Problem | None:
    """Return an attribute such as "optional" where the text has only such as "required", or the reverse."""
    given = {item.key for item in place.items}
    for item in line.items:
        opposites = {key for pair in OPPOSITES if item.key in pair for key in pair - {item.key}}
        concerns_freedom = item.key in LEFT_FREE or opposites & LEFT_FREE
        stated_plainly = not (item.modality.negated or item.modality.force)
        if concerns_freedom and item.key not in given and opposites & given and stated_plainly:
            return "modality", item.shown
    return None


def _find_weakened(scope: Scope, line: Line, place: Window, text_place: dict[int, int]) -> Problem | None:
    """Return a "you may" of what the text instructs; what it only invites to ("Visit ...") one may do."""
    at = scope.items[0]
    item = line.items[at]
    there = text_place.get(at, -1)
    if scope.word not in PERMITTING or at > 0 or there < 0:
        return None
    if item.preceding.force != "may" or item.key in INVITING:
        return None
    return ("modality", scope.word) if there in place.instructions else None


def _denies(scope: Scope, place: Window) -> bool:
    return scope.negates or any(place.items[at].modality.force == "free" for at in scope.items)


def _is_dropped(scope: Scope, line: Line, place: Window, line_place: dict[int, int], *, close: bool) -> bool:
    """Whether the sentence says without the negation what the text negates."""
    if scope.conditional and not close:
        return False  # "if you do not, ..." denies nothing by itself
    head = next((at for at in scope.items[: HEADS if close else 1] if at in line_place), scope.items[0])
    is_paired = head in line_place
    claimed = [line.items[line_place[head]]] if is_paired else _same_items(place.items[head], line.items)
    if not claimed:
        return False
    if not is_paired and scope.items[1:2] and not _same_items(place.items[scope.items[1]], line.items):
        return False
    others = [] if close and is_paired else [each.modality for each in _same_items(place.items[head], place.items)]
    kept = any(each.modality.negated or each.modality.force == "free" for each in claimed)
    return not kept and all(each.negated for each in others)


def _counterparts(item: Item, place: Window, paired: int | None) -> list[Item]:
    """Return the item of the text with which this one is paired; if there is none, all that are the same."""
    return [place.items[paired]] if paired is not None else _same_items(item, place.items)


def _same_items(item: Item, items: Sequence[Item]) -> list[Item]:
    return [
        each
        for each in items
        if each.key == item.key or (item.amount and each.amount and each.amount.supports(item.amount))
    ]
