"""Whether the values of a sentence (amounts, names, codes, links) are those of the text, said of the same (pure)."""

from collections.abc import Iterator, Sequence
from typing import Literal

from bot.answering.verification.amounts import Amount, same
from bot.answering.verification.parsing import LABELS, Item, Line, Reading
from bot.answering.verification.similarity import CLOSE, Pair, Window, gaps

Problem = tuple[Literal["number", "date", "unit", "name", "link"], str]

# How much better a sentence must fit around another value than around its own, to be about that other one.
NUMBER_MARGIN = 0.2
NAME_MARGIN = 0.45
# Words either side of a value that say what it is a value of, in the sentence and in the text.
NEAR = 4
REACH = 6
LOCAL = 0.6
SHORT_GAP = 3


def unknown_value(line: Line, readings: Sequence[Reading]) -> Problem | None:
    """The first value of the sentence that no text holds."""
    for at, item in enumerate(line.items):
        if item.marker or item.shown.lower() in LABELS or _opens_enumeration(item):
            continue
        if item.amount:
            given = [each.amount for each in _valued(readings) if each.amount]
            if not any(same(item.amount, each) for each in given):
                return _amount_problem(item, item.amount, given)
        elif item.exact and not any(item.key in reading.keys for reading in readings):
            return ("link" if item.exact == "link" else "name"), item.shown
        elif item.name and not any(_known(line, at, reading) for reading in readings):
            return "name", item.shown
    return None


def _amount_problem(item: Item, claimed: Amount, given: Sequence[Amount]) -> Problem:
    other_unit = any(each.value == claimed.value and each.unit != claimed.unit for each in given)
    return ("unit" if other_unit and claimed.sort == "number" else claimed.sort), item.shown


def _valued(readings: Sequence[Reading]) -> Iterator[Item]:
    return (line.items[at] for reading in readings for line in reading.lines for at in line.valued)


def _opens_enumeration(item: Item) -> bool:
    return item.amount is not None and item.amount.unit == "ordinal" and item.amount.value == 1


def _known(claimed: Line, at: int, reading: Reading) -> bool:
    item = claimed.items[at]
    return (
        item.key in reading.keys
        or (_abbreviation(item) and any(_spells(line, item.shown) for line in reading.lines))
        or any(
            _abbreviation(each) and _spells(claimed, each.shown, at)
            for line in reading.lines
            for run in line.named
            for each in line.items[run.start : run.stop]
        )
    )


def _abbreviation(item: Item) -> bool:
    return item.shown.isupper() and 2 <= len(item.shown) <= 6


def _spells(line: Line, letters: str, through: int | None = None) -> bool:
    """Whether a name in the line has these first letters (and goes through this place of it)."""
    initials = "".join(item.shown[:1].upper() or "." for item in line.items)
    for run in line.named:
        for start in run:
            end = start + len(letters)
            reaches = through is None or start <= through < end
            if reaches and run.stop >= end - (len(letters) > 2) and initials[start:end] == letters:
                return True
    return False


def swapped_value(line: Line, place: Window, pairs: Sequence[Pair], readings: Sequence[Reading]) -> Problem | None:
    """The first value that stands where the text has another, or that the text gives to something else."""
    found = _replaced(line, place, pairs) or _repeated(line, place, pairs)
    return found or _misplaced_amount(line, readings) or _misplaced_name(line, readings)


def _replaced(line: Line, place: Window, pairs: Sequence[Pair]) -> Problem | None:
    """A value that stands between the words between which the text has another."""
    for here, there in gaps(pairs, len(line.items), len(place.items)):
        beside = _beside(here, there, len(line.items), place)
        claimed, given = [line.items[at] for at in here], [place.items[at] for at in beside]
        if 0 < _length(claimed) <= SHORT_GAP and 0 < _length(given) <= SHORT_GAP:
            found = _other_amount(claimed, given) or _other_name(line, here, place, beside)
            if found:
                return found
    return None


def _other_amount(claimed: Sequence[Item], given: Sequence[Item]) -> Problem | None:
    amounts = [each.amount for each in given if each.amount]
    for item in claimed if amounts else ():
        if item.amount and not any(same(item.amount, each) for each in amounts):
            return item.amount.sort, item.shown
    return None


