"""Numbers, dates, times, money, percentages and units, in one form however they are written (pure)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bot.answering.verification.tokenizer import Token

Sort = Literal["number", "date", "unit"]
Bound = Literal["", "low", "high"]

ONES = "zero one two three four five six seven eight nine ten eleven twelve".split() + (
    "thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
)
TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
WRITTEN = {word: float(value) for value, word in enumerate(ONES)} | {
    word: 10.0 * ten for ten, word in enumerate(TENS, start=2)
}
ORDINALS = "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth".split()
ORDINAL = {word: float(value) for value, word in enumerate(ORDINALS, start=1)}
MULTIPLIER = {"hundred": 100.0, "thousand": 1e3, "k": 1e3, "million": 1e6, "m": 1e6, "billion": 1e9}
MONTH_NAMES = "january february march april may june july august september october november december".split()
MONTH = (
    {name: at for at, name in enumerate(MONTH_NAMES, start=1)}
    | {name[:3]: at for at, name in enumerate(MONTH_NAMES, start=1)}
    | {"sept": 9}
)
# These are words of their own in lower case, and "sat" and "sun" never stand for days in a rule.
AMBIGUOUS = frozenset({"may", "march", "mar", "jan", "dec", "oct", "august"})
WEEKDAY = {
    name: at
    for at, names in enumerate(
        ("monday mon", "tuesday tue tues", "wednesday wed", "thursday thu thurs", "friday fri", "saturday", "sunday")
    )
    for name in names.split()
}
UNITS = {
    word: unit
    for unit, words in {
        "second": "seconds sec secs",
        "minute": "minute minutes min mins",
        "hour": "hour hours hr hrs h hourly",
        "day": "day days d daily",
        "week": "week weeks wk wks weekly",
        "fortnight": "fortnight fortnights fortnightly",
        "month": "month months mth mths monthly",
        "quarter": "quarter quarters quarterly",
        "year": "year years yr yrs yearly annual annually annum",
        "percent": "% percent pct",
        "usd": "$ dollar dollars usd",
        "gbp": "£ pound pounds gbp quid",
        "eur": "€ euro euros eur",
        "cent": "cent cents pence",
        "km": "km kilometre kilometres kilometer kilometers",
        "metre": "metre metres meter meters",
        "cm": "cm centimetre centimetres centimeter centimeters",
        "mile": "mile miles",
        "foot": "foot feet ft",
        "inch": "inch inches",
        "kg": "kg kilo kilos kilogram kilograms",
        "gram": "gram grams",
        "kb": "kb kilobyte kilobytes",
        "mb": "mb megabyte megabytes",
        "gb": "gb gigabyte gigabytes",
        "tb": "tb terabyte terabytes",
        "litre": "litre litres liter liters",
        "degree": "degree degrees",
    }.items()
    for word in words.split()
}
# Of these alone, without a number, a text speaks so often in passing that they prove nothing.
CASUAL = frozenset({"foot", "degree", "second", "cent"})
SIGN_BEFORE = frozenset({"usd", "gbp", "eur"})
# "ten working days" are not ten days; "ten full days" are.
STRICTER = {"business": "working", "working": "working", "work": "working", "bank": "working", "calendar": "calendar"}
PASSED_OVER = frozenset({"full", "consecutive", "whole", "complete", "entire", "additional", "more", "us", "square"})
OPENING = (
    UNITS.keys() | WRITTEN.keys() | ORDINAL.keys() | MONTH.keys() | WEEKDAY.keys() | {"noon", "midday", "midnight"}
) | {f"{day}s" for day in WEEKDAY}
JOINS = frozenset({"to", "or", "and", "through", "until", "till"})
LOW = re.compile(r"(?:at least|minimum of|a minimum|no (?:less|fewer) than|not (?:less|fewer) than|more than|over)$")
HIGH = re.compile(r"(?:at most|maximum of|a maximum|no(?:t)? more than|less than|fewer than|up to|under)$")
LOW_AFTER = re.compile(r"or (?:more|older|over|above|greater|higher|longer)\b")
HIGH_AFTER = re.compile(r"or (?:less|fewer|younger|under|below|lower|shorter)\b")
CLOCK = re.compile(r"(\d{1,2})(?:[:.](\d\d))? ?(?:([ap])\.?m|o'clock)?")
HALF_DAY = 720


@dataclass(frozen=True, slots=True)
class Amount:
    """A value with its unit; a unit alone has no value. `half_day` is true of a clock time without a.m. or p.m."""

    sort: Sort
    value: float | None
    unit: str = ""
    stricter: str = ""
    bound: Bound = ""
    half_day: bool = False

    @property
    def key(self) -> str:
        """Two amounts that are written differently and mean the same have one key; ages go without their unit."""
        if self.value is not None and self.unit == "year":
            return f"{self.value:g} "
        value = "" if self.value is None else f"{self.value:g}" if self.value < 1e6 else f"{self.value:.0f}"
        return f"{value} {self.unit}"


@dataclass(frozen=True, slots=True)
class Found:
    """An amount and the tokens `[start, end)` that say it."""

    start: int
    end: int
    amount: Amount


def same(claimed: Amount, given: Amount) -> bool:
    """Whether the given amount, as a text states it, supports the claimed one."""
    if claimed.unit == "time" or given.unit == "time":
        return claimed.unit == given.unit and _same_time(claimed, given)
    if claimed.value is None:
        return claimed.unit == given.unit
    if claimed.value != given.value or {claimed.bound, given.bound} == {"low", "high"}:
        return False
    if claimed.unit == given.unit:
        return claimed.stricter in {"", given.stricter}
    # "65 or older" is said of years; a bare number takes whatever unit the text gives it.
    return claimed.unit == "" or (given.unit == "" and claimed.unit == "year")


def _same_time(claimed: Amount, given: Amount) -> bool:
    if claimed.value is None or given.value is None:
        return False
    if claimed.half_day or given.half_day:
        return claimed.value % HALF_DAY == given.value % HALF_DAY
    return claimed.value == given.value


def amounts(line: Sequence[Token]) -> list[Found]:
    """The amounts of a line in reading order; they never overlap."""
    found: list[Found] = []
    at = 0
    while at < len(line):
        here = _amount_at(line, at) if _may_open(line[at]) else None
        if here is not None:
            found.append(here)
        at = here.end if here is not None else at + 1
    return _shared_units(line, found)


def _may_open(token: Token) -> bool:
    """A quick no for nearly every word."""
    return token.text in OPENING if token.kind == "word" else token.kind != "mark"


def _amount_at(line: Sequence[Token], at: int) -> Found | None:
    token = line[at]
    if token.kind == "time":
        return Found(at, at + 1, _clock(token.text))
    if token.kind == "code":
        return _iso_date(token.text, at)
    if token.kind == "sign" and token.text != "%":
        number = _number(line, at + 1)
        return Found(at, number[1], Amount("number", number[0], UNITS[token.text])) if number else None
    return _named(line, at) or _counted(line, at)


def _named(line: Sequence[Token], at: int) -> Found | None:
    """A month, with its day if it has one, or a weekday."""
    token = line[at]
    text = token.text.removesuffix("s") if token.text not in WEEKDAY else token.text
    if text in WEEKDAY and token.capital:
        return Found(at, at + 1, Amount("date", float(WEEKDAY[text]), "weekday"))
    if token.text in {"noon", "midday", "midnight"}:
        return Found(at, at + 1, Amount("date", 0.0 if token.text == "midnight" else 720.0, "time"))
    if token.text not in MONTH or not token.capital:
        return None
    following = at + 1
    while following < len(line) and line[following].text in {".", "the"}:
        following += 1
    day = _whole(line, following)
    if day is not None and day <= 31:
        return Found(at, following + 1, Amount("date", day, f"month {MONTH[token.text]}"))
    if token.text in AMBIGUOUS and day is None and not _after_date_word(line, at):
        return None
    return Found(at, at + 1, Amount("date", float(MONTH[token.text]), "month name"))


def _after_date_word(line: Sequence[Token], at: int) -> bool:
    return at > 0 and line[at - 1].text in {
        "in",
        "of",
        "by",
        "until",
        "since",
        "through",
        "to",
        "before",
        "after",
        "for",
    }


def _counted(line: Sequence[Token], at: int) -> Found | None:
    """A number with its unit, or a unit alone."""
    number = _number(line, at)
    if number is None:
        unit = UNITS.get(line[at].text, "")
        alone = unit and unit not in CASUAL and line[at].kind == "word" and len(line[at].text) > 2
        return Found(at, at + 1, Amount("unit", None, unit)) if alone else None
    value, end = number
    if end < len(line) and line[end].text in MONTH and line[end].capital and value <= 31:
        return Found(at, end + 1, Amount("date", value, f"month {MONTH[line[end].text]}"))
    if end + 1 < len(line) and line[end].text == "of" and line[end + 1].text in MONTH and value <= 31:
        return Found(at, end + 2, Amount("date", value, f"month {MONTH[line[end + 1].text]}"))
    unit, stricter, after = _unit(line, end)
    if not unit and line[at].text in {"one", "zero"}:
        return None  # "one of the forms" counts nothing
    if line[at].text in ORDINAL or line[at].text.endswith(("st", "nd", "rd", "th")):
        idle = at == 0 or line[at - 1].kind == "mark" or (end < len(line) and line[end].text in {"party", "parties"})
        return None if idle else Found(at, at + 1, Amount("number", value, "ordinal"))
    year = not unit and value == int(value) and 1900 <= value <= 2100 and line[at].kind == "number"
    return Found(at, after, Amount("date" if year else "number", value, unit, stricter, _bound(line, at, after)))


def _number(line: Sequence[Token], at: int) -> tuple[float, int] | None:
    """The number that starts here and where it ends, its multipliers and its repetition in brackets included."""
    if at >= len(line):
        return None
    token = line[at]
    value = _digits(token) if token.kind == "number" else WRITTEN.get(token.text, ORDINAL.get(token.text))
    if value is None:
        return None
    end = at + 1
    if token.text in TENS and end < len(line) and 0 < WRITTEN.get(line[end].text, 0) < 10:
        value, end = value + WRITTEN[line[end].text], end + 1
    while end < len(line) and line[end].text in MULTIPLIER:
        value, end = value * MULTIPLIER[line[end].text], end + 1
    return value, _repeated(line, end, value, written=token.kind == "word")


def _repeated(line: Sequence[Token], at: int, value: float, *, written: bool) -> int:
    """Past "(30)" after "thirty"."""
    inner = at + 1 if at < len(line) and line[at].text == "(" else at
    if (written or inner > at) and inner < len(line) and line[inner].kind == "number" and _digits(line[inner]) == value:
        closed = inner + 1 < len(line) and line[inner + 1].text == ")"
        return inner + 1 + closed
    return at


def _digits(token: Token) -> float:
    return float(re.sub(r"[^\d.]", "", token.text))


def _whole(line: Sequence[Token], at: int) -> float | None:
    if at < len(line) and line[at].kind == "number":
        value = _digits(line[at])
        return value if value == int(value) else None
    return None


def _unit(line: Sequence[Token], at: int) -> tuple[str, str, int]:
    """The unit that stands here, what makes it stricter, and where it ends."""
    stricter, end = "", at
    while end < len(line) and (line[end].text in STRICTER or line[end].text in PASSED_OVER) and end < at + 2:
        stricter = STRICTER.get(line[end].text, stricter)
        end += 1
    if end + 1 < len(line) and line[end].text == "per" and line[end + 1].text in {"cent", "centum"}:
        return "percent", "", end + 2
    unit = UNITS.get(line[end].text, "") if end < len(line) and line[end].kind in {"word", "sign"} else ""
    return (unit, stricter, end + 1) if unit else ("", "", at)


def _bound(line: Sequence[Token], start: int, end: int) -> Bound:
    before = " ".join(token.text for token in line[max(start - 3, 0) : start])
    after = " ".join(token.text for token in line[end : end + 2])
    if HIGH.search(before) or HIGH_AFTER.match(after):
        return "high"
    return "low" if LOW.search(before) or LOW_AFTER.match(after) else ""


def _shared_units(line: Sequence[Token], found: Sequence[Found]) -> list[Found]:
    """Gives "two" in "two or three days", "$5" in "$5 to 10" and "10" in "10-12 %" the unit of the other."""
    shared = list(found)
    for at in range(len(shared) - 1):
        one, other = shared[at], shared[at + 1]
        between = line[one.end : other.start]
        joined = len(between) <= 1 and all(token.text in JOINS for token in between)
        if joined and one.amount.value is not None and other.amount.value is not None:
            left, right = one.amount, other.amount
            if left.sort == right.sort == "number" and not left.unit and right.unit not in {"", "ordinal"}:
                shared[at] = Found(one.start, one.end, Amount("number", left.value, right.unit, right.stricter))
            elif left.sort == right.sort == "number" and not right.unit and left.unit in SIGN_BEFORE:
                shared[at + 1] = Found(other.start, other.end, Amount("number", right.value, left.unit))
    return shared


def _clock(text: str) -> Amount:
    match = CLOCK.match(text)
    assert match is not None
    hour, minute, half = int(match[1]), int(match[2] or 0), match[3]
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    return Amount("date", 60.0 * hour + minute, "time", half_day=not half and 0 < hour <= 12)


def _iso_date(text: str, at: int) -> Found | None:
    match = re.fullmatch(r"\d{4}-(\d\d)-(\d\d)", text)
    if match is None or not 1 <= int(match[1]) <= 12:
        return None
    return Found(at, at + 1, Amount("date", float(match[2]), f"month {int(match[1])}"))
