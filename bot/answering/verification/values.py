"""Finds values of a sentence (amounts, names, codes, links) that its text lacks or states of something else (pure)."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Literal

from bot.answering.verification.amounts import Amount
from bot.answering.verification.parsing import LABELS, Item, Line, Pairing, ParsedText
from bot.answering.verification.similarity import NEARLY_ALL, Pair, Window, gaps
from bot.answering.verification.thesaurus import is_verb

Problem = tuple[Literal["number", "date", "unit", "name", "link"], str]
# How much better a sentence must fit around another value than around its own, to be about that other one.
NUMBER_MARGIN = 0.2
NAME_MARGIN = 0.45
# Items on either side of a value that say what it is a value of, in the sentence and in the text.
CONTEXT = 4
TEXT_CONTEXT = 6
# Weight of these, the rest is that of the whole lines.
CONTEXT_WEIGHT = 0.6
SHORT_GAP = 3
# A text that gives more values or names than this is a register, in which a place cannot be found by what is around.
MAX_PLACES = 2000


def find_unknown_value(line: Line, texts: Sequence[ParsedText]) -> Problem | None:
    """Return the first value of the sentence that no text holds."""
    given = [each.amount for each in _amount_items(texts) if each.amount] if line.amounts else []
    for at, item in enumerate(line.items):
        if item.marker or item.shown.lower() in LABELS or _opens_enumeration(item):
            continue
        if item.amount:
            if not any(each.supports(item.amount) for each in given):
                return _amount_problem(item, item.amount, given)
        elif item.exact and not any(item.key in text.keys for text in texts):
            return ("link" if item.exact == "link" else "name"), item.shown
        elif item.name and not any(_is_known_name(line, at, text) for text in texts):
            return "name", item.shown
    return None


def _amount_problem(item: Item, claimed: Amount, given: Sequence[Amount]) -> Problem:
    other_unit = any(each.value == claimed.value and each.unit != claimed.unit for each in given)
    return ("unit" if other_unit and claimed.kind == "number" else claimed.kind), item.shown


def _amount_items(texts: Sequence[ParsedText]) -> Iterator[Item]:
    return (line.items[at] for text in texts for line in text.lines for at in line.amounts)


def _opens_enumeration(item: Item) -> bool:
    return item.amount is not None and item.amount.unit == "ordinal" and item.amount.value == 1


def _is_known_name(claimed: Line, at: int, text: ParsedText) -> bool:
    item = claimed.items[at]
    return (
        item.key in text.keys
        or (item.shown.isupper() and len(item.key) > 1 and any(key.startswith(item.key) for key in text.keys))
        or (_is_abbreviation(item) and any(_spells(line, item.shown) for line in text.lines))
        or any(
            _is_abbreviation(each) and _spells(claimed, each.shown, at)
            for line in text.lines
            for run in line.names
            for each in line.items[run.start : run.stop]
        )
    )


def _is_abbreviation(item: Item) -> bool:
    return item.shown.isupper() and 2 <= len(item.shown) <= 6


def _spells(line: Line, letters: str, through: int | None = None) -> bool:
    """Whether a name in the line has these first letters (and goes through this place of it)."""
    initials = "".join(item.shown[:1].upper() or "." for item in line.items)
    for run in line.names:
        for start in run:
            end = start + len(letters)
            reaches = through is None or start <= through < end
            if reaches and run.stop >= end - (len(letters) > 2) and initials[start:end] == letters:
                return True
    return False


def find_swapped_value(line: Line, place: Window, pairs: Sequence[Pair], texts: Sequence[ParsedText]) -> Problem | None:
    """Return the first value that stands where the text has another, or that the text gives to something else."""
    small = frozenset[Pairing]().union(*(text.small for text in texts))
    problem = _find_replaced(line, place, pairs, small) or _find_repeated(line, place, pairs)
    return problem or _find_misplaced_amount(line, texts) or _find_misplaced_name(line, texts)


def _find_replaced(line: Line, place: Window, pairs: Sequence[Pair], small: frozenset[Pairing]) -> Problem | None:
    """Return a value between words between which the text has another.

    `small` are the keys that the text writes small, each with the one after it.
    """
    for here, there in gaps(pairs, len(line.items), len(place.items)):
        counterpart = _counterpart(here, there, len(line.items), place)
        claimed, given = [line.items[at] for at in here], [place.items[at] for at in counterpart]
        if 0 < _count_things(claimed) <= SHORT_GAP and 0 < _count_things(given) <= SHORT_GAP:
            problem = _different_amount(claimed, given) or _different_name(line, here, place, counterpart, small)
            if problem:
                return problem
    return None


def _different_amount(claimed: Sequence[Item], given: Sequence[Item]) -> Problem | None:
    amounts = [each.amount for each in given if each.amount]
    for item in claimed if amounts else ():
        if item.amount and not any(each.supports(item.amount) for each in amounts):
            return item.amount.kind, item.shown
    return None


def _different_name(
    line: Line, here: range, place: Window, counterpart: range, small: frozenset[Pairing]
) -> Problem | None:
    opens = counterpart.start == 0 or counterpart.start in place.line_ends or place.items[counterpart.start - 1].marker
    around = () if opens else place.items[max(counterpart.stop - CONTEXT, 0) : counterpart.stop + CONTEXT]
    # A capital that only begins the sentence is no name when the text writes the word small, or when it is a verb.
    lower_case = {item.key for item in around if not item.capital} | {
        item.key for item, following in pairwise(line.items) if (item.key, following.key) in small
    }
    names = [item for item in line.items[here.start : here.stop] if item.is_value and not item.amount]
    names = [item for item in names if item.name or item.exact or not (item.key in lower_case or is_verb(item.meaning))]
    others = [item for item in place.items[counterpart.start : counterpart.stop] if item.is_value and not item.amount]
    if others and all(_count(item.key, line.items) >= _count(item.key, place.items) for item in others):
        return None  # the text's name only stands elsewhere in the sentence
    named = any(item.name or item.exact for item in (*names, *others))
    if names and others and named and not _share_a_name(line, here, place, counterpart):
        return "name", names[0].shown
    return None


def _count(key: str, items: Sequence[Item]) -> int:
    return sum(item.key == key for item in items)


def _counterpart(here: range, there: range, length: int, place: Window) -> range:
    """Return the part of a gap in the text that a gap in the sentence is compared with.

    At either end of a sentence that is as much as the sentence has there: no half names and no other line.
    """
    if here.start == 0 and here.stop < length:
        least = max(there.start, max((at for at in place.line_ends if at < there.stop), default=0))
        start = max(least, there.stop - len(here))
        while least < start < there.stop and place.items[start].name and place.items[start - 1].name:
            start -= 1
        return range(start, there.stop)
    if here.stop == length and here.start > 0:
        most = min(there.stop, min((at for at in place.line_ends if at >= there.start), default=there.stop))
        stop = min(most, there.start + len(here))
        while there.start < stop < most and place.items[stop - 1].name and place.items[stop].name:
            stop += 1
        return range(there.start, stop)
    return there


def _share_a_name(line: Line, here: range, place: Window, there: range) -> bool:
    claimed, given = [line.items[at] for at in here], [place.items[at] for at in there]
    return (
        bool({each.key for each in claimed} & {each.key for each in given})
        or any(_is_abbreviation(each) and _spells(line, each.shown, at) for each in given for at in here)
        or any(_is_abbreviation(each) and each.shown == "".join(other.shown[:1] for other in given) for each in claimed)
    )


def _find_repeated(line: Line, place: Window, pairs: Sequence[Pair]) -> Problem | None:
    """Return a value stated twice that the text, otherwise the same, states once."""
    paired = {here for here, _ in pairs}
    for at in line.amounts:
        item = line.items[at]
        if at not in paired and len(pairs) >= NEARLY_ALL * len(line.items):
            claimed = sum(each.key == item.key for each in line.items)
            if claimed > 1 and 0 < sum(each.key == item.key for each in place.items) < claimed:
                return item.amount.kind if item.amount else "number", item.shown
    return None


def _count_things(items: Sequence[Item]) -> int:
    """Count these items, a name of several words as one."""
    return sum(not (item.name and at and items[at - 1].name) for at, item in enumerate(items))


def _find_misplaced_amount(line: Line, texts: Sequence[ParsedText]) -> Problem | None:
    """Return an amount around which the sentence says what the text says around one that it does not mention."""
    claimed_amounts = [line.items[at].amount for at in line.amounts]
    places = [(text, place) for each in texts for text in each.lines if text.keys & line.keys for place in text.amounts]
    for at in line.amounts:
        claimed = line.items[at].amount
        if claimed is None or _opens_enumeration(line.items[at]):
            continue
        if len(places) > MAX_PLACES:
            return claimed.kind, line.items[at].shown
        own, other = 0.0, 0.0
        for text, place in places:
            given = text.items[place].amount
            assert given is not None
            fit = _fit(line, range(at, at + 1), text, range(place, place + 1))
            if given.supports(claimed):
                own = max(own, fit)
            elif (claimed.kind == given.kind or (given.unit and claimed.unit)) and not any(
                each and given.supports(each) for each in claimed_amounts
            ):
                other = max(other, fit)
        if other > own + NUMBER_MARGIN:
            return claimed.kind, line.items[at].shown
    return None


def _find_misplaced_name(line: Line, texts: Sequence[ParsedText]) -> Problem | None:
    """Return a name around which the sentence says what the text says around another one."""
    places = [(text, place) for each in texts for text in each.lines if text.keys & line.keys for place in text.names]
    for run in line.names:
        if len(places) > MAX_PLACES:
            return "name", line.items[run.start].shown
        keys = {line.items[at].key for at in run}
        own, other = -1.0, 0.0
        for text, place in places:
            fit = _fit(line, run, text, place)
            if keys & {text.items[at].key for at in place}:
                own = max(own, fit)
            else:
                other = max(other, fit)
        if 0 <= own < other - NAME_MARGIN:
            return "name", " ".join(line.items[at].shown for at in run)
    return None


def _fit(line: Line, value: range, text: Line, place: range) -> float:
    """Return how much of what the sentence says around its value stands around a place of the text, 0 to 1."""
    around = {
        text.items[at].key
        for at in range(max(place.start - TEXT_CONTEXT, 0), min(place.stop + TEXT_CONTEXT, len(text.items)))
        if at not in place
    }
    matched, total = 0.0, 0.0
    for distance in range(1, CONTEXT + 1):
        for at in (value.start - distance, value.stop - 1 + distance):
            if 0 <= at < len(line.items):
                total += 1 / distance
                matched += (line.items[at].key in around) / distance
    near = matched / total if total else 0.0
    return CONTEXT_WEIGHT * near + (1 - CONTEXT_WEIGHT) * len(line.keys & text.keys) / len(line.keys)