def _other_name(line: Line, here: range, place: Window, beside: range) -> Problem | None:
    opens = beside.start == 0 or beside.start in place.ends or place.items[beside.start - 1].marker
    around = () if opens else place.items[max(beside.stop - NEAR, 0) : beside.stop + NEAR]
    # A capital that only begins the sentence is no name when the text writes the word small.
    small = {item.key for item in around if not item.capital}
    names = [item for item in line.items[here.start : here.stop] if item.is_value and not item.amount]
    names = [item for item in names if item.name or item.exact or item.key not in small]
    others = [item for item in place.items[beside.start : beside.stop] if item.is_value and not item.amount]
    named = any(item.name or item.exact for item in (*names, *others))
    if names and others and named and not _share_a_name(line, here, place, beside):
        return "name", names[0].shown
    return None


def _beside(here: range, there: range, length: int, place: Window) -> range:
    """Of the text around a sentence, as much as the sentence itself has there: no half names and no other line."""
    if here.start == 0 and here.stop < length:
        least = max(there.start, max((at for at in place.ends if at < there.stop), default=0))
        start = max(least, there.stop - len(here))
        while least < start < there.stop and place.items[start].name and place.items[start - 1].name:
            start -= 1
        return range(start, there.stop)
    if here.stop == length and here.start > 0:
        most = min(there.stop, min((at for at in place.ends if at >= there.start), default=there.stop))
        stop = min(most, there.start + len(here))
        while there.start < stop < most and place.items[stop - 1].name and place.items[stop].name:
            stop += 1
        return range(there.start, stop)
    return there


def _share_a_name(line: Line, here: range, place: Window, there: range) -> bool:
    claimed, given = [line.items[at] for at in here], [place.items[at] for at in there]
    return (
        bool({each.key for each in claimed} & {each.key for each in given})
        or any(_abbreviation(each) and _spells(line, each.shown, at) for each in given for at in here)
        or any(_abbreviation(each) and each.shown == "".join(other.shown[:1] for other in given) for each in claimed)
    )


def _repeated(line: Line, place: Window, pairs: Sequence[Pair]) -> Problem | None:
    """A value said twice that the text, otherwise the same, says once."""
    paired = {here for here, _ in pairs}
    for at in line.valued:
        item = line.items[at]
        if at not in paired and len(pairs) >= CLOSE * len(line.items):
            claimed = sum(each.key == item.key for each in line.items)
            if claimed > 1 and 0 < sum(each.key == item.key for each in place.items) < claimed:
                return item.amount.sort if item.amount else "number", item.shown
    return None


def _length(items: Sequence[Item]) -> int:
    """How many things these are; a name of several words is one."""
    return sum(not (item.name and at and items[at - 1].name) for at, item in enumerate(items))


def _misplaced_amount(line: Line, readings: Sequence[Reading]) -> Problem | None:
    """An amount around which the sentence says what the text says around another, that it does not mention."""
    said = [line.items[at].amount for at in line.valued]
    places = [(text, place) for reading in readings for text in reading.lines for place in text.valued]
    for at in line.valued:
        claimed = line.items[at].amount
        if claimed is None or _opens_enumeration(line.items[at]):
            continue
        own, other = 0.0, 0.0
        for text, place in places:
            given = text.items[place].amount
            assert given is not None
            fit = _fit(line, range(at, at + 1), text, range(place, place + 1))
            if same(claimed, given):
                own = max(own, fit)
            elif (claimed.sort == given.sort or (given.unit and claimed.unit)) and not any(
                each and same(each, given) for each in said
            ):
                other = max(other, fit)
        if other > own + NUMBER_MARGIN:
            return claimed.sort, line.items[at].shown
    return None


def _misplaced_name(line: Line, readings: Sequence[Reading]) -> Problem | None:
    places = [(text, place) for reading in readings for text in reading.lines for place in text.named]
    for run in line.named:
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
    """How much of what the sentence says around its value stands around a place of the text, 0 to 1."""
    around = {
        text.items[at].key
        for at in range(max(place.start - REACH, 0), min(place.stop + REACH, len(text.items)))
        if at not in place
    }
    held, all_ = 0.0, 0.0
    for distance in range(1, NEAR + 1):
        for at in (value.start - distance, value.stop - 1 + distance):
            if 0 <= at < len(line.items):
                all_ += 1 / distance
                held += (line.items[at].key in around) / distance
    near = held / all_ if all_ else 0.0
    return LOCAL * near + (1 - LOCAL) * len(line.keys & text.keys) / len(line.keys)
