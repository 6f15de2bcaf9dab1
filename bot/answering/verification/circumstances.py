"""Finds where a sentence changes when, or of how many, its place in the text says something (pure)."""

from collections.abc import Sequence
from typing import Literal

from bot.answering.verification.conditions import CONDITIONS, find_changed_condition, marked, marked_words
from bot.answering.verification.marks import Mark
from bot.answering.verification.parsing import Line, ParsedText
from bot.answering.verification.similarity import Window

Problem = tuple[Literal["condition", "order", "quantity", "tense"], str]

# Words after "before" that say what is meant.
ORDER_REACH = 4
# Tokens after a noun that may say which are meant.
RESTRICTION = 6
ALWAYS = frozenset({"always", "without_exception"})
SELDOM = frozenset({"sometimes", "normally"})
FEW = frozenset({"some", "most", "many"})
QUANTITIES = ("all", "any", "some", "most", "many", "one", "both")


def find_changed_circumstance(
    line: Line, place: Window, texts: Sequence[ParsedText], claims: Sequence[Line]
) -> Problem | None:
    """Return the first condition, order, quantity or tense that differs; `claims` are all lines of the sentence."""
    known = frozenset[str]().union(*(each.meanings for each in texts))
    condition = find_changed_condition(line, place.lines, known, claims)
    if condition:
        return "condition", condition
    order = _turned_order(line, place.lines)
    if order:
        return "order", order
    quantity = _changed_frequency(line, place.lines) or _changed_quantity(line, place.lines)
    if quantity:
        return "quantity", quantity
    tense = _moved(line, place.lines) or _changed_tense(line, place.lines)
    return ("tense", tense) if tense else None


def _turned_order(line: Line, given: Sequence[Line]) -> str:
    """Return a "before" of what the text says "after", or the reverse."""
    for kinds in (("before", "after", "at"), ("more", "less")):
        for _, mark in marked(line, *kinds[:2]):
            own = marked_words(line, mark, ORDER_REACH)
            same = {
                each.kind
                for there, each in marked(given, *kinds)
                if 2 * len(own & (other := marked_words(there, each, ORDER_REACH))) >= min(len(own), len(other)) > 0
                and _negates(line) == _negates(there)
            }
            if same and mark.kind not in same:
                return mark.shown
    return ""


def _negates(line: Line) -> bool:
    return any(scope.negates for scope in line.scopes)


def _changed_frequency(line: Line, given: Sequence[Line]) -> str:
    """Return an "always" of what the text says happens sometimes, or the reverse."""
    for often, seldom in ((ALWAYS, SELDOM), (frozenset({"sometimes"}), ALWAYS)):
        said = next((mark.shown for _, mark in marked(line, *often)), "")
        if said and any(marked(given, *seldom)) and not any(marked(given, *often)):
            return said
    return ""


def _changed_quantity(line: Line, given: Sequence[Line]) -> str:
    """Return a quantity of something of which the text gives another."""
    for _, mark in () if line.addresses else marked(line, "all"):
        if any(_is_restricted(_noun(line, mark), line, each) for each in given):
            return mark.shown
    for _, mark in marked(line, *QUANTITIES):
        own = _noun(line, mark)
        kinds = {each.kind for there, each in marked(given, *QUANTITIES, "either") if own & _noun(there, each)}
        if kinds and _excludes(mark.kind, kinds):
            return mark.shown
    return ""


def _excludes(claimed: str, given: set[str]) -> bool:
    """Whether this quantity is not true of what the text gives these quantities of, which may not be empty."""
    if claimed == "one":
        return bool(given & {"either", "all", "both", *FEW})
    if claimed in FEW:
        return given <= {"all", "both", "one"} or (claimed == "most" and given == {"some"})
    return given <= FEW


def _noun(line: Line, mark: Mark) -> frozenset[str]:
    """Return the meanings of the words right after a quantity."""
    start = mark.end
    while start < mark.stop and not line.words[start]:
        start += 1
    end = start
    while end < mark.stop and line.words[end]:
        end += 1
    return frozenset(line.words[start:end])


def _is_restricted(noun: frozenset[str], line: Line, given: Line) -> bool:
    """Whether the text says it only of some of these: "bicycles worth more than 500 euros", "part-time staff"."""
    for at, word in enumerate(given.words):
        if word not in noun or any(
            mark.kind in {"all", "any"} and mark.end <= at <= mark.end + 2 for mark in given.marks
        ):
            continue
        if at and given.words[at - 1] and given.words[at - 1] not in line.meanings:
            return True
        rest = [each for each in given.words[at + 1 : at + RESTRICTION] if each]
        if given.restricts[at] and rest and not line.meanings.intersection(rest):
            return True
    return False


def _moved(line: Line, given: Sequence[Line]) -> str:
    """Return what puts into the past or the future what the text says of now."""
    moved = next((mark for _, mark in marked(line, "past", "future")), None)
    tenses = {frame.tense for each in given for frame in each.frames}
    return moved.shown if moved and not any(marked(given, moved.kind)) and not tenses & {"future", "past"} else ""


def _changed_tense(line: Line, given: Sequence[Line]) -> str:
    """Return a verb that the sentence puts into the past, or before the date from which it will hold."""
    bound = any(marked(line, *CONDITIONS, "before", "after", "only"))
    holds_later = any(each.has_date for each in given) and not (line.has_date or line.addresses)
    for frame in () if bound else line.frames:
        tenses = {each.tense for there in given for each in there.frames if each.verb == frame.verb}
        is_early = frame.tense == "present" and tenses == {"future"} and holds_later
        is_past = frame.tense in {"past", "perfect"} and tenses and tenses <= {"present", "future"}
        if is_early or is_past:
            return frame.verb
    return ""
